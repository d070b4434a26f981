"""Moves all that a database holds into another one, of the same engine or of the other."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import (
    Connection,
    Enum,
    String,
    Table,
    column,
    delete,
    insert,
    inspect,
    select,
    text,
)
from sqlalchemy import table as named_table
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.expression import TableClause

from app.commands.backups.contents import Checksums, checksums, table_names
from app.commands.reindex import reindex
from app.commands.unmigrated import declared, unmigrated
from app.core.databases.db_errors import first_line
from app.core.databases.expressions import SqlType, TableColumn

#: How many rows are in memory at a time; each of them can hold the text of an article.
BATCH_ROWS = 500
#: Each engine keeps the index of search its way, and revisions are made by migrating.
MADE_ANEW = {
    "alembic_version",
    "search_entry",
    "search_version",
    "search_words",
    "search_words_known",
}

OnProgress = Callable[[int], None]


def moved_tables() -> list[Table]:
    """All tables whose rows are moved."""
    return [table for table in declared().sorted_tables if table.name not in MADE_ANEW]


def left_behind(source: Connection) -> list[str]:
    """Tables and columns of the database that are not this program's, and so are not moved."""
    tables = declared().tables
    found = {name: columns for (_, name), columns in inspect(source).get_multi_columns().items()}
    others = [f"table {name}" for name in table_names(source) if name not in {*tables, *MADE_ANEW}]
    for name in sorted(found.keys() & tables.keys() - MADE_ANEW):
        names = {column["name"] for column in found[name]} - {*tables[name].columns.keys()}
        others += [f"column {column} of table {name}" for column in sorted(names)]
    return others


def move(source: Connection, target: Connection, on_progress: OnProgress) -> int:
    """Put all rows of `source` into `target`, which has tables of the same revision; how many.

    What the migrations have put there is replaced. `on_progress` is told the rows of each batch.
    RuntimeError when a value cannot be stored, or when a table is not what it was in the source:
    then the caller's transaction is to be rolled back.
    """
    if reason := unmigrated(source):
        raise RuntimeError(f"What is to be moved lacks something: {reason}.")
    tables = moved_tables()
    with _without_foreign_keys(target):
        for table in tables:
            target.execute(delete(table))
        rows = sum(_copy(source, target, table, on_progress) for table in tables)
    reindex(target)
    _refuse_differences(sums_of_moved(source), sums_of_moved(target))
    return rows


def sums_of_moved(connection: Connection) -> Checksums:
    """The checksum of each table that is moved, with the columns that the program declares."""
    return checksums(connection, {table.name: table.columns.keys() for table in moved_tables()})


def _copy(source: Connection, target: Connection, table: Table, on_progress: OnProgress) -> int:
    plain, count = _plain(table), 0
    statement = select(plain)
    if source.dialect.name != "sqlite":
        # SQLite reads rows in the order in which they came, which is quicker than by their keys.
        statement = statement.order_by(*(plain.c[column.name] for column in table.primary_key))
    try:
        rows = source.execute(statement, execution_options={"yield_per": BATCH_ROWS})
        for batch in rows.mappings().partitions():
            target.execute(insert(plain), [dict(row) for row in batch])
            count += len(batch)
            on_progress(len(batch))
    except (DBAPIError, ValueError, ArithmeticError) as error:
        raise RuntimeError(f"table {table.name}: {first_line(error)}") from error
    return count


def _plain(table: Table) -> TableClause:
    """The table without what the program adds, as defaults: values stay as they are."""
    return named_table(table.name, *(column(c.name, _plain_type(c)) for c in table.columns))


def _plain_type(of: TableColumn) -> SqlType:
    # The CHECK of the table knows the values; Python's enumeration would be a second opinion.
    return String() if isinstance(of.type, Enum) else of.type


@contextmanager
def _without_foreign_keys(connection: Connection) -> Iterator[None]:
    """Within, PostgreSQL takes rows in any order, as those that refer to rows of their own table;
    at the end it looks at all of them.

    SQLite's connection for changes of tables has no foreign keys, and looks at its end.
    """
    if connection.dialect.name == "sqlite":
        yield
        return
    found = connection.execute(
        text(
            "SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid)"
            " FROM pg_constraint WHERE contype = 'f'"
            " AND connamespace = to_regnamespace(quote_ident(current_schema()))"
        )
    ).all()
    for table, name, _ in found:
        connection.exec_driver_sql(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    yield
    for table, name, rule in found:
        connection.exec_driver_sql(f"ALTER TABLE {table} ADD CONSTRAINT {name} {rule}")


def _refuse_differences(expected: Checksums, found: Checksums) -> None:
    """RuntimeError where a table is another one than it was."""
    names = [name for name in expected if found[name] != expected[name]]
    if names:
        raise RuntimeError(f"{', '.join(names)} would not be what it was")
