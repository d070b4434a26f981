"""SQLite's one writer: a thread that commits the writes that wait together."""

import asyncio
import os
import queue
import sqlite3
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app.core.databases.db_errors import (
    commit_unknown,
    file_replaced,
    of_sqlite,
    of_system,
    overloaded,
    unreachable,
)
from app.core.databases.deferred import Deferred
from app.core.databases.interface import SESSION_OPTIONS
from app.core.databases.prepared import sqlite_driver
from app.core.databases.sqlite_turns import Turns
from app.core.errors import Problem
from app.core.public_path import with_root

T = TypeVar("T")

MAX_GROUP_WRITES = 64
#: For how many seconds a write waits for its turn before it is told to come again.
TURN_TIMEOUT_SECONDS = 60.0


@dataclass(slots=True)
class _Job:
    work: Callable[[Session], Any]
    future: asyncio.Future[Any]
    loop: asyncio.AbstractEventLoop
    #: Taken by whoever is first: the writer that begins the work, or the clock that gives it up.
    turn: threading.Lock = field(default_factory=threading.Lock)
    result: Any = None
    error: BaseException | None = None

    def give_up(self) -> None:
        """Answer that it did not come to its turn, if that is so."""
        if self.turn.acquire(blocking=False) and not self.future.done():
            self.future.set_exception(overloaded())

    def answer(self) -> None:
        """Hand over what came of it, in the loop that waits for it."""
        if self.future.done():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)


class _Undone(Exception):
    """SQLite has taken back the whole transaction, as it does when it cannot write."""


class _CommitUnknown(Exception):
    """The disk failed in a COMMIT: what is in the log may count after a crash, or may not."""


class File:
    """Which file was opened; another one by its name is not read from or written to."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._identity = self._find()

    def _find(self) -> tuple[int, int] | None:
        try:
            found = os.stat(self.path)  # noqa: PTH116 (called for each write: the cheapest one)
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def is_there(self) -> bool:
        """Whether the file still has its name."""
        return self._identity is not None and self._find() == self._identity


class Writer:
    """The thread, and the writes that wait for it."""

    def __init__(self, engine: Engine, path: str) -> None:
        self.engine, self.path = engine, path
        self.groups = self.writes = 0
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._connection: Connection | None = None
        self._turns = Turns(path, TURN_TIMEOUT_SECONDS / 2)

    def start(self, file: File) -> None:
        """Start the thread; it stores in this file and in no other that gets its name."""
        self.file = file
        self._turns.open()
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._thread.start()

    async def stop(self) -> None:
        """Finish the writes that wait, then end the thread."""
        self._jobs.put(None)
        await asyncio.to_thread(self._thread.join)
        self._turns.close()

    @property
    def waiting(self) -> int:
        """How many writes wait for their turn."""
        return self._jobs.qsize()

    async def write(self, work: Callable[[Session], T]) -> T:
        """What the work returns, once it is committed."""
        if not self._thread.is_alive():
            raise unreachable()
        loop = asyncio.get_running_loop()
        job = _Job(with_root(work), loop.create_future(), loop)
        self._jobs.put(job)
        clock = loop.call_later(TURN_TIMEOUT_SECONDS, job.give_up)
        try:
            result: T = await job.future
        finally:
            clock.cancel()
        return result

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            group = self._store_with(job)
            for each in group:
                each.error = each.error and self._translate(each.error)
                # The loop of a server that was ended by force is closed.
                with suppress(RuntimeError):
                    each.loop.call_soon_threadsafe(each.answer)
        self._disconnect()

    def _store_with(self, job: _Job) -> list[_Job]:
        """Commit a write and those that wait with it, or tell each why not; the thread goes on
        whatever happens."""
        group: list[_Job] = []
        try:
            with self._turns.taken():
                # Only now: those that came while it waited for its turn are stored with it.
                self._collect(job, group)
                if group:
                    self._commit(group)
            self.groups += 1
            self.writes += len(group)
        except BaseException as error:
            if not group and job.turn.acquire(blocking=False):
                group.append(job)
            for each in group:
                each.error = each.error or error
            # Whatever state it is in, a new one is in a good one.
            self._disconnect()
        return group

    def _collect(self, job: _Job | None, group: list[_Job]) -> None:
        """Put into the group what waits now."""
        while True:
            if job is not None and job.turn.acquire(blocking=False):
                group.append(job)
            if len(group) == MAX_GROUP_WRITES or self._jobs.empty():
                return
            job = self._jobs.get()
            if job is None:
                # It comes last: what ends the thread is left for it.
                self._jobs.put(None)
                return

    def _commit(self, group: list[_Job]) -> None:
        """Run a group in one transaction, each write in its own savepoint; answer afterwards.

        One commit is one fsync, which is what a write costs; sharing it is what makes sixteen
        writers as fast as the disk allows. None is told of success before the commit.
        """
        if not self.file.is_there():
            raise file_replaced()
        connection = self._connect()
        deferred = Deferred()
        with connection.begin() as transaction:
            with Session(
                connection, join_transaction_mode="create_savepoint", **SESSION_OPTIONS
            ) as session:
                for job in group:
                    _attempt(session, connection, job, deferred)
            deferred.run(connection)
            # Committing a transaction that is no more would say nothing and store nothing.
            _check_open(connection, None)
            try:
                transaction.commit()
            except DBAPIError as error:
                code = getattr(error.orig, "sqlite_errorcode", 0)
                if code & 0xFF == sqlite3.SQLITE_IOERR:
                    raise _CommitUnknown from error
                raise

    def _connect(self) -> Connection:
        if self._connection is None:
            self._connection = self.engine.connect()
        return self._connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            with suppress(DBAPIError, sqlite3.Error):
                self._connection.close()
            self._connection = None

    def _translate(self, error: BaseException) -> BaseException:
        """What a write is told of an error: of the file's faults a problem, all else as it is."""
        if isinstance(error, _Undone):
            error = error.__cause__ or error
        if isinstance(error, Problem):
            return error
        cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
        problem = of_system(cause) if isinstance(cause, OSError) else of_sqlite(cause, self.path)
        if isinstance(error, _CommitUnknown):
            problem = commit_unknown()
        elif problem is None and not isinstance(error, Exception):
            problem = unreachable()
        if problem is None:
            return error
        problem.__cause__ = error
        return problem


def _check_open(connection: Connection, error: BaseException | None) -> None:
    if not sqlite_driver(connection).in_transaction:
        raise _Undone from error


def _attempt(session: Session, connection: Connection, job: _Job, earlier: Deferred) -> None:
    """Run a write in a savepoint; prepared statements are in it without the Session's own, which
    begins with the first statement that SQLAlchemy runs itself."""
    driver = sqlite_driver(connection)
    session.info.clear()
    deferred = session.info["deferred"] = Deferred(earlier)
    driver.execute("SAVEPOINT job")
    try:
        job.result = job.work(session)
        if session.in_transaction():
            session.commit()
        earlier.take_over(deferred)
    except BaseException as error:
        job.error = error
        _check_open(connection, error)
        if session.in_transaction():
            session.rollback()
        driver.execute("ROLLBACK TO job")
    driver.execute("RELEASE job")
    # The next write has no record of this one's before its eyes.
    session.expunge_all()
