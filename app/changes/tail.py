"""Watching the log of changes: once a process, however many listen, and only while any does."""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from app.changes.entries import Entry, find_for_all
from app.core.databases.interface import Database, task_outside_request
from app.core.errors import Unavailable
from app.engine.history.positions import Position, position_statement, read_stored

#: How often writes of other processes are looked for, in seconds; our own wake us.
POLL_SECONDS = 0.5
#: How long changes are left to gather after some were read, in seconds.
GATHER_SECONDS = 0.01
#: How many changes are read at a time.
BATCH_CHANGES = 500
#: How much of the newest is kept for listeners, in changes and in bytes.
MAX_KEPT_CHANGES, MAX_KEPT_BYTES = 1000, 1024 * 1024

log = logging.getLogger("trade_missions")


class ChangeLogTail:
    """The newest changes, in order and without a gap, for all listeners of this process.

    A listener brings an event, which is set whenever `position` has moved, and asks `after` for
    what is new to it. All share what is kept, so that memory does not grow with their number; one
    that falls behind it reads from the log by itself.
    """

    def __init__(self, database: Database, pace: float = POLL_SECONDS) -> None:
        self.database, self.pace = database, pace
        #: The number of the newest change that is known here; of use only while somebody listens.
        self.position = 0
        #: The epoch of the database, and how often it has become an older one, or another.
        self.epoch = ""
        self.restores = 0
        self._recent: deque[Entry] = deque()
        self._bytes = 0
        self._woken = asyncio.Event()
        self._listeners: set[asyncio.Event] = set()
        self._starting = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """Tell that this process has just written; it costs next to nothing."""
        self._woken.set()

    @asynccontextmanager
    async def listening(self, moved: asyncio.Event) -> AsyncIterator[None]:
        """Within, `position` is right and the event is set when it moves."""
        self._listeners.add(moved)
        try:
            async with self._starting:
                if self._task is None:
                    self._begin_at(await task_outside_request(self._read_position()))
                    self._task = task_outside_request(self._follow())
            yield
        finally:
            self._listeners.discard(moved)
            if not self._listeners:
                self._end()

    def after(self, position: int, limit: int) -> list[Entry] | None:
        """The changes that follow, at most `limit`; None when they are no longer kept."""
        missing = self.position - position
        if missing <= 0:
            return []
        if missing > len(self._recent):
            return None
        # Numbers have no gaps, so the place of a change is known without searching.
        last = max(missing - limit, 0)
        return [self._recent[-at] for at in range(missing, last, -1)]

    def _begin_at(self, newest: Position) -> None:
        """Follow the log of this epoch from here on."""
        if self.epoch != newest.epoch or newest.seq < self.position:
            self.restores += 1
        self.position, self.epoch = newest.seq, newest.epoch or ""
        self._forget()

    def _end(self) -> None:
        if self._task is not None:
            self._task.cancel()
        self._task = None
        self._forget()

    def _forget(self) -> None:
        self._recent.clear()
        self._bytes = 0

    async def _follow(self) -> None:
        while True:
            self._woken.clear()
            try:
                while await self._read_on():  # noqa: ASYNC110 (it is work, not waiting)
                    await asyncio.sleep(GATHER_SECONDS)
            except Unavailable:
                pass  # While the database is away, listeners wait for it as we do.
            except Exception:
                # Nobody begins anew what follows the log, and listeners would wait for ever.
                log.exception("the log of changes could not be read: it is tried again")
                self._tell()
                await asyncio.sleep(self.pace)
            with suppress(TimeoutError):
                async with asyncio.timeout(self.pace):
                    await self._woken.wait()

    async def _read_on(self) -> bool:
        """Take in changes that are new; False when there are none."""
        newest = await self._read_position()
        if newest.epoch != self.epoch or newest.seq < self.position:
            # The database was restored: what we know of is not in it.
            self._begin_at(newest)
            self._tell()
            return False
        missing = newest.seq - self.position
        if not missing:
            return False
        few = missing <= 20
        for entry in await find_for_all(self.database, self.position, BATCH_CHANGES, few):
            if entry.epoch != self.epoch:
                break
            if _hides(entry):
                # What is kept of earlier changes may tell of what is withheld now.
                self._forget()
            self._keep(entry)
        self._tell()
        return True

    def _tell(self) -> None:
        for moved in self._listeners:
            moved.set()

    def _keep(self, entry: Entry) -> None:
        self._recent.append(entry)
        self.position = entry.seq
        self._bytes += _size(entry)
        while len(self._recent) > MAX_KEPT_CHANGES or (
            self._bytes > MAX_KEPT_BYTES and len(self._recent) > 1
        ):
            self._bytes -= _size(self._recent.popleft())

    async def _read_position(self) -> Position:
        statement = position_statement(self.database.dialect)
        ((position,),) = await self.database.read(statement, {}, point_lookup=True)
        return read_stored(position)


def _hides(entry: Entry) -> bool:
    """Whether the change may be one by which something is withheld."""
    return entry.says_nothing or entry.public is None or entry.public.body != entry.body


def _size(entry: Entry) -> int:
    return len(entry.body) + (len(entry.public.body) if entry.public is not None else 0)
