"""Comparisons with a month or a year: the day or moment where it begins or ends."""

from typing import Any
from uuid import uuid4

import httpx

from app.engine.query.operators import OPERATORS
from tests.engine.conftest import fault, make, read
from tests.examples import create

STATED = ("2019-12-31", "2020-01-01", "2020-01-15", "2020-01-31", "2020-01", "2020", "XXXX-01")
DAYS = ("2019-12-31", "2020-01-01", "2020-01-31", "2020-02-01", "2020-12-31", "2021-01-01")

#: What a comparison with a month or a year is the same as.
SAME = [
    ("gte=2020-01", "gte=2020-01-01"),
    ("gt=2020-01", "gt=2020-01-31"),
    ("lt=2020-01", "lt=2020-01-01"),
    ("lte=2020-01", "lte=2020-01-31"),
    ("gte=2020", "gte=2020-01-01"),
    ("gt=2020", "gt=2020-12-31"),
    ("lt=2020", "lt=2020-01-01"),
    ("lte=2020", "lte=2020-12-31"),
    # Of a leap year, and the last day that there is.
    ("lte=2020-02", "lte=2020-02-29"),
    ("lte=9999", "lte=9999-12-31"),
    # What else a stated date can say.
    ("gt=2020-33", "gt=2020-03-31"),
]
#: Of moments, a day too is a stretch of time.
SAME_MOMENTS = [
    (
        written,
        f"{day}T23:59:59.999999Z" if day.startswith(("gt=", "lte=")) else f"{day}T00:00:00Z",
    )
    for written, day in [*SAME, *((day, day) for _, day in SAME)]
]
WORDS = {"gte": "ge", "lte": "le"}


def as_expression(field: str, condition: str) -> list[str]:
    """A condition as expressions write it: the value plain, and in quotes."""
    operator, _, value = condition.partition("=")
    start = f"{field} {WORDS.get(operator, operator)}"
    return [f"{start} {value}", f"{start} '{value}'"]


async def differing(
    client: httpx.AsyncClient, address: str, field: str, same: list[tuple[str, str]], **only: str
) -> list[str]:
    """The forms of a condition that do not find what the same one with a whole day finds."""
    faults = []
    for written, whole in same:
        operator, _, value = whole.partition("=")
        expected = await read(client, address, **{f"{field}__{operator}": value}, **only)
        operator, _, value = written.partition("=")
        asked: list[dict[str, Any]] = [{f"{field}__{operator}": value}]
        asked += [{"filter": text} for text in as_expression(field, written)]
        for parameters in asked:
            answer = await client.get(address, params={**parameters, **only})
            if answer.status_code != 200 or answer.json()["data"] != expected["data"]:
                faults.append(f"{parameters} and {field}__{whole}: {answer.text[:200]}")
    return faults


async def test_a_month_or_year_beside_a_stated_date_is_its_first_or_last_day(
    toys: httpx.AsyncClient,
) -> None:
    note = uuid4().hex
    for stated in STATED:
        await make(toys, name=stated, made=stated, note=note)
    assert await differing(toys, "/wooden-toys", "made", SAME, note=note) == []
    found = await read(toys, "/wooden-toys", made__gte="2020-01", made__lte="2020-01", note=note)
    names = {record["name"] for record in found["data"]}
    assert names == {"2020-01-01", "2020-01-15", "2020-01-31", "2020-01"}


async def test_a_month_or_year_beside_a_day_is_its_first_or_last_day(
    fresh: httpx.AsyncClient,
) -> None:
    for day in DAYS:
        rate = {"base": "USD", "quote": "KZT", "rate": 380, "date": day, "provider": "Bank"}
        await create(fresh, "exchange-rates", rate)
    assert await differing(fresh, "/exchange-rates", "date", SAME) == []
    found = await read(fresh, "/exchange-rates", date__gt="2020-01", date__lt="2021")
    assert {rate["date"] for rate in found["data"]} == {"2020-02-01", "2020-12-31"}


async def test_a_day_month_or_year_beside_a_moment_is_all_of_it(fresh: httpx.AsyncClient) -> None:
    """Every record was made today: up to today finds all, after today none."""
    today = (await read(fresh, "/missions", limit=1))["data"][0]["created_at"][:10]
    everything = await read(fresh, "/people", sort="id")
    for period in (today, today[:7], today[:4]):
        for operator, found in (("gte", True), ("lte", True), ("gt", False), ("lt", False)):
            asked = {f"created_at__{operator}": period, "sort": "id"}
            told = (await read(fresh, "/people", **asked))["data"]
            assert told == (everything["data"] if found else []), asked
    assert await differing(fresh, "/people", "created_at", SAME_MOMENTS) == []
    for period in (today, today[:7], today[:4]):
        for operator, found in (("eq", True), ("in", True), ("ne", False), ("not_in", False)):
            asked = {f"created_at__{operator}": period, "sort": "id"}
            told = (await read(fresh, "/people", **asked))["data"]
            assert told == (everything["data"] if found else []), asked
    asked = {"created_at__in": f"2001-01-01,{today}T00:00:00Z,{today}", "sort": "id"}
    assert (await read(fresh, "/people", **asked))["data"] == everything["data"]
    assert (await read(fresh, "/people", filter="created_at eq 2001-01-01"))["data"] == []
    assert (await read(fresh, "/people", filter=f"created_at eq {today}", sort="id"))["data"] == (
        everything["data"]
    )


async def test_aggregates_their_groups_and_writes_take_months_too(toys: httpx.AsyncClient) -> None:
    note = uuid4().hex
    for stated in STATED:
        await make(toys, name=stated, made=stated, note=note)
    asked = {"note": note, "metrics": "count", "made__gte": "2020-01"}
    (counted,) = (await read(toys, "/wooden-toys/aggregate", **asked))["data"]
    assert counted["count"] == 5
    asked = {"note": note, "group_by": "name", "metrics": "min(made)", "sort": "name"}
    for having in ("min(made) ge 2020-01", "min_made gt 2019", "min_made gt '2019-12'"):
        groups = (await read(toys, "/wooden-toys/aggregate", having=having, **asked))["data"]
        assert [group["name"] for group in groups] == sorted(STATED[1:-1]), having
    address = f"/wooden-toys?note={note}&made__lte=2020-01&max_affected=9"
    done = await toys.delete(address)
    assert done.status_code == 200, done.text
    assert done.json()["changed"] == 5


async def test_what_is_no_day_month_or_year_is_refused_and_told(
    toys: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    fields = {"/wooden-toys": "made", "/exchange-rates": "date", "/people": "created_at"}
    wrong = ("2020-13", "2020-1", "20", "0000", "XXXX-01", "2020-02-30", "2020-00", "spring")
    ordered = [name for name, operator in OPERATORS.items() if operator.rounding]
    for address, field in fields.items():
        for value in wrong:
            for operator in ordered:
                caller = toys if address == "/wooden-toys" else client
                told = fault(await caller.get(f"{address}?{field}__{operator}={value}"))
                assert told["parameter"] == f"{field}__{operator}"
                assert "2016-04-12" in told["detail"], told
