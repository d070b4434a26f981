"""Money of every mission by currency and class, as its own summary tells it."""

from sqlalchemy import FromClause, Text, and_, case, cast, func, select
from sqlalchemy.orm import aliased

from app.core.databases.expressions import AnyTable, Expression, Selection
from app.core.databases.types import Exact
from app.engine.aggregates.left_out import columns_for, left_out
from app.engine.aggregates.sql import Number, Sql, normalize_carry, split_sums
from app.insights.figures import AGREEMENTS, is_per_year
from app.resources.agreement import Agreement
from app.resources.mission import Mission

#: What divides the amounts of a mission, each apart from the others.
KEYS = ("mission_id", "currency", "firmness", "per")
SUMS = ("amount", "at_least", "at_most")
SCALE = 4


def totals_of_missions(dialect: str) -> Selection:
    """Reads a row for each mission, currency, class and `per` of which there is an amount: `id`,
    the keys, the mission's `mission_title`, `mission_host_country` and
    `mission_dates_earliest`, `agreements`, `not_exact`, `left_out`, and the parts of each sum."""
    counted = _counted()
    left = left_out(
        AGREEMENTS,
        counted,
        KEYS,
        lifted=frozenset(("per_year",)),
        within=KEYS[:1],
        name="left_out_of_missions",
    )
    is_added = left.c.id.is_(None)
    columns: list[Expression] = [counted.c[name] for name in KEYS]
    for name in ("stands_for", "not_exact"):
        added = func.coalesce(func.sum(case((is_added, counted.c[name]))), 0)
        columns.append(added.label("agreements" if name == "stands_for" else name))
    columns.append(func.count(left.c.id).label("left_out"))
    for name in SUMS:
        value = case((is_added, counted.c[name]))
        value.type = Exact(18, SCALE)
        columns.append(func.count(value).label(f"n_{name}"))
        parts = split_sums(value, dialect)
        columns += [part.label(f"{name}_{at}") for at, part in enumerate(parts)]
    keys = [counted.c[name] for name in KEYS]
    same = and_(
        left.c.id == counted.c.id,
        *(left.c[name].is_not_distinct_from(counted.c[name]) for name in KEYS),
    )
    summed = select(*columns).select_from(counted.outerjoin(left, same))
    found = summed.where(counted.c.has_value == 1).group_by(*keys).subquery("summed")
    shown = {name: _of_mission(found, name) for name in ("title", "host_country", "dates_earliest")}
    named = (value.label(f"mission_{name}") for name, value in shown.items())
    return select(_id(found).label("id"), *named, *found.c)


def _of_mission(found: FromClause, name: str) -> Expression:
    mission: AnyTable = aliased(Mission)
    value = select(getattr(mission, name)).where(mission.id == found.c.mission_id)
    return value.scalar_subquery()


def _counted() -> FromClause:
    table, limits = Agreement, AGREEMENTS.ranges["amount"]
    mission: AnyTable = aliased(Mission)
    own = columns_for(AGREEMENTS, table)
    own |= {
        "per": case((is_per_year(table), "year")),
        "at_least": limits.at_least(table),
        "at_most": limits.at_most(table),
        "not_exact": case((limits.is_not_exact(table), table.stands_for), else_=0),
    }
    as_they_are = (table.mission_id, table.currency, table.firmness, table.amount, table.stands_for)
    columns = (*(value.label(name) for name, value in own.items()), *as_they_are)
    there = select(mission.id).where(mission.deleted_at.is_(None))
    rows: Selection = select(*columns).where(
        table.deleted_at.is_(None), table.mission_id.in_(there)
    )
    return rows.cte("counted").prefix_with("MATERIALIZED")


def _id(found: FromClause) -> Expression:
    """What a row is known by: the keys that it is of."""
    whole: Expression = cast(found.c.mission_id, Text)
    for name in KEYS[1:]:
        whole = whole.op("||")("-").op("||")(func.coalesce(found.c[name], ""))
    return cast(whole, Text)


def _is_known(found: FromClause, name: str) -> Expression:
    """Whether there is a sum: of what is no more than it says, all have to say so."""
    is_any = found.c[f"n_{name}"] > 0
    return and_(is_any, found.c.n_at_most == found.c.n_amount) if name == "at_most" else is_any


def _parts(found: FromClause, name: str) -> list[Expression]:
    raw: list[Expression] = [
        found.c[f"{name}_{at}"] for at in range(2) if f"{name}_{at}" in found.c
    ]
    return [case((_is_known(found, name), part)) for part in normalize_carry(raw)]


def exact_sum(found: FromClause, name: str) -> Expression:
    """A sum with all its digits, as text."""
    return cast(Number.sum(_parts(found, name), SCALE).json(), Text)


def number_sum(found: FromClause, name: str) -> Expression:
    """A sum as a number of the database: NUMERIC on PostgreSQL, REAL on SQLite."""
    parts = _parts(found, name)
    if len(parts) == 1:
        return parts[0]
    return Sql(f"({{0}} * 1000000000.0 + {{1}}) / {10**SCALE}.0", *parts)
