"""What is left out of sums, so that nothing is added twice: parts, what was replaced, claims."""

from collections.abc import Sequence
from functools import cache
from itertools import pairwise

from sqlalchemy import (
    ColumnElement,
    Exists,
    FromClause,
    Integer,
    Text,
    and_,
    case,
    cast,
    exists,
    func,
    literal_column,
    not_,
    select,
    true,
    union,
    union_all,
)

from app.core.databases.expressions import AnyTable, Expression, Selection
from app.engine.figure_rules import Claims, FigureRules, Holding

#: A part of a part, and a part of that: no query goes on for as long as it finds something, which
#: distributed PostgreSQL cannot.
_LEVELS = 3


def columns_for(rules: FigureRules, table: AnyTable) -> dict[str, Expression]:
    """The columns that `left_out` looks at beside those of the keys, by their names."""
    found: dict[str, Expression] = {
        "id": table.id,
        "has_value": case((getattr(table, rules.fields[0]).is_not(None), 1), else_=0),
    }
    for each in rules.set_apart:
        found[each.name] = case((each.when(table), 1), else_=0)
    if rules.claims is not None:
        found |= {f"about_{name}": value(table) for name, value in rules.claims.about.items()}
        said = [func.coalesce(cast(value(table), Text), "") for value in rules.claims.says]
        whole: Expression = said[0]
        for more in said[1:]:
            whole = whole.op("||")(literal_column("' '")).op("||")(more)
        found |= {"says": whole, "claim_rank": rules.claims.rank(table)}
    return found


def left_out(
    rules: FigureRules,
    rows: FromClause,
    keys: Sequence[str],
    lifted: frozenset[str] = frozenset(),
    within: Sequence[str] = (),
    finer: int = 0,
    name: str = "left_out",
) -> FromClause:
    """Reads `(id, reason, …)` with the keys of each row that is not added in its group, `reason`
    being a place in `rules.reasons`.

    `rows` has `columns_for` each record in each of its groups, whose columns are `keys`; set apart
    is nothing of what is `lifted`. What differs in the keys `within` is of other figures: it holds
    nothing of these, not even across groups. The last `finer` keys divide what is one group for the
    rules. `name` is for a statement that has several.
    """
    whole = keys[: len(keys) - finer]
    if rules.claims is not None:
        rows = settled(rules, rows, whole).cte(f"{name}_settled").prefix_with("MATERIALIZED")
    found: list[Selection] = []
    apart: list[ColumnElement[bool]] = []
    for each in rules.set_apart:
        if each.name not in lifted:
            apart.append(rows.c[each.name] == 1)
            found.append(_with_reason(rules, rows, keys, each.name).where(apart[-1]))
    for holding in rules.holdings:
        same = within if holding.across_groups else whole
        holder = rows.alias(f"{name}_{holding.name}_holder")
        held = _is_held(rules, holding, rows, holder, same, lifted)
        found.append(_with_reason(rules, rows, keys, holding.name).where(held))
    if rules.claims is not None:
        found.append(_not_taken(rules, rows, keys))
    every = union_all(*found).subquery("every_reason")
    grouped = [every.c[name] for name in ("id", *keys)]
    first = select(*grouped, func.min(every.c.reason).label("reason")).group_by(*grouped)
    return first.cte(name).prefix_with("MATERIALIZED")


def _reason(rules: FigureRules, name: str) -> Expression:
    return literal_column(str(rules.reasons.index(name)), Integer())


def _with_reason(rules: FigureRules, rows: FromClause, keys: Sequence[str], name: str) -> Selection:
    own = [rows.c[each] for each in ("id", *keys)]
    return select(*own, _reason(rules, name).label("reason")).where(rows.c.has_value == 1)


def same_group(one: FromClause, other: FromClause, keys: Sequence[str]) -> ColumnElement[bool]:
    """Whether two rows are of the same group."""
    return and_(true(), *(one.c[key].is_not_distinct_from(other.c[key]) for key in keys))


def _is_held(
    rules: FigureRules,
    holding: Holding,
    rows: FromClause,
    holder: FromClause,
    keys: Sequence[str],
    lifted: frozenset[str],
) -> Exists:
    """Whether what holds a row, a `holder` of the same rows, is added with the same of the keys."""
    pairs = _over_levels(holding)
    added = [holder.c.has_value == 1]
    added += [holder.c[each.name] == 0 for each in rules.set_apart if each.name not in lifted]
    added.append(same_group(holder, rows, keys))
    if rules.claims is not None:
        added.append(is_agreed(rules, holder))
    found: Selection = select(literal_column("1")).select_from(
        pairs.join(holder, holder.c.id == pairs.c.holder)
    )
    return exists(found.where(pairs.c.held == rows.c.id, *added).correlate(rows))


@cache
def pairs_of(holding: Holding) -> FromClause:
    """The pairs `held` and `holder`, once in a statement."""
    found = holding.pairs().subquery()
    named = select(found.c[0].label("held"), found.c[1].label("holder"))
    return named.cte(f"pairs_{holding.name}").prefix_with("MATERIALIZED")


@cache
def _over_levels(holding: Holding) -> FromClause:
    """The pairs, and what holds a record by way of others."""
    levels: list[Selection] = []
    for depth in range(1, _LEVELS + 1):
        steps = [pairs_of(holding).alias(f"{holding.name}_{depth}_{at}") for at in range(depth)]
        source: FromClause = steps[0]
        for below, above in pairwise(steps):
            source = source.join(above, above.c.held == below.c.holder)
        way = select(steps[0].c.held, steps[-1].c.holder).select_from(source)
        levels.append(way)
    return union(*levels).cte(f"all_{holding.name}").prefix_with("MATERIALIZED")


def settled(rules: FigureRules, rows: FromClause, keys: Sequence[str]) -> Selection:
    """The rows, each with what is so of all claims about its figure in its group: `best`, the best
    rank; `first` and `last`, what those of it say, which is one thing where they agree; and
    `place`, 1 for the one that stands for them."""
    claims = rules.claims
    assert claims is not None
    figure = [f"about_{name}" for name in claims.about] + list(keys)

    ranked = select(
        rows,
        func.min(rows.c.claim_rank)
        .over(partition_by=[rows.c[name] for name in figure])
        .label("best"),
    ).subquery("ranked")
    of_figure = [ranked.c[name] for name in figure]
    counts = case((ranked.c.claim_rank == ranked.c.best, ranked.c.says))
    order = [ranked.c.claim_rank, ranked.c.id]
    return select(
        ranked,
        func.min(counts).over(partition_by=of_figure).label("first"),
        func.max(counts).over(partition_by=of_figure).label("last"),
        func.row_number().over(partition_by=of_figure, order_by=order).label("place"),
    )


def is_agreed(rules: FigureRules, rows: FromClause) -> ColumnElement[bool]:
    """Whether one of the claims about the figure of a settled row can be taken."""
    assert rules.claims is not None
    return and_(rows.c.first == rows.c.last, rows.c.best < rules.claims.never)


def _not_taken(rules: FigureRules, rows: FromClause, keys: Sequence[str]) -> Selection:
    agreed = is_agreed(rules, rows)
    same = and_(agreed, rows.c.says == rows.c.first)
    reason = case((same, _reason(rules, Claims.REPEATED)), else_=_reason(rules, Claims.RIVAL))
    own = [rows.c[name] for name in ("id", *keys)]
    taken = and_(agreed, rows.c.place == 1)
    return select(*own, reason.label("reason")).where(not_(taken), rows.c.has_value == 1)
