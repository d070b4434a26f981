"""Aggregates of toys: groups, parts of dates, exact figures, and what is refused."""

import csv
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import update
from sqlalchemy.orm import Session

from app.core import json_codec
from app.core.edtf import bounds
from app.engine.history.change_log import ChangeCounter
from tests.conftest import client_of
from tests.engine.conftest import fault, make, read, serving_toys
from tests.engine.toys import Toy

Rows = list[dict[str, Any]]
Lot = dict[str, str]

#: More than SQLite's integers hold when three are added.
DEAR = Decimal("99999999999999.9999")


@pytest.fixture(scope="module")
async def lot(toy_app: FastAPI) -> Lot:
    """The ids of six toys by name, all with the note `lot`."""
    async with client_of(toy_app) as toys:

        async def put(name: str, **fields: Any) -> str:
            return str((await make(toys, name=name, note="lot", **fields))["id"])

        crate = await put("crate", made="2016", price=10, colours=["red"])
        wheels = [{"size": 1, "maker_id": crate}, {"size": 1}, {"size": 2, "maker_id": crate}]
        await put("cart", made="2016-04-12", price=Decimal("0.5"), box_id=crate, wheels=wheels)
        await put("bear", made="2016-04", is_soft=True, colours=["red", "blue"], box_id=crate)
        await put("doll", made="XXXX-04-11", price=Decimal("0.3333"), wheels=[{"size": 2}])
        await put("=SUM(A1)", price=Decimal("1.0001"), colours=["blue"])
        rag = await put("rag", made="2015-12-30/2016-01-02", price=1)
        await put("gone", made="2016", price=1000)
        gone = await read(toys, "/wooden-toys?note=lot&name=gone")
        await toys.delete(f"/wooden-toys/{gone['data'][0]['id']}")
    return {"crate": crate, "rag": rag}


async def ask(toys: httpx.AsyncClient, query: str, note: str = "lot") -> dict[str, Any]:
    answer = await read(toys, f"/wooden-toys/aggregate?note={note}&{query}")
    assert isinstance(answer, dict)
    return answer


async def rows(toys: httpx.AsyncClient, query: str, note: str = "lot") -> Rows:
    found: Rows = (await ask(toys, query, note))["data"]
    return found


async def counts(toys: httpx.AsyncClient, query: str, note: str = "lot") -> dict[Any, int]:
    """How many records are in each group of a single key."""
    return {next(iter(row.values())): row["count"] for row in await rows(toys, query, note)}


async def refused(toys: httpx.AsyncClient, query: str) -> Any:
    return fault(await toys.get(f"/wooden-toys/aggregate?{query}"))


@pytest.fixture(scope="module")
async def toy_app(
    template_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[FastAPI]:
    """Toys by the thousand, apart from those of other tests."""
    async with serving_toys(template_url, tmp_path_factory.mktemp("aggregates")) as app:
        yield app


async def stock(app: FastAPI, *toys: Toy) -> None:
    """Store toys beyond what the fields of a toy allow, such as negative prices."""

    def work(session: Session) -> None:
        session.add_all(toys)
        session.flush()
        session.execute(update(ChangeCounter).values(seq=ChangeCounter.seq + 1))

    await app.state.database.write(work)


def toy_of(note: str, made: str | None = None, **fields: Any) -> Toy:
    span = bounds(made)
    dates = {"made": made, "made_earliest": span.earliest, "made_latest": span.latest}
    return Toy(**{"name": "toy", "note": note, "colours": [], "is_soft": False, **dates, **fields})


# Groups


async def test_without_anything_all_records_are_counted(toys: httpx.AsyncClient, lot: Lot) -> None:
    assert await ask(toys, "") == {
        "data": [{"count": 6}],
        "groups": 1,
        "groups_in_all": 1,
        "records": 6,
        "missing": {},
        "left_out": {},
        "withheld": 0,
        "withheld_values": {},
    }


async def test_no_records_are_one_group_of_none_or_no_group_at_all(
    toys: httpx.AsyncClient, lot: Lot
) -> None:
    answer = await ask(toys, "metrics=count,sum(price),avg(price),max(price)", note="nowhere")
    assert answer["data"] == [{"count": 0, "sum_price": None, "avg_price": None, "max_price": None}]
    assert answer["missing"] == {"price": 0}
    answer = await ask(toys, "group_by=name", note="nowhere")
    assert (answer["data"], answer["groups"], answer["records"]) == ([], 0, 0)


async def test_the_filters_are_those_of_the_list(toys: httpx.AsyncClient, lot: Lot) -> None:
    assert (await rows(toys, "price__gte=1")) == [{"count": 3}]
    assert (await rows(toys, "filter=price ge 1 or box/name eq 'crate'")) == [{"count": 5}]
    assert (await rows(toys, "wheels__maker__name=crate")) == [{"count": 1}]
    assert (await rows(toys, "deleted=only")) == [{"count": 1}]
    assert (await rows(toys, "deleted=include")) == [{"count": 7}]
    assert (await rows(toys, "q=crate")) == [{"count": 2}]


async def test_records_of_another_kind_in_the_same_table_are_left_out(
    toys: httpx.AsyncClient, lot: Lot
) -> None:
    answer = await read(toys, "/soft-toys/aggregate?note=lot&group_by=name")
    assert answer["data"] == [{"name": "bear", "count": 1}]


async def test_null_is_a_group_of_its_own_and_comes_last(toys: httpx.AsyncClient, lot: Lot) -> None:
    found = await rows(toys, "group_by=box.name,is_soft")
    assert found == [
        {"box_name": "crate", "is_soft": False, "count": 1},
        {"box_name": "crate", "is_soft": True, "count": 1},
        {"box_name": None, "is_soft": False, "count": 4},
    ]
    assert [row["box_name"] for row in await rows(toys, "group_by=box.name&sort=-box.name")] == [
        "crate",
        None,
    ]


async def test_two_relations_lead_on_from_each_other(toys: httpx.AsyncClient, lot: Lot) -> None:
    assert await counts(toys, "group_by=box.box.name") == {None: 6}
    assert await counts(toys, "group_by=box_id") == {lot["crate"]: 2, None: 4}


async def test_a_record_counts_once_in_each_group_that_it_belongs_to(
    toys: httpx.AsyncClient, lot: Lot
) -> None:
    answer = await ask(toys, "group_by=wheels.size&metrics=count,sum(price)")
    assert answer["data"] == [
        {"wheels_size": 1, "count": 1, "sum_price": Decimal("0.5")},
        {"wheels_size": 2, "count": 2, "sum_price": Decimal("0.8333")},
        {"wheels_size": None, "count": 4, "sum_price": Decimal("12.0001")},
    ]
    assert (answer["records"], answer["missing"]) == (6, {"wheels.size": 4, "price": 1})


async def test_a_relation_goes_on_behind_any_number_of_records(
    toys: httpx.AsyncClient, lot: Lot
) -> None:
    assert await counts(toys, "group_by=wheels.maker.name") == {"crate": 1, None: 6}
    assert await counts(toys, "group_by=contents.name") == {"bear": 1, "cart": 1, None: 5}
    assert await counts(toys, "group_by=year(contents.made)") == {"2016": 1, "undated": 5}
    assert await counts(toys, "group_by=box.wheels.size") == {None: 6}


async def test_keys_of_the_same_relation_are_of_the_same_record(
    toys: httpx.AsyncClient, lot: Lot
) -> None:
    found = await rows(toys, "group_by=wheels.size,wheels.maker.name&wheels__isnull=false")
    assert [tuple(row.values()) for row in found] == [
        (1, "crate", 1),
        (1, None, 1),
        (2, "crate", 1),
        (2, None, 1),
    ]


async def test_items_of_a_list_are_groups(toys: httpx.AsyncClient, lot: Lot) -> None:
    answer = await ask(toys, "group_by=colours&metrics=count,count(colours)")
    assert [tuple(row.values()) for row in answer["data"]] == [
        ("blue", 2, 2),
        ("red", 2, 2),
        (None, 3, 0),
    ]
    assert answer["missing"] == {"colours": 3}


async def test_an_item_twice_in_a_list_counts_once(
    toys: httpx.AsyncClient, toy_app: FastAPI
) -> None:
    await stock(toy_app, toy_of("twice", colours=["red", "red"]))
    assert await counts(toys, "group_by=colours", "twice") == {"red": 1}
    assert await counts(toys, "group_by=box.colours", "twice") == {None: 1}


async def test_what_a_record_leads_to_twice_counts_once_by_all_of_its_keys(
    toys: httpx.AsyncClient,
) -> None:
    smith = str((await make(toys, name="smith", note="smithy", price=3))["id"])
    made = [(1, smith), (1, smith), (1, None), (2, None)]
    wheels = [{"size": size, "maker_id": maker} for size, maker in made]
    cart = str((await make(toys, name="cart", note="smithy", wheels=wheels, price=3))["id"])
    for price in (None, 5, 7):
        await make(toys, name="wheel", note="smithy", box_id=cart, price=price)
    query = "group_by=box.wheels.size,box.wheels.maker.name&metrics=count,sum(price)"
    answer = await ask(toys, query, "smithy")
    names = ("box_wheels_size", "box_wheels_maker_name", "count", "sum_price")
    assert [tuple(row[name] for name in names) for row in answer["data"]] == [
        (1, "smith", 3, 12),
        (1, None, 3, 12),
        (2, None, 3, 12),
        (None, None, 2, 6),
    ]
    assert answer["records"] == 5
    # Three without the maker of a wheel, and two without any.
    none = {"box.wheels.size": 2, "box.wheels.maker.name": 5, "price": 1}
    assert answer["missing"] == none


async def test_what_a_record_leads_to_counts_by_one_of_its_keys_with_all_of_its_values(
    toys: httpx.AsyncClient,
) -> None:
    makers = [str((await make(toys, name=name, note="wright"))["id"]) for name in ("a", "b")]
    made = [(1, makers[0]), (1, makers[1]), (2, makers[0])]
    wheels = [{"size": size, "maker_id": maker} for size, maker in made]
    cart = str((await make(toys, name="cart", note="wright", wheels=wheels))["id"])
    await make(toys, name="wheel", note="wright", box_id=cart)
    query = "group_by=box.wheels.size&metrics=count,count_distinct(box.wheels.maker_id)"
    assert [tuple(row.values()) for row in await rows(toys, query, "wright")] == [
        (1, 1, 2),
        (2, 1, 1),
        (None, 3, 0),
    ]


# Parts of dates


@pytest.mark.parametrize(
    ("part", "groups"),
    [
        ("year", {"2015": 1, "2016": 3, "undated": 2}),
        ("quarter", {"2015-Q4": 1, "2016-Q2": 2, "undated": 3}),
        ("month", {"2015-12": 1, "2016-04": 2, "undated": 3}),
        ("week", {"2015-W53": 1, "2016-W15": 1, "undated": 4}),
        ("day", {"2015-12-30": 1, "2016-04-12": 1, "undated": 4}),
    ],
)
async def test_a_date_belongs_to_a_part_if_all_its_days_do_and_an_interval_by_its_first(
    toys: httpx.AsyncClient, lot: Lot, part: str, groups: dict[str, int]
) -> None:
    answer = await ask(toys, f"group_by={part}(made)")
    assert {row[f"{part}_made"]: row["count"] for row in answer["data"]} == groups
    # What has no year at all; the others of `undated` have dates that are too wide.
    assert answer["missing"] == {"made": 2}


async def test_an_interval_is_no_finer_dated_than_what_it_begins_with(
    toys: httpx.AsyncClient, toy_app: FastAPI
) -> None:
    parts = ("year", "quarter", "month", "week", "day")
    none = "undated"
    begins = {
        "2019-12-30/2020-01-05": ("2019", "2019-Q4", "2019-12", "2020-W01", "2019-12-30"),
        "2019-12-30?/2020": ("2019", "2019-Q4", "2019-12", "2020-W01", "2019-12-30"),
        "2019-12/2020-01-05": ("2019", "2019-Q4", "2019-12", none, none),
        "2019-12~/2020-01": ("2019", "2019-Q4", "2019-12", none, none),
        "2019-36/2020-01": ("2019", "2019-Q4", none, none, none),
        "2019-22/2020": ("2019", none, none, none, none),
        "2019~/2020": ("2019", none, none, none, none),
        "2019": ("2019", none, none, none, none),
        "2019-24": (none, none, none, none, none),
        "XXXX-04-11/XXXX-04-13": (none, none, none, none, none),
    }
    await stock(toy_app, *(toy_of("begins", made, name=made) for made in begins))
    for at, part in enumerate(parts):
        found = await rows(toys, f"group_by=name,{part}(made)", "begins")
        told = {row["name"]: row[f"{part}_made"] for row in found}
        assert told == {made: each[at] for made, each in begins.items()}


async def test_undated_comes_last_however_it_is_sorted(toys: httpx.AsyncClient, lot: Lot) -> None:
    for sort in ("week(made)", "-week(made)", "-week_made"):
        found = [row["week_made"] for row in await rows(toys, f"group_by=week(made)&sort={sort}")]
        assert found[-1] == "undated"
        assert found[:-1] == sorted(found[:-1], reverse=sort.startswith("-"))


async def test_weeks_are_those_of_iso_8601_around_every_new_year(
    toys: httpx.AsyncClient, toy_app: FastAPI
) -> None:
    days = [date(year, 1, 1) + timedelta(n) for year in range(2000, 2029) for n in range(-5, 6)]
    days += [date(1, 1, 1) + timedelta(n) for n in range(10)]
    days += [date(9999, 12, 31) - timedelta(n) for n in range(10)]
    toys_made = [toy_of("weeks", day.isoformat()) for day in days]
    await stock(toy_app, *toys_made)
    expected: dict[str, int] = {}
    for day in days:
        year, week, _ = day.isocalendar()
        name = f"{year:04}-W{week:02}"
        expected[name] = expected.get(name, 0) + 1
    assert await counts(toys, "group_by=week(made)", "weeks") == expected
    assert await counts(toys, "group_by=week(made_latest)", "weeks") == expected


async def test_moments_have_the_parts_of_their_day_in_utc(
    toys: httpx.AsyncClient, toy_app: FastAPI
) -> None:
    moment = datetime(2015, 12, 31, 23, 59, 59, 999999, UTC)
    await stock(toy_app, toy_of("moment", created_at=moment))
    keys = "year(created_at),quarter(created_at),week(created_at),day(created_at)"
    (row,) = await rows(toys, f"group_by={keys}&metrics=min(created_at)", "moment")
    assert list(row.values()) == [
        *("2015", "2015-Q4", "2015-W53", "2015-12-31"),
        "2015-12-31T23:59:59.999999Z",
    ]


async def test_a_date_that_is_not_there_is_undated(toys: httpx.AsyncClient, lot: Lot) -> None:
    answer = await ask(toys, "group_by=year(made_earliest)")
    assert {tuple(row.values()) for row in answer["data"]} == {
        ("2015", 1),
        ("2016", 3),
        ("undated", 2),
    }
    assert answer["missing"] == {"made_earliest": 2}


# Figures


async def test_figures_leave_out_what_has_no_value(toys: httpx.AsyncClient, lot: Lot) -> None:
    metrics = "count,count(price),sum(price),avg(price),min(price),max(price)"
    answer = await ask(toys, f"metrics={metrics}&group_by=is_soft")
    assert answer["data"] == [
        {
            "is_soft": False,
            "count": 5,
            "count_price": 5,
            "sum_price": Decimal("12.8334"),
            "avg_price": Decimal("2.56668"),
            "min_price": Decimal("0.3333"),
            "max_price": 10,
        },
        {
            "is_soft": True,
            "count": 1,
            "count_price": 0,
            "sum_price": None,
            "avg_price": None,
            "min_price": None,
            "max_price": None,
        },
    ]
    assert answer["missing"] == {"price": 1}


async def test_distinct_values_are_counted_once(toys: httpx.AsyncClient, lot: Lot) -> None:
    (row,) = await rows(
        toys, "metrics=count_distinct(box_id),count_distinct(box.name),count(box.id)"
    )
    assert row == {"count_distinct_box_id": 1, "count_distinct_box_name": 1, "count_box_id": 2}


async def test_least_and_greatest_of_dates_are_their_ends(
    toys: httpx.AsyncClient, lot: Lot
) -> None:
    metrics = "min(made),max(made),min(name),max(name),count(made),max(box.made)"
    answer = await ask(toys, f"metrics={metrics}")
    assert list(answer["data"][0].values()) == [
        *("2015-12-30", "2016-12-31", "=SUM(A1)", "rag", 5, "2016-12-31"),
    ]
    assert answer["missing"] == {"made": 2, "box.made": 4}


async def test_texts_are_in_the_order_of_their_code_points(
    toys: httpx.AsyncClient, toy_app: FastAPI
) -> None:
    names = ["a", "B", "Ё", "ё", "é", "z", "-", "aa", "😀", "\uffee"]
    await stock(toy_app, *(toy_of("texts", name=name) for name in names))
    assert list(await counts(toys, "group_by=name", "texts")) == sorted(names)
    (row,) = await rows(toys, "metrics=min(name),max(name)", "texts")
    assert list(row.values()) == ["-", "😀"]


async def test_sums_beyond_64_bits_keep_all_digits(
    toys: httpx.AsyncClient, toy_app: FastAPI
) -> None:
    await stock(toy_app, *(toy_of("dear", price=DEAR) for _ in range(2000)))
    answer = await toys.get(
        "/wooden-toys/aggregate?note=dear&metrics=sum(price),avg(price)"
        "&having=sum_price gt 199999999999999999.7999"
    )
    compact = answer.text.replace(" ", "")
    assert '"sum_price":199999999999999999.8,"avg_price":99999999999999.9999}' in compact
    assert not await rows(
        toys, "metrics=sum(price)&having=sum_price gt 199999999999999999.8", "dear"
    )


@pytest.mark.parametrize(
    ("prices", "total", "mean"),
    [
        (["0.0001", "0", "0"], "0.0001", "0.00003333"),
        (["0.0001", "0.0001", "0"], "0.0002", "0.00006667"),
        (["-0.0001", "-0.0001", "0"], "-0.0002", "-0.00006667"),
        (["-5.5", "2"], "-3.5", "-1.75"),
        (["-100000", "99999.9999"], "-0.0001", "-0.00005"),
        (["-99999.9999", "100000"], "0.0001", "0.00005"),
        (["100000", "0.0001", "-200000"], "-99999.9999", "-33333.3333"),
        (["7", "-7"], "0", "0"),
        # Half of the last digit, up and away from zero.
        (["0.0001", *["0"] * 31], "0.0001", "0.00000313"),
        (["-0.0001", *["0"] * 31], "-0.0001", "-0.00000313"),
        (["0.0001", *["0"] * 4000], "0.0001", "0.00000002"),
        (["99999999999999.9999"] * 2, "199999999999999.9998", "99999999999999.9999"),
    ],
)
async def test_sums_and_averages_are_exact_and_rounded_half_up(
    toys: httpx.AsyncClient, toy_app: FastAPI, prices: list[str], total: str, mean: str
) -> None:
    note = f"sum of {len(prices)} {' '.join(prices[:3])}"
    await stock(toy_app, *(toy_of(note, price=Decimal(price)) for price in prices))
    metrics = "sum(price),avg(price),sum(version),avg(version)"
    address = f"/wooden-toys/aggregate?note={note}&metrics={metrics}"
    answer = await toys.get(address)
    assert f'"sum_price":{total},"avg_price":{mean},' in answer.text.replace(" ", "")
    assert f'"sum_version":{len(prices)},"avg_version":1}}' in answer.text.replace(" ", "")
    for condition in (f"sum_price eq {total}", f"avg_price eq {mean}", f"avg_price in (3,{mean})"):
        assert (await toys.get(f"{address}&having={condition}")).json()["groups"] == 1
    for condition in (f"sum_price ne {total}", f"avg_price gt {mean}", f"sum_price lt {total}"):
        assert (await toys.get(f"{address}&having={condition}")).json()["groups"] == 0


async def test_sums_are_sorted_by_their_value(toys: httpx.AsyncClient, toy_app: FastAPI) -> None:
    prices = ["-0.0001", "0", "0.0001", "-100000", "100000", "-100000.0001", "99999.9999", None]
    made = [
        toy_of("sorted", name=str(price), price=None if price is None else Decimal(price))
        for price in prices
    ]
    await stock(toy_app, *made)
    for metric in ("sum", "avg", "min"):
        query = f"group_by=name&metrics={metric}(price)&sort="
        ordered = sorted(Decimal(price) for price in prices if price is not None)
        found = await rows(toys, f"{query}{metric}_price", "sorted")
        assert [row[f"{metric}_price"] for row in found] == [*ordered, None]
        found = await rows(toys, f"{query}-{metric}_price", "sorted")
        assert [row[f"{metric}_price"] for row in found] == [*reversed(ordered), None]


# Order, limit and having


async def test_ties_are_in_the_order_of_the_keys(toys: httpx.AsyncClient, lot: Lot) -> None:
    found = await rows(toys, "group_by=name,is_soft&sort=-count")
    assert [row["name"] for row in found] == sorted(row["name"] for row in found)


async def test_a_limit_says_how_many_groups_there_are_in_all(
    toys: httpx.AsyncClient, lot: Lot
) -> None:
    answer = await ask(toys, "group_by=name&limit=2&sort=-name")
    assert [row["name"] for row in answer["data"]] == ["rag", "doll"]
    assert (answer["groups"], answer["groups_in_all"], answer["records"]) == (2, 6, 6)
    assert (await ask(toys, "group_by=name&limit=123456"))["groups"] == 6


@pytest.mark.parametrize(
    ("condition", "names"),
    [
        ("count ge 1", "all"),
        ("sum_price gt 1", ["=SUM(A1)", "crate"]),
        ("sum(price) ge 1 and not year(made) eq '2016'", ["=SUM(A1)", "rag"]),
        ("sum_price eq null", ["bear"]),
        ("sum_price ne null and year_made ne 'undated'", ["cart", "crate", "rag"]),
        ("year(made) in ('undated','2016') and name in ('doll','bear','x')", ["bear", "doll"]),
        ("year(made) eq null or name eq 'year(made)'", ["=SUM(A1)", "doll"]),
        ("not sum_price gt 1", ["bear", "cart", "doll", "rag"]),
        ("sum_price ne 1", ["=SUM(A1)", "bear", "cart", "crate", "doll"]),
        ("sum_price eq 1.00001 or sum_price gt 1e39", []),
        ("sum_price lt 0.50001 and sum_price gt 0.33329", ["cart", "doll"]),
        ("count lt 1.5 and count gt 0.5 and count ne 1.5", "all"),
        ("count eq 1.5 or count ge 1e39 or count lt -1e39", []),
        ("year(made) ge 2016 or name lt 'a'", ["=SUM(A1)", "bear", "cart", "crate"]),
        ("(name ge 'd' or name eq 'bear') and name le 'doll'", ["bear", "doll"]),
    ],
)
async def test_having_chooses_groups_as_filters_choose_records(
    toys: httpx.AsyncClient, lot: Lot, condition: str, names: Any
) -> None:
    query = "group_by=name,year(made)&metrics=count,sum(price)"
    answer = await ask(toys, f"{query}&having={condition.replace('+', '%2B')}")
    every = ["=SUM(A1)", "bear", "cart", "crate", "doll", "rag"]
    assert [row["name"] for row in answer["data"]] == (every if names == "all" else names)
    assert (answer["records"], answer["missing"]) == (6, {"made": 2, "price": 1})


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("is_soft eq true", 1),
        ("min_price gt 0.99999", 3),
        ("max_made le 2016-04-30", 3),
        ("box_id eq null", 4),
        ("min_created_at gt 2016-04-12", 6),
        ("colours eq 'red'", 2),
        ("made eq '2016-04'", 1),
    ],
)
async def test_having_compares_values_of_every_kind(
    toys: httpx.AsyncClient, lot: Lot, condition: str, found: int
) -> None:
    keys = "is_soft,box_id,made,colours" if "colours" in condition else "is_soft,box_id,made,name"
    metrics = "min(price),max(made),min(created_at)"
    answer = await ask(toys, f"group_by={keys}&metrics={metrics}&having={condition}")
    assert answer["groups_in_all"] == found


# What is refused


@pytest.mark.parametrize(
    ("query", "parameter", "code", "detail"),
    [
        ("group_by=nam", "group_by", "unknown", "'name'"),
        ("group_by=bx.name", "group_by", "unknown", "'box'"),
        ("group_by=box", "group_by", "unknown", "box.ref"),
        ("group_by=", "group_by", "empty", ""),
        ("group_by=name,,made", "group_by", "empty", ""),
        ("group_by=name,name", "group_by", "repeated", "more than once"),
        ("group_by=id,name,made,note,price", "group_by", "too_many", "4"),
        ("group_by=yaer(made)", "group_by", "unknown", "'year'"),
        ("group_by=year(name)", "group_by", "kind", "no date"),
        ("group_by=year(mad)", "group_by", "unknown", "'made'"),
        ("group_by=year()", "group_by", "unknown", ""),
        ("group_by=year(year(made))", "group_by", "unknown", ""),
        ("group_by=wheels.size,colours", "group_by", "many", "colours and wheels"),
        ("group_by=wheels.maker.colours", "group_by", "many", "more than one"),
        ("group_by=box.box.box.box.name", "group_by", "unknown", "3"),
        ("metrics=", "metrics", "empty", ""),
        ("metrics=cout", "metrics", "unknown", "'count'"),
        ("metrics=sum", "metrics", "unknown", "sum(field)"),
        ("metrics=total(price)", "metrics", "unknown", "count_distinct"),
        ("metrics=count(*)", "metrics", "unknown", "Write count"),
        ("metrics=count()", "metrics", "unknown", "Write count"),
        ("metrics=sum(prise)", "metrics", "unknown", "'price'"),
        ("metrics=sum(name)", "metrics", "kind", "a number"),
        ("metrics=min(is_soft)", "metrics", "kind", "a number"),
        ("metrics=max(box_id)", "metrics", "kind", "a number"),
        ("metrics=count(wheels.size)", "metrics", "many", "any number"),
        ("metrics=sum(box.price)", "metrics", "repeated", "box"),
        ("metrics=count,count", "metrics", "repeated", "more than once"),
        ("metrics=count(box_id),count(box.id)", "metrics", "repeated", "same name"),
        ("sort=nam", "sort", "unknown", "count"),
        ("sort=-cuont", "sort", "unknown", "'count'"),
        ("sort=", "sort", "empty", ""),
        ("group_by=name&sort=made", "sort", "unknown", "name, count"),
        ("limit=0", "limit", "", ""),
        ("limit=x", "limit", "", ""),
        ("fields=name", "fields", "unknown", ""),
        ("nam=x", "nam", "unknown", "'name'"),
        ("filter=nam eq 1", "filter", "expression", "Character 1"),
        ("having=", "having", "", ""),
        ("having=cuont gt 1", "having", "expression", "Character 1: "),
        ("having=count gt 1 and price gt 1", "having", "expression", "Character 16: "),
        ("having=count gt 'a'", "having", "expression", "Character 10: "),
        ("having=count has 1", "having", "expression", "Character 7: "),
        ("having=count gt null", "having", "expression", "Character 10: "),
        ("having=contains(name,'x')", "having", "expression", "Character 1: "),
        ("having=wheels/any()", "having", "expression", "Character 8: "),
        ("having=sum(price) gt 1", "having", "expression", "sum(price)"),
        ("having=count", "having", "expression", "Character 6: "),
        ("group_by=name&having=name gt 1", "having", "expression", "text in quotes"),
        ("group_by=is_soft&having=is_soft gt true", "having", "expression", "no order"),
        ("group_by=is_soft&having=is_soft eq 1", "having", "expression", "true or false"),
        ("group_by=box_id&having=box_id eq 'x'", "having", "expression", "UUID"),
        ("group_by=year(made)&having=year(made) gt '20'", "having", "expression", "'2016'"),
        ("group_by=week(made)&having=week(made) gt 'undated'", "having", "expression", "order"),
        ("group_by=made&having=made gt '2016'", "having", "expression", "no order"),
        ("group_by=made&having=made eq 'May'", "having", "expression", "2016"),
    ],
)
async def test_what_is_wrong_is_told_with_what_would_be_right(
    toys: httpx.AsyncClient, query: str, parameter: str, code: str, detail: str
) -> None:
    told = await refused(toys, query)
    assert told["parameter"] == parameter
    assert told["code"] == code or not code
    assert detail in told["detail"]


# HTTP


async def test_an_aggregate_is_one_statement(
    toys: httpx.AsyncClient, lot: Lot, toy_statements: list[str]
) -> None:
    query = "group_by=wheels.size,year(made)&metrics=count,avg(price)&having=count gt 0&q=cart"
    await ask(toys, query)
    assert len(toy_statements) == 1


async def test_the_same_shape_with_other_values_is_the_same_statement(
    toys: httpx.AsyncClient, lot: Lot, toy_statements: list[str]
) -> None:
    for value in (1, 2):
        await ask(toys, f"metrics=sum(price)&price__gt={value}&having=sum_price gt {value}")
    assert len(set(toy_statements)) == 1


async def test_the_tag_is_that_of_lists_and_saves_the_statement(
    toys: httpx.AsyncClient, toy_app: FastAPI, lot: Lot, toy_statements: list[str]
) -> None:
    address = "/wooden-toys/aggregate?note=lot"
    answer = await toys.get(address)
    tag = answer.headers["etag"]
    assert tag == (await toys.get("/wooden-toys?note=lot")).headers["etag"]
    toy_statements.clear()
    again = await toys.get(address, headers={"If-None-Match": tag})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert len(toy_statements) == 1
    assert "toy" not in toy_statements[0]
    await stock(toy_app, toy_of("tag"))
    assert (await toys.get(address, headers={"If-None-Match": tag})).status_code == 200


async def test_head_has_the_headers_of_get(toys: httpx.AsyncClient, lot: Lot) -> None:
    head, got = [await getattr(toys, m)("/wooden-toys/aggregate") for m in ("head", "get")]
    assert (head.status_code, head.content) == (200, b"")
    for name in ("etag", "vary", "content-type", "content-length"):
        assert head.headers[name] == got.headers[name]


async def test_csv_has_a_header_and_no_formulas(toys: httpx.AsyncClient, lot: Lot) -> None:
    query = "group_by=name,year(made),is_soft&metrics=count,sum(price)"
    address = f"/wooden-toys/aggregate?note=lot&{query}"
    answer = await toys.get(address, headers={"Accept": "text/csv"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["vary"] == "Accept, Accept-Encoding, Authorization"
    table = list(csv.reader(answer.text.splitlines()))
    assert table[:4] == [
        ["name", "year_made", "is_soft", "count", "sum_price"],
        ["'=SUM(A1)", "undated", "false", "1", "1.0001"],
        ["bear", "2016", "true", "1", ""],
        ["cart", "2016", "false", "1", "0.5"],
    ]


async def test_columns_have_names_that_programs_take_as_they_are(
    toys: httpx.AsyncClient, lot: Lot
) -> None:
    """In JSON, in CSV and to sort and choose by."""
    keys = "box.name,year(box.made),wheels.size"
    metrics = "count,count_distinct(box.id),max(box.made_latest),avg(price)"
    answer = await ask(toys, f"group_by={keys}&metrics={metrics}")
    names = list(answer["data"][0])
    assert names == [
        *("box_name", "year_box_made", "wheels_size", "count"),
        *("count_distinct_box_id", "max_box_made_latest", "avg_price"),
    ]
    assert all(name.isidentifier() for name in names)
    table = await toys.get(f"/wooden-toys/aggregate.csv?group_by={keys}&metrics={metrics}")
    assert table.text.splitlines()[0].split(",") == names
    wrong = []
    for name in names:
        chosen = f"{name} eq null or not {name} eq null"
        asked = {"group_by": keys, "metrics": metrics, "sort": f"-{name}", "having": chosen}
        found = await toys.get("/wooden-toys/aggregate", params={"note": "lot", **asked})
        if found.status_code != 200 or found.json()["groups"] != answer["groups"]:
            wrong.append((name, found.text))
    assert wrong == []


async def test_negative_numbers_in_csv_stay_numbers(
    toys: httpx.AsyncClient, toy_app: FastAPI
) -> None:
    await stock(toy_app, toy_of("negative", name="-1", price=Decimal("-1.5")))
    address = "/wooden-toys/aggregate?note=negative&group_by=name&metrics=sum(price)"
    answer = await toys.get(address, headers={"Accept": "text/csv"})
    assert answer.text == "name,sum_price\r\n'-1,-1.5\r\n"


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("*/*", "application/json"),
        ("text/csv, */*;q=0.1", "text/csv"),
        ("text/*", "text/csv"),
        ("text/csv;q=0.5, application/json", "application/json"),
        ("application/json;q=0.5,text/csv;q=0.9", "text/csv"),
        ("text/html, application/xhtml+xml, */*;q=0.8", "application/json"),
    ],
)
async def test_the_accept_header_chooses_the_form(
    toys: httpx.AsyncClient, accept: str, kind: str
) -> None:
    answer = await toys.get("/wooden-toys/aggregate", headers={"Accept": accept})
    assert answer.headers["content-type"].partition(";")[0] == kind


async def test_a_form_that_is_not_there_is_not_acceptable(toys: httpx.AsyncClient) -> None:
    for accept in ("image/png", "text/csv;q=0", "application/json;q=x"):
        answer = await toys.get("/wooden-toys/aggregate", headers={"Accept": accept})
        assert answer.status_code == 406


async def test_numbers_are_the_same_text_on_both_databases(
    toys: httpx.AsyncClient, lot: Lot
) -> None:
    address = "/wooden-toys/aggregate?note=lot&metrics=count,sum(price),avg(price),max(price)"
    answer = await toys.get(address)
    told = json_codec.loads(answer.content)
    compact = answer.text.replace(" ", "")
    assert '"count":6,"sum_price":12.8334,"avg_price":2.56668,"max_price":10}' in compact
    assert told["data"][0]["sum_price"] == Decimal("12.8334")


async def test_different_values_are_counted_over_relations(
    toys: httpx.AsyncClient, lot: Lot
) -> None:
    """Of a list too; in groups that lead over the same relation only those of the group."""
    metrics = (
        "count_distinct(wheels.size),count_distinct(wheels.maker.name),count_distinct(colours)"
    )
    listed = (await read(toys, "/wooden-toys", note="lot"))["data"]
    for key in ("", "is_soft", "box_id", "name", "wheels.size"):
        expected: dict[Any, list[set[Any]]] = {}
        for toy in listed:
            sizes = {wheel["size"] for wheel in toy["wheels"]}
            for value in sizes or {None} if key == "wheels.size" else {toy.get(key)}:
                found = expected.setdefault(value, [set(), set()])
                found[0] |= sizes & {value} if key == "wheels.size" else sizes
                found[1] |= set(toy["colours"])
        grouped = f"metrics=count,{metrics}" + (f"&group_by={key}" if key else "")
        answer = await rows(toys, grouped)
        name = key.replace(".", "_")
        told = {
            row.get(name): [row["count_distinct_wheels_size"], row["count_distinct_colours"]]
            for row in answer
        }
        assert told == {value: [len(one) for one in found] for value, found in expected.items()}
    chosen = await rows(
        toys,
        "group_by=name&metrics=count_distinct(wheels.size)"
        "&having=count_distinct_wheels_size gt 1&sort=-count_distinct_wheels_size",
    )
    assert all(row["count_distinct_wheels_size"] > 1 for row in chosen)
