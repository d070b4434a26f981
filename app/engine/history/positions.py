"""Positions of the change log: the number of a change, and the epoch of the database it is of.

After a restore numbers are given out again. With its epoch a position of before is told from one
of the present log.
"""

import re
from dataclasses import dataclass
from functools import cache
from typing import Annotated

from pydantic import Field
from sqlalchemy import Dialect, Text, cast, select

from app.core.databases.expressions import Expression
from app.core.databases.interface import CompiledQuery, compile_query
from app.core.errors import Gone
from app.core.instance_secret import EPOCH_LENGTH, Installation
from app.core.public_path import public_path
from app.engine.history.change_log import Change, ChangeCounter
from app.engine.query.filter_reader import bad_parameter

PATTERN = rf"^[0-9]{{1,16}}(-[0-9a-f]{{{EPOCH_LENGTH}}})?$"
_POSITION = re.compile(rf"([0-9]{{1,4000}})(?:-([0-9a-f]{{{EPOCH_LENGTH}}}))?")
_LARGEST = 2**53
#: A position as clients send it: the number alone, or with the epoch.
Since = Annotated[str, Field(max_length=4100, json_schema_extra={"pattern": PATTERN})]


@dataclass(frozen=True, slots=True)
class Position:
    """How far the log has come, or was read; without an epoch where a client tells none."""

    seq: int
    epoch: str | None = None

    def __str__(self) -> str:
        return f"{self.seq}-{self.epoch}"

    def gone(self, newest: "Position") -> str | None:
        """Why nobody can go on from here in the log that ends with `newest`; None where one can."""
        if self.epoch not in (None, newest.epoch):
            return f"The database was restored from a backup since: {self} is of before."
        if self.seq > newest.seq:
            return (
                f"The newest change is {newest.seq}, and there is no {self.seq}: the database may"
                " have been restored from a backup."
            )
        return None


READ_ANEW = "Read the records anew, and then the changes after {}."


def refuse_gone(position: Position, newest: Position) -> None:
    """Gone (410), with where to begin, where nobody can go on from the position."""
    if reason := position.gone(newest):
        raise Gone(f"{reason} {READ_ANEW.format(public_path(f'/changes?since={newest}'))}")


def read_stored(text: str) -> Position:
    """The position that the database has written."""
    seq, _, epoch = text.partition("-")
    return Position(int(seq), epoch)


def read_position(text: str, parameter: str) -> Position:
    """The position that a client sends; BadRequest where it is none."""
    found = _POSITION.fullmatch(text)
    if found is None:
        wrong = f"Must be the position of a change, such as 395 or 395-9fa0c1; got {text[:50]!r}."
        raise bad_parameter(parameter, "position", wrong)
    if len(found[1]) > 16 or int(found[1]) > _LARGEST:
        raise bad_parameter(parameter, "less_than_equal", f"Must be {_LARGEST} or less.")
    return Position(int(found[1]), found[2])


def change_position() -> Expression:
    """The position of a change, as text."""
    epoch = select(Installation.epoch).scalar_subquery()
    return cast(Change.seq, Text) + "-" + epoch


def newest_position() -> Expression:
    """How far the log has come at the moment of the read, as text: `395-9fa0c1`."""
    text = cast(ChangeCounter.seq, Text) + "-" + Installation.epoch
    # Both have one row, of the same id.
    return (
        select(text)
        .join_from(ChangeCounter, Installation, ChangeCounter.id == Installation.id)
        .scalar_subquery()
    )


@cache
def position_statement(dialect: Dialect) -> CompiledQuery:
    """Reads `(position,)`: how far the log has come."""
    return compile_query(select(newest_position()), dialect)
