"""A read of SQLite in a thread, with the time limit that SQLite itself does not have."""

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import suppress
from typing import Any, Generic, TypeVar

from app.core.databases.db_errors import overloaded, query_timeout, unreachable

T = TypeVar("T")

#: For how many seconds a read waits for its turn before it is told to come again.
TURN_TIMEOUT_SECONDS = 10.0
#: How many seconds pass before one that was interrupted and goes on is interrupted again: between
#: two steps of SQLite's there is nothing to interrupt.
_AGAIN = 0.05


class Reading(Generic[T]):
    """One call into SQLite that the loop can end after so many seconds.

    SQLite's own means, a progress handler, calls back into Python every so many steps and waits
    there for the loop's thread; to interrupt costs nothing as long as nothing is interrupted.
    """

    def __init__(self, work: Callable[[sqlite3.Connection], T], seconds: float) -> None:
        self._work, self._seconds = work, seconds
        self._loop = asyncio.get_running_loop()
        self._future: asyncio.Future[T] = self._loop.create_future()
        self._lock = threading.Lock()
        #: What it runs on now.
        self._connection: sqlite3.Connection | None = None
        self._began = 0.0
        self._is_over = False
        self._to_close: sqlite3.Connection | None = None
        self._clock = self._loop.call_later(min(TURN_TIMEOUT_SECONDS, seconds), self._look)

    def submit(self, threads: Executor, connect: Callable[[], sqlite3.Connection]) -> None:
        """Have the work done in one of the threads; Unavailable once these have ended."""
        try:
            threads.submit(self.run, connect)
        except RuntimeError as error:
            # It would fail the read later on, when nobody waits for that any more.
            self._clock.cancel()
            raise unreachable(error) from error

    def run(self, connect: Callable[[], sqlite3.Connection]) -> None:
        """In the thread: do the work, unless it was given up before its turn came."""
        try:
            if self._begin(connect()):
                result = self._work_on()
                self._tell(self._succeed, result)
        except Exception as error:
            self._tell(self._fail, error)

    def _begin(self, connection: sqlite3.Connection) -> bool:
        with self._lock:
            if self._is_over:
                return False
            self._connection, self._began = connection, time.monotonic()
            return True

    def _work_on(self) -> T:
        connection = self._connection
        assert connection is not None
        try:
            return self._work(connection)
        finally:
            with self._lock:
                self._connection = None
                if self._to_close is not None:
                    self._to_close.close()

    def _tell(self, how: Callable[[Any], None], what: object) -> None:
        with suppress(RuntimeError):  # The loop of a server that was ended by force is closed.
            self._loop.call_soon_threadsafe(how, what)

    def _succeed(self, result: T) -> None:
        if not self._future.done():
            self._future.set_result(result)

    def _fail(self, error: Exception) -> None:
        if not self._future.done():
            is_late = self._is_over and isinstance(error, sqlite3.OperationalError)
            self._future.set_exception(query_timeout(self._seconds) if is_late else error)

    def _look(self) -> None:
        """Give up what has not begun, interrupt what takes too long, or look again later."""
        with self._lock:
            began = self._began
            if not began:
                self._is_over = True
        if not began:
            self._fail(overloaded())
            return
        left = began + self._seconds - time.monotonic()
        if left <= 0:
            self.interrupt()
        self._clock = self._loop.call_later(max(left, _AGAIN), self._look)

    def interrupt(self) -> None:
        """End the work if it is under way, and do not begin it if it is not."""
        with self._lock:
            self._is_over = True
            if self._connection is not None:
                self._connection.interrupt()

    def close(self, connection: sqlite3.Connection) -> None:
        """Close the connection, once the work on it has ended."""
        self.interrupt()
        with self._lock:
            if self._connection is not None:
                self._to_close = connection
                return
        connection.close()

    async def outcome(self) -> T:
        """What the work returned; Unavailable when it took too long or its turn did not come.

        When nobody waits for it any more the work is ended too.
        """
        try:
            return await self._future
        finally:
            self._clock.cancel()
            if not self._future.done() or self._future.cancelled():
                self._end()

    def _end(self) -> None:
        """Interrupt the work until it has ended: before SQLite's first step that does nothing."""
        self.interrupt()
        with self._lock:
            goes_on = self._connection is not None
        if goes_on:
            self._clock = self._loop.call_later(_AGAIN, self._end)
