"""Health: what is told to whatever decides whether to start the service anew or to send to it."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import make_url, text

from app.core.databases.db_errors import disk_full
from app.core.databases.schema_revision import newest
from tests.conftest import client_of, copy_of, serving


@pytest.fixture
async def stranger(fresh_app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client without a key."""
    transport = httpx.ASGITransport(fresh_app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


class Wire:
    """A connection to a server that can be frozen or cut: what a network does now and then."""

    def __init__(self, host: str, port: int) -> None:
        self.to = host, port
        self.flowing = asyncio.Event()
        self.flowing.set()
        self.pipes: set[asyncio.Task[None]] = set()
        self.ends: list[asyncio.StreamWriter] = []

    async def joined(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self.flowing.wait()
        far_reader, far_writer = await asyncio.open_connection(*self.to)
        self.ends += [writer, far_writer]
        for source, sink in ((reader, far_writer), (far_reader, writer)):
            self.pipes.add(asyncio.create_task(self._pump(source, sink)))

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(65536):
                await self.flowing.wait()
                sink.write(data)
        except ConnectionError:
            pass
        sink.close()

    def cut(self) -> None:
        for end in self.ends:
            end.transport.abort()


@asynccontextmanager
async def wired(url: str) -> AsyncIterator[tuple[str, Wire, asyncio.Server]]:
    """The address of the same database over a wire."""
    there = make_url(url)
    wire = Wire(there.host or "127.0.0.1", there.port or 5432)
    server = await asyncio.start_server(wire.joined, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    here = there.set(host="127.0.0.1", port=port).render_as_string(hide_password=False)
    try:
        yield here, wire, server
    finally:
        wire.flowing.set()
        wire.cut()
        await asyncio.gather(*wire.pipes, return_exceptions=True)
        server.close()


@pytest.fixture
async def postgres_url(template_url: str, database_kind: str, tmp_path: Path) -> AsyncIterator[str]:
    if database_kind == "sqlite":
        pytest.skip("a file is not reached over a network")
    async with copy_of(template_url, tmp_path) as url:
        yield url


async def test_a_process_that_lives_says_so_to_anybody(stranger: httpx.AsyncClient) -> None:
    answer = await stranger.get("/health/live")
    assert answer.status_code == 200
    assert answer.json() == {"status": "alive", "checks": []}


async def test_a_service_that_can_serve_tells_what_it_looked_at(
    stranger: httpx.AsyncClient,
) -> None:
    answer = await stranger.get("/health/ready")
    assert answer.status_code == 200
    told = answer.json()
    assert told["status"] == "ready"
    checks = {check["name"]: check for check in told["checks"]}
    assert [check["state"] for check in checks.values()] == ["ok", "ok", "ok"]
    assert newest() in checks["migrations"]["detail"]
    assert "database" in checks


async def test_a_service_whose_every_write_fails_says_that_it_reads(
    fresh_app: FastAPI, stranger: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(work: Any) -> None:
        tried.append(work)
        raise disk_full()

    tried: list[Any] = []
    monkeypatch.setattr(fresh_app.state.database, "write", full)
    for _ in range(3):
        answer = await stranger.get("/health/ready")
        told = answer.json()
        assert (answer.status_code, told["status"]) == (200, "reading")
        states = {check["name"]: check["state"] for check in told["checks"]}
        assert states == {"database": "ok", "migrations": "ok", "writing": "degraded"}
    assert len(tried) == 1
    monkeypatch.undo()
    monkeypatch.setattr("app.core.observability.health.WRITE_CHECK_SECONDS", 0)
    assert (await stranger.get("/health/ready")).json()["status"] == "ready"


async def test_a_write_that_finds_no_room_is_told_at_once(
    fresh: httpx.AsyncClient, fresh_app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(work: Any) -> None:
        raise disk_full()

    async def writing() -> tuple[str, str]:
        checks = (await fresh.get("/health/ready")).json()["checks"]
        (found,) = (check for check in checks if check["name"] == "writing")
        return found["state"], found["detail"]

    assert (await writing())[0] == "ok"
    with monkeypatch.context() as patched:
        patched.setattr(fresh_app.state.database, "write", full)
        assert (await fresh.post("/people", json={"full_name": "A"})).status_code == 507
    state, detail = await writing()
    assert state == "degraded"
    assert "no room left" in detail
    monkeypatch.setattr("app.core.observability.health.WRITE_CHECK_SECONDS", 0)
    assert (await writing())[0] == "ok"


@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
async def test_health_is_never_kept_by_caches(stranger: httpx.AsyncClient, path: str) -> None:
    assert (await stranger.get(path)).headers["cache-control"] == "no-store"
    head = await stranger.head(path)
    assert (head.status_code, head.content) == (200, b"")


async def test_health_is_not_counted_by_limits(stranger: httpx.AsyncClient) -> None:
    answers = [await stranger.get("/health/live") for _ in range(50)]
    assert not any("ratelimit" in answer.headers for answer in answers)


async def test_tables_of_another_version_are_a_reason_not_to_send_here(
    fresh_app: FastAPI, stranger: httpx.AsyncClient
) -> None:
    older = text("UPDATE alembic_version SET version_num = 'older'")
    await fresh_app.state.database.write(lambda session: session.execute(older))
    answer = await stranger.get("/health/ready")
    assert answer.status_code == 503
    problem = answer.json()
    assert problem["type"] == "/problems/service-unavailable"
    (fault,) = problem["errors"]
    assert fault["code"] == "migrations"
    assert fault["detail"] == (
        f"The tables are at revision older; this version needs {newest()}."
        " Run: trade-missions migrate"
    )
    assert (await stranger.get("/health/live")).status_code == 200


async def test_a_problem_of_readiness_tells_all_checks(
    fresh_app: FastAPI, stranger: httpx.AsyncClient
) -> None:
    none = text("DELETE FROM alembic_version")
    await fresh_app.state.database.write(lambda session: session.execute(none))
    answer = await stranger.get("/health/ready")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["retry-after"] == "5"
    states = {check["name"]: check["state"] for check in answer.json()["checks"]}
    assert states == {"database": "ok", "migrations": "failed"}


async def test_a_database_that_is_silent_is_not_waited_for(postgres_url: str) -> None:
    async with wired(postgres_url) as (url, wire, _), serving(url) as app, client_of(app) as client:
        assert (await client.get("/health/ready")).status_code == 200
        wire.flowing.clear()
        began = time.monotonic()
        answer = await client.get("/health/ready")
        took = time.monotonic() - began
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (503, "database")
        assert "did not answer within 2 seconds" in answer.json()["detail"]
        assert 2 <= took < 10
        assert (await client.get("/health/live")).status_code == 200
        wire.flowing.set()
        wire.cut()


async def test_a_database_that_comes_back_is_found_again(postgres_url: str) -> None:
    async with wired(postgres_url) as (url, wire, server), serving(url) as app:
        client = client_of(app)
        server.close()
        wire.cut()
        answer = await client.get("/health/ready")
        assert answer.status_code == 503
        # Hosts and users are nothing to strangers.
        name = make_url(url).database
        assert name is not None
        assert name not in answer.text
        assert "127.0.0.1" not in answer.text
        port = int(make_url(url).port or 0)
        again = await asyncio.start_server(wire.joined, "127.0.0.1", port)
        end = time.monotonic() + 20
        while (await client.get("/health/ready")).status_code != 200:
            assert time.monotonic() < end
            await asyncio.sleep(0.05)
        again.close()
        await client.aclose()
