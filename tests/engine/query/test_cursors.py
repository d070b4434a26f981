"""Cursors that are of no use where they are sent, counts of lists, and limits of pages."""

import base64

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import delete, insert, text

from app.core.databases.types import now, uuid7
from tests.conftest import client_of
from tests.engine.conftest import fault, make, read
from tests.engine.toys import Toy
from tests.examples import Body

NOTE = "cursors"


@pytest.fixture(scope="session")
async def shelf(toy_app: FastAPI) -> list[Body]:
    """Two dozen toys."""
    async with client_of(toy_app) as toys:
        return [await make(toys, name=f"{n:02}", price=n, note=NOTE) for n in range(24)]


# Cursors that are of no use here


@pytest.mark.parametrize(
    "changed",
    [
        {"sort": "-name"},
        {"sort": "name,price"},
        {"note": "another"},
        {"price__gt": "0"},
        {"filter": "price gt 0"},
        {"deleted": "include"},
        {"q": "a"},
    ],
)
async def test_a_cursor_is_of_one_filter_and_sort(
    toys: httpx.AsyncClient, shelf: list[Body], changed: dict[str, str]
) -> None:
    query: dict[str, str] = {"note": NOTE, "sort": "name", "limit": "2"}
    cursor = (await read(toys, "/wooden-toys", **query))["page"]["next_cursor"]
    told = fault(await toys.get("/wooden-toys", params={**query, **changed, "cursor": cursor}))
    assert told["parameter"] == "cursor"
    assert "another filter or order" in told["detail"]


async def test_a_cursor_is_of_one_kind_and_one_installation(
    toys: httpx.AsyncClient, client: httpx.AsyncClient, shelf: list[Body]
) -> None:
    cursor = (await read(toys, "/wooden-toys", limit=2))["page"]["next_cursor"]
    answer = await toys.get("/soft-toys", params={"limit": 2, "cursor": cursor})
    assert "another filter or order" in fault(answer)["detail"]
    missions = await client.get("/missions", params={"limit": 2, "cursor": cursor})
    assert fault(missions)["parameter"] == "cursor"


async def test_a_cursor_is_of_one_parent(client: httpx.AsyncClient) -> None:
    query: Body = {"limit": 1, "sort": "-id"}
    page = await read(client, "/missions/novosibirsk-april/agreements", **query)
    cursor = page["page"]["next_cursor"]
    answer = await client.get("/agreements", params={**query, "cursor": cursor})
    assert "another filter or order" in fault(answer)["detail"]


async def test_a_cursor_of_a_code_list_or_a_history_is_of_no_other_list(
    client: httpx.AsyncClient,
) -> None:
    codes = (await read(client, "/codes/countries", limit=1))["page"]["next_cursor"]
    person = (await client.post("/people", json={"full_name": "Of a history"})).json()
    await client.patch(f"/people/{person['id']}", json={"note": "One."})
    history = f"/people/{person['id']}/history"
    changes = (await read(client, history, limit=1))["page"]["next_cursor"]
    agreements = (await read(client, "/agreements", limit=1))["page"]["next_cursor"]
    for address, cursors in (
        ("/agreements", (codes, changes)),
        ("/codes/countries", (changes, agreements)),
        (history, (codes, agreements)),
    ):
        for cursor in cursors:
            answer = await client.get(address, params={"cursor": cursor})
            assert fault(answer)["parameter"] == "cursor", address


async def test_a_cursor_that_was_tampered_with_is_refused(
    toys: httpx.AsyncClient, shelf: list[Body]
) -> None:
    query = {"note": NOTE, "limit": "2"}
    cursor = (await read(toys, "/wooden-toys", **query))["page"]["next_cursor"]
    raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    for at in range(len(raw)):
        changed = raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]
        text = base64.urlsafe_b64encode(changed).decode().rstrip("=")
        told = fault(await toys.get("/wooden-toys", params={**query, "cursor": text}))
        assert "no cursor of this service" in told["detail"]


@pytest.mark.parametrize(
    "cursor", ["", "x", "0", "null", "=", "====", "ä", "😀", "AAAA", "A" * 4000, "-_-_", "a b", "/"]
)
async def test_garbage_is_no_cursor(toys: httpx.AsyncClient, cursor: str) -> None:
    told = fault(await toys.get("/wooden-toys", params={"cursor": cursor}))
    assert told["parameter"] == "cursor"


async def test_a_cursor_and_an_offset_exclude_each_other(toys: httpx.AsyncClient) -> None:
    cursor = (await read(toys, "/wooden-toys", limit=1))["page"]["next_cursor"]
    answer = await toys.get("/wooden-toys", params={"limit": 1, "cursor": cursor, "offset": 0})
    assert fault(answer)["parameter"] == "offset"


# Counts and limits


async def test_a_count_is_of_the_whole_list_from_any_page(
    toys: httpx.AsyncClient, shelf: list[Body]
) -> None:
    query = {"note": NOTE, "limit": 5}
    for how, total in (("none", None), ("exact", 24), ("estimated", 24)):
        page = (await read(toys, "/wooden-toys", **query, count=how))["page"]
        assert (page["total"], page["total_is_estimate"]) == (total, False)
        cursor = page["next_cursor"]
        page = (await read(toys, "/wooden-toys", **query, count=how, cursor=cursor))["page"]
        assert page["total"] == total
        page = (await read(toys, "/wooden-toys", **query, count=how, offset=30))["page"]
        assert page["total"] == total


async def test_beyond_ten_thousand_an_estimate_is_one(
    toy_app: FastAPI, toys: httpx.AsyncClient
) -> None:
    stamp = now()
    every: Body = {"version": 1, "created_at": stamp, "updated_at": stamp, "note": "many"}
    rows = [
        {**every, "id": uuid7(), "name": ("odd", "even")[n % 2], "is_soft": False, "colours": []}
        for n in range(12_000)
    ]
    database = toy_app.state.database
    await database.write(lambda session: session.execute(insert(Toy), rows))
    # Planned for the few records that were there before, counting takes seconds.
    await database.write(lambda session: session.execute(text("ANALYZE toy")))
    try:
        exact = (await read(toys, "/wooden-toys", note="many", limit=1, count="exact"))["page"]
        assert (exact["total"], exact["total_is_estimate"]) == (12_000, False)
        page = (await read(toys, "/wooden-toys", note="many", limit=1, count="estimated"))["page"]
        # SQLite counts faster than it would estimate.
        assert page["total_is_estimate"] is not database.counts_quickly
        assert 10_000 < page["total"] <= 13_000
        half = {"note": "many", "name": "odd", "limit": 1, "count": "estimated"}
        page = (await read(toys, "/wooden-toys", **half))["page"]
        assert (page["total"], page["total_is_estimate"]) == (6_000, False)
    finally:
        await database.write(lambda session: session.execute(delete(Toy).where(Toy.note == "many")))


@pytest.mark.parametrize(("limit", "taken"), [(1, 1), (1000, 1000), (1001, 1000), (2**53, 1000)])
async def test_too_large_a_limit_is_taken_for_the_largest(
    toys: httpx.AsyncClient, limit: int, taken: int
) -> None:
    assert (await read(toys, "/wooden-toys", limit=limit))["page"]["limit"] == taken


@pytest.mark.parametrize("limit", ["0", "-1", "", "1.0", "1e2", "many", str(10**30), " 1"])
async def test_what_is_no_number_of_records_is_no_limit(
    toys: httpx.AsyncClient, limit: str
) -> None:
    assert fault(await toys.get("/wooden-toys", params={"limit": limit}))["parameter"] == "limit"


@pytest.mark.parametrize(
    ("sort", "words"),
    [
        ("nam", "'name'"),
        ("-box.nam", "'name'"),
        ("bx.name", "'box'"),
        ("box", "box.ref"),
        ("colours", "any number"),
        ("wheels.size", "any number"),
        ("contents.name", "any number"),
        ("box.box.box.box.name", "more than 3"),
        ("ref,name,made,made_earliest,made_latest,price,is_soft,box_id,box.name", "At most 8"),
        ("", "Is empty"),
        ("name,", "comma"),
        ("--name", "no field"),
    ],
)
async def test_what_cannot_be_sorted_by_is_refused(
    toys: httpx.AsyncClient, sort: str, words: str
) -> None:
    told = fault(await toys.get("/wooden-toys", params={"sort": sort}))
    assert told["parameter"] == "sort"
    assert words in told["detail"]
