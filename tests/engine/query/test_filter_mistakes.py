"""Flat filters that make no sense, and the values of code lists."""

import httpx
import pytest

from tests.engine.conftest import fault, make, read


@pytest.mark.parametrize(
    ("query", "code", "words"),
    [
        ("nam=x", "unknown", "'name'"),
        ("nam__contains=x", "unknown", "'name'"),
        ("limt=1", "unknown", "'limit'"),
        ("__eq=1", "unknown", "no parameter"),
        ("name__contians=x", "operator", "'contains'"),
        ("name__eq__eq=x", "operator", "Possible: eq"),
        ("name__=x", "operator", "Possible: eq"),
        ("price__contains=1", "value", "possible: eq"),
        ("colours=red", "value", "possible: isnull, has"),
        ("is_soft__gt=true", "value", "possible: eq"),
        ("name__isnull=true", "value", "possible: eq"),
        ("box__nam=x", "unknown", "'name'"),
        ("box__name__contians=x", "operator", "'contains'"),
        ("wheels__maker__name__contians=x", "operator", "'contains'"),
        ("wheels__siz=1", "unknown", "'size'"),
        ("bx__name=x", "unknown", "'box'"),
        ("wheels__mker__name=x", "unknown", "'maker'"),
        ("box=X", "unknown", "box__ref="),
        ("box__box__box__box__name=x", "unknown", "more than 3"),
        ("wheels=1", "unknown", "wheels__size"),
        ("name=", "value", "leave it out"),
        ("note=", "value", "note__isnull=true"),
        ("name__contains=", "value", "empty"),
        ("name__in=", "value", ""),
        ("name__in=a,,b", "value", "empty"),
        ("price=much", "value", "such as 1250.5"),
        ("price=1,5", "value", "such as 1250.5"),
        ("price=NaN", "value", "such as 1250.5"),
        ("price=Infinity", "value", "such as 1250.5"),
        ("price=٣", "value", "such as 1250.5"),
        ("version=1.0", "value", "whole number"),
        ("version=" + "9" * 101, "value", "whole number"),
        ("is_soft=1", "value", "true or false"),
        ("is_soft=True", "value", "true or false"),
        ("price__isnull=", "value", "true or false"),
        ("wheels__isnull=maybe", "value", "true or false"),
        ("id=1", "value", "UUID"),
        ("box_id=Shelf Bin", "value", "UUID"),
        ("made=12.04.2016", "value", "2016-04-12"),
        ("made__gt=2016-4", "value", "2016-04-12, 2016-04 or 2016"),
        ("made_earliest=2016-02-30", "value", "ISO 8601"),
        ("created_at=lately", "value", "ISO 8601"),
        ("created_at=0001-01-01T00:00:00%2B14:00", "value", "ISO 8601"),
        ("name=a&name=b", "repeated", "more than once"),
    ],
)
async def test_what_makes_no_sense_is_refused_and_what_would_is_told(
    toys: httpx.AsyncClient, query: str, code: str, words: str
) -> None:
    told = fault(await toys.get(f"/wooden-toys?{query}"))
    assert (told["parameter"], told["code"]) == (query.partition("=")[0], code)
    assert words in told["detail"]


async def test_a_quote_that_opens_no_item_stands_for_itself(toys: httpx.AsyncClient) -> None:
    for value in ('12" wheel', '"open', '"a"b'):
        record = await make(toys, name=value, note="quotes")
        parameters = {"note": "quotes", "name__in": f"nobody,{value}"}
        assert (await read(toys, "/wooden-toys", **parameters))["data"] == [record]


# Choices and codes, which toys have none of


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("status=sined", "'signed'"),
        ("status__in=signed,sined", "'signed'"),
        ("place_country=QQ", "not a country code"),
        ("place_country__ne=KX", "not a country code"),
        ("place_country__in=KZ,KX", "'KX' is not a country code"),
        ("place_region=RU-NVX", "'RU-NVS'"),
        ("currency=usd", "'USD'"),
        ("sectors__has=C10,C9999", "not a sector code"),
        ("mission__host_country=QQ", "not a country code"),
        ("parties__organization__legal_form=xxx", "not a legal form code"),
    ],
)
async def test_an_unknown_code_is_a_mistake_and_no_empty_list(
    client: httpx.AsyncClient, query: str, words: str
) -> None:
    told = fault(await client.get(f"/agreements?{query}"))
    assert told["parameter"] == query.partition("=")[0]
    assert words in told["detail"]


@pytest.mark.parametrize(
    ("query", "some"),
    [
        ("status=announced", True),
        ("status__ne=announced", True),
        ("status__in=announced,completed", True),
        ("place_country=RU", True),
        ("place_country=DE", False),
        ("place_country__isnull=true", True),
        ("currency__startswith=U", True),
        ("currency__startswith=nothing", False),
        ("mission__host_country=RU", True),
        ("mission__host_region__startswith=RU-", True),
        ("parties__organization__country=KZ", True),
        ("parties__role=supplier&parties__organization__country=KZ", True),
        ("sectors__has=C21,G4649", True),
    ],
)
async def test_choices_and_codes_are_compared(
    fresh: httpx.AsyncClient, query: str, some: bool
) -> None:
    assert bool((await read(fresh, f"/agreements?{query}"))["data"]) is some
