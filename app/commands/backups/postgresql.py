"""Backups of PostgreSQL: its own programs dump a database and put a dump back."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from sqlalchemy import Connection, inspect, text

from app.core.databases.addresses import PostgresAddress
from app.core.instance_secret import new_epoch

_INSTALL = (
    "Install PostgreSQL's client programs of the server's version or a later one"
    " (Debian's package is postgresql-client), or run this where they are."
)
#: How long a restore waits for a table that somebody is reading or writing.
LOCK_WAIT = "15s"

OnProgress = Callable[[int], None]


def program(name: str) -> str:
    """Where one of PostgreSQL's programs is; RuntimeError when it is nowhere in the PATH."""
    found = shutil.which(name)
    if found is None:
        raise RuntimeError(f"{name} is not installed, or not in the PATH. {_INSTALL}")
    return found


def refuse_older_programs(connection: Connection) -> None:
    """RuntimeError when pg_dump is older than the server, whose dumps it cannot make then."""
    server = int(connection.execute(text("SHOW server_version_num")).scalar_one()) // 10_000
    answer = subprocess.run(  # noqa: S603 (found in the PATH)
        [program("pg_dump"), "--version"], capture_output=True, text=True, check=True
    ).stdout
    version = re.search(r"\(PostgreSQL\) (\d+)", answer)
    if version is not None and int(version[1]) < server:
        raise RuntimeError(
            f"pg_dump is of PostgreSQL {version[1]} and the server of {server}: an older pg_dump"
            f" cannot make a backup of a newer server. {_INSTALL}"
        )


def environment(url: str) -> dict[str, str]:
    """How the programs connect; not as arguments, where everybody on the machine sees them."""
    kept = {"PGAPPNAME": "trade-missions", "PGCONNECT_TIMEOUT": "10", "LC_ALL": "C.UTF-8"}
    return os.environ | kept | PostgresAddress.read(url).environment()


def dump(url: str, connection: Connection, target: Path, on_progress: OnProgress) -> None:
    """Dump what the connection's transaction sees; `on_progress` is told the bytes written."""
    snapshot = connection.execute(text("SELECT pg_export_snapshot()")).scalar_one()
    options = ["--format=custom", "--no-owner", "--no-privileges", f"--snapshot={snapshot}"]
    command = [program("pg_dump"), *options, f"--file={target}"]
    with _running("The backup failed", command, env=environment(url)) as running:
        while True:
            try:
                running.wait(0.1)
                break
            except subprocess.TimeoutExpired:
                on_progress(target.stat().st_size)


@contextmanager
def _running(
    failing: str,
    command: Sequence[str],
    *,
    env: dict[str, str] | None = None,
    stdin: int = subprocess.DEVNULL,
    stdout: int = subprocess.DEVNULL,
) -> Iterator[subprocess.Popen[bytes]]:
    """A program until its end; when it fails, RuntimeError with `failing` and its first words."""
    with TemporaryFile() as errors:
        process = subprocess.Popen(  # noqa: S603 (found in the PATH)
            command, env=env, stdin=stdin, stdout=stdout, stderr=errors
        )
        try:
            yield process
        except BrokenPipeError:
            pass  # It has ended, and says why.
        except BaseException:
            process.kill()
            raise
        finally:
            for pipe in filter(None, (process.stdin, process.stdout)):
                with suppress(BrokenPipeError):
                    pipe.close()
            process.wait()
        if process.returncode != 0:
            raise RuntimeError(f"{failing}: {_said(errors)}")


def _said(errors: IO[bytes]) -> str:
    errors.seek(0)
    lines = errors.read(20_000).decode(errors="replace").strip().splitlines()
    return " ".join(line.strip() for line in lines[:3]) or "it failed without a word."


def script_lines(file: Path, *options: str) -> Generator[bytes]:
    """The lines of SQL that a dump stands for; reads the whole file.

    RuntimeError when it is damaged.
    """
    command = [program("pg_restore"), *options, "--no-owner", "--no-privileges", "--file=-"]
    failing = f"{file} is damaged"
    with _running(failing, [*command, str(file)], stdout=subprocess.PIPE) as running:
        assert running.stdout is not None
        yield from running.stdout


def restore(
    url: str,
    file: Path,
    replaced: Sequence[str],
    on_progress: OnProgress,
    epoch_table: str | None = None,
) -> None:
    """Put a dump into the database, after dropping the tables named; all in one transaction, which
    also gives it a new epoch.

    RuntimeError, and nothing changed, when the dump is damaged or the database refuses.
    """
    command = [program("psql"), "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--file=-"]
    failing = "The restore failed, and nothing was changed"
    with _running(failing, command, env=environment(url), stdin=subprocess.PIPE) as running:
        assert running.stdin is not None
        # What is only worth a notice would stand before the error that is told.
        quietly = "SET client_min_messages = warning;\n"
        running.stdin.write(f"BEGIN;\n{quietly}SET lock_timeout = '{LOCK_WAIT}';\n".encode())
        for table in replaced:
            running.stdin.write(f"DROP TABLE {table} CASCADE;\n".encode())
        with closing(script_lines(file)) as lines:
            _feed(running.stdin, lines, on_progress)
        if epoch_table is not None:
            running.stdin.write(f"UPDATE {epoch_table} SET epoch = '{new_epoch()}';\n".encode())  # noqa: S608
        # Only now: without this line, and however this program ends, all is rolled back.
        running.stdin.write(b"ANALYZE;\nCOMMIT;\n")


def _feed(stdin: IO[bytes], lines: Iterable[bytes], on_progress: OnProgress) -> None:
    done, names_schemas = 0, True
    for line in lines:
        # A schema that the address names is there already, though its tables were dropped.
        names_schemas = names_schemas and not line.startswith(b"COPY ")
        if names_schemas:
            line = line.replace(b"CREATE SCHEMA ", b"CREATE SCHEMA IF NOT EXISTS ", 1)
        # Servers before 17 do not know this setting, whose default it is.
        if line != b"SET transaction_timeout = 0;\n":
            stdin.write(line)
        done += len(line)
        on_progress(done)


def own_tables(connection: Connection) -> list[str]:
    """The names of all tables, quoted, with their schema."""
    quote = connection.dialect.identifier_preparer.quote
    schema = connection.execute(text("SELECT current_schema()")).scalar_one()
    return [f"{quote(schema)}.{quote(name)}" for name in inspect(connection).get_table_names()]


def sessions(connection: Connection) -> int:
    """How many others are connected to the database."""
    statement = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
    )
    return int(connection.execute(text(statement)).scalar_one())
