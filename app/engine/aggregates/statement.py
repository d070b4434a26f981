"""The statement of an aggregate: the groups, the figures of each, and what is missing, at once."""

from dataclasses import dataclass, field

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Dialect,
    FromClause,
    and_,
    bindparam,
    case,
    distinct,
    func,
    literal_column,
    select,
    true,
)

from app.core.databases.expressions import Expression, Selection
from app.core.databases.interface import CompiledQuery, compile_query
from app.core.databases.made_once import made_once
from app.core.loose_types import Value
from app.engine.aggregates.distinct_values import distinct_counts, joined_by
from app.engine.aggregates.empty_rows import with_empty_groups
from app.engine.aggregates.figures import GroupOutputs, sorted_as
from app.engine.aggregates.having import scale_of
from app.engine.aggregates.net import Net, is_ruled, is_weighed
from app.engine.aggregates.rows import ONCE, Rows
from app.engine.aggregates.shape import Function, Grouping, Metric, counts_related
from app.engine.aggregates.sql import Number, avg_number, normalize_carry, split_sums
from app.engine.history.positions import newest_position
from app.engine.query.parameters import QueryShape
from app.engine.query.render import json_list, object_of
from app.engine.query.withheld import withheld_in_all, withheld_values
from app.engine.resource import Resource

_SUMS = (Function.SUM, Function.AVG, Function.AT_LEAST, Function.AT_MOST)
_NONE: Expression = literal_column("0", BigInteger())


@made_once(512)
def aggregate_statement(resource: Resource, grouping: Grouping, dialect: Dialect) -> CompiledQuery:
    """Reads `(json, position)`: the answer, and how far the change log has come.

    Parameters are the values of the filters and of having, `limit`, and `q` if it is sent.
    """
    return compile_query(_Plan(resource, grouping, dialect.name).statement(), dialect)


@dataclass(slots=True, eq=False)
class _Plan:
    """Records are looked at once: what is missing in all of them, and how many there are, is added
    up from their groups."""

    resource: Resource
    grouping: Grouping
    dialect: str
    rows: Rows = field(init=False)
    table: FromClause = field(init=False)
    groups: CTE = field(init=False)
    #: The groups with what the kind's rules make of them.
    net: Net | None = field(init=False, default=None)
    netted: FromClause = field(init=False)
    #: How many different values each metric over any number of records has in a group.
    related: dict[Metric, CTE] = field(init=False)

    def statement(self) -> Selection:
        self.rows = Rows(self.resource, self.grouping, self.dialect)
        related = [m for m in self.grouping.metrics if counts_related(self.resource, m)]
        own = (m for m in self.grouping.metrics if m.path and m not in related)
        columns = {metric: self.rows.measured(metric) for metric in own}
        missing = self.rows.missing()
        self.table = self.rows.select()
        self.groups = self._groups(columns, missing)
        self.netted = self._net(columns)
        self.related = {
            metric: distinct_counts(
                self.resource, self.grouping, metric, self.dialect, f"related{n}"
            )
            for n, metric in enumerate(related)
        }
        figures = GroupOutputs(self.resource, self.grouping, self.dialect, self._figures(columns))
        totals, shown = self._totals(missing, figures), figures.ordered()
        limit = bindparam("limit", type_=BigInteger)
        values = {
            "data": select(json_list(figures.json(shown))).select_from(shown).scalar_subquery(),
            "groups": case((totals.c.groups > limit, limit), else_=totals.c.groups),
            "groups_in_all": totals.c.groups,
            "records": totals.c.records,
            "missing": object_of({name: totals.c[f"no_{c}"] for name, c in missing.items()}),
            "left_out": object_of({}) if self.net is None else self.net.told(),
            "withheld": withheld_in_all(self.resource),
            "withheld_values": self._withheld_values(missing),
        }
        answer: Value = select(object_of(values), newest_position())
        found: Selection = answer.select_from(totals)
        return found

    def _withheld_values(self, missing: dict[str, str]) -> Expression:
        """Of what is missing, how much is withheld, of the records themselves."""
        asked = self.grouping
        own = [o.path[0] for o in asked.outputs if len(o.path) == 1]
        names = [name for name in missing if name in own]
        if not names:
            return object_of({})
        shape = QueryShape(asked.condition, asked.q, asked.deleted)
        return withheld_values(self.resource, shape, names)

    def _net(self, columns: dict[Metric, str]) -> FromClause:
        """The groups as they are, unless the kind has rules for what is asked of it."""
        rules = self.resource.figures
        asked = self.grouping.metrics
        if rules is None or not any(is_ruled(rules, m) or is_weighed(rules, m) for m in asked):
            return self.groups
        self.net = Net(self.resource, rules, self.grouping, self.dialect, columns, self._aggregates)
        return self.net.of(self.groups)

    def _groups(self, columns: dict[Metric, str], missing: dict[str, str]) -> CTE:
        """A row a group: its keys, `records`, and the aggregates that figures are made of."""
        found: dict[str, Expression] = {}
        for metric, name in columns.items():
            found |= self._aggregates(metric, name, self.table)
        found |= self._counted(missing)
        keys = [self.table.c[f"k{at}"] for at in range(len(self.grouping.keys))]
        made = [column.label(name) for name, column in found.items()]
        if any(counts_related(self.resource, metric) for metric in self.grouping.metrics):
            made += [joined_by(key).label(f"j{at}") for at, key in enumerate(keys)]
        statement = select(*keys, func.count().label("records"), *made).select_from(self.table)
        statement = statement.group_by(*keys)
        if self.grouping.empty_groups:
            present = statement.cte("present").prefix_with("MATERIALIZED")
            return with_empty_groups(present, self.resource, self.grouping, self.dialect)
        return statement.cte("grouped").prefix_with("MATERIALIZED")

    def _counted(self, missing: dict[str, str]) -> dict[str, Expression]:
        """What tells how many records are in each group, and how many are without a value, where
        neither `records` nor the group's own keys do."""
        c = self.table.c
        others = [name for name in missing.values() if not name.startswith("k")]
        if self.rows.is_spread:
            return {}
        if ONCE not in c:
            return {f"count_{name}": func.count(c[name]) for name in others}
        found: dict[str, Expression] = {ONCE: func.sum(c[ONCE])}
        for name in others:
            found[f"no_{name}"] = func.sum(case((c[name].is_(None), c[ONCE]), else_=0))
        return found

    def _aggregates(self, metric: Metric, name: str, table: FromClause) -> dict[str, Expression]:
        column = table.c[name]
        match metric.function:
            case Function.COUNT:
                return {f"count_{name}": func.count(column)}
            case Function.COUNT_DISTINCT:
                return {f"distinct_{name}": func.count(distinct(column))}
            case Function.SUM | Function.AVG | Function.AT_LEAST | Function.AT_MOST:
                sums = {
                    f"sum_{name}_{n}": s for n, s in enumerate(split_sums(column, self.dialect))
                }
                found = {f"count_{name}": func.count(column), **sums}
                if metric.function is Function.AT_MOST:
                    value = self.rows.column(metric.path)
                    found[f"count_{value}"] = func.count(table.c[value])
                return found
            case Function.NOT_EXACT:
                return {f"weight_{name}": func.coalesce(func.sum(column), 0)}
            case Function.MIN:
                return {f"min_{name}": func.min(sorted_as(column, self.dialect))}
            case Function.MAX:
                return {f"max_{name}": func.max(sorted_as(column, self.dialect))}

    def _figures(self, columns: dict[Metric, str]) -> dict[str, Expression | Number]:
        """What each group is told by, by the names of the answer."""
        added = {metric: name for metric, name in columns.items() if metric.function in _SUMS}
        carry = {
            f"{self._summed(metric)}{name}_{n}": part
            for metric, name in added.items()
            for n, part in enumerate(normalize_carry(self._raw(metric, name)))
        }
        # A level of its own, since averages are made of finished sums.
        columns_of_sums = (part.label(n) for n, part in carry.items())
        level = self._with_related(select(self.netted, *columns_of_sums)).subquery("sums")
        found: dict[str, Expression | Number] = {}
        for at, key in enumerate(self.grouping.keys):
            found[key.name] = level.c[f"k{at}"]
        for metric in self.grouping.metrics:
            found[metric.name] = self._figure(metric, columns.get(metric), level)
        return found

    def _is_net(self, metric: Metric) -> bool:
        rules = self.resource.figures
        return rules is not None and is_ruled(rules, metric)

    def _summed(self, metric: Metric) -> str:
        return "net_" if self._is_net(metric) else ""

    def _with_related(self, statement: Selection) -> Selection:
        """The groups with what is counted over relations beside them, 0 where there is none."""
        joined: FromClause = self.netted
        for at, counted in enumerate(self.related.values()):
            keys = range(len(self.grouping.keys))
            same = [self.netted.c[f"j{n}"] == counted.c[f"j{n}"] for n in keys]
            joined = joined.outerjoin(counted, and_(true(), *same))
            statement = statement.add_columns(
                func.coalesce(counted.c.number, _NONE).label(f"related_{at}")
            )
        return statement.select_from(joined)

    def _raw(self, metric: Metric, name: str) -> list[Expression]:
        names = (f"{self._summed(metric)}sum_{name}_{n}" for n in range(2))
        return [self.netted.c[n] for n in names if n in self.netted.c]

    def _figure(self, metric: Metric, name: str | None, level: FromClause) -> Expression | Number:
        if metric in self.related:
            found: Expression = level.c[f"related_{list(self.related).index(metric)}"]
            return found
        if name is None:
            return level.c.weighed if self.net is not None else level.c.records
        net = self._summed(metric)
        if metric.function is Function.NOT_EXACT:
            return level.c[f"{net}weight_{name}"]
        if metric.function not in _SUMS:
            made = "distinct" if metric.function is Function.COUNT_DISTINCT else metric.function
            return level.c[f"{net}{made}_{name}"]
        names = (f"{net}{name}_{n}" for n in range(2))
        count = level.c[f"{net}count_{name}"]
        parts: list[Expression] = [level.c[n] for n in names if n in level.c]
        if net:
            # What all is taken away from is no sum of nothing, 0, but none.
            known: ColumnElement[bool] = count > 0
            if metric.function is Function.AT_MOST:
                known &= count == level.c[f"{net}count_{self.rows.column(metric.path)}"]
            parts = [case((known, part)) for part in parts]
        total = Number.sum(parts, scale_of(self.resource, Metric(Function.SUM, metric.path)))
        if metric.function is not Function.AVG:
            return total
        return avg_number(total, count)

    def _totals(self, missing: dict[str, str], figures: GroupOutputs) -> FromClause:
        """One row: how many `records` match, how many of them are without each value, and how many
        `groups` there are without the limit."""
        source: FromClause = self.table if self.rows.is_spread else self.groups
        gone = {name: self._gone(name) for name in missing.values()}
        if self.rows.is_spread:
            records: Expression = func.count(distinct(self.table.c.id))
        else:
            records = _all(self._records())
        matching = figures.select() if self.grouping.having is not None else select(self.groups)
        groups = select(func.count()).select_from(matching.subquery("counted")).scalar_subquery()
        columns = [column.label(f"no_{name}") for name, column in gone.items()]
        made = (records.label("records"), groups.label("groups"), *columns)
        return select(*made).select_from(source).subquery("totals")

    def _gone(self, name: str) -> Expression:
        """How many records are without a value in the column of this name."""
        if self.rows.is_spread:
            return func.count(distinct(case((self.table.c[name].is_(None), self.table.c.id))))
        c = self.groups.c
        if name.startswith("k"):
            # It is once in the group of those that are without the key, as in each other.
            records = c.records if name in self.rows.spreading else self._records()
            return _all(case((c[name].is_(None), records), else_=_NONE))
        return _all(c[f"no_{name}"] if ONCE in c else c.records - c[f"count_{name}"])

    def _records(self) -> Expression:
        """How many records are told of in each group, and in no other."""
        return self.groups.c.get(ONCE, self.groups.c.records)


def _all(column: Expression) -> Expression:
    """The numbers of records of all groups together; 0 of none."""
    return func.coalesce(func.sum(column), _NONE)
