"""Puts a backup into the database: all of it or nothing."""

import asyncio
import sqlite3
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Connection

from app.commands.backups import files, manifest, postgresql, sqlite, transfer
from app.commands.backups.contents import Summary, summary
from app.commands.backups.dump import read_dump
from app.commands.check import faults
from app.commands.encrypt import unreadable
from app.commands.migrate import migrate
from app.commands.readiness import find_revision
from app.commands.revision import is_known, newer, revision_of
from app.commands.snapshot import file_run, snapshot_run
from app.core.databases.addresses import is_sqlite, sqlite_path
from app.core.databases.diagnosis import DatabaseUnusable, file_obstacle
from app.core.databases.schema_revision import newest

_HELD = (
    "The database holds something already. Restore into an empty one, or replace all that it"
    " holds with --force. Nothing was changed."
)


def run(url: str, file: Path, *, force: bool) -> str:
    """Restore the backup into the database and tell what it holds now.

    RuntimeError, and nothing changed, when the file or the database is not fit for it.
    """
    return asyncio.run(restore(url, file, force=force))


async def restore(url: str, file: Path, *, force: bool = False) -> str:
    """As `run`, within an event loop."""
    is_dump = files.magic_of(file) == files.POSTGRESQL
    if is_dump and is_sqlite(url):
        raise RuntimeError(
            f"{file} is a dump of PostgreSQL, and the database is of SQLite. Where the dump comes"
            " from, make a backup with --portable: it can be restored here. Nothing was changed."
        )
    files.refuse_altered(file)
    if is_sqlite(url):
        notes = await _sqlite(Path(sqlite_path(url)), file, force=force)
    elif is_dump:
        notes = await _postgresql(url, file, force=force)
    else:
        notes = await _moved(url, file, force=force)
    found, wrong, locked = await snapshot_run(url, _result)
    done = (
        f"Restored {file}: {found.records:,} records, change log to {found.position:,}, revision"
        f" {found.revision}."
    )
    return "\n".join(
        [done, *notes, *locked, *(f"In the backup already: {fault}" for fault in wrong)]
    )


def _result(connection: Connection) -> tuple[Summary, list[str], list[str]]:
    return summary(connection), faults(connection), unreadable(connection)


async def _sqlite(target: Path, file: Path, *, force: bool) -> list[str]:
    """Restore into a file; what the operator should know, a line each."""
    revision = _checked(target, file, force=force)
    with TemporaryDirectory(prefix=".restore-", dir=target.parent) as folder:
        source, notes = await _of_this_revision(file, revision, folder)
        return notes + _replace(source, target)


async def _of_this_revision(file: Path, revision: str, folder: str) -> tuple[Path, list[str]]:
    """The backup, or a copy of it in the folder that was migrated; and what is to be told of it."""
    if revision == newest():
        return file, []
    # Migrated first: when that fails, the database is still what it was.
    source = Path(folder, "restored.db")
    triggers = sqlite.copy_in(file, source, lambda done, total: None)
    await migrate(f"sqlite:///{source}")
    return source, [_migrated(revision), *_left_out(triggers)]


def _checked(target: Path, file: Path, *, force: bool) -> str:
    """The revision of the backup; RuntimeError when it cannot be restored, or not there."""
    if obstacle := file_obstacle(target):
        raise DatabaseUnusable(obstacle)
    if target.exists() and target.samefile(file):
        raise RuntimeError(f"{file} is the database itself.")
    revision = _sound(file)
    if not force and _holds_anything(target):
        raise RuntimeError(_HELD)
    return revision


def _sound(file: Path) -> str:
    """The revision of a backup of SQLite; RuntimeError when it is damaged or not usable."""
    damage = sqlite.damage(file)
    if damage:
        raise RuntimeError(f"{file} is damaged: {damage[0]}. Nothing was changed.")
    revision = _usable(file, file_run(file, revision_of))
    if damage := manifest.faults(file):
        raise RuntimeError(f"{file} is damaged: {damage[0]}. Nothing was changed.")
    return revision


def _holds_anything(target: Path) -> bool:
    try:
        return sqlite.holds_anything(target)
    except sqlite3.DatabaseError:
        return True


def _replace(source: Path, target: Path) -> list[str]:
    try:
        return _left_out(_copy_in(source, target))
    except sqlite3.OperationalError as error:
        raise RuntimeError(f"The restore failed: {error}. Nothing was changed.") from error
    except sqlite3.DatabaseError as error:
        kept = sqlite.set_aside(target)
        damaged = f"The old file was damaged ({error}): it is kept as {kept.name}."
        return [damaged, *_left_out(_copy_in(source, target))]


def _left_out(triggers: list[str]) -> list[str]:
    return [f"Left out: trigger {name}, which is not of this program." for name in triggers]


def _copy_in(source: Path, target: Path) -> list[str]:
    with files.progress_bar() as progress:
        task = progress.add_task("Restoring", total=None)
        return sqlite.copy_in(
            source, target, lambda done, total: progress.update(task, completed=done, total=total)
        )


async def _moved(url: str, file: Path, *, force: bool) -> list[str]:
    """Restore a file of SQLite into PostgreSQL; what the operator should know, a line each."""
    await find_revision(url)
    revision = _sound(file)
    tables, told = await _replaced(url, force=force)
    with TemporaryDirectory(prefix="restore-") as folder:
        source, notes = await _of_this_revision(file, revision, folder)
        return [*await transfer.restore(url, source, tables), *notes, *told]


async def _replaced(url: str, *, force: bool) -> tuple[list[str], list[str]]:
    """The tables of PostgreSQL that a restore drops, and what is told of those who use them."""
    tables, others = await snapshot_run(
        url, lambda connection: (postgresql.own_tables(connection), postgresql.sessions(connection))
    )
    if tables and not force:
        raise RuntimeError(_HELD)
    if not others:
        return tables, []
    return tables, [
        f"{others} other sessions are connected. Servers remember some of what the database held"
        " before: restart them."
    ]


async def _postgresql(url: str, file: Path, *, force: bool) -> list[str]:
    """Restore a dump into a database; what the operator should know, a line each."""
    postgresql.program("psql")
    await find_revision(url)
    dump = read_dump(file)
    revision = _usable(file, dump.revision)
    tables, notes = await _replaced(url, force=force)
    with files.progress_bar() as progress:
        task = progress.add_task("Restoring", total=None)
        postgresql.restore(
            url,
            file,
            tables,
            lambda done: progress.update(task, completed=done),
            dump.epoch_table,
        )
    if revision != newest():
        await migrate(url)
        notes.append(_migrated(revision))
    return notes


def _usable(file: Path, revision: str | None) -> str:
    """The revision of a backup; RuntimeError when this version cannot use it."""
    if revision is None:
        raise RuntimeError(f"{file} is not a backup of this program. Nothing was changed.")
    if not is_known(revision):
        reason = newer(revision).replace("The database", str(file), 1)
        raise RuntimeError(f"{reason} Nothing was changed.")
    return revision


def _migrated(revision: str) -> str:
    return f"The backup was of an older version: it was migrated from {revision} to {newest()}."
