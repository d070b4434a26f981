"""The temporary tables that hold rows as they were: what is stored in them, and how."""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from uuid import UUID

from sqlalchemy import (
    Column,
    Date,
    Dialect,
    Enum,
    MetaData,
    String,
    Table,
    bindparam,
    delete,
    insert,
    update,
)

from app.core.databases.expressions import SqlType
from app.core.databases.interface import CompiledQuery, compile_query
from app.core.databases.types import Exact, Id, Instant, ListedName
from app.core.loose_types import JsonValue, Value


def stored_value(kind: SqlType, value: JsonValue) -> Value:
    """The value of a column of this type, of what JSON has of it."""
    if value is None:
        return None
    return next((read(value) for known, read in _READERS if isinstance(kind, known)), value)


_READERS: tuple[tuple[type, Callable[[Value], Value]], ...] = (
    (Id, UUID),
    (Exact, Decimal),
    (Instant, datetime.fromisoformat),
    (Date, date.fromisoformat),
)


@lru_cache(maxsize=64)
def _past_table(table: Table) -> Table:
    """The temporary table. A value that an enumeration has lost since is stored all the same."""
    columns = (
        Column(
            column.name,
            String() if isinstance(column.type, Enum | ListedName) else column.type,
        )
        for column in table.columns
    )
    return Table(f"past_{table.name}", MetaData(), *columns)


@lru_cache(maxsize=1024)
def updating(table: Table, names: tuple[str, ...], dialect: Dialect) -> CompiledQuery:
    """Sets these columns of the row with the id `:key`."""
    past = _past_table(table)
    values = {name: bindparam(f"new_{name}", type_=past.c[name].type) for name in names}
    found = past.c.id == bindparam("key", type_=Id())
    return _renamed(compile_query(update(past).where(found).values(values), dialect))


def _renamed(query: CompiledQuery) -> CompiledQuery:
    """The query with its values by the names of columns, which SQLAlchemy keeps for itself."""
    names = tuple(name.removeprefix("new_") for name in query.names)
    return CompiledQuery(query.sql, names, query.converters, query.constants)


@lru_cache(maxsize=64)
def deleting(table: Table, owner: str, dialect: Dialect) -> CompiledQuery:
    """Deletes the rows whose owner is `:key`."""
    past = _past_table(table)
    return compile_query(delete(past).where(past.c[owner] == bindparam("key", type_=Id())), dialect)


@lru_cache(maxsize=64)
def inserting(table: Table, names: tuple[str, ...], dialect: Dialect) -> CompiledQuery:
    """Inserts a row of these columns."""
    return compile_query(insert(_past_table(table)), dialect, list(names))
