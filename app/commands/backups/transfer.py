"""Backups that either database takes: a file of SQLite, into which PostgreSQL is moved and from
which it is filled."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from app.commands.backups import files, manifest
from app.commands.backups.moving import OnProgress, left_behind, move
from app.commands.backups.postgresql import LOCK_WAIT
from app.commands.connection import engine_run
from app.commands.migrate import upgrade
from app.commands.snapshot import file_run
from app.core.databases.db_errors import first_line
from app.core.databases.diagnosis import DatabaseUnusable
from app.core.databases.interface import ENGINE_OPTIONS
from app.core.instance_secret import Installation, new_epoch


def write(source: Connection, file: Path) -> list[str]:
    """Move all of a database of this revision into an empty file; what the operator should know.

    RuntimeError when that cannot be done: the file is of no use then.
    """
    with _failing("The backup failed"):
        with _rows_bar("Copying") as on_progress, _new_file(file).begin() as target:
            upgrade(target)
            move(source, target, on_progress)
        manifest.write(file)
    return _left_out(source)


async def restore(url: str, file: Path, replaced: list[str]) -> list[str]:
    """Put a file of this revision into PostgreSQL, after dropping the tables named; what was done,
    a line each.

    All in one transaction. RuntimeError, and nothing changed, when the database refuses.
    """

    def work(target: Connection) -> int:
        target.execute(text(f"SET LOCAL lock_timeout = '{LOCK_WAIT}'"))
        for table in replaced:
            target.execute(text(f"DROP TABLE {table} CASCADE"))
        upgrade(target)
        with _rows_bar("Restoring") as on_progress:
            rows = file_run(file, lambda source: move(source, target, on_progress))
        target.execute(update(Installation).values(epoch=new_epoch()))
        target.execute(text("ANALYZE"))
        return rows

    with _failing("The restore failed, and nothing was changed"):
        rows = await engine_run(url, work)
    done = f"Moved from SQLite: {rows:,} rows, and each table has the checksum that it had there."
    return [done, *file_run(file, _left_out)]


def _left_out(source: Connection) -> list[str]:
    return [f"Left out: {what}, which is not of this program." for what in left_behind(source)]


@contextmanager
def _failing(beginning: str) -> Iterator[None]:
    """Within, what goes wrong is told in a sentence that begins so."""
    try:
        yield
    except (DBAPIError, sqlite3.Error) as error:
        raise RuntimeError(f"{beginning}: {first_line(error)}.") from error
    except DatabaseUnusable:
        raise
    except RuntimeError as error:
        raise RuntimeError(f"{beginning}: {str(error).rstrip('.')}.") from error


@contextmanager
def _rows_bar(what: str) -> Iterator[OnProgress]:
    with files.progress_bar(of_bytes=False) as progress:
        task = progress.add_task(what, total=None)
        yield lambda rows: progress.advance(task, rows)


def _new_file(file: Path) -> Engine:
    """An engine for a file that gets its name only when it is finished: it need survive nothing."""

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
        for setting in ("journal_mode=MEMORY", "synchronous=OFF", "foreign_keys=OFF"):
            connection.execute(f"PRAGMA {setting}")
        return connection

    engine = create_engine("sqlite://", creator=connect, poolclass=NullPool, **ENGINE_OPTIONS)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    return engine
