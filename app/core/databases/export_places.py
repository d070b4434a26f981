"""Places of exports: one whose client reads it slowly gives way to whoever waits for a place.

Nothing says when such a client will be done, so that a few of them would keep all others from
exporting. Nobody is cut off who keeps pace, nor anybody while there is a place left: so that those
who keep pace do not hold them all, a caller takes another place only where more are free than it
holds. Of four places one caller has two at most, and the last goes to one who has none.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Hashable, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar

from app.core.databases.places import Place, Places
from app.core.databases.question_costs import Cost

#: By how much a client may be late before its export can be made to give way.
LATE_SECONDS = 2.0
#: Bytes a second that a client should take: more, the longer it has been waited for, so that none
#: holds its place for hours by reading a little faster than this.
MIN_PACE, MAX_PACE = 128 * 1024, 1024 * 1024
#: By how much that rises with each second.
PACE_RISE = 8 * 1024
#: How often those who hold places are looked at while somebody waits.
LOOK_SECONDS = 0.25


class Delivery:
    """An export on its way to its client, of which its sender tells when it waits for it."""

    __slots__ = ("_late", "_since", "_size", "_waited", "end")

    def __init__(self, end: Callable[[], None]) -> None:
        #: Ends the answer as it is, so that its client sees that it is not whole.
        self.end = end
        #: How late the client was with what it has taken, and for how long it was waited in all.
        self._late = self._waited = 0.0
        #: How many bytes it is to take now, and since when; None while there is nothing to take.
        self._size = 0
        self._since: float | None = None

    @contextmanager
    def waiting(self, size: int) -> Iterator[None]:
        """While it lasts the client is to take so many bytes."""
        self._size, self._since = size, time.monotonic()
        try:
            yield
        finally:
            self._late, self._waited = self.late(), self._waited + time.monotonic() - self._since
            self._since = None

    def late(self) -> float:
        """By how many seconds the client is behind its pace. What it takes faster makes up for
        what was late, and for nothing to come: it may not rest on it."""
        if self._since is None:
            return self._late
        pace = min(MIN_PACE + PACE_RISE * self._waited, MAX_PACE)
        waited = time.monotonic() - self._since
        return max(0.0, self._late + waited - self._size / pace)


#: What the export that is begun is delivered by; None where no client can keep it waiting.
delivery: ContextVar[Delivery | None] = ContextVar("delivery", default=None)


class ExportPlaces(Places):
    """Places whose holders give way, while others wait that hold fewer, if they read slowly."""

    def __init__(self, total: int, per_caller: int) -> None:
        super().__init__(total, per_caller)
        # What the service exports for itself nobody else can make it begin.
        self.max_own = total
        self._delivered: dict[Place, Delivery] = {}
        self._looking: asyncio.Handle | None = None

    def has_all(self, caller: str) -> bool:
        free = self.total - self.running.total()
        return super().has_all(caller) or self._holds_its_share(caller, free)

    def _holds_its_share(self, caller: str, free: int) -> bool:
        """Whether the caller may have none of so many free places, which are for others."""
        return bool(caller) and self.running[caller] >= free

    @asynccontextmanager
    async def taken(self, cost: Cost = Cost.LOW, question: Hashable = None) -> AsyncIterator[Place]:
        async with super().taken(cost, question) as place:
            by = delivery.get()
            if by is not None:
                self._delivered[place] = by
            try:
                yield place
            finally:
                self._delivered.pop(place, None)

    async def _wait(self, place: Place, cost: Cost) -> None:
        if self._looking is None:
            self._looking = asyncio.get_running_loop().call_soon(self._look)
        await super()._wait(place, cost)

    def _look(self) -> None:
        """End one that is late, again and again as long as anybody waits."""
        self._looking = None
        if not self.waiting:
            return
        place = self._to_end()
        if place is not None:
            self._delivered.pop(place).end()
        self._looking = asyncio.get_running_loop().call_later(LOOK_SECONDS, self._look)

    def _to_end(self) -> Place | None:
        """The one that gives way: of those who hold most, the one that is late by most."""
        if self.running.total() < self.total:
            return None
        fewest = min((self.running[caller] for caller in self._waiting_callers()), default=None)
        if fewest is None:
            return None
        late = [
            (self.running[place.caller], by.late(), place)
            for place, by in self._delivered.items()
            if by.late() > LATE_SECONDS and self.running[place.caller] > fewest
        ]
        return max(late, key=lambda each: each[:2])[2] if late else None

    def _waiting_callers(self) -> Iterator[str]:
        """Those whom a place that became free could be given to."""
        for queues in self._queues.values():
            for caller in queues:
                if not (super().has_all(caller) or self._holds_its_share(caller, 1)):
                    yield caller
