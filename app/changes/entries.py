"""Changes as listeners are told of them, read from the log in order."""

from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from app.core.databases.interface import Database
from app.core.instance_secret import EPOCH_LENGTH
from app.core.loose_types import Values
from app.engine.history.feed import FeedShape, feed_statement


@dataclass(frozen=True, slots=True)
class Entry:
    """One change: what it is chosen by, and its JSON as `/changes` shows it."""

    seq: int
    #: The same, with the epoch of the database.
    position: str
    kind: str
    record_id: str
    actor: str
    action: str
    body: bytes

    @property
    def epoch(self) -> str:
        """The epoch of the database that the change is of."""
        return self.position[-EPOCH_LENGTH:]

    def is_among(self, wanted: Mapping[str, str]) -> bool:
        """Whether the change has all of these values."""
        return all(getattr(self, name) == value for name, value in wanted.items())


def read_entry(body: str) -> Entry:
    """The entry of a change that stands in JSON."""
    # Digits of amounts do not matter here, and this is many times faster than keeping them.
    change = orjson.loads(body)
    names = ("seq", "position", "kind", "record_id", "actor", "action")
    return Entry(**{name: change[name] for name in names}, body=body.encode())


async def find_entries(
    database: Database, since: int, limit: int, wanted: Values, few: bool = False
) -> list[Entry]:
    """The changes after `since` that have these values, in order, the first `limit` of them."""
    shape = FeedShape(tuple(sorted(("since", *wanted))), newest_first=False)
    values = {**wanted, "since": since, "limit": limit}
    statement = feed_statement(shape, database.dialect)
    rows = await database.read(statement, values, point_lookup=few)
    return [read_entry(row[0]) for row in rows]
