"""A transaction of reads on PostgreSQL, on a connection that nothing else uses meanwhile."""

from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import contextmanager

from app.core.databases.interface import (
    STREAM_BATCH_ROWS,
    CompiledQuery,
    ReadTransaction,
    Rows,
    first_batch,
    next_batch,
)
from app.core.databases.postgresql_read_pool import CANCEL_GRACE_SECONDS, PoolConnection
from app.core.loose_types import Values


class PostgresTransaction(ReadTransaction):
    """The transaction that is open on the connection; `seconds` is the time of each statement.

    Its statements are prepared anew: a plan that the connection keeps would go on reading the table
    that a temporary one of the same name hides, or the other way round.
    """

    def __init__(
        self,
        connection: PoolConnection,
        seconds: float,
        translate: Callable[[Exception], Exception],
    ) -> None:
        self._connection = connection
        self._seconds = seconds + CANCEL_GRACE_SECONDS
        self._translate = translate

    @contextmanager
    def _translated(self) -> Iterator[None]:
        # Here and not where the transaction ends: it may be held longer than what fails in it.
        try:
            yield
        except Exception as error:
            raise self._translate(error) from error

    async def run(self, *statements: str) -> None:
        # Together they take the way to the server once.
        if statements:
            with self._translated():
                await self._connection.execute("; ".join(statements), timeout=self._seconds)

    async def read(self, statement: CompiledQuery, values: Values) -> Rows:
        arguments = statement.arguments(values)
        with self._translated():
            prepared = await self._connection.prepare(statement.sql, timeout=self._seconds)
            rows: Rows = await prepared.fetch(*arguments, timeout=self._seconds)
        return rows

    async def run_many(self, statement: CompiledQuery, several: Sequence[Values]) -> None:
        arguments = [statement.arguments(values) for values in several]
        with self._translated():
            prepared = await self._connection.prepare(statement.sql, timeout=self._seconds)
            await prepared.executemany(arguments, timeout=self._seconds)

    async def stream(
        self, statement: CompiledQuery, values: Values, batch_rows: int = STREAM_BATCH_ROWS
    ) -> AsyncGenerator[Rows]:
        arguments = statement.arguments(values)
        size = first_batch(batch_rows)
        with self._translated():
            prepared = await self._connection.prepare(statement.sql, timeout=self._seconds)
            cursor = await prepared.cursor(*arguments, timeout=self._seconds)
            while rows := await cursor.fetch(size, timeout=self._seconds):
                size = next_batch(rows, batch_rows)
                yield rows
                del rows
