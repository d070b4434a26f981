"""The statement of an aggregate: the groups, the figures of each, and what is missing, at once."""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Dialect,
    FromClause,
    Select,
    Text,
    and_,
    bindparam,
    case,
    collate,
    distinct,
    false,
    func,
    literal_column,
    not_,
    or_,
    select,
    true,
    tuple_,
)
from sqlalchemy.types import Boolean, Numeric, String, TypeEngine

from app.core.database import Prepared, prepare
from app.core.types import StatedDate
from app.crud.aggregate_having import scale_of
from app.crud.aggregate_joins import Joins, can_be_null
from app.crud.aggregate_shape import (
    UNDATED,
    Function,
    Grouping,
    GroupKey,
    Metric,
    Output,
    bound_path,
    leaf_of,
    many_of,
)
from app.crud.aggregate_sql import Number, avg_number, part_of, part_of_span, raw_sums, sum_number
from app.crud.conditions import Both, Condition, Either, Not, Path, Term
from app.crud.history import ChangeCounter
from app.crud.operators import bound, list_is_empty
from app.crud.paths import Kind, find_leaf
from app.crud.queries import Shape
from app.crud.render import as_json, json_list, object_of
from app.crud.resource import Resource
from app.crud.statements import narrowed

_SIGNS = {"eq": "=", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


@lru_cache(maxsize=512)
def aggregate_statement(resource: Resource, grouping: Grouping, dialect: Dialect) -> Prepared:
    """Reads `(json, seq)`: the answer and the position of the change log.

    Parameters are the filters' and having's values, `limit`, and `q` when the grouping has one.
    """
    return prepare(_Plan(resource, grouping, dialect.name).statement(), dialect)


def missing_of(resource: Resource, grouping: Grouping) -> dict[str, Path]:
    """The fields that are grouped by or measured and can be null, by their dotted names."""
    paths = dict.fromkeys(output.path for output in grouping.outputs if output.path)
    return {".".join(path): path for path in paths if can_be_null(resource, path)}


@dataclass(slots=True, eq=False)
class _Plan:
    """`rows` of one record each, or of one record in one group where it can be in several;
    from them `groups`; from these the figures, and what is missing in all of them together."""

    resource: Resource
    grouping: Grouping
    dialect: str
    joins: Joins = field(init=False)
    names: dict[str, str] = field(init=False, default_factory=dict)
    columns: dict[str, ColumnElement[Any]] = field(init=False, default_factory=dict)
    aggregates: dict[str, ColumnElement[Any]] = field(init=False, default_factory=dict)
    rows: FromClause = field(init=False)
    groups: CTE = field(init=False)

    def __post_init__(self) -> None:
        self.joins = Joins(self.resource, self.dialect)

    @property
    def is_spread(self) -> bool:
        """Whether a record can be in several groups."""
        return any(many_of(self.resource, key.path) for key in self.grouping.keys)

    def statement(self) -> Select[Any]:
        missing = missing_of(self.resource, self.grouping)
        wanted = [self._column(path, "known") for path in missing.values()]
        self._make_rows(wanted)
        self._make_groups(wanted)
        shown, matching = self._shown()
        totals = self._totals(wanted, matching)
        limit = bindparam("limit", type_=BigInteger)
        values = {
            "data": select(json_list(self._object(shown))).select_from(shown).scalar_subquery(),
            "groups": case((totals.c.groups > limit, limit), else_=totals.c.groups),
            "groups_in_all": totals.c.groups,
            "records": totals.c.records,
            "missing": object_of({n: totals.c[w] for n, w in zip(missing, wanted, strict=True)}),
        }
        seq = select(ChangeCounter.seq).scalar_subquery()
        return select(object_of(values), seq).select_from(totals)

    # Rows

    def _make_rows(self, wanted: list[str]) -> None:
        keys = [self._key(key).label(f"k{at}") for at, key in enumerate(self.grouping.keys)]
        for metric in self.grouping.metrics:
            self._aggregate(metric)
        table: Any = self.resource.table
        used = [column.label(name) for name, column in self.columns.items()]
        statement = select(*([table.id.label("id")] if self.is_spread else ()), *keys, *used)
        if not (keys or used):
            statement = select(literal_column("1").label("one"))
        shape = Shape(self.grouping.condition, self.grouping.q, self.grouping.deleted)
        statement = narrowed(self.joins.join(statement), self.resource, None, shape)
        if self.is_spread:
            # A record is once in each group, however many of its parties lead there.
            self.rows = statement.distinct().cte("spread").prefix_with("MATERIALIZED")
        else:
            self.rows = statement.subquery("found")

    def _column(self, path: Path, how: str) -> str:
        """The name, among the rows' columns, of the field's value, or of what else is looked at:
        `filled`, null where there is none or an empty list; `known`, null where `missing` counts
        it; `min` and `max`, that end of a date as stated."""
        leaf = find_leaf(self.resource, path)
        if leaf.kind is Kind.stated and how in ("known", "min", "max"):
            path = bound_path(path, how == "max")
        is_key = any(key.path == path for key in self.grouping.keys)
        if leaf.kind is not Kind.list:
            how = "value"
        elif how == "known":
            how = "item" if is_key else "filled"
        name = f"{how}.{'.'.join(path)}"
        if name not in self.names:
            self.names[name] = f"c{len(self.names)}"
            column = self.joins.item(path) if how == "item" else self.joins.value(path)
            if how == "filled":
                column = case((not_(list_is_empty(column)), 1))
            self.columns[self.names[name]] = column
        return self.names[name]

    def _key(self, key: GroupKey) -> ColumnElement[Any]:
        leaf = find_leaf(self.resource, key.path)
        if key.part is None:
            return self.joins.item(key.path)
        if leaf.kind is not Kind.stated:
            return part_of(key.part, self.joins.item(key.path), self.dialect)
        ends = (self.joins.item(bound_path(key.path, latest)) for latest in (False, True))
        return part_of_span(key.part, *ends, self.dialect)

    # Groups

    def _aggregate(self, metric: Metric) -> None:
        """Put the columns that the metric needs among those of the rows."""
        if metric.path:
            self._column(metric.path, _HOW.get(metric.function, "value"))

    def _make_groups(self, wanted: list[str]) -> None:
        for metric in self.grouping.metrics:
            if metric.path:
                self._raw(metric)
        if not self.is_spread:
            for name in wanted:
                self.aggregates.setdefault(f"count_{name}", func.count(self.rows.c[name]))
        keys = [self.rows.c[f"k{at}"] for at in range(len(self.grouping.keys))]
        figures = [column.label(name) for name, column in self.aggregates.items()]
        statement = select(*keys, func.count().label("records"), *figures)
        statement = statement.select_from(self.rows).group_by(*keys)
        self.groups = statement.cte("groups").prefix_with("MATERIALIZED")

    def _raw(self, metric: Metric) -> list[str]:
        """The names of the aggregates that the metric is made of."""
        name = self._column(metric.path, _HOW.get(metric.function, "value"))
        column = self.rows.c[name]
        if metric.function is Function.count:
            found: list[ColumnElement[Any]] = [func.count(column)]
        elif metric.function is Function.count_distinct:
            found = [func.count(distinct(column))]
        elif metric.function in (Function.sum, Function.avg):
            self.aggregates.setdefault(f"count_{name}", func.count(column))
            found = raw_sums(column, self.dialect)
        else:
            least = func.min if metric.function is Function.min else func.max
            found = [least(self._sorted(column))]
        function = Function.sum if metric.function is Function.avg else metric.function
        names = [f"{function}_{name}" + (f"_{at}" if at else "") for at in range(len(found))]
        for key, aggregate in zip(names, found, strict=True):
            self.aggregates.setdefault(key, aggregate)
        return names

    def _sorted(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        """Texts in the order of their code points, as SQLite has them."""
        is_text = isinstance(column.type, String | StatedDate)
        return collate(column, "C") if is_text and self.dialect == "postgresql" else column

    # Figures

    def _figure(self, metric: Metric) -> ColumnElement[Any] | Number:
        """What a group has for the metric."""
        if not metric.path:
            return self.groups.c.records
        names = self._raw(metric)
        raw: list[ColumnElement[Any]] = [self.groups.c[name] for name in names]
        if metric.function not in (Function.sum, Function.avg):
            return raw[0]
        scale = scale_of(self.resource, Metric(Function.sum, metric.path))
        total = sum_number(raw, scale)
        if metric.function is Function.sum:
            return total
        return avg_number(total, self.groups.c[f"count_{self._column(metric.path, 'value')}"])

    def _figures(self) -> dict[str, list[ColumnElement[Any]]]:
        """The columns of each output, by its name: two for a sum on SQLite."""
        found: dict[str, list[ColumnElement[Any]]] = {}
        for at, key in enumerate(self.grouping.keys):
            found[key.name] = [self.groups.c[f"k{at}"]]
        for metric in self.grouping.metrics:
            figure = self._figure(metric)
            found[metric.name] = figure.parts if isinstance(figure, Number) else [figure]
        return found

    def _shown(self) -> tuple[FromClause, ColumnElement[Any]]:
        """The groups of the answer in order, and how many there are without the limit."""
        labels = {
            output.name: [f"o{at}_{part}" for part in range(2)]
            for at, output in enumerate(self.grouping.outputs)
        }
        columns = [
            column.label(label)
            for name, parts in self._figures().items()
            for label, column in zip(labels[name], parts, strict=False)
        ]
        figures = select(*columns).subquery("figures")
        found = {
            name: [figures.c[label] for label in pair if label in figures.c]
            for name, pair in labels.items()
        }
        met = true()
        if self.grouping.having is not None:
            met = self._met(self.grouping.having, found)
        shown = select(figures).where(met).order_by(*self._order(found))
        shown = shown.limit(bindparam("limit", type_=BigInteger))
        count = select(func.count()).select_from(figures).where(met)
        return shown.subquery("shown"), count.scalar_subquery()

    def _order(self, found: dict[str, list[ColumnElement[Any]]]) -> list[ColumnElement[Any]]:
        order = []
        for output, descending in self.grouping.sort:
            for column in found[output.name]:
                key = self._sorted(column)
                order.append((key.desc() if descending else key.asc()).nulls_last())
        return order

    def _object(self, shown: FromClause) -> ColumnElement[Any]:
        """The JSON of a group."""
        values: dict[str, ColumnElement[Any]] = {}
        for at, output in enumerate(self.grouping.outputs):
            parts = [shown.c[n] for n in (f"o{at}_0", f"o{at}_1") if n in shown.c]
            if isinstance(output, Metric) and output.function in (Function.sum, Function.avg):
                figure = self._figure(output)
                assert isinstance(figure, Number)
                values[output.name] = Number(parts, figure.part, figure.scale).json()
            elif isinstance(output, GroupKey) and output.part is not None:
                values[output.name] = func.coalesce(parts[0], literal_column(f"'{UNDATED}'"))
            else:
                values[output.name] = as_json(parts[0])
        return object_of(values)

    def _totals(self, wanted: list[str], matching: ColumnElement[Any]) -> FromClause:
        """How many records match, how many of them are without each of the wanted columns, and
        how many groups there are."""
        if self.is_spread:
            ids = self.rows.c.id
            gone = {n: func.count(distinct(case((self.rows.c[n].is_(None), ids)))) for n in wanted}
            records: ColumnElement[Any] = func.count(distinct(ids))
        else:
            n = self.groups.c.records
            gone = {w: _added(n - self.groups.c[f"count_{w}"]) for w in wanted}
            records = _added(n)
        columns = [column.label(name) for name, column in gone.items()]
        figures = (records.label("records"), matching.label("groups"))
        return select(*figures, *columns).subquery("totals")

    # Having

    def _met(
        self, condition: Condition, found: dict[str, list[ColumnElement[Any]]]
    ) -> ColumnElement[bool]:
        """The condition on a group; as in filters, what a missing value is compared with is false
        and its negation true."""
        match condition:
            case Term():
                return self._compared(condition, found[condition.path[0]])
            case Not():
                known = func.coalesce(self._met(condition.item, found), false(), type_=Boolean)
                return not_(known)
            case Both():
                return and_(*(self._met(item, found) for item in condition.items))
            case Either():
                return or_(*(self._met(item, found) for item in condition.items))
        raise TypeError(condition)

    def _compared(self, term: Term, columns: list[ColumnElement[Any]]) -> ColumnElement[bool]:
        if term.operator == "isnull":
            return columns[0].is_(None)
        output = next(o for o in self.grouping.outputs if o.name == term.path[0])
        sign = _SIGNS.get(term.operator, "=")
        ways = []
        for slot in term.slots:
            if len(columns) > 1:
                pair = (bindparam(f"{slot}_{end}", type_=BigInteger) for end in ("high", "low"))
                ways.append(tuple_(*columns).op(sign, is_comparison=True)(tuple_(*pair)))
            else:
                key = self._sorted(columns[0])
                ways.append(key.op(sign, is_comparison=True)(self._slot(output, slot)))
        return or_(*ways)

    def _slot(self, output: Output, slot: str) -> ColumnElement[Any]:
        if isinstance(output, GroupKey) and output.part is not None:
            return bindparam(slot, type_=Text())
        kind = _TYPES.get(output.function) if isinstance(output, Metric) else None
        if kind is not None:
            return bindparam(slot, type_=kind)
        return bound(leaf_of(self.resource, output), slot)


#: What a metric looks at, where that is not the value itself.
_HOW = {Function.count: "filled", Function.min: "min", Function.max: "max"}
_TYPES: dict[Function, TypeEngine[Any]] = {
    Function.count: BigInteger(),
    Function.count_distinct: BigInteger(),
    Function.sum: Numeric(),
    Function.avg: Numeric(),
}


def _added(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """The sum of numbers of records; 0 of none."""
    return func.coalesce(func.sum(column), 0)
