"""Conversion: of what was announced or signed in a period, what had become of it months later."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Annotated

from fastapi import Query, Request
from pydantic import Field
from starlette.responses import Response

from app.core import json_codec
from app.core.http.dispatch import Route
from app.core.http.operation import Answer
from app.core.http.responses import JsonResponse
from app.core.loose_types import Json, JsonValue, Values
from app.engine.query.filter_reader import bad_parameter
from app.engine.query.parameters import Names, listed
from app.engine.schemas import Schema
from app.insights.choice import ChoiceQuery, read_choice
from app.insights.cohort_groups import CohortGroup
from app.insights.cohorts import (
    NOT_YET,
    STATES,
    UNKNOWN,
    CohortShape,
    CohortState,
    Membership,
    Stage,
    cohort_statement,
    months_number,
)
from app.insights.days import NEVER_AFTER, NEVER_BEFORE, day_number
from app.insights.periods import period_of, read_day, with_period
from app.resources.agreement import agreement
from app.rest.decimals import dialect_of
from app.rest.handlers import database_of
from app.rest.operations import RecordsOperation
from app.rest.past import answered_at, with_past

MAX_HORIZONS = 8
MAX_MONTHS = 999
MAX_GROUPS = 1000
DEFAULT_MONTHS = "6,12,24"
MONTHS_PATTERN = "^[1-9][0-9]{0,2}(,[1-9][0-9]{0,2}){0,7}$"


class _ConversionQuery(ChoiceQuery):
    today: str | None = Field(None, max_length=40)
    """The day until which is looked: the present day when left out, or that of `as_of`. A month or
    a year stands for its last day. What began less than so many months before it has not had its
    time yet."""
    months: Names = Field(DEFAULT_MONTHS, json_schema_extra={"pattern": MONTHS_PATTERN})
    """After how many months is looked, up to 8 numbers from 1 to 999, separated by commas."""
    group_by: CohortGroup | None = None
    """What to tell apart: `instrument`, `bindingness`, the `year` in which it began, a country, or
    the `organizer` of the mission. An agreement with several countries or organizers counts in the
    group of each."""


ConversionQuery = with_period("ConversionQuery", "Parameters of the conversion.", _ConversionQuery)


class StatesAfter(Schema):
    """Where the agreements of a cohort stood so many months after they had begun."""

    months: int
    """After how many months."""
    announced: int
    """How many were still announced or negotiated."""
    signed: int
    """How many were signed, and no more."""
    in_force: int
    """How many were in force."""
    completed: int
    """How many were completed."""
    replaced: int
    """How many were superseded, such as a memorandum by a contract, and have not fallen through."""
    fallen_through: int
    """How many were cancelled or had expired."""
    unknown: int
    """How many had got further at some time, of which nobody says whether it was by then, or began
    on a day that does not say whether the time has come."""
    not_yet: int
    """How many began less than so many months ago: what becomes of them cannot be said yet. They
    are in none of the other figures, which add up with this one to `agreements`."""


class Cohort(Schema):
    """Agreements that began a stage in the period."""

    stage: Stage
    """How they began. One that was announced and later signed is in a cohort of each stage."""
    group: str | None
    """Which group they are of, null where they have none or nothing was asked to group by."""
    name: str | None
    """The name of the organizer."""
    agreements: int
    """How many began in the period; a record counts for as many as it `stands_for`."""
    records: int
    """How many records these are."""
    not_to_the_day: int
    """Of the agreements, how many began on a day that is not known, but for its month or year."""
    perhaps: int
    """How many others may have begun in the period, and may not: their date is wider than it."""
    undated: int
    """How many others there are whose beginning has no date, or none with a year."""
    after: list[StatesAfter]
    """Where they stood, after each number of months."""


class ConversionLeftOut(Schema):
    """What is in no cohort."""

    accomplished: int
    """Acts that were done already, such as an office opened: nothing more is to come of them."""
    perhaps: int
    """Those whose date is wider than the period, in all."""
    undated: int
    """Those that have no date, in all."""
    withheld: int
    """Agreements that are withheld: all of them, whatever the filters."""


class Conversion(Schema):
    """What had become of agreements."""

    today: date
    """The day until which was looked."""
    data: list[Cohort] = Field(description="The cohorts of each group, the largest first.")
    groups_in_all: int
    """How many cohorts there are without the limit of 1,000."""
    total: list[Cohort] = Field(description="The same of all groups, each agreement counted once.")
    left_out: ConversionLeftOut
    """What was not counted."""


@dataclass(slots=True)
class _Tally:
    """A cohort that is being added up."""

    horizons: tuple[int, ...]
    counts: dict[str, int] = field(default_factory=dict)
    states: list[dict[int, int]] = field(default_factory=list)

    def add(self, cell: list[JsonValue]) -> None:
        membership, is_day, *states, agreements, records = cell
        if membership != Membership.member:
            self._count(membership, agreements)
            return
        self._count("agreements", agreements)
        self._count("records", records)
        self._count("not_to_the_day", 0 if is_day else agreements)
        for known, state in zip(self.states, states, strict=True):
            known[state] = known.get(state, 0) + agreements

    def _count(self, name: str, by: int) -> None:
        self.counts[name] = self.counts.get(name, 0) + by

    def to_json(self) -> Json:
        names = ("agreements", "records", "not_to_the_day", "perhaps", "undated")
        return {
            **{name: self.counts.get(name, 0) for name in names},
            "after": [
                _after(months, states)
                for months, states in zip(self.horizons, self.states, strict=True)
            ],
        }


def _after(months: int, states: dict[int, int]) -> Json:
    ranks = {state: rank for rank, state in STATES.items()}
    return {
        "months": months,
        **{state.value: states.get(ranks[state], 0) for state in CohortState},
        "unknown": states.get(UNKNOWN, 0),
        "not_yet": states.get(NOT_YET, 0),
    }


def _cohorts(cells: Iterable[list[JsonValue]], horizons: tuple[int, ...]) -> list[Json]:
    """The cohorts that the rows of `cohort_statement` make, the largest first."""
    found: dict[tuple[JsonValue, ...], _Tally] = {}
    for stage, group, name, *cell in cells:
        tally = found.setdefault(
            (stage, group, name), _Tally(horizons, states=[{} for _ in horizons])
        )
        tally.add(cell)
    made = [
        {"stage": stage, "group": group, "name": name, **tally.to_json()}
        for (stage, group, name), tally in found.items()
    ]
    return sorted(made, key=_in_order)


def _in_order(cohort: Json) -> tuple[JsonValue, ...]:
    group = cohort["group"]
    return cohort["stage"], -cohort["agreements"], group is None, group or "", cohort["name"] or ""


def conversion_route() -> Route:
    """GET /insights/conversion"""

    async def get_conversion(
        request: Request,
        query: Annotated[ConversionQuery, Query()],  # type: ignore[valid-type]
    ) -> Response:
        asked: _ConversionQuery = query
        horizons = _horizons(asked.months)
        choice, values, _ = await read_choice(request, agreement, asked)
        at = await answered_at(request)
        today = read_day("today", asked.today, at, at_end=True) or at.date()
        values |= {**_period(asked, at), "today": day_number(today)}
        values |= {f"after{n}": months_number(months) for n, months in enumerate(horizons)}
        shape = CohortShape(choice, asked.group_by, len(horizons))
        database = database_of(request)
        statement = await cohort_statement.beside_loop(shape, dialect_of(request))
        ((body,),) = await database.read(statement, values)
        return JsonResponse(json_codec.dumps(_answer(json_codec.loads(body), horizons, today)))

    operation = RecordsOperation(
        resource=agreement,
        path="/insights/conversion",
        name="get_conversion",
        summary="Tell what became of agreements",
        description="Of what was announced or signed in a period, how many were in force,"
        " completed, replaced or fallen through so many months later, by the dates of their"
        " outcomes; see the [guide](guide#conversion).",
        tag="insights",
        answers=(Answer(model=Conversion),),
    )
    return with_past(operation).route(get_conversion)


def _answer(found: Json, horizons: tuple[int, ...], today: date) -> Json:
    total = _cohorts(found["total"], horizons)
    data = _cohorts(found["groups"], horizons) if "groups" in found else total
    return {
        "today": today.isoformat(),
        "data": data[:MAX_GROUPS],
        "groups_in_all": len(data),
        "total": total,
        "left_out": {
            "accomplished": found["accomplished"],
            "perhaps": sum(cohort["perhaps"] for cohort in total),
            "undated": sum(cohort["undated"] for cohort in total),
            "withheld": found["withheld"],
        },
    }


def _horizons(text: str | None) -> tuple[int, ...]:
    words = listed("months", DEFAULT_MONTHS if text is None else text)
    if len(words) > MAX_HORIZONS:
        many = f"At most {MAX_HORIZONS} are possible, not {len(words)}."
        raise bad_parameter("months", "too_many", many)
    return tuple(sorted({_months(word) for word in words}))


def _months(word: str) -> int:
    if not re.fullmatch("[1-9][0-9]{0,2}", word):
        text = f"Must be whole numbers from 1 to {MAX_MONTHS}, such as 6,12,24; got {word[:50]!r}."
        raise bad_parameter("months", "value", text)
    return int(word)


def _period(query: ChoiceQuery, asked_at: datetime) -> Values:
    """The numbers of the first and the last day of the period."""
    first, last = period_of(query, asked_at) or (None, None)
    return {
        "since": NEVER_BEFORE if first is None else day_number(first),
        "until": NEVER_AFTER if last is None else day_number(last),
    }
