"""What is on record of a mission beside its summary, to hold what is claimed against."""

from functools import cache

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Dialect,
    FromClause,
    and_,
    bindparam,
    case,
    cast,
    distinct,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.orm import aliased

from app.core.databases.expressions import AnyTable, Expression, Selection
from app.core.databases.interface import CompiledQuery, compile_query
from app.core.databases.types import Id
from app.engine.aggregates.left_out import columns_for, left_out, same_group
from app.engine.query.render import as_json, json_list, object_of
from app.engine.query.withheld import is_withheld
from app.insights.claims import reported_totals, stated_figures
from app.insights.figures import AGREEMENTS, STANDING, range_of
from app.insights.journey import missions_of_journey
from app.insights.presence import organizations_by, people
from app.insights.summary_statement import HELD, summary_select
from app.resources.agreement import Agreement
from app.resources.delegate import Delegate
from app.resources.event import Event, EventKind
from app.resources.firmness import Firmness
from app.resources.organization import Organization, OrganizationKind
from app.resources.party import AgreementParty
from app.resources.target import AgreementTarget, TargetMeasure

JOBS = range_of("quantity", "quantity_max", "bound")
#: What is told apart from what nobody states.
_WITHHOLDABLE = ("amount", "signed")
#: Jobs of a year are not added to those that come once.
_TIME = ("per",)


@cache
def reconciliation_statement(dialect: Dialect) -> CompiledQuery:
    """Reads `(json,)` of the mission `:mission`: its `summary`, the `reported_totals` and
    `statements` that claim something, and what else is `counted`."""
    mission = bindparam("mission", type_=Id)
    ids = missions_of_journey(mission).subquery()
    missions = select(ids.c[0].label("id")).cte("journey").prefix_with("MATERIALIZED")
    agreements = _agreements(missions)
    values = {
        "summary": summary_select(
            dialect.name, with_parts=True, with_standing=True
        ).scalar_subquery(),
        "reported_totals": reported_totals(missions, agreements),
        "statements": stated_figures(missions, agreements),
        "classes": _classes(agreements),
        "counted": object_of(_counts(missions, agreements)),
        "amounts": _amounts(agreements),
        "jobs": _jobs(agreements),
    }
    return compile_query(select(object_of(values)), dialect)


def _agreements(missions: CTE) -> CTE:
    names = (
        *("id", "stands_for", "firmness", "amount", "amount_max", "currency", "amount_bound"),
        *("amount_period", "parties_complete", "signed_earliest"),
    )
    table: AnyTable = aliased(Agreement)
    withheld = (is_withheld(table, name).label(f"withholds_{name}") for name in _WITHHOLDABLE)
    found = select(*(getattr(table, name) for name in names), *withheld).where(
        table.mission_id.in_(select(missions.c.id)), table.deleted_at.is_(None)
    )
    return found.cte("agreements").prefix_with("MATERIALIZED")


def _classes(agreements: CTE) -> Expression:
    """A row for each class: how many agreements and records, and of how many agreements something
    is not known."""
    c = agreements.c
    counted = {
        "agreements": c.stands_for,
        "without_amount": case(
            (and_(c.amount.is_(None), c.withholds_amount == 0), c.stands_for), else_=0
        ),
        "withheld_amounts": case((c.withholds_amount == 1, c.stands_for), else_=0),
        "undated": case(
            (and_(c.signed_earliest.is_(None), c.withholds_signed == 0), c.stands_for), else_=0
        ),
        "stands_for": case((c.stands_for > 1, c.stands_for), else_=0),
        "parties_incomplete": case((c.parties_complete, 0), else_=c.stands_for),
    }
    columns = (cast(func.sum(each), BigInteger).label(name) for name, each in counted.items())
    records = func.count().label("records")
    rows = select(c.firmness, records, *columns).group_by(c.firmness).subquery("classes")
    values = {column.key: as_json(column) for column in rows.c}
    return select(json_list(object_of(values))).select_from(rows).scalar_subquery()


def _counts(missions: CTE, agreements: CTE) -> dict[str, Expression]:
    """Companies and people who took part, and meetings."""
    pairs = select(missions.c.id.label("mission_id"), missions.c.id.label("part_id"))
    there = organizations_by(pairs.cte("parts").prefix_with("MATERIALIZED")).subquery("there")
    company: AnyTable = aliased(Organization)
    companies = select(func.count(distinct(company.id))).where(
        company.id == there.c.organization_id,
        company.kind == OrganizationKind.company,
        company.deleted_at.is_(None),
    )
    party: AnyTable = aliased(AgreementParty)
    unnamed = select(func.count()).where(
        party.agreement_id.in_(select(agreements.c.id)), party.organization_id.is_(None)
    )
    delegate: AnyTable = aliased(Delegate)
    delegates = select(people(delegate)).where(
        delegate.mission_id.in_(select(missions.c.id)), delegate.deleted_at.is_(None)
    )
    event: AnyTable = aliased(Event)
    meetings = select(func.count()).where(
        event.mission_id.in_(select(missions.c.id)),
        event.kind == EventKind.meeting,
        event.deleted_at.is_(None),
    )
    return {
        "companies": companies.scalar_subquery(),
        "unnamed_parties": unnamed.scalar_subquery(),
        "participants": delegates.scalar_subquery(),
        "unnamed_delegates": delegates.where(delegate.person_id.is_(None)).scalar_subquery(),
        "meetings": meetings.scalar_subquery(),
    }


def _amounts(agreements: CTE) -> Expression:
    """In which currencies and for what time amounts are stated: of how many agreements that stand,
    and of how many records that do not."""
    c = agreements.c
    per_year = case((c.amount_period == "per_year", "year"))
    standing = func.sum(case((c.firmness.in_(STANDING), c.stands_for), else_=0))
    rows = (
        select(
            c.currency,
            per_year.label("per"),
            cast(standing, BigInteger).label("agreements"),
            *_not_standing(c.firmness),
        )
        .where(c.amount.is_not(None))
        .group_by(c.currency, per_year)
        .subquery("amounts")
    )
    values = {column.key: as_json(column) for column in rows.c}
    return select(json_list(object_of(values))).select_from(rows).scalar_subquery()


def _not_standing(firmness: Expression) -> list[Expression]:
    """How many rows are of each class that does not stand, by its name."""
    classes = (each for each in Firmness if each not in STANDING)
    return [func.count(case((firmness == each, 1))).label(each.value) for each in classes]


def _with_jobs(agreements: CTE) -> CTE:
    """The agreements that are to bring jobs, once for each time in which they are to, with what is
    asked of those that are added."""
    target: AnyTable = aliased(AgreementTarget)
    table: AnyTable = aliased(Agreement)
    own = columns_for(AGREEMENTS, table) | {"has_value": literal(1)}
    found = (
        select(*(value.label(name) for name, value in own.items()), table.firmness, target.per)
        .join(agreements, agreements.c.id == table.id)
        .join(target, target.agreement_id == table.id)
        .where(target.measure == TargetMeasure.jobs)
        .distinct()
    )
    return found.cte("with_jobs").prefix_with("MATERIALIZED")


def _jobs(agreements: CTE) -> Expression:
    """The jobs that agreements which stand are to bring, as each states them, without parts of
    others that do; and how many records are left out, a row for each time."""
    with_jobs = _with_jobs(agreements)
    standing = select(with_jobs).where(with_jobs.c.firmness.in_(STANDING)).cte("standing_with_jobs")
    lifted = frozenset(("per_year",))
    left = left_out(AGREEMENTS, standing, _TIME, lifted=lifted, name="left_of_jobs")
    rows = with_jobs.outerjoin(left, _is_same(left, with_jobs))
    is_so: dict[str, list[ColumnElement[bool]]] = {
        name: [left.c.reason == AGREEMENTS.reasons.index(name)] for name in HELD
    }
    for each in Firmness:
        if each not in STANDING:
            is_so.setdefault(each.value, []).append(with_jobs.c.firmness == each)
    counts = (func.count(case((or_(*met), 1))).label(name) for name, met in is_so.items())
    apart = select(with_jobs.c.per, *counts).select_from(rows).group_by(with_jobs.c.per)
    found = apart.subquery("jobs_apart")
    values = {column.key: as_json(column) for column in found.c}
    added = standing.outerjoin(left, _is_same(left, standing))
    return object_of(
        {
            "targets": _targets(
                select(standing.c.id, standing.c.per).select_from(added).where(left.c.id.is_(None))
            ),
            "left_out": select(json_list(object_of(values))).select_from(found).scalar_subquery(),
        }
    )


def _is_same(left: FromClause, rows: FromClause) -> ColumnElement[bool]:
    return and_(left.c.id == rows.c.id, same_group(left, rows, _TIME))


def _targets(agreements: Selection) -> Expression:
    """The numbers of jobs that these agreements state for these times."""
    target: AnyTable = aliased(AgreementTarget)
    added = agreements.subquery("with_jobs_added")
    rows = (
        select(
            target.per,
            target.quantity.label("value"),
            JOBS.at_least(target).label("at_least"),
            JOBS.at_most(target).label("at_most"),
            case((JOBS.is_not_exact(target), 1), else_=0).label("not_exact"),
        )
        .join(added, added.c.id == target.agreement_id)
        .where(target.measure == TargetMeasure.jobs, target.per.is_not_distinct_from(added.c.per))
        .subquery("jobs")
    )
    values = {name: as_json(rows.c[name]) for name in ("per", "value", "not_exact")}
    for name in ("at_least", "at_most"):
        column = rows.c[name]
        column.type = rows.c.value.type
        values[name] = as_json(column)
    return select(json_list(object_of(values))).select_from(rows).scalar_subquery()
