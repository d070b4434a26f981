"""Walking a list by its cursors, forward and back, while it stands still and while it changes."""

from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import client_of
from tests.engine.conftest import change, make, read
from tests.examples import Body

NOTE = "paging"
#: The value of a record that each sort key stands for.
KEYS: dict[str, Callable[[Body], Any]] = {
    "id": lambda r: r["id"],
    "ref": lambda r: r["ref"],
    "name": lambda r: r["name"],
    "made": lambda r: r["made_earliest"],
    "made_latest": lambda r: r["made_latest"],
    "price": lambda r: r["price"],
    "is_soft": lambda r: r["is_soft"],
    "version": lambda r: r["version"],
    "created_at": lambda r: r["created_at"],
    "deleted_at": lambda r: r["deleted_at"],
    "box_id": lambda r: r["box_id"],
    "box.name": lambda r: r["box"] and r["box"]["name"],
    "box.price": lambda r: r["box"] and r["box"]["price"],
    "box.made": lambda r: r["box"] and r["box"]["made_earliest"],
    "box.box.name": lambda r: r["box"] and r["box"]["box"] and r["box"]["box"]["name"],
}


@pytest.fixture(scope="session")
async def shelf(toy_app: FastAPI) -> list[Body]:
    """Toys with ties and without values, each with its box and that one's box."""
    async with client_of(toy_app) as toys:
        ids: list[str | None] = [None]
        prices = (None, 0, Decimal("0.5"), 10**14 - 1, 2)
        dates = (None, "2016", "2016-01-01", "XXXX-04", "2015-24", "2016-01/2017-02")
        for n in range(24):
            record = await make(
                toys,
                name=("a", "Ё", "b")[n % 3],
                ref=f"paging-{n}" if n % 4 else None,
                price=prices[n % 5],
                made=dates[n % 6],
                is_soft=n % 7 < 3,
                box_id=ids[n * 5 % len(ids)],
                note=NOTE,
            )
            ids.append(record["id"])
            if n % 6 == 5:
                await change(toys, record, note=f"{NOTE} "[:-1], price=prices[n % 4])
        expanded = await read(toys, "/wooden-toys", note=NOTE, limit=1000, expand="box.box")
    records: list[Body] = expanded["data"]
    assert len(records) == 24
    return records


def in_order(records: list[Body], sort: str) -> list[str]:
    """The ids of the records as the documentation says that they are sorted."""
    found = sorted(records, key=lambda r: str(r["id"]))
    names = sort.split(",")
    if names[0].startswith("-"):
        found.reverse()
    for name in reversed(names):
        key = KEYS[name.removeprefix("-")]
        some = [record for record in found if key(record) is not None]
        none = [record for record in found if key(record) is None]
        some.sort(key=key, reverse=name.startswith("-"))
        found = some + none
    return [record["id"] for record in found]


async def pages(
    toys: httpx.AsyncClient, way: str = "next", cursor: str | None = None, **query: Any
) -> AsyncIterator[list[Body]]:
    """The pages of a list from a cursor on, one way."""
    while True:
        sent = {**query, **({"cursor": cursor} if cursor else {})}
        page = await read(toys, "/wooden-toys", **sent)
        yield page["data"]
        cursor = page["page"][f"{way}_cursor"]
        if cursor is None:
            return


async def check_walk(toys: httpx.AsyncClient, meant: list[str], **query: Any) -> None:
    """Walk on to the end and back to the beginning."""
    limit, cursor, found = query["limit"], None, []
    while True:
        sent = {**query, **({"cursor": cursor} if cursor else {})}
        page = await read(toys, "/wooden-toys", **sent)
        found += [record["id"] for record in page["data"]]
        assert (page["page"]["prev_cursor"] is None) is (cursor is None)
        last = page
        cursor = page["page"]["next_cursor"]
        if cursor is None:
            break
        assert len(page["data"]) == limit
    assert found == meant
    back = [record["id"] for record in last["data"]]
    previous = last["page"]["prev_cursor"]
    if previous is not None:
        async for rows in pages(toys, "prev", previous, **query):
            back = [record["id"] for record in rows] + back
    assert back == meant


# A list that stands still


@pytest.mark.parametrize(
    "sort",
    [
        *(f"{sign}{key}" for key in KEYS for sign in ("", "-")),
        "name,-price",
        "-name,price",
        "-price,made",
        "price,-made",
        "made,-box.name,price",
        "-box.name,-box.price,name",
        "box.box.name,-ref",
        "is_soft,-name,price,-made",
        "deleted_at,-ref,name",
        "name,-id",
        "-name,id",
    ],
)
async def test_a_walk_is_the_sorted_list_on_and_back(
    toys: httpx.AsyncClient, shelf: list[Body], sort: str
) -> None:
    meant = in_order(shelf, sort)
    whole = await read(toys, "/wooden-toys", note=NOTE, sort=sort, limit=1000)
    assert [record["id"] for record in whole["data"]] == meant
    for limit in (1, 5):
        await check_walk(toys, meant, note=NOTE, sort=sort, limit=limit)


_sorts = st.lists(
    st.tuples(st.sampled_from(("", "-")), st.sampled_from(list(KEYS))).map("".join),
    min_size=1,
    max_size=4,
    unique_by=lambda key: key.removeprefix("-"),
).map(",".join)


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(sort=_sorts, limit=st.integers(1, 25))
async def test_any_walk_is_the_sorted_list_on_and_back(
    toys: httpx.AsyncClient, shelf: list[Body], sort: str, limit: int
) -> None:
    await check_walk(toys, in_order(shelf, sort), note=NOTE, sort=sort, limit=limit)


async def test_a_walk_goes_over_what_a_filter_leaves(
    toys: httpx.AsyncClient, shelf: list[Body]
) -> None:
    chosen = [r for r in shelf if r["price"] is None or r["price"] < 10]
    await check_walk(
        toys,
        in_order(chosen, "-price"),
        note=NOTE,
        sort="-price",
        limit=3,
        filter="price eq null or price lt 10",
    )


async def test_a_page_can_be_turned_back_from_any_place(
    toys: httpx.AsyncClient, shelf: list[Body]
) -> None:
    query = {"note": NOTE, "sort": "-price,name", "limit": 4}
    before: list[Body] = []
    cursor: str | None = None
    while True:
        page = await read(toys, "/wooden-toys", **query, **({"cursor": cursor} if cursor else {}))
        if cursor is not None:
            back = await read(toys, "/wooden-toys", **query, cursor=page["page"]["prev_cursor"])
            assert back["data"] == before
        before, cursor = page["data"], page["page"]["next_cursor"]
        if cursor is None:
            return


async def test_limit_and_view_may_change_on_the_way(
    toys: httpx.AsyncClient, shelf: list[Body]
) -> None:
    first = await read(toys, "/wooden-toys", note=NOTE, sort="name", limit=4)
    more = {"cursor": first["page"]["next_cursor"], "limit": 7, "fields": "id", "count": "exact"}
    second = await read(toys, "/wooden-toys", note=NOTE, sort="name", **more)
    ids = [record["id"] for record in first["data"]] + [r["id"] for r in second["data"]]
    assert ids == in_order(shelf, "name")[:11]
    assert second["page"]["total"] == len(shelf)


async def test_the_links_are_the_cursors(toys: httpx.AsyncClient, shelf: list[Body]) -> None:
    sent = {"note": NOTE, "sort": "-name", "limit": "5", "filter": "price ne 7"}
    first = await toys.get("/wooden-toys", params={**sent, "offset": "2"})
    following = first.json()["page"]["next_cursor"]
    answer = await toys.get("/wooden-toys", params={**sent, "cursor": following})
    for page in (first, answer):
        assert {*page.links} == {"next", "prev"}
        for way in ("next", "prev"):
            parts = urlsplit(page.links[way]["url"])
            assert parts.path == "/wooden-toys"
            asked = {name: value for name, (value,) in parse_qs(parts.query).items()}
            assert asked == {**sent, "cursor": page.json()["page"][f"{way}_cursor"]}


async def test_an_offset_passes_over_records(toys: httpx.AsyncClient, shelf: list[Body]) -> None:
    meant = in_order(shelf, "name")
    for offset in (0, 1, 20, 24, 10_000):
        page = await read(toys, "/wooden-toys", note=NOTE, sort="name", limit=3, offset=offset)
        assert [record["id"] for record in page["data"]] == meant[offset : offset + 3]


async def test_cursors_go_on_from_a_page_with_an_offset(
    toys: httpx.AsyncClient, shelf: list[Body]
) -> None:
    meant, query = in_order(shelf, "name"), {"note": NOTE, "sort": "name", "limit": 3}
    page = (await read(toys, "/wooden-toys", **query, offset=5))["page"]
    following = await read(toys, "/wooden-toys", **query, cursor=page["next_cursor"])
    assert [record["id"] for record in following["data"]] == meant[8:11]
    before = await read(toys, "/wooden-toys", **query, cursor=page["prev_cursor"])
    assert [record["id"] for record in before["data"]] == meant[2:5]


@pytest.mark.parametrize(
    "length",
    [
        500,
        5000,
    ],
)
async def test_a_walk_goes_by_long_texts_too(toys: httpx.AsyncClient, length: int) -> None:
    for n in range(3):
        await make(toys, name=f"long text {length}", note=f"{n}" + "x" * length)
    query: Body = {"name": f"long text {length}", "sort": "note", "limit": 1, "fields": "note"}
    found = [record["note"][0] async for (record,) in pages(toys, **query)]
    assert found == ["0", "1", "2"]


# A list that changes


@pytest.mark.parametrize(
    "sort", ["name", "-name", "price,-name", "-price", "made,name", "box.name"]
)
async def test_what_stays_where_it_is_is_seen_once_whatever_else_changes(
    toys: httpx.AsyncClient, sort: str
) -> None:
    note = f"changing {sort}"
    box = await make(toys, name="m", note="a box")
    records = []
    for n in range(12):
        price, made = (None, n)[n % 2], (None, f"{2000 + n}")[n % 3 > 0]
        boxed = (None, box["id"])[n % 2]
        made_so = await make(toys, name=f"{n:02}", price=price, made=made, box_id=boxed, note=note)
        records.append(made_so)
    goes, moves = {records[n]["id"] for n in (1, 6)}, {records[n]["id"] for n in (2, 9)}
    seen: list[str] = []
    turn = 0
    async for rows in pages(toys, note=note, sort=sort, limit=2):
        seen += [record["id"] for record in rows]
        turn += 1
        if turn == 1:
            for record_id in goes:
                assert (await toys.delete(f"/wooden-toys/{record_id}")).status_code == 204
            await make(toys, name="00", price=None, note=note)
            await make(toys, name="99", price=99, made="2099", note=note)
        if turn == 2:
            for n in (2, 9):
                await change(toys, records[n], name=f"{50 - n}", price=50 - n, made="2050")
    assert len(seen) == len(set(seen)) or set(seen[:4]) & moves
    still = [r["id"] for r in records if r["id"] not in goes | moves]
    assert [seen.count(record_id) for record_id in still] == [1] * len(still)


async def test_a_cursor_outlives_the_record_that_it_was_made_of(toys: httpx.AsyncClient) -> None:
    records = [await make(toys, name=f"{n}", note="outlived") for n in range(4)]
    query = {"note": "outlived", "sort": "name", "limit": 2}
    cursor = (await read(toys, "/wooden-toys", **query))["page"]["next_cursor"]
    await toys.delete(f"/wooden-toys/{records[1]['id']}")
    page = await read(toys, "/wooden-toys", **query, cursor=cursor)
    assert page["data"] == records[2:]


async def test_a_page_that_has_become_empty_leads_nowhere(toys: httpx.AsyncClient) -> None:
    records = [await make(toys, name=f"{n}", note="emptied") for n in range(3)]
    query = {"note": "emptied", "limit": 2}
    cursor = (await read(toys, "/wooden-toys", **query))["page"]["next_cursor"]
    await toys.delete(f"/wooden-toys/{records[2]['id']}")
    page = await read(toys, "/wooden-toys", **query, cursor=cursor)
    assert page["data"] == []
    assert page["page"]["next_cursor"] is None
