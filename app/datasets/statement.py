"""The statement that reads a dataset: its rows in the order of its records, from a place on."""

from functools import lru_cache
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, Dialect, Integer, and_, bindparam, or_, select

from app.core.databases.expressions import AnyTable, Expression, Selection
from app.core.databases.interface import CompiledQuery, compile_query
from app.core.loose_types import Fields
from app.datasets.columns import values
from app.datasets.declared import Dataset
from app.engine.query.cursor import CursorPosition
from app.engine.query.parameters import QueryShape
from app.engine.query.render import as_csv_value
from app.engine.query.statements import narrowed
from app.rest.export_columns import POSITION


@lru_cache(maxsize=128)
def rows_statement(
    dataset: Dataset, since: bool, seeks: bool, backward: bool, dialect: Dialect
) -> CompiledQuery:
    """Reads the values of at most `limit` rows and then the key of each: the id of its record and
    its position there, 0 where a record has one row. With `since` those of records changed then or
    later; when it `seeks`, those beyond the place."""
    table: AnyTable = dataset.resource.table
    position = _position(dataset)
    key = [as_csv_value(table.id)] if position is None else [as_csv_value(table.id), position]
    statement: Selection = select(*values(dataset), *key)
    statement = rows_of(dataset, statement)
    order: list[Expression] = [table.id]
    if position is not None:
        order.append(position)
    if since:
        moment = bindparam("since", type_=table.updated_at.type)
        statement = statement.where(table.updated_at >= moment)
    if seeks:
        statement = statement.where(_beyond(order, backward))
    statement = statement.order_by(*(o.desc() if backward else o.asc() for o in order))
    return compile_query(statement.limit(bindparam("limit", type_=BigInteger)), dialect)


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


def place_values(dataset: Dataset, place: CursorPosition) -> Fields:
    """The values of the statement's parameters for a place."""
    found: Fields = {"seek": UUID(place.key[0])}
    if dataset.row_of is not None:
        found["seek_position"] = place.key[1]
    return found
