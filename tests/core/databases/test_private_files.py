"""Who may read the files of a database."""

import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from app.commands.backups.sqlite import locked
from app.core.databases.sqlite import connect


def modes(folder: Path) -> dict[str, str]:
    return {file.name: oct(stat.S_IMODE(file.stat().st_mode)) for file in folder.iterdir()}


def test_a_new_database_and_what_lies_beside_it_are_its_owners_alone(tmp_path: Path) -> None:
    with closing(connect(str(tmp_path / "new.db"))) as connection:
        connection.execute("CREATE TABLE a (b)")
        found = modes(tmp_path)
        assert found == dict.fromkeys(("new.db", "new.db-wal", "new.db-shm"), "0o600")


def test_what_is_restored_into_is_its_owners_alone(tmp_path: Path) -> None:
    with locked(tmp_path / "restored.db") as connection:
        connection.execute("CREATE TABLE a (b)")
    assert modes(tmp_path) == {"restored.db": "0o600"}


@pytest.mark.parametrize(
    ("before", "after"), [(0o644, 0o600), (0o664, 0o600), (0o640, 0o640), (0o600, 0o600)]
)
def test_a_database_that_anybody_may_read_is_taken_from_them_and_one_of_a_group_is_not(
    tmp_path: Path, before: int, after: int
) -> None:
    file = tmp_path / "old.db"
    with closing(connect(str(file))) as first:
        first.execute("CREATE TABLE a (b)")
        for each in tmp_path.iterdir():
            each.chmod(before)
        with closing(connect(str(file))):
            assert set(modes(tmp_path).values()) == {oct(after)}


def test_a_folder_that_is_no_database_is_left_as_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir(0o755)
    with pytest.raises(sqlite3.OperationalError, match="unable to open"):
        connect(str(folder))
    assert modes(tmp_path) == {"folder": "0o755"}


def test_looking_at_the_file_takes_no_lock_away(tmp_path: Path) -> None:
    file = str(tmp_path / "held.db")
    with closing(connect(file)) as first, closing(connect(file, wait=0)) as second:
        first.execute("CREATE TABLE a (b)")
        first.execute("BEGIN IMMEDIATE")
        with closing(connect(file)), pytest.raises(Exception, match="locked"):
            second.execute("BEGIN IMMEDIATE")
