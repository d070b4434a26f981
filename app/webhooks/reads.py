"""Webhooks and deliveries as they are read: JSON that the database has written."""

from collections.abc import Sequence
from functools import lru_cache
from uuid import UUID

from sqlalchemy import BigInteger, Dialect, Select, Text, bindparam, cast, select, type_coerce
from starlette.requests import Request
from starlette.responses import Response

from app.core.databases.expressions import AnyTable
from app.core.databases.interface import CompiledQuery, compile_query
from app.core.databases.types import Id, JsonText
from app.core.errors import NotFound
from app.core.loose_types import Values
from app.core.validation import Model
from app.engine.query.render import as_json, json_array, object_of
from app.rest.handlers import database_of
from app.rest.pages import PageRequest, answer_page
from app.webhooks.tables import Webhook


@lru_cache(maxsize=8)
def _one_statement(table: AnyTable, model: Model, dialect: Dialect) -> CompiledQuery:
    statement = _shown(table, model).where(table.id == bindparam("key", type_=Id()))
    return compile_query(statement, dialect)


def _shown(table: AnyTable, model: Model) -> Select[str, str]:
    key = cast(type_coerce(json_array(as_json(table.id)), JsonText()), Text)
    return select(object_of({n: as_json(getattr(table, n)) for n in model.model_fields}), key)


async def read_row(request: Request, table: AnyTable, model: Model, key: UUID) -> bytes:
    """The JSON of one row; NotFound without it."""
    database = database_of(request)
    statement = _one_statement(table, model, database.dialect)
    rows = await database.read(statement, {"key": key}, point_lookup=True)
    if not rows:
        raise NotFound(f"There is no {'webhook' if table is Webhook else 'delivery'} {key}.")
    return str(rows[0][0]).encode()


@lru_cache(maxsize=32)
def _page_statement(
    table: AnyTable,
    model: Model,
    names: Sequence[str],
    down: bool,
    seeks: bool,
    dialect: Dialect,
) -> CompiledQuery:
    statement = _shown(table, model)
    for name in names:
        column = getattr(table, name)
        statement = statement.where(column == bindparam(name, type_=column.type))
    if seeks:
        place = bindparam("seek", type_=Id())
        statement = statement.where(table.id < place if down else table.id > place)
    statement = statement.order_by(table.id.desc() if down else table.id.asc())
    return compile_query(statement.limit(bindparam("limit", type_=BigInteger)), dialect)


async def answer_rows(
    request: Request,
    at: PageRequest,
    table: AnyTable,
    model: Model,
    values: Values,
    newest_first: bool,
) -> Response:
    database = database_of(request)
    down, seeks = newest_first is not at.backward, at.place is not None
    names = tuple(sorted(values))
    statement = _page_statement(table, model, names, down, seeks, database.dialect)
    asked = {**values, "limit": at.limit + 1}
    if at.place is not None:
        asked["seek"] = UUID(at.place.key[0])
    return answer_page(at, list(await database.read(statement, asked)))
