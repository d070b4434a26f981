"""Groups that no record is in: of what keys can be, and of what filters ask for."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from tests.conftest import client_of
from tests.engine.conftest import fault, make, read

ADDRESS = "/wooden-toys/aggregate"


@pytest.fixture(scope="session")
async def toys(toy_app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client, and toys with the note `sparse`."""
    async with client_of(toy_app) as client:
        for more in (
            {"made": "2015-11-30", "price": 2, "colours": ["red", "blue"]},
            {"made": "2016-03-01", "price": 3},
            {"made": "2016", "is_soft": True},
        ):
            await make(client, name="toy", note="sparse", **more)
        yield client


async def ask(toys: httpx.AsyncClient, **query: Any) -> Any:
    return await read(toys, ADDRESS, note="sparse", empty_groups="true", **query)


async def test_a_key_has_each_value_that_it_can_have_and_that_the_filters_leave(
    toys: httpx.AsyncClient,
) -> None:
    months = ["2015-11", "2015-12", "2016-01", "2016-02", "2016-03"]
    quarters = ["2015-Q4", "2016-Q1"]
    of_2016 = {"made__gte": "2016", "made__lte": "2016-06"}
    cases: list[tuple[str, dict[str, str], list[Any]]] = [
        ("is_soft", {}, [False, True]),
        ("is_soft", {"is_soft": "true"}, [True]),
        ("is_soft", {"is_soft__ne": "true"}, [False]),
        ("is_soft", {"made": "2016-03-01"}, [False, True]),
        ("is_soft", {"filter": "not is_soft eq false or price gt 2"}, [False, True]),
        ("month(made)", {}, [*months, "undated"]),
        ("quarter(made)", {}, [*quarters, "undated"]),
        ("year(made)", {}, ["2015", "2016"]),
        ("week(made)", {"made__lt": "2015-12-15"}, ["2015-W49", "2015-W50", "2015-W51"]),
        ("day(made)", {"made__gt": "2016-02-28"}, ["2016-02-29", "2016-03-01"]),
        ("month(made)", of_2016, [f"2016-{n:02}" for n in range(1, 7)]),
        ("quarter(made)", of_2016 | {"price": "9"}, ["2016-Q1", "2016-Q2"]),
        ("year(made)", {"made__gte": "2017"}, ["2017"]),
        ("month(made)", {"made__gte": "2017", "made__lt": "2016"}, []),
        ("month(made)", {"filter": "made lt 2016 or made ge 2016"}, [*months, "undated"]),
        ("year(made)", {"made__lte": "9999", "made__gt": "9997"}, ["9998", "9999"]),
        ("colours", {}, ["blue", "red", None]),
        ("colours", {"colours__has": "green,red"}, ["blue", "green", "red"]),
        ("name", {"name__in": "toy,bus"}, ["bus", "toy"]),
        ("name", {"name__in": "toy,bus", "name__ne": "bus"}, ["toy"]),
        ("name", {"name__not_in": "bus,tram"}, ["toy"]),
        ("name", {"filter": "name eq 'bus' or name eq 'toy'"}, ["bus", "toy"]),
        ("price", {}, [2, 3, None]),
        ("made", {}, ["2015-11-30", "2016", "2016-03-01"]),
    ]
    wrong = []
    for key, query, expected in cases:
        page = await ask(toys, group_by=key, **query)
        found = [next(iter(group.values())) for group in page["data"]]
        if found != expected or page["groups_in_all"] != len(expected):
            wrong.append((key, query, found))
    assert wrong == []


async def test_moments_have_the_periods_of_the_zone(toys: httpx.AsyncClient) -> None:
    query = {"created_at__gte": "2016-04-12", "created_at__lt": "2016-04-14", "metrics": "count"}
    for zone in ("UTC", "Asia/Almaty", "America/New_York"):
        page = await ask(toys, group_by="day(created_at)", timezone=zone, **query)
        assert [group["day_created_at"] for group in page["data"]] == ["2016-04-12", "2016-04-13"]
    page = await ask(toys, group_by="day(created_at)", created_at__in="2016-04-12,2016-04-14")
    assert [group["count"] for group in page["data"]] == [0, 0, 0]


async def test_figures_of_no_records_are_counts_of_0_and_else_null(
    toys: httpx.AsyncClient,
) -> None:
    metrics = "count,count(price),count_distinct(price),count_distinct(contents.id)"
    metrics += ",sum(price),avg(price),min(made),max(price)"
    page = await ask(toys, group_by="is_soft,year(made)", metrics=metrics)
    zeros = ("count", "count_price", "count_distinct_price", "count_distinct_contents_id")
    nulls = ("sum_price", "avg_price", "min_made", "max_price")
    (empty,) = (group for group in page["data"] if group["count"] == 0)
    keys = {"is_soft": True, "year_made": "2015"}
    assert empty == keys | dict.fromkeys(zeros, 0) | dict.fromkeys(nulls)
    assert (page["groups"], page["records"], page["missing"]["price"]) == (4, 3, 1)


async def test_groups_are_chosen_sorted_and_cut_as_all_are(toys: httpx.AsyncClient) -> None:
    query = {"group_by": "month(made)", "metrics": "count"}
    found = await ask(toys, **query, having="count eq 0", sort="-month_made", limit=2)
    assert [group["month_made"] for group in found["data"]] == ["2016-02", "2016-01"]
    assert (found["groups"], found["groups_in_all"], found["records"]) == (2, 3, 3)
    answer = await toys.get(
        f"{ADDRESS}.csv", params={"note": "sparse", "empty_groups": "true", **query}
    )
    lines = "2015-11,1 2015-12,0 2016-01,0 2016-02,0 2016-03,1 undated,1"
    assert answer.text.splitlines() == ["month_made,count", *lines.split()]
    again = await toys.get(
        f"{ADDRESS}.csv",
        params={"note": "sparse", "empty_groups": "true", **query},
        headers={"If-None-Match": answer.headers["etag"]},
    )
    assert again.status_code == 304


async def test_keys_of_any_sort_are_combined_with_each_other(toys: httpx.AsyncClient) -> None:
    box = await make(toys, name="box", note="boxes")
    other = await make(toys, name="other box", note="boxes")
    await make(toys, name="in it", note="boxed", box_id=box["id"], price="0.5", made="2016")
    await make(toys, name="apart", note="boxed", price="1.25", made="2017")
    given = {"note": "boxed", "empty_groups": "true"}
    cases = [
        (f"box_id,price&box_id__in={box['id']},{other['id']}", 2, 1),
        ("price,year(made),is_soft", 8, 2),
        ("created_at,id,made", 8, 2),
        ("wheels.size,price", 2, 2),
        ("version,price,name", 4, 2),
        ("box.id,box.name,price&box__name__in=box,ball", 2, 1),
        ("box.is_soft,name", 5, 2),
    ]
    wrong = []
    for asked, groups, filled in cases:
        keys, _, more = asked.partition("&")
        query = "&".join(f"{name}={value}" for name, value in given.items())
        page = await read(toys, f"{ADDRESS}?{query}&group_by={keys}&{more}".rstrip("&"))
        found = sum(group["count"] > 0 for group in page["data"])
        if (page["groups_in_all"], found) != (groups, filled):
            wrong.append((asked, page["groups_in_all"], found))
    assert wrong == []


async def test_more_groups_than_an_answer_has_are_refused(toys: httpx.AsyncClient) -> None:
    await make(toys, name="old", note="ancient", made="0216-01-01")
    await make(toys, name="new", note="ancient", made="2016-01-01")
    answer = await toys.get(f"{ADDRESS}?note=ancient&empty_groups=true&group_by=day(made)")
    only = fault(answer)
    assert (only["parameter"], only["code"]) == ("empty_groups", "too_many")
    assert "more than 10,000 groups" in only["detail"]
    plain = await read(toys, ADDRESS, note="ancient", group_by="day(made)")
    assert plain["groups_in_all"] == 2
    years = await read(toys, ADDRESS, note="ancient", group_by="year(made)", empty_groups="true")
    assert years["groups_in_all"] == 1801
    assert (await toys.get(f"{ADDRESS}?empty_groups=maybe")).status_code == 400


async def test_without_keys_there_is_the_one_group_that_there_always_is(
    toys: httpx.AsyncClient,
) -> None:
    for note in ("sparse", "nothing"):
        plain = await read(toys, ADDRESS, note=note)
        assert await read(toys, ADDRESS, note=note, empty_groups="true") == plain
