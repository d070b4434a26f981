"""Brings a database's tables to the state that this version needs."""

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, IntegrityError

from app.commands.connection import T, engine_run
from app.commands.dictionary import describe, forget, is_described
from app.commands.revision import is_known, newer, revision_of
from app.commands.snapshot import snapshot_run
from app.commands.unmigrated import declared, unmigrated
from app.core.databases.addresses import is_sqlite, sqlite_path
from app.core.databases.diagnosis import diagnosed
from app.core.databases.schema_revision import alembic_config, newest
from app.datasets.views import Dropped, drop_views, make_views, outdated_views
from app.engine.search.index import is_current
from app.engine.shown_indexes import drop_shown_indexes, make_shown_indexes, missing_indexes

if TYPE_CHECKING:
    from alembic.config import Config


def _config(connection: Connection) -> "Config":
    config = alembic_config()
    config.attributes["connection"] = connection
    return config


async def migrate(url: str, to: str = "head") -> bool:
    """Upgrade the database to a revision; False when it is there already.

    At the newest one the search index is made anew too, when another analyser made it. All is one
    transaction: a migration that is killed leaves the database as it was. Of several processes
    that migrate at once one does it, and the others wait for it.
    """
    return await changing_run(url, lambda connection: upgrade(connection, to))


async def changing_run(url: str, work: Callable[[Connection], T]) -> T:
    """Run work that changes tables, in one transaction on a connection of its own."""
    if not is_sqlite(url):
        return await engine_run(url, work)
    from app.core.databases.sqlite import sqlite_engine

    engine = sqlite_engine(sqlite_path(url))
    _without_foreign_keys(engine)
    with diagnosed(url), engine.begin() as connection:
        done = work(connection)
        _refuse_broken_references(connection)
        return done


def _is_done(connection: Connection) -> bool:
    is_newest = revision_of(connection) == newest() and is_current(connection)
    return is_newest and is_described(connection) and not _missing(connection)


def _missing(connection: Connection) -> list[str]:
    if unmigrated(connection):
        return []
    return [*missing_indexes(connection, declared()), *outdated_views(connection)]


def upgrade(connection: Connection, to: str = "head") -> bool:
    """As `migrate`, in the connection's transaction."""
    if to == "head" and _is_done(connection):
        _refuse_unmigrated(connection)
        return False
    _wait_for_others(connection)
    before = revision_of(connection)
    _refuse_unknown(before)
    lacked = before == newest() and bool(_missing(connection))
    views = drop_views(connection)
    if to != "head" or before != newest():
        from alembic import command

        drop_shown_indexes(connection, declared())
        try:
            command.upgrade(_config(connection), to)
        except IntegrityError as error:
            reason = str(error.orig).splitlines()[0].rpartition(">: ")[2]
            raise RuntimeError(
                f"The records do not allow the migration: {reason}. It was taken back: mend them"
                " first, or let the migration do it."
            ) from error
    after = revision_of(connection)
    if after == newest():
        _refuse_unmigrated(connection)
        make_shown_indexes(connection, declared())
        _make_views(connection, views)
        describe(connection)
    return (after == newest() and _index(connection)) or after != before or lacked


def _make_views(connection: Connection, before: Dropped) -> None:
    # Which collections lie under a record is known when all kinds are listed.
    import_module("app.api")
    make_views(connection, before)


def _wait_for_others(connection: Connection) -> None:
    """Hold the table of the revision until the end: who else migrates goes on after that.

    On SQLite the transaction itself keeps others out.
    """
    if connection.dialect.name != "postgresql":
        return
    from alembic import command

    try:
        with connection.begin_nested():
            command.ensure_version(_config(connection))
    except DBAPIError as error:
        # Another process was making the table, and has made it by now.
        if getattr(error.orig, "sqlstate", None) not in {"23505", "42P07"}:
            raise
    # Excludes itself and who writes to the table, not who reads the revision.
    connection.execute(text("LOCK TABLE alembic_version IN SHARE ROW EXCLUSIVE MODE"))


def _without_foreign_keys(engine: Engine) -> None:
    """SQLite changes a table by copying it: dropping the old one must not touch what refers to it.

    This cannot be said within a transaction; the references are checked at its end instead.
    """

    @event.listens_for(engine, "connect")
    def connected(connection: DBAPIConnection, record: object) -> None:
        connection.execute("PRAGMA foreign_keys=OFF")


def _refuse_broken_references(connection: Connection) -> None:
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
    if broken:
        table, row, target, _ = broken[0]
        raise RuntimeError(
            f"{len(broken)} rows refer to what is gone, the first being row {row} of {table}, which"
            f" refers to {target}. The migration was taken back: mend them first."
        )


def _refuse_unmigrated(connection: Connection) -> None:
    """What is declared and in no migration would fail wherever it is used: first in the index."""
    if reason := unmigrated(connection):
        raise RuntimeError(reason)


def _index(connection: Connection) -> bool:
    if is_current(connection):
        return False
    from app.commands.reindex import reindex

    reindex(connection)
    return True


async def downgrade(url: str, to: str = "base") -> None:
    """Take the database back to a revision; what newer tables held is lost."""
    await changing_run(url, lambda connection: _downgrade(connection, to))


def _downgrade(connection: Connection, to: str) -> None:
    from alembic import command

    forget(connection)
    drop_views(connection)
    drop_shown_indexes(connection, declared())
    command.downgrade(_config(connection), to)


async def compare(url: str) -> list[str]:
    """What differs between the tables of the database and those of the program; empty when none."""
    from app.commands.differences import differences

    return await snapshot_run(url, differences)


def _refuse_unknown(revision: str | None) -> None:
    if revision is not None and not is_known(revision):
        raise RuntimeError(f"{newer(revision)} Nothing was changed.")
