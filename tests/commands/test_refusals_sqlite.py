"""Whatever is wrong with a file of SQLite, each command says in one sentence what can be mended."""

import errno
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from subprocess import CompletedProcess
from tempfile import TemporaryDirectory

import pytest

from app.commands.refusals import sentence
from tests.commands.as_nobody import NOBODY
from tests.commands.forked import at, fault_of, run
from tests.templates import seeded_url

READING = ("check", "verify", "backup", "keys list")
WRITING = (
    "seed",
    "reindex",
    "generate --agreements 1 --companies 2 --missions 1",
    "import people.csv",
    "keys create somebody",
    "keys revoke admin",
    "serve --port 0",
)
MAKING = ("migrate", "serve --port 0 --prepare", "restore")
ALL = READING + WRITING + MAKING


@pytest.fixture(scope="module")
def seeded() -> Path:
    return Path(seeded_url("sqlite").removeprefix("sqlite:///"))


@pytest.fixture
def folder(seeded: Path) -> Iterator[Path]:
    """A folder that everybody may enter, with a copy of a seeded database and files to read; they
    are of the user who runs the commands, as a database that others may read is made private."""
    with TemporaryDirectory() as name:
        path = Path(name)
        path.chmod(0o777)
        shutil.copy(seeded, path / "good.db")
        shutil.copy(seeded, path / "backup.db")
        (path / "people.csv").write_text("full_name\nSomebody\n")
        for file in path.iterdir():
            given(file, 0o600)
        (path / "folder").mkdir(0o700)
        yield path
        path.chmod(0o777)


def given(file: Path, mode: int) -> None:
    """Let the file be of the user who runs the commands, with this mode."""
    if os.geteuid() == 0:
        os.chown(file, NOBODY, NOBODY)
    file.chmod(mode)


def tried(
    command: str, folder: Path, file: Path, *, is_nobody: bool = False
) -> "CompletedProcess[str]":
    """What comes of a command on a file; the files that it needs are in the folder."""
    name, *rest = command.split()
    if name == "backup":
        rest = [str(folder / "new.backup")]
    if name == "restore":
        rest = [str(folder / "backup.db")]
    if name == "import":
        rest = [str(folder / "people.csv")]
    return run(name, *rest, url=at(file), is_nobody=is_nobody)


def revised(revision: str) -> Callable[[Path], Path]:
    """What makes a database that says to be of this revision."""

    def make(folder: Path) -> Path:
        with closing(sqlite3.connect(folder / "good.db")) as connection:
            connection.execute("UPDATE alembic_version SET version_num = ?", [revision])
            connection.commit()
        return folder / "good.db"

    return make


def others(folder: Path) -> Path:
    """A database of another program."""
    with closing(sqlite3.connect(folder / "others.db")) as connection:
        connection.execute("CREATE TABLE theirs (id INTEGER)")
    return folder / "others.db"


def made(name: str, content: str = "") -> Callable[[Path], Path]:
    """What makes a file with this content."""

    def make(folder: Path) -> Path:
        (folder / name).write_text(content)
        (folder / name).chmod(0o600)
        return folder / name

    return make


def databases(folder: Path) -> set[str]:
    """All files but the logs that SQLite keeps beside its own while they are open."""
    return {path.name for path in folder.iterdir() if not path.name.endswith(("-wal", "-shm"))}


HELD = "holds something already"
EMPTY = "The database is empty. Run: trade-missions migrate"
#: What is wrong, how it is made, what is said of it, and by which commands.
FAULTS: list[tuple[str, Callable[[Path], Path], str, tuple[str, ...]]] = [
    ("no folder", lambda f: f / "nowhere" / "x.db", "there is no folder", ALL),
    ("a folder", lambda f: f / "folder", "is a folder", ALL),
    ("below a file", lambda f: f / "people.csv" / "x.db", "is not a folder", ALL),
    ("no database", made("x.db", "words" * 999), "not a database", ALL[:-1]),
    ("no database", made("x.db", "words" * 999), HELD, ("restore",)),
    ("no file", lambda f: f / "new.db", EMPTY, READING + WRITING),
    ("an empty file", made("nothing.db"), EMPTY, READING + WRITING),
    ("another program's", others, EMPTY, READING + WRITING),
    ("older", revised("20261122_search"), "Run: trade-missions migrate", ("check", *WRITING)),
    ("newer", revised("of_tomorrow"), "by a newer version.", ALL[:-1]),
    ("newer", revised("of_tomorrow"), HELD, ("restore",)),
]


def test_what_is_wrong_with_a_file_is_one_sentence_of_every_command(folder: Path) -> None:
    wrong = []
    for name, make, words, commands in FAULTS:
        file = make(folder)
        before = databases(folder)
        for command in commands:
            fault = fault_of(tried(command, folder, file), words)
            wrong += [f"{name}: {command}: {fault}"] if fault else []
        if databases(folder) != before:
            wrong.append(f"{name}: files were made: {databases(folder)}")
    assert not wrong, "\n".join(wrong)


def test_what_a_user_may_not_do_is_one_sentence_of_every_command(folder: Path) -> None:
    wrong = []
    # The modes of the folder and of the file, and what is said then.
    for of_folder, of_file, words, commands in (
        (0o600, 0o600, "may not enter the folder", ALL),
        (0o777, 0o000, "may not read", ALL),
        # Where all is there already seeding writes nothing, and what can be read is served.
        (0o777, 0o400, "may not write to", (*WRITING[1:-1], "restore")),
        (0o555, 0o600, "may not write to the folder", ALL),
    ):
        closed = folder / f"{of_folder}-{of_file}"
        closed.mkdir()
        file = Path(shutil.copy(folder / "good.db", closed / "good.db"))
        given(file, of_file)
        closed.chmod(of_folder)
        for command in commands:
            fault = fault_of(tried(command, folder, file, is_nobody=True), words)
            wrong += [f"{of_folder:o} {of_file:o} {command}: {fault}"] if fault else []
        closed.chmod(0o777)
    assert not wrong, "\n".join(wrong)


def test_a_database_of_an_older_version_can_be_backed_up_and_is_looked_at(folder: Path) -> None:
    file = revised("20261122_search")(folder)
    assert tried("backup", folder, file).returncode == 0
    looked = tried("verify", folder, file)
    assert (looked.returncode, looked.stderr) == (1, "")
    assert "not 2" in looked.stdout
    assert "Run: trade-missions migrate" in looked.stdout


def test_without_a_backup_the_database_that_is_named_is_verified(folder: Path) -> None:
    shutil.copy(folder / "good.db", folder / "other.db")
    with closing(sqlite3.connect(folder / "other.db")) as connection:
        connection.execute("DELETE FROM change WHERE seq = 3")
        connection.commit()
    good, other = folder / "good.db", folder / "other.db"
    named = run("verify", "--database", at(other), url=at(good))
    assert (named.returncode, "The change log has" in named.stdout) == (1, True)
    assert run("verify", "--database", at(good), url=at(other)).returncode == 0
    nowhere = run("verify", "--database", at(folder / "no" / "x.db"), url=at(good))
    assert fault_of(nowhere, "there is no folder") is None


def test_a_full_disk_is_not_blamed_on_the_database() -> None:
    for number in (errno.ENOSPC, errno.EPIPE, errno.EIO):
        told = sentence(OSError(number, "as the system says it"))
        assert told == f"Writing failed: {os.strerror(number)}."
