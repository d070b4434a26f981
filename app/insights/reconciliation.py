"""Reconciliation: each figure that is claimed for a mission, beside what is on record of it."""

from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Request
from pydantic import Field
from starlette.responses import Response

from app.core import json_codec
from app.core.databases.types import line_key
from app.core.errors import BadRequest, NotFound
from app.core.http.dispatch import Route
from app.core.http.operation import Answer, Operation
from app.core.http.responses import JsonResponse
from app.core.loose_types import Json, JsonValue
from app.engine.resource import Resource
from app.engine.schemas import Digits, Edtf, Schema
from app.insights.claims import ClaimKind
from app.insights.differences import (
    Comparison,
    Recorded,
    compared,
    reasons_of,
    recorded_amount,
    recorded_of,
    why_apart,
)
from app.insights.recorded import reconciliation_statement
from app.resources.difference_reason import DifferenceReason
from app.resources.firmness import Firmness
from app.resources.money import AmountPeriod, Bound
from app.resources.reported_total import Measure, Rank
from app.rest.decimals import dialect_of, texts_of, wants_texts
from app.rest.handlers import database_of, find_row
from app.rest.operations import Key
from app.rest.past import with_past

Figure = Annotated[Decimal, Digits(18, 4)]


class Named(Schema):
    """Who claims something."""

    id: UUID
    """The id of the organization or person."""
    name: str
    """What it is called."""


class ClaimSource(Schema):
    """A passage that a claim rests on."""

    citation_id: UUID
    """The citation's id."""
    start: int
    """Where the passage begins in the source's text, in Unicode code points from 0."""
    end: int
    """Where it ends."""
    field: str | None
    """The field of the claim that it backs, as a JSON Pointer."""
    source_id: UUID
    """The source's id."""
    publisher: str | None
    """Who published it."""
    title: str | None
    """Its title."""


class ClaimReason(Schema):
    """Why a claim may differ from what is on record."""

    reason: DifferenceReason
    """The reason: its labels are at /codes/difference-reasons."""
    count: int | None
    """Of how many agreements, parties or claims it is so, where that can be counted; a record
    counts for as many agreements as it stands for."""


class Claim(Schema):
    """A figure that somebody states."""

    kind: ClaimKind
    """Whether it is a reported total or a statement."""
    id: UUID
    """The record's id."""
    ref: str | None
    """The record's ref."""
    value: Figure
    """What is claimed."""
    value_max: Figure | None
    """The end of a range."""
    of_value: Figure | None
    """The whole that it is a share of."""
    bound: Bound
    """How the figure limits the true one."""
    rank: Rank | None
    """Of a reported total, which of several claims is taken."""
    as_of: Edtf | None
    """The date that the figure is of, or on which it was said, as stated, in EDTF."""
    claimed_by: Named | None
    """The organization that claims it, or in whose name it was said."""
    claimed_by_person: Named | None
    """The person who claims it."""
    sources: list[ClaimSource]
    """Where it stands."""
    difference: Figure | None
    """What is claimed less what is on record; null where either is missing."""
    comparison: Comparison
    """Whether what is on record lies within what is claimed (`agrees`), may (`possible`), or cannot
    (`differs`)."""
    reasons: list[ClaimReason]
    """Why the two may differ, or why they are not compared."""


class RecordedClass(Schema):
    """What is on record of one class of agreements."""

    firmness: Firmness
    """The class."""
    amount: Figure | None
    """The sum of what is stated."""
    at_least: Figure | None
    """What it is at least."""
    at_most: Figure | None
    """What it is at most."""
    agreements: int
    """How many agreements there are, of money in the sum."""
    left_out: int
    """How many records of the class are not in its sum."""
    is_added: bool
    """Whether it is in the figure on record: what fell through or was replaced is not."""


class RecordedLeftOut(Schema):
    """How many records of agreements state such a figure and are not in it."""

    parts: int
    """Those that are part of another, whose figure has theirs in it."""
    replaced: int
    """Those whose place another took."""
    fallen_through: int
    """Those that were cancelled or have expired."""


class ReconciliationLeftOut(RecordedLeftOut):
    """How many records are in none of the figures that are shown."""

    parts: int
    """Agreements that are part of another, of all amounts on record that are shown."""
    replaced: int
    """Agreements with such amounts whose place another took."""
    fallen_through: int
    """Agreements with such amounts that were cancelled or have expired."""
    repeated_claims: int
    """Reported totals that say what the one says that is taken."""
    rival_claims: int
    """Reported totals that say something else, or of which none could be taken."""
    withheld: int
    """Records of agreements that are counted and not shown."""


class RecordedFigure(Schema):
    """What is on record of the same figure, of the mission and those that are part of it."""

    value: Figure | None
    """The figure, of all classes that stand; null where nothing on record measures it."""
    at_least: Figure | None
    """What it is at least."""
    at_most: Figure | None
    """What it is at most; null where something on record is not known."""
    classes: list[RecordedClass]
    """Of agreements and amounts, the figure by class. A part that is in a whole of another class
    is in the sum of its own: the figure can be less than they come to."""
    left_out: RecordedLeftOut | None
    """What is not in the figure; null where it adds nothing of several agreements."""


class ReconciledFigure(Schema):
    """One figure, with all that is claimed of it."""

    measure: Measure
    """What it counts."""
    currency: str | None
    """ISO 4217, when the measure is money."""
    per: Literal["year", "month"] | None
    """In what time, when it is a figure of each year or month."""
    scope: str | None
    """What it is about, when not the whole mission."""
    mission_id: UUID | None
    """The mission that it is stated for."""
    agreement_id: UUID | None
    """The agreement that it is about."""
    part_of_id: UUID | None
    """The reported total that it is a part of."""
    taken: Figure | None
    """The reported total that is taken: the preferred, else what all say; null where there is none
    or they disagree."""
    recorded: RecordedFigure | None
    """What is on record; null where the figure is about what records do not tell apart."""
    claims: list[Claim]
    """Who claims what."""


class Reconciliation(Schema):
    """Figures that are claimed for a mission, beside what is on record."""

    id: UUID
    """The mission's id."""
    ref: str | None
    """The mission's ref."""
    title: str
    """The mission's title."""
    missions: int
    """How many missions are on record as its parts, it among them."""
    figures: list[ReconciledFigure] = Field(description="One entry a figure.")
    left_out: ReconciliationLeftOut
    """What is not in the figures."""


_OF_FIGURE = (*("measure", "currency", "per", "scope", "mission_id", "agreement_id", "part_of_id"),)
_OF_CLAIM = (
    *("kind", "id", "ref", "value", "value_max", "of_value", "bound", "rank", "as_of"),
    *("claimed_by", "claimed_by_person", "sources"),
)


def _of_total(row: Json) -> Json:
    per = "year" if row["amount_period"] == AmountPeriod.per_year else None
    return {**row, "per": per, "agreement_id": None}


def _of_statement(row: Json) -> Json:
    subject = row["subject"]
    is_money = row["amount"] is not None
    return {
        **row,
        "value": row["amount"] if is_money else row["quantity"],
        "value_max": None,
        "of_value": None if is_money else row["of_quantity"],
        "bound": row["bound"] or Bound.exact,
        "scope": subject["name"] if subject else row["subject_description"],
        "rank": None,
        "part_of_id": None,
    }


def _figures(found: Json) -> list[Json]:
    """The figures, each with its claims, in the order of measures."""
    claims = [*map(_of_total, found["reported_totals"]), *map(_of_statement, found["statements"])]
    by_figure: dict[tuple[JsonValue, ...], list[Json]] = {}
    for claim in claims:
        figure = (*_about(claim).values(), claim["is_about_withheld"])
        by_figure.setdefault(figure, []).append(claim)
    measures = list(Measure)
    ordered = sorted(by_figure.values(), key=lambda claims: measures.index(claims[0]["measure"]))
    return [_figure(found, claims) for claims in ordered]


def _about(claim: Json) -> Json:
    """What tells one figure from another: a scope as lines are compared."""
    scope = claim["scope"]
    told = {name: claim.get(name) for name in _OF_FIGURE}
    return told | {"scope": None if scope is None else line_key(scope)}


def _figure(found: Json, claims: list[Json]) -> Json:
    first = claims[0]
    apart = why_apart(first, found["summary"]["id"])
    recorded = None
    if not apart and first["agreement_id"] is not None:
        recorded = recorded_amount(first)
    elif not apart:
        recorded = recorded_of(found, first["measure"], first["currency"], first["per"])
    return {
        **{name: first[name] for name in _OF_FIGURE},
        "taken": _taken(found, first),
        "recorded": _shown(recorded),
        "claims": [_claim(found, claim, claims, recorded, apart) for claim in claims],
    }


def _claim(
    found: Json, claim: Json, claims: list[Json], recorded: Recorded | None, apart: list[Json]
) -> Json:
    shown = {name: claim[name] for name in _OF_CLAIM}
    if recorded is None:
        result = {"difference": None, "comparison": Comparison.not_comparable, "reasons": apart}
        return shown | result
    known = recorded.value
    return {
        **shown,
        "difference": None if known is None else claim["value"] - known,
        "comparison": compared(claim, recorded),
        "reasons": reasons_of(claim, claims, recorded, found),
    }


def _taken(found: Json, figure: Json) -> JsonValue:
    reported, about = found["summary"]["reported"], _about(figure)
    return next((each["value"] for each in reported if _about(each) == about), None)


def _shown(recorded: Recorded | None) -> Json | None:
    if recorded is None:
        return None
    is_known = recorded.value is not None
    return {
        "value": recorded.value,
        "at_least": recorded.limits.low if is_known else None,
        "at_most": recorded.limits.high if is_known else None,
        "classes": recorded.classes,
        "left_out": recorded.left_out,
    }


#: What is read as a text where decimals are asked for so.
_READ_DECIMALS = {
    "reported_totals": ("value", "value_max", "of_value"),
    "statements": ("amount", "quantity", "of_quantity"),
}


def _with_numbers(found: Json) -> Json:
    """What was read with its decimals as numbers, which are compared and added."""
    found["summary"] |= {"reported": list(map(_with_number, found["summary"]["reported"]))}
    read = [(found[name], decimals) for name, decimals in _READ_DECIMALS.items()]
    for rows, decimals in (*read, (found["jobs"]["targets"], ("value", "at_least", "at_most"))):
        for row in rows:
            row |= {each: _number(row[each]) for each in decimals}
    for row in found["statements"]:
        of = row["of_agreement"] or {}
        of |= {name: _number(of[name]) for name in ("value", "at_least", "at_most") if name in of}
    return found


def _with_number(figure: Json) -> Json:
    return figure | {"value": _number(figure["value"])}


def _number(value: JsonValue) -> Decimal | int | None:
    return Decimal(value) if isinstance(value, str) else value


def _answer(found: Json) -> Json:
    names = ("id", "ref", "title", "missions")
    summary = found["summary"]
    shown = {name: summary[name] for name in names}
    figures = _figures(found)
    return {**shown, "figures": figures, "left_out": _left_out(summary["left_out"], figures)}


def _left_out(of_summary: Json, figures: list[Json]) -> Json:
    """What the figures leave out: agreements of the amounts, each of which is in one of these."""
    of_amounts = [
        figure["recorded"]["left_out"]
        for figure in figures
        if figure["measure"] == Measure.amount and figure["recorded"] is not None
    ]
    added = {
        name: sum(left[name] for left in of_amounts if left is not None)
        for name in RecordedLeftOut.model_fields
    }
    names = ("repeated_claims", "rival_claims", "withheld")
    return added | {name: of_summary[name] for name in names}


_DECIMALS = ("value", "value_max", "of_value", "difference", "at_least", "at_most", "amount")


def _with_texts(answer: Json) -> Json:
    """The answer with its figures as texts."""
    for figure in answer["figures"]:
        figure |= texts_of(figure, ("taken",))
        recorded = figure["recorded"] or {"classes": ()}
        recorded |= texts_of(recorded, _DECIMALS)
        for each in (*recorded["classes"], *figure["claims"]):
            each |= texts_of(each, _DECIMALS)
    return answer


def reconciliation_route(mission: Resource) -> Route:
    """GET /missions/{key}/reconciliation"""

    async def get_mission_reconciliation(request: Request, key: Key) -> Response:
        """Each figure that sources state for the mission, by whom and where, beside what is on
        record of it, with the difference and why there may be one; see the
        [guide](guide#reconciliation)."""
        row = await find_row(request, mission, key)
        database = database_of(request)
        statement = reconciliation_statement(dialect_of(request))
        ((body,),) = await database.read(statement, {"mission": row.id})
        answer = _answer(_with_numbers(json_codec.loads_stored(body)))
        shown = _with_texts(answer) if wants_texts(request) else answer
        return JsonResponse(json_codec.dumps(shown))

    operation = Operation(
        path="/missions/{key}/reconciliation",
        name="get_mission_reconciliation",
        summary="Hold what is claimed of one mission against what is on record",
        tag="missions",
        answers=(Answer(model=Reconciliation),),
        refusals=(BadRequest, NotFound),
    )
    return with_past(operation).route(get_mission_reconciliation)
