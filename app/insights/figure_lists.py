"""Lists whose rows are figures: what is counted of each, to be filtered, sorted and paged by."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Dialect,
    FromClause,
    Numeric,
    bindparam,
    func,
    null,
    select,
    tuple_,
)

from app.core.databases.expressions import AnyTable, Expression
from app.core.databases.interface import CompiledQuery, compile_query
from app.core.databases.made_once import made_once
from app.core.loose_types import Value
from app.engine.history.positions import newest_position
from app.engine.query.render import as_json, object_of
from app.engine.record import bound_names
from app.engine.resource import Resource
from app.engine.schemas import Schema
from app.insights.choice import Choice

#: What figures are counted from, by name.
Parts = Mapping[str, FromClause]
OPERATORS = {"eq": "=", "ne": "<>", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


@dataclass(frozen=True, slots=True)
class FigureShape:
    """What makes two lists the same statement, without values."""

    choice: Choice
    #: Names of columns, with "descending?".
    sort: tuple[tuple[str, bool], ...]
    #: Figures with the operators that they are compared by; the values are `figure0, figure1, …`.
    limits: tuple[tuple[str, str], ...]
    #: What else the rows are made by.
    options: tuple[Value, ...] = ()
    #: The options of groups that are given.
    given: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, eq=False)
class FigureGroup:
    """Columns that are counted together.

    `count(parts, shape, dialect)` makes a row for each record that has any: its id as `record_id`,
    and the columns. A record without a row has 0 of each, or null of those that are `nullable`.
    """

    names: tuple[str, ...]
    count: Callable[[Parts, FigureShape, str], FromClause]
    nullable: bool = False
    #: Those that are sums of decimals: finished JSON, beside which their parts stand as `<name>_0`
    #: and, where there are two, `<name>_1`.
    sums: tuple[str, ...] = ()
    #: The parameter without which they are not counted: all are null then.
    option: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class FigureList:
    """A list of figures: a row for each record of a kind.

    What a row is filtered and sorted by is counted for all records, and the rest for those of the
    page alone.
    """

    name: str
    resource: Resource
    #: What a row shows: fields of the record, and columns of the groups.
    row: type[Schema]
    groups: tuple[FigureGroup, ...]
    #: Of the records with these ids, what the groups are counted from.
    parts: Callable[[CTE, FigureShape], Parts]
    sort: str
    #: The kinds of which it is told how many records are withheld, and in no figure.
    withholding: tuple[Resource, ...] = ()

    @property
    def figures(self) -> Mapping[str, FigureGroup]:
        """The columns that are counted, by which rows can be filtered, with their groups."""
        return {name: group for group in self.groups for name in group.names}


@made_once(256)
def figures_statement(of: FigureList, shape: FigureShape, dialect: Dialect) -> CompiledQuery:
    """Reads `(json, rows in all, position)` of the rows from `:offset` on, `:limit` at most."""
    table: AnyTable = of.resource.table
    chosen = select(table.id).where(*shape.choice.conditions(of.resource)).cte("chosen")
    asked = {name for name, _ in (*shape.sort, *shape.limits)}
    groups = [group for group in of.groups if group.option is None or group.option in shape.given]
    first = [group for group in groups if asked & set(group.names)]
    page = _page(of, shape, chosen, first, dialect.name)
    rest = [group for group in groups if group not in first]
    source, found = _joined(of, shape, page, rest, dialect.name)
    found |= {name: page.c[name] for group in first for name in group.names}
    found |= {name: null() for name in of.figures if name not in found}
    values = {
        n: as_json(found[n] if n in found else getattr(table, n)) for n in of.row.model_fields
    }
    statement = (
        select(object_of(values), page.c.in_all, newest_position())
        .select_from(source.join(table, table.id == page.c.id))
        .order_by(page.c.place)
    )
    return compile_query(statement, dialect)


def _page(
    of: FigureList, shape: FigureShape, chosen: CTE, groups: Sequence[FigureGroup], dialect: str
) -> CTE:
    """The ids of the rows of the page, each with its place, how many there are in all, and the
    columns of these groups."""
    table: AnyTable = of.resource.table
    source, found = _joined(of, shape, chosen, groups, dialect)
    order: list[Expression] = []
    for name, descending in (*shape.sort, ("id", False)):
        columns = _parts_of(found, name) or [_sorted_by(of.resource, name)]
        order += [(c.desc() if descending else c.asc()).nulls_last() for c in columns]
    place = func.row_number().over(order_by=order)
    counted = (found[name].label(name) for group in groups for name in group.names)
    return (
        select(chosen.c.id, place.label("place"), func.count().over().label("in_all"), *counted)
        .select_from(source.join(table, table.id == chosen.c.id))
        .where(*_limits(found, shape))
        .order_by(place)
        .limit(bindparam("limit", type_=BigInteger))
        .offset(bindparam("offset", type_=BigInteger))
        .cte("page")
        .prefix_with("MATERIALIZED")
    )


def _parts_of(found: Mapping[str, Expression], name: str) -> list[Expression]:
    """What the column of a figure is sorted and compared by: of a sum its parts."""
    parts = [found[part] for part in (f"{name}_0", f"{name}_1") if part in found]
    return parts or ([found[name]] if name in found else [])


def _sorted_by(resource: Resource, name: str) -> Expression:
    """What rows are sorted by: of a date as stated the earliest day that it can mean."""
    column = bound_names(name)[0] if name in resource.edtf_dates else name
    found: Expression = getattr(resource.table, column)
    return found


def _joined(
    of: FigureList, shape: FigureShape, keys: CTE, groups: Sequence[FigureGroup], dialect: str
) -> tuple[FromClause, dict[str, Expression]]:
    """The records with these ids, beside the rows of the groups, and the columns of those."""
    source: FromClause = keys
    found: dict[str, Expression] = {}
    parts = of.parts(keys, shape)
    for group in groups:
        rows = group.count(parts, shape, dialect)
        source = source.outerjoin(rows, rows.c.record_id == keys.c.id)
        for name in group.names:
            found[name] = rows.c[name] if group.nullable else func.coalesce(rows.c[name], 0)
        found |= {c.key: c for c in rows.c if c.key[:-2] in group.sums}
    return source, found


def _limits(found: Mapping[str, Expression], shape: FigureShape) -> list[ColumnElement[bool]]:
    met: list[ColumnElement[bool]] = []
    for at, (name, operator) in enumerate(shape.limits):
        parts = _parts_of(found, name)
        kind = BigInteger() if len(parts) == 2 or f"{name}_0" not in found else Numeric()
        values = [bindparam(f"figure{at}_{n}", type_=kind) for n in range(len(parts))]
        left, right = (tuple_(*each) if len(parts) > 1 else each[0] for each in (parts, values))
        met.append(left.op(OPERATORS[operator], is_comparison=True)(right))
    return met
