"""A read replica of PostgreSQL: when it is used, and who must not be sent there."""

import asyncio
import mmap
import os
import struct
import time
from collections import deque
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass
from zlib import crc32

import asyncpg

from app.core.databases.postgresql_errors import GONE
from app.core.databases.postgresql_read_pool import ReadPool
from app.core.databases.shared_files import open_shared
from app.core.loose_types import Values

#: How many seconds pass between two looks at the replica, and how many a look may take.
POLL_SECONDS, POLL_TIMEOUT_SECONDS = 0.5, 2.0
#: A position past all there are: of a write whose own position could not be asked for.
UNKNOWN_LSN = 2**62

#: Where the primary's log has come to, in bytes.
WAL_LSN = "SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint"
_REPLICA = "SELECT pg_is_in_recovery(), (pg_last_wal_replay_lsn() - '0/0')::bigint"


@dataclass(slots=True)
class ReadRouting:
    """Where the reads of one request go: once to the primary, they never go back.

    What is read later may be newer than what was read before, and never older: an ETag of the
    primary's position with the content of a replica behind it would hide changes from a client.
    """

    scope: Values
    #: None until the first read that is made for a caller.
    primary: bool | None = None

    @property
    def caller(self) -> str | None:
        """The name of who makes the request; None while that is being found out."""
        caller = self.scope.get("caller")
        return None if caller is None else str(caller.name)


#: The routing of the request under way; without one reads go to the primary.
read_routing: ContextVar[ReadRouting | None] = ContextVar("read_routing", default=None)


class LastWrites:
    """Who wrote last and how far the write-ahead log was then, for all processes of this machine.

    A file in memory with a slot for each caller; two callers in one slot only read from the
    primary more often than they have to. `seconds` is how long a write is remembered: when a
    replica that is less behind is used, older writes are there.
    """

    _SLOT = struct.Struct("@dq")
    _SLOTS = 4096

    def __init__(self, name: str, seconds: float) -> None:
        self.seconds = seconds
        size = self._SLOT.size * self._SLOTS
        try:
            self._slots = _shared_memory(name, size)
        except OSError:
            # A folder that may not be written to: then each process remembers its own callers.
            self._slots = mmap.mmap(-1, size)

    def wrote(self, caller: str, position: int) -> None:
        """Remember that the caller's write was committed before this position of the log."""
        place, now = self._place(caller), time.time()
        at, before = self._SLOT.unpack_from(self._slots, place)
        if abs(now - at) < self.seconds:
            # Another request of theirs may have come further.
            position = max(position, before)
        self._SLOT.pack_into(self._slots, place, now, position)

    def must_read_primary(self, caller: str, replayed: int) -> bool:
        """Whether a replica that has replayed so much of the log may lack the caller's write."""
        at, position = self._SLOT.unpack_from(self._slots, self._place(caller))
        return bool(position > replayed and abs(time.time() - at) < self.seconds)

    def _place(self, caller: str) -> int:
        return crc32(caller.encode()) % self._SLOTS * self._SLOT.size


def _shared_memory(name: str, size: int) -> mmap.mmap:
    """A file that every process of this user maps by its name."""
    handle = open_shared("writers", name)
    try:
        os.truncate(handle, size)
        return mmap.mmap(handle, size)
    finally:
        os.close(handle)


class _Probe:
    """A connection of its own to a server, so that a busy pool does not look like a lost one."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        self.connection: asyncpg.Connection | None = None

    async def ask(self, question: str) -> asyncpg.Record | None:
        """The row that answers; None when the server does not, or not in time."""
        try:
            async with asyncio.timeout(POLL_TIMEOUT_SECONDS):
                if self.connection is None or self.connection.is_closed():
                    self.connection = await asyncpg.connect(self.dsn, timeout=POLL_TIMEOUT_SECONDS)
                return await self.connection.fetchrow(question)
        except (*GONE, asyncpg.PostgresError):
            self.close()
            return None

    def close(self) -> None:
        """Drop the connection, if there is one."""
        if self.connection is not None:
            self.connection.terminate()
            self.connection = None


class Replica:
    """A replica that is used while it can be reached and is at most `max_lag` seconds behind."""

    def __init__(self, url: str, primary: ReadPool, max_lag: float) -> None:
        self.pool = ReadPool(url, primary.seconds, self._check)
        self.max_lag = max_lag
        self.usable = False
        #: How many seconds it is behind; None while it is not known.
        self.lag: float | None = None
        #: How far it has replayed the primary's log, in bytes.
        self.replayed = 0
        # A write is seen once a replica with less lag is used; looks are some seconds apart.
        self.writers = LastWrites(
            primary.place, max_lag + 4 * (POLL_SECONDS + POLL_TIMEOUT_SECONDS)
        )
        self._probes = _Probe(primary.dsn), _Probe(self.pool.dsn)
        #: When the primary was where, from the oldest position that is not replayed on. The first
        #: one was there for an unknown time.
        self._positions: deque[tuple[float, int]] = deque()
        self._known = -1

    async def open(self) -> None:
        """Begin to look at the replica, which need not be there."""
        await self.pool.open()
        await self._poll()
        self._poller = asyncio.create_task(self._poll_forever())

    async def close(self) -> None:
        """Look no more and close all connections."""
        self._poller.cancel()
        with suppress(asyncio.CancelledError):
            await self._poller
        for probe in self._probes:
            probe.close()
        await self.pool.close()

    def may_be_read(self, at: ReadRouting | None) -> bool:
        """Whether a request may read here: nobody before their own last write is there.

        Who calls is looked up at the primary, where keys are revoked.
        """
        if at is None or at.primary:
            return False
        caller = at.caller
        if caller is None:
            return False
        at.primary = not self.usable
        if not at.primary:
            at.primary = self.writers.must_read_primary(caller, self.replayed)
        return not at.primary

    def mark_down(self) -> None:
        """Read from the primary until the replica is found to be there again."""
        self.usable, self.lag = False, None

    async def _check(self, connection: asyncpg.Connection) -> None:
        """Refuse a server that was started again and has not come as far as it was before."""
        found = await connection.fetchrow(_REPLICA)
        if found is None or not found[0] or (found[1] or 0) < self.replayed:
            raise ConnectionError("the replica is behind what it was")

    async def _poll_forever(self) -> None:
        while True:
            await asyncio.sleep(POLL_SECONDS)
            await self._poll()

    async def _poll(self) -> None:
        at = time.monotonic()
        of_primary, of_replica = await asyncio.gather(
            self._probes[0].ask(WAL_LSN), self._probes[1].ask(_REPLICA)
        )
        if of_primary is not None and of_primary[0] > self._known:
            self._positions.append((at if self._known >= 0 else 0.0, of_primary[0]))
            self._known = of_primary[0]
        # One that was promoted has a history of its own from then on.
        if of_replica is None or not of_replica[0] or of_replica[1] is None or self._known < 0:
            self.mark_down()
            return
        self.replayed = of_replica[1]
        while self._positions and self._positions[0][1] <= self.replayed:
            self._positions.popleft()
        self.lag = at - self._positions[0][0] if self._positions else 0.0
        self.usable = self.lag <= self.max_lag
