"""The statements of the rows of a dataset: a page of them in any order, and how many there are."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import BigInteger, ColumnElement, Dialect, Integer, bindparam, func, or_, select

from app.core.databases.expressions import AnyTable, Expression, Selection
from app.core.databases.interface import CompiledQuery, compile_query
from app.datasets.columns import cells, columns, values
from app.datasets.declared import Dataset
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
from app.odata.filter.flat import FlatNames, flat_names
from app.rest.export_columns import POSITION


@dataclass(frozen=True, slots=True)
class FlatShape:
    """What makes two reads of a dataset the same statement: `order` are names of columns, each
    with "descending?"; one that `seeks` begins beyond the row with the key `:seek`."""

    condition: Condition | None = None
    order: tuple[tuple[str, bool], ...] = ()
    q: bool = False
    seeks: bool = False


@lru_cache(maxsize=256)
def flat_statement(dataset: Dataset, shape: FlatShape, dialect: Dialect) -> CompiledQuery:
    """Reads the values of at most `limit` rows from `offset` on, and then the key of each: its id
    and, in a list of its record, its position."""
    key = _key(dataset)
    statement: Selection = select(*values(dataset), as_csv_value(key[0]), *key[1:])
    statement = _chosen(statement, dataset, shape)
    named = _columns(dataset)
    for name, descending in shape.order:
        column = named[name]
        # Missing values are least (OData 4.0 Protocol, 11.2.5.2).
        order = column.desc().nulls_last() if descending else column.asc().nulls_first()
        statement = statement.order_by(order)
    statement = statement.order_by(*key)
    if shape.seeks:
        statement = statement.where(_beyond(key))
    statement = statement.limit(bindparam("limit", type_=BigInteger))
    return compile_query(statement.offset(bindparam("offset", type_=BigInteger)), dialect)


@lru_cache(maxsize=256)
def flat_count(dataset: Dataset, shape: FlatShape, dialect: Dialect) -> CompiledQuery:
    """Reads `(count,)` of all rows that match."""
    counted: Selection = select(func.count()).select_from(dataset.resource.table)
    return compile_query(_chosen(counted, dataset, shape), dialect)


def _key(dataset: Dataset) -> list[Expression]:
    table: AnyTable = dataset.resource.table
    if dataset.row_of is None:
        return [table.id]
    return [table.id, getattr(dataset.resource.embedded[dataset.row_of].table, POSITION)]


def _chosen(statement: Selection, dataset: Dataset, shape: FlatShape) -> Selection:
    statement = narrowed(statement, dataset.resource, None, QueryShape(q=shape.q))
    if dataset.row_of is not None:
        part = dataset.resource.embedded[dataset.row_of]
        owner = getattr(part.table, part.owner)
        statement = statement.where(owner == dataset.resource.table.id)
    if shape.condition is not None:
        statement = statement.where(combined(shape.condition, lambda t: _term(dataset, t)))
    return statement


def _term(dataset: Dataset, term: Term) -> ColumnElement[bool]:
    """What a predicate says of a row; see `filter.flat` for those about its part."""
    resource = dataset.resource
    if isinstance(term, Exists) and term.path == (dataset.row_of,) and term.item is not None:
        part = resource.embedded[term.path[0]]
        return sql_of(term.item, part, columns_of(part.table))
    if isinstance(term, Calculated):
        named = _columns(dataset)
        names = flat_names(dataset)
        return calculated_sql(term, lambda path: _value(dataset, names, named, path))
    assert isinstance(term, Compare)
    return sql_of(term, resource, columns_of(resource.table))


def _value(
    dataset: Dataset, names: FlatNames, named: Mapping[str, Expression], path: Path
) -> Expression:
    if path[0] in names.numbers:
        return named[path[0]]
    return value_at(dataset.resource, path, columns_of(dataset.resource.table))


def _columns(dataset: Dataset) -> Mapping[str, Expression]:
    """The values of the columns as they are stored, without labels, by name."""
    resource, read, shown = dataset.resource, cells(dataset), values(dataset)
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
