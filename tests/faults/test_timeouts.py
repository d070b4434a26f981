"""Nothing waits without an end: slow questions, full pools, held records, servers that freeze."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from contextvars import copy_context
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from app.commands.migrate import migrate
from app.core.databases.interface import CompiledQuery, Database, Rows
from app.core.databases.places import reader
from app.core.errors import Problem, TooManyRequests, Unavailable
from app.resources.person import Person
from tests.conftest import client_of, serving
from tests.faults.questions import QUICK, SLOW, busy, opened, places
from tests.postgres import create_database, execute
from tests.postgres_server import own_server
from tests.waiting import until

on_sqlite = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True, scope="session")
on_postgresql = pytest.mark.parametrize(
    "database_kind", ["postgresql"], indirect=True, scope="session"
)


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits that a test can wait for, but longer than anything else takes."""
    for name in (
        "postgresql_read_pool.POOL_TIMEOUT_SECONDS",
        "sqlite_reader.TURN_TIMEOUT_SECONDS",
        "places.PLACE_TIMEOUT_SECONDS",
        "postgresql.LOCK_TIMEOUT_SECONDS",
    ):
        monkeypatch.setattr(f"app.core.databases.{name}", 1.0)


def adding(ref: str) -> Callable[[Session], None]:
    def work(session: Session) -> None:
        session.add(Person(ref=ref, full_name="Somebody"))

    return work


# Questions


async def test_a_question_that_takes_too_long_is_ended_and_told_how_to_ask(
    fresh_url: str, database_kind: str
) -> None:
    async with opened(fresh_url) as database:
        for _ in range(places(database_kind) + 1):
            with pytest.raises(Unavailable, match=r"Narrow the filter.*export") as refusal:
                await database.read(SLOW[database_kind], {})
            assert "Retry-After" in refusal.value.headers
        assert await database.read(QUICK, {}) == [(1,)]


async def test_a_transaction_whose_question_takes_too_long_tells_it_to_whoever_asks(
    fresh_url: str, database_kind: str
) -> None:
    async with opened(fresh_url) as database:
        async with database.read_transaction() as transaction:
            # Within, as the past is read: what holds the transaction may hold it for longer.
            with pytest.raises(Unavailable, match=r"Narrow the filter"):
                await transaction.read(SLOW[database_kind], {})
        assert await database.read(QUICK, {}) == [(1,)]


async def test_others_are_answered_while_a_slow_question_runs(
    fresh_url: str, database_kind: str
) -> None:
    async with opened(fresh_url, 600) as database:
        slow = asyncio.create_task(database.read(SLOW[database_kind], {}))
        await until(lambda: busy(database) == 1)
        assert await database.read(QUICK, {}) == [(1,)]
        await database.write(adding("meanwhile"))
        assert not slow.done()
        slow.cancel()


async def test_one_who_asks_forty_slow_questions_holds_nobody_up(
    fresh_url: str, database_kind: str
) -> None:
    async with opened(fresh_url, 600) as database:

        def ask(
            caller: str, statement: CompiledQuery, *, by_key: bool = False
        ) -> "asyncio.Task[Rows]":
            context = copy_context()
            context.run(reader.set, caller)
            reading = database.read(statement, {}, point_lookup=by_key)
            return asyncio.create_task(reading, context=context)

        asked = [ask("stranger", SLOW[database_kind]) for _ in range(40)]
        await until(lambda: database.gauges()["reads_waiting"] >= 37)
        async with asyncio.timeout(0.9):
            assert await ask("another", QUICK) == [(1,)]
            assert await ask("stranger", QUICK, by_key=True) == [(1,)]
            await database.write(adding("meanwhile"))
        await until(lambda: sum(task.done() for task in asked) > 30)
        refusals = [task.exception() for task in asked if task.done()]
        assert {type(refusal) for refusal in refusals} == {TooManyRequests}
        for task in asked:
            task.cancel()
        await asyncio.gather(*asked, return_exceptions=True)


async def test_many_who_ask_a_slow_question_each_hold_nobody_up(
    fresh_url: str, database_kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.core.databases.places.QUICK_SECONDS", 0.05)
    async with opened(fresh_url, 600) as database:

        def ask(caller: str, statement: CompiledQuery) -> "asyncio.Task[Rows]":
            context = copy_context()
            context.run(reader.set, caller)
            return asyncio.create_task(database.read(statement, {}), context=context)

        asked = [ask(f"stranger {n}", SLOW[database_kind]) for n in range(24)]
        try:
            await until(lambda: database.gauges()["reads_waiting"] >= 12)
            assert await ask("another", QUICK) == [(1,)]
            await database.write(adding("meanwhile"))
            # Those who wait for a place are told to come again; those who have one go on.
            await until(lambda: sum(task.done() for task in asked) > 12)
            refusals = [task.exception() for task in asked if task.done()]
            assert {type(refusal) for refusal in refusals} == {Unavailable}
            assert await ask("another", QUICK) == [(1,)]
        finally:
            for task in asked:
                task.cancel()
            await asyncio.gather(*asked, return_exceptions=True)


async def test_a_read_that_does_not_come_to_its_turn_is_told_to_come_again(
    fresh_url: str, database_kind: str
) -> None:
    async with opened(fresh_url, 600) as database:
        slow = [
            asyncio.create_task(database.read(SLOW[database_kind], {}))
            for _ in range(places(database_kind))
        ]
        await until(lambda: busy(database) == len(slow))
        waiting = [asyncio.create_task(database.read(QUICK, {})) for _ in range(20)]
        await until(lambda: database.gauges()["reads_waiting"] == 20)
        told = await asyncio.gather(*waiting, return_exceptions=True)
        assert all(isinstance(answer, Unavailable) for answer in told)
        assert "busy" in str(told[0])
        for task in slow:
            task.cancel()
        await asyncio.gather(*slow, return_exceptions=True)
        assert await database.read(QUICK, {}) == [(1,)]


async def test_reads_that_nobody_waits_for_give_their_places_back(
    fresh_url: str, database_kind: str
) -> None:
    async with opened(fresh_url, 600) as database:
        for _ in range(3):
            slow = [
                asyncio.create_task(database.read(SLOW[database_kind], {}))
                for _ in range(places(database_kind) + 20)
            ]
            await until(lambda: database.gauges()["reads_waiting"] == 20)
            for task in slow:
                task.cancel()
            told = await asyncio.gather(*slow, return_exceptions=True)
            assert all(isinstance(answer, asyncio.CancelledError) for answer in told)
        reads = (database.read(QUICK, {}) for _ in range(50))
        assert await asyncio.gather(*reads) == [[(1,)]] * 50
        assert busy(database) == database.gauges()["reads_waiting"] == 0
    if database_kind == "postgresql":
        assert _asleep(fresh_url) == 0


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True, scope="session")
async def test_a_read_that_is_given_up_is_cancelled_however_long_the_server_takes_to_stop_it(
    fresh_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.core.databases.postgresql_read_pool.CANCEL_GRACE_SECONDS", 0.0001)
    async with opened(fresh_url, 600) as database:
        reads = (database.read(SLOW["postgresql"], {}) for _ in range(places("postgresql")))
        slow = [asyncio.create_task(read) for read in reads]
        await until(lambda: _asleep(fresh_url) == len(slow))
        for task in slow:
            task.cancel()
        answers = await asyncio.gather(*slow, return_exceptions=True)
        assert {type(answer) for answer in answers} == {asyncio.CancelledError}
        assert await database.read(QUICK, {}) == [(1,)]


def _asleep(url: str) -> int:
    name = url.rpartition("/")[2]
    found = execute(
        url,
        "SELECT count(*) FROM pg_stat_activity WHERE state = 'active'"
        f" AND query LIKE '%pg_sleep(600)%' AND pid <> pg_backend_pid() AND datname = '{name}'",
    )
    return int(found[0][0])


# Writes


@on_postgresql
async def test_a_write_waits_a_bounded_time_for_a_record_that_is_held(fresh_url: str) -> None:
    async with serving(fresh_url) as app, client_of(app) as client:
        path = "/people/held"
        added = await client.post("/people", json={"ref": "held", "full_name": "Somebody"})
        assert added.status_code == 201
        database: Database = app.state.database
        begun, go_on = asyncio.Event(), asyncio.Event()

        def holding(session: Session) -> None:
            from sqlalchemy.util import await_only

            session.query(Person).filter_by(ref="held").with_for_update().one()
            begun.set()
            await_only(go_on.wait())

        holder = asyncio.create_task(database.write(holding))
        await begun.wait()
        refused = await client.patch(path, json={"note": "x"})
        assert refused.status_code == 503, refused.text
        assert "Another change" in refused.json()["detail"]
        assert int(refused.headers["retry-after"]) > 0
        go_on.set()
        await holder
        assert (await client.patch(path, json={"note": "x"})).status_code == 200


@on_sqlite
async def test_a_write_waits_a_bounded_time_for_another_process(
    fresh_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.core.databases.sqlite.LOCK_TIMEOUT_SECONDS", 0.2)
    with closing(sqlite3.connect(fresh_url.removeprefix("sqlite:///"))) as other:
        async with opened(fresh_url) as database:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(Unavailable):
                await database.write(adding("refused"))
            assert await database.read(QUICK, {}) == [(1,)]
            other.rollback()
            await database.write(adding("stored"))


@on_sqlite
async def test_a_write_that_does_not_come_to_its_turn_is_not_done_later(
    fresh_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.core.databases.sqlite_writer.TURN_TIMEOUT_SECONDS", 0.2)
    begun, go_on = threading.Event(), threading.Event()
    done: list[str] = []

    def holding(session: Session) -> None:
        begun.set()
        go_on.wait(30)
        done.append("first")

    async with opened(fresh_url) as database:
        first = asyncio.create_task(database.write(holding))
        await asyncio.to_thread(begun.wait, 30)
        with pytest.raises(Unavailable, match="busy"):
            await database.write(lambda session: done.append("late"))
        go_on.set()
        await first
        await database.write(lambda session: done.append("next"))
    assert done == ["first", "next"]


# Servers that say nothing


async def test_a_server_that_freezes_is_given_up_and_used_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (
        "postgresql_read_pool.CANCEL_GRACE_SECONDS",
        "postgresql.SILENCE_SECONDS",
        "postgresql.CONNECT_TIMEOUT_SECONDS",
    ):
        monkeypatch.setattr(f"app.core.databases.{name}", 0.5)
    with own_server(tmp_path) as server:
        url = create_database(server.url, "missions")
        await migrate(url)
        async with opened(url) as database:
            await database.write(adding("before"))
            server.freeze()
            try:
                work: list[Any] = [database.read(QUICK, {}) for _ in range(15)]
                work += [database.write(adding(f"meanwhile-{n}")) for n in range(3)]
                async with asyncio.timeout(20):
                    told = await asyncio.gather(*work, return_exceptions=True)
            finally:
                server.thaw()
            assert all(isinstance(answer, Problem) for answer in told), told
            async with asyncio.timeout(20):
                assert await database.read(QUICK, {}) == [(1,)]
                await database.write(adding("after"))
