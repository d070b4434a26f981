"""The statement of a mission's summary: its agreements are read once, and all is told of these."""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from functools import cache

from sqlalchemy import (
    CTE,
    ColumnElement,
    Dialect,
    FromClause,
    Text,
    and_,
    bindparam,
    case,
    distinct,
    func,
    select,
)

from app.core.databases.expressions import AnyTable, Expression, Selection
from app.core.databases.interface import CompiledQuery, compile_query
from app.core.databases.types import Exact, Id
from app.core.loose_types import Value
from app.engine.aggregates.left_out import columns_for, is_agreed, left_out, settled
from app.engine.aggregates.sql import Number, normalize_carry, split_sums
from app.engine.figure_rules import Claims
from app.engine.query.render import as_json, json_list, object_of
from app.engine.query.withheld import is_withheld, withheld_count
from app.insights.figures import (
    AGREEMENTS,
    OUTCOMES,
    REPORTED_TOTALS,
    STANDING,
    amount_columns,
    was_ever_signed,
)
from app.insights.journey import missions_of_journey
from app.insights.presence import people
from app.resources.agreement import Agreement
from app.resources.delegate import Certainty, Delegate
from app.resources.firmness import Firmness
from app.resources.instrument import Bindingness
from app.resources.mission import Mission
from app.resources.outcome import Outcome
from app.resources.participation import Participation
from app.resources.reported_total import ReportedTotal
from app.resources.status import AgreementStatus

#: What amounts are told by, each apart from the others.
_KEYS = ("currency", "firmness", "per")
#: Of one class in whichever currency, and in one currency of all classes that stand.
_KEYS_OF_CLASS = ("firmness", "per")
_KEYS_OF_STANDING = ("currency", "per")
_KEYS_OF_OUTCOMES = ("currency", "amount_scope")
_BY_TIME = frozenset(("per_year",))
#: Why an agreement is not in a sum that others are in.
HELD = ("parts", "replaced")
#: Between which days they were signed.
DAYS = ("signed_earliest", "signed_latest")
_SCALE = 4


@cache
def summary_statement(dialect: Dialect, with_parts: bool, with_days: bool = False) -> CompiledQuery:
    """Reads `(json,)` of the summary of `:mission`, all of it at one moment; `with_days` its member
    `days` has the totals divided by when agreements were signed."""
    return compile_query(summary_select(dialect.name, with_parts, with_days), dialect)


def summary_select(
    dialect: str, with_parts: bool, with_days: bool = False, with_standing: bool = False
) -> Selection:
    """Reads the summary of `:mission` as an object of JSON; `with_standing` its member `standing`
    has the totals of all classes that stand, each with how many records are not in it for each
    reason, and how many agreements these stand for."""
    missions, withheld = _missions(with_parts), _withheld_of(Agreement, with_parts)
    counted = _counted(missions)
    left = left_out(AGREEMENTS, counted, _KEYS, lifted=_BY_TIME)
    outcomes = _outcomes(counted)
    earlier = left_out(OUTCOMES, outcomes, _KEYS_OF_OUTCOMES, name="earlier_outcomes")
    reported = settled(REPORTED_TOTALS, _reported(missions), ()).subquery("reported_figures")
    values = {
        "id": as_json(Mission.id),
        "ref": as_json(Mission.ref),
        "title": as_json(Mission.title),
        "missions": _number(select(func.count()).select_from(missions)),
        **_counts(counted, withheld),
        "totals": _totals(counted, left, dialect),
        "outcomes": _number(select(func.count()).select_from(outcomes)),
        "realised": _realised(outcomes, earlier, dialect),
        "delegates": _rows(Delegate, missions, people(Delegate)),
        "participations": _rows(Participation, missions, func.count()),
        "reported_totals": _claims(missions),
        "reported": _figures(reported),
        "left_out": object_of(
            {
                **_why(left, AGREEMENTS.reasons, HELD),
                **_claims_left(reported),
                "earlier_outcomes": _number(select(func.count()).select_from(earlier)),
                "withheld": withheld,
                "withheld_claims": _withheld_of(ReportedTotal, with_parts),
                "withheld_outcomes": _withheld_outcomes(counted, outcomes),
            }
        ),
    }
    if with_days:
        # Converted, a part is in its whole whichever currency that is in.
        left_of_class = left_out(
            AGREEMENTS, counted, _KEYS_OF_CLASS, lifted=_BY_TIME, name="left_out_of_class"
        )
        values["days"] = _totals(counted, left_of_class, dialect, (*_KEYS, *DAYS))
    if with_standing:
        standing = select(counted).where(counted.c.firmness.in_(STANDING)).cte("standing")
        left_of_standing = left_out(
            AGREEMENTS, standing, _KEYS_OF_STANDING, lifted=_BY_TIME, name="left_out_of_standing"
        )
        values["standing"] = _totals(standing, left_of_standing, dialect, _KEYS_OF_STANDING, HELD)
    found: Value = select(object_of(values)).where(Mission.id == _mission())
    statement: Selection = found
    return statement


def _mission() -> Expression:
    return bindparam("mission", type_=Id)


def _missions(with_parts: bool) -> CTE:
    """The ids of the missions that are summed up."""
    if not with_parts:
        return select(_mission().label("id")).cte("missions")
    ids = missions_of_journey(_mission()).subquery()
    return select(ids.c[0].label("id")).cte("missions").prefix_with("MATERIALIZED")


def _of(table: AnyTable, missions: CTE) -> ColumnElement[bool]:
    return and_(table.mission_id.in_(select(missions.c.id)), table.deleted_at.is_(None))


def _number(counted: Selection) -> Expression:
    return counted.scalar_subquery()


def _rows(table: AnyTable, missions: CTE, number: Expression) -> Expression:
    return _number(select(number).select_from(table).where(_of(table, missions)))


def _withheld_of(table: AnyTable, with_parts: bool) -> Expression:
    """How many records of the table are not shown, those of parts that are withheld among them."""
    owners: Value = select(_mission())
    if with_parts:
        ids = missions_of_journey(_mission(), with_withheld=True).subquery()
        owners = select(ids.c[0])
    return withheld_count(table, "mission_id", owners)


# Agreements


def _counted(missions: CTE) -> CTE:
    """The agreements, each with what the figures ask of it."""
    table = Agreement
    own = amount_columns(table) | {
        "is_signed": case((was_ever_signed(table), 1), else_=0),
        "is_ambiguous": case((table.certainty == Certainty.ambiguous, 1), else_=0),
        "withholds_amount": is_withheld(table, "amount"),
        "withholds_date": is_withheld(table, "signed"),
        "is_dated": case((table.__table__.c.signed_earliest.is_not(None), 1), else_=0),
    }
    own |= {name: table.__table__.c[name] for name in DAYS}
    as_they_are = (table.currency, table.firmness, table.status, table.bindingness, table.amount)
    columns = (*(value.label(name) for name, value in own.items()), *as_they_are, table.stands_for)
    statement = select(*columns).where(_of(table, missions))
    return statement.cte("counted").prefix_with("MATERIALIZED")


def _counts(counted: CTE, withheld: Expression) -> dict[str, Expression]:
    """How many agreements there are of each sort, by one look at all of them; in all with what is
    withheld, which is of no sort that is told."""
    c = counted.c
    wanted: dict[str, ColumnElement[bool] | None] = {"agreements": None}
    wanted |= {"signed_instruments": c.is_signed == 1, "ambiguous": c.is_ambiguous == 1}
    wanted |= {
        "without_amount": and_(c.has_value == 0, c.withholds_amount == 0),
        "withheld_amounts": c.withholds_amount == 1,
        "undated": and_(c.is_dated == 0, c.withholds_date == 0),
        "withheld_dates": c.withholds_date == 1,
    }
    for prefix, column, members in (
        ("bindingness", c.bindingness, Bindingness),
        ("status", c.status, AgreementStatus),
        ("firmness", c.firmness, Firmness),
    ):
        wanted |= {f"{prefix}_{member}": column == member for member in _each(members)}
    wanted |= {
        f"signed_{member}": and_(c.is_signed == 1, c.firmness == member) for member in Firmness
    }
    columns = [_weighed(counted, condition).label(name) for name, condition in wanted.items()]
    row = select(func.count().label("records"), *columns).select_from(counted).cte("counts")
    row = row.prefix_with("MATERIALIZED")

    def of(name: str) -> Expression:
        return select(row.c[name]).scalar_subquery()

    def by(prefix: str, members: type[StrEnum]) -> Expression:
        found: Expression = object_of({str(m): of(f"{prefix}_{m}") for m in _each(members)})
        return found

    return {
        "agreements": of("agreements") + withheld,
        "records": of("records") + withheld,
        "withheld": withheld,
        "signed_instruments": of("signed_instruments"),
        "signed_by_firmness": by("signed", Firmness),
        "by_firmness": by("firmness", Firmness),
        "by_bindingness": by("bindingness", Bindingness),
        "by_status": by("status", AgreementStatus),
        "ambiguous": of("ambiguous"),
        "without_amount": of("without_amount"),
        "withheld_amounts": of("withheld_amounts"),
        "undated": of("undated"),
        "withheld_dates": of("withheld_dates"),
    }


def _each(members: Iterable[StrEnum]) -> list[StrEnum]:
    return list(members)


def _weighed(counted: CTE, condition: ColumnElement[bool] | None) -> Expression:
    """How many agreements the records stand for that meet the condition."""
    number = counted.c.stands_for
    return func.coalesce(func.sum(number if condition is None else case((condition, number))), 0)


def _totals(
    counted: CTE,
    left: FromClause,
    dialect: str,
    names_of_keys: tuple[str, ...] = _KEYS,
    reasons: tuple[str, ...] = (),
) -> Expression:
    same = left.c.id == counted.c.id
    source = counted.outerjoin(left, same)
    is_added = left.c.id.is_(None)
    names = ("amount", "at_least", "at_most")
    added = {name: case((is_added, counted.c[name])) for name in names}
    for name in names:
        added[name].type = Exact(18, _SCALE)
    figures = {
        "agreements": func.coalesce(func.sum(case((is_added, counted.c.stands_for))), 0),
        "not_exact": func.coalesce(func.sum(case((is_added, counted.c.not_exact))), 0),
        "left_out": func.count(left.c.id),
    }
    for name in reasons:
        is_so = left.c.reason == AGREEMENTS.reasons.index(name)
        figures[name] = func.count(case((is_so, 1)))
        figures[f"{name}_agreements"] = func.coalesce(
            func.sum(case((is_so, counted.c.stands_for))), 0
        )
    keys = [counted.c[name] for name in names_of_keys]
    rows = _summed(source, keys, added, figures, dialect)
    rows = rows.where(counted.c.has_value == 1).order_by(*(_last(key) for key in keys))
    found = rows.subquery()
    values: dict[str, Expression] = {name: as_json(found.c[name]) for name in names_of_keys}
    values |= {name: _sum(found, name) for name in names}
    values["at_most"] = _sum(found, "at_most", found.c.n_at_most == found.c.n_amount)
    values |= {name: found.c[name] for name in figures}
    return select(json_list(object_of(values))).select_from(found).scalar_subquery()


def _last(key: Expression) -> Expression:
    return key.asc().nulls_first()


def _summed(
    source: FromClause,
    keys: Sequence[Expression],
    added: Mapping[str, Expression],
    figures: Mapping[str, Expression],
    dialect: str,
) -> Selection:
    """A row a group: the parts of each sum, and `n_…`, of how many values it is."""
    columns = [value.label(name) for name, value in figures.items()]
    for name, value in added.items():
        columns.append(func.count(value).label(f"n_{name}"))
        parts = split_sums(value, dialect)
        columns += [part.label(f"{name}_{at}") for at, part in enumerate(parts)]
    return select(*keys, *columns).select_from(source).group_by(*keys)


def _sum(found: FromClause, name: str, *known: ColumnElement[bool]) -> Expression:
    """A sum as JSON; null of nothing, and where it is not known."""
    raw: list[Expression] = [
        found.c[f"{name}_{at}"] for at in range(2) if f"{name}_{at}" in found.c
    ]
    there = and_(found.c[f"n_{name}"] > 0, *known)
    return Number.sum([case((there, part)) for part in normalize_carry(raw)], _SCALE).json()


# Outcomes


def _outcomes(counted: CTE) -> CTE:
    table: AnyTable = Outcome
    own = [value.label(name) for name, value in columns_for(OUTCOMES, table).items()]
    as_they_are = (table.agreement_id, table.currency, table.amount_scope, table.actual_amount)
    withholds_amount = is_withheld(table, "actual_amount").label("withholds_amount")
    found = select(*own, *as_they_are, withholds_amount).where(
        table.agreement_id.in_(select(counted.c.id)), table.deleted_at.is_(None)
    )
    return found.cte("outcomes").prefix_with("MATERIALIZED")


def _withheld_outcomes(counted: CTE, outcomes: CTE) -> Expression:
    """How many are not shown, or without their amount."""
    whole = withheld_count(Outcome, "agreement_id", select(counted.c.id))
    in_part = _number(select(func.coalesce(func.sum(outcomes.c.withholds_amount), 0)))
    return whole + in_part


def _realised(outcomes: CTE, left: FromClause, dialect: str) -> Expression:
    c = outcomes.c
    added = {"amount": c.actual_amount}
    figures = {
        "outcomes": func.count(),
        "agreements": func.count(distinct(c.agreement_id)),
    }
    keys = [c.currency, c.amount_scope]
    source = outcomes.outerjoin(left, left.c.id == c.id)
    rows = _summed(source, keys, added, figures, dialect)
    rows = rows.where(c.actual_amount.is_not(None), left.c.id.is_(None))
    found = rows.order_by(*(_last(key) for key in keys)).subquery()
    values = {
        "currency": as_json(found.c.currency),
        "amount_scope": as_json(found.c.amount_scope),
        "amount": _sum(found, "amount"),
        **{name: found.c[name] for name in figures},
    }
    return select(json_list(object_of(values))).select_from(found).scalar_subquery()


# Reported totals

_CLAIM = ("mission_id", "measure", "value", "value_max", "currency", "bound", "scope", "rank")


def _claims(missions: CTE) -> Expression:
    table: AnyTable = ReportedTotal
    columns = [getattr(table, name) for name in _CLAIM]
    rows = select(*columns).where(_of(table, missions)).order_by(table.measure, table.id)
    found = rows.subquery()
    values = {name: as_json(found.c[name]) for name in _CLAIM}
    return select(json_list(object_of(values))).select_from(found).scalar_subquery()


def _reported(missions: CTE) -> CTE:
    table: AnyTable = ReportedTotal
    limits = REPORTED_TOTALS.ranges["value"]
    own = columns_for(REPORTED_TOTALS, table)
    own |= {"at_least": limits.at_least(table), "at_most": limits.at_most(table)}
    columns = [value.label(name) for name, value in own.items()]
    ends = func.coalesce(table.value_max, table.value, type_=Exact(18, _SCALE))
    columns += [table.value, ends.label("ends"), table.scope]
    return select(*columns).where(_of(table, missions)).cte("reported")


def _figures(rows: FromClause) -> Expression:
    """A figure for all claims about it: the one that is taken, or between what they lie."""
    c, claims = rows.c, REPORTED_TOTALS.claims
    assert claims is not None
    taken = and_(is_agreed(REPORTED_TOTALS, rows), c.place == 1)
    figure = [c[f"about_{name}"] for name in claims.about]

    def of_taken(name: str) -> Expression:
        found = func.max(case((taken, c[name])), type_=Exact(18, _SCALE))
        return found.label(name)

    found = (
        select(
            *figure,
            of_taken("value"),
            of_taken("at_least"),
            of_taken("at_most"),
            func.max(case((c.place == 1, c.scope)), type_=Text).label("scope"),
            func.count().label("claims"),
            func.max(case((taken, 1), else_=0)).label("is_taken"),
            func.min(c.value, type_=Exact(18, _SCALE)).label("lowest"),
            func.max(c.ends, type_=Exact(18, _SCALE)).label("highest"),
        )
        .group_by(*figure)
        .order_by(*(_last(key) for key in (c.about_measure, c.about_currency, *figure)))
        .subquery()
    )
    values = {
        "mission_id": as_json(found.c.about_mission_id),
        "measure": as_json(found.c.about_measure),
        "currency": as_json(found.c.about_currency),
        "scope": as_json(found.c.scope),
        "per": as_json(found.c.about_per),
        "part_of_id": as_json(found.c.about_part_of_id),
        "value": as_json(found.c.value),
        "at_least": as_json(found.c.at_least),
        "at_most": as_json(found.c.at_most),
        "claims": found.c.claims,
        "rival_claims": case((found.c.is_taken == 1, 0), else_=found.c.claims),
        "lowest": as_json(found.c.lowest),
        "highest": as_json(found.c.highest),
    }
    return select(json_list(object_of(values))).select_from(found).scalar_subquery()


# What is left out


def _why(
    left: FromClause, reasons: tuple[str, ...], told: tuple[str, ...]
) -> dict[str, Expression]:
    return {
        name: _number(
            select(func.count()).select_from(left).where(left.c.reason == reasons.index(name))
        )
        for name in told
    }


def _claims_left(rows: FromClause) -> dict[str, Expression]:
    agreed = is_agreed(REPORTED_TOTALS, rows)
    same = and_(agreed, rows.c.says == rows.c.first)
    other = case((same, 0), else_=1)
    is_taken = and_(agreed, rows.c.place == 1)

    def number(condition: ColumnElement[bool]) -> Expression:
        return _number(select(func.count()).select_from(rows).where(condition))

    return {
        Claims.REPEATED: number(and_(other == 0, ~is_taken)),
        Claims.RIVAL: number(other == 1),
    }
