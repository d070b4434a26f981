"""The statements of the rows of a dataset: a page of them in any order, and how many there are."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Dialect,
    FromClause,
    Integer,
    bindparam,
    func,
    or_,
    select,
)

from app.core.databases.expressions import AnyTable, Expression, Selection
from app.core.databases.interface import CompiledQuery, compile_query
from app.core.databases.made_once import made_once
from app.datasets.columns import AnyDataset, cells, columns, values
from app.datasets.computed import ComputedDataset
from app.datasets.declared import Dataset
from app.datasets.statement import computed_value
from app.engine.query.calculated import Calculated, calculated_sql
from app.engine.query.conditions import (
    Compare,
    Condition,
    Exists,
    Path,
    Term,
    columns_of,
    combined,
    sql_of,
    value_at,
)
from app.engine.query.parameters import QueryShape
from app.engine.query.render import as_csv_value
from app.engine.query.statements import narrowed
from app.odata.filter.flat import FlatNames, flat_names, rows_read
from app.rest.export_columns import POSITION


@dataclass(frozen=True, slots=True)
class FlatShape:
    """What makes two reads of a dataset the same statement: `order` are names of columns, each
    with "descending?"; one that `seeks` begins beyond the row with the key `:seek`."""

    condition: Condition | None = None
    order: tuple[tuple[str, bool], ...] = ()
    q: bool = False
    seeks: bool = False


@made_once(256)
def flat_statement(dataset: AnyDataset, shape: FlatShape, dialect: Dialect) -> CompiledQuery:
    """Reads the values of at most `limit` rows from `offset` on, and then the key of each: its id
    and, in a list of its record, its position."""
    rows = _rows(dataset, dialect)
    statement: Selection = select(*rows.values, as_csv_value(rows.key[0]), *rows.key[1:])
    statement = rows.chosen(statement, shape)
    for name, descending in shape.order:
        column = rows.columns[name]
        # Missing values are least (OData 4.0 Protocol, 11.2.5.2).
        order = column.desc().nulls_last() if descending else column.asc().nulls_first()
        statement = statement.order_by(order)
    statement = statement.order_by(*rows.key)
    if shape.seeks:
        statement = statement.where(_beyond(rows.key))
    statement = statement.limit(bindparam("limit", type_=BigInteger))
    return compile_query(statement.offset(bindparam("offset", type_=BigInteger)), dialect)


@made_once(256)
def flat_count(dataset: AnyDataset, shape: FlatShape, dialect: Dialect) -> CompiledQuery:
    """Reads `(count,)` of all rows that match."""
    rows = _rows(dataset, dialect)
    counted: Selection = select(func.count()).select_from(rows.source)
    return compile_query(rows.chosen(counted, shape), dialect)


@dataclass(frozen=True)
class _Rows:
    """Where the rows of a dataset are read: what is shown of each, its key, its columns as they are
    compared, and what makes a statement one of those that are asked for."""

    source: FromClause
    values: list[Expression]
    key: list[Expression]
    columns: Mapping[str, Expression]
    chosen: Callable[[Selection, FlatShape], Selection]


def _rows(dataset: AnyDataset, dialect: Dialect) -> _Rows:
    if isinstance(dataset, ComputedDataset):
        return _computed_rows(dataset, dialect)
    source = dataset.resource.table.__table__
    # Made once: what is shown, compared and sorted by stands in the statement as one.
    shown = values(dataset)
    named = _columns(dataset, shown)
    return _Rows(source, shown, _key(dataset), named, partial(_chosen, dataset, named))


def _computed_rows(dataset: ComputedDataset, dialect: Dialect) -> _Rows:
    """The rows of what is worked out, as of a table."""
    found = dataset.rows(dialect.name).subquery("found")
    shown = [computed_value(column, found) for column in dataset.columns]
    compared = {
        column.name: found.c[column.name]
        if column.number is None
        else column.number(found, column.name)
        for column in dataset.columns
    }

    def term(item: Term) -> ColumnElement[bool]:
        if isinstance(item, Calculated):
            return calculated_sql(item, lambda path: compared[path[0]])
        return sql_of(item, rows_read(dataset), compared.__getitem__)

    def chosen(statement: Selection, shape: FlatShape) -> Selection:
        if shape.condition is None:
            return statement
        return statement.where(combined(shape.condition, term))

    return _Rows(found, shown, [found.c[dataset.key]], compared, chosen)


def _key(dataset: Dataset) -> list[Expression]:
    table: AnyTable = dataset.resource.table
    if dataset.row_of is None:
        return [table.id]
    return [table.id, getattr(dataset.resource.embedded[dataset.row_of].table, POSITION)]


def _chosen(
    dataset: Dataset, named: Mapping[str, Expression], statement: Selection, shape: FlatShape
) -> Selection:
    statement = narrowed(statement, dataset.resource, None, QueryShape(q=shape.q))
    if dataset.row_of is not None:
        part = dataset.resource.embedded[dataset.row_of]
        owner = getattr(part.table, part.owner)
        statement = statement.where(owner == dataset.resource.table.id)
    if shape.condition is not None:
        statement = statement.where(combined(shape.condition, partial(_term, dataset, named)))
    return statement


def _term(dataset: Dataset, named: Mapping[str, Expression], term: Term) -> ColumnElement[bool]:
    """What a predicate says of a row; see `filter.flat` for those about its part."""
    resource = dataset.resource
    if isinstance(term, Exists) and term.path == (dataset.row_of,) and term.item is not None:
        part = resource.embedded[term.path[0]]
        return sql_of(term.item, part, columns_of(part.table))
    if isinstance(term, Calculated):
        names = flat_names(dataset)
        return calculated_sql(term, lambda path: _value(dataset, names, named, path))
    assert isinstance(term, Compare)
    return sql_of(term, resource, columns_of(resource.table))


def _value(
    dataset: Dataset, names: FlatNames, named: Mapping[str, Expression], path: Path
) -> Expression:
    if path[0] in names.worked_out:
        return named[path[0]]
    return value_at(dataset.resource, path, columns_of(dataset.resource.table))


def _columns(dataset: Dataset, shown: Sequence[Expression]) -> Mapping[str, Expression]:
    """The values of the columns as they are stored, without labels, by name; what is no field is
    compared as it is shown."""
    resource, read = dataset.resource, cells(dataset)
    found: dict[str, Expression] = {}
    for column in columns(dataset):
        if column.is_label:
            continue
        if column.at >= len(read):
            found[column.name] = shown[column.at]
            continue
        first, *rest = path = read[column.at].path
        if first != dataset.row_of:
            found[column.name] = value_at(resource, path, columns_of(resource.table))
            continue
        part = resource.embedded[first]
        get = columns_of(part.table)
        own = rest == [POSITION]
        found[column.name] = get(POSITION) if own else value_at(part, tuple(rest), get)
    return found


def _beyond(key: list[Expression]) -> ColumnElement[bool]:
    """The rows after the one with the key `:seek` and `:seek_position`."""
    place = bindparam("seek", type_=key[0].type)
    if len(key) == 1:
        return key[0] > place
    later = key[1] > bindparam("seek_position", type_=Integer)
    return or_(key[0] > place, (key[0] == place) & later)
