"""Runs migrations on the connection that the commands hand over, or on the settings' database."""

import asyncio
from typing import Any

from alembic import context
from sqlalchemy import Connection

import app.core.access.keys
import app.core.installation
import app.crud.feed.webhook
import app.seeds  # noqa: F401 (both import tables)
from app.commands.migrate import engine_run
from app.core.database import Base
from app.settings import settings


def compared(item: Any, name: str | None, kind: str, reflected: bool, other: Any) -> bool:
    """Whether a table, a column or an index is compared: not what only one of the databases has.

    FTS5's table and those that it keeps behind it on SQLite, and on PostgreSQL the column of
    words with its index, are made by their migration alone.
    """
    if not reflected or name is None:
        return True
    of_search = kind == "column" and item.table.name == "search_entry" and name == "words"
    return not (
        of_search or name.split("_")[:2] == ["search", "words"] or name == "search_entry_words"
    )


def migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        # SQLite cannot alter a table: it is copied into a new one.
        render_as_batch=connection.dialect.name == "sqlite",
        compare_type=True,
        include_object=compared,
        transaction_per_migration=True,
        user_module_prefix="types.",
        # CHECK constraints are compared too, by their names.
        # Comments are not: they are made after the migrations, of the documentation's descriptions.
        autogenerate_plugins=[
            "alembic.autogenerate.*",
            "alembic.ext.checkconstraint_byname",
            "~alembic.autogenerate.comments",
        ],
    )
    with context.begin_transaction():
        context.run_migrations()


given: Any = context.config.attributes.get("connection")
if given is not None:
    migrate(given)
else:
    asyncio.run(engine_run(settings().database_url, migrate))
