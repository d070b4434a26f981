"""PostgreSQL: reads straight through asyncpg, writes as a Session on an asynchronous engine."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from datetime import date
from typing import Any, TypeVar

import asyncpg
from sqlalchemy import event, make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from app.core.database import BATCH, JSON_AS_IS, SESSION, Database, Pace, Prepared, Rows, away

T = TypeVar("T")

READ_CONNECTIONS = 10
WRITE_CONNECTIONS = 10
TRIES = 5
#: For how many seconds a write waits for a connection before it is told to come again.
POOL_WAIT = 10.0
#: serialization_failure and deadlock_detected: the same work can succeed when run again.
RETRIED = {"40001", "40P01"}
#: What the driver raises when the server is not there, or went away.
GONE = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    TimeoutError,
    # All connections are taken, and none became free in time.
    PoolTimeout,
)


def postgres_engine(url: str, **options: Any) -> AsyncEngine:
    """An asynchronous engine over asyncpg, whatever driver the address names."""
    address = make_url(url).set(drivername="postgresql+asyncpg")
    engine = create_async_engine(address, **JSON_AS_IS, **options)

    @event.listens_for(engine.sync_engine, "connect")
    def connected(connection: Any, record: object) -> None:
        connection.run_async(_plain_dates)

    return engine


async def _plain_dates(connection: Any) -> None:
    """Dates as their text: asyncpg takes the first and the last day there is for infinities."""
    await connection.set_type_codec(
        "date", schema="pg_catalog", encoder=date.isoformat, decoder=date.fromisoformat
    )


async def _keep(connection: Any) -> None:
    """Reads set nothing on a connection, so giving it back needs no round trip to reset it."""


class PostgresDatabase(Database):
    """A PostgreSQL server of version 15 or later, or one that speaks its language."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine = postgres_engine(
            url,
            pool_size=WRITE_CONNECTIONS,
            max_overflow=0,
            pool_timeout=POOL_WAIT,
            pool_pre_ping=True,
        )
        self.dialect = self.engine.dialect

    async def start(self) -> None:
        dsn = make_url(self.url).set(drivername="postgresql")
        try:
            self._pool = await asyncpg.create_pool(
                dsn.render_as_string(hide_password=False),
                min_size=1,
                max_size=READ_CONNECTIONS,
                init=_plain_dates,
                reset=_keep,
                timeout=10,
            )
        except GONE as error:
            raise away(error) from error

    async def stop(self) -> None:
        await self._pool.close()
        await self.engine.dispose()

    async def read(
        self, statement: Prepared, values: Mapping[str, Any], pace: Pace = "long"
    ) -> Rows:
        try:
            async with self._pool.acquire(timeout=10) as connection:
                rows: Rows = await connection.fetch(statement.sql, *statement.arguments(values))
                return rows
        except GONE as error:
            raise away(error) from error

    async def stream(self, statement: Prepared, values: Mapping[str, Any]) -> AsyncGenerator[Rows]:
        try:
            async with (
                self._pool.acquire(timeout=10) as connection,
                connection.transaction(isolation="repeatable_read", readonly=True),
            ):
                cursor = await connection.cursor(statement.sql, *statement.arguments(values))
                while rows := await cursor.fetch(BATCH):
                    yield rows
        except GONE as error:
            raise away(error) from error

    async def write(self, work: Callable[[Session], T]) -> T:
        for attempt in range(TRIES):
            try:
                async with AsyncSession(self.engine, **SESSION) as session:
                    result = await session.run_sync(work)
                    await session.commit()
                    return result
            except StaleDataError:
                pass
            except DBAPIError as error:
                if getattr(error.orig, "sqlstate", None) not in RETRIED:
                    if error.connection_invalidated or isinstance(
                        error, OperationalError | InterfaceError
                    ):
                        raise away(error) from error
                    raise
            except GONE as error:
                raise away(error) from error
            await asyncio.sleep(0.01 * 2**attempt)
        raise away()
