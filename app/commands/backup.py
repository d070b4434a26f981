"""Writes a backup of the database to a file, while a server goes on writing."""

import asyncio
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, text

from app.commands.backups import files, manifest, postgresql, sqlite, transfer
from app.commands.backups.contents import Summary, summary
from app.commands.readiness import find_revision, outdated
from app.commands.revision import is_known
from app.commands.snapshot import file_run, snapshot_run
from app.core.databases.addresses import is_sqlite, sqlite_path
from app.core.databases.diagnosis import DatabaseUnusable
from app.webhooks.encrypted_secrets import SETTING


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that was written, and what it holds."""

    file: Path
    digest: str
    summary: Summary
    #: What the operator should know, a line each.
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        found = self.summary
        written = (
            f"Wrote {self.file}: {files.size_of(self.file)}, {found.records:,} records, change log"
            f" to {found.position:,}, revision {found.revision}.\nSHA-256 {self.digest}, also in"
            f" {files.note_of(self.file).name}.{self._keys()}"
        )
        return "\n".join([written, *self.notes])

    def _keys(self) -> str:
        if not self.summary.encrypted:
            return ""
        return f"\nThe secrets of webhooks in it are encrypted: keep {SETTING} too, elsewhere."


def run(url: str, file: Path, *, force: bool, portable: bool) -> str:
    """Back the database up and tell what was written.

    RuntimeError, and no file, when there is nothing to back up or something stands in the way.
    """
    return str(asyncio.run(_of_this_version(url, file, force=force, portable=portable)))


async def _of_this_version(url: str, file: Path, *, force: bool, portable: bool) -> Backup:
    """Back up what this version could restore: a database of its own, or of an older one."""
    revision = await find_revision(url)
    if revision is None or not is_known(revision):
        raise DatabaseUnusable(outdated(revision))
    return await backup(url, file, force=force, portable=portable)


async def backup(url: str, file: Path, *, force: bool = False, portable: bool = False) -> Backup:
    """Write the database as it is at one moment to a file that only the owner may read.

    One that is `portable` can be restored on either database, and says of itself what it holds.
    """
    revision = await find_revision(url)
    if revision is None:
        raise RuntimeError("The database is empty: there is nothing to back up.")
    if portable and not is_sqlite(url) and (reason := outdated(revision)):
        raise DatabaseUnusable(reason)
    with files.written_whole(file, force=force) as part:
        found, notes = await _write(url, part, portable=portable)
        digest = files.digest_of(part)
        # A replaced file's digest must not be taken for that of the new one.
        files.note_of(file).unlink(missing_ok=True)
    files.write_note(file, digest)
    return Backup(file, digest, found, tuple(notes))


async def _write(url: str, part: Path, *, portable: bool) -> tuple[Summary, list[str]]:
    """What was written, and what the operator should know, a line each."""
    if is_sqlite(url):
        return _sqlite(url, part, portable=portable), []
    if not portable:
        return await _postgresql(url, part), []
    notes = await snapshot_run(url, lambda connection: transfer.write(connection, part))
    return file_run(part, summary), notes


def _sqlite(url: str, part: Path, *, portable: bool) -> Summary:
    source = Path(sqlite_path(url))
    try:
        with files.progress_bar() as progress:
            task = progress.add_task("Copying", total=None)
            sqlite.copy_out(
                source,
                part,
                lambda done, total: progress.update(task, completed=done, total=total),
            )
        if portable:
            manifest.write(part)
    except sqlite3.Error as error:
        raise RuntimeError(f"The backup failed: {error}.") from error
    return file_run(part, summary)


async def _postgresql(url: str, part: Path) -> Summary:
    def work(connection: Connection) -> Summary:
        postgresql.refuse_older_programs(connection)
        # Everything is of the one snapshot that the dump is made of.
        found = summary(connection)
        size = connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one()
        with files.progress_bar() as progress:
            task = progress.add_task(f"Dumping a database of {size / 1e6:,.1f} MB", total=None)
            postgresql.dump(
                url, connection, part, lambda done: progress.update(task, completed=done)
            )
        return found

    postgresql.program("pg_dump")
    return await snapshot_run(url, work)
