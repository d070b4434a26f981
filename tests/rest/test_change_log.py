"""The feed of changes misses nothing, whoever writes at the same time and however slowly."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from app.core.databases.deferred import complete
from app.core.databases.interface import SESSION_OPTIONS
from app.core.databases.postgresql import PostgresDatabase, postgres_engine
from app.core.databases.sqlite import SqliteDatabase, sqlite_engine
from app.engine.history.change_log import log_changes
from app.engine.writes import store
from app.resources.person import person
from tests.conftest import client_of, serving
from tests.rest.calls import send
from tests.rest.feed import Reader, newest, read_from

WRITERS, WRITES = 16, 6


@pytest.fixture
async def pair(fresh_url: str) -> AsyncIterator[list[httpx.AsyncClient]]:
    """Clients of two applications on one database, as two processes would be."""
    async with (
        serving(fresh_url) as one,
        serving(fresh_url) as two,
        client_of(one) as first,
        client_of(two) as second,
    ):
        yield [first, second]


async def _write(client: httpx.AsyncClient, name: str) -> None:
    """Create, change, fail, and sometimes trash records, some of them several at once."""
    for n in range(WRITES):
        made = await send(client, "POST", "/people", {"full_name": f"{name} {n}"})
        assert made.status_code == 201, made.text
        address = made.headers["location"]
        await send(client, "PATCH", address, {"note": f"{n}"})
        await send(client, "POST", "/people", {"full_name": ""})
        if n % 3 == 0:
            operations = [{"op": "create", "body": {"full_name": name}}] * 3
            await send(client, "POST", "/people/bulk", {"operations": operations})
            await send(client, "POST", "/people?dry_run=true", {"full_name": name})
            await send(client, "DELETE", address)


async def _follow(reader: Reader, done: asyncio.Event, limit: int) -> None:
    while True:
        over = done.is_set()
        if not await reader.poll(limit) and over:
            return
        await asyncio.sleep(0.005)


async def test_readers_see_every_change_once_and_in_order(pair: list[httpx.AsyncClient]) -> None:
    start, done = await newest(pair[0]), asyncio.Event()
    readers = [Reader(pair[n % 2], start) for n in range(4)]
    following = [
        asyncio.create_task(_follow(reader, done, limit))
        for reader, limit in zip(readers, (1000, 1, 7, 100), strict=True)
    ]
    await asyncio.gather(*(_write(pair[n % 2], f"writer {n}") for n in range(WRITERS)))
    done.set()
    await asyncio.gather(*following)
    count = WRITERS * (WRITES * 2 + WRITES // 3 * 4)
    for reader in readers:
        assert [entry["seq"] for entry in reader.read] == list(range(start + 1, start + 1 + count))
        assert reader.read == readers[0].read
    entries = readers[0].read
    versions: dict[str, int] = {}
    for entry in entries:
        assert entry["version"] == versions.get(entry["record_id"], 0) + 1
        versions[entry["record_id"]] = entry["version"]


@asynccontextmanager
async def _held(app: FastAPI, logged: asyncio.Event, seconds: float) -> AsyncIterator[None]:
    """A write of another process, which takes its number and then a while to commit."""
    database = app.state.database

    def work(session: Session) -> None:
        body = person.create(full_name="slow")  # type: ignore[call-arg]
        store.create(session, person, body)
        log_changes(session, "another")
        complete(session)

    async def on_postgresql(url: str) -> None:
        engine = postgres_engine(url)
        async with AsyncSession(engine, **SESSION_OPTIONS) as session:
            await session.run_sync(work)
            logged.set()
            await asyncio.sleep(seconds)
            await session.commit()
        await engine.dispose()

    def on_sqlite(path: str, loop: asyncio.AbstractEventLoop) -> None:
        with Session(sqlite_engine(path), **SESSION_OPTIONS) as session:
            work(session)
            loop.call_soon_threadsafe(logged.set)
            time.sleep(seconds)
            session.commit()

    if isinstance(database, PostgresDatabase):
        slow = asyncio.create_task(on_postgresql(database.url))
    else:
        assert isinstance(database, SqliteDatabase)
        loop = asyncio.get_running_loop()
        slow = asyncio.create_task(asyncio.to_thread(on_sqlite, database.path, loop))
    await logged.wait()
    yield
    await slow


async def test_a_slow_commit_is_not_passed_over(
    fresh: httpx.AsyncClient, fresh_app: FastAPI
) -> None:
    """Changes that are numbered after it are not to be seen before it."""
    start, done, logged = await newest(fresh), asyncio.Event(), asyncio.Event()
    reader = Reader(fresh, start)
    following = asyncio.create_task(_follow(reader, done, 1000))
    names = [f"quick {n}" for n in range(8)]
    async with _held(fresh_app, logged, 0.5):
        writing = [
            asyncio.create_task(send(fresh, "POST", "/people", {"full_name": name}))
            for name in names
        ]
        await asyncio.sleep(0.2)
        assert reader.read == []
    answers = await asyncio.gather(*writing)
    assert {answer.status_code for answer in answers} == {201}
    done.set()
    await following
    told = [entry["changes"]["full_name"][1] for entry in reader.read]
    assert (told[0], sorted(told[1:])) == ("slow", names)
    assert [entry["seq"] for entry in reader.read] == list(range(start + 1, start + 10))
    assert reader.read[0]["actor"] == "another"


async def test_a_write_that_was_taken_back_leaves_no_gap(
    fresh: httpx.AsyncClient, fresh_app: FastAPI
) -> None:
    start = await newest(fresh)

    def work(session: Session) -> None:
        body = person.create(full_name="given up")  # type: ignore[call-arg]
        store.create(session, person, body)
        log_changes(session, "another")
        complete(session)
        raise ValueError("given up")

    with pytest.raises(ValueError, match="given up"):
        await fresh_app.state.database.write(work)
    await send(fresh, "POST", "/people", {"full_name": "kept"})
    (entry,) = await read_from(fresh, start)
    assert (entry["seq"], entry["changes"]["full_name"]) == (start + 1, [None, "kept"])


async def test_the_feed_can_be_narrowed(fresh: httpx.AsyncClient) -> None:
    start, name = await newest(fresh), uuid4().hex
    made = await send(fresh, "POST", "/people", {"full_name": name})
    record = made.json()["id"]
    await send(fresh, "PATCH", f"/people/{record}", {"note": "x"})
    await send(fresh, "POST", "/organizations", {"kind": "unknown", "name": name})

    async def found(**parameters: Any) -> list[int]:
        answer = await fresh.get("/changes", params={"since": start, **parameters})
        return [entry["seq"] - start for entry in answer.json()["data"]]

    assert await found() == [1, 2, 3]
    assert await found(kind="person") == [1, 2]
    assert await found(record_id=record) == [1, 2]
    assert await found(action="create") == [1, 3]
    assert await found(actor="nobody") == []
