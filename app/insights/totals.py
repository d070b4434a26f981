"""Money by currency and class: of every mission, as its own summary tells it, and of all."""

from sqlalchemy import FromClause, Text, and_, case, cast, func, or_, select
from sqlalchemy.orm import aliased

from app.core.databases.expressions import AnyTable, Expression, Selection
from app.core.databases.types import Exact
from app.engine.aggregates.left_out import left_out, same_group
from app.engine.aggregates.sql import Number, Sql, normalize_carry, split_sums
from app.insights.figures import AGREEMENTS, amount_columns
from app.insights.journey import journeys
from app.resources.agreement import Agreement
from app.resources.mission import Mission

#: What divides amounts: those of different ones are not added.
_KEYS = ("currency", "firmness", "per")
SUMS = ("amount", "at_least", "at_most")
SCALE = 4


def totals_of_all(dialect: str) -> Selection:
    """Reads a row for each currency, class and `per` of which there is an amount: `id`, the keys,
    `agreements`, `not_exact`, `left_out`, and the parts of each sum."""
    found = _totals(_named(_counted()), (), dialect)
    return select(_id(found, _KEYS).label("id"), *found.c)


def totals_of_missions(dialect: str) -> Selection:
    """Reads the same of each mission, with those that are part of it, and of what belongs to none:
    what is part of something of another is added in both. With `mission_id`, and the mission's
    `mission_title`, `mission_host_country` and `mission_dates_earliest`."""
    of = journeys()
    mission_id = of.c.mission_id
    rows = _counted(mission_id).outerjoin_from(Agreement, of, of.c.part_id == Agreement.mission_id)
    # Of none, and not of one in the trash.
    rows = rows.where(or_(mission_id.is_not(None), Agreement.mission_id.is_(None)))
    within = ("mission_id",)
    found = _totals(_named(rows), within, dialect)
    shown = {name: _of_mission(found, name) for name in ("title", "host_country", "dates_earliest")}
    named = (value.label(f"mission_{name}") for name, value in shown.items())
    return select(_id(found, (*within, *_KEYS)).label("id"), *named, *found.c)


def _totals(counted: FromClause, within: tuple[str, ...], dialect: str) -> FromClause:
    """The sums of what is the same in the keys and in what it is `within`, each apart from the
    others."""
    names = (*within, *_KEYS)
    left = left_out(
        AGREEMENTS,
        counted,
        names,
        lifted=frozenset(("per_year",)),
        within=within,
        name="left_out_of_totals",
    )
    is_added = left.c.id.is_(None)
    columns: list[Expression] = [counted.c[name] for name in names]
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
    same = and_(left.c.id == counted.c.id, same_group(left, counted, names))
    summed = select(*columns).select_from(counted.outerjoin(left, same))
    summed = summed.where(counted.c.has_value == 1)
    return summed.group_by(*(counted.c[name] for name in names)).subquery("summed")


def _of_mission(found: FromClause, name: str) -> Expression:
    mission: AnyTable = aliased(Mission)
    value = select(getattr(mission, name)).where(mission.id == found.c.mission_id)
    return value.scalar_subquery()


def _counted(*within: Expression) -> Selection:
    """Reads the agreements that are not in the trash, with what they are `within`."""
    table, own = Agreement, amount_columns(Agreement)
    as_they_are = (table.currency, table.firmness, table.amount, table.stands_for)
    columns = (*(value.label(name) for name, value in own.items()), *as_they_are, *within)
    return select(*columns).where(table.deleted_at.is_(None))


def _named(rows: Selection) -> FromClause:
    return rows.cte("counted").prefix_with("MATERIALIZED")


def _id(found: FromClause, names: tuple[str, ...]) -> Expression:
    """What a row is known by: the keys that it is of."""
    first, *others = (func.coalesce(cast(found.c[name], Text), "") for name in names)
    whole: Expression = first
    for each in others:
        whole = whole.op("||")("-").op("||")(each)
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
