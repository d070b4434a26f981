"""Clients that read and write without a pause, and keep account of what they were told."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import uuid4

import httpx

from tests.servers import calling

#: Longer than any wait that the service allows itself.
PATIENCE = 20.0
EXPORT = "/people.ndjson?limit=100"
READS = ("/people?limit=5", EXPORT, "/changes?limit=5", "/people/{ref}")
DOUBT = "may or may not"
#: What is counted for an export that broke off: it had begun, so that no status could tell.
CUT = 0


@dataclass
class Load:
    """What the clients were told; `answers` counts statuses, by the kind of request."""

    address: str
    acknowledged: list[str] = field(default_factory=list)
    #: What was told not to be stored, and what may be.
    refused: list[str] = field(default_factory=list)
    doubtful: list[str] = field(default_factory=list)
    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    #: The longest that an answer took, in seconds.
    slowest: float = 0.0
    ended: bool = False

    async def write(self, client: httpx.AsyncClient) -> int:
        """Add a person and note what was told of it; the status."""
        ref = f"p-{uuid4().hex}"
        body, headers = {"ref": ref, "full_name": "Somebody"}, {"Idempotency-Key": ref}
        answer = await self._ask(client, "write", "POST", "/people", json=body, headers=headers)
        if answer.status_code == 201:
            self.acknowledged.append(ref)
        else:
            check_problem(answer)
            doubt = DOUBT in answer.json()["detail"]
            (self.doubtful if doubt else self.refused).append(ref)
        return answer.status_code

    async def read(self, client: httpx.AsyncClient, path: str) -> int:
        """Read and check what comes; the status."""
        if "{ref}" in path:
            path = path.format(ref=self.acknowledged[-1]) if self.acknowledged else READS[0]
        kind = "record" if path.startswith("/people/") else path
        try:
            answer = await self._ask(client, kind, "GET", path)
        except httpx.RemoteProtocolError:
            self.answers[path, CUT] += 1
            return CUT
        if answer.status_code != 200:
            check_problem(answer)
        return answer.status_code

    async def _ask(
        self, client: httpx.AsyncClient, kind: str, method: str, path: str, **sent: object
    ) -> httpx.Response:
        began = time.monotonic()
        answer = await client.request(method, path, **sent)  # type: ignore[arg-type]
        self.slowest = max(self.slowest, time.monotonic() - began)
        self.answers[kind, answer.status_code] += 1
        return answer

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds of what was told."""
        end = time.monotonic() + PATIENCE
        while not holds():
            assert time.monotonic() < end, self.answers
            await asyncio.sleep(0.01)

    async def more(self, writes: int) -> None:
        """Wait until so many more writes are acknowledged."""
        wanted = len(self.acknowledged) + writes
        await self.until(lambda: len(self.acknowledged) >= wanted)

    async def _repeat(self, call: Callable[[httpx.AsyncClient], Awaitable[int]]) -> None:
        async with calling(self.address, timeout=PATIENCE) as client:
            while not self.ended:
                if await call(client) == 503:
                    await asyncio.sleep(0.01)


def check_problem(answer: httpx.Response) -> None:
    """A 503 as clients can rely on it."""
    assert answer.status_code == 503, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert int(answer.headers["retry-after"]) > 0
    assert answer.json()["type"] == "/problems/service-unavailable"


@asynccontextmanager
async def loading(address: str, writers: int = 2) -> AsyncIterator[Load]:
    """Writers, and a reader of each kind, until the context ends."""
    load = Load(address)

    def reading(path: str) -> Callable[[httpx.AsyncClient], Awaitable[int]]:
        return lambda client: load.read(client, path)

    async with asyncio.TaskGroup() as group:
        for _ in range(writers):
            group.create_task(load._repeat(load.write))
        for path in READS:
            group.create_task(load._repeat(reading(path)))
        try:
            yield load
        finally:
            load.ended = True


async def check_kept(load: Load) -> None:
    """What was acknowledged is stored, what was refused is not, and the feed has no gap."""
    async with calling(load.address, timeout=PATIENCE) as client:
        stored: set[str] = set()
        answer = await client.get("/people.ndjson?fields=ref")
        assert answer.status_code == 200, answer.text
        stored.update(str(line["ref"]) for line in map(_loads, answer.text.splitlines()))
        assert set(load.acknowledged) <= stored
        assert stored.isdisjoint(load.refused)
        await _check_feed(client)
        # What was doubtful is stored once, when it is sent again.
        for ref in load.doubtful:
            body, key = {"ref": ref, "full_name": "Somebody"}, {"Idempotency-Key": ref}
            again = await client.post("/people", json=body, headers=key)
            assert again.status_code == 201, again.text
            assert ("idempotency-replayed" in again.headers) == (ref in stored)


async def _check_feed(client: httpx.AsyncClient) -> None:
    since = 0
    while changes := (await client.get(f"/changes?since={since}&limit=1000")).json()["data"]:
        assert [change["seq"] for change in changes] == [
            since + n for n in range(1, len(changes) + 1)
        ]
        since += len(changes)


def _loads(line: str) -> dict[str, object]:
    from json import loads

    found: dict[str, object] = loads(line)
    return found
