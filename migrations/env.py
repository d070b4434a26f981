"""Runs migrations on the connection that the commands hand over, or on the settings' database.

A new revision is what the program's tables need beyond those that the migrations make: it is found
on an empty database of its own, whichever database the settings name.
"""

import asyncio
import re
import warnings
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from alembic import context
from alembic.operations import MigrationScript, Operations
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection

from app.commands.checks import arrange, install
from app.commands.migrate import changing_run
from app.commands.unmigrated import declared
from app.engine.shown_indexes import SUFFIX
from app.settings import settings

# What PostgreSQL and SQLite hold of a revision's name: VARCHAR(32), of which the day takes nine.
_LONGEST_SLUG = 23


def compared(item: Any, name: str | None, kind: str, reflected: bool, other: Any) -> bool:
    """Whether a table, a column or an index is compared: not what only one of the databases has.

    FTS5's table and those that it keeps behind it on SQLite, and on PostgreSQL the column of
    words with its index, are made by their migration alone; indexes of what is shown are made
    after all migrations.
    """
    if not reflected or name is None:
        return True
    if kind == "index" and name.endswith(SUFFIX):
        return False
    of_search = kind == "column" and item.table.name == "search_entry" and name == "words"
    return not (
        of_search or name.split("_")[:2] == ["search", "words"] or name == "search_entry_words"
    )


def named(migration: MigrationContext, revision: Any, scripts: list[MigrationScript]) -> None:
    """Call a new revision by its day and its subject, and make none that changes nothing."""
    (script,) = scripts
    options: Any = context.config.cmd_opts
    if getattr(options, "autogenerate", False):
        arrange(script)
        if script.upgrade_ops is not None and script.upgrade_ops.is_empty():
            scripts.clear()
            context.config.print_stdout("The migrations make all that the program declares.")
    if scripts and getattr(options, "rev_id", None) is None:
        script.rev_id = name_of(script.message or "changes")


def name_of(message: str) -> str:
    """The day and the subject; with a number where there is such a revision already."""
    slug = re.sub(r"[^a-z0-9]+", "_", message.lower())[:_LONGEST_SLUG].strip("_")
    name = f"{datetime.now(UTC):%Y%m%d}_{slug}"
    known = {script.revision for script in context.script.walk_revisions()}
    numbered = (f"{name[: 9 + _LONGEST_SLUG - 2]}_{number}" for number in range(2, 10))
    return next(free for free in (name, *numbered) if free not in known)


def migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=declared(),
        # One file for both databases: SQLite cannot alter a table, it is copied into a new one.
        render_as_batch=True,
        compare_type=True,
        include_object=compared,
        process_revision_directives=named,
        transaction_per_migration=True,
        user_module_prefix="types.",
        # CHECK constraints are compared by what they say, not only by their names. Comments are not:
        # they are made after the migrations, of the documentation's descriptions.
        autogenerate_plugins=[
            "alembic.autogenerate.*",
            install(),
            "~alembic.autogenerate.comments",
        ],
    )
    with context.begin_transaction(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Skipped unsupported reflection of expression")
        context.run_migrations()


def migrate_from_nothing(connection: Connection) -> None:
    """Bring an empty database to the newest revision first, within Alembic's own run."""

    def upgrade(revision: Any, migration: MigrationContext) -> Any:
        return context.script._upgrade_revs("head", revision)

    first = MigrationContext.configure(
        connection,
        opts={"fn": upgrade, "script": context.script, "target_metadata": declared()},
    )
    with Operations.context(first), first.begin_transaction():
        first.run_migrations()
    migrate(connection)


given: Any = context.config.attributes.get("connection")
command: Any = getattr(context.config.cmd_opts, "cmd", [None])[0]
if given is not None:
    migrate(given)
elif getattr(command, "__name__", "") == "revision":
    with TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'empty.db'}"
        asyncio.run(changing_run(url, migrate_from_nothing))
else:
    asyncio.run(changing_run(settings().database_url, migrate))
