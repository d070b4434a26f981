"""The connections to one PostgreSQL server that reads go through."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import date
from typing import Any, TypeAlias

import asyncpg

from app.core.databases.addresses import PostgresAddress
from app.core.databases.db_errors import overloaded
from app.core.databases.export_places import ExportPlaces
from app.core.databases.interface import (
    STREAM_BATCH_ROWS,
    CompiledQuery,
    Rows,
    first_batch,
    next_batch,
)
from app.core.databases.places import Places
from app.core.databases.postgresql_errors import GONE, is_lost, is_outdated
from app.core.databases.question_costs import Cost, question_of
from app.core.errors import Problem
from app.core.loose_types import Value, Values

MAX_CONNECTIONS = 12
#: How many of them lists and figures may hold, and exports: records and keys are always read.
MAX_QUERIES, MAX_EXPORTS = 6, 4
#: How many of the lists and figures may take long.
MAX_COSTLY_QUERIES = 2
#: How many of these one caller may hold.
MAX_QUERIES_PER_CALLER, MAX_EXPORTS_PER_CALLER = 3, 2
#: For how many seconds a request waits for a connection before it is told to come again.
POOL_TIMEOUT_SECONDS = 10.0
#: For how many seconds a server may take to accept a connection.
CONNECT_TIMEOUT_SECONDS = 5.0
#: How many seconds after its own limit a server is given up.
CANCEL_GRACE_SECONDS = 5.0
#: The longest statement that a connection keeps prepared, in characters: the driver would prepare
#: those of expansions anew each time.
MAX_KEPT_STATEMENT = 64 * 1024
#: How many times the limit of a question a batch of an export may take.
WAITERS_PER_CONNECTION = 10

#: A connection of asyncpg's, which tells no types.
PoolConnection: TypeAlias = Any


async def set_up(connection: PoolConnection) -> None:
    """Dates as their text: asyncpg takes the first and the last day there is for infinities. And
    statements run as they are planned: to compile one first takes seconds of what takes 0.1 s."""
    await connection.set_type_codec(
        "date", schema="pg_catalog", encoder=date.isoformat, decoder=date.fromisoformat
    )
    # Not every server that speaks as PostgreSQL does has the setting.
    await connection.execute(
        "SELECT set_config('jit', 'off', false) FROM pg_settings WHERE name = 'jit'"
    )


async def _keep(connection: PoolConnection) -> None:
    """Reads set nothing on a connection, so giving it back needs no round trip to reset it."""


class ReadPool:
    """Reads from one server; `seconds` is the time that a question may take.

    Its methods raise what the driver raises, and Unavailable when no connection is free in time.
    """

    def __init__(
        self,
        url: str,
        seconds: float,
        check: Callable[[PoolConnection], Awaitable[None]] | None = None,
    ) -> None:
        #: What each new connection must pass: it raises for a server that will not do.
        self._check = check
        address = PostgresAddress.read(url)
        self.dsn, self.place = address.dsn(), address.place
        self._connect_wait = address.connect_seconds or CONNECT_TIMEOUT_SECONDS
        self.seconds = seconds
        #: How many reads wait for a connection.
        self._acquiring = 0
        self._queries = Places(MAX_QUERIES, MAX_QUERIES_PER_CALLER, MAX_COSTLY_QUERIES)
        self._exports = ExportPlaces(MAX_EXPORTS, MAX_EXPORTS_PER_CALLER)

    @property
    def waiting(self) -> int:
        """How many reads wait for a connection, or for their turn to have one."""
        return self._acquiring + self._queries.waiting + self._exports.waiting

    async def open(self) -> None:
        """Open the pool; its connections are made when they are needed."""
        self._pool = await asyncpg.create_pool(
            self.dsn,
            # It would log an error each time that it cannot keep any more.
            min_size=0,
            max_size=MAX_CONNECTIONS,
            init=self._prepare,
            reset=_keep,
            timeout=self._connect_wait,
            max_cacheable_statement_size=MAX_KEPT_STATEMENT,
        )

    async def _prepare(self, connection: PoolConnection) -> None:
        await set_up(connection)
        await connection.execute(f"SET statement_timeout = {round(self.seconds * 1000)}")
        if self._check is not None:
            await self._check(connection)

    async def close(self) -> None:
        """Close the connections, by force those that are not given back soon."""
        try:
            async with asyncio.timeout(CANCEL_GRACE_SECONDS):
                await self._pool.close()
        except GONE:
            self._pool.terminate()

    def size(self) -> int:
        """How many connections are open."""
        return self._pool.get_size()

    def idle(self) -> int:
        """How many of the open connections do nothing."""
        return self._pool.get_idle_size()

    async def query(self, statement: CompiledQuery, values: Values) -> Rows:
        """All rows of a statement that may take its time."""
        return await self._queries.answer(
            question_of(statement, values), lambda: self.fetch(statement, values)
        )

    async def fetch(self, statement: CompiledQuery, values: Values) -> Rows:
        """All rows of a statement that finds few by a key."""
        arguments = statement.arguments(values)
        try:
            return await self._fetch(statement.sql, arguments)
        except Exception as error:
            # The server may have ended idle connections without our having noticed yet.
            if isinstance(error, TimeoutError) or not is_lost(error):
                raise
        return await self._fetch(statement.sql, arguments)

    async def _fetch(self, sql: str, arguments: list[Value]) -> Rows:
        connection = await self._acquire()
        try:
            # The server ends a question itself; this is for one that says nothing any more.
            rows: Rows = await connection.fetch(
                sql, *arguments, timeout=self.seconds + CANCEL_GRACE_SECONDS
            )
            return rows
        except Exception as error:
            if is_lost(error):
                connection.terminate()
            raise
        finally:
            await self._release(connection)

    async def _release(self, connection: PoolConnection) -> None:
        """Give a connection back. Where that fails the driver has ended it, which changes no
        answer, nor that nobody waits for one any more."""
        with suppress(Exception):
            await self._pool.release(connection, timeout=CANCEL_GRACE_SECONDS)

    async def _acquire(self) -> PoolConnection:
        self._acquiring += 1
        try:
            return await self._pool.acquire(timeout=POOL_TIMEOUT_SECONDS)
        except TimeoutError:
            if self._pool.get_size() < MAX_CONNECTIONS:
                raise
            raise overloaded() from None
        finally:
            self._acquiring -= 1

    async def stream(
        self, statement: CompiledQuery, values: Values, batch_rows: int = STREAM_BATCH_ROWS
    ) -> AsyncGenerator[Rows]:
        """The rows in batches; memory does not grow with their number."""
        arguments = statement.arguments(values)
        for is_last in (False, True):
            begun = False
            try:
                async with self.transaction() as connection:
                    cursor = await connection.cursor(statement.sql, *arguments)
                    size = first_batch(batch_rows)
                    while rows := await cursor.fetch(
                        size, timeout=self.seconds_of(for_export=True) + CANCEL_GRACE_SECONDS
                    ):
                        begun = True
                        size = next_batch(rows, batch_rows)
                        yield rows
                        del rows
                return
            except Exception as error:
                again = is_outdated(error) or (is_lost(error) and not isinstance(error, OSError))
                if begun or is_last or not again:
                    raise

    def seconds_of(self, *, for_export: bool) -> float:
        """How long a statement of a transaction may take."""
        return self.seconds * WAITERS_PER_CONNECTION if for_export else self.seconds

    @asynccontextmanager
    async def transaction(
        self, *, for_export: bool = True, readonly: bool = True
    ) -> AsyncIterator[PoolConnection]:
        """A connection that sees one moment, for as long as an export or a question may take."""
        async with (self._exports if for_export else self._queries).taken(Cost.HIGH):
            connection = await self._acquire()
            transaction = connection.transaction(isolation="repeatable_read", readonly=readonly)
            wanted = round(self.seconds_of(for_export=for_export) * 1000)
            try:
                await transaction.start()
                await connection.execute(f"SET LOCAL statement_timeout = {wanted}")
                yield connection
                await transaction.rollback()
            except BaseException as error:
                # A client that is gone, a batch that was given up: nothing here is worth keeping.
                if not isinstance(error, asyncpg.PostgresError | Problem) or is_lost(error):
                    # The pool may have ended it before an export that was left behind.
                    with suppress(asyncpg.InterfaceError):
                        connection.terminate()
                else:
                    await transaction.rollback()
                raise
            finally:
                await self._release(connection)
