"""Statements of writes: compiled once for each database, and given to its driver as they are.

Building, looking up and compiling a statement costs SQLAlchemy some ten times what the database
needs to run it. What every write does goes this way; what few do is better read as SQLAlchemy.
"""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from itertools import zip_longest

from sqlalchemy import Connection, Dialect, Executable, Select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app.core.databases.interface import CompiledQuery, Rows, compile_query
from app.core.loose_types import Fields, Value, Values

#: The names of what a statement reads, each with what makes Python's value of the driver's.
Columns = tuple[tuple[str, Callable[[Value], Value] | None], ...]


class Prepared:
    """A statement with parameters, which are given by name in Python's types.

    `columns` are those that an INSERT without values names. Rows are as the driver gives them:
    text for an id on SQLite. Raises what SQLAlchemy raises for the driver's errors.
    """

    __slots__ = ("_compiled", "_read", "columns", "statement")

    def __init__(self, statement: Executable, columns: Sequence[str] | None = None) -> None:
        self.statement, self.columns = statement, columns
        self._compiled: dict[str, CompiledQuery] = {}
        self._read: dict[str, Columns] = {}

    def rows(self, session: Session | Connection, values: Values) -> Rows:
        """Run it, and return all rows."""
        rows, _ = self._run(connection_of(session), values)
        return rows

    def mappings(self, session: Session | Connection, values: Values) -> list[Fields]:
        """The rows of a SELECT as mappings, by the names of its columns, in Python's types."""
        connection = connection_of(session)
        rows, types = self._run(connection, values)
        columns = self._columns(connection.dialect, types) if rows else ()
        return [
            {
                name: value if read is None else read(value)
                for (name, read), value in zip(columns, row, strict=True)
            }
            for row in rows
        ]

    def _run(self, connection: Connection, values: Values) -> tuple[Rows, list[object]]:
        """The rows, and the types of their columns as the driver calls them."""
        compiled = self._on(connection)
        arguments = compiled.arguments(values)
        if connection.dialect.name == "sqlite":
            try:
                return sqlite_driver(connection).execute(compiled.sql, arguments).fetchall(), []
            except sqlite3.Error as error:
                raise _wrapped(connection, compiled.sql, error) from error
        result = connection.exec_driver_sql(compiled.sql, tuple(arguments))
        if not result.returns_rows:
            return [], []
        types = [kind for _, kind, *_ in result.cursor.description] if result.cursor else []
        return list(result.fetchall()), types

    def _columns(self, dialect: Dialect, types: Sequence[object]) -> Columns:
        found = self._read.get(dialect.name)
        if found is None:
            assert isinstance(self.statement, Select)
            found = self._read[dialect.name] = tuple(
                (str(column.key), column.type.dialect_impl(dialect).result_processor(dialect, kind))
                for column, kind in zip_longest(self.statement.selected_columns, types)
            )
        return found

    def run(self, session: Session | Connection, values: Values) -> None:
        """Run a statement that returns no rows."""
        self.rows(session, values)

    def run_many(self, session: Session | Connection, several: Iterable[Values]) -> None:
        """Run it once for each of the values."""
        connection = connection_of(session)
        compiled = self._on(connection)
        arguments = [compiled.arguments(values) for values in several]
        if not arguments:
            return
        if connection.dialect.name == "sqlite":
            try:
                sqlite_driver(connection).executemany(compiled.sql, arguments)
            except sqlite3.Error as error:
                raise _wrapped(connection, compiled.sql, error) from error
        else:
            connection.exec_driver_sql(compiled.sql, [tuple(each) for each in arguments])

    def _on(self, connection: Connection) -> CompiledQuery:
        name = connection.dialect.name
        found = self._compiled.get(name)
        if found is None:
            found = compile_query(self.statement, connection.dialect, self.columns)
            self._compiled[name] = found
        return found


def connection_of(session: Session | Connection) -> Connection:
    """What a session works on; one that was made for a connection need not begin for it."""
    if isinstance(session, Connection):
        return session
    bind = session.bind
    # Its savepoint is made when it is first asked for its connection.
    if isinstance(bind, Connection) and not session.in_nested_transaction():
        return bind
    return session.connection()


def sqlite_driver(connection: Connection) -> sqlite3.Connection:
    """SQLite's own connection behind one of SQLAlchemy's."""
    driver: sqlite3.Connection = connection.connection.driver_connection  # type: ignore[assignment]
    return driver


def _wrapped(connection: Connection, sql: str, error: sqlite3.Error) -> Exception:
    return DBAPIError.instance(
        sql, None, error, sqlite3.Error, hide_parameters=True, dialect=connection.dialect
    )
