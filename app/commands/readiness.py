"""Whether a database is one that this version can serve from."""

import asyncio
import sqlite3
import time
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from app.commands.revision import is_known, newer, revision_of
from app.commands.snapshot import snapshot_run
from app.commands.unmigrated import unmigrated
from app.core.databases.addresses import is_sqlite, sqlite_path
from app.core.databases.db_errors import first_line
from app.core.databases.diagnosis import DatabaseUnusable, diagnosed
from app.core.databases.schema_revision import newest

#: How long a server that recovers is waited for: both may have started after a power cut.
RECOVERY_SECONDS = 60.0
_LOOK_SECONDS = 0.2
_EMPTY = "The database is empty. Run: trade-missions migrate && trade-missions seed"


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
    """The revision of a database, None for an empty one; DatabaseUnusable if it is out of reach.

    A server that is starting is waited for.
    """
    deadline = time.monotonic() + RECOVERY_SECONDS
    while True:
        try:
            return await _revision(url)
        except DatabaseUnusable as error:
            if time.monotonic() > deadline or not _is_starting(url, error):
                raise
        await asyncio.sleep(_LOOK_SECONDS)


async def _revision(url: str) -> str | None:
    with diagnosed(url):
        if is_sqlite(url) and _absent(Path(sqlite_path(url))):
            return None
    try:
        return await snapshot_run(url, revision_of)
    except _failures(url) as error:
        reason = f"The database cannot be reached: {first_line(error)}."
        raise DatabaseUnusable(reason) from error


def _is_starting(url: str, error: DatabaseUnusable) -> bool:
    if is_sqlite(url) or error.__cause__ is None:
        return False
    from app.core.databases.postgresql_errors import is_starting

    return is_starting(error.__cause__)


def _failures(url: str) -> tuple[type[BaseException], ...]:
    """What is raised where a database is out of reach."""
    if is_sqlite(url):
        return DBAPIError, sqlite3.Error
    # Its driver is not loaded where nothing needs it.
    from app.core.databases.postgresql import GONE

    return *GONE, DBAPIError


def _absent(file: Path) -> bool:
    """Whether the file is not there but could be made; looking into it would make it."""
    return file.parent.is_dir() and not file.exists()
