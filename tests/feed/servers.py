"""Servers as processes of their own, and what is written through them."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx

from tests.keys import BEARER

T = TypeVar("T")

ROOT = Path(__file__).parents[2]


@dataclass
class Running:
    """A server that runs, and a client of it."""

    url: str
    address: str
    process: subprocess.Popen[str]
    client: httpx.AsyncClient

    def memory(self) -> int:
        """How much memory it holds, in KiB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0])


@asynccontextmanager
async def running(
    url: str, streams: dict[str, Any] | None = None, webhooks: dict[str, Any] | None = None
) -> AsyncIterator[Running]:
    """A server on the database, with these rules; it is told to stop at the end."""
    rules = {"streams": streams or {}, "webhooks": {"private": True, **(webhooks or {})}}
    process = subprocess.Popen(  # noqa: ASYNC220 (starting takes no time worth a thread)
        [sys.executable, "-m", "tests.feed.server", url, json.dumps(rules)],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        address = f"http://127.0.0.1:{process.stdout.readline().strip()}"
        async with httpx.AsyncClient(base_url=address, headers=BEARER, timeout=60) as client:
            (await client.get("/changes", params={"limit": 1})).raise_for_status()
            yield Running(url, address, process, client)
    finally:
        process.terminate()
        process.wait(timeout=60)
        process.stdout.close()


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
