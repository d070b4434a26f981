"""How much of Python a request takes: calls, memory, and what is left of it afterwards.

Counted, and so the same on any machine: what makes a hot request a fifth dearer is seen here before
a clock would tell it from noise. Who makes one cheaper lowers its bound.
"""

import gc
import sys
import tracemalloc
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from itertools import pairwise
from types import FrameType
from urllib.parse import quote

import httpx
from fastapi import FastAPI
from starlette.types import Message

from app.core.databases.interface import Database
from app.core.databases.sqlite import SqliteDatabase
from tests.costs.requests import READS, WRITES, write
from tests.costs.statements import Statements
from tests.keys import BEARER

#: How much more than what was counted is let pass: other versions of what it is counted in.
MARGIN = 1.2
#: The functions of Python that were called, on SQLite and on PostgreSQL, whose driver is Python's.
#: Some sixty of a read find it a place among others'; where it was quick often, it takes none.
CALLS = {
    "a record": (110, 333),
    "a record with what it refers to": (274, 912),
    "a list": (308, 502),
    "a list that is filtered and sorted": (348, 539),
    "a list with what it refers to": (332, 524),
    "a list that is counted": (473, 856),
    "a search": (424, 604),
    "a search of all kinds": (1312, 2839),
    "figures": (365, 555),
    "what changed": (270, 680),
    "a record's history": (233, 644),
    "a mission's summary": (206, 622),
    "POST": (1270, 2025),
    "POST with references": (2176, 2996),
    "PATCH": (1437, 2615),
    "PUT": (1467, 2653),
    "DELETE": (1204, 2326),
    "restore": (1240, 2354),
    "bulk": (20824, 22531),
    "import": (28592, 30287),
}
#: The memory that was in use at once, in bytes; what a statement brings is there twice for a while,
#: and so is its own text, which these tests note: figures are most of all that.
MEMORY = {
    "a record": 7_400,
    "a record with what it refers to": 36_100,
    "a list": 90_000,
    "a list that is filtered and sorted": 72_000,
    "a list with what it refers to": 121_000,
    "a search": 40_000,
    "figures": 25_000,
    "what changed": 82_000,
    "a record's history": 12_700,
    "a mission's summary": 56_000,
}
#: What asyncio takes for what may come from PostgreSQL (256 KiB), and its driver for itself.
DRIVER_BYTES = {"sqlite": 0, "postgresql": 264 * 1024}
HOT = ("a record", "a list", "a search", "figures")
ROUNDS = 80


async def test_a_request_calls_few_functions(
    costs_app: FastAPI, client: httpx.AsyncClient, database_kind: str
) -> None:
    person = await write(client, "POST", "")
    counts: defaultdict[str, list[int]] = defaultdict(list)
    # The first round finds out what is remembered; in another the service may ask something of its
    # own, which counts for less beside a write.
    for _ in range(3):
        for what in READS:
            ask = asking(costs_app, READS[what].format(person=person))
            counts[what].append(await calls_of(ask))
    for _ in range(2):
        for what in WRITES:
            ask = partial(write, client, what, person)
            counts[what].append(await calls_of_write(costs_app.state.database, ask))
    at = ("sqlite", "postgresql").index(database_kind)
    least = {what: min(found) for what, found in counts.items()}
    wrong = {
        what: f"{count}, and at most {bounds[at]} times {MARGIN}"
        for what, bounds in CALLS.items()
        if (count := least[what]) > bounds[at] * MARGIN
    }
    assert wrong == {}


async def test_a_request_takes_little_memory(
    costs_app: FastAPI, client: httpx.AsyncClient, database_kind: str
) -> None:
    person = await write(client, "POST", "")
    asks = {what: asking(costs_app, READS[what].format(person=person)) for what in MEMORY}
    wrong = {}
    for what, ask in asks.items():
        await ask()
        with traced():
            peak = min([await peak_of(ask) for _ in range(2)])
        if peak > MEMORY[what] * 1.5 + DRIVER_BYTES[database_kind]:
            wrong[what] = peak
    assert wrong == {}


async def test_requests_leave_nothing_behind(
    costs_app: FastAPI, client: httpx.AsyncClient, noted: Statements
) -> None:
    person = await write(client, "POST", "")
    asks = [asking(costs_app, READS[what].format(person=person)) for what in HOT]
    objects = []
    for _ in range(5):
        for ask in asks * ROUNDS:
            await ask()
        noted.clear()
        gc.collect()
        objects.append(len(gc.get_objects()))
    # Something else may have been remembered in some; what each request leaves is in every round.
    left = min(after - before for before, after in pairwise(objects))
    assert left < ROUNDS


Ask = Callable[[], Awaitable[object]]


def asking(app: FastAPI, address: str) -> Ask:
    """Sends a GET without a client, whose own work would count."""
    path, _, query = address.partition("?")
    scope: dict[str, object] = {
        "type": "http",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": quote(query, safe="=&,.-()").encode(),
        "headers": [(b"host", b"test"), (b"authorization", BEARER["Authorization"].encode())],
        "http_version": "1.1",
        "scheme": "http",
        "server": ("test", 80),
        "client": ("127.0.0.1", 1),
        "root_path": "",
    }
    statuses: list[object] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        statuses.append(message.get("status", 200))

    async def ask() -> None:
        await app(dict(scope), receive, send)
        assert set(statuses) == {200}
        statuses.clear()

    return ask


class Counter:
    """Counts the functions of Python that are called, but for those of the tests' client."""

    calls = 0

    def __call__(self, frame: FrameType, event: str, argument: object) -> None:
        self.calls += event == "call" and "httpx" not in frame.f_code.co_filename


class TaskCounter(Counter):
    """Counts those of one request, and not of what else has its turn in the loop meanwhile.

    That is the service's own work after each change, and applications that other tests serve.
    """

    def __call__(self, frame: FrameType, event: str, argument: object) -> None:
        if counted.get() is self:
            super().__call__(frame, event, argument)


#: Whose calls are counted by which: tasks that a request begins have its context.
counted: ContextVar[TaskCounter | None] = ContextVar("counted", default=None)


async def calls_of(ask: Ask) -> int:
    """How many are called by the thread that answers."""
    count = TaskCounter()
    token = counted.set(count)
    # A collection would call what waits for the end of objects of others.
    gc.disable()
    sys.setprofile(count)
    try:
        await ask()
    finally:
        sys.setprofile(None)
        gc.enable()
        counted.reset(token)
    return count.calls


async def calls_of_write(database: Database, ask: Ask) -> int:
    """How many are called by that thread and by SQLite's writer, where that is another one."""
    if not isinstance(database, SqliteDatabase):
        return await calls_of(ask)
    count = Counter()
    await database.write(lambda session: sys.setprofile(count))
    try:
        calls = await calls_of(ask)
    finally:
        await database.write(lambda session: sys.setprofile(None))
    return calls + count.calls


@contextmanager
def traced() -> Iterator[None]:
    """Within, the memory that Python takes is counted."""
    tracemalloc.start()
    try:
        yield
    finally:
        tracemalloc.stop()


async def peak_of(ask: Ask) -> int:
    """How many bytes more are in use during the request than before it."""
    before, _ = tracemalloc.get_traced_memory()
    tracemalloc.reset_peak()
    await ask()
    return tracemalloc.get_traced_memory()[1] - before
