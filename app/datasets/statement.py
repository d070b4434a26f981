"""The statement that reads a dataset: its rows in the order of its records, from a place on."""

from functools import lru_cache
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Dialect,
    FromClause,
    Integer,
    and_,
    bindparam,
    or_,
    select,
)

from app.core.databases.expressions import AnyTable, Expression, Selection
from app.core.databases.interface import CompiledQuery, compile_query
from app.core.loose_types import Fields
from app.datasets.changed import can_have_changed
from app.datasets.columns import AnyDataset, values
from app.datasets.computed import ComputedColumn, ComputedDataset
from app.datasets.declared import Dataset
from app.engine.query.cursor import CursorPosition
from app.engine.query.parameters import QueryShape
from app.engine.query.render import as_csv_value
from app.engine.query.statements import narrowed
from app.rest.export_columns import POSITION


@lru_cache(maxsize=128)
def rows_statement(
    dataset: AnyDataset, since: bool, seeks: bool, backward: bool, dialect: Dialect
) -> CompiledQuery:
    """Reads the values of at most `limit` rows and then the key of each: the id of its record and
    its position there, where a record has several. With `since` those that can have changed then
    or later; when it `seeks`, those beyond the place."""
    if isinstance(dataset, ComputedDataset):
        return _computed(dataset, since, seeks, backward, dialect)
    table: AnyTable = dataset.resource.table
    position = _position(dataset)
    key = [as_csv_value(table.id)] if position is None else [as_csv_value(table.id), position]
    statement: Selection = select(*values(dataset), *key)
    statement = rows_of(dataset, statement)
    order: list[Expression] = [table.id]
    if position is not None:
        order.append(position)
    if since:
        statement = statement.where(can_have_changed(dataset))
    if seeks:
        statement = statement.where(_beyond(order, backward))
    statement = statement.order_by(*(o.desc() if backward else o.asc() for o in order))
    return compile_query(statement.limit(bindparam("limit", type_=BigInteger)), dialect)


def _computed(
    dataset: ComputedDataset, since: bool, seeks: bool, backward: bool, dialect: Dialect
) -> CompiledQuery:
    found = dataset.rows(dialect.name).subquery("found")
    key: Expression = found.c[dataset.key]
    shown = [computed_value(column, found) for column in dataset.columns]
    statement: Selection = select(*shown, as_csv_value(key))
    if since and dataset.since is not None:
        at = found.c[dataset.since]
        statement = statement.where(at >= bindparam("since", type_=at.type))
    if seeks:
        statement = statement.where(_beyond([key], backward))
    statement = statement.order_by(key.desc() if backward else key.asc())
    return compile_query(statement.limit(bindparam("limit", type_=BigInteger)), dialect)


def computed_value(column: ComputedColumn, found: FromClause) -> Expression:
    """What is shown of a column of rows that are worked out."""
    if column.cell is not None:
        return column.cell(found, column.name)
    return as_csv_value(found.c[column.name])


def rows_of(dataset: Dataset, statement: Selection) -> Selection:
    """The statement over the rows of a dataset, without those in the trash."""
    statement = narrowed(statement, dataset.resource, None, QueryShape())
    if dataset.row_of is None:
        return statement
    part = dataset.resource.embedded[dataset.row_of]
    return statement.where(getattr(part.table, part.owner) == dataset.resource.table.id)


def _position(dataset: Dataset) -> Expression | None:
    if dataset.row_of is None:
        return None
    found: Expression = getattr(dataset.resource.embedded[dataset.row_of].table, POSITION)
    return found


def _beyond(order: list[Expression], backward: bool) -> ColumnElement[bool]:
    first, *rest = order
    place = bindparam("seek", type_=first.type)
    beyond: ColumnElement[bool] = first < place if backward else first > place
    for position in rest:
        at = bindparam("seek_position", type_=Integer)
        further = position < at if backward else position > at
        beyond = or_(beyond, and_(first == place, further))
    return beyond


def place_values(dataset: AnyDataset, place: CursorPosition) -> Fields:
    """The values of the statement's parameters for a place."""
    if isinstance(dataset, ComputedDataset):
        return {"seek": place.key[0]}
    found: Fields = {"seek": UUID(place.key[0])}
    if dataset.row_of is not None:
        found["seek_position"] = place.key[1]
    return found
