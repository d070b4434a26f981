"""A restore: all of a backup or nothing of it, and never over what somebody needs."""

import sqlite3
from contextlib import closing
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import make_url

from app.commands.backup import backup
from app.commands.backups.postgresql import own_tables
from app.commands.check import run as check
from app.commands.migrate import migrate
from app.commands.restore import restore
from app.commands.snapshot import snapshot_run
from app.core.databases.schema_revision import newest
from tests.commands.backups.drills import Copy, command, flip, killed, sums_of
from tests.test_migrations import run_sql

NOTHING = r"Nothing was changed\.|nothing was changed"


def is_sqlite(url: str) -> bool:
    return url.startswith("sqlite")


def path_of(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


async def tables_of(url: str) -> set[str]:
    """The tables of a database; none when its file is not even there."""
    return set() if is_sqlite(url) and not path_of(url).exists() else {*await sums_of(url)}


async def test_every_table_is_what_it_was(copy: Copy, bare_url: str) -> None:
    told = command(bare_url, "restore", str(copy.file))
    assert told.returncode == 0, told.stderr
    assert "395 records, change log to 395" in told.stdout
    assert await sums_of(bare_url) == copy.sums
    assert await check(bare_url) == []


async def test_a_database_that_holds_something_is_replaced_only_by_force(
    copy: Copy, migrated_url: str
) -> None:
    await run_sql(migrated_url, "CREATE TABLE of_later (id INTEGER PRIMARY KEY)")
    before = await sums_of(migrated_url)
    with pytest.raises(RuntimeError, match=r"holds something already\..*--force"):
        await restore(migrated_url, copy.file)
    assert await sums_of(migrated_url) == before
    await restore(migrated_url, copy.file, force=True)
    assert await sums_of(migrated_url) == copy.sums


async def test_triggers_of_a_file_are_left_out_and_told(tmp_path: Path) -> None:
    """Whoever has had the file could change by them what is written later."""
    file, target = tmp_path / "given.db", f"sqlite:///{tmp_path / 'target.db'}"
    await migrate(f"sqlite:///{file}")
    trigger = 'CREATE TRIGGER "od""d" AFTER INSERT ON person BEGIN DELETE FROM mission; END'
    with closing(sqlite3.connect(file)) as connection:
        connection.execute(trigger)
    told = await restore(target, file)
    assert 'Left out: trigger od"d, which is not of this program.' in told
    with closing(sqlite3.connect(tmp_path / "target.db")) as connection:
        triggers = "SELECT count(*) FROM sqlite_master WHERE type = 'trigger'"
        assert connection.execute(triggers).fetchone() == (0,)


async def test_an_older_backup_is_migrated_and_it_is_told(
    bare_url: str, other_url: str, tmp_path: Path
) -> None:
    await migrate(bare_url, to="20261122_records")
    await backup(bare_url, tmp_path / "backup")
    told = await restore(other_url, tmp_path / "backup")
    assert f"it was migrated from 20261122_records to {newest()}" in told
    assert await check(other_url) == []


async def test_a_backup_of_a_newer_version_is_refused(
    fresh_url: str, bare_url: str, tmp_path: Path
) -> None:
    await run_sql(fresh_url, "UPDATE alembic_version SET version_num = 'of_tomorrow'")
    await backup(fresh_url, tmp_path / "backup")
    with pytest.raises(RuntimeError, match=rf"of_tomorrow.*newer version.*({NOTHING})"):
        await restore(bare_url, tmp_path / "backup")
    assert await tables_of(bare_url) == set()


async def test_a_file_that_is_no_backup_is_refused(bare_url: str, tmp_path: Path) -> None:
    (tmp_path / "letter").write_text("Dear Sir or Madam")
    with pytest.raises(RuntimeError, match="is not a backup"):
        await restore(bare_url, tmp_path / "letter")
    with pytest.raises(RuntimeError, match="No such file"):
        await restore(bare_url, tmp_path / "nowhere")
    assert await tables_of(bare_url) == set()


async def test_what_only_begins_as_a_backup_of_the_other_database_is_refused(
    bare_url: str, tmp_path: Path
) -> None:
    start = b"PGDMP" if is_sqlite(bare_url) else b"SQLite format 3\x00"
    reason = "a dump of PostgreSQL.*--portable" if is_sqlite(bare_url) else "is damaged"
    (tmp_path / "other").write_bytes(start.ljust(4096, b"\0"))
    with pytest.raises(RuntimeError, match=rf"{reason}.*{NOTHING}"):
        await restore(bare_url, tmp_path / "other")


async def test_a_backup_that_was_altered_is_refused(copy: Copy) -> None:
    flip(copy.file, copy.file.stat().st_size - 5)
    with pytest.raises(RuntimeError, match=r"is damaged: its SHA-256"):
        await restore(copy.url, copy.file, force=True)
    assert await sums_of(copy.url) == copy.sums


async def test_a_backup_that_was_cut_off_is_refused(copy: Copy) -> None:
    copy.file.with_name("backup.sha256").unlink()
    content = copy.file.read_bytes()
    copy.file.write_bytes(content[: len(content) // 2])
    with pytest.raises(RuntimeError, match="is damaged"):
        await restore(copy.url, copy.file, force=True)
    assert await sums_of(copy.url) == copy.sums


KILLED = """
import os, signal, sys
from pathlib import Path
from app.commands.backups import {kind}
def heard(done, total={total}):
    if done * 2 > total:
        os.kill(os.getpid(), signal.SIGKILL)
{kind}.STEP = 20
{call}
"""


async def test_a_restore_that_is_killed_leaves_the_database_as_it_was(
    copy: Copy, migrated_url: str
) -> None:
    before = await sums_of(migrated_url)
    if is_sqlite(migrated_url):
        call = "sqlite.copy_in(Path(sys.argv[1]), Path(sys.argv[2]), heard)"
        script = KILLED.format(kind="sqlite", total=0, call=call)
        killed(script, str(copy.file), str(path_of(migrated_url)))
    else:
        tables = await snapshot_run(migrated_url, own_tables)
        call = f"postgresql.restore(sys.argv[2], Path(sys.argv[1]), {tables}, heard)"
        script = KILLED.format(kind="postgresql", total=600_000, call=call)
        killed(script, str(copy.file), migrated_url)
    assert await sums_of(migrated_url) == before
    await restore(migrated_url, copy.file, force=True)
    assert await sums_of(migrated_url) == copy.sums


# What is only of SQLite: nobody may have the file open, and it may be damaged


@pytest.fixture
def sqlite_copy(copy: Copy) -> Copy:
    if not is_sqlite(copy.url):
        pytest.skip("a server sees to that")
    return copy


async def test_a_file_that_somebody_has_open_is_left_alone(sqlite_copy: Copy) -> None:
    with closing(sqlite3.connect(path_of(sqlite_copy.url))) as idle:
        idle.execute("SELECT count(*) FROM mission").fetchall()
        with pytest.raises(RuntimeError, match=rf"in use: a server or.*{NOTHING}"):
            await restore(sqlite_copy.url, sqlite_copy.file, force=True)
    assert await sums_of(sqlite_copy.url) == sqlite_copy.sums
    await restore(sqlite_copy.url, sqlite_copy.file, force=True)


async def test_a_damaged_file_is_kept_beside_the_restored_one(sqlite_copy: Copy) -> None:
    database = path_of(sqlite_copy.url)
    database.write_bytes(b"not what it was" * 1000)
    told = await restore(sqlite_copy.url, sqlite_copy.file, force=True)
    (kept,) = (file for file in database.parent.glob("*.damaged-????????"))
    assert kept.name in told
    assert kept.read_bytes() == b"not what it was" * 1000
    assert await sums_of(sqlite_copy.url) == sqlite_copy.sums


async def test_a_database_is_no_backup_of_itself(sqlite_copy: Copy) -> None:
    with pytest.raises(RuntimeError, match="is the database itself"):
        await restore(sqlite_copy.url, path_of(sqlite_copy.url), force=True)


# What is only of PostgreSQL: a server goes on and is told of


async def test_others_who_are_connected_are_told_of(copy: Copy) -> None:
    if is_sqlite(copy.url):
        pytest.skip("the file would be in use")
    address = make_url(copy.url).set(drivername="postgresql")
    connection = await asyncpg.connect(address.render_as_string(hide_password=False))
    told = await restore(copy.url, copy.file, force=True)
    await connection.close()
    assert "1 other sessions are connected" in told
    assert await sums_of(copy.url) == copy.sums
