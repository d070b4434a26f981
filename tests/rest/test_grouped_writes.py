"""Writes that share a transaction, as on SQLite those do that wait together: each is by itself."""

import asyncio
from collections.abc import Sequence
from typing import Any

import httpx
from fastapi import FastAPI

from app.core.databases.sqlite import SqliteDatabase
from tests.conftest import client_of
from tests.held_writer import held_writer
from tests.rest.calls import contents
from tests.rest.feed import newest, read_from

Call = tuple[str, str, Any]


async def together(app: FastAPI, calls: Sequence[Call]) -> list[httpx.Response]:
    """The answers to writes that come one after another while the writer is at work with another;
    on PostgreSQL each has a transaction of its own."""
    database = app.state.database
    async with client_of(app) as client:
        if not isinstance(database, SqliteDatabase):
            return [await client.request(method, at, json=body) for method, at, body in calls]
        tasks = []
        async with held_writer(database) as let_go:
            for method, at, body in calls:
                tasks.append(asyncio.ensure_future(client.request(method, at, json=body)))
                for _ in range(500):
                    if database.gauges()["writes_waiting"] == len(tasks):
                        break
                    await asyncio.sleep(0.001)
            groups = database.gauges()["write_groups_total"]
            let_go()
            answers = list(await asyncio.gather(*tasks))
        assert database.gauges()["write_groups_total"] == groups + 2
        return answers


def statuses(answers: list[httpx.Response]) -> list[int]:
    return [answer.status_code for answer in answers]


async def test_a_refused_write_leaves_nothing_and_the_others_are_stored(
    fresh_app: FastAPI,
) -> None:
    calls: list[Call] = [
        ("POST", "/people", {"full_name": "Querida One", "ref": "querida"}),
        ("POST", "/people", {"full_name": "Querida Two", "ref": "querida"}),
        ("POST", "/people", {"full_name": "Querida Three", "country": "ZZ"}),
        ("POST", "/people", {"full_name": "Querida Four"}),
    ]
    async with client_of(fresh_app) as client:
        start = await newest(client)
        assert statuses(await together(fresh_app, calls)) == [201, 409, 422, 201]
        log = await read_from(client, start)
        assert [entry["seq"] for entry in log] == [start + 1, start + 2]
        names = [entry["changes"]["full_name"][1] for entry in log]
        assert names == ["Querida One", "Querida Four"]
        found = (await client.get("/people", params={"q": "querida"})).json()["data"]
        assert sorted(each["full_name"] for each in found) == sorted(names)
    rows = await contents(fresh_app)
    assert not [row for table in rows.values() for row in table if "Three" in row]


async def test_a_write_sees_what_those_before_it_have_written(fresh_app: FastAPI) -> None:
    calls: list[Call] = [
        ("POST", "/people", {"full_name": "Querida", "ref": "somebody", "note": "first"}),
        ("PATCH", "/people/somebody", {"full_name": "Esmeralda", "note": "second"}),
        ("PATCH", "/people?q=esmeralda&max_affected=5", {"note": "third"}),
        ("DELETE", "/people?q=querida&max_affected=5", None),
        ("POST", "/people/somebody/restore?version=1", None),
        ("DELETE", "/people?q=querida&max_affected=5", None),
    ]
    answers = await together(fresh_app, calls)
    assert statuses(answers) == [201, 200, 200, 200, 200, 200]
    assert [answers[at].json()["matched"] for at in (2, 3, 5)] == [1, 0, 1]
    assert answers[4].json()["note"] == "first"
    async with client_of(fresh_app) as client:
        history = (await client.get("/people/somebody/history")).json()["data"]
        assert [entry["version"] for entry in history] == [5, 4, 3, 2, 1]
        assert [entry["seq"] for entry in history] == sorted(
            (entry["seq"] for entry in history), reverse=True
        )


async def test_a_purge_leaves_nothing_of_what_was_just_written(fresh_app: FastAPI) -> None:
    calls: list[Call] = [
        ("POST", "/people", {"full_name": "Querida", "ref": "querida"}),
        ("PATCH", "/people/querida", {"full_name": "Querida Zyxwvut"}),
        ("DELETE", "/people/querida?purge=true", None),
        ("POST", "/people", {"full_name": "Another", "ref": "querida"}),
    ]
    async with client_of(fresh_app) as client:
        start = await newest(client)
        assert statuses(await together(fresh_app, calls)) == [201, 200, 204, 201]
        log = await read_from(client, start)
    assert [entry["action"] for entry in log] == ["create", "update", "purge", "create"]
    assert [entry["changes"] for entry in log[:3]] == [{}, {}, {}]
    rows = await contents(fresh_app, without=("search_words_known",))
    assert not [row for table in rows.values() for row in table if "Querida" in row]


async def test_a_write_that_ends_badly_after_it_has_searched_keeps_those_before_it(
    fresh_app: FastAPI,
) -> None:
    """It does at once what they have left for the end, and that is undone with it."""
    calls: list[Call] = [
        ("POST", "/people", {"full_name": "Querida One"}),
        ("PATCH", "/people?q=querida&max_affected=5", {"country": "ZZ"}),
        ("POST", "/people", {"full_name": "Querida Two"}),
    ]
    async with client_of(fresh_app) as client:
        start = await newest(client)
        assert statuses(await together(fresh_app, calls)) == [201, 422, 201]
        assert len(await read_from(client, start)) == 2
        found = (await client.get("/people", params={"q": "querida"})).json()["data"]
    assert sorted(each["full_name"] for each in found) == ["Querida One", "Querida Two"]


async def test_a_write_that_ends_badly_after_it_has_looked_at_the_log_keeps_those_before_it(
    fresh_app: FastAPI,
) -> None:
    one: Call = ("POST", "/people", {"full_name": "Querida", "confidential": True})
    async with client_of(fresh_app) as client:
        for ref in ("first", "second", "third"):
            body = {"kind": "company", "name": ref, "ref": ref}
            await client.post("/organizations", json=body)
        for ref, into in (("first", "second"), ("second", "third")):
            await client.post(f"/organizations/{ref}/merge", json={"into": into})
        refused: list[Call] = [
            # What it was merged into was merged itself.
            ("POST", "/organizations/first/unmerge", None),
            ("DELETE", "/people?q=querida&max_affected=1", None),
        ]
        for call in refused:
            start = await newest(client)
            assert statuses(await together(fresh_app, [one, call, one])) == [201, 409, 201], call
            assert len(await read_from(client, start)) == 2
