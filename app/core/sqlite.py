"""SQLite: one writer thread that commits writes together, and readers that never wait for it."""

import asyncio
import queue
import sqlite3
import threading
from collections.abc import AsyncGenerator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from app.core.database import BATCH, JSON_AS_IS, SESSION, Database, Pace, Prepared, Rows, away
from app.core.types import simple_lower

T = TypeVar("T")

READERS = 2
GROUP = 64
LOCK_WAIT = 30.0


def connect(path: str, *, readonly: bool = False) -> sqlite3.Connection:
    """A connection in the driver's autocommit mode, with the settings every use needs."""
    mode = "ro" if readonly else "rwc"
    connection = sqlite3.connect(
        f"{Path(path).absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=LOCK_WAIT,
        # The driver's own transactions begin too late and lose updates; we say BEGIN IMMEDIATE.
        isolation_level=None,
        check_same_thread=False,
        cached_statements=512,
    )
    # SQLite's own lower() knows the letters of English alone.
    connection.create_function("lowered", 1, _lowered, deterministic=True)
    # Off by default in SQLite, for every connection anew.
    connection.execute("PRAGMA foreign_keys=ON")
    # 64 MiB of pages in memory: the default of 2 MiB re-reads the inner nodes of large indexes.
    connection.execute("PRAGMA cache_size=-65536")
    # Sorting and grouping for one answer needs no file.
    connection.execute("PRAGMA temp_store=MEMORY")
    if readonly:
        # Reads map the file: one copy of a page less for each row looked at.
        connection.execute("PRAGMA mmap_size=1073741824")
    else:
        # Readers go on while one writes.
        connection.execute("PRAGMA journal_mode=WAL")
        # An acknowledged write survives a power cut; NORMAL would lose the last ones.
        connection.execute("PRAGMA synchronous=FULL")
    return connection


def _lowered(text: str | None) -> str | None:
    return None if text is None else simple_lower(text)


def sqlite_engine(path: str) -> Engine:
    """An engine whose transactions take the write lock at once."""
    engine = create_engine(
        "sqlite://", creator=lambda: connect(path), poolclass=NullPool, **JSON_AS_IS
    )

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


@dataclass(slots=True)
class _Job:
    work: Callable[[Session], Any]
    future: asyncio.Future[Any]
    loop: asyncio.AbstractEventLoop
    result: Any = None
    error: BaseException | None = None


class SqliteDatabase(Database):
    """A database in one file; several processes may share it."""

    # A million rows are counted in some fifty milliseconds, as nothing goes between processes.
    counts_quickly = True

    def __init__(self, url: str) -> None:
        path = make_url(url).database
        if not path or path == ":memory:":
            raise ValueError("An SQLite address names a file: sqlite:///trade-missions.db")
        self.path = path
        self.engine = sqlite_engine(path)
        self.dialect = self.engine.dialect
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._local = threading.local()

    async def start(self) -> None:
        if not Path(self.path).exists():  # noqa: ASYNC240 (once, before anything is served)
            raise away(FileNotFoundError(self.path))
        self._quick = connect(self.path, readonly=True)
        self._reading = [self._quick]
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="reader")
        self._writer = threading.Thread(target=self._write_all, name="writer", daemon=True)
        self._writer.start()

    async def stop(self) -> None:
        self._readers.shutdown()
        for connection in self._reading:
            connection.close()
        # Last, because the last one to close a file moves its log of writes into it.
        self._jobs.put(None)
        await asyncio.to_thread(self._writer.join)

    async def read(
        self, statement: Prepared, values: Mapping[str, Any], pace: Pace = "long"
    ) -> Rows:
        arguments = statement.arguments(values)
        try:
            if pace == "quick":
                return self._quick.execute(statement.sql, arguments).fetchall()
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(
                self._readers, self._read_long, statement.sql, arguments
            )
        except sqlite3.OperationalError as error:
            raise away(error) from error

    def _read_long(self, sql: str, arguments: list[Any]) -> Rows:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = connect(self.path, readonly=True)
            self._reading.append(connection)
        return connection.execute(sql, arguments).fetchall()

    async def stream(self, statement: Prepared, values: Mapping[str, Any]) -> AsyncGenerator[Rows]:
        loop = asyncio.get_running_loop()
        # A connection of its own, because the reading goes on between other reads of its thread.
        connection = connect(self.path, readonly=True)
        try:
            arguments = statement.arguments(values)
            cursor = await loop.run_in_executor(
                self._readers, connection.execute, statement.sql, arguments
            )
            while rows := await loop.run_in_executor(self._readers, cursor.fetchmany, BATCH):
                yield rows
        except sqlite3.OperationalError as error:
            raise away(error) from error
        finally:
            connection.close()

    async def write(self, work: Callable[[Session], T]) -> T:
        if not self._writer.is_alive():
            raise away()
        loop = asyncio.get_running_loop()
        job = _Job(work, loop.create_future(), loop)
        self._jobs.put(job)
        result: T = await job.future
        return result

    def _write_all(self) -> None:
        with self.engine.connect() as connection:
            while True:
                group, last = self._next_group()
                if group:
                    self._commit(connection, group)
                if last:
                    return

    def _next_group(self) -> tuple[list[_Job], bool]:
        """The writes that wait now, at least one; True when none will follow."""
        job = self._jobs.get()
        group: list[_Job] = []
        while job is not None:
            group.append(job)
            if len(group) == GROUP or self._jobs.empty():
                return group, False
            job = self._jobs.get()
        return group, True

    def _commit(self, connection: Connection, group: list[_Job]) -> None:
        """Run a group in one transaction, each write in its own savepoint; answer afterwards.

        One commit is one fsync, which is what a write costs; sharing it is what makes sixteen
        writers as fast as the disk allows. None is told of success before the commit.
        """
        try:
            with connection.begin():
                for job in group:
                    _attempt(connection, job)
        except Exception as error:
            problem = away(error) if isinstance(error, OperationalError) else error
            for job in group:
                job.error = job.error or problem
        for job in group:
            job.loop.call_soon_threadsafe(_answer, job)


def _attempt(connection: Connection, job: _Job) -> None:
    with Session(connection, join_transaction_mode="create_savepoint", **SESSION) as session:
        try:
            job.result = job.work(session)
            session.commit()
        except Exception as error:
            session.rollback()
            job.error = error


def _answer(job: _Job) -> None:
    if job.future.done():
        return
    if job.error is not None:
        job.future.set_exception(job.error)
    else:
        job.future.set_result(job.result)
