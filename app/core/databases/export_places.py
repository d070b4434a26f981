"""Places of exports: one whose client does not read it gives way to whoever waits for a place.

Nothing says when a client that reads slowly will be done, so that a few of them would keep all
others from exporting. Nobody is cut off who reads, nor anybody while there is a place left.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Hashable, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar

from app.core.databases.places import Place, Places
from app.core.databases.question_costs import Cost

#: How long a client may take for what it was sent last before its export can be made to give way.
STANDSTILL_SECONDS = 2.0
#: How often those who hold places are looked at while somebody waits.
LOOK_SECONDS = 0.25


class Delivery:
    """An export on its way to its client, of which its sender tells when it stands still."""

    __slots__ = ("end", "stands_since")

    def __init__(self, end: Callable[[], None]) -> None:
        #: Ends the answer as it is, so that its client sees that it is not whole.
        self.end = end
        #: Since when the client is to take what was sent last; None while there is nothing to take.
        self.stands_since: float | None = None

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """While it lasts the client is to take what it was sent."""
        self.stands_since = time.monotonic()
        try:
            yield
        finally:
            self.stands_since = None


#: What the export that is begun is delivered by; None where no client can keep it waiting.
delivery: ContextVar[Delivery | None] = ContextVar("delivery", default=None)


class ExportPlaces(Places):
    """Places whose holders give way, while others wait that hold fewer, if they stand still."""

    def __init__(self, total: int, per_caller: int) -> None:
        super().__init__(total, per_caller)
        self._delivered: dict[Place, Delivery] = {}
        self._looking: asyncio.Handle | None = None

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
        """End one that stands still, again and again as long as anybody waits."""
        self._looking = None
        if not self.waiting:
            return
        place = self._to_end()
        if place is not None:
            self._delivered.pop(place).end()
        self._looking = asyncio.get_running_loop().call_later(LOOK_SECONDS, self._look)

    def _to_end(self) -> Place | None:
        """The one that gives way: of those who hold most, what stands still for longest."""
        if self.running.total() < self.total:
            return None
        latest = time.monotonic() - STANDSTILL_SECONDS
        fewest = min((self.running[caller] for caller in self._waiting_callers()), default=None)
        if fewest is None:
            return None
        still = [
            (-self.running[place.caller], by.stands_since, place)
            for place, by in self._delivered.items()
            if by.stands_since is not None
            and by.stands_since < latest
            and self.running[place.caller] > fewest
        ]
        return min(still, key=lambda each: each[:2])[2] if still else None

    def _waiting_callers(self) -> Iterator[str]:
        """Those whom a place that became free could be given to."""
        for queues in self._queues.values():
            for caller in queues:
                if not self.has_all(caller):
                    yield caller
