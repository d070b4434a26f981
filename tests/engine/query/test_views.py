"""What is shown of a record: its fields, its relations, and what it was before."""

from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from tests.conftest import client_of
from tests.engine.conftest import fault, make, read
from tests.examples import Body


@pytest.fixture(scope="session")
async def shelf(toy_app: FastAPI) -> dict[str, Body]:
    """A cart in a box in a chest, with two wheels, one of them made by the box."""
    async with client_of(toy_app) as toys:
        chest = await make(toys, name="chest", note="views", price=3)
        box = await make(toys, name="box", note="views", box_id=chest["id"], colours=["red"])
        wheels = [{"size": 2, "maker_id": box["id"]}, {"size": 1}]
        cart = await make(
            toys, name="cart", note="views", made="2016-04", box_id=box["id"], wheels=wheels
        )
    return {"chest": chest, "box": box, "cart": cart}


async def shown(toys: httpx.AsyncClient, record: Body, **view: str) -> Any:
    """The record in a view, which is the same in a list."""
    address = f"/wooden-toys/{record['id']}"
    alone = await read(toys, address, **view)
    (listed,) = (await read(toys, "/wooden-toys", id=record["id"], **view))["data"]
    assert alone == listed
    return alone


def of(record: Body, *names: str) -> Body:
    return {name: record[name] for name in names}


# Fields


async def test_only_the_fields_that_are_asked_for_are_shown_in_the_record_s_order(
    toys: httpx.AsyncClient, shelf: dict[str, Body]
) -> None:
    cart = shelf["cart"]
    for fields in ("name", "made_latest,name,id", " name , id ", "name,name", "wheels", "colours"):
        names = {word.strip() for word in fields.split(",")}
        found = await shown(toys, cart, fields=fields)
        assert list(found) == [name for name in cart if name in names]
        assert found == of(cart, *found)


async def test_a_field_of_a_part_is_shown_alone(
    toys: httpx.AsyncClient, shelf: dict[str, Body]
) -> None:
    found = await shown(toys, shelf["cart"], fields="name,wheels.size")
    assert found == {"name": "cart", "wheels": [{"size": 2}, {"size": 1}]}
    found = await shown(toys, shelf["cart"], fields="wheels,wheels.size")
    assert found == of(shelf["cart"], "wheels")
    assert await shown(toys, shelf["box"], fields="wheels.size") == {"wheels": []}


async def test_a_field_of_a_related_record_is_shown_alone(
    toys: httpx.AsyncClient, shelf: dict[str, Body]
) -> None:
    found = await shown(toys, shelf["cart"], fields="id,box.name,box.colours")
    assert found == {"id": shelf["cart"]["id"], "box": {"name": "box", "colours": ["red"]}}
    assert await shown(toys, shelf["chest"], fields="box.name") == {"box": None}
    found = await shown(toys, shelf["cart"], fields="box.box.name")
    assert found == {"box": {"box": {"name": "chest"}}}
    found = await shown(toys, shelf["chest"], fields="contents.contents.wheels.size")
    assert found == {"contents": [{"contents": [{"wheels": [{"size": 2}, {"size": 1}]}]}]}
    found = await shown(toys, shelf["cart"], fields="wheels.maker.box.name")
    assert found == {"wheels": [{"maker": {"box": {"name": "chest"}}}, {"maker": None}]}


async def test_a_relation_among_the_fields_is_shown_in_full(
    toys: httpx.AsyncClient, shelf: dict[str, Body]
) -> None:
    for fields in ("name,box", "name,box,box.name", "name,box.name,box"):
        found = await shown(toys, shelf["cart"], fields=fields)
        assert found == {"name": "cart", "box": shelf["box"]}
    found = await shown(toys, shelf["box"], fields="contents")
    assert found == {"contents": [shelf["cart"]]}


async def test_fields_of_several_relations_stand_beside_each_other(
    toys: httpx.AsyncClient, shelf: dict[str, Body]
) -> None:
    found = await shown(
        toys, shelf["box"], fields="name,box.name,contents.name,contents.wheels.maker.name"
    )
    wheels = [{"maker": {"name": "box"}}, {"maker": None}]
    assert found == {
        "name": "box",
        "box": {"name": "chest"},
        "contents": [{"name": "cart", "wheels": wheels}],
    }


# Relations


async def test_a_relation_is_shown_beside_the_whole_record(
    toys: httpx.AsyncClient, shelf: dict[str, Body]
) -> None:
    chest, box, cart = shelf["chest"], shelf["box"], shelf["cart"]
    assert await shown(toys, cart, expand="box") == {**cart, "box": box}
    assert await shown(toys, chest, expand="box") == {**chest, "box": None}
    assert await shown(toys, chest, expand="contents") == {**chest, "contents": [box]}
    assert await shown(toys, cart, expand="contents") == {**cart, "contents": []}
    found = await shown(toys, cart, expand="box.box,wheels.maker")
    wheels = [{**w, "maker": m} for w, m in zip(cart["wheels"], (box, None), strict=True)]
    assert found == {**cart, "wheels": wheels, "box": {**box, "box": chest}}


async def test_relations_are_shown_three_steps_deep_through_each_other(
    toys: httpx.AsyncClient, shelf: dict[str, Body]
) -> None:
    chest, box, cart = shelf["chest"], shelf["box"], shelf["cart"]
    found = await shown(toys, chest, expand="contents.contents.wheels")
    assert found == {**chest, "contents": [{**box, "contents": [cart]}]}
    found = await shown(toys, cart, expand="box.box.contents")
    assert found == {**cart, "box": {**box, "box": {**chest, "contents": [box]}}}


async def test_fields_and_expand_go_together(
    toys: httpx.AsyncClient, shelf: dict[str, Body]
) -> None:
    chest, box, cart = shelf["chest"], shelf["box"], shelf["cart"]
    found = await shown(toys, cart, fields="name", expand="box")
    assert found == {"name": "cart", "box": box}
    found = await shown(toys, cart, fields="name", expand="wheels.maker")
    wheels = [{**w, "maker": m} for w, m in zip(cart["wheels"], (box, None), strict=True)]
    assert found == {"name": "cart", "wheels": wheels}
    found = await shown(toys, cart, fields="wheels.size", expand="wheels.maker")
    assert found == {"wheels": [{"size": 2, "maker": box}, {"size": 1, "maker": None}]}
    found = await shown(toys, cart, fields="box.name", expand="box.box")
    assert found == {"box": {"name": "box", "box": chest}}
    found = await shown(toys, cart, fields="box", expand="box.contents")
    assert found == {"box": {**box, "contents": [cart]}}


# What is not there


@pytest.mark.parametrize(
    ("parameter", "text", "words"),
    [
        ("fields", "nam", "'name'"),
        ("fields", "name,nam", "'name'"),
        ("fields", "box.nam", "'name'"),
        ("fields", "bx.name", "'box'"),
        ("fields", "wheels.siz", "'size'"),
        ("fields", "wheels.mker.name", "'maker'"),
        ("fields", "name.name", "no relation 'name'"),
        ("fields", "box.box.box.box.name", "more than 3"),
        ("fields", "", "comma"),
        ("fields", "name,", "comma"),
        ("fields", ".name", "no relation"),
        ("expand", "bx", "'box'"),
        ("expand", "box.bx", "'box'"),
        ("expand", "wheels.mker", "'maker'"),
        ("expand", "name", "no relation 'name'"),
        ("expand", "box.box.box.box", "more than 3"),
        ("expand", "", "comma"),
        ("expand", "box,,", "comma"),
        ("expand", "citations", "Possible here: box, wheels, contents"),
    ],
)
async def test_what_is_not_there_cannot_be_shown(
    toys: httpx.AsyncClient, shelf: dict[str, Body], parameter: str, text: str, words: str
) -> None:
    for address in (f"/wooden-toys/{shelf['cart']['id']}", "/wooden-toys"):
        told = fault(await toys.get(address, params={parameter: text}))
        assert told["parameter"] == parameter
        assert words in told["detail"]


@pytest.mark.parametrize(
    "query",
    [
        "",
        "fields=name",
        "fields=name,box.name,wheels.maker.box.name",
        "expand=box.box.box,wheels.maker.box,contents.wheels.maker,contents.contents.contents",
        "fields=box.box.name,contents&expand=wheels.maker",
    ],
)
async def test_whatever_is_shown_is_read_at_once(
    toys: httpx.AsyncClient, shelf: dict[str, Body], toy_statements: list[str], query: str
) -> None:
    for address in (
        f"/wooden-toys/{shelf['cart']['id']}?{query}",
        f"/wooden-toys?note=views&{query}",
        f"/wooden-toys?note=views&sort=-box.name,price&limit=2&{query}",
    ):
        toy_statements.clear()
        await read(toys, address)
        # What shows records of other lists is counted first, by the ids of those that show them.
        several = "contents" in query
        assert len(toy_statements) == (3 if several else 1), address


async def test_a_field_in_other_words_is_told_by_its_labels(client: httpx.AsyncClient) -> None:
    for name in ("sum", "сумма"):
        answer = await client.get("/agreements", params={"fields": f"ref,{name}"})
        assert answer.json()["errors"][0]["detail"].endswith("Did you mean 'amount'?"), answer.text
