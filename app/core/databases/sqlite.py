"""SQLite: one writer thread that commits writes together, and readers that never wait for it."""

import asyncio
import sqlite3
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, asynccontextmanager, suppress
from functools import cache, partial
from pathlib import Path
from typing import Any, TypeVar, cast

from sqlalchemy import Connection, Dialect, Engine, create_engine, event
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from app.core.databases.addresses import sqlite_path
from app.core.databases.db_errors import file_replaced, of_sqlite, unreachable
from app.core.databases.export_places import ExportPlaces
from app.core.databases.interface import (
    ENGINE_OPTIONS,
    STREAM_BATCH_ROWS,
    CompiledQuery,
    Database,
    Rows,
    first_batch,
    next_batch,
)
from app.core.databases.places import Places
from app.core.databases.private_files import keep_private
from app.core.databases.public_reads import public
from app.core.databases.question_costs import Cost, question_of
from app.core.databases.sqlite_quick import QuickReads
from app.core.databases.sqlite_reader import Reading
from app.core.databases.sqlite_transaction import SqliteTransaction, fetch
from app.core.databases.sqlite_writer import File, Writer
from app.core.databases.types import caseless, line_key, simple_lower
from app.core.loose_types import Value, Values
from app.core.time_zones import local_day

T = TypeVar("T")

#: The threads that read; of one caller's reads no more than so many are in them at a time, nor of
#: those that take long.
READERS, READERS_PER_CALLER, COSTLY_READERS = 3, 2, 2
#: Threads for those who take the places of reads that were given up, and end a moment later.
SPARE_READERS = 2
#: The threads that exports are read in, so that they keep no list waiting: more
#: than one caller may have under way.
EXPORTERS = 4
#: How many exports are under way at a time, of all and of one caller.
MAX_EXPORTS, MAX_EXPORTS_PER_CALLER = 16, 3
#: For how many seconds a write waits for another process that writes.
LOCK_TIMEOUT_SECONDS = 30.0
#: How much of the file a connection keeps in memory. Each reader has one of its own, and the system
#: keeps the file for all of them: more is no quicker, nor are reads that map the file.
READER_CACHE_KIB, WRITER_CACHE_KIB = 8 * 1024, 64 * 1024
#: How many times the limit of a question a batch of an export may take.
WAITERS_PER_READER = 10
#: How many seconds pass between two looks whether the file is still the same.
CHECK_SECONDS = 1.0


def connect(path: str, *, readonly: bool = False, wait: float | None = None) -> sqlite3.Connection:
    """A connection in the driver's autocommit mode, with the settings every use needs.

    `wait` is for how many seconds it waits for other processes, by default `LOCK_TIMEOUT_SECONDS`.
    """
    mode = "ro" if readonly else "rwc"
    if not readonly:
        keep_private(path)
    connection = sqlite3.connect(
        f"{Path(path).absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=LOCK_TIMEOUT_SECONDS if wait is None else wait,
        # The driver's own transactions begin too late and lose updates; we say BEGIN IMMEDIATE.
        isolation_level=None,
        check_same_thread=False,
        cached_statements=512,
    )
    # SQLite's own lower() knows the letters of English alone.
    connection.create_function("lowered", 1, _or_null(simple_lower), deterministic=True)
    connection.create_function("caseless", 1, _or_null(caseless), deterministic=True)
    connection.create_function("line_key", 1, _or_null(line_key), deterministic=True)
    # SQLite knows UTC and the zone of the machine alone.
    connection.create_function("local_day", 2, local_day, deterministic=True)
    # Off by default in SQLite, for every connection anew.
    connection.execute("PRAGMA foreign_keys=ON")
    # The default of 2 MiB of pages re-reads the inner nodes of large indexes.
    cache = READER_CACHE_KIB if readonly else WRITER_CACHE_KIB
    connection.execute(f"PRAGMA cache_size=-{cache}")
    # Sorting and grouping for one answer needs no file.
    connection.execute("PRAGMA temp_store=MEMORY")
    if not readonly:
        # Readers go on while one writes.
        connection.execute("PRAGMA journal_mode=WAL")
        # An acknowledged write survives a power cut; NORMAL would lose the last ones.
        connection.execute("PRAGMA synchronous=FULL")
    return connection


def _or_null(of_text: Callable[[str], str]) -> Callable[[str | None], str | None]:
    return lambda text: None if text is None else of_text(text)


def sqlite_engine(path: str) -> Engine:
    """An engine whose transactions take the write lock at once."""
    engine = create_engine(
        "sqlite://", creator=lambda: connect(path), poolclass=NullPool, **ENGINE_OPTIONS
    )

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


@cache
def _dialect() -> Dialect:
    """What reads are compiled for. All databases of a process share one, and so the compiled
    statements, which are kept by it."""
    return sqlite_engine(":memory:").dialect


class SqliteDatabase(Database):
    """A database in one file; several processes may share it."""

    # A million rows are counted in some fifty milliseconds, as nothing goes between processes.
    counts_quickly = True

    def __init__(self, url: str, *, max_seconds: float = 30) -> None:
        path = sqlite_path(url)
        self.path = path
        self.max_seconds = max_seconds
        self.engine = sqlite_engine(path)
        self.dialect, self.whole_dialect = public(_dialect()), _dialect()
        self.writer = Writer(self.engine, path)
        self._local = threading.local()
        self._reads_under_way = self._exports_under_way = self._writing = 0
        self._places = Places(READERS, READERS_PER_CALLER, COSTLY_READERS)
        self._exports = ExportPlaces(MAX_EXPORTS, MAX_EXPORTS_PER_CALLER)

    async def start(self) -> None:
        self._file = File(self.path)
        if not self._file.is_there():
            raise unreachable(FileNotFoundError(self.path))
        self._is_there = True
        try:
            # It is used in the loop, which must not wait for another process.
            self._lookups = self._open(wait=0.5)
        except sqlite3.Error as error:
            raise self._translate(error) from error
        self._quick = QuickReads(self._lookups)
        self._reading = [self._lookups]
        self._readers = ThreadPoolExecutor(READERS + SPARE_READERS, thread_name_prefix="reader")
        self._exporters = ThreadPoolExecutor(EXPORTERS, thread_name_prefix="exporter")
        self._watching = asyncio.create_task(self._watch())
        self.writer.start(self._file)

    async def stop(self) -> None:
        self._watching.cancel()
        with suppress(asyncio.CancelledError):
            await self._watching
        await asyncio.to_thread(self._readers.shutdown)
        await asyncio.to_thread(self._exporters.shutdown)
        for connection in self._reading:
            connection.close()
        # Last, because the last one to close a file moves its log of writes into it.
        await self.writer.stop()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            self._is_there = self._file.is_there()

    def _translate(self, error: sqlite3.Error) -> Exception:
        if not self._file.is_there():
            return file_replaced()
        return of_sqlite(error, self.path) or error

    def _open(self, wait: float | None = None) -> sqlite3.Connection:
        """A connection for reading, to the file that was there at the start."""
        connection = connect(self.path, readonly=True, wait=wait)
        if not self._file.is_there():
            connection.close()
            raise file_replaced()
        return connection

    async def read(
        self, statement: CompiledQuery, values: Values, *, point_lookup: bool = False
    ) -> Rows:
        if not self._is_there:
            raise file_replaced()
        sql, arguments = statement.sql, statement.arguments(values)
        try:
            if point_lookup:
                return self._lookups.execute(sql, arguments).fetchall()
            # While the writer works, each row would wait for it to let go of the interpreter.
            if not self._writing and self._quick.is_quick(sql):
                rows = self._quick.rows(sql, arguments)
                if rows is not None:
                    return rows
            return await self._places.answer(
                question_of(statement, values), lambda: self._read(sql, arguments)
            )
        except sqlite3.Error as error:
            raise self._translate(error) from error

    async def _read(self, sql: str, arguments: list[Value]) -> Rows:
        reading = Reading(lambda on: self._timed(on, sql, arguments), self.max_seconds)
        return await self._run(reading, self._connection)

    def _timed(self, connection: sqlite3.Connection, sql: str, arguments: list[Value]) -> Rows:
        began = time.thread_time()
        rows = connection.execute(sql, arguments).fetchall()
        self._quick.note(sql, time.thread_time() - began)
        return rows

    def _connection(self) -> sqlite3.Connection:
        """The connection of this thread."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self._open()
            self._reading.append(connection)
        return connection

    async def stream(
        self, statement: CompiledQuery, values: Values, batch_rows: int = STREAM_BATCH_ROWS
    ) -> AsyncGenerator[Rows]:
        if not self._is_there:
            raise file_replaced()
        async with (
            self._exports.taken(),
            aclosing(self._stream(statement, values, batch_rows)) as batches,
        ):
            async for rows in batches:
                yield rows

    async def _stream(
        self, statement: CompiledQuery, values: Values, batch_rows: int = STREAM_BATCH_ROWS
    ) -> AsyncGenerator[Rows]:
        arguments = statement.arguments(values)
        seconds = self.max_seconds * WAITERS_PER_READER
        try:
            # One of its own, because the reading goes on between other reads of its thread.
            connection = self._open(wait=0.5)
            reading: Reading[Any] = Reading(
                lambda on: on.execute(statement.sql, arguments), seconds
            )
            try:
                cursor = await self._export(reading, connection)
                size = first_batch(batch_rows)
                while True:
                    reading = Reading(partial(fetch, cursor, size), seconds)
                    rows = await self._export(reading, connection)
                    if not rows:
                        return
                    size = next_batch(rows, batch_rows)
                    yield rows
                    del rows
            finally:
                reading.close(connection)
        except sqlite3.Error as error:
            raise self._translate(error) from error

    @asynccontextmanager
    async def read_transaction(
        self, *, for_export: bool = False
    ) -> AsyncIterator[SqliteTransaction]:
        if not self._is_there:
            raise file_replaced()
        places = self._exports if for_export else self._places
        seconds = self.max_seconds * (WAITERS_PER_READER if for_export else 1)
        async with places.taken(Cost.HIGH):
            reading: Reading[Any] | None = None

            async def work(what: Callable[[sqlite3.Connection], T]) -> T:
                nonlocal reading
                reading = Reading(what, seconds)
                try:
                    if for_export:
                        return cast("T", await self._export(reading, connection))
                    return cast("T", await self._run(reading, lambda: connection))
                except sqlite3.Error as error:
                    raise self._translate(error) from error

            try:
                connection = self._open(wait=0.5)
            except sqlite3.Error as error:
                raise self._translate(error) from error
            try:
                await work(lambda on: on.execute("BEGIN"))
                yield SqliteTransaction(work)
            finally:
                assert reading is not None
                reading.close(connection)

    async def _run(self, reading: Reading[T], connect: Callable[[], sqlite3.Connection]) -> T:
        """What comes of the reading, in one of the threads that read."""
        self._reads_under_way += 1
        try:
            reading.submit(self._readers, connect)
            return await reading.outcome()
        finally:
            self._reads_under_way -= 1

    async def _export(self, reading: Reading[T], connection: sqlite3.Connection) -> T:
        """What comes of the reading, in one of the threads of exports."""
        self._exports_under_way += 1
        try:
            reading.submit(self._exporters, lambda: connection)
            return await reading.outcome()
        finally:
            self._exports_under_way -= 1

    def gauges(self) -> Mapping[str, float]:
        under_way = self._reads_under_way + self._exports_under_way
        running = min(self._reads_under_way, READERS) + min(self._exports_under_way, EXPORTERS)
        return {
            "writes_waiting": self.writer.waiting,
            "reads_waiting": under_way - running + self._places.waiting + self._exports.waiting,
            "reads_running": running,
            "write_groups_total": self.writer.groups,
            "grouped_writes_total": self.writer.writes,
        }

    async def write(self, work: Callable[[Session], T]) -> T:
        self._writing += 1
        try:
            return await self.writer.write(work)
        finally:
            self._writing -= 1
