"""What is verified of a backup and of a database, and checksums of tables."""

from pathlib import Path

import pytest
from sqlalchemy import Connection, delete, insert, select
from sqlalchemy.dialects.postgresql.asyncpg import AsyncAdapt_asyncpg_ss_cursor

from app.commands.backup import backup
from app.commands.connection import engine_run
from app.commands.migrate import migrate
from app.commands.verify import verify
from app.core.databases.interface import Base
from tests.commands.backups.drills import Copy, command, flip, sums_of
from tests.test_migrations import run_sql


@pytest.fixture
async def scratch(bare_url: str) -> str | None:
    """Where a backup is restored for a trial; SQLite needs no such place."""
    return None if bare_url.startswith("sqlite") else bare_url


async def test_a_good_backup_is_well_and_its_checksums_are_those_of_the_database(
    copy: Copy, scratch: str | None
) -> None:
    options = ["--database", scratch] if scratch else []
    told = command(copy.url, "verify", str(copy.file), *options)
    assert told.returncode == 0, told.stdout
    assert told.stdout.endswith("All is well.\n")
    lines = {line.split()[0]: line.split() for line in told.stdout.splitlines()}
    for name, each in copy.sums.items():
        assert lines[name][1:] == [f"{each.rows:,}", "rows", each.digest]


async def test_a_database_that_is_well_has_the_same_checksums_as_its_backup(copy: Copy) -> None:
    told = command(copy.url, "verify")
    assert told.returncode == 0, told.stdout
    assert all(each.digest in told.stdout for each in copy.sums.values())


async def test_one_bit_that_differs_is_noticed_wherever_it_is(copy: Copy) -> None:
    size = copy.file.stat().st_size
    for place in range(20, size, size // 50):
        flip(copy.file, place)
        verdict = await verify(copy.url, copy.file)
        assert "is damaged: its SHA-256 is" in str(verdict.faults)
        flip(copy.file, place)
    assert (await verify(copy.url, copy.file)).faults == []


async def test_a_backup_without_a_note_beside_it_is_read_to_its_end(copy: Copy) -> None:
    copy.file.with_name("backup.sha256").unlink()
    assert "no note of it" in (await verify(copy.url, copy.file)).lines[0]
    content = copy.file.read_bytes()
    copy.file.write_bytes(content[: len(content) * 9 // 10])
    assert (await verify(copy.url, copy.file)).faults != []


async def test_a_change_that_is_missing_is_noticed_once_in_the_backup(
    fresh_url: str, scratch: str | None, tmp_path: Path
) -> None:
    await run_sql(fresh_url, "DELETE FROM change WHERE seq = 3")
    await backup(fresh_url, tmp_path / "backup")
    for trial in {None, scratch}:
        verdict = await verify(fresh_url, tmp_path / "backup", trial)
        told = str(verdict.faults)
        assert told.count("The change log has 394 changes, the last is 395") == 1, trial
    assert "The change log has 394 changes" in str((await verify(fresh_url)).faults)


async def test_a_backup_of_an_older_version_is_migrated_for_a_trial(
    bare_url: str, tmp_path: Path
) -> None:
    await migrate(bare_url, to="20261122_records")
    before = await sums_of(bare_url)
    await backup(bare_url, tmp_path / "backup")
    verdict = await verify(bare_url, tmp_path / "backup")
    assert verdict.faults == []
    assert "20261122_records" in str(verdict)
    assert await sums_of(bare_url) == before


async def test_a_backup_of_a_newer_version_is_told_of(fresh_url: str, tmp_path: Path) -> None:
    await run_sql(fresh_url, "UPDATE alembic_version SET version_num = 'of_tomorrow'")
    await backup(fresh_url, tmp_path / "backup")
    verdict = await verify(fresh_url, tmp_path / "backup")
    assert "of_tomorrow" in verdict.faults[0]
    assert "newer version" in verdict.faults[0]


async def test_a_trial_leaves_its_database_empty_and_takes_no_other(
    copy: Copy, scratch: str | None
) -> None:
    if scratch is None:
        pytest.skip("SQLite needs no database for a trial")
    assert (await verify(copy.url, copy.file, scratch)).faults == []
    assert await sums_of(scratch) == {}
    verdict = await verify(copy.url, copy.file, copy.url)
    assert "for the trial is not empty" in verdict.faults[0]
    assert await sums_of(copy.url) == copy.sums


# Checksums


async def test_a_checksum_differs_when_one_value_does(copy: Copy) -> None:
    await run_sql(copy.url, "UPDATE mission SET title = title || '.'")
    after = await sums_of(copy.url)
    assert {name for name in after if after[name] != copy.sums[name]} == {"mission"}


async def test_a_checksum_does_not_depend_on_the_order_of_rows(copy: Copy) -> None:
    table = Base.metadata.tables["term"]

    def rewrite(connection: Connection) -> None:
        rows = [dict(row) for row in connection.execute(select(table)).mappings()]
        connection.execute(delete(table))
        connection.execute(insert(table), rows[::-1])

    await engine_run(copy.url, rewrite)
    assert await sums_of(copy.url) == copy.sums


async def test_a_checksum_does_not_take_all_rows_at_once(
    fresh_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if fresh_url.startswith("sqlite"):
        pytest.skip("SQLite's driver reads rows as they are asked for")

    def fetch_all(cursor: object) -> None:
        raise AssertionError("all rows of a table would be in memory")

    monkeypatch.setattr(AsyncAdapt_asyncpg_ss_cursor, "fetchall", fetch_all)
    assert (await sums_of(fresh_url))["change"].rows == 395
