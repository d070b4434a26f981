"""Groups by the rules of their kind: sums without what is left out, records for as many as they
stand for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import CTE, FromClause, case, distinct, func, select, union

from app.core.databases.expressions import Expression, Selection
from app.engine.aggregates.left_out import columns_for, left_out, pairs_of, same_group
from app.engine.aggregates.rows import Rows
from app.engine.aggregates.shape import ADDED, Function, Grouping, Metric
from app.engine.figure_rules import FigureRules
from app.engine.query.render import object_of
from app.engine.resource import Resource

#: What is aggregated of the column of a metric, by the names of the results.
Aggregates = Callable[[Metric, str, FromClause], Mapping[str, Expression]]
_WEIGHT = "weight"


@dataclass(slots=True, eq=False)
class Net:
    """What groups tell too much, or too little, by adding and counting all of their rows.

    Most records count as they are, so that all are added as ever and what few others amount to is
    taken away again: found by indexes, it costs next to nothing where there are none.
    """

    resource: Resource
    rules: FigureRules
    grouping: Grouping
    dialect: str
    columns: Mapping[Metric, str]
    aggregates: Aggregates
    rows: FromClause = field(init=False)
    left: FromClause | None = field(init=False, default=None)

    @property
    def keys(self) -> list[str]:
        return [f"k{at}" for at in range(len(self.grouping.keys))]

    def of(self, groups: CTE) -> FromClause:
        """The groups with a column `net_…` for each that is added, and `weighed` for `records`."""
        made = Rows(self.resource, self.grouping, self.dialect)
        for metric in self.columns:
            made.measured(metric)
        made.columns |= columns_for(self.rules, self.resource.table)
        if self.rules.weight is not None:
            made.columns[_WEIGHT] = getattr(self.resource.table, self.rules.weight)
        candidates = self._candidates()
        only = [] if candidates is None else [self.resource.table.id.in_(candidates)]
        # No few records but all, where claims have to be compared.
        self.rows = select(made.select(*only, name="marked")).cte("counted_otherwise")
        taken_away, source = self._taken_away(groups)
        weighed: Expression = groups.c.records
        if self.rules.weight is not None:
            more = self._more()
            source = source.outerjoin(more, same_group(more, groups, self.keys))
            weighed = groups.c.records + func.coalesce(more.c.more, 0)
        return select(groups, *taken_away, weighed.label("weighed")).select_from(source).subquery()

    def _candidates(self) -> Selection | None:
        """The ids of the records that may count otherwise than most; None for all."""
        if self.rules.claims is not None or self.rules.marked is None:
            return None
        found = [self.rules.marked()]
        if self._added() and self.rules.holdings:
            pairs = pairs_of(self.rules)
            found += [select(pairs.c.held), select(pairs.c.holder)]
        every = union(*found).subquery("candidates")
        return select(every.c[0])

    def _added(self) -> dict[Metric, str]:
        """The metrics that add what the rules are of, and their columns."""
        return {m: name for m, name in self.columns.items() if is_ruled(self.rules, m)}

    def _taken_away(self, groups: CTE) -> tuple[list[Expression], FromClause]:
        """The columns of sums without what is left out, and what they are read from."""
        added = self._added()
        if not added:
            return [], groups
        self.left = left_out(
            self.rules, self.rows, self.keys, self.grouping.lifted, finer=self.grouping.finer
        )
        same = (self.left.c.id == self.rows.c.id) & same_group(self.left, self.rows, self.keys)
        lost: dict[str, Expression] = {}
        for metric, name in added.items():
            lost |= self.aggregates(metric, name, self.rows)
        keys = [self.rows.c[key] for key in self.keys]
        statement = select(*keys, *(value.label(name) for name, value in lost.items()))
        statement = statement.select_from(self.rows.join(self.left, same)).group_by(*keys)
        gone = statement.subquery("gone")
        net: list[Expression] = [
            (groups.c[name] - func.coalesce(gone.c[name], 0)).label(f"net_{name}") for name in lost
        ]
        return net, groups.outerjoin(gone, same_group(gone, groups, self.keys))

    def _more(self) -> FromClause:
        """How many more each group counts than it has records."""
        keys = [self.rows.c[key] for key in self.keys]
        extra = func.sum(self.rows.c[_WEIGHT] - 1).label("more")
        return select(*keys, extra).where(self.rows.c[_WEIGHT] > 1).group_by(*keys).subquery("more")

    def told(self) -> Expression:
        """The JSON object of how many records are left out, for which reasons."""
        left = self.left
        if left is None:
            return object_of({})
        found = {
            name: select(func.count(distinct(case((left.c.reason == at, left.c.id)))))
            .select_from(left)
            .scalar_subquery()
            for at, name in enumerate(self.rules.reasons)
        }
        return object_of(found)


def is_ruled(rules: FigureRules, metric: Metric) -> bool:
    """Whether the metric is of what is added, of values that the rules are of."""
    return (metric.of_added or metric.function in ADDED) and metric.path[-1] in rules.fields


def is_weighed(rules: FigureRules, metric: Metric) -> bool:
    """Whether the metric counts records for as many as they stand for."""
    return metric.function is Function.COUNT and not metric.path and rules.weight is not None
