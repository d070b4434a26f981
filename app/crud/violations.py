"""What the database refuses, told as the rule that was broken."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.exc import IntegrityError

from app.core.database import Base
from app.core.errors import Conflict, Fault, Invalid, Problem

_SQLITE = re.compile(r"(UNIQUE|CHECK|FOREIGN KEY) constraint failed(?:: (.*))?")


@contextmanager
def explained(table: type[Base]) -> Iterator[None]:
    """Turn an IntegrityError about the table into the problem that a client is told."""
    try:
        yield
    except IntegrityError as error:
        raise _problem(error) from error


def _problem(error: IntegrityError) -> Problem:
    name = getattr(getattr(error.orig, "__cause__", None), "constraint_name", None)
    found = _SQLITE.search(str(error.orig))
    if name is None and found is not None:
        name = found.group(2)
    if name and (check := _check(name)) is not None:
        says = check.info.get("says", f"the rule {name} is broken")
        return Invalid.at(check.info.get("pointer", ""), "rule", f"{says}.")
    fields = _unique_fields(name or "")
    if fields:
        text = f"Another record (perhaps in the trash) has the same {' and '.join(fields)}."
        return Conflict(text, [Fault("unique", text, pointer=f"/{fields[-1]}")])
    return Conflict("The records that this one refers to, or that refer to it, do not allow it.")


def _check(name: str) -> CheckConstraint | None:
    for table in Base.metadata.tables.values():
        for constraint in table.constraints:
            if isinstance(constraint, CheckConstraint) and name in (
                constraint.name,
                f"ck_{table.name}_{constraint.name}",
            ):
                return constraint
    return None


def _unique_fields(name: str) -> list[str]:
    """The columns of a unique constraint or index: by its name, or listed as SQLite does."""
    if "." in name:
        return [part.rpartition(".")[2] for part in name.removeprefix("index ").split(", ")]
    for table in Base.metadata.tables.values():
        for constraint in table.constraints:
            if isinstance(constraint, UniqueConstraint) and constraint.name == name:
                return [column.name for column in constraint.columns]
        for index in table.indexes:
            if index.unique and index.name == name:
                return [column.name for column in index.columns]
    return []
