"""Webhooks and deliveries as they are read: JSON that the database has written."""

from functools import lru_cache
from uuid import UUID

from sqlalchemy import Dialect, bindparam, select
from starlette.requests import Request

from app.core.databases.expressions import AnyTable
from app.core.databases.interface import CompiledQuery, compile_query
from app.core.databases.types import Id
from app.core.errors import NotFound
from app.core.loose_types import Values
from app.engine.query.render import as_json, object_of
from app.rest.handlers import database_of
from app.rest.table_lists import TableList
from app.webhooks.schemas import Webhook as WebhookShown
from app.webhooks.schemas import WebhookDelivery
from app.webhooks.tables import Delivery, Webhook


def _fields(table: AnyTable) -> Values:
    model = WebhookShown if table is Webhook else WebhookDelivery
    return {name: as_json(getattr(table, name)) for name in model.model_fields}


#: The lists of webhooks, oldest first, and of deliveries.
WEBHOOKS = TableList(Webhook, _fields)
DELIVERIES = TableList(Delivery, _fields, newest_first=True)


@lru_cache(maxsize=8)
def _one_statement(table: AnyTable, dialect: Dialect) -> CompiledQuery:
    statement = select(object_of(_fields(table))).where(table.id == bindparam("key", type_=Id()))
    return compile_query(statement, dialect)


async def read_row(request: Request, table: AnyTable, key: UUID) -> bytes:
    """The JSON of one webhook or delivery; NotFound without it."""
    database = database_of(request)
    rows = await database.read(
        _one_statement(table, database.dialect), {"key": key}, point_lookup=True
    )
    if not rows:
        raise NotFound(f"There is no {'webhook' if table is Webhook else 'delivery'} {key}.")
    return str(rows[0][0]).encode()
