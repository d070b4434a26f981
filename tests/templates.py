"""The databases that tests begin with, migrated, and migrated and seeded: made once, and copied by
whoever needs one. They are kept in `.cache` for the next run, until something that they are made of
changes."""

import asyncio
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import asyncpg

from tests.postgres import (
    ENVIRONMENT_NAME,
    address_at,
    create_database,
    execute,
    new_cluster,
    start_shared_server,
)

ROOT = Path(__file__).parent.parent
KEPT_IN = ROOT / ".cache" / "tests"
#: What a template is made of, besides the program that makes it: this file and `postgres.py`.
MADE_OF = ("app", "migrations", "seeds", "tests/templates.py", "tests/postgres.py", "*.lock")
MIGRATED, SEEDED = "migrated", "seeded"
STAGES = (MIGRATED, SEEDED)
#: Longer than a run takes: another one may be using what this one does not.
UNUSED_SECONDS = 7200


def prepare() -> None:
    """Start the run's PostgreSQL server and see that the templates are there.

    For `pytest_configure` of the process that starts the others: these find the addresses in the
    environment.
    """
    digest = _digest()
    folder = KEPT_IN / digest
    if not folder.exists():
        _make(folder)
    os.utime(folder)
    _forget_unused()
    given = os.environ.get(ENVIRONMENT_NAME)
    server = given or start_shared_server(folder / "postgresql")
    for stage in STAGES:
        name = f"{stage}_{digest}" if given else stage
        os.environ[f"TEST_{stage.upper()}_SQLITE"] = f"sqlite:///{folder / stage}.db"
        os.environ[f"TEST_{stage.upper()}_POSTGRESQL"] = f"{server.rpartition('/')[0]}/{name}"
    if given:
        _make_on(given, f"_{digest}")


def migrated_url(database_kind: str) -> str:
    """The address of the template that has all tables and no records: to be copied, never written
    to."""
    return os.environ[f"TEST_MIGRATED_{database_kind.upper()}"]


def seeded_url(database_kind: str) -> str:
    """The address of the template with the seeds and a key: to be copied, never written to."""
    return os.environ[f"TEST_SEEDED_{database_kind.upper()}"]


def _digest() -> str:
    found = sha256()
    for path in sorted(_files()):
        found.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return found.hexdigest()[:16]


def _files() -> Iterator[Path]:
    for pattern in MADE_OF:
        for path in ROOT.glob(pattern):
            inner = path.rglob("*") if path.is_dir() else [path]
            yield from (p for p in inner if p.is_file() and p.suffix != ".pyc")


def _make(folder: Path) -> None:
    """Make them in a folder beside, which takes its name once it is complete."""
    KEPT_IN.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=KEPT_IN, ignore_cleanup_errors=True) as beside:
        making = Path(beside, "made")
        making.mkdir()
        asyncio.run(_migrate(f"sqlite:///{making / MIGRATED}.db"))
        shutil.copy(making / f"{MIGRATED}.db", making / f"{SEEDED}.db")
        asyncio.run(_seed(f"sqlite:///{making / SEEDED}.db"))
        if ENVIRONMENT_NAME not in os.environ:
            _make_cluster(making / "postgresql")
        # Another run may have been quicker; its folder is as good.
        with suppress(OSError):
            making.rename(folder)


def _forget_unused() -> None:
    for folder in KEPT_IN.iterdir():
        with suppress(FileNotFoundError):
            if folder.stat().st_mtime < time.time() - UNUSED_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)


def _make_cluster(target: Path) -> None:
    """The files of a PostgreSQL server that has the templates, as it left them when it stopped."""
    with TemporaryDirectory() as log, new_cluster(Path(log)) as cluster:
        cluster.initialise("--wal-segsize=1")
        _make_on(address_at(cluster.start()))
        cluster.stop()
        shutil.copytree(cluster.data, target)


def _make_on(server: str, suffix: str = "") -> None:
    """Make the templates on a server, whatever else is on it."""
    before = None
    for stage, make in ((MIGRATED, _migrate), (SEEDED, _seed)):
        name = f"{stage}{suffix}"
        if not execute(server, f"SELECT 1 FROM pg_database WHERE datname = '{name}'"):
            beside = f"{name}_{os.getpid()}"
            made = create_database(server, beside, before)
            asyncio.run(make(made))
            _analyze(made)
            _close(server, beside)
            # Another run may have been quicker.
            with suppress(asyncpg.DuplicateDatabaseError):
                execute(server, f'ALTER DATABASE "{beside}" RENAME TO "{name}"')
        before = name


def _analyze(url: str) -> None:
    """Tell PostgreSQL what values there are, which nobody does here in the background: without it
    a question over the records of many tests is answered by a plan for none, in seconds."""
    execute(url, "ANALYZE")


def _close(server: str, name: str) -> None:
    """Let nobody connect to the template: while it is copied, whoever does waits, and whoever
    already has keeps others from copying it."""
    execute(server, f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS false')


async def _migrate(url: str) -> None:
    # Imported where something is made: the process that only starts others needs none of it.
    from app.commands.migrate import migrate

    await migrate(url)


async def _seed(url: str) -> None:
    from app.commands.keys import make_first
    from app.commands.seed import seed
    from app.core.databases.opening import open_database
    from app.settings import Settings

    await make_first(Settings(database_url=url))
    database = open_database(url)
    await database.start()
    await seed(database)
    await database.stop()
