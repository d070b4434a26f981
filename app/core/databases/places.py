"""Places for reads that take their time: few for all, and fewer for each caller.

A stranger who asks many slow questions waits for their own, and others find a place.
"""

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar

from app.core.databases.db_errors import overloaded
from app.core.errors import TooManyRequests

#: Who asks, as they are counted: the name of a key, or an address; empty for the service itself.
reader: ContextVar[str] = ContextVar("reader", default="")

#: For how many seconds a read waits for its place before it is told to come again.
PLACE_TIMEOUT_SECONDS = 10.0
#: How many reads of one caller may wait.
MAX_WAITING = 200


class Places:
    """So many reads at a time, of each caller fewer; those who wait have their turn in rounds."""

    def __init__(self, total: int, per_caller: int) -> None:
        self.total, self.per_caller = total, per_caller
        self.running: Counter[str] = Counter()
        #: By caller, the longest without a turn first.
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()
        self.waiting = 0

    @asynccontextmanager
    async def taken(self) -> AsyncIterator[None]:
        """While it lasts the caller has a place; Unavailable when none is free in time, and
        TooManyRequests (429) where that is the caller's own doing."""
        caller = reader.get()
        if not self._may_run(caller):
            await self._wait(caller)
        else:
            self.running[caller] += 1
        try:
            yield
        finally:
            self._leave(caller)

    def _may_run(self, caller: str) -> bool:
        free = self.total - self.running.total()
        return free > 0 and (not caller or self.running[caller] < self.per_caller)

    async def _wait(self, caller: str) -> None:
        queue = self._waiting.setdefault(caller, deque())
        if caller and len(queue) >= MAX_WAITING:
            raise _too_many(self.per_caller)
        place = asyncio.get_running_loop().create_future()
        queue.append(place)
        self.waiting += 1
        try:
            async with asyncio.timeout(PLACE_TIMEOUT_SECONDS):
                await place
        except BaseException as error:
            if place.done() and not place.cancelled():
                self._leave(caller)
            elif place in queue:
                queue.remove(place)
            if not isinstance(error, TimeoutError):
                raise
            own = caller and self.running[caller] >= self.per_caller
            raise (_too_many(self.per_caller) if own else overloaded()) from None
        finally:
            self.waiting -= 1
            if not queue:
                self._waiting.pop(caller, None)

    def _leave(self, caller: str) -> None:
        self.running[caller] -= 1
        if not self.running[caller]:
            del self.running[caller]
        for waiting in list(self._waiting):
            if self._may_run(waiting) and self._give(waiting):
                return

    def _give(self, caller: str) -> bool:
        """Give a place to the first read of the caller that still waits; whether there was one."""
        queue = self._waiting[caller]
        while queue:
            place = queue.popleft()
            if not place.done():
                self.running[caller] += 1
                self._waiting.move_to_end(caller)
                place.set_result(None)
                return True
        return False


def _too_many(at_a_time: int) -> TooManyRequests:
    return TooManyRequests(
        f"Too many of your questions take long at the moment: {at_a_time} of them are worked on at"
        " a time. Wait for those under way, or ask for less: a filter, no count, a cursor in place"
        " of an offset.",
        headers={"Retry-After": "2"},
    )
