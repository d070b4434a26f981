"""The rows that an aggregate is made of: the keys and values of each record that matches."""

from dataclasses import dataclass, field, replace

from sqlalchemy import ColumnElement, FromClause, String, case, func, literal_column, not_, select

from app.core.databases.expressions import AnyTable, Expression
from app.core.databases.types import Id
from app.engine.aggregates.joins import Joins, can_be_null
from app.engine.aggregates.repeats import Repeats
from app.engine.aggregates.shape import (
    LIMITS,
    Function,
    Grouping,
    GroupKey,
    Metric,
    bound_path,
    counts_related,
    many_of,
)
from app.engine.aggregates.sql import Sql, local_time, part_of, part_of_stated
from app.engine.paths import FieldType, find_field, find_relation, relations_of
from app.engine.query.conditions import Path
from app.engine.query.operators import list_is_empty
from app.engine.query.parameters import QueryShape
from app.engine.query.statements import narrowed
from app.engine.resource import Embedded, Resource

#: The column that is 1 in one row of each record, where it is in several groups.
ONCE = "once"


@dataclass(slots=True, eq=False)
class Rows:
    """One row a record, with a column `k0, k1, …` for each group key and others for what is
    measured; where a key can have several values, one row for each of the record's groups."""

    resource: Resource
    grouping: Grouping
    dialect: str
    joins: Joins = field(init=False)
    #: What rows of related records do not make a group, where that keeps rows distinct.
    repeats: Repeats | None = field(init=False)
    names: dict[str, str] = field(init=False, default_factory=dict)
    columns: dict[str, Expression] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.joins = Joins(self.resource, self.dialect)
        for at, key in enumerate(self.grouping.keys):
            self.columns[f"k{at}"] = self._key(key)
        self.repeats = repeats_of(self.resource, self.grouping, self.dialect)

    @property
    def spreading(self) -> dict[str, Path]:
        """The columns of the keys of which a record can have several values, and the paths to
        where that begins."""
        keys = enumerate(self.grouping.keys)
        found = ((f"k{at}", many_of(self.resource, key.path)) for at, key in keys)
        return {name: path for name, path in found if path is not None}

    @property
    def is_spread(self) -> bool:
        """Whether a record can be in several groups, and in one of them more than once unless its
        rows are made distinct."""
        return self.repeats is None and bool(self.spreading)

    def _key(self, key: GroupKey) -> Expression:
        if key.level is not None:
            return self._of_level(key)
        if key.part is None:
            return self.joins.item(key.path)
        field_type = find_field(self.resource, key.path).field_type
        if field_type is not FieldType.stated:
            value = self.joins.value(key.path)
            if self.grouping.is_local and field_type is FieldType.instant:
                value = local_time(value, self.dialect)
            return part_of(key.part, value, self.dialect)
        first, last = (self.joins.value(bound_path(key.path, latest)) for latest in (False, True))
        stated = self.joins.value(key.path)
        return part_of_stated(key.part, stated, first, last, self.dialect)

    def _of_level(self, key: GroupKey) -> Expression:
        """The code of the level that the record's code begins with; null for a wider one."""
        code, length = self.joins.item(key.path, self._lengths(key.path)), self._length(key)
        return case((func.length(code) >= length, func.substr(code, 1, length, type_=String())))

    def _lengths(self, path: Path) -> list[int]:
        """How long the codes of a list are that groups are made of; none where each code of it is a
        group's own."""
        keys = [key for key in self.grouping.keys if key.path == path]
        is_of_levels = all(key.level is not None for key in keys)
        return sorted(map(self._length, keys)) if is_of_levels else []

    def _length(self, key: GroupKey) -> int:
        codes = find_field(self.resource, key.path).codes
        assert codes is not None
        length: int = codes.table.info["levels"][key.level]
        return length

    def measured(self, metric: Metric) -> str:
        """The name of the column that a metric of a field is made of."""
        if metric.function is Function.AT_MOST:
            # It is known where it is so of all that have a value.
            self.column(metric.path)
        if metric.function in LIMITS:
            return self._limits(metric)
        is_end = metric.function in (Function.MIN, Function.MAX)
        return self.column(metric.path, str(metric.function) if is_end else None)

    def _limits(self, metric: Metric) -> str:
        """The name of the column with what a metric of a field's limits is made of."""
        rules = self.resource.figures
        assert rules is not None
        own = rules.ranges[metric.path[-1]]
        if metric.written not in self.names:
            self.names[metric.written] = name = f"c{len(self.names)}"
            table: AnyTable = self.resource.table
            weight = 1 if rules.weight is None else getattr(table, rules.weight)
            if metric.function is Function.NOT_EXACT:
                self.columns[name] = case((own.is_not_exact(table), weight))
            else:
                is_low = metric.function is Function.AT_LEAST
                self.columns[name] = own.at_least(table) if is_low else own.at_most(table)
        return self.names[metric.written]

    def column(self, path: Path, end: str | None = None) -> str:
        """The name of the column with the field's value, or with the `min` or `max` end of a date
        as stated; of a list it is null when the list is empty."""
        record_field = find_field(self.resource, path)
        if record_field.field_type is FieldType.stated and end is not None:
            path = bound_path(path, end == "max")
        dotted = ".".join(path)
        if dotted not in self.names:
            self.names[dotted] = name = f"c{len(self.names)}"
            value = self.joins.value(path)
            filled = (
                case((not_(list_is_empty(value)), 1))
                if record_field.field_type is FieldType.list
                else value
            )
            self.columns[name] = filled
        return self.names[dotted]

    def missing(self) -> dict[str, str]:
        """The fields that are grouped by or measured and can be null, by their dotted names: the
        names of the columns that are null where a value is missing."""
        outputs = (o for o in self.grouping.outputs if not counts_related(self.resource, o))
        paths = {output.dotted: output.path for output in outputs if output.path}
        return {n: self._known(p) for n, p in paths.items() if can_be_null(self.resource, p)}

    def _known(self, path: Path) -> str:
        """The name of the column that is null where the value is missing: a key's own, which need
        not be counted, unless it is null for dates with a year and for wider codes too. Where a
        record can be in several groups nothing but keys may differ from one to the other."""
        is_stated = find_field(self.resource, path).field_type is FieldType.stated
        keys = enumerate(self.grouping.keys)
        places = [at for at, key in keys if key.path == path and key.level is None]
        if places and not (is_stated and many_of(self.resource, path) is None):
            return f"k{places[0]}"
        return self.column(path, "min")

    def select(self, *only: ColumnElement[bool], name: str = "found") -> FromClause:
        """The rows of the records that match, once all columns have been asked for, with the ids
        where these have to be distinct; of some alone under another name, and with ids."""
        grouping, table = self.grouping, self.resource.table
        columns: list[Expression] = [column.label(name) for name, column in self.columns.items()]
        if self.is_spread and "id" not in self.columns:
            # Rows are told apart by comparing them column after column, so that ids come first; and
            # SQLite reads them in the order of the table, which with the index of ids it would not.
            plain: AnyTable = table.id
            own = Sql("+{0}", plain, kind=Id()) if self.dialect == "sqlite" else plain
            columns.insert(0, own.label("id"))
        if self.repeats is not None:
            (path,) = self.spreading.values()
            table_of_rows = self.joins.tables[path]
            self.joins.narrow(path, self.repeats.left_in(table_of_rows))
            columns.append(self.repeats.once(table_of_rows).label(ONCE))
        statement = select(*(columns or [literal_column("1").label("one")])).where(*only)
        shape = QueryShape(grouping.condition, grouping.q, grouping.deleted)
        statement = narrowed(self.joins.join(statement), self.resource, None, shape)
        if not self.is_spread:
            return statement.subquery(name)
        # A record is once in each group, however many of its parties lead there.
        name = "spread" if name == "found" else name
        return statement.distinct().cte(name).prefix_with("MATERIALIZED")


def repeats_of(resource: Resource, grouping: Grouping, dialect: str) -> Repeats | None:
    """What of the rows of a related record leads to the same groups, where a record is in several
    of them by one key alone, which goes over those rows; None elsewhere."""
    several = [key for key in grouping.keys if many_of(resource, key.path)]
    if len(several) != 1:
        return None
    (key,) = several
    (*path, name) = many_of(resource, key.path) or ()
    at: Resource | Embedded = resource
    for step in path:
        at = find_relation(at, step).target
    relation = relations_of(at).get(name)
    if not path or relation is None or not isinstance(relation.via, Embedded):
        return None
    assert isinstance(at, Resource)
    key = replace(key, path=key.path[len(path) :])
    of_related = Grouping(None, False, "include", (key,), (), None, (), is_local=grouping.is_local)
    rows = Rows(at, of_related, dialect)
    table = rows.joins.tables[(name,)]
    return Repeats.among(rows.joins, table, relation.via.owner, rows.columns["k0"])
