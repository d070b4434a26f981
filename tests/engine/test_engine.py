"""The engine alone, on toys: whatever it does, it does without knowing a resource."""

import asyncio
from decimal import Decimal
from itertools import pairwise

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select

from app.core.databases.interface import Base, compile_query
from app.core.errors import BadRequest
from app.engine.history.change_log import Change, difference
from app.engine.paths import fields_of, relations_of
from app.engine.query.parameters import ViewQuery, read_sort, read_view, sortable
from app.engine.query.render import projection_of
from tests.engine.conftest import make
from tests.engine.toys import CHECKED, toy
from tests.examples import Body

# Declarations


def test_names_follow_from_the_resource_s_own() -> None:
    assert (toy.record_type, toy.singular, toy.plural) == ("toy", "wooden toy", "wooden toys")


def test_the_toy_is_no_table_of_the_application() -> None:
    assert not {"toy", "wheel"} & set(Base.metadata.tables)


def test_a_record_is_read_with_bounds_beside_each_stated_date() -> None:
    assert list(toy.read_fields) == [
        *("id", "ref", "name", "made", "made_earliest", "made_latest", "price", "is_soft"),
        *("colours", "box_id", "wheels", "note", "confidential", "withheld"),
        *("version", "created_at", "updated_at", "deleted_at"),
    ]


def test_parts_are_not_filtered_by_themselves_and_lists_are_not_sorted_by() -> None:
    assert set(toy.read_fields) - set(fields_of(toy)) == {"wheels"}
    assert set(fields_of(toy)) - set(sortable(toy)) == {"colours", "withheld"}


def test_a_patch_requires_nothing_and_a_new_record_its_name() -> None:
    assert not [n for n, info in toy.patch.model_fields.items() if info.is_required()]
    assert [n for n, info in toy.create.model_fields.items() if info.is_required()] == ["name"]


def test_relations_lead_through_parts_and_collections() -> None:
    assert list(relations_of(toy)) == ["box", "wheels", "contents"]
    assert list(relations_of(toy.embedded["wheels"])) == ["maker"]


# Queries


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        (None, [("id", False)]),
        ("name", [("name", False), ("id", False)]),
        ("-name,price", [("name", True), ("price", False), ("id", True)]),
        ("-id", [("id", True)]),
        ("id,name", [("id", False)]),
        (" name , -price ", [("name", False), ("price", True), ("id", False)]),
    ],
)
def test_a_sort_always_ends_in_the_id(text: str | None, keys: list[tuple[str, bool]]) -> None:
    assert read_sort(toy, text) == tuple(((name,), descending) for name, descending in keys)


@pytest.mark.parametrize(
    "text",
    ["", "colours", "nam", "name,", ",", "+name", "--name", "name desc", "wheels.size", "box"],
)
def test_a_sort_by_something_else_is_refused(text: str) -> None:
    with pytest.raises(BadRequest):
        read_sort(toy, text)


@pytest.mark.parametrize("text", ["bx", "box.", ".box", "box.bx", "wheels.box", "name", "box,,"])
def test_an_expansion_of_something_else_is_refused(text: str) -> None:
    with pytest.raises(BadRequest):
        read_view(toy, ViewQuery(expand=text))


def test_expansions_in_any_order_are_one_statement() -> None:
    first, second = (ViewQuery(expand=t) for t in ("wheels.maker,box,box", " box , wheels.maker"))
    assert read_view(toy, first) == read_view(toy, second)


def test_paths_with_the_same_beginning_share_it() -> None:
    shown = projection_of(toy, read_view(toy, ViewQuery(expand="box,box.box,box.contents.wheels")))
    assert set(shown.relations) == {"box"}
    assert set(shown.relations["box"].relations) == {"box", "contents"}


def test_a_difference_tells_old_and_new_of_what_changed() -> None:
    before = {"id": 1, "version": 1, "updated_at": 1, "a": None, "b": [1], "c": 2}
    after = {"id": 1, "version": 2, "updated_at": 2, "a": 0, "b": [1], "c": None}
    assert difference(before, after) == {"a": [None, 0], "c": [2, None]}


# Writes


async def test_parts_come_back_in_the_order_they_were_sent(toys: httpx.AsyncClient) -> None:
    made = await make(toys, name="cart", wheels=[{"size": n} for n in (3, 1, 2)])
    address = f"/wooden-toys/{made['id']}"
    for sizes in ([2, 1, 3], [7], [], [5, 4, 6, 1]):
        wheels = [{"size": size} for size in sizes]
        answer = await toys.patch(address, json={"wheels": wheels})
        assert [wheel["size"] for wheel in answer.json()["wheels"]] == sizes
        assert (await toys.get(address)).json() == answer.json()


async def test_a_stated_date_brings_its_bounds(toys: httpx.AsyncClient) -> None:
    made = await make(toys, name="cart", made="2016-02")
    assert (made["made_earliest"], made["made_latest"]) == ("2016-02-01", "2016-02-29")
    answer = await toys.patch(f"/wooden-toys/{made['id']}", json={"made": None})
    assert (answer.json()["made_earliest"], answer.json()["made_latest"]) == (None, None)


async def test_the_check_sees_the_record_and_its_state_before(toys: httpx.AsyncClient) -> None:
    CHECKED.clear()
    made = await make(toys, name="old", price=Decimal("1.5"))
    await toys.patch(f"/wooden-toys/{made['id']}", json={"name": "new"})
    assert [("old", None), ("new", made)] == CHECKED


async def test_what_the_check_refuses_is_not_stored(toys: httpx.AsyncClient) -> None:
    made = await make(toys, name="whole")
    address = f"/wooden-toys/{made['id']}"
    assert (await toys.patch(address, json={"name": "broken"})).status_code == 422
    assert (await toys.post("/wooden-toys", json={"name": "broken"})).status_code == 422
    assert (await toys.get(address)).json() == made
    assert (await toys.get("/wooden-toys?name=broken")).json()["data"] == []


async def test_two_kinds_can_share_a_table(toys: httpx.AsyncClient) -> None:
    hard, soft = await make(toys, name="cart"), await make(toys, name="bear", is_soft=True)
    assert (await toys.get(f"/soft-toys/{soft['id']}")).json() == soft
    assert (await toys.get(f"/soft-toys/{hard['id']}")).status_code == 404
    assert (await toys.delete(f"/soft-toys/{hard['id']}")).status_code == 404
    assert (await toys.get(f"/soft-toys?id={hard['id']}")).json()["data"] == []


async def test_a_body_over_the_limit_is_refused(toys: httpx.AsyncClient) -> None:
    answer = await toys.post("/wooden-toys", json={"name": "x", "note": "x" * 10_000})
    assert answer.status_code == 413


# Relations


async def test_relations_of_all_kinds_are_shown_within_each_other(toys: httpx.AsyncClient) -> None:
    box = await make(toys, name="box")
    cart = await make(
        toys, name="cart", box_id=box["id"], wheels=[{"size": 1, "maker_id": box["id"]}]
    )
    shown = (await toys.get(f"/wooden-toys/{box['id']}?expand=contents.wheels.maker")).json()
    wheel = {**cart["wheels"][0], "maker": box}
    assert shown == {**box, "contents": [{**cart, "wheels": [wheel]}]}
    shown = (await toys.get(f"/wooden-toys/{cart['id']}?expand=box.contents")).json()
    assert shown == {**cart, "box": {**box, "contents": [cart]}}


async def test_what_lies_in_the_trash_is_shown_to_one_and_not_to_many(
    toys: httpx.AsyncClient,
) -> None:
    box = await make(toys, name="box")
    cart = await make(toys, name="cart", box_id=box["id"])
    await toys.delete(f"/wooden-toys/{cart['id']}")
    shown = (await toys.get(f"/wooden-toys/{box['id']}?expand=contents")).json()
    assert shown["contents"] == []
    await toys.post(f"/wooden-toys/{cart['id']}/restore")
    await toys.delete(f"/wooden-toys/{box['id']}")
    shown = (await toys.get(f"/wooden-toys/{cart['id']}?expand=box")).json()
    assert (shown["box"]["id"], shown["box"]["version"]) == (box["id"], 2)


# Many at once


async def test_writers_at_once_get_numbers_without_gaps(
    toys: httpx.AsyncClient, toy_app: FastAPI
) -> None:
    database = toy_app.state.database
    statement = compile_query(select(Change.seq).order_by(Change.seq), database.dialect)
    before = len(await database.read(statement, {}))
    bodies = [{"name": "cart", "ref": f"cart-{n % 20}"} for n in range(40)]
    answers = await asyncio.gather(*(toys.post("/wooden-toys", json=body) for body in bodies))
    told = sorted(answer.status_code for answer in answers)
    assert told == [201] * 20 + [409] * 20
    numbers = [row[0] for row in await database.read(statement, {})]
    assert numbers == list(range(1, before + 20 + 1))


async def test_writers_of_one_record_do_not_lose_a_change(toys: httpx.AsyncClient) -> None:
    address = f"/wooden-toys/{(await make(toys, name='cart'))['id']}"
    changes: list[Body] = [{"note": f"note {n}"} for n in range(10)]
    answers = await asyncio.gather(*(toys.patch(address, json=body) for body in changes))
    assert sorted(answer.json()["version"] for answer in answers) == list(range(2, 12))
    history = (await toys.get(f"{address}/history")).json()["data"][::-1]
    notes = [entry["changes"].get("note", [None, None]) for entry in history]
    assert all(before[1] == after[0] for before, after in pairwise(notes))
