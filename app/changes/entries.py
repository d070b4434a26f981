"""Changes as listeners are told of them, read from the log in order."""

import asyncio
from collections.abc import Coroutine, Mapping
from contextvars import Context
from dataclasses import dataclass
from typing import TypeVar

import orjson

from app.core.databases.interface import Database
from app.core.loose_types import Values
from app.engine.history.feed import FeedShape, feed_statement

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Entry:
    """One change: what it is chosen by, and its JSON as `/changes` shows it."""

    seq: int
    kind: str
    record_id: str
    actor: str
    action: str
    body: bytes

    def is_among(self, wanted: Mapping[str, str]) -> bool:
        """Whether the change has all of these values."""
        return all(getattr(self, name) == value for name, value in wanted.items())


def read_entry(body: str) -> Entry:
    """The entry of a change that stands in JSON."""
    # Digits of amounts do not matter here, and this is many times faster than keeping them.
    change = orjson.loads(body)
    names = ("seq", "kind", "record_id", "actor", "action")
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


def task_outside_request(work: Coroutine[object, object, T]) -> asyncio.Task[T]:
    """The work as a task of no request: what it reads is the newest there is, where requests may
    read from a copy of the database that is behind."""
    return asyncio.create_task(work, context=Context())
