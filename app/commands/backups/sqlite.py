"""Backups of SQLite: a copy of the file at one moment, and back into the file."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from secrets import token_hex

from app.commands.backups import manifest
from app.commands.backups.files import told
from app.core.databases.private_files import keep_private
from app.core.databases.sqlite import connect
from app.core.instance_secret import new_epoch

#: How many pages of 4 KiB are copied between two looks at the progress bar.
STEP = 2_000
#: How many seconds to wait for whoever has the database open to be gone.
BUSY_TIMEOUT_MS = 2_000

OnProgress = Callable[[int, int], None]


def copy_out(source: Path, target: Path, on_progress: OnProgress) -> None:
    """Copy the database as it is now into an empty file; `on_progress` gets bytes done and in all.

    A transaction that reads is open all the while. Without one, each write of another process
    would make the copying start again, and under constant writing it would never end.
    """
    with (
        closing(connect(str(source), readonly=True)) as reading,
        closing(sqlite3.connect(target, isolation_level=None)) as writing,
    ):
        reading.execute("BEGIN")
        reading.execute("SELECT 1 FROM sqlite_master").fetchone()
        _copy(reading, writing, on_progress)
        # A file of its own, without a log of writes beside it.
        writing.execute("PRAGMA journal_mode=DELETE")


def copy_in(source: Path, target: Path, on_progress: OnProgress) -> list[str]:
    """Make the database what the source is, in one transaction of SQLite: all of it or nothing.
    Returns the triggers that were left out, none of which is this program's: whoever has had the
    file could have put them there, to change what is written later.

    The file stays the same one, with its owner and its place: whoever opens it meanwhile waits,
    and then sees the new content, of a new epoch where the source has one. RuntimeError when it is
    in use.
    """
    with (
        closing(sqlite3.connect(source, isolation_level=None)) as reading,
        locked(target) as writing,
    ):
        _copy(reading, writing, on_progress)
        manifest.remove(writing)
        triggers = _drop_triggers(writing)
        columns = {row[1] for row in writing.execute("PRAGMA table_info(installation)")}
        if "epoch" in columns:
            writing.execute("UPDATE installation SET epoch = ?", (new_epoch(),))
    return triggers


def _drop_triggers(connection: sqlite3.Connection) -> list[str]:
    found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for (name,) in found:
        quoted = name.replace('"', '""')
        connection.execute(f'DROP TRIGGER "{quoted}"')
    return [name for (name,) in found]


def _copy(
    reading: sqlite3.Connection, writing: sqlite3.Connection, on_progress: OnProgress
) -> None:
    (page,) = reading.execute("PRAGMA page_size").fetchone()

    def step(status: int, remaining: int, pages: int) -> None:
        on_progress((pages - remaining) * page, pages * page)

    reading.backup(writing, pages=STEP, progress=step, sleep=0)


@contextmanager
def locked(file: Path) -> Iterator[sqlite3.Connection]:
    """The database, kept from everybody else; RuntimeError when somebody has it open.

    Leaving the log of writes (WAL) behind is possible only to the one process that has the
    database open; so this finds every server, even one that does nothing at the moment.
    """
    keep_private(file)
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        connection.execute("PRAGMA locking_mode=EXCLUSIVE")
        try:
            connection.execute("PRAGMA journal_mode=DELETE")
            connection.execute("BEGIN EXCLUSIVE")
            connection.execute("COMMIT")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            raise RuntimeError(
                f"{file} is in use: a server or another command has it open. Stop that first."
                " Nothing was changed."
            ) from error
        connection.execute("PRAGMA synchronous=FULL")
        yield connection


def holds_anything(file: Path) -> bool:
    """Whether the file is there and has a table; sqlite3.DatabaseError when it is damaged."""
    if not file.exists() or file.stat().st_size == 0:
        return False
    with closing(connect(str(file), readonly=True)) as connection:
        return connection.execute("SELECT 1 FROM sqlite_master").fetchone() is not None


def set_aside(file: Path) -> Path:
    """Rename a damaged database, with the log of writes that belongs to it."""
    kept = file.with_name(f"{file.name}.damaged-{token_hex(4)}")
    with told(file):
        for ending in ("-wal", "-shm", "-journal", ""):
            part = file.with_name(file.name + ending)
            if part.exists():
                part.rename(kept.with_name(kept.name + ending))
    return kept


def damage(file: Path) -> list[str]:
    """What SQLite's own check of every page, row and index finds, a line each."""
    try:
        with closing(connect(str(file), readonly=True)) as connection:
            rows = connection.execute("PRAGMA integrity_check").fetchall()
    except sqlite3.DatabaseError as error:
        return [str(error)]
    return [line for (line,) in rows if line != "ok"]
