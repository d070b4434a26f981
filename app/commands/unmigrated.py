"""Tables and columns that are declared and that no migration has made."""

from sqlalchemy import Connection, MetaData, inspect

#: What to do about a declaration without a migration.
REMEDY = "run alembic revision --autogenerate"


def declared() -> MetaData:
    """All tables of the program."""
    from app.core.databases.interface import Base

    return Base.metadata


def unmigrated(connection: Connection) -> str | None:
    """The first table or column that is declared and not there, in a sentence; None without any."""
    inspector = inspect(connection)
    columns = {name: found for (_, name), found in inspector.get_multi_columns().items()}
    for table in declared().sorted_tables:
        if table.name not in columns:
            return f"table {table.name} is declared but no migration makes it: {REMEDY}"
        there = {column["name"] for column in columns[table.name]}
        for column in table.columns:
            if column.name not in there:
                told = f"column {column.name} of table {table.name}"
                return f"{told} is declared but no migration makes it: {REMEDY}"
    return None
