"""A backup: one file, whole or not there, that tells what it holds."""

import stat
from hashlib import sha256
from pathlib import Path

import pytest

from app.commands.backup import backup
from app.commands.backups.postgresql import environment
from tests.commands.backups.drills import Copy, command, instead_of


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


async def test_a_backup_is_one_file_that_only_its_owner_can_read(copy: Copy) -> None:
    note = copy.file.with_name("backup.sha256")
    left = {name for name in names_in(copy.file.parent) if "backup" in name}
    assert left == {"backup", "backup.sha256"}
    for file in (copy.file, note):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


async def test_the_sha_256_of_a_backup_stands_beside_it(copy: Copy) -> None:
    digest = sha256(copy.file.read_bytes()).hexdigest()
    assert copy.made.digest == digest
    assert copy.file.with_name("backup.sha256").read_text() == f"{digest}  backup\n"


async def test_a_backup_tells_its_size_its_records_and_its_place_in_the_change_log(
    fresh_url: str, tmp_path: Path
) -> None:
    told = command(fresh_url, "backup", str(tmp_path / "backup"))
    assert told.returncode == 0, told.stderr
    size = (tmp_path / "backup").stat().st_size
    assert f"{size:,} bytes" in told.stdout or f"{size / 1e6:.1f} MB" in told.stdout
    assert "395 records, change log to 395, revision 2026" in told.stdout
    assert "SHA-256" in told.stdout
    assert told.stderr == ""


async def test_a_file_that_is_there_is_replaced_only_by_force(copy: Copy) -> None:
    copy.file.write_text("of somebody else")
    with pytest.raises(RuntimeError, match=r"is there already\. .* --force"):
        await backup(copy.url, copy.file)
    assert copy.file.read_text() == "of somebody else"
    await backup(copy.url, copy.file, force=True)
    assert copy.file.stat().st_size > 100_000


async def test_a_database_without_tables_has_nothing_to_back_up(
    bare_url: str, tmp_path: Path
) -> None:
    with pytest.raises(RuntimeError, match="nothing to back up"):
        await backup(bare_url, tmp_path / "backup")
    assert not (tmp_path / "backup").exists()


async def test_a_folder_that_is_not_there_is_named(fresh_url: str, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"nowhere/backup: No such file"):
        await backup(fresh_url, tmp_path / "nowhere" / "backup")


async def test_a_server_that_is_not_there_is_told_of(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="cannot be reached"):
        await backup("postgresql://nobody@127.0.0.1:1/nothing", tmp_path / "backup")


# What is only of PostgreSQL: its programs make the backup


@pytest.fixture
def postgres_url(fresh_url: str) -> str:
    if fresh_url.startswith("sqlite"):
        pytest.skip("SQLite is copied without programs")
    return fresh_url


async def test_a_backup_that_fails_leaves_no_file(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = 'test "$1" = --version && echo "pg_dump (PostgreSQL) 99" || { echo Oh >&2; exit 1; }'
    instead_of(monkeypatch, tmp_path, "pg_dump", script)
    with pytest.raises(RuntimeError, match="The backup failed: Oh"):
        await backup(postgres_url, tmp_path / "backup")
    assert names_in(tmp_path) == {"programs"}


async def test_without_pg_dump_it_is_told_what_to_install(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RuntimeError, match=r"pg_dump is not installed.*postgresql-client"):
        await backup(postgres_url, tmp_path / "backup")


async def test_an_older_pg_dump_is_refused_and_both_versions_are_named(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    instead_of(monkeypatch, tmp_path, "pg_dump", 'echo "pg_dump (PostgreSQL) 9.6.24"')
    with pytest.raises(RuntimeError, match=r"pg_dump is of PostgreSQL 9 and the server of 1\d"):
        await backup(postgres_url, tmp_path / "backup")


async def test_the_password_is_in_no_argument(
    postgres_url: str, programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = tmp_path / "seen"
    script = f'echo "$@" >> {seen}; echo "$PGPASSWORD" >> {seen}; exec {programs}/pg_dump "$@"'
    instead_of(monkeypatch, tmp_path, "pg_dump", script)
    await backup(postgres_url.replace("postgres@", "postgres:s3cret@"), tmp_path / "backup")
    _version, _, arguments, password = seen.read_text().splitlines()
    assert "s3cret" not in arguments
    assert password == "s3cret"


def test_an_address_tells_the_programs_how_to_connect() -> None:
    told = environment("postgresql+asyncpg://ann:a%40b@db:6543/deals?ssl=require")
    assert {name: told[name] for name in told if name.startswith("PG")}.items() >= {
        ("PGHOST", "db"),
        ("PGPORT", "6543"),
        ("PGUSER", "ann"),
        ("PGPASSWORD", "a@b"),
        ("PGDATABASE", "deals"),
        ("PGSSLMODE", "require"),
    }
