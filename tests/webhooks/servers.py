"""Servers as processes of their own, and what is written through them."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import httpx

from tests.servers import Server, calling

T = TypeVar("T")


@dataclass
class Running:
    """A server that runs, and a client of it."""

    server: Server
    client: httpx.AsyncClient

    @property
    def url(self) -> str:
        return self.server.url

    @property
    def address(self) -> str:
        return self.server.address


@asynccontextmanager
async def running(
    url: str, streams: dict[str, Any] | None = None, webhooks: dict[str, Any] | None = None
) -> AsyncIterator[Running]:
    """A server on the database, with these rules; it is told to stop at the end."""
    rules = {"streams": streams or {}, "webhooks": {"private": True, **(webhooks or {})}}
    program = ("tests.webhooks.server", url, json.dumps(rules))
    with TemporaryDirectory() as folder:
        server = Server(url, Path(folder, "server.log"), program=program)
        try:
            await asyncio.to_thread(server.start)
            async with calling(server.address) as client:
                yield Running(server, client)
            await asyncio.to_thread(server.stop)
        finally:
            if server.process is not None:
                server.kill()


async def add_person(client: httpx.AsyncClient, name: str) -> dict[str, Any]:
    """A new person of this name."""
    answer = await client.post("/people", json={"full_name": name})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def newest(client: httpx.AsyncClient) -> int:
    """The number of the newest change."""
    seq = 0
    while page := (await client.get(f"/changes?limit=1000&since={seq}")).json()["data"]:
        seq = page[-1]["seq"]
    return seq


async def add_mission(client: httpx.AsyncClient) -> dict[str, Any]:
    """A new mission."""
    answer = await client.post("/missions", json={"title": "A fair", "kind": "trade_fair"})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def eventually(ask: Callable[[], Awaitable[T]], holds: Callable[[T], bool]) -> T:
    """What is answered once it is as it should be."""
    async with asyncio.timeout(60):
        while True:
            answer = await ask()
            if holds(answer):
                return answer
            await asyncio.sleep(0.02)
