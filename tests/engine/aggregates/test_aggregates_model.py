"""Aggregates of random toys against plain Python, exact to the last digit, on both databases."""

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import partial
from itertools import product
from operator import eq, ge, gt, le, lt, ne
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from app.core import json_codec
from app.core.databases.types import uuid7
from app.core.edtf import bounds
from app.engine.aggregates.empty_groups import MAX_GROUPS
from tests.conftest import client_of
from tests.drawing import drawing
from tests.engine.conftest import serving_toys
from tests.engine.toys import Toy, Wheel

DATES = (
    *(None, "2015", "2016", "2016-04", "2016-04-12", "2016-33", "2016-24", "XXXX-04-11"),
    *("2015-12-30/2016-01-02", "2016-01-01", "2016-12-31", "2015-12-28/2016-01-03"),
    *("2015-11/2016-02-03", "2015/2016", "2015-11-30~/2016"),
)
PRICES = (None, "0", "0.0001", "-0.0001", "1", "2.5", "-2.5", "99999999999999.9999", "1250.5")
NAMES = ("a", "B", "ё", "Z", "-", "'")


@dataclass(frozen=True)
class Made:
    """A toy as the model knows it."""

    id: UUID
    name: str
    made: str | None
    price: Decimal | None
    is_soft: bool
    colours: tuple[str, ...]
    wheels: tuple[int, ...]
    box: "Made | None"


@st.composite
def several(draw: st.DrawFn) -> list[Made]:
    """Any few toys, some of them in boxes that are toys themselves; their ids are their places."""
    found: list[Made] = []
    for at in range(draw(st.integers(0, 12))):
        price = draw(st.sampled_from(PRICES))
        found.append(
            Made(
                id=UUID(int=at),
                name=draw(st.sampled_from(NAMES)),
                made=draw(st.sampled_from(DATES)),
                price=None if price is None else Decimal(price),
                is_soft=draw(st.booleans()),
                colours=draw(
                    st.lists(st.sampled_from(("red", "blue", "ё")), max_size=3).map(tuple)
                ),
                wheels=draw(st.lists(st.sampled_from((1, 2, 3)), max_size=3).map(tuple)),
                box=draw(st.sampled_from([None, *found[:5]])),
            )
        )
    return found


def with_new_ids(toys: list[Made]) -> list[Made]:
    """The same with ids of their own, so that one database can hold any number of them."""
    ids: dict[UUID, Made] = {}
    for toy in toys:
        box = None if toy.box is None else ids[toy.box.id]
        ids[toy.id] = replace(toy, id=uuid7(), box=box)
    return list(ids.values())


def stored(toy: Made, note: str) -> Toy:
    span = bounds(toy.made)
    wheels = [Wheel(position=at, size=size) for at, size in enumerate(toy.wheels)]
    return Toy(
        id=toy.id,
        name=toy.name,
        note=note,
        made=toy.made,
        made_earliest=span.earliest,
        made_latest=span.latest,
        price=toy.price,
        is_soft=toy.is_soft,
        colours=list(toy.colours),
        box_id=toy.box.id if toy.box else None,
        wheels=wheels,
    )


@pytest.fixture(scope="module")
async def toy_app(
    template_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[FastAPI]:
    """Toys by the thousand, apart from those of other tests."""
    async with serving_toys(template_url, tmp_path_factory.mktemp("aggregates")) as app:
        yield app


async def entered(app: FastAPI, drawn: list[Made]) -> tuple[list[Made], str]:
    """The toys on record, and the note that all of them have and no other."""
    toys, note = with_new_ids(drawn), f"model{uuid4().hex}"

    def work(session: Session) -> None:
        for toy in toys:
            session.add(stored(toy, note))
            session.flush()

    await app.state.database.write(work)
    return toys, note


# The model


def part(name: str, day: date | None) -> str | None:
    if day is None:
        return None
    year, week, _ = day.isocalendar()
    return {
        "year": f"{day.year:04}",
        "quarter": f"{day.year:04}-Q{(day.month + 2) // 3}",
        "month": f"{day:%Y-%m}",
        "week": f"{year:04}-W{week:02}",
        "day": day.isoformat(),
    }[name]


def part_of(name: str, text: str | None) -> str | None:
    span = bounds(text)
    first, last = part(name, span.earliest), part(name, span.latest)
    # An interval counts by its first day, and here all begin with a day, a month or a year.
    finest = {4: ["year"], 7: ["year", "quarter", "month"]}
    begin, slash, _ = (text or "").partition("/")
    begins = slash and name in finest.get(len(begin), [name])
    return first if first == last or begins else None


def beyond(box: Made | None, values: Callable[[Made], tuple[Any, ...]]) -> list[Any]:
    return sorted(set(values(box))) or [None] if box else [None]


Values = Callable[[Made], list[Any]]
KEYS: dict[str, Values] = {
    "name": lambda t: [t.name],
    "is_soft": lambda t: [t.is_soft],
    "price": lambda t: [t.price],
    "made": lambda t: [t.made],
    "box_id": lambda t: [str(t.box.id) if t.box else None],
    "box.name": lambda t: [t.box.name if t.box else None],
    "box.box.price": lambda t: [t.box.box.price if t.box and t.box.box else None],
    "year(box.made)": lambda t: [part_of("year", t.box.made if t.box else None)],
    **{
        f"{name}(made)": partial(lambda n, t: [part_of(n, t.made)], name)
        for name in ("year", "quarter", "month", "week", "day")
    },
}
MANY: dict[str, Values] = {
    "wheels.size": lambda t: sorted(set(t.wheels)) or [None],
    "colours": lambda t: sorted(set(t.colours)) or [None],
    "box.colours": lambda t: beyond(t.box, lambda b: b.colours),
    "box.wheels.size": lambda t: beyond(t.box, lambda b: b.wheels),
    "box.box.colours": lambda t: beyond(t.box and t.box.box, lambda b: b.colours),
}
ALL = KEYS | MANY


def half_up(total: Fraction, count: int, scale: int) -> Decimal:
    scaled = total / count * 10**scale
    whole = (2 * abs(scaled.numerator) + scaled.denominator) // (2 * scaled.denominator)
    return Decimal(whole if scaled >= 0 else -whole).scaleb(-scale)


def bound_of(end: str) -> Callable[[Made], Any]:
    def read(toy: Made) -> str | None:
        day = getattr(bounds(toy.made), end)
        return day.isoformat() if day else None

    return read


def figure(metric: str, toys: list[Made]) -> Any:
    if metric == "count":
        return len(toys)
    function, _, field = metric.rstrip(")").partition("(")
    ends = {"min": "earliest", "max": "latest"}
    if field == "made" and function in ends:
        values = [bound_of(ends[function])(toy) for toy in toys]
    elif field == "box.name":
        values = [toy.box.name if toy.box else None for toy in toys]
    elif field == "colours":
        values = [toy.colours or None for toy in toys]
    else:
        values = [getattr(toy, field) for toy in toys]
    known = [value for value in values if value is not None]
    if function == "count":
        return len(known)
    if function == "count_distinct":
        return len(set(known))
    if not known:
        return None
    if function in ends:
        return (min if function == "min" else max)(known)
    total = sum((Fraction(value) for value in known), Fraction())
    return half_up(total, 1, 4) if function == "sum" else half_up(total, len(known), 8)


METRICS = (
    *("count", "count(price)", "count(made)", "count(colours)", "count_distinct(price)"),
    *("count_distinct(box.name)", "sum(price)", "avg(price)", "min(price)", "max(price)"),
    *("min(name)", "max(name)", "min(made)", "max(made)", "max(box.name)"),
)

BOX_OR_HARD = "filter=box/name eq 'a' or not is_soft eq true"
FIRST, LAST = date(2015, 12, 1), date(2017, 1, 31)


def is_within(text: str | None) -> bool:
    """Whether all days that the date can mean lie from the first to the last one."""
    span = bounds(text)
    return bool(span.earliest and span.latest and span.earliest >= FIRST and span.latest <= LAST)


FILTERS: dict[str, Callable[[Made], bool]] = {
    "": lambda t: True,
    "is_soft=true": lambda t: t.is_soft,
    "price__gte=1": lambda t: t.price is not None and t.price >= 1,
    "made__isnull=true": lambda t: t.made is None,
    "wheels__size=2": lambda t: 2 in t.wheels,
    "name__in=a,B,none": lambda t: t.name in ("a", "B"),
    "colours__has=red,green": lambda t: "red" in t.colours,
    "made__gte=2015-12-01&made__lt=2017-02": lambda t: is_within(t.made),
    BOX_OR_HARD: lambda t: (t.box is not None and t.box.name == "a") or not t.is_soft,
}
COMPARED = {"eq": eq, "ne": ne, "gt": gt, "ge": ge, "lt": lt, "le": le}


@dataclass(frozen=True)
class Asked:
    keys: tuple[str, ...]
    metrics: tuple[str, ...]
    sort: tuple[str, ...]
    having: tuple[tuple[str, str, Decimal], ...]
    chosen: str
    limit: int
    empty_groups: bool

    def query(self, note: str) -> str:
        told = {
            "metrics": ",".join(self.metrics),
            "group_by": ",".join(self.keys),
            "sort": ",".join(self.sort),
            "having": " and ".join(f"{name} {op} {value}" for name, op, value in self.having),
            "empty_groups": "true" if self.empty_groups else "",
        }
        parts = [f"{name}={value}" for name, value in told.items() if value]
        return "&".join(
            [f"note={note}", f"limit={self.limit}", *parts, *filter(None, [self.chosen])]
        )


def name_of(output: str) -> str:
    return output.replace("(", "_").replace(")", "").replace(".", "_")


@st.composite
def questions(draw: st.DrawFn) -> Asked:
    keys = draw(st.lists(st.sampled_from(list(KEYS)), max_size=3, unique=True))
    keys += draw(st.lists(st.sampled_from(list(MANY)), max_size=1))
    keys = draw(st.permutations(keys))
    metrics = draw(st.lists(st.sampled_from(METRICS), min_size=1, max_size=6, unique=True))
    outputs = st.sampled_from([*keys, *metrics])
    sort = draw(st.lists(outputs, max_size=3, unique=True))
    signs = draw(st.lists(st.sampled_from(["", "-"]), min_size=3, max_size=3))
    numbers = [m for m in metrics if m.startswith(("count", "sum", "avg")) or "price" in m]
    value = st.sampled_from([Decimal(p) for p in (*PRICES, "3", "1.00001", "2.50000001") if p])
    term = st.tuples(st.sampled_from(numbers), st.sampled_from(list(COMPARED)), value)
    having = draw(st.lists(term, max_size=2)) if numbers else []
    return Asked(
        keys=tuple(keys),
        metrics=tuple(metrics),
        sort=tuple(f"{sign}{name_of(name)}" for sign, name in zip(signs, sort, strict=False)),
        having=tuple(having),
        chosen=draw(st.sampled_from(list(FILTERS))),
        limit=draw(st.sampled_from([1, 3, 1000])),
        empty_groups=draw(st.booleans()),
    )


def meets(row: dict[str, Any], having: tuple[tuple[str, str, Decimal], ...]) -> bool:
    for metric, op, value in having:
        found = row[name_of(metric)]
        # A comparison with a missing value is false, and its negation true.
        if not (COMPARED[op](found, value) if found is not None else op == "ne"):
            return False
    return True


def in_order(rows: list[dict[str, Any]], asked: Asked) -> list[dict[str, Any]]:
    keys = [(name.removeprefix("-"), name.startswith("-")) for name in asked.sort]
    keys += [(name_of(name), False) for name in asked.keys]
    for name, descending in reversed(keys):
        known = [row for row in rows if row[name] is not None]
        known.sort(key=lambda row: row[name], reverse=descending)
        rows = known + [row for row in rows if row[name] is None]
    return rows


def groups_of(asked: Asked, toys: list[Made]) -> Iterator[dict[str, Any]]:
    groups: dict[tuple[Any, ...], list[Made]] = {} if asked.keys else {(): []}
    for toy in toys:
        for key in product(*(ALL[name](toy) for name in asked.keys)):
            groups.setdefault(key, []).append(toy)
    if asked.empty_groups:
        add_empty(asked, groups)
    for key, members in groups.items():
        row = dict(zip(map(name_of, asked.keys), key, strict=True))
        yield row | {name_of(m): figure(m, members) for m in asked.metrics}


#: The values that there are groups of, as the filter leaves or names them.
NAMED: dict[tuple[str, str], tuple[Any, ...]] = {
    ("name", "name__in=a,B,none"): ("a", "B", "none"),
    ("colours", "colours__has=red,green"): ("red", "green"),
    ("is_soft", "is_soft=true"): (True,),
    ("box.name", BOX_OR_HARD): ("a",),
}


def add_empty(asked: Asked, groups: dict[tuple[Any, ...], list[Made]]) -> None:
    """Add the groups that no toy is in: each value of a key with each of every other one's."""
    values: list[set[Any]] = []
    for at, name in enumerate(asked.keys):
        known = {key[at] for key in groups} - {None}
        is_part, limits = "(" in name, []
        if is_part and name.endswith("(made)") and asked.chosen.startswith("made__gte"):
            limits = [FIRST, LAST]
        period = name.partition("(")[0]
        if is_part and (known or limits):
            days = [date(2015, 1, 1) + timedelta(n) for n in range(800)]
            named = [(day, part(period, day)) for day in days]
            first = limits[0] if limits else min(day for day, text in named if text in known)
            last = limits[1] if limits else max(day for day, text in named if text in known)
            known |= {text for day, text in named if first <= day <= last}
        anyhow = (False, True) if name == "is_soft" else ()
        values.append(known | set(NAMED.get((name, asked.chosen), anyhow)))
    for key in product(*values):
        groups.setdefault(key, [])


def without(name: str, toys: list[Made]) -> int:
    """How many toys are without a value of the field."""
    if name == "made":
        return sum(bounds(toy.made).earliest is None for toy in toys)
    if name == "box.made":
        return sum(toy.box is None or bounds(toy.box.made).earliest is None for toy in toys)
    return sum(None in ALL[name](toy) for toy in toys)


def answer_of(asked: Asked, toys: list[Made]) -> dict[str, Any]:
    toys = [toy for toy in toys if FILTERS[asked.chosen](toy)]
    groups = list(groups_of(asked, toys))
    if asked.empty_groups and len(groups) > MAX_GROUPS:
        return {}
    rows = [row for row in groups if meets(row, asked.having)]
    shown = in_order(rows, asked)[: asked.limit]
    fields = [name.rstrip(")").rpartition("(")[2] for name in (*asked.keys, *asked.metrics)]
    missing = {f for f in fields if f not in ("count", "name", "is_soft")}
    for row in shown:
        for name in asked.keys:
            if "(" in name and row[name_of(name)] is None:
                row[name_of(name)] = "undated"
    return {
        "data": shown,
        "groups": len(shown),
        "groups_in_all": len(rows),
        "records": len(toys),
        "missing": {name: without(name, toys) for name in missing},
        "left_out": {},
        "withheld": 0,
        "withheld_values": {name: 0 for name in missing if "." not in name},
    }


async def get(app: FastAPI, address: str) -> httpx.Response:
    async with client_of(app) as client:
        return await client.get(address)


@drawing(8)
@given(drawn=several(), several_asked=st.lists(questions(), min_size=3, max_size=6))
async def test_every_aggregate_is_what_plain_python_makes_of_the_records(
    toy_app: FastAPI, drawn: list[Made], several_asked: list[Asked]
) -> None:
    toys, note = await entered(toy_app, drawn)
    for asked in several_asked:
        answer = await get(toy_app, f"/wooden-toys/aggregate?{asked.query(note)}")
        expected = answer_of(asked, toys)
        assert answer.status_code == (200 if expected else 400), answer.text
        assert not expected or json_codec.loads(answer.content) == expected


def test_the_model_rounds_half_away_from_zero() -> None:
    assert half_up(Fraction(1), 8, 2) == Decimal("0.13")
    assert half_up(Fraction(-1), 8, 2) == Decimal("-0.13")
    assert half_up(Fraction(1), 3, 2) == Decimal("0.33")
