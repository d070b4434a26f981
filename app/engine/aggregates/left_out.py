"""What is left out of sums, so that nothing is added twice: parts, what was replaced, claims."""

from collections.abc import Sequence
from functools import cache

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Integer,
    Text,
    and_,
    case,
    cast,
    func,
    literal_column,
    not_,
    or_,
    select,
    true,
    union_all,
)

from app.core.databases.expressions import AnyTable, Expression, Selection
from app.engine.figure_rules import MAX_LEVELS, Claims, FigureRules

#: Ways are up to 2 to this power long. No query goes on for as long as it finds something, which
#: distributed PostgreSQL cannot.
_DOUBLINGS = (MAX_LEVELS - 1).bit_length()


def columns_for(rules: FigureRules, table: AnyTable) -> dict[str, Expression]:
    """The columns that `left_out` looks at beside those of the keys, by their names."""
    found: dict[str, Expression] = {
        "id": table.id,
        "has_value": case((getattr(table, rules.fields[0]).is_not(None), 1), else_=0),
    }
    for each in rules.set_apart:
        found[each.name] = case((each.when(table), 1), else_=0)
    if (cumulative := rules.cumulative) is not None:
        found |= {
            "of": cumulative.about(table),
            "is_cumulative": case((cumulative.is_cumulative(table), 1), else_=0),
            "since": cumulative.since(table),
            "until": cumulative.until(table),
        }
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
        of_several_units = finer > 0
        rows = settled(rules, rows, whole, of_several_units).cte(f"{name}_settled")
        rows = rows.prefix_with("MATERIALIZED")
    found: list[Selection] = []
    for each in rules.set_apart:
        if each.name not in lifted:
            apart = _with_reason(rules, rows, keys, each.name)
            found.append(apart.where(rows.c[each.name] == 1))
    if rules.holdings:
        found.append(_held(rules, _tied(rules, rows, name), keys, whole, within, lifted))
    if rules.cumulative is not None:
        found.append(_in_later(rules, rows, keys, whole))
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


def _tied(rules: FigureRules, rows: FromClause, name: str) -> FromClause:
    """The rows with a value that hold others, or that others hold."""
    pairs = pairs_of(rules)
    ids = union_all(select(pairs.c.held), select(pairs.c.holder))
    # Not `= 1`, which PostgreSQL takes for one row of 200: it would look through all for each.
    found = select(rows).where(rows.c.has_value > 0, rows.c.id.in_(ids))
    return found.cte(f"{name}_tied").prefix_with("MATERIALIZED")


def _held(
    rules: FigureRules,
    rows: FromClause,
    keys: Sequence[str],
    whole: Sequence[str],
    within: Sequence[str],
    lifted: frozenset[str],
) -> Selection:
    """Those of the rows that another holds which is added: in its own group, or in any."""
    ways, holder = _ways(rules), rows.alias()
    across = [rules.reasons.index(each.name) for each in rules.holdings if each.across_groups]
    met = [same_group(holder, rows, within)]
    met.append(or_(ways.c.reason.in_(across), same_group(holder, rows, whole)))
    met += [holder.c[each.name] < 1 for each in rules.set_apart if each.name not in lifted]
    if rules.claims is not None:
        met.append(is_agreed(rules, holder))
    own = [rows.c[each] for each in ("id", *keys)]
    tied = ways.join(holder, holder.c.id == ways.c.holder).join(rows, rows.c.id == ways.c.held)
    return select(*own, ways.c.reason).select_from(tied).where(*met)


@cache
def pairs_of(rules: FigureRules) -> FromClause:
    """What holds what, `held` and `holder`, and the `reason` that it is; once in a statement."""
    several: list[Selection] = []
    for each in rules.holdings:
        found = each.pairs().subquery()
        reason = _reason(rules, each.name).label("reason")
        several.append(select(reason, found.c[0].label("held"), found.c[1].label("holder")))
    every = union_all(*several) if len(several) > 1 else several[0]
    return every.cte(f"pairs_{rules.fields[0]}").prefix_with("MATERIALIZED")


@cache
def _ways(rules: FigureRules) -> FromClause:
    """The pairs, and what holds a record by way of others: ways that are twice as long each time,
    being those that there are and those that go on from these by steps of so many levels."""
    name = rules.fields[0]
    ways = steps = pairs_of(rules)
    for at in range(_DOUBLINGS):
        longer = union_all(select(ways), _joined(ways, steps))
        ways = longer.cte(f"ways_{name}_{at}").prefix_with("MATERIALIZED")
        steps = _joined(steps, steps).cte(f"steps_{name}_{at}").prefix_with("MATERIALIZED")
    return ways


def _joined(ways: FromClause, steps: FromClause) -> Selection:
    """What is reached by one and the other. By two columns: of one alone PostgreSQL expects so many
    rows that it takes seconds for what takes milliseconds."""
    one, other = ways.alias(), steps.alias()
    goes_on = and_(other.c.held == one.c.holder, other.c.reason == one.c.reason)
    return select(one.c.reason, one.c.held, other.c.holder).join(other, goes_on).distinct()


def _in_later(
    rules: FigureRules, rows: FromClause, keys: Sequence[str], whole: Sequence[str]
) -> Selection:
    """What is in the newest of those of its group that state all so far."""
    assert rules.cumulative is not None
    c = rows.c
    together = [c.of, *(c[key] for key in whole)]
    states_all = case((and_(c.is_cumulative == 1, c.has_value == 1), 1), else_=0)
    newest = [states_all.desc(), c.until.desc().nulls_last(), c.id.desc()]
    place = func.row_number().over(partition_by=together, order_by=newest)
    placed = select(rows, states_all.label("states_all"), place.label("place")).subquery("placed")
    is_newest = and_(placed.c.states_all == 1, placed.c.place == 1)

    def of_newest(value: Expression) -> Expression:
        of_group = [placed.c.of, *(placed.c[key] for key in whole)]
        return func.max(case((is_newest, value))).over(partition_by=of_group)

    there, until = of_newest(placed.c.states_all), of_newest(placed.c.until)
    known = select(placed, there.label("there"), until.label("newest")).subquery("known")
    is_later = and_(known.c.is_cumulative == 0, known.c.since > known.c.newest)
    is_in = case((is_later, 0), (known.c.place == 1, 0), else_=1)
    found = _with_reason(rules, known, keys, rules.cumulative.name)
    return found.where(known.c.there == 1, is_in == 1)


def settled(
    rules: FigureRules, rows: FromClause, keys: Sequence[str], of_several_units: bool = False
) -> Selection:
    """The rows, each with what is so of all claims about its figure in its group: `best`, the best
    rank; `first` and `last`, what those of it say, which is one thing where they agree; and
    `place`, 1 for the one that stands for them. `of_several_units` says whether claims in any unit
    are about one figure."""
    claims = rules.claims
    assert claims is not None
    about = (n for n in claims.about if not (of_several_units and n == claims.unit))
    figure = [f"about_{name}" for name in about] + list(keys)

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
