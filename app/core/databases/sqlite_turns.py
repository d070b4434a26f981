"""Turns of processes that write to one file: whoever waits comes before who has just had one.

SQLite itself lets a writer that finds the file locked sleep for longer and longer, so that one
process can keep another waiting for a second. The turns are only for fairness: SQLite's own lock
protects the file, also from programs that know nothing of them.
"""

import contextlib
import os
import time
from collections.abc import Iterator

from app.core.databases.shared_files import open_shared

try:
    import fcntl
except ImportError:  # Windows, where a writer waits as SQLite lets it.
    fcntl = None  # type: ignore[assignment]

#: How long a writer sleeps between two looks whether its turn has come.
LOOK_SECONDS = 0.001
#: The bytes of the file that are locked: who comes next, and who writes.
_NEXT, _WRITING = 0, 1


class Turns:
    """The turns at one file, as one process takes them."""

    def __init__(self, path: str, timeout_seconds: float) -> None:
        self.path, self.timeout_seconds = path, timeout_seconds
        self._handle: int | None = None

    def open(self) -> None:
        """Take part; where that is impossible, all turns are had at once."""
        if fcntl is None:
            return
        with contextlib.suppress(OSError):
            self._handle = open_shared("turns", os.path.realpath(self.path))

    def close(self) -> None:
        """Take part no longer."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    @contextlib.contextmanager
    def taken(self) -> Iterator[None]:
        """While it lasts it is this process's turn, unless waiting for it took too long."""
        if self._handle is None:
            yield
            return
        # Whoever has just written finds the one that waited at the first place.
        ends_at = time.monotonic() + self.timeout_seconds
        is_next = self._lock(self._handle, _NEXT, ends_at)
        is_writing = self._lock(self._handle, _WRITING, ends_at)
        if is_next:
            self._unlock(self._handle, _NEXT)
        try:
            yield
        finally:
            if is_writing:
                self._unlock(self._handle, _WRITING)

    def _lock(self, handle: int, place: int, ends_at: float) -> bool:
        while True:
            try:
                fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
            except (BlockingIOError, PermissionError):
                if time.monotonic() > ends_at:
                    return False
                time.sleep(LOOK_SECONDS)
            except OSError:  # A file system that knows no locks.
                return False
            else:
                return True

    def _unlock(self, handle: int, place: int) -> None:
        with contextlib.suppress(OSError):
            fcntl.lockf(handle, fcntl.LOCK_UN, 1, place)
