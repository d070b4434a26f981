"""Checks a database: reachable, migrated, and its records consistent with their rules."""

import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, select, text
from sqlalchemy.exc import DBAPIError

from app.commands.migrate import is_known, newer, revision_of
from app.commands.reindex import count, kinds
from app.commands.snapshot import snapshot_run
from app.commands.unmigrated import unmigrated
from app.core.databases.addresses import sqlite_path
from app.core.databases.diagnosis import DatabaseUnusable, diagnosed, first_line
from app.core.databases.interface import is_sqlite
from app.core.databases.postgresql import GONE
from app.core.databases.schema_revision import newest
from app.engine.history.change_log import Change, ChangeCounter
from app.engine.search.index import SearchEntry, is_current
from app.resources.citation import Citation

_EMPTY = "The database is empty. Run: trade-missions migrate && trade-missions seed"
_FAILED = (*GONE, DBAPIError, sqlite3.Error)


async def unready(url: str) -> str | None:
    """Why the database cannot be served from, and what to do; None when it can."""
    try:
        return outdated(await find_revision(url))
    except DatabaseUnusable as error:
        return str(error)


async def refuse_unready(url: str) -> None:
    """DatabaseUnusable, with what to do, where the database is not one of this version's."""
    if reason := await unready(url):
        raise DatabaseUnusable(reason)


def outdated(revision: str | None) -> str | None:
    """Why a database at this revision cannot be served from, and what to do; None when it can."""
    if revision is None:
        return _EMPTY
    if not is_known(revision):
        return f"{newer(revision)} Run that version, or restore a backup that this one made."
    if revision != newest():
        return (
            f"The database is at revision {revision}, not {newest()}. Run: trade-missions migrate"
        )
    return None


async def lacking(url: str) -> str | None:
    """A table or column of the program that a migrated database lacks, told as `unready` does."""
    return await snapshot_run(url, unmigrated)


async def find_revision(url: str) -> str | None:
    """The revision of a database, None for an empty one; DatabaseUnusable if it is out of reach."""
    with diagnosed(url):
        if is_sqlite(url) and _absent(Path(sqlite_path(url))):
            return None
    try:
        return await snapshot_run(url, revision_of)
    except _FAILED as error:
        reason = f"The database cannot be reached: {first_line(error)}."
        raise DatabaseUnusable(reason) from error


def _absent(file: Path) -> bool:
    """Whether the file is not there but could be made; looking into it would make it."""
    return file.parent.is_dir() and not file.exists()


async def run(url: str) -> list[str]:
    """Everything that is wrong, a line each; empty when all is well.

    DatabaseUnusable where there is nothing to check: out of reach, empty, or of another version.
    """
    await refuse_unready(url)
    return await snapshot_run(url, faults)


def faults(connection: Connection) -> list[str]:
    """What is wrong with a database that is migrated, a line each; empty when all is well."""
    # With Alembic, which a server that only asks whether it may start does not load.
    from app.commands.differences import differences

    if unmigrated(connection):
        # What follows reads the tables as they are declared.
        return differences(connection)
    return [
        *differences(connection),
        *_foreign_keys(connection),
        *_gaps(connection),
        *_versions(connection),
        *_loose_citations(connection),
        *_index(connection),
    ]


def _foreign_keys(connection: Connection) -> list[str]:
    # PostgreSQL cannot hold a row that breaks one; SQLite can, when it was written by another tool.
    if connection.dialect.name != "sqlite":
        return []
    damaged = [row[0] for row in connection.execute(text("PRAGMA quick_check")) if row[0] != "ok"]
    broken = connection.execute(text("PRAGMA foreign_key_check")).all()
    return damaged + [
        f"{row[0]}, row {row[1]}: what it refers to in {row[2]} is gone" for row in broken
    ]


def _gaps(connection: Connection) -> list[str]:
    counted, last = connection.execute(select(func.count(), func.max(Change.seq))).one()
    counter = connection.scalar(select(ChangeCounter.seq))
    if counted == (last or 0) == counter:
        return []
    return [
        f"The change log has {counted} changes, the last is {last}, the counter says {counter}."
    ]


def _versions(connection: Connection) -> list[str]:
    """A record is at the version that its last change says."""
    faults = []
    for resource in kinds():
        table: Any = resource.table
        newest_change = (
            select(func.max(Change.version))
            .where(Change.kind == resource.record_type, Change.record_id == table.id)
            .scalar_subquery()
        )
        differing = select(func.count()).select_from(table).where(table.version != newest_change)
        count = connection.scalar(differing)
        if count:
            faults.append(f"{count} of {resource.plural} differ from their last change.")
    return faults


def _loose_citations(connection: Connection) -> list[str]:
    faults = []
    for resource in kinds():
        table: Any = resource.table
        loose = (
            select(func.count())
            .select_from(Citation)
            .where(
                Citation.record_kind == resource.record_type,
                Citation.record_id.not_in(select(table.id)),
            )
        )
        count = connection.scalar(loose)
        if count:
            faults.append(f"{count} citations back a {resource.singular} that does not exist.")
    names = [resource.record_type for resource in kinds()]
    unknown = select(Citation.record_kind).where(Citation.record_kind.not_in(names)).distinct()
    return faults + [
        f"Citations back a {kind}, which is no kind." for kind in connection.scalars(unknown)
    ]


def _index(connection: Connection) -> list[str]:
    """Each record is in the search index, which the present analyser made."""
    mend = "Run: trade-missions reindex"
    if not is_current(connection):
        return [f"The search index was made by another version. {mend}"]
    total = count(connection)
    indexed = connection.scalar(select(func.count()).select_from(SearchEntry))
    if total == indexed:
        return []
    return [f"The search index has {indexed} of {total} records. {mend}"]
