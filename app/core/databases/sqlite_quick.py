"""Reads of SQLite that are done in the loop, as handing them to a thread would take longer.

SQLite lets go of the interpreter at each row. A thread that reads has to wait for it again just as
often while the loop is busy, and the loop for the thread: a list of 50 took twice the time.
"""

import math
import sqlite3
import time
from collections.abc import Sequence

from app.core.databases.interface import Rows
from app.core.loose_types import Value

#: A statement is quick when it took no longer, of the processor's time, so many times in a row.
QUICK_SECONDS, QUICK_RUNS = 0.002, 8
#: How long a read may work here before it is given up, and done in a thread after all; and how long
#: it may take, for a disk or because others are given the processor.
MOST_WORK_SECONDS, MOST_SECONDS = 0.005, 0.05
#: How many statements are remembered.
MAX_STATEMENTS = 1000
#: After how many steps of its machine SQLite asks whether to go on: a fraction of a millisecond.
_STEPS = 10_000


class QuickReads:
    """The loop's own connection, and which statements have been quick."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self._ends_at = self._work_ends_at = math.inf
        #: How many times in a row each was quick.
        self._runs: dict[str, int] = {}
        connection.set_progress_handler(self._is_late, _STEPS)

    def _is_late(self) -> bool:
        return time.thread_time() > self._work_ends_at or time.perf_counter() > self._ends_at

    def is_quick(self, sql: str) -> bool:
        """Whether it is worth trying here."""
        return self._runs.get(sql, 0) >= QUICK_RUNS

    def note(self, sql: str, seconds: float) -> None:
        """Say how long it took in a thread, of the processor's time; called there."""
        # The index of words works for long without asking whether to go on.
        if seconds > QUICK_SECONDS or " MATCH " in sql:
            self._runs.pop(sql, None)
            return
        if len(self._runs) >= MAX_STATEMENTS and sql not in self._runs:
            self._runs.clear()
        self._runs[sql] = self._runs.get(sql, 0) + 1

    def rows(self, sql: str, arguments: Sequence[Value]) -> Rows | None:
        """What it reads; None where it takes too long, and is to be done in a thread."""
        self._ends_at = time.perf_counter() + MOST_SECONDS
        self._work_ends_at = time.thread_time() + MOST_WORK_SECONDS
        try:
            return self.connection.execute(sql, arguments).fetchall()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
                raise
            self._runs.pop(sql, None)
            return None
        finally:
            self._ends_at = self._work_ends_at = math.inf
