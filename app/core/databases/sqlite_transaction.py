"""A transaction of reads on SQLite: each call is done in one of the threads that read."""

import sqlite3
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from functools import partial
from typing import Protocol, TypeVar

from app.core.databases.interface import (
    STREAM_BATCH_ROWS,
    CompiledQuery,
    ReadTransaction,
    Rows,
    first_batch,
    next_batch,
)
from app.core.loose_types import Values

T = TypeVar("T")


class Worker(Protocol):
    """Does work on the transaction's connection, and returns what came of it."""

    def __call__(self, work: Callable[[sqlite3.Connection], T], /) -> Coroutine[None, None, T]: ...


class SqliteTransaction(ReadTransaction):
    """The transaction that is open on the connection which `worker` works on."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker

    async def run(self, *statements: str) -> None:
        await self._worker(lambda on: [on.execute(sql) for sql in statements])

    async def read(self, statement: CompiledQuery, values: Values) -> Rows:
        arguments = statement.arguments(values)
        return await self._worker(lambda on: on.execute(statement.sql, arguments).fetchall())

    async def run_many(self, statement: CompiledQuery, several: Sequence[Values]) -> None:
        arguments = [statement.arguments(values) for values in several]
        await self._worker(lambda on: on.executemany(statement.sql, arguments))

    async def stream(
        self, statement: CompiledQuery, values: Values, batch_rows: int = STREAM_BATCH_ROWS
    ) -> AsyncGenerator[Rows]:
        arguments = statement.arguments(values)
        cursor: sqlite3.Cursor = await self._worker(lambda on: on.execute(statement.sql, arguments))
        size = first_batch(batch_rows)
        while rows := await self._worker(partial(fetch, cursor, size)):
            size = next_batch(rows, batch_rows)
            yield rows
            del rows


def fetch(cursor: sqlite3.Cursor, rows: int, connection: sqlite3.Connection) -> Rows:
    """The next rows of a cursor, in the thread of its connection."""
    return cursor.fetchmany(rows)
