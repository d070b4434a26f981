"""Portable backups that cannot be restored, or not there: a sentence, and nothing is changed."""

import gzip
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from app.commands.backup import backup
from app.commands.backups import moving
from app.commands.backups.contents import checksums, total
from app.commands.restore import restore
from app.commands.snapshot import snapshot_run
from app.commands.verify import verify
from tests.commands.backups.drills import sums_of
from tests.commands.test_upgrade import FOLDER, columns, load
from tests.conftest import copy_of
from tests.templates import seeded_url
from tests.test_migrations import empty_database, run_sql


@pytest.fixture(scope="module")
async def portable(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A portable backup, without the note of its digest beside it."""
    folder = tmp_path_factory.mktemp("portable")
    async with copy_of(seeded_url("sqlite"), folder) as url:
        await backup(url, folder / "backup", portable=True)
    (folder / "backup.sha256").unlink()
    return folder / "backup"


def cut(file: Path) -> None:
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])


def alter(file: Path) -> None:
    """Letters of a text, which SQLite's own check does not notice."""
    content = file.read_bytes()
    assert b"Nikolai Dychko" in content
    file.write_bytes(content.replace(b"Nikolai Dychko", b"Nikolai Dytchk"))


def with_sql(*statements: str) -> Callable[[Path], None]:
    def change(file: Path) -> None:
        with closing(sqlite3.connect(file, isolation_level=None)) as connection:
            for statement in statements:
                connection.execute(statement)

    return change


def of_another_product(file: Path) -> None:
    file.unlink()
    with_sql("CREATE TABLE bookmark (url TEXT)", "INSERT INTO bookmark VALUES ('/')")(file)


def without_the_manifest(statement: str) -> Callable[[Path], None]:
    return with_sql("DROP VIEW about_this_backup", statement)


#: How a file is spoilt, and what is said of it, on each database.
SPOILT = (
    (cut, "is damaged"),
    (alter, "is damaged: table change is not what it was when the backup was made"),
    (with_sql("DELETE FROM change WHERE seq = 5"), "is damaged: table change is not what it was"),
    (with_sql("DROP TABLE event"), "is damaged: table event is not what it was"),
    (of_another_product, "is not a backup of this program"),
    (with_sql("UPDATE alembic_version SET version_num = 'of_tomorrow'"), "by a newer version"),
)


async def test_a_file_that_is_spoilt_is_told_of_in_a_sentence(
    portable: Path, bare_url: str, tmp_path: Path
) -> None:
    await run_sql(bare_url, "CREATE TABLE of_before (id INTEGER PRIMARY KEY)")
    file, wrong = tmp_path / "backup", list[str]()
    for spoil, reason in SPOILT:
        shutil.copy(portable, file)
        spoil(file)
        with pytest.raises(RuntimeError) as refused:
            await restore(bare_url, file, force=True)
        told = str(refused.value)
        if reason not in told or not told.endswith(" Nothing was changed.") or "\n" in told:
            wrong.append(f"{reason}: {told}")
        if not (await verify(bare_url, file)).faults:
            wrong.append(f"{reason}: verified as well")
    assert wrong == []
    assert {*await sums_of(bare_url)} == {"of_before"}


# What is only of PostgreSQL: rows are moved there one by one


@pytest.fixture
def postgres_url(bare_url: str) -> str:
    if bare_url.startswith("sqlite"):
        pytest.skip("a portable backup is a file of SQLite")
    return bare_url


async def test_a_move_that_ends_in_the_middle_leaves_the_database_as_it_was(
    portable: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await run_sql(postgres_url, "CREATE TABLE of_before (id INTEGER PRIMARY KEY)")
    with pytest.raises(RuntimeError, match="holds something already"):
        await restore(postgres_url, portable)

    def killed(connection: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(moving, "reindex", killed)
    with pytest.raises(KeyboardInterrupt):
        await restore(postgres_url, portable, force=True)
    assert {*await sums_of(postgres_url)} == {"of_before"}


async def test_what_was_moved_has_the_one_checksum_of_its_source(
    portable: Path, postgres_url: str
) -> None:
    await restore(postgres_url, portable)
    source, moved = await sums_of(f"sqlite:///{portable}"), await sums_of(postgres_url)
    assert total(moved) == total(source)
    told = (await verify(postgres_url)).lines
    assert any(line.startswith("All tables but search_entry") for line in told)


async def test_a_value_that_postgresql_does_not_store_is_told_with_its_table(
    portable: Path, postgres_url: str, tmp_path: Path
) -> None:
    shutil.copy(portable, tmp_path / "backup")
    without_the_manifest("UPDATE person SET note = 'a' || char(0)")(tmp_path / "backup")
    with pytest.raises(RuntimeError, match=r"nothing was changed: table person: .*0x00"):
        await restore(postgres_url, tmp_path / "backup")
    assert await sums_of(postgres_url) == {}


async def test_a_file_of_the_oldest_release_is_migrated_and_moved(
    postgres_url: str, tmp_path: Path
) -> None:
    with empty_database("sqlite", tmp_path) as old:
        load(old, gzip.decompress((FOLDER / "sqlite-0.1.sql.gz").read_bytes()))
        kept = await snapshot_run(old, columns)
        before = await snapshot_run(old, lambda connection: checksums(connection, kept))
        await backup(old, tmp_path / "backup", portable=True)
    told = await restore(postgres_url, tmp_path / "backup")
    assert "it was migrated from" in told
    # What is wrong in it would be told as having been there already.
    assert "already" not in told
    assert await snapshot_run(postgres_url, lambda on: checksums(on, kept)) == before


async def test_a_database_of_an_older_version_is_to_be_migrated_first(
    fresh_url: str, tmp_path: Path
) -> None:
    if fresh_url.startswith("sqlite"):
        pytest.skip("SQLite is copied as it is")
    await run_sql(fresh_url, "UPDATE alembic_version SET version_num = '20261122_records'")
    with pytest.raises(RuntimeError, match=r"20261122_records.*Run: trade-missions migrate"):
        await backup(fresh_url, tmp_path / "backup", portable=True)
    assert not (tmp_path / "backup").exists()
