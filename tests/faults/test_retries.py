"""Writes that the database refuses for the sake of others are done again, and once."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import make_url, text
from sqlalchemy.orm import Session
from sqlalchemy.util import await_only

from app.commands import check
from app.core.databases.interface import CompiledQuery, Database
from app.engine.writes import store
from app.engine.writes.records import save_record
from app.resources.person import Person, person
from tests.conftest import client_of, serving
from tests.faults.proxy import Loss, Proxy, proxy_to
from tests.postgres import execute

pytestmark = pytest.mark.parametrize(
    "database_kind", ["postgresql"], indirect=True, scope="session"
)


@pytest.fixture
def database(fresh_app: FastAPI) -> Database:
    found = fresh_app.state.database
    assert isinstance(found, Database)
    return found


def adding(*refs: str) -> Callable[[Session], None]:
    def work(session: Session) -> None:
        session.add_all([Person(ref=ref, full_name="Somebody") for ref in refs])

    return work


class Crossing:
    """Two writes of which each changes first what the other changes last."""

    def __init__(self, isolation: str = "read committed") -> None:
        self.isolation = isolation
        self.met = asyncio.Barrier(2)
        self.attempts = 0
        self.infos: list[dict[Any, Any]] = []

    def work(self, *refs: str) -> Callable[[Session], list[str]]:
        first = True

        def run(session: Session) -> list[str]:
            nonlocal first
            self.attempts += 1
            self.infos.append(dict(session.info))
            session.info["changes"] = ["of this attempt"]
            session.execute(text(f"SET TRANSACTION ISOLATION LEVEL {self.isolation}"))
            for ref in refs:
                record = store.find(session, person, ref)
                record.note = f"{record.note or ''}{refs[0]}"
                record.version += 1
                save_record(session, person, record)
                if first:
                    first = False
                    await_only(self.met.wait())
            return list(refs)

        return run


async def notes(database: Database) -> list[str]:
    statement = CompiledQuery("SELECT note FROM person WHERE ref IN ('a', 'b')", (), (), {})
    return [row[0] for row in await database.read(statement, {})]


async def test_two_writes_that_lock_each_other_out_are_both_done(database: Database) -> None:
    await database.write(adding("a", "b"))
    crossing = Crossing()
    writes = (database.write(crossing.work(*refs)) for refs in (("a", "b"), ("b", "a")))
    assert await asyncio.gather(*writes) == [["a", "b"], ["b", "a"]]
    assert crossing.attempts >= 3
    # Both have changed both, and what the one that was undone had written is not there.
    assert {"".join(sorted(note)) for note in await notes(database)} == {"ab"}
    # Nothing of an attempt that was undone is left to the next.
    assert crossing.infos == [{}] * crossing.attempts


async def test_writes_that_cannot_be_put_in_an_order_are_both_done(database: Database) -> None:
    await database.write(adding("a", "b"))
    crossing = Crossing("repeatable read")
    writes = (database.write(crossing.work(*refs)) for refs in (("a", "b"), ("b", "a")))
    await asyncio.gather(*writes)
    assert crossing.attempts >= 3
    assert {"".join(sorted(note)) for note in await notes(database)} == {"ab"}


async def test_bulks_that_change_the_same_records_in_other_orders_do_not_lock_each_other_out(
    fresh_app: FastAPI, fresh_url: str
) -> None:
    async with client_of(fresh_app) as client:
        refs = [f"r{n}" for n in range(10)]
        rows = [{"ref": ref, "full_name": "Somebody"} for ref in refs]
        await client.post("/people/bulk", json=operations("create", rows))
        ways = [bulk, upserted, imported] * 2
        answers = await asyncio.gather(
            *(way(client, refs[:: (-1) ** at]) for at, way in enumerate(ways))
        )
        assert [answer.status_code for answer in answers] == [200] * 6, answers[0].text
        assert deadlocks(fresh_url) == 0
        for ref in (refs[0], refs[-1]):
            history = (await client.get(f"/people/{ref}/history?limit=1000")).json()["data"]
            assert [entry["version"] for entry in history] == list(range(7, 0, -1))
    assert await check.run(fresh_url) == []


def operations(op: str, bodies: list[dict[str, Any]]) -> dict[str, Any]:
    return {"operations": [{"op": op, "body": body} for body in bodies]}


async def upserted(client: httpx.AsyncClient, refs: list[str]) -> httpx.Response:
    rows = [{"ref": ref, "full_name": "Somebody", "note": uuid4().hex} for ref in refs]
    return await client.post("/people/bulk", json=operations("upsert", rows))


async def imported(client: httpx.AsyncClient, refs: list[str]) -> httpx.Response:
    note = uuid4().hex
    lines = ["ref,note", *(f"{ref},{note}" for ref in refs)]
    headers = {"content-type": "text/csv"}
    return await client.post("/people/import", content="\n".join(lines), headers=headers)


async def bulk(client: httpx.AsyncClient, refs: list[str]) -> httpx.Response:
    """Change the records in this order, and once more by the same key: the answer is the same."""
    note, key = uuid4().hex, {"Idempotency-Key": uuid4().hex}
    changes = [{"op": "update", "key": ref, "body": {"note": note}} for ref in refs]
    answer = await client.post("/people/bulk", json={"operations": changes}, headers=key)
    again = await client.post("/people/bulk", json={"operations": changes}, headers=key)
    assert again.content == answer.content
    assert again.headers["idempotency-replayed"] == "true"
    return answer


def deadlocks(url: str) -> int:
    found = execute(
        url, "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    )
    return int(found[0][0])


# Tables that change


async def test_statements_that_were_prepared_before_a_migration_are_prepared_anew(
    fresh_url: str, database: Database
) -> None:
    execute(fresh_url, "CREATE TABLE thing (name text)")
    execute(fresh_url, "INSERT INTO thing SELECT 1 FROM generate_series(1, 5000)")
    statement = CompiledQuery("SELECT * FROM thing", (), (), {})

    async def exported() -> int:
        return sum([len(rows) async for rows in database.stream(statement, {})])

    def written(session: Session) -> int:
        return len(session.execute(text("SELECT * FROM thing LIMIT 1")).one())

    for columns in (1, 2, 3):
        for _ in range(3):
            assert len((await database.read(statement, {}))[0]) == columns
            assert await exported() == 5000
            assert await database.write(written) == columns
        execute(fresh_url, f"ALTER TABLE thing ADD COLUMN more{columns} text")


# A COMMIT without an answer


@asynccontextmanager
async def proxied(url: str) -> AsyncIterator[tuple[httpx.AsyncClient, Proxy]]:
    """A client of the application, whose database is behind a proxy."""
    address = make_url(url)
    assert address.port is not None
    async with proxy_to(address.port) as proxy:
        behind = address.set(port=proxy.port).render_as_string(hide_password=False)
        async with serving(behind) as app, client_of(app) as client:
            yield client, proxy


@pytest.mark.parametrize("loss", [Loss.QUESTION, Loss.ANSWER])
async def test_a_commit_without_an_answer_is_told_and_found_out_by_sending_it_again(
    fresh_url: str, loss: Loss
) -> None:
    async with proxied(fresh_url) as (client, proxy):
        body, key = {"ref": "somebody", "full_name": "Somebody"}, {"Idempotency-Key": "k"}
        proxy.loses = loss
        told = await client.post("/people", json=body, headers=key)
        assert told.status_code == 503, told.text
        assert "may or may not have been stored" in told.json()["detail"]
        assert "same Idempotency-Key" in told.json()["detail"]
        assert int(told.headers["retry-after"]) > 0
        again = await client.post("/people", json=body, headers=key)
        assert again.status_code == 201, again.text
        assert ("idempotency-replayed" in again.headers) == (loss is Loss.ANSWER)
        assert len((await client.get("/people/somebody/history")).json()["data"]) == 1


async def test_a_connection_that_is_lost_before_the_commit_is_made_anew(
    fresh_url: str, database: Database
) -> None:
    cut = "SELECT pg_terminate_backend(pg_backend_pid())"
    attempts = 0

    def work(session: Session) -> None:
        nonlocal attempts
        attempts += 1
        adding("once")(session)
        session.flush()
        if attempts == 1:
            session.execute(text(cut))

    await database.write(work)
    assert attempts == 2
    count = CompiledQuery("SELECT count(*) FROM person WHERE ref = 'once'", (), (), {})
    assert await database.read(count, {}) == [(1,)]
