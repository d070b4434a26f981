"""Tables and columns that are declared and that no migration has made."""

from importlib import import_module

from sqlalchemy import Connection, MetaData, inspect

from app.core.databases.interface import Base

#: What to do about a declaration without a migration.
REMEDY = "run alembic revision --autogenerate"


#: The modules that declare tables; `app.seeds` imports every kind of record.
_DECLARING = (
    "app.core.auth.api_keys",
    "app.core.instance_secret",
    "app.questions.tables",
    "app.receipts.tables",
    "app.rest.idempotency",
    "app.seeds",
    "app.webhooks.tables",
)


def declared() -> MetaData:
    """All tables of the program."""
    for name in _DECLARING:
        import_module(name)
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
                column_name = f"column {column.name} of table {table.name}"
                return f"{column_name} is declared but no migration makes it: {REMEDY}"
    return None
