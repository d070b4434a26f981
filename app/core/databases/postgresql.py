"""PostgreSQL: reads straight through asyncpg, writes as a Session on an asynchronous engine."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from enum import Enum, auto
from functools import cache, partial
from typing import Any, TypeVar

import asyncpg
from sqlalchemy import Dialect, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError
from sqlalchemy.pool import QueuePool

from app.core.databases.addresses import PostgresAddress
from app.core.databases.db_errors import commit_unknown, overloaded
from app.core.databases.deferred import complete
from app.core.databases.interface import (
    ENGINE_OPTIONS,
    SESSION_OPTIONS,
    STREAM_BATCH_ROWS,
    CompiledQuery,
    Database,
    Rows,
)
from app.core.databases.pooler import refuse_pooled
from app.core.databases.postgresql_errors import (
    GONE,
    RETRIED,
    is_behind,
    is_lost,
    is_outdated,
    problem_of,
    sqlstate_of,
)
from app.core.databases.postgresql_read_pool import (
    CONNECT_TIMEOUT_SECONDS,
    WAITERS_PER_CONNECTION,
    PoolConnection,
    ReadPool,
    set_up,
)
from app.core.databases.postgresql_transaction import PostgresTransaction
from app.core.databases.public_reads import public
from app.core.databases.replica import UNKNOWN_LSN, WAL_LSN, Replica, read_routing
from app.core.loose_types import Value, Values

__all__ = ["GONE", "PostgresDatabase", "postgres_engine"]

T = TypeVar("T")

#: For how many seconds a command waits for a server to accept its connection.
COMMAND_TIMEOUT_SECONDS = 10.0
WRITE_CONNECTIONS = 10
MAX_ATTEMPTS = 5
#: For how many seconds a write waits for a connection before it is told to come again.
POOL_TIMEOUT_SECONDS = 10.0
#: For how many seconds a write waits for another one that holds its records.
LOCK_TIMEOUT_SECONDS = 10.0
#: How many seconds after which a server that does not answer a statement of a write is given up.
SILENCE_SECONDS = 120.0
_NOTHING = CompiledQuery("SELECT", (), (), {})
_POSITION = CompiledQuery(WAL_LSN, (), (), {})


def postgres_engine(url: str, **options: Value) -> AsyncEngine:
    """An asynchronous engine over asyncpg, whatever driver the address names."""
    address = PostgresAddress.read(url)
    seconds = {"timeout": address.connect_seconds} if address.connect_seconds else {}
    connect = {"timeout": COMMAND_TIMEOUT_SECONDS} | options.pop("connect_args", {}) | seconds
    return create_async_engine(
        # The address goes to the driver as it is: the engine's own reading knows fewer parameters.
        "postgresql+asyncpg://",
        connect_args={"async_creator_fn": partial(_connect, address)} | connect,
        **ENGINE_OPTIONS,
        **options,
    )


@cache
def _dialect() -> Dialect:
    """What reads are compiled for. All databases of a process share one, and so the compiled
    statements, which are kept by it."""
    return postgres_engine("postgresql://").dialect


async def _connect(
    address: PostgresAddress,
    *,
    lock_wait: float = 0,
    refuse_poolers: bool = False,
    **options: Value,
) -> PoolConnection:
    connection = await asyncpg.connect(address.dsn(), **options)
    try:
        if refuse_poolers:
            await refuse_pooled(connection, address)
        await set_up(connection)
        if lock_wait:
            await connection.execute(f"SET lock_timeout = {round(lock_wait * 1000)}")
    except BaseException:
        connection.terminate()
        raise
    return connection


def _discard_lost(context: ExceptionContext) -> None:
    """Let no lost connection go back to the pool, where it would be lent out again."""
    if is_lost(context.original_exception):
        context.is_disconnect = True


class _Stage(Enum):
    """How far a write has come: only what happens to its COMMIT is not known afterwards."""

    CONNECTING = auto()
    WORKING = auto()
    COMMITTING = auto()


class _Attempt:
    """One run of a write's work, in a Session of its own."""

    def __init__(self, work: Callable[[Session], Any]) -> None:
        self.work = work
        self.stage = _Stage.CONNECTING

    def __call__(self, session: Session, connected: Callable[[], None]) -> Any:
        session.connection()
        connected()
        self.stage = _Stage.WORKING
        result = self.work(session)
        session.flush()
        complete(session)
        self.stage = _Stage.COMMITTING
        session.commit()
        return result

    def may_be_repeated(self, error: Exception) -> bool:
        """Whether nothing was stored, and the same work can succeed when run again."""
        if isinstance(error, StaleDataError) or is_outdated(error):
            return True
        if sqlstate_of(error) in RETRIED:
            return True
        # Other connections may be whole; where the server is gone the next attempt says so.
        return self.stage is _Stage.WORKING and is_lost(error) and not isinstance(error, OSError)


class PostgresDatabase(Database):
    """A PostgreSQL server of version 15 or later, or one that speaks its language."""

    def __init__(
        self, url: str, read_url: str | None = None, *, max_seconds: float = 30, max_lag: float = 10
    ) -> None:
        self.url = url
        self.max_seconds = max_seconds
        self.primary = ReadPool(url, max_seconds)
        self.replica = Replica(read_url, self.primary, max_lag) if read_url else None
        self.engine = postgres_engine(
            url,
            pool_size=WRITE_CONNECTIONS,
            max_overflow=0,
            pool_timeout=POOL_TIMEOUT_SECONDS,
            pool_pre_ping=True,
            connect_args={
                "timeout": CONNECT_TIMEOUT_SECONDS,
                "command_timeout": SILENCE_SECONDS,
                "lock_wait": LOCK_TIMEOUT_SECONDS,
            },
        )
        event.listen(self.engine.sync_engine, "handle_error", _discard_lost)
        self.dialect, self.whole_dialect = public(_dialect()), _dialect()
        self._connecting = 0

    async def start(self) -> None:
        try:
            await self.primary.open()
            await self.primary.fetch(_NOTHING, {})
        except Exception as error:
            raise self._translate(error) from error
        if self.replica is not None:
            await self.replica.open()

    async def stop(self) -> None:
        if self.replica is not None:
            await self.replica.close()
        await self.primary.close()
        await self.engine.dispose()

    def _translate(self, error: Exception, times: int = 1) -> Exception:
        return problem_of(error, self.max_seconds * times) or error

    async def read(
        self, statement: CompiledQuery, values: Values, *, point_lookup: bool = False
    ) -> Rows:
        pool = self._choose()
        ask = pool.fetch if point_lookup else pool.query
        try:
            return await ask(statement, values)
        except Exception as error:
            if not self._gives_way(pool, error):
                raise self._translate(error) from error
        return await self.read(statement, values, point_lookup=point_lookup)

    async def stream(
        self, statement: CompiledQuery, values: Values, batch_rows: int = STREAM_BATCH_ROWS
    ) -> AsyncGenerator[Rows]:
        begun = False
        pool = self._choose()
        while True:
            try:
                async with aclosing(pool.stream(statement, values, batch_rows)) as batches:
                    async for rows in batches:
                        begun = True
                        yield rows
                return
            except Exception as error:
                if begun or not self._gives_way(pool, error):
                    raise self._translate(error, WAITERS_PER_CONNECTION) from error
            pool = self.primary

    @asynccontextmanager
    async def read_transaction(
        self, *, for_export: bool = False
    ) -> AsyncIterator[PostgresTransaction]:
        # A replica makes no tables, not even temporary ones.
        pool = self.primary
        times = WAITERS_PER_CONNECTION if for_export else 1
        translate = partial(self._translate, times=times)
        try:
            # Nor does a transaction that is declared to read only.
            async with pool.transaction(for_export=for_export, readonly=False) as connection:
                seconds = pool.seconds_of(for_export=for_export)
                yield PostgresTransaction(connection, seconds, translate)
        except Exception as error:
            raise translate(error) from error

    def _choose(self) -> ReadPool:
        """Where this request reads."""
        if self.replica is not None and self.replica.may_be_read(read_routing.get()):
            return self.replica.pool
        return self.primary

    def _gives_way(self, pool: ReadPool, error: Exception) -> bool:
        """Whether the primary is to be asked instead, as it is for the rest of the request."""
        if self.replica is None or pool is self.primary:
            return False
        if is_lost(error):
            self.replica.mark_down()
        elif not is_behind(error):
            return False
        at = read_routing.get()
        assert at is not None
        at.primary = True
        return True

    def gauges(self) -> Mapping[str, float]:
        writing = self.engine.pool
        assert isinstance(writing, QueuePool)
        found: dict[str, float] = {
            "read_connections": self.primary.size(),
            "read_connections_idle": self.primary.idle(),
            "reads_waiting": self.primary.waiting,
            "writes_waiting": self._connecting,
            "write_connections_busy": writing.checkedout(),
        }
        if self.replica is not None:
            lag = self.replica.lag
            found["replica_in_use"] = self.replica.usable
            found["replica_lag_seconds"] = -1 if lag is None else lag
        return found

    async def write(self, work: Callable[[Session], T]) -> T:
        for attempt in range(MAX_ATTEMPTS):
            run = _Attempt(work)
            self._connecting += 1
            try:
                async with AsyncSession(self.engine, **SESSION_OPTIONS) as session:
                    result: T = await session.run_sync(run, self._connected)
                await self._remember()
                return result
            except Exception as error:
                if not run.may_be_repeated(error):
                    raise await self._translate_write(run, error) from error
            finally:
                self._connecting -= run.stage is _Stage.CONNECTING
            await asyncio.sleep(0.01 * 2**attempt)
        raise overloaded()

    def _connected(self) -> None:
        self._connecting -= 1

    async def _translate_write(self, run: _Attempt, error: Exception) -> Exception:
        if run.stage is _Stage.COMMITTING and is_lost(error):
            await self._remember()
            return commit_unknown()
        return self._translate(error)

    async def _remember(self) -> None:
        """Send the caller's next reads to the primary until the replica has what was committed."""
        at = read_routing.get()
        if self.replica is None or at is None or at.caller is None:
            return
        try:
            ((position,),) = await self.primary.fetch(_POSITION, {})
        except Exception:
            # The write is stored whatever this says; where it is remains unknown.
            position = UNKNOWN_LSN
        self.replica.writers.wrote(at.caller, position)
