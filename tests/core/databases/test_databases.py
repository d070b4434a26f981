"""Both databases under many writes at once: none is lost, none is stored that was refused."""

import asyncio
import socket
from collections.abc import Callable
from itertools import cycle, pairwise
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import bindparam, event, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.core.databases.interface import Database, compile_query
from app.core.databases.opening import open_database
from app.core.databases.sqlite import SqliteDatabase
from app.core.errors import Unavailable
from app.engine.history.change_log import Change
from app.engine.writes import store
from app.engine.writes.records import save_record
from app.resources.person import Person, person
from tests.conftest import client_of
from tests.held_writer import held_writer

CLIENTS = 16
SIGNATORY = {"description": "a company that is not named", "role": "signatory"}
CONTRACT = {"title": "A contract", "instrument": "supply_contract", "parties": [SIGNATORY]}


@pytest.fixture
def database(fresh_app: FastAPI) -> Database:
    """The database of an application of the test's own."""
    found = fresh_app.state.database
    assert isinstance(found, Database)
    return found


def adding(ref: str, fails: bool = False) -> Callable[[Session], str]:
    """A write that adds a person, and one that raises after it has."""

    def work(session: Session) -> str:
        session.add(Person(ref=ref, full_name="Somebody"))
        session.flush()
        if fails:
            raise LookupError(ref)
        return ref

    return work


def counting(session: Session) -> int:
    """A write that adds one to the number in a record's note."""
    record = store.find(session, person, "counter")
    count = int(record.note or 0) + 1
    record.note = str(count)
    record.version += 1
    save_record(session, person, record)
    return count


async def people(database: Database, pattern: str) -> list[str]:
    """The refs of the people that match a pattern of LIKE, by name."""
    statement = select(Person.ref).where(Person.ref.like(bindparam("ref"))).order_by(Person.ref)
    rows = await database.read(compile_query(statement, database.dialect), {"ref": pattern})
    return [row[0] for row in rows]


# One transaction a write


async def test_a_write_that_raises_leaves_nothing(database: Database) -> None:
    with pytest.raises(LookupError, match="nobody"):
        await database.write(adding("nobody", fails=True))
    assert await people(database, "nobody") == []


async def test_a_write_goes_on_after_one_that_raised(database: Database) -> None:
    with pytest.raises(LookupError):
        await database.write(adding("somebody", fails=True))
    assert await database.write(adding("somebody")) == "somebody"
    assert await people(database, "somebody") == ["somebody"]


async def test_an_answered_write_is_seen_by_every_read(database: Database) -> None:
    statement = compile_query(
        select(Person.id).where(Person.ref == bindparam("ref")), database.dialect
    )
    for number in range(20):
        ref = f"seen-{number}"
        await database.write(adding(ref))
        reads = (
            database.read(statement, {"ref": ref}, point_lookup=quick) for quick in (True, False)
        )
        assert [len(rows) for rows in await asyncio.gather(*reads)] == [1, 1]


async def test_increments_at_once_lose_none(database: Database) -> None:
    await database.write(adding("counter"))
    counts = await asyncio.gather(*(database.write(counting) for _ in range(64)))
    assert sorted(counts) == list(range(1, 65))


async def test_writes_that_fail_among_others_take_none_with_them(database: Database) -> None:
    works = [adding(f"one-{n:02}", fails=n % 3 == 0) for n in range(16)]
    answers = await asyncio.gather(*map(database.write, works), return_exceptions=True)
    kept = [f"one-{n:02}" for n in range(16) if n % 3]
    assert [answer for answer in answers if isinstance(answer, str)] == kept
    assert [n for n, answer in enumerate(answers) if isinstance(answer, LookupError)] == [
        n for n in range(16) if n % 3 == 0
    ]
    assert await people(database, "one-%") == kept


async def test_of_writes_that_exclude_each_other_one_is_stored(database: Database) -> None:
    works = [adding(f"taken-{n % 4}") for n in range(16)]
    answers = await asyncio.gather(*map(database.write, works), return_exceptions=True)
    stored = [answer for answer in answers if isinstance(answer, str)]
    assert sorted(stored) == await people(database, "taken-%") == [f"taken-{n}" for n in range(4)]
    assert sum(isinstance(answer, IntegrityError) for answer in answers) == 12


async def test_a_write_that_nobody_waits_for_any_more_stops_no_other(database: Database) -> None:
    writes = [asyncio.ensure_future(database.write(adding(f"late-{n}"))) for n in range(8)]
    await asyncio.sleep(0)
    writes[3].cancel()
    answers = await asyncio.gather(*writes, return_exceptions=True)
    assert isinstance(answers[3], asyncio.CancelledError)
    kept = {f"late-{n}" for n in range(8) if n != 3}
    assert {answer for answer in answers if isinstance(answer, str)} == kept
    assert kept <= set(await people(database, "late-%"))


# The end, and nobody there


async def test_a_database_that_stops_answers_the_writes_that_wait(fresh_url: str) -> None:
    database = open_database(fresh_url)
    await database.start()
    writes = [asyncio.ensure_future(database.write(adding(f"last-{n:02}"))) for n in range(20)]
    await asyncio.sleep(0)
    await database.stop()
    answers = await asyncio.wait_for(asyncio.gather(*writes), 30)
    again = open_database(fresh_url)
    await again.start()
    assert await people(again, "last-%") == answers
    await again.stop()


async def test_a_server_that_is_not_there_is_told_as_unavailable() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))  # bound but not listening: nobody else can take the port
        port = probe.getsockname()[1]
        with pytest.raises(Unavailable, match="cannot be reached"):
            await open_database(f"postgresql://nobody@127.0.0.1:{port}/nothing").start()


async def test_a_file_that_is_not_there_is_told_as_unavailable(tmp_path: Path) -> None:
    path = tmp_path / "nowhere.db"
    with pytest.raises(Unavailable, match="cannot be reached"):
        await open_database(f"sqlite:///{path}").start()
    assert not path.exists()


@pytest.mark.parametrize("url", ["mysql://host/name", "sqlite://", "sqlite:///:memory:", "x"])
def test_an_address_of_something_else_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="sqlite:///"):
        open_database(url)


# How busy it is


async def test_a_database_tells_how_busy_it_is(database: Database) -> None:
    await asyncio.gather(*(database.write(adding(f"busy-{n}")) for n in range(20)))
    await people(database, "busy-%")
    gauges = database.gauges()
    assert gauges["reads_waiting"] == gauges["writes_waiting"] == 0
    if isinstance(database, SqliteDatabase):
        assert gauges["reads_running"] == 0
        assert gauges["grouped_writes_total"] >= 20
        assert 1 <= gauges["write_groups_total"] <= gauges["grouped_writes_total"]
    else:
        assert gauges["read_connections"] == gauges["read_connections_idle"] >= 1
        assert gauges["write_connections_busy"] == 0
        assert not any(name.startswith("replica") for name in gauges)


# SQLite alone


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True, scope="session")
async def test_writes_that_wait_together_share_a_commit(database: Database) -> None:
    assert isinstance(database, SqliteDatabase)
    commits: list[object] = []
    event.listen(database.engine, "commit", commits.append)
    async with held_writer(database):
        writes = [asyncio.ensure_future(database.write(adding(f"group-{n}"))) for n in range(32)]
        await asyncio.sleep(0)
    await asyncio.gather(*writes)
    assert len(commits) == 2
    assert len(await people(database, "group-%")) == 32


# Through the API


async def agreement(client: httpx.AsyncClient) -> str:
    answer = await client.post("/agreements", json=CONTRACT | {"status": "negotiated"})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def test_moves_of_one_agreement_at_once_make_a_chain(fresh_app: FastAPI) -> None:
    async with client_of(fresh_app) as client:
        key = await agreement(client)
        statuses = cycle(["signed", "in_force", "completed", "cancelled"])

        async def move(number: int, status: str) -> int:
            async with client_of(fresh_app) as own:
                if number % 2:
                    answer = await own.patch(f"/agreements/{key}", json={"status": status})
                else:
                    body = {"agreement_id": key, "status": status}
                    answer = await own.post("/outcomes", json=body)
                return answer.status_code

        told = await asyncio.gather(*(move(n, next(statuses)) for n in range(CLIENTS)))
        assert set(told) <= {200, 201, 409}
        assert min(told) < 300
        history = (await client.get(f"/agreements/{key}/history?limit=1000")).json()["data"][::-1]
        moves = [entry["changes"]["status"] for entry in history if "status" in entry["changes"]]
        assert all(before[1] == after[0] for before, after in pairwise(moves)), moves
        assert len(moves) > 1
        assert moves[-1][1] == (await client.get(f"/agreements/{key}")).json()["status"]
        outcomes = (await client.get(f"/outcomes?agreement_id={key}&limit=1000")).json()["data"]
        assert {new for _, new in moves[1:]} == {outcome["status"] for outcome in outcomes}


async def test_changes_of_many_records_at_once_are_numbered_without_gaps(
    fresh_app: FastAPI,
) -> None:
    async with client_of(fresh_app) as client:
        await asyncio.gather(*(agreement(client) for _ in range(CLIENTS)))
    database: Database = fresh_app.state.database
    statement = compile_query(select(func.count(), func.max(Change.seq)), database.dialect)
    ((count, last),) = await database.read(statement, {})
    assert count == last


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True, scope="session")
async def test_statements_are_not_compiled_before_they_run(database: Database) -> None:
    setting = select(func.current_setting("jit"))
    ((read,),) = await database.read(compile_query(setting, database.dialect), {})
    written = await database.write(lambda session: session.scalar(setting))
    assert (read, written) == ("off", "off")


async def test_writes_that_find_no_connection_in_time_are_told_to_come_again(
    fresh_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if fresh_url.startswith("sqlite"):
        pytest.skip("SQLite has one writer, whose queue has no end")
    monkeypatch.setattr("app.core.databases.postgresql.POOL_TIMEOUT_SECONDS", 0.2)
    database = open_database(fresh_url)
    await database.start()
    held = [
        asyncio.create_task(database.write(lambda s: s.execute(select(func.pg_sleep(1.5)))))
        for _ in range(10)
    ]
    await asyncio.sleep(0.5)
    with pytest.raises(Unavailable) as refusal:
        await database.write(adding("too-late"))
    assert "Retry-After" in refusal.value.headers
    await asyncio.gather(*held)
    await database.stop()
