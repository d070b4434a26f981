"""What came of a mission: counts that say what is counted, and totals that never mix."""

from decimal import Decimal
from functools import cache
from typing import Annotated

from fastapi import Request
from pydantic import Field
from sqlalchemy import ColumnElement, Dialect, FromClause, and_, bindparam, case, func, select
from starlette.responses import Response

from app.core import json_codec
from app.core.databases.expressions import AnyTable, Expression, Selection
from app.core.databases.interface import CompiledQuery, compile_query
from app.core.databases.types import Exact
from app.core.errors import BadRequest, NotFound
from app.core.http.dispatch import Route
from app.core.http.operation import Answer, Operation
from app.core.http.responses import JsonResponse
from app.engine.aggregates.sql import Number, normalize_carry, split_sums
from app.engine.query.render import as_json, json_list, object_of
from app.engine.query.withheld import withheld_count
from app.engine.resource import Resource
from app.engine.schemas import Digits, Schema
from app.resources.agreement import Agreement
from app.resources.delegate import Certainty, Delegate
from app.resources.instrument import Bindingness
from app.resources.mission import Mission
from app.resources.money import Bound
from app.resources.outcome import Outcome
from app.resources.participation import Participation
from app.resources.reported_total import Measure, ReportedTotal
from app.resources.status import FALLEN_THROUGH, SIGNED, AgreementStatus
from app.rest.audience import reading_dialect
from app.rest.decimals import texts_of, wants_texts
from app.rest.handlers import database_of, find_row
from app.rest.operations import Key

Sum = Annotated[Decimal, Digits(18, 4)]


class Total(Schema):
    """The amounts in one currency."""

    currency: str
    """ISO 4217."""
    amount: Sum
    """The sum over agreements that have not fallen through."""
    agreements: int
    """How many agreements are in the sum."""
    not_exact: int
    """How many of these state a limit or an approximation and not the exact amount."""
    fallen_through: Sum
    """The sum over agreements cancelled, expired or superseded, which `amount` leaves out."""


class Reported(Schema):
    """A figure that a source states for the mission."""

    measure: Measure
    """What it counts."""
    value: Sum
    """The figure."""
    currency: str | None
    """ISO 4217, when the measure is money."""
    bound: Bound
    """How the figure limits the true one."""


class Summary(Schema):
    """What came of a mission, from the records that are not in the trash."""

    id: str
    """The mission's id."""
    ref: str | None
    """The mission's ref."""
    title: str
    """The mission's title."""
    agreements: int
    """All agreements and announced outcomes on record."""
    withheld: int
    """How many of these are withheld: counted in `agreements`, and in nothing else here."""
    signed_instruments: int
    """Agreements that were signed: announced plans and acts done are not counted."""
    by_bindingness: dict[Bindingness, int]
    """How many bind, do not bind, are announced, are done already, or are unknown."""
    by_status: dict[AgreementStatus, int]
    """How many have come how far."""
    ambiguous: int
    """How many agreements a source leaves open to several readings."""
    totals: list[Total] = Field(description="One entry a currency; currencies are never added.")
    without_amount: int
    """Agreements for which no amount is stated; they count as unknown, not as zero."""
    undated: int
    """Agreements signed on a day whose year is not stated, or with no date at all."""
    outcomes: int
    """Follow-ups on record."""
    delegates: int
    """People on record who take part."""
    participations: int
    """Organizations on record that take part, in each role."""
    reported_totals: list[Reported] = Field(
        description="Figures stated for the whole mission; they are not sums of the above."
    )


def _agreements() -> ColumnElement[bool]:
    return and_(Agreement.mission_id == bindparam("mission"), Agreement.deleted_at.is_(None))


def _count(*conditions: ColumnElement[bool]) -> Expression:
    return (
        select(func.count())
        .select_from(Agreement)
        .where(_agreements(), *conditions)
        .scalar_subquery()
    )


def _rows(table: AnyTable, *conditions: ColumnElement[bool]) -> Expression:
    counted = select(func.count()).select_from(table).where(table.deleted_at.is_(None), *conditions)
    return counted.scalar_subquery()


def _of_mission(table: AnyTable) -> ColumnElement[bool]:
    holds: ColumnElement[bool] = table.mission_id == bindparam("mission")
    return holds


def _totals(dialect: str) -> Expression:
    fallen = Agreement.status.in_(FALLEN_THROUGH)
    limited = and_(~fallen, Agreement.amount_bound != Bound.exact)
    rows = (
        select(
            Agreement.currency,
            case((~fallen, Agreement.amount)).label("standing"),
            case((fallen, Agreement.amount)).label("fallen"),
            case((limited, 1)).label("limited"),
        )
        .where(_agreements(), Agreement.currency.is_not(None))
        .subquery()
    )
    sums = {name: split_sums(rows.c[name], dialect) for name in ("standing", "fallen")}
    parts = {
        f"{name}_{n}": func.coalesce(part, 0)
        for name, split in sums.items()
        for n, part in enumerate(split)
    }
    by_currency = (
        select(
            rows.c.currency,
            func.count(rows.c.standing).label("agreements"),
            func.count(rows.c.limited).label("not_exact"),
            *(part.label(name) for name, part in parts.items()),
        )
        .group_by(rows.c.currency)
        .order_by(rows.c.currency)
        .subquery()
    )

    def total(name: str) -> Expression:
        raw: list[Expression] = [by_currency.c[f"{name}_{n}"] for n in range(len(sums[name]))]
        kind = rows.c[name].type
        assert isinstance(kind, Exact)
        return Number.sum(normalize_carry(raw), kind.scale).json()

    values = {
        "currency": as_json(by_currency.c.currency),
        "amount": total("standing"),
        "agreements": by_currency.c.agreements,
        "not_exact": by_currency.c.not_exact,
        "fallen_through": total("fallen"),
    }
    return select(json_list(object_of(values))).select_from(by_currency).scalar_subquery()


def _reported() -> Expression:
    columns = [getattr(ReportedTotal, name) for name in Reported.model_fields]
    rows = (
        select(*columns)
        .where(_of_mission(ReportedTotal), ReportedTotal.deleted_at.is_(None))
        .order_by(ReportedTotal.measure, ReportedTotal.id)
        .subquery()
    )
    return _list_of(rows, Reported)


def _list_of(rows: FromClause, schema: type[Schema]) -> Expression:
    values = {name: as_json(rows.c[name]) for name in schema.model_fields}
    return select(json_list(object_of(values))).select_from(rows).scalar_subquery()


def _select(dialect: str) -> Selection:
    signed = and_(
        Agreement.status.in_(SIGNED),
        Agreement.bindingness.not_in((Bindingness.announcement, Bindingness.accomplished)),
    )
    followed = select(Agreement.id).where(_agreements())
    values = {
        "id": as_json(Mission.id),
        "ref": as_json(Mission.ref),
        "title": as_json(Mission.title),
        "agreements": _count() + withheld_count(Agreement, "mission_id", bindparam("mission")),
        "withheld": withheld_count(Agreement, "mission_id", bindparam("mission")),
        "signed_instruments": _count(signed),
        "by_bindingness": object_of(
            {b.value: _count(Agreement.bindingness == b) for b in Bindingness}
        ),
        "by_status": object_of({s.value: _count(Agreement.status == s) for s in AgreementStatus}),
        "ambiguous": _count(Agreement.certainty == Certainty.ambiguous),
        "totals": _totals(dialect),
        "without_amount": _count(Agreement.amount.is_(None)),
        "undated": _count(Agreement.__table__.c.signed_earliest.is_(None)),
        "outcomes": _rows(Outcome, Outcome.agreement_id.in_(followed)),
        "delegates": _rows(Delegate, _of_mission(Delegate)),
        "participations": _rows(Participation, _of_mission(Participation)),
        "reported_totals": _reported(),
    }
    return select(object_of(values)).where(Mission.id == bindparam("mission"))


@cache
def _statement(dialect: Dialect) -> CompiledQuery:
    """Reads `(json,)` of the summary of `:mission`, all of it at one moment."""
    return compile_query(_select(dialect.name), dialect)


def _in_form(request: Request, body: str) -> bytes:
    """The summary with its figures as the request asks for them."""
    if not wants_texts(request):
        return body.encode()
    summary = json_codec.loads(body)
    for figures in (*summary["totals"], *summary["reported_totals"]):
        figures |= texts_of(figures, ("amount", "fallen_through", "value"))
    return json_codec.dumps(summary)


def summary_route(mission: Resource) -> Route:
    """GET /missions/{key}/summary"""

    async def get_mission_summary(request: Request, key: Key) -> Response:
        """Counts by bindingness and status, totals for each currency, and what is missing. An
        announced plan is not a signed contract, and an amount that is not stated is not zero."""
        found = await find_row(request, mission, key)
        database = database_of(request)
        values = {"mission": found.id}
        ((body,),) = await database.read(_statement(reading_dialect(request)), values)
        return JsonResponse(_in_form(request, body))

    return Operation(
        path="/missions/{key}/summary",
        name="get_mission_summary",
        summary="Summarise what came of one mission",
        tag="missions",
        answers=(Answer(model=Summary),),
        refusals=(BadRequest, NotFound),
    ).route(get_mission_summary)
