"""`filter=`: what an expression finds, and where it is told to be wrong."""

import httpx
import pytest
from fastapi import FastAPI

from tests.conftest import client_of
from tests.engine.conftest import fault, make, read
from tests.examples import Body

ALL = {"Box", "Cart", "Bear's", "doll"}


@pytest.fixture(scope="session")
async def shelf(toy_app: FastAPI) -> dict[str, str]:
    """The ids of four toys by name."""
    ids: dict[str, str] = {}
    async with client_of(toy_app) as toys:
        for name, fields in {
            "Box": {"price": 10, "made": "2016"},
            "Cart": {"price": 12.5, "made": "2016-04-12", "colours": ["red", "blue"]},
            "Bear's": {"is_soft": True, "colours": ["red"]},
            "doll": {"price": 0, "made": "XXXX-04"},
        }.items():
            wheels: list[Body] = [{"size": 1}, {"size": 2}] if name == "Cart" else []
            wheels = [{"size": 2, "maker_id": ids["Box"]}] if name == "Bear's" else wheels
            box = ids["Box"] if name in ("Cart", "Bear's") else None
            record = await make(
                toys, name=name, note="expressions", box_id=box, wheels=wheels, **fields
            )
            ids[name] = record["id"]
    return ids


async def found(toys: httpx.AsyncClient, text: str) -> set[str]:
    page = await read(toys, "/wooden-toys", note="expressions", filter=text)
    return {record["name"] for record in page["data"]}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("name eq 'Cart'", {"Cart"}),
        ("name eq 'Bear''s'", {"Bear's"}),
        ("name ne 'Cart'", ALL - {"Cart"}),
        ("name in ('Cart','doll')", {"Cart", "doll"}),
        ("not name in ('Cart','doll')", {"Box", "Bear's"}),
        ("price gt 10", {"Cart"}),
        ("price ge 10 and price lt 12.5", {"Box"}),
        ("price eq 1e1", {"Box"}),
        ("price ne 10", ALL - {"Box"}),
        ("price lt 1e40", ALL - {"Bear's"}),
        ("price eq null", {"Bear's"}),
        ("price ne null", ALL - {"Bear's"}),
        ("not (price gt 10)", ALL - {"Cart"}),
        ("is_soft eq true", {"Bear's"}),
        ("not is_soft eq true", ALL - {"Bear's"}),
        ("made ge 2016-01-01", {"Box", "Cart"}),
        ("not (made ge 2016-01-01)", {"Bear's", "doll"}),
        ("made eq '2016'", {"Box"}),
        ("made eq 2016-04-12", {"Cart"}),
        ("made_earliest eq 2016-04-12", {"Cart"}),
        ("created_at gt 2016-01-01T00:00:00Z", ALL),
        ("created_at lt 2016-01-01", set()),
        ("contains(name,'o')", {"Box", "doll"}),
        ("contains(tolower(name),'B')", {"Box", "Bear's"}),
        ("contains(name,'o') eq false", {"Cart", "Bear's"}),
        ("startswith(name,'B')", {"Box", "Bear's"}),
        ("endswith(name,'''s')", {"Bear's"}),
        ("colours has 'red'", {"Cart", "Bear's"}),
        ("not colours has 'red'", {"Box", "doll"}),
        ("colours eq null", {"Box", "doll"}),
        ("colours ne null", {"Cart", "Bear's"}),
        ("box/name eq 'Box'", {"Cart", "Bear's"}),
        ("box.name eq 'Box'", {"Cart", "Bear's"}),
        ("box/name ne 'Box'", {"Box", "doll"}),
        ("box/made eq null", {"Box", "doll"}),
        ("box/made ne null", {"Cart", "Bear's"}),
        ("box_id eq null", {"Box", "doll"}),
        ("wheels/any()", {"Cart", "Bear's"}),
        ("not wheels/any()", {"Box", "doll"}),
        ("wheels/any(w: w/size eq 2)", {"Cart", "Bear's"}),
        ("wheels/any(w: w/size eq 2 and w/maker_id eq null)", {"Cart"}),
        (
            "wheels/any(w: w/size eq 2) and wheels/any(w: w/maker/name eq 'Box')",
            {"Bear's"},
        ),
        ("wheels/all(w: w/size eq 2)", {"Box", "Bear's", "doll"}),
        ("wheels/all(w: w/size gt 0 and w/maker_id eq null)", {"Box", "Cart", "doll"}),
        ("wheels/any(w: w/maker/contents/any(c: c/name eq 'Cart'))", {"Bear's"}),
        ("contents/any(c: c/wheels/any(w: w/size eq 1))", {"Box"}),
        ("box/contents/any(c: c/is_soft eq true)", {"Cart", "Bear's"}),
        ("name eq 'Box' or name eq 'Cart' and price eq 10", {"Box"}),
        ("(name eq 'Box' or name eq 'Cart') and price eq 12.5", {"Cart"}),
        ("not (name eq 'Box' or is_soft eq true)", {"Cart", "doll"}),
    ],
)
async def test_an_expression_finds(
    toys: httpx.AsyncClient, shelf: dict[str, str], text: str, names: set[str]
) -> None:
    assert await found(toys, text) == names


async def test_an_id_stands_with_or_without_quotes(
    toys: httpx.AsyncClient, shelf: dict[str, str]
) -> None:
    assert await found(toys, f"id eq {shelf['Cart']}") == {"Cart"}
    assert await found(toys, f"id eq '{shelf['Cart']}'") == {"Cart"}
    assert await found(toys, f"box_id in ({shelf['Box']})") == {"Cart", "Bear's"}


async def test_an_expression_narrows_what_flat_filters_find(
    toys: httpx.AsyncClient, shelf: dict[str, str]
) -> None:
    page = await read(
        toys, "/wooden-toys", note="expressions", price__gte="10", filter="name ne 'Box'"
    )
    assert [record["name"] for record in page["data"]] == ["Cart"]


@pytest.mark.parametrize(
    ("text", "position", "words"),
    [
        ("nam eq 'x'", 1, "'name'"),
        ("price gt 1 and nam eq 'x'", 16, "'name'"),
        ("box/nam eq 'x'", 1, "'name'"),
        ("bx/name eq 'x'", 1, "'box'"),
        ("box eq 'x'", 1, "box.ref"),
        ("wheels eq 1", 1, "wheels.size"),
        ("wheels/size eq 1", 1, "wheels/any(x: x/size"),
        ("box/any(b: b/name eq 'x')", 1, "leads to one record"),
        ("wheels/any(w: w/siz eq 1)", 17, "'size'"),
        ("wheels/any(w: size eq 1)", 15, "begin with w"),
        ("name eq 5", 9, "in quotes"),
        ("price eq '5'", 10, "without quotes"),
        ("is_soft eq 'true'", 12, "true or false"),
        ("id eq 5", 7, "an id, such as"),
        ("id eq 'x'", 7, "UUID"),
        ("made_earliest gt 'soon'", 18, "ISO 8601"),
        ("made gt '2016-4'", 9, "2016-04-12"),
        ("made eq 'soon'", 9, "such as"),
        ("name eq ''", 9, "empty"),
        ("name eq null", 1, "always has a value"),
        ("colours eq 'red'", 12, "possible: isnull, has"),
        ("is_soft gt true", 12, "possible: eq"),
        ("contains(price,'1')", 16, "possible: eq"),
        ("startswith(tolower(name),'b')", 1, "tolower goes with contains only"),
        ("version eq 1.5", 12, "whole number"),
        ("name = 'x'", 6, "eq"),
        ("name eq 'x", 9, "not closed"),
        ("(name eq 'x'", 1, "not closed"),
        ("name eq 'x' xor name eq 'y'", 13, "and"),
        ("name", 5, "operator"),
    ],
)
async def test_a_mistake_is_told_with_its_place(
    toys: httpx.AsyncClient, text: str, position: int, words: str
) -> None:
    told = fault(await toys.get("/wooden-toys", params={"filter": text}))
    assert (told["parameter"], told["code"]) == ("filter", "expression")
    assert told["detail"].startswith(f"Character {position}: ")
    assert words in told["detail"]


async def test_an_unknown_code_of_an_expression_is_told(client: httpx.AsyncClient) -> None:
    for text in ("place_region eq 'RU-NVX'", "not (mission/host_region in ('KZ-55','RU-NVX'))"):
        told = fault(await client.get("/agreements", params={"filter": text}))
        assert (told["parameter"], told["code"]) == ("filter", "code")
        assert "'RU-NVS'" in told["detail"]
    told = fault(await client.get("/agreements", params={"filter": "status eq 'sined'"}))
    assert "Character 11" in told["detail"]
    assert "'signed'" in told["detail"]


async def test_an_expression_has_at_most_2000_characters(toys: httpx.AsyncClient) -> None:
    text = "name eq '{}'"
    longest = text.format("x" * (2000 - len(text) + 2))
    assert len(longest) == 2000
    assert (await read(toys, "/wooden-toys", filter=longest))["data"] == []
    told = fault(await toys.get("/wooden-toys", params={"filter": f"{longest} "}))
    assert told["parameter"] == "filter"
    assert "2000" in told["detail"]


async def test_an_expression_has_at_most_50_conditions(
    toys: httpx.AsyncClient, shelf: dict[str, str]
) -> None:
    conditions = ["price eq 1"] * 49 + ["name eq 'Box'"]
    assert await found(toys, " or ".join(conditions)) == {"Box"}
    told = fault(
        await toys.get("/wooden-toys", params={"filter": " or ".join(["price eq 1", *conditions])})
    )
    assert "at most 50 conditions" in told["detail"]


async def test_an_expression_has_at_most_20_levels(
    toys: httpx.AsyncClient, shelf: dict[str, str]
) -> None:
    assert await found(toys, "(" * 20 + "name eq 'Box'" + ")" * 20) == {"Box"}
    assert await found(toys, "not " * 20 + "name eq 'Box'") == {"Box"}
    told = fault(await toys.get("/wooden-toys", params={"filter": "not " * 21 + "name eq 'Box'"}))
    assert "at most 20 levels" in told["detail"]


async def test_an_expression_is_given_once_and_not_empty(toys: httpx.AsyncClient) -> None:
    for query in ("filter=", "filter=name eq 'a'&filter=name eq 'b'", "filter= "):
        assert fault(await toys.get(f"/wooden-toys?{query}"))["parameter"] == "filter"
