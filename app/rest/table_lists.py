"""Lists of plain tables, which hold what is not a kind of record: keys, codes, webhooks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from sqlalchemy import Dialect, bindparam

from app.core import json_codec
from app.core.databases.expressions import AnyTable
from app.core.databases.interface import CompiledQuery, Database, compile_query
from app.core.databases.types import Id
from app.core.loose_types import Json, Value, Values
from app.core.public_path import public_root, public_url
from app.engine.query.cursor import CursorPosition
from app.engine.query.keyset import select_page
from app.rest.handlers import database_of
from app.rest.pages import PageRequest


@dataclass(frozen=True, slots=True)
class TableList:
    """A table whose rows are listed as `fields` shows them, in the order of a unique column."""

    table: AnyTable
    fields: Callable[[Value], Values]
    key: str = "id"
    newest_first: bool = False


@lru_cache(maxsize=64)
def _statement(
    rows: TableList, conditions: Sequence[str], down: bool, seeks: bool, dialect: Dialect
) -> CompiledQuery:
    table = rows.table
    statement = select_page(rows.fields(table), getattr(table, rows.key), down, seeks)
    for name in conditions:
        column = getattr(table, name)
        statement = statement.where(column == bindparam(name, type_=column.type))
    return compile_query(statement, dialect)


async def find_rows(
    database: Database,
    rows: TableList,
    values: Values,
    limit: int,
    place: CursorPosition | None = None,
) -> list[Value]:
    """`(JSON, key)` of the first rows, or those beyond the place, whose columns have the values."""
    down = rows.newest_first is not (place is not None and place.backward)
    conditions = tuple(sorted(values))
    statement = _statement(rows, conditions, down, place is not None, database.dialect)
    asked = {**values, "limit": limit}
    if place is not None:
        is_id = isinstance(getattr(rows.table, rows.key).type, Id)
        asked["seek"] = UUID(place.key[0]) if is_id else place.key[0]
    return list(await database.read(statement, asked))


def with_public_urls(rows: Sequence[Value]) -> list[Value]:
    """The rows of `(JSON, key)` whose `url` is that of a read of this service, as it is from
    outside."""
    if not public_root():
        return list(rows)
    return [
        (json_codec.dumps(with_public_url(json_codec.loads(row[0]))).decode(), row[1])
        for row in rows
    ]


def with_public_url(entry: Json) -> Json:
    """One of them, read."""
    return entry | {"url": public_url(entry["url"])}


async def read_page(at: PageRequest, rows: TableList, values: Values) -> list[Value]:
    """The rows of a page and one more, for `answer_page`."""
    return await find_rows(database_of(at.request), rows, values, at.limit + 1, at.place)
