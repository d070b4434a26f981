"""Brings a database's tables to the state that this version needs."""

import warnings
from collections.abc import Callable
from io import StringIO
from typing import Any, TypeVar

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, make_url

from app.core.database import is_sqlite
from app.core.places import migrations_folder
from app.crud.search.indexing import is_current

T = TypeVar("T")


async def engine_run(url: str, work: Callable[[Connection], T]) -> T:
    """Run the work in one transaction on a connection of its own to the database."""
    if is_sqlite(url):
        from app.core.sqlite import sqlite_engine

        path = make_url(url).database
        engine = sqlite_engine(path or "")
        with engine.begin() as connection:
            return work(connection)
    from app.core.postgresql import postgres_engine

    postgres = postgres_engine(url)
    try:
        async with postgres.begin() as connection:
            return await connection.run_sync(work)
    finally:
        await postgres.dispose()


def _config(connection: Connection | None = None) -> Config:
    # What Alembic says while it works is not for the terminal.
    config = Config(stdout=StringIO())
    config.set_main_option("script_location", str(migrations_folder()).replace("%", "%%"))
    if connection is not None:
        config.attributes["connection"] = connection
    return config


def newest() -> str:
    """The revision that this version of the program needs."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    assert head is not None
    return head


def revision_of(connection: Connection) -> str | None:
    """The revision that the database is at; None for an empty one."""
    return MigrationContext.configure(connection).get_current_revision()


async def migrate(url: str, to: str = "head") -> bool:
    """Upgrade the database to a revision; False when it is there already.

    At the newest one the search index is made anew too, when another analyser made it.
    """

    def work(connection: Connection) -> bool:
        is_there = to == "head" and revision_of(connection) == newest()
        if not is_there:
            _known(revision_of(connection))
            command.upgrade(_config(connection), to)
        if revision_of(connection) != newest():
            return True
        return _index(connection) or not is_there

    return await engine_run(url, work)


def _index(connection: Connection) -> bool:
    if is_current(connection):
        return False
    from app.commands.reindex import reindex

    reindex(connection)
    return True


async def downgrade(url: str, to: str = "base") -> None:
    """Take the database back to a revision; what newer tables held is lost."""
    await engine_run(url, lambda connection: command.downgrade(_config(connection), to))


async def compare(url: str) -> list[Any]:
    """What differs between the tables of the database and those of the program; empty when none."""

    def work(connection: Connection) -> list[Any]:
        from alembic.util import CommandError

        try:
            with warnings.catch_warnings():
                # SQLite cannot tell of indexes over expressions, so they are not compared there.
                warnings.filterwarnings("ignore", "autogenerate skipping", UserWarning)
                command.check(_config(connection))
        except CommandError as error:
            return [str(error)]
        return []

    return await engine_run(url, work)


def _known(revision: str | None) -> None:
    if revision is None:
        return
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if revision not in known:
        raise RuntimeError(
            f"The database is at revision {revision}, which this version does not know: it was"
            " made by a newer version. Nothing was changed."
        )
