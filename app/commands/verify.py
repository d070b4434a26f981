"""Verifies a backup, or the database: whole, consistent, and a checksum of every table."""

import asyncio
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Connection, text

from app.commands.backups import files, manifest, postgresql, sqlite
from app.commands.backups.contents import INDEX, Checksums, Summary, checksums, summary, total
from app.commands.backups.dump import read_dump
from app.commands.check import change_log_gaps, faults
from app.commands.connection import engine_run
from app.commands.migrate import migrate
from app.commands.readiness import find_revision, outdated
from app.commands.revision import is_known, revision_of
from app.commands.snapshot import file_run, snapshot_run
from app.core.databases.addresses import is_sqlite, sqlite_path
from app.core.databases.diagnosis import DatabaseUnusable
from app.core.databases.schema_revision import newest


@dataclass(slots=True)
class Verdict:
    """What was found; `faults` is empty when all is well."""

    lines: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return "\n".join([*self.lines, *(self.faults or ["All is well."])])


def run(url: str, file: Path | None, scratch: str | None) -> Verdict:
    """Verify the file; when there is none, the database `scratch` or else that of the settings."""
    return asyncio.run(verify(url, file, scratch))


async def verify(url: str, file: Path | None = None, scratch: str | None = None) -> Verdict:
    """As `run`. A dump of PostgreSQL is restored for a trial into the empty database `scratch`.

    DatabaseUnusable where a database is out of reach, empty or of a newer version.
    """
    if file is None:
        return await _database(scratch or url)
    verdict = Verdict()
    try:
        kind = files.magic_of(file)
        digest = files.refuse_altered(file)
        noted = files.note_of(file).is_file()
        beside = "as noted beside it" if noted else "and no note of it beside the file"
        verdict.lines.append(f"{file}: {files.size_of(file)}, SHA-256 {digest}, {beside}.")
        await (_sqlite if kind == files.SQLITE else _postgresql)(verdict, file, scratch)
    except DatabaseUnusable:
        raise
    except RuntimeError as error:
        verdict.faults.append(str(error))
    return verdict


async def _database(url: str) -> Verdict:
    verdict = Verdict()
    revision = await find_revision(url)
    reason = outdated(revision)
    if revision is None or not is_known(revision):
        raise DatabaseUnusable(reason)
    if is_sqlite(url):
        verdict.faults += sqlite.damage(Path(sqlite_path(url)))
    if verdict.faults:
        return verdict
    if reason is None:
        verdict.faults += await snapshot_run(url, faults)
    else:
        verdict.faults.append(reason)
    _tell(verdict, *await snapshot_run(url, _held))
    return verdict


def _held(connection: Connection) -> tuple[Summary, Checksums]:
    return summary(connection), checksums(connection)


def _tell(verdict: Verdict, found: Summary, sums: Checksums) -> None:
    verdict.lines.append(
        f"Revision {found.revision}, {found.records:,} records, change log to {found.position:,}."
    )
    width = max(map(len, sums), default=0)
    for name, each in sums.items():
        verdict.lines.append(f"{name:{width}} {each.rows:>10,} rows  {each.digest}")
    verdict.lines.append(f"{'all tables':{width}} {'':>15}  {total(sums)}")
    left_out = ", ".join(sorted(INDEX & sums.keys()))
    if left_out:
        text = f"All tables but {left_out}: the index of search, which a restore makes anew."
        verdict.lines.append(text)


async def _sqlite(verdict: Verdict, file: Path, scratch: str | None) -> None:
    if scratch is not None:
        raise RuntimeError("A backup of SQLite needs no database for a trial: leave that out.")
    verdict.faults += sqlite.damage(file)
    if verdict.faults:
        return
    revision = file_run(file, revision_of)
    _refuse(file, revision)
    _tell(verdict, *file_run(file, _held))
    verdict.faults += manifest.faults(file)
    if verdict.faults:
        return
    if revision == newest():
        verdict.faults += file_run(file, faults)
        return
    with TemporaryDirectory() as folder:
        copy = Path(folder, "trial.db")
        with files.told(copy):
            shutil.copyfile(file, copy)
        await _migrated(verdict, f"sqlite:///{copy}")


async def _migrated(verdict: Verdict, url: str) -> None:
    """Migrate a copy of an older backup for a trial, and check what comes of it."""
    await migrate(url)
    verdict.lines.append(f"It is of an older version; a copy of it was migrated to {newest()}.")
    verdict.faults += await snapshot_run(url, faults)


async def _postgresql(verdict: Verdict, file: Path, scratch: str | None) -> None:
    dump = read_dump(file)
    _refuse(file, dump.revision)
    if scratch is not None:
        await _trial(verdict, file, scratch)
        return
    verdict.faults += change_log_gaps(*dump.seen, dump.counter)
    verdict.lines.append(
        f"Revision {dump.revision}, {sum(dump.rows.values()):,} rows, change log to"
        f" {dump.counter:,}."
    )
    width = max(map(len, dump.rows))
    verdict.lines += [f"{name:{width}} {dump.rows[name]:>10,} rows" for name in sorted(dump.rows)]
    verdict.lines.append(
        "The whole file was read. Its records are checked, and have checksums, after a trial"
        " restore: --database postgresql://… of an empty database."
    )


async def _trial(verdict: Verdict, file: Path, scratch: str) -> None:
    """Restore into an empty database, check it, and leave it empty again."""
    if is_sqlite(scratch):
        raise RuntimeError("A trial of a backup of PostgreSQL takes a database of PostgreSQL.")
    await find_revision(scratch)
    if await snapshot_run(scratch, postgresql.own_tables):
        raise RuntimeError("The database for the trial is not empty. Nothing was changed.")
    postgresql.restore(scratch, file, [], lambda done: None)
    try:
        _tell(verdict, *await snapshot_run(scratch, _held))
        if await snapshot_run(scratch, revision_of) != newest():
            await _migrated(verdict, scratch)
        else:
            verdict.faults += await snapshot_run(scratch, faults)
    finally:
        await engine_run(scratch, _drop_all)


def _drop_all(connection: Connection) -> None:
    for table in postgresql.own_tables(connection):
        connection.execute(text(f"DROP TABLE {table} CASCADE"))


def _refuse(file: Path, revision: str | None) -> None:
    if revision is None:
        raise RuntimeError(f"{file} is not a backup of this program.")
    if not is_known(revision):
        raise RuntimeError(f"{file}: {outdated(revision)}")
