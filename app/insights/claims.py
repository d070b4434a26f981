"""Claims: the figures that are stated for a mission and its legs, each with who claims it and where
that stands, as one list of JSON."""

from enum import StrEnum

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Text,
    and_,
    case,
    cast,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.orm import aliased

from app.core.databases.expressions import AnyTable, Expression
from app.engine.query.operators import line_key
from app.engine.query.render import as_json, json_list, object_of
from app.engine.query.withheld import is_withheld
from app.insights.figures import AGREEMENTS, REPORTED_TOTALS, is_per_year
from app.resources.citation import Citation
from app.resources.delegate import Delegate
from app.resources.organization import Organization
from app.resources.person import Person
from app.resources.quantity import Unit
from app.resources.reported_total import Measure, ReportedTotal
from app.resources.source import Source
from app.resources.statement import Statement


class ClaimKind(StrEnum):
    """What kind of record a claim is."""

    reported_total = "reported_total"
    statement = "statement"


#: What a quantity of a statement is claimed to be a number of.
_MEASURES = {
    Unit.company: Measure.companies,
    Unit.person: Measure.participants,
    Unit.job: Measure.jobs,
}
_TOTAL_FIELDS = (
    *("id", "ref", "mission_id", "measure", "value", "value_max", "of_value", "bound", "currency"),
    *("amount_kind", "amount_period", "scope", "as_of", "as_of_latest", "rank", "part_of_id"),
)

#: What tells that a claim is about less than the whole mission.
_ABOUT = ("agreement_id", "mission_id", "per", "subject_description", "subject_id")
_TOTAL_ABOUT = ("amount_period", "part_of_id", "scope")


def reported_totals(missions: CTE, agreements: CTE) -> Expression:
    """The reported totals of these missions, each with how many agreements were signed later; of
    those about one figure the one that stands for it first."""
    total: AnyTable = aliased(ReportedTotal)
    claims = REPORTED_TOTALS.claims
    assert claims is not None
    rows = (
        select(
            *(getattr(total, name) for name in _TOTAL_FIELDS),
            _is_about_withheld(total, _TOTAL_ABOUT),
            total.claimed_by_id,
            total.claimed_by_person_id,
        )
        .where(total.mission_id.in_(select(missions.c.id)), total.deleted_at.is_(None))
        .order_by(
            *(total.measure, total.currency.nulls_first(), line_key(total.scope).nulls_first()),
            *(claims.rank(total), total.id),
        )
        .subquery("reported_totals")
    )
    values = {
        "kind": literal(ClaimKind.reported_total.value, Text),
        **{name: as_json(rows.c[name]) for name in _TOTAL_FIELDS},
        "is_about_withheld": rows.c.is_about_withheld,
        "claimed_by": _named(Organization, "name", rows.c.claimed_by_id),
        "claimed_by_person": _named(Person, "full_name", rows.c.claimed_by_person_id),
        "later": _signed_later(agreements, rows.c.as_of_latest),
        "sources": _sources(ClaimKind.reported_total, rows.c.id),
    }
    return select(json_list(object_of(values))).select_from(rows).scalar_subquery()


def stated_figures(missions: CTE, agreements: CTE) -> Expression:
    """The figures of statements that were made in these missions or about agreements of theirs."""
    said: AnyTable = aliased(Statement)
    names = (
        *("id", "ref", "mission_id", "agreement_id", "amount", "currency", "quantity"),
        *("of_quantity", "unit", "quantity_bound", "per", "date", "date_latest"),
        *("subject_id", "subject_description", "on_behalf_of_id", "person_id", "speaker_id"),
    )
    rows = (
        select(*(getattr(said, name) for name in names), _is_about_withheld(said, _ABOUT))
        .where(
            said.deleted_at.is_(None),
            or_(said.amount.is_not(None), said.unit.in_(_MEASURES)),
            or_(
                said.mission_id.in_(select(missions.c.id)),
                said.agreement_id.in_(select(agreements.c.id)),
            ),
        )
        .order_by(said.id)
        .subquery("statements")
    )
    is_money = rows.c.amount.is_not(None)
    count = case(*((rows.c.unit == unit, measure.value) for unit, measure in _MEASURES.items()))
    delegate: AnyTable = aliased(Delegate)
    speaker = select(delegate.person_id).where(delegate.id == rows.c.speaker_id).scalar_subquery()
    values = {
        "kind": literal(ClaimKind.statement.value, Text),
        **{name: as_json(rows.c[name]) for name in ("id", "ref", "mission_id", "agreement_id")},
        "measure": case((is_money, Measure.amount.value), else_=count),
        "amount": as_json(rows.c.amount),
        "quantity": as_json(rows.c.quantity),
        "of_quantity": as_json(rows.c.of_quantity),
        "bound": as_json(rows.c.quantity_bound),
        "currency": as_json(rows.c.currency),
        "per": as_json(rows.c.per),
        "as_of": as_json(rows.c.date),
        "as_of_latest": as_json(rows.c.date_latest),
        "is_about_withheld": rows.c.is_about_withheld,
        "of_agreement": _amount_of(agreements, rows.c.agreement_id),
        "subject": _named(Organization, "name", rows.c.subject_id),
        "subject_description": as_json(rows.c.subject_description),
        "claimed_by": _named(Organization, "name", rows.c.on_behalf_of_id),
        "claimed_by_person": _named(
            Person,
            "full_name",
            case((rows.c.person_id.is_not(None), rows.c.person_id), else_=speaker),
        ),
        "later": _signed_later(agreements, rows.c.date_latest),
        "sources": _sources(ClaimKind.statement, rows.c.id),
    }
    return select(json_list(object_of(values))).select_from(rows).scalar_subquery()


def _is_about_withheld(claim: AnyTable, about: tuple[str, ...]) -> Expression:
    """1 where something is withheld that tells what a claim is about, or else 0."""
    withheld = or_(*(is_withheld(claim, name) == 1 for name in about))
    return case((withheld, 1), else_=0).label("is_about_withheld")


def _named(table: AnyTable, name: str, key: Expression) -> Expression:
    """`{"id", "name"}` of the record with this id; null of none."""
    found: AnyTable = aliased(table)
    values = {"id": as_json(found.id), "name": as_json(getattr(found, name))}
    return select(object_of(values)).where(found.id == key).scalar_subquery()


def _sources(kind: ClaimKind, key: Expression) -> Expression:
    """The passages that a claim rests on, with their sources."""
    citation: AnyTable = aliased(Citation)
    source: AnyTable = aliased(Source)
    names = ("start", "end", "field")
    rows = (
        select(
            citation.id.label("citation_id"),
            *(getattr(citation, name) for name in names),
            source.id.label("source_id"),
            source.publisher,
            source.title,
        )
        .join(source, source.id == citation.source_id)
        .where(_backs(citation, kind, key))
        .order_by(citation.start, citation.id)
        .correlate_except(citation, source)
        .subquery()
    )
    values = {column.key: as_json(column) for column in rows.c}
    return select(json_list(object_of(values))).select_from(rows).scalar_subquery()


def _backs(citation: AnyTable, kind: ClaimKind, key: Expression) -> ColumnElement[bool]:
    return and_(
        citation.record_kind == kind.value,
        citation.record_id == key,
        citation.deleted_at.is_(None),
    )


def _amount_of(agreements: CTE, key: Expression) -> Expression:
    """The amount of the agreement with this id, and between what it lies; null of none."""
    c, limits = agreements.c, AGREEMENTS.ranges["amount"]
    amounts = {"value": c.amount, "at_least": limits.at_least(c), "at_most": limits.at_most(c)}
    values: dict[str, Expression] = {"currency": as_json(c.currency)}
    values["per"] = case((is_per_year(c), "year"))
    for name, amount in amounts.items():
        amount.type = c.amount.type
        values[name] = as_json(amount)
    found = select(object_of(values)).where(c.id == key, c.amount.is_not(None))
    return found.correlate_except(agreements).scalar_subquery()


def _signed_later(agreements: CTE, day: Expression) -> Expression:
    """How many agreements were signed after a day, surely."""
    found = select(func.coalesce(func.sum(agreements.c.stands_for), 0))
    later = found.where(agreements.c.signed_earliest > day).correlate_except(agreements)
    return cast(later.scalar_subquery(), BigInteger)
