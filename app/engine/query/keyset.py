"""Pages of a plain table: its rows as JSON in the order of one column, from a place in it on."""

from typing import Any

from sqlalchemy import BigInteger, Select, Text, bindparam, cast, select, type_coerce

from app.core.databases.types import JsonText
from app.core.loose_types import Value, Values
from app.engine.query.render import as_json, json_array, object_of


def select_page(shown: Values, column: Value, down: bool, seeks: bool) -> Select[Any, Value]:
    """Reads `(json, key)` of at most `limit` rows, by the unique column up or `down`; when it
    `seeks`, of those that lie beyond the value `seek`."""
    key = type_coerce(json_array(as_json(column)), JsonText())
    statement = select(object_of(shown), cast(key, Text))
    if seeks:
        place = bindparam("seek", type_=column.type)
        statement = statement.where(column < place if down else column > place)
    statement = statement.order_by(column.desc() if down else column.asc())
    return statement.limit(bindparam("limit", type_=BigInteger))
