"""Indexes of what the public is shown of columns that can be withheld.

Each index that gives lists their order has one beside it, over what the public sees of its columns:
that of the columns themselves is of no use to public reads. Another is of the records of which
something is withheld, to count them. They follow from the tables and are no part of the migrations:
SQLite loses indexes over expressions when a migration copies a table.
"""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Dialect, Index, MetaData, Table, inspect, literal_column, text

from app.core.databases.expressions import Expression
from app.core.databases.public_reads import HIDDEN, is_withholdable, shown
from app.core.loose_types import Value
from app.engine.record import Ordered

#: What ends their names.
SUFFIX = "_shown"


def make_shown_indexes(connection: Connection, tables: MetaData) -> None:
    """Create those that are not there."""
    there = missing_indexes(connection, tables)
    for index, sql in _statements(connection.dialect, tables):
        if index in there:
            connection.execute(text(sql))


def drop_shown_indexes(connection: Connection, tables: MetaData) -> None:
    """Drop those that are there, before a migration: Alembic cannot copy them."""
    for name, _ in _statements(connection.dialect, tables):
        connection.execute(text(f"DROP INDEX IF EXISTS {name}"))


def missing_indexes(connection: Connection, tables: MetaData) -> list[str]:
    """The names of those that the database has not."""
    wanted = [name for name, _ in _statements(connection.dialect, tables)]
    if connection.dialect.name == "sqlite":
        found = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'index'"))
    else:
        schema = inspect(connection).default_schema_name
        found = connection.execute(
            text("SELECT indexname FROM pg_indexes WHERE schemaname = :schema"), {"schema": schema}
        )
    known = set(found.scalars())
    return [name for name in wanted if name not in known]


def _statements(dialect: Dialect, tables: MetaData) -> Iterator[tuple[str, str]]:
    for table in tables.sorted_tables:
        if HIDDEN in table.c and table.c[HIDDEN].info["shown"] is None:
            if "deleted_at" in table.c:
                yield f"ix_{table.name}_{HIDDEN}{SUFFIX}", _of_the_few(table)
            for index in sorted(table.indexes, key=lambda each: str(each.name)):
                if any(map(_can_hide, _columns(table, index))):
                    yield f"{index.name}{SUFFIX}", _written(dialect, table, index)


def _of_the_few(table: Table) -> str:
    """Of the records of which something is withheld, so that they can be counted."""
    on = f"ON {table.name} ({HIDDEN}, deleted_at)"
    return f"CREATE INDEX ix_{table.name}_{HIDDEN}{SUFFIX} {on} WHERE {HIDDEN} IS NOT NULL"


def _columns(table: Table, index: Index) -> Iterator[Value]:
    for of in index.expressions:
        yield table.c[of.name_of_column] if isinstance(of, Ordered) else of


def _can_hide(column: Value) -> bool:
    return is_withholdable(column) and not column.foreign_keys


def _written(dialect: Dialect, table: Table, index: Index) -> str:
    parts = []
    for of, column in zip(index.expressions, _columns(table, index), strict=True):
        part: Any = literal_column(column.name)
        if _can_hide(column):
            part = shown(part)
        part = type(of)(part) if isinstance(of, Ordered) else part
        parts.append(_sql(part, dialect))
    return f"CREATE INDEX {index.name}{SUFFIX} ON {table.name} ({', '.join(parts)})"


def _sql(part: Expression, dialect: Dialect) -> str:
    return str(part.compile(dialect=dialect))
