"""A killed server loses nothing that it acknowledged, and leaves nothing half done.

Rounds of sixteen writers on one database, each ended by kill -9 at a random moment. Some rounds
also end connections of PostgreSQL, or one of its processes by kill -9, after which it recovers.
Many rounds: `pytest --long tests/faults/test_kill.py -s`, which prints the figures.
"""

import asyncio
import os
import random
import signal
import sqlite3
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from sqlalchemy import make_url

from app.commands import check
from tests.faults.writers import Writer, all_records, compare, settle
from tests.postgres import create_database, running_postgres
from tests.servers import Server, calling

ROUNDS, LONG_ROUNDS = 2, 200
WRITERS = 16
#: The checks that read everything are made after so many rounds, and at the end.
WHOLE_EVERY = 20


@dataclass
class Feed:
    """What a follower of the change feed has read: `(kind, record, version)`, by their numbers."""

    seq: int = 0
    #: How many changes there were before the writers'.
    seeded: int = 0
    seen: list[tuple[str, str, int]] = field(default_factory=list)
    versions: dict[tuple[str, str], int] = field(default_factory=dict)

    async def read_on(self, client: httpx.AsyncClient) -> int:
        """Read a page of what is new; each number follows the one before, and each version too."""
        answer = await client.get("/changes", params={"since": self.seq, "limit": 1000})
        if answer.status_code == 503:
            return 0
        assert answer.status_code == 200, answer.text
        changes = answer.json()["data"]
        for change in changes:
            assert change["seq"] == self.seq + 1
            record = (change["kind"], change["record_id"])
            assert change["version"] == self.versions.get(record, 0) + 1
            self.versions[record] = change["version"]
            self.seen.append((*record, change["version"]))
            self.seq += 1
        return len(changes)

    async def read_to_the_end(self, client: httpx.AsyncClient) -> None:
        while await self.read_on(client):
            pass

    async def follow(self, client: httpx.AsyncClient) -> None:
        """Read on until the connection is lost."""
        while True:
            try:
                await self.read_on(client)
            except httpx.TransportError:
                return
            await asyncio.sleep(0.02)


@pytest.fixture
def url(database_kind: str, tmp_path: Path) -> Iterator[str]:
    """An empty database; PostgreSQL on a server of its own, as its processes are killed."""
    if database_kind == "sqlite":
        yield f"sqlite:///{tmp_path / 'killed.db'}"
        return
    with running_postgres(tmp_path / "postgres") as address:
        yield create_database(address, "killed")


async def _make_durable(url: str) -> None:
    """Have PostgreSQL write a commit before it says so, which tests need not for their speed."""
    async with _connected(url) as connection:
        await connection.execute("ALTER DATABASE killed SET synchronous_commit = on")


async def test_kill_9_loses_nothing_that_was_acknowledged(
    url: str, long: bool, tmp_path: Path
) -> None:
    rounds = LONG_ROUNDS if long else ROUNDS
    server = Server(url, tmp_path / "server.log", ("--prepare",))
    feed, writers, chance = Feed(), list[Writer](), random.Random(time.time_ns())
    if not url.startswith("sqlite"):
        await _make_durable(url)
    began = time.monotonic()
    try:
        await asyncio.to_thread(server.start)
        server.options = ()
        async with calling(server.address) as client:
            await feed.read_to_the_end(client)
        feed.seeded = feed.seq
        for number in range(1, rounds + 1):
            new = [Writer(f"r{number}-w{n}", chance.getrandbits(64)) for n in range(WRITERS)]
            await _killed_round(server, feed, new, chance, disturbed=number % 3 == 2)
            await asyncio.to_thread(server.start)
            await settle(server.address, new)
            await compare(server.address, new, f"r{number}-")
            writers += new
            if number % WHOLE_EVERY == 0 or number == rounds:
                await _compare_all(server, feed, writers)
                _tell(url, number, writers, feed, time.monotonic() - began)
        assert server.stop() == 0
        assert "Traceback" not in server.text()
    finally:
        if server.process is not None:
            server.kill()


async def _killed_round(
    server: Server, feed: Feed, writers: list[Writer], chance: random.Random, disturbed: bool
) -> None:
    """All write until the server is killed."""
    async with AsyncExitStack() as stack:
        reader = await stack.enter_async_context(calling(server.address))
        tasks = [asyncio.create_task(feed.follow(reader))]
        for writer in writers:
            client = await stack.enter_async_context(calling(server.address))
            tasks.append(asyncio.create_task(writer.write_until_lost(client)))
        if disturbed and not server.url.startswith("sqlite"):
            await asyncio.sleep(chance.uniform(0.1, 1))
            await _disturb(server.url, chance)
        await asyncio.sleep(chance.uniform(0.05, 1.5))
        server.kill()
        await asyncio.gather(*tasks)


async def _disturb(url: str, chance: random.Random) -> None:
    """End PostgreSQL's side of the server's connections; or kill one, and so all of PostgreSQL."""
    async with _connected(url) as connection:
        mine = "datname = current_database() AND pid <> pg_backend_pid()"
        if chance.random() < 0.5:
            await connection.fetch(
                f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {mine}"
            )
        else:
            pids = await connection.fetch(f"SELECT pid FROM pg_stat_activity WHERE {mine}")
            os.kill(chance.choice(pids)["pid"], signal.SIGKILL)


@asynccontextmanager
async def _connected(url: str) -> AsyncIterator[Any]:
    address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    connection = await asyncpg.connect(address)
    try:
        yield connection
    finally:
        connection.terminate()


async def _compare_all(server: Server, feed: Feed, writers: list[Writer]) -> None:
    """Everything of all rounds is there; the feed is as it was read; the database is sound."""
    await compare(server.address, writers, "r")
    async with calling(server.address) as client:
        await feed.read_to_the_end(client)
        again = Feed()
        await again.read_to_the_end(client)
    assert again.seen == feed.seen
    versions = sum(known.version for known in all_records(writers))
    assert feed.seq == feed.seeded + versions
    assert await check.run(server.url) == []
    if server.url.startswith("sqlite"):
        connection = sqlite3.connect(server.url.removeprefix("sqlite:///"))
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        connection.close()


def _tell(url: str, rounds: int, writers: list[Writer], feed: Feed, seconds: float) -> None:
    tallies = [writer.tally for writer in writers]
    acknowledged, unknown = (
        sum(getattr(tally, name) for tally in tallies) for name in ("acknowledged", "unknown")
    )
    stored = sum(tally.stored for tally in tallies)
    sys.stdout.write(
        f"\n{url.partition(':')[0]}: {rounds} rounds, {acknowledged} writes acknowledged, of them"
        f" {unknown} unknown at first and sent again ({stored} had been stored),"
        f" {feed.seq} changes, {seconds:.0f} s\n"
    )
