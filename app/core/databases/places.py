"""Places for reads that take their time: few for all, fewer for each caller and for what is costly.

A stranger who asks many slow questions waits for their own, and others find a place; and however
many ask what is costly, some places are kept for the rest.
"""

import asyncio
import time
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import TypeVar

from app.core.databases.db_errors import overloaded
from app.core.databases.question_costs import QUICK_SECONDS, Cost, QuestionCosts
from app.core.errors import TooManyRequests

T = TypeVar("T")

#: Who asks, as they are counted: the name of a key, or an address; empty for the service itself.
reader: ContextVar[str] = ContextVar("reader", default="")

#: For how many seconds a read waits for its place before it is told to come again.
PLACE_TIMEOUT_SECONDS = 10.0
#: How many times longer what was quick lately may take before it is taken for costly.
LOW_COST_TIMES = 4
#: How many reads of one caller may wait.
MAX_WAITING = 200


class Place:
    """A place that a caller has, or waits for."""

    __slots__ = ("caller", "cost", "give_up", "given", "question")

    def __init__(self, caller: str, cost: Cost, question: Hashable) -> None:
        self.caller, self.cost, self.question = caller, cost, question
        #: Done once a place that is waited for is had.
        self.given: asyncio.Future[None] | None = None
        #: Ends what is asked there, to be asked anew later on; None where that cannot be.
        self.give_up: Callable[[], None] | None = None


#: By caller, the longest without a turn first.
_Queue = OrderedDict[str, deque[Place]]


class Places:
    """So many reads at a time, of each caller fewer; those who wait have their turn in rounds.

    No more than `costly` of them may be costly ones, and these always find one place that the
    others leave them. What was quick lately has its turn first, then what is not known, of which
    few are asked at a time: they share the processors with what is quick. A caller has several
    costly ones under way only as long as no other waits for a place of theirs.
    """

    def __init__(self, total: int, per_caller: int, costly: int | None = None) -> None:
        self.total, self.per_caller = total, per_caller
        #: What the service asks for itself leaves one for those who ask it.
        self.max_own = max(1, total - 1)
        self.max_costly = total if costly is None else costly
        self.max_unknown = total if costly is None else max(1, total - costly - 2)
        self.max_quick = total if costly is None else total - 1
        self.running: Counter[str] = Counter()
        #: How many of those who run are of each cost.
        self.running_of = dict.fromkeys(Cost, 0)
        self.costs = QuestionCosts()
        #: The costly ones that run, the oldest first.
        self._costly: list[Place] = []
        self._queues: dict[Cost, _Queue] = {cost: OrderedDict() for cost in Cost}
        self.waiting = 0

    async def answer(self, question: Hashable, ask: Callable[[], Awaitable[T]]) -> T:
        """The answer that `ask` gives, at a place of the caller.

        What turns out to be costly goes on where a place for that is free; else it is given up, and
        asked anew once there is one. So is one of several of a caller, where others wait.
        """
        if not reader.get():
            async with self.taken():
                return await ask()
        cost = self.costs.cost_of(question)
        while True:
            try:
                async with self.taken(cost, question) as place:
                    return await self._ask(place, ask)
            except _GivenUpError:
                cost = Cost.HIGH

    async def _ask(self, place: Place, ask: Callable[[], Awaitable[T]]) -> T:
        began = time.monotonic()
        answer = await self._try(place, ask)
        is_costly = place.cost is Cost.HIGH and time.monotonic() - began > QUICK_SECONDS
        self.costs.note(place.question, is_costly=is_costly)
        return answer

    async def _try(self, place: Place, ask: Callable[[], Awaitable[T]]) -> T:
        """The answer; _GivenUpError where it takes long and there is no place for that."""
        loop = asyncio.get_running_loop()
        limit = asyncio.timeout(None)

        def give_up() -> None:
            place.give_up = None
            limit.reschedule(loop.time())

        def look() -> None:
            self._note_costly(place.question)
            if place.cost is not Cost.HIGH and not self._has_become_costly(place):
                give_up()

        place.give_up = give_up
        # What was quick lately is late for others' sake, rather than its own.
        times = LOW_COST_TIMES if place.cost is Cost.LOW else 1
        clock = loop.call_later(QUICK_SECONDS * times, look)
        try:
            async with limit:
                return await ask()
        except TimeoutError:
            if not limit.expired():
                raise
            raise _GivenUpError from None
        finally:
            place.give_up = None
            clock.cancel()

    def _note_costly(self, question: Hashable) -> None:
        """Let those who wait to ask the same wait among the costly ones."""
        self.costs.note(question, is_costly=True)
        for cost in (Cost.LOW, Cost.UNKNOWN):
            for caller, queue in list(self._queues[cost].items()):
                alike = [place for place in queue if place.question == question]
                for place in alike:
                    queue.remove(place)
                    place.cost = Cost.HIGH
                    self._queues[Cost.HIGH].setdefault(caller, deque()).append(place)
                if not queue:
                    del self._queues[cost][caller]
                if alike:
                    self._make_room(caller)

    def _has_become_costly(self, place: Place) -> bool:
        """Whether the place may be kept for what takes long."""
        if self.running_of[Cost.HIGH] >= self.max_costly:
            return False
        self.running_of[place.cost] -= 1
        place.cost = Cost.HIGH
        self.running_of[Cost.HIGH] += 1
        self._costly.append(place)
        self._give_out()
        return True

    def _make_room(self, caller: str) -> None:
        """Give up the last of the costly ones of whoever has most of them, and more than this
        caller: who asks much waits for those who ask little."""
        held = Counter(place.caller for place in self._costly)
        most = max(held.values(), default=0)
        if self.running_of[Cost.HIGH] < self.max_costly or most < held[caller] + 2:
            return
        for place in reversed(self._costly):
            if held[place.caller] == most and place.give_up is not None:
                place.give_up()
                return

    @asynccontextmanager
    async def taken(self, cost: Cost = Cost.LOW, question: Hashable = None) -> AsyncIterator[Place]:
        """While it lasts the caller has a place; Unavailable when none is free in time, and
        TooManyRequests (429) where that is the caller's own doing."""
        place = Place(reader.get(), cost, question)
        if self._may_run(place.caller, cost):
            self._run(place)
        else:
            await self._wait(place, cost)
        try:
            yield place
        finally:
            self._leave(place)

    def _may_run(self, caller: str, cost: Cost) -> bool:
        running = self.running.total()
        if running >= self.total:
            return False
        if self.has_all(caller):
            return False
        if not caller:
            return True
        if cost is Cost.HIGH:
            return self.running_of[Cost.HIGH] < self.max_costly
        if cost is Cost.UNKNOWN and self.running_of[Cost.UNKNOWN] >= self.max_unknown:
            return False
        return running - self.running_of[Cost.HIGH] < self.max_quick

    def has_all(self, caller: str) -> bool:
        """Whether the caller has as many places as it may."""
        return self.running[caller] >= (self.per_caller if caller else self.max_own)

    def _run(self, place: Place) -> None:
        self.running[place.caller] += 1
        self.running_of[place.cost] += 1
        if place.cost is Cost.HIGH:
            self._costly.append(place)

    async def _wait(self, place: Place, cost: Cost) -> None:
        caller = place.caller
        queue = self._queues[cost].setdefault(caller, deque())
        if caller and len(queue) >= MAX_WAITING:
            raise _too_many(self.per_caller)
        place.given = asyncio.get_running_loop().create_future()
        queue.append(place)
        if cost is Cost.HIGH:
            self._make_room(caller)
        self.waiting += 1
        try:
            async with asyncio.timeout(PLACE_TIMEOUT_SECONDS):
                await place.given
        except BaseException as error:
            if place.given.done() and not place.given.cancelled():
                self._leave(place)
            if not isinstance(error, TimeoutError):
                raise
            most = self._most_of(place.cost)
            own = caller and self.running[caller] >= most
            raise (_too_many(most) if own else overloaded()) from None
        finally:
            self.waiting -= 1
            self._forget(place)

    def _most_of(self, cost: Cost) -> int:
        """How many of this cost one caller can have under way."""
        return min(self.per_caller, self.max_costly) if cost is Cost.HIGH else self.per_caller

    def _forget(self, place: Place) -> None:
        """Take the place out of the queue that it waits in, if it still does."""
        for queues in self._queues.values():
            queue = queues.get(place.caller)
            if queue is None:
                continue
            if place in queue:
                queue.remove(place)
            if not queue:
                del queues[place.caller]

    def _leave(self, place: Place) -> None:
        self.running[place.caller] -= 1
        self.running_of[place.cost] -= 1
        if place.cost is Cost.HIGH:
            self._costly.remove(place)
        if not self.running[place.caller]:
            del self.running[place.caller]
        self._give_out()

    def _give_out(self) -> None:
        """Give the places that are free to those who wait, first to who has fewest."""
        for cost, queues in self._queues.items():
            given = True
            while given and self.running.total() < self.total:
                given = any(
                    self._may_run(caller, cost) and self._give(caller, queues)
                    for caller in sorted(queues, key=self.running.__getitem__)
                )

    def _give(self, caller: str, queues: _Queue) -> bool:
        """Give a place to the first read of the caller that still waits; whether there was one."""
        queue = queues[caller]
        while queue:
            place = queue.popleft()
            if place.given is not None and not place.given.done():
                self._run(place)
                queues.move_to_end(caller)
                place.given.set_result(None)
                return True
        return False


class _GivenUpError(Exception):
    """A question that takes long, and for which there is no place now."""


def _too_many(at_a_time: int) -> TooManyRequests:
    return TooManyRequests(
        f"Too many of your questions take long at the moment: {at_a_time} of them are worked on at"
        " a time. Wait for those under way, or ask for less: a filter, no count, a cursor in place"
        " of an offset.",
        headers={"Retry-After": "2"},
    )
