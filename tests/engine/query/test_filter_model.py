"""Random filters on random toys, against what the documentation says of each in plain Python."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.edtf import bounds
from tests.conftest import client_of
from tests.engine.conftest import make

NAMES = ("a", "A", "ä", "Ä", "b", "ab", "a'b", 'a"b', "a,b", "%", "_a", "ёж", "Ёж", "ИЛИ", "ΑΣ")
PRICES = tuple(map(Decimal, ("0", "0.0001", "1", "1.5", "2", "1250.5", "99999999999998.9999")))
DATES = ("2016", "2016-04", "2016-04-12", "2016-24", "2016-04/2016-06", "XXXX-04", "2017?")
COLOURS = ("red", "blue", "re", "a,b", 'a"b', "ё")
SIZES = (0, 1, 2, 3)
NOTE = "model"


@dataclass(eq=False, repr=False)
class Wheel:
    size: int
    maker: "Toy | None" = None


@dataclass(eq=False, repr=False)
class Toy:
    name: str
    made: str | None = None
    price: Decimal | None = None
    is_soft: bool = False
    colours: list[str] = field(default_factory=list)
    box: "Toy | None" = None
    wheels: list[Wheel] = field(default_factory=list)
    contents: list["Toy"] = field(default_factory=list)
    id: str = ""

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        # Boxes within boxes, each with all that is in it, would be megabytes.
        printer.text(f"Toy {self.id}")

    @property
    def made_earliest(self) -> date | None:
        return bounds(self.made).earliest

    @property
    def made_latest(self) -> date | None:
        return bounds(self.made).latest


Test = Callable[[Any], bool]


@dataclass(frozen=True)
class Asked:
    """A condition in words of the address and in Python. `flat` is None where only an expression
    can say it; names in `expression` begin with the place of `{at}`."""

    expression: str
    holds: Test
    flat: tuple[str, str] | None = None


def some_toys() -> list[Toy]:
    """Toys in boxes within boxes, each value of each field several times, many missing."""
    chance = random.Random(4)
    toys: list[Toy] = []
    for _ in range(40):
        toy = Toy(
            name=chance.choice(NAMES),
            made=chance.choice((None, *DATES)),
            price=chance.choice((None, *PRICES)),
            is_soft=chance.random() < 0.5,
            colours=chance.sample(COLOURS, chance.choice((0, 0, 1, 2, 3))),
            box=chance.choice((None, *toys)) if chance.random() < 0.7 else None,
        )
        for _ in range(chance.choice((0, 0, 1, 2, 3))):
            maker = chance.choice((None, *toys)) if chance.random() < 0.7 else None
            toy.wheels.append(Wheel(chance.choice(SIZES), maker))
        if toy.box is not None:
            toy.box.contents.append(toy)
        toys.append(toy)
    return toys


@pytest.fixture(scope="session")
async def shelf(toy_app: FastAPI) -> list[Toy]:
    """The toys, stored once in an application: no other test has any with their note."""
    toys = some_toys()
    async with client_of(toy_app) as client:
        for toy in toys:
            wheels = [{"size": w.size, "maker_id": w.maker and w.maker.id} for w in toy.wheels]
            made = await make(
                client,
                name=toy.name,
                made=toy.made,
                price=toy.price,
                is_soft=toy.is_soft,
                colours=toy.colours,
                box_id=toy.box and toy.box.id,
                wheels=wheels,
                note=NOTE,
            )
            toy.id = made["id"]
    return toys


# What each operator means


def folded(text: str) -> str:
    return "".join(low if len(low := letter.lower()) == 1 else letter for letter in text)


#: Of a value that is there; a comparison with a missing one is false.
COMPARED: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda value, other: bool(value == other),
    "gt": lambda value, other: bool(value > other),
    "gte": lambda value, other: bool(value >= other),
    "lt": lambda value, other: bool(value < other),
    "lte": lambda value, other: bool(value <= other),
    "in": lambda value, others: value in others,
    "contains": lambda value, other: other in value,
    "icontains": lambda value, other: folded(other) in folded(value),
    "startswith": lambda value, other: value.startswith(other),
    "endswith": lambda value, other: value.endswith(other),
}
_WRITTEN = {"gte": "ge", "lte": "le"}
_OPPOSITE = {"ne": "eq", "not_in": "in"}
ORDERED = ("gt", "gte", "lt", "lte")
EVERY = ("eq", "ne", "in", "not_in")
TEXTUAL = ("contains", "icontains", "startswith", "endswith")


def quoted(text: str) -> str:
    doubled = text.replace("'", "''")
    return f"'{doubled}'"


def literal(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return quoted(value) if isinstance(value, str) else str(value)


def listed(values: list[Any]) -> str:
    """Values as a flat filter takes them: each in quotes that needs them."""
    texts = [literal(value) if isinstance(value, bool) else str(value) for value in values]
    doubled = [text.replace('"', '""') for text in texts]
    return ",".join(f'"{text}"' if '"' in text or "," in text else text for text in doubled)


def get(name: str) -> Callable[[Any], Any]:
    return lambda row: getattr(row, name)


@st.composite
def plain(draw: st.DrawFn, name: str, values: tuple[Any, ...], operators: tuple[str, ...]) -> Asked:
    """One field compared with one value or several."""
    operator = draw(st.sampled_from(operators))
    positive, read = _OPPOSITE.get(operator, operator), get(name)
    many = positive == "in"
    drawn = st.lists(st.sampled_from(values), min_size=1, max_size=5)
    parsed = draw(drawn if many else st.sampled_from(values))

    def holds(row: Any) -> bool:
        value = read(row)
        met = value is not None and COMPARED[positive](value, parsed)
        return met is not (operator in _OPPOSITE)

    if many:
        inner = f"{{at}}{name} in ({','.join(map(literal, parsed))})"
        text = f"not ({inner})" if operator == "not_in" else inner
        return Asked(text, holds, (f"{name}__{operator}", listed(parsed)))
    flat = (f"{name}__{operator}", literal(parsed) if not isinstance(parsed, str) else parsed)
    if operator == "icontains":
        text = f"contains(tolower({{at}}{name}),{quoted(parsed)})"
    elif operator in TEXTUAL:
        text = f"{operator}({{at}}{name},{quoted(parsed)})"
    else:
        text = f"{{at}}{name} {_WRITTEN.get(operator, operator)} {literal(parsed)}"
    return Asked(text, holds, flat)


@st.composite
def stated(draw: st.DrawFn) -> Asked:
    """A stated date that is certainly before or after a day."""
    days = ("2016-01-01", "2016-04-01", "2016-04-12", "2016-04-30", "2016-12-31", "2017-02-28")
    operator, day = draw(st.sampled_from(ORDERED)), draw(st.sampled_from(days))
    end = "made_earliest" if operator in ("gt", "gte") else "made_latest"

    def holds(toy: Toy) -> bool:
        value = getattr(toy, end)
        return value is not None and COMPARED[operator](value, date.fromisoformat(day))

    text = f"{{at}}made {_WRITTEN.get(operator, operator)} {day}"
    return Asked(text, holds, (f"made__{operator}", day))


@st.composite
def missing(draw: st.DrawFn, names: tuple[str, ...]) -> Asked:
    """Whether a field has a value."""
    name, without = draw(st.sampled_from(names)), draw(st.booleans())
    column, read = (f"{name}_id" if name in ("box", "maker") else name), get(name)
    text = f"{{at}}{column} {'eq' if without else 'ne'} null"
    flat = (f"{column}__isnull", literal(without))
    return Asked(text, lambda row: (read(row) in (None, [])) is without, flat)


@st.composite
def has(draw: st.DrawFn) -> Asked:
    colour = draw(st.sampled_from(COLOURS))
    text = f"{{at}}colours has {quoted(colour)}"
    return Asked(text, lambda toy: colour in toy.colours, ("colours__has", listed([colour])))


def of_toy() -> st.SearchStrategy[Asked]:
    """A condition on a field of a toy itself."""
    return st.one_of(
        plain("name", NAMES, (*EVERY, *ORDERED, *TEXTUAL)),
        plain("price", (*PRICES, Decimal("1.00005"), Decimal(10**20)), (*EVERY, *ORDERED)),
        plain("is_soft", (True, False), EVERY),
        plain("made", DATES, EVERY),
        stated(),
        missing(("price", "made", "box", "made_earliest", "colours")),
        has(),
    )


def of_wheel() -> st.SearchStrategy[Asked]:
    return st.one_of(
        plain("size", SIZES, (*EVERY, *ORDERED)),
        missing(("maker",)),
        to_one("maker"),
    )


@st.composite
def to_one(draw: st.DrawFn, relation: str) -> Asked:
    """A condition on the record that a relation leads to: without one, each field is missing."""
    inner = draw(of_toy().filter(lambda asked: asked.flat is not None))
    assert inner.flat is not None
    name, value = inner.flat
    nobody = Toy("")
    object.__setattr__(nobody, "name", None)
    object.__setattr__(nobody, "is_soft", None)

    def holds(row: Any) -> bool:
        other = getattr(row, relation)
        if other is None:
            operator = name.rpartition("__")[2]
            return value == "true" if operator == "isnull" else operator in _OPPOSITE
        return inner.holds(other)

    text = inner.expression.replace("{at}", f"{{at}}{relation}/")
    return Asked(text, holds, (f"{relation}__{name}", value))


@st.composite
def to_many(draw: st.DrawFn, relation: str, of: st.SearchStrategy[Asked]) -> Asked:
    """A condition on some of, all of, or any of the records that a relation leads to."""
    how, inner = draw(st.sampled_from(("any", "all", "some", "none"))), draw(of)
    variable = draw(st.sampled_from(("x", "y")))
    within = inner.expression.replace("{at}", f"{variable}/")
    test = inner.holds
    if how == "any":
        flat = inner.flat and (f"{relation}__{inner.flat[0]}", inner.flat[1])
        text = f"{{at}}{relation}/any({variable}: {within})"
        return Asked(text, lambda row: any(map(test, getattr(row, relation))), flat)
    if how == "all":
        text = f"{{at}}{relation}/all({variable}: {within})"
        return Asked(text, lambda row: all(map(test, getattr(row, relation))))
    without = how == "none"
    text = f"{'not ' if without else ''}{{at}}{relation}/any()"
    flat = (f"{relation}__isnull", literal(without))
    return Asked(text, lambda row: (not getattr(row, relation)) is without, flat)


def single() -> st.SearchStrategy[Asked]:
    return st.one_of(
        of_toy(),
        of_toy(),
        to_one("box"),
        to_many("wheels", of_wheel()),
        to_many("contents", of_toy()),
    )


def nested(inner: st.SearchStrategy[Asked]) -> st.SearchStrategy[Asked]:
    several = st.lists(inner, min_size=2, max_size=3)
    return st.one_of(
        inner.map(lambda a: Asked(f"not ({a.expression})", lambda row: not a.holds(row))),
        several.map(
            lambda all_: Asked(
                " and ".join(f"({a.expression})" for a in all_),
                lambda row: all(a.holds(row) for a in all_),
            )
        ),
        several.map(
            lambda all_: Asked(
                " or ".join(f"({a.expression})" for a in all_),
                lambda row: any(a.holds(row) for a in all_),
            )
        ),
    )


conditions = st.recursive(single(), nested, max_leaves=6)
_often = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


async def answered(toys: httpx.AsyncClient, *parameters: tuple[str, str]) -> set[str]:
    sent: list[tuple[str, str | int | float | bool | None]]
    sent = [("note", NOTE), ("limit", "1000"), ("fields", "id"), *parameters]
    answer = await toys.get("/wooden-toys", params=sent)
    assert answer.status_code == 200, answer.text
    ids = [record["id"] for record in answer.json()["data"]]
    assert ids == sorted(set(ids))
    return set(ids)


@_often
@given(asked=conditions)
async def test_an_expression_finds_what_it_means(
    toys: httpx.AsyncClient, shelf: list[Toy], asked: Asked
) -> None:
    text = asked.expression.replace("{at}", "")
    meant = {toy.id for toy in shelf if asked.holds(toy)}
    assert await answered(toys, ("filter", text)) == meant


@_often
@given(asked=conditions)
async def test_an_expression_and_its_opposite_share_out_all_toys(
    toys: httpx.AsyncClient, shelf: list[Toy], asked: Asked
) -> None:
    text = asked.expression.replace("{at}", "")
    found = await answered(toys, ("filter", text))
    rest = await answered(toys, ("filter", f"not ({text})"))
    assert found | rest == {toy.id for toy in shelf}
    assert not found & rest


flat_ones = single().filter(lambda asked: asked.flat is not None)


@_often
@given(asked=flat_ones)
async def test_a_flat_filter_finds_what_it_means(
    toys: httpx.AsyncClient, shelf: list[Toy], asked: Asked
) -> None:
    assert asked.flat is not None
    assert await answered(toys, asked.flat) == {toy.id for toy in shelf if asked.holds(toy)}


def direct() -> st.SearchStrategy[Asked]:
    return (of_toy() | to_one("box")).filter(lambda asked: asked.flat is not None)


@_often
@given(
    asked=st.lists(direct(), max_size=3, unique_by=lambda a: a.flat and a.flat[0]),
    wheels=st.lists(of_wheel(), min_size=1, max_size=3, unique_by=lambda a: a.flat and a.flat[0]),
)
async def test_flat_filters_hold_together_and_for_one_wheel(
    toys: httpx.AsyncClient, shelf: list[Toy], asked: list[Asked], wheels: list[Asked]
) -> None:
    sent = [a.flat for a in asked if a.flat]
    sent += [(f"wheels__{a.flat[0]}", a.flat[1]) for a in wheels if a.flat]

    def holds(toy: Toy) -> bool:
        same = any(all(a.holds(wheel) for a in wheels) for wheel in toy.wheels)
        return same and all(a.holds(toy) for a in asked)

    assert await answered(toys, *sent) == {toy.id for toy in shelf if holds(toy)}


@_often
@given(flat=flat_ones, asked=conditions)
async def test_flat_filters_and_an_expression_hold_together(
    toys: httpx.AsyncClient, shelf: list[Toy], flat: Asked, asked: Asked
) -> None:
    assert flat.flat is not None
    text = asked.expression.replace("{at}", "")
    meant = {toy.id for toy in shelf if flat.holds(toy) and asked.holds(toy)}
    assert await answered(toys, flat.flat, ("filter", text)) == meant
