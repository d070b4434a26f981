"""`trade-missions import` as an operator runs it."""

import os
import shutil
import signal
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from sqlalchemy import create_engine, text

from tests import processes
from tests.commands import forked
from tests.commands.test_commands import environment, run
from tests.engine.imports.calls import table
from tests.templates import seeded_url

PATIENCE = 60.0


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """A file of three people, by its name."""
    file = tmp_path / "people.csv"
    file.write_bytes(table(*({"ref": f"by-command-{n}", "full_name": "Иван"} for n in range(3))))
    return file


def counted(url: str) -> tuple[int, int]:
    """How many people were imported, and how many changes the importing command made."""
    engine = create_engine(url)
    with engine.connect() as connection:
        found = [
            connection.scalar(text(query)) or 0
            for query in (
                "SELECT count(*) FROM person WHERE ref LIKE 'by-command-%'",
                "SELECT count(*) FROM change WHERE actor = 'import'",
            )
        ]
    engine.dispose()
    return found[0], found[1]


async def test_it_imports_the_kind_that_its_name_says(fresh_url: str, people: Path) -> None:
    done = run("import", str(people), url=fresh_url)
    assert (done.returncode, done.stdout) == (
        0,
        "Imported: 3 created, 0 updated, 0 unchanged, 0 failed.\n",
    ), done.stderr
    again = run("import", str(people), url=fresh_url)
    assert "3 unchanged" in again.stdout


@pytest.fixture
def file_url(tmp_path: Path) -> str:
    """A seeded database of SQLite, of the test's own."""
    shutil.copy(seeded_url("sqlite").removeprefix("sqlite:///"), tmp_path / "own.db")
    return f"sqlite:///{tmp_path / 'own.db'}"


def test_the_log_names_the_command(file_url: str, people: Path) -> None:
    assert run("import", str(people), url=file_url).returncode == 0
    assert counted(file_url) == (3, 3)


def test_a_dry_run_stores_nothing(file_url: str, people: Path) -> None:
    done = run("import", str(people), "--dry-run", url=file_url)
    assert done.stdout == (
        "Nothing was stored, but would be: 3 created, 0 updated, 0 unchanged, 0 failed.\n"
    )
    assert counted(file_url) == (0, 0)


def test_errors_are_a_table(file_url: str, tmp_path: Path) -> None:
    file = tmp_path / "some.csv"
    file.write_bytes(table({"ФИО": "", "note": "[bold]", "ref": "by-command-x"}))
    arguments = ("import", str(file), "--kind", "people", "--columns", "ФИО=full_name")
    done = run(*arguments, url=file_url)
    assert done.returncode == 1
    for told in ("row", "column", "what", "ФИО", "1 of 1 rows fail", "nothing was stored"):
        assert told in done.stderr
    lenient = run(*arguments, "--lenient", url=file_url)
    assert (lenient.returncode, "1 failed" in lenient.stdout) == (1, True)


def test_what_cannot_be_is_said_in_a_sentence(file_url: str) -> None:
    """It names the file or the kind, and says what would be right."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        for file in ("people.csv", "persons-2.csv", "peple.csv", "people.txt", "people.cvs"):
            (folder / file).write_bytes(table({"full_name": "A"}))
        (folder / "secret.csv").write_bytes(b"full_name\nA\n")
        (folder / "secret.csv").chmod(0)
        (folder / "folder.csv").mkdir()
        os.mkfifo(folder / "pipe.csv")
        cases: list[tuple[list[str], tuple[str, ...]]] = [
            (["none.csv"], ("There is no file", "none.csv")),
            (["poeple.csv"], ("There is no file", "poeple.csv", "Did you mean 'pe")),
            (["nowhere/people.csv"], ("There is no file", "nowhere/people.csv")),
            (["people.csv/people.csv"], ("people.csv/people.csv",)),
            ([""], ("Name the file", "agreements.csv")),
            (["."], ("Name the file", "agreements.csv")),
            ([".."], (".. is a folder", "agreements.csv")),
            (["folder.csv"], ("folder.csv is a folder", "agreements.csv")),
            (["pipe.csv"], ("pipe.csv is no file",)),
            (["secret.csv", "--kind", "people"], ("secret.csv", "may read")),
            (["x" * 300 + ".csv"], ("cannot be read",)),
            (["people.txt"], ("people.txt", ".csv, .tsv, .xlsx, .ods, .ndjson")),
            (["people.cvs"], ("people.cvs", "mean 'csv'")),
            (["persons-2.csv"], ("persons-2.csv", "give --kind", "Possible: ")),
            (["peple.csv"], ("peple.csv", "give --kind", "mean 'people'")),
            (["people.csv", "--kind", "nothing"], ("'nothing' is no kind", "Possible: ")),
            (["people.csv", "--kind", ""], ("'' is no kind", "Possible: ")),
            (["people.csv", "--kind", "agreemens"], ("mean 'agreements'",)),
            (["people.csv", "--columns", "A=nothing"], ("not a field",)),
        ]
        found = []
        for (file, *rest), words in cases:
            path = str(folder / file) if file.strip(".") else file
            told = forked.run("import", path, *rest, url=file_url, is_nobody=True)
            found.append(forked.fault_of(told, *words))
        assert [fault for fault in found if fault] == []


def test_a_kind_is_named_by_its_address_or_its_name(file_url: str, tmp_path: Path) -> None:
    wrong = []
    for name in ("exchange-rates", "exchange_rate", "Exchange Rates", "EXCHANGE-RATE"):
        for file, *kind in ((f"{name}.csv",), ("some.csv", "--kind", name)):
            (tmp_path / file).write_bytes(b"base\n")
            arguments = (str(tmp_path / file), *kind, "--columns", "A=nothing")
            told = forked.run("import", *arguments, url=file_url)
            wrong.append(forked.fault_of(told, "not a field of exchange rates"))
    assert [fault for fault in wrong if fault] == []


def test_a_kill_in_the_middle_leaves_nothing(file_url: str, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    # Long rows, so that the database cannot keep them all in memory for long.
    rows = ({"ref": f"by-command-{n}", "full_name": "A", "note": "x" * 5000} for n in range(6000))
    file.write_bytes(table(*rows))
    with (tmp_path / "printed").open("wb") as printed:
        process = processes.start(
            processes.COMMANDS,
            "import",
            str(file),
            environment=environment(file_url),
            stdout=printed.fileno(),
            stderr=printed.fileno(),
        )
    log = Path(f"{file_url.removeprefix('sqlite:///')}-wal")
    until = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < until:
        # Something of the import has reached the disk by now.
        if log.exists() and log.stat().st_size > 1_000_000:
            break
        time.sleep(0.01)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    assert counted(file_url) == (0, 0)


async def test_it_is_told_how_a_file_is_to_be_read(file_url: str, tmp_path: Path) -> None:
    """And tells what it left out."""
    file = tmp_path / "people.csv"
    file.write_bytes("ref;full_name\nby-command-9;Иван\n;Итого\n".encode("cp1251"))
    said = ("--encoding", "windows-1251", "--delimiter", ";")
    done = run("import", str(file), *said, url=file_url)
    assert "1 created" in done.stdout, done.stderr
    assert "The row holds totals" in done.stderr
    for wrong in (("--encoding", "klingon"), ("--delimiter", "x"), ("--sheet", "A")):
        refused = run("import", str(file), *wrong, url=file_url)
        assert refused.returncode != 0
        assert wrong[0].strip("-") in refused.stderr
        assert "Traceback" not in refused.stderr


def test_it_takes_sheets_as_people_have_them(file_url: str, tmp_path: Path) -> None:
    """And a dry run shows what each cell was taken for."""
    file = tmp_path / "agreements.csv"
    rows = "Сделки\n№;Поставщик;Вид;Дата подписания;Кто\n1;ТОО «Жайлау»;Меморандум;12/04/19;x\n"
    file.write_text(rows, encoding="utf-8")
    said = ("--create-missing", "--skip-unknown", "--header-row", "2", "--date-format", "dd/mm/yy")
    told = forked.run("import", str(file), "--dry-run", *said, url=file_url)
    assert "1 created" in told.stdout, told.stderr
    # The table may be narrow, and break what is longer.
    for words in ("Жайлау", "memorandum_of", "2019-04-12", "was not there", "The column is left"):
        assert words in told.stderr, told.stderr
    wrong = forked.run("import", str(file), "--date-format", "dd/mm", url=file_url)
    assert forked.fault_of(wrong, "date_format", "dd.mm.yyyy") is None
