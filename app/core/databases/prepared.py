"""Statements of writes: compiled once for each database, and given to its driver as they are.

Building, looking up and compiling a statement costs SQLAlchemy some ten times what the database
needs to run it. What every write does goes this way; what few do is better read as SQLAlchemy.
"""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Executable
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app.core.databases.interface import CompiledQuery, Rows, compile_query


class Prepared:
    """A statement with parameters, which are given by name in Python's types.

    `columns` are those that an INSERT without values names. Rows are as the driver gives them:
    text for an id on SQLite. Raises what SQLAlchemy raises for the driver's errors.
    """

    __slots__ = ("_compiled", "columns", "statement")

    def __init__(self, statement: Executable, columns: Sequence[str] | None = None) -> None:
        self.statement, self.columns = statement, columns
        self._compiled: dict[str, CompiledQuery] = {}

    def rows(self, session: Session | Connection, values: Mapping[str, Any]) -> Rows:
        """Run it, and return all rows."""
        connection = connection_of(session)
        compiled = self._on(connection)
        arguments = compiled.arguments(values)
        if connection.dialect.name == "sqlite":
            try:
                return _driver(connection).execute(compiled.sql, arguments).fetchall()
            except sqlite3.Error as error:
                raise _wrapped(connection, compiled.sql, error) from error
        result = connection.exec_driver_sql(compiled.sql, tuple(arguments))
        return list(result.fetchall()) if result.returns_rows else []

    def run(self, session: Session | Connection, values: Mapping[str, Any]) -> None:
        """Run a statement that returns no rows."""
        self.rows(session, values)

    def run_many(self, session: Session | Connection, several: Iterable[Mapping[str, Any]]) -> None:
        """Run it once for each of the values."""
        connection = connection_of(session)
        compiled = self._on(connection)
        arguments = [tuple(compiled.arguments(values)) for values in several]
        if not arguments:
            return
        if connection.dialect.name == "sqlite":
            try:
                _driver(connection).executemany(compiled.sql, arguments)
            except sqlite3.Error as error:
                raise _wrapped(connection, compiled.sql, error) from error
        else:
            connection.exec_driver_sql(compiled.sql, arguments)

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


def _driver(connection: Connection) -> sqlite3.Connection:
    driver: sqlite3.Connection = connection.connection.driver_connection  # type: ignore[assignment]
    return driver


def _wrapped(connection: Connection, sql: str, error: sqlite3.Error) -> Exception:
    return DBAPIError.instance(
        sql, None, error, sqlite3.Error, hide_parameters=True, dialect=connection.dialect
    )
