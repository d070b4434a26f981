"""The recipes of CONTRIBUTING.md, followed to the letter in a copy of the project."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.conftest import copy_of
from tests.templates import seeded_url

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "CONTRIBUTING.md").read_text()
RECIPES = ("Add a kind", "Add a field", "Add a value")
FENCE = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COPIED = (
    "app",
    "migrations",
    "seeds",
    "tests",
    "docs",
    "pyproject.toml",
    "README.md",
    "CONTRIBUTING.md",
)

#: Rows as an office has them by the time that a field and a value are added, and what they are
#: after each migration.
ROWS = """
import asyncio, sys
from sqlalchemy import text
from app.commands.connection import engine_run
from app.commands.migrate import compare, downgrade, migrate
from app.commands.seed import run as seed
from app.core.databases.schema_revision import newest

MISSION = "015407c4-8400-7515-a6b6-97a29d0eaaaa"
STAMPS = "1, '2016-04-12T09:30:00.000000Z', '2016-04-12T09:30:00.000000Z'"
SQL = (
    "INSERT INTO mission (id, title, kind, status, version, created_at, updated_at)"
    f" VALUES ('{MISSION}', 'Fair', 'trade_fair', 'held', {STAMPS})",
    "INSERT INTO booth (id, mission_id, name, size, version, created_at, updated_at)"
    f" VALUES ('{MISSION}', '{MISSION}', 'Machines', 'large', {STAMPS})",
)

def insert(connection):
    for statement in SQL:
        connection.execute(text(statement))

def delete(connection):
    for table in ("booth", "mission"):
        connection.execute(text(f"DELETE FROM {table} WHERE id = '{MISSION}'"))

def rows(connection):
    return connection.execute(text("SELECT name, size FROM booth")).all()

def labels(connection):
    sizes = "SELECT code, kk FROM term WHERE list = 'booth-sizes' ORDER BY code"
    return connection.execute(text(sizes)).all()

async def main(url, kind):
    await migrate(url, to=kind)
    await engine_run(url, insert)
    for step in (lambda: migrate(url), lambda: downgrade(url, kind), lambda: migrate(url)):
        await step()
        assert await engine_run(url, rows) == [("Machines", "large")]
    assert await compare(url) == []
    await engine_run(url, delete)
    await seed(url, None)
    assert await engine_run(url, labels) == [
        ("large", "Үлкен"), ("open_air", "Ашық аспан астында"), ("small", "Шағын")
    ]

for url in sys.argv[2:]:
    asyncio.run(main(url, sys.argv[1]))
"""
#: Imports the program of the copy once, and forks for each command line that it is told, with the
#: files for what it prints: a new interpreter takes more than a second of CPU to come as far.
LOADED = """
import json, os, sys
import alembic.config, app.commands.check, app.commands.migrate, app.commands.seed, app.main
from app.__main__ import main

def run(program, *arguments):
    sys.argv = [program, *arguments]
    if program == "-c":
        exec(sys.argv.pop(1), {"__name__": "__main__"})
    elif program == "alembic":
        alembic.config.main()
    elif program == "pytest":
        import pytest
        import tests.templates
        # The databases that were migrated by the recipe are what its tests begin with.
        tests.templates.prepare = lambda: None
        # Of libraries that the program has imported before; the tests are not among them.
        sys.argv += ["-W", "ignore:Module already imported so cannot be rewritten"]
        sys.exit(pytest.console_main())
    else:
        main()

for line in sys.stdin:
    command, out, err = json.loads(line)
    child = os.fork()
    if not child:
        for place, path in ((1, out), (2, err)):
            os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), place)
        run(*command)
        break
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""
#: What a line of the recipes begins with, and what is run for it.
PROGRAMS = {
    ".venv/bin/alembic ": "alembic ",
    ".venv/bin/trade-missions ": "trade-missions ",
    ".venv/bin/python -m pytest ": "pytest ",
}


def steps(recipe: str) -> Iterator[tuple[str, str, str]]:
    """What a recipe tells to do: `python` writes a file, `diff` changes one, `sh` runs lines."""
    part = TEXT.partition(f"\n## {recipe}\n")[2].partition("\n## ")[0]
    found = FENCE.findall(part)
    assert {kind for kind, _, _ in found} >= {"diff", "sh"}
    yield from found


def changed(text: str, diff: str) -> str:
    """The text with the lines that begin with `+`, and without those that begin with `-`."""
    for hunk in diff.split("@@\n"):
        lines = hunk.splitlines()
        before = "".join(f"{line[1:]}\n" for line in lines if not line.startswith("+"))
        after = "".join(f"{line[1:]}\n" for line in lines if not line.startswith("-"))
        assert text.count(before) == 1, f"not there once:\n{before}"
        text = text.replace(before, after)
    return text


class Loaded:
    """A process that has the program loaded as it lies in a folder, and runs command lines."""

    def __init__(self, folder: Path, url: str, *templates: str) -> None:
        self.printed = [str(folder / name) for name in ("out.txt", "err.txt")]
        settings = {"PYTHONPATH": str(folder), "TRADE_MISSIONS_DATABASE_URL": url}
        for kind, template in zip(("SQLITE", "POSTGRESQL"), templates, strict=True):
            settings[f"TEST_SEEDED_{kind}"] = template
        self.process = subprocess.Popen(
            [sys.executable, "-c", LOADED],
            cwd=folder,
            env=os.environ | settings,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, *command: str) -> str:
        """What the command prints; it must succeed."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps([command, *self.printed]) + "\n")
        self.process.stdin.flush()
        status = self.process.stdout.readline()
        out, err = (Path(path).read_text() for path in self.printed)
        assert status == "0\n", f"{command}\n{out[-4000:]}\n{err[-4000:]}"
        return out

    def line(self, line: str) -> str:
        """As `run`, of a line of a recipe."""
        (begins,) = (each for each in PROGRAMS if line.startswith(each))
        assert Path(sys.prefix, "bin", Path(begins.split()[0]).name).is_file()
        return self.run(*shlex.split(PROGRAMS[begins] + line.removeprefix(begins)))

    def __enter__(self) -> "Loaded":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()


class Copy:
    """A copy of the project, in which the recipes are followed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in COPIED:
            if (ROOT / name).is_file():
                shutil.copy(ROOT / name, folder / name)
            else:
                ignored = shutil.ignore_patterns("__pycache__", "texts")
                shutil.copytree(ROOT / name, folder / name, ignore=ignored)
        (folder / ".venv").symlink_to(sys.prefix)

    def change(self, recipe: str) -> list[str]:
        """Write what the recipe says; the lines to run then, without its tests."""
        lines = []
        for kind, name, body in steps(recipe):
            file = self.folder / name
            if kind == "python":
                file.write_text(body)
            elif kind == "diff":
                file.write_text(changed(file.read_text(), body))
            else:
                lines += [line for line in body.splitlines() if "pytest" not in line]
        return lines


@pytest.fixture
async def urls(tmp_path: Path) -> AsyncIterator[list[str]]:
    """Databases as they are before: one of SQLite for the recipe, and one of each kind."""
    async with AsyncExitStack() as stack:
        kinds = ("sqlite", "sqlite", "postgresql")
        copies = [copy_of(seeded_url(kind), tmp_path) for kind in kinds]
        yield [await stack.enter_async_context(copy) for copy in copies]


async def test_the_recipes_work_to_the_letter(tmp_path: Path, urls: list[str]) -> None:
    folder = tmp_path / "copy"
    folder.mkdir()
    copy = Copy(folder)
    before = set((folder / "migrations/versions").iterdir())
    printed = []
    for recipe in RECIPES:
        lines = copy.change(recipe)
        with Loaded(folder, *urls) as loaded:
            printed.append([loaded.line(line) for line in lines])
            if recipe == RECIPES[-1]:
                assert_rows_are_kept(folder, loaded, before, urls[1:])
                assert_the_contract_holds(loaded)
    migrated, seeded, checked = printed[0][1:]
    assert (migrated, checked) == ("The database was migrated.\n", "All is well.\n")
    assert seeded.endswith("3 codes written.\n")
    assert printed[1][1:] == ["The database was migrated.\n"]
    assert printed[2][1] == "The database was migrated.\n"


def assert_rows_are_kept(folder: Path, loaded: Loaded, before: set[Path], urls: list[str]) -> None:
    """The migrations are named and written as the others are, and rows in the table survive them
    on both databases."""
    made = sorted(set((folder / "migrations/versions").glob("*.py")) - before)
    names = [re.fullmatch(r"\d{4}_\d\d_\d\d_(\w+)\.py", file.name) for file in made]
    assert {name and name[1] for name in names} == {
        "booths",
        "halls_of_booths",
        "booths_in_the_open",
    }
    for tool in (["format", "--check"], ["check"]):
        command = [sys.executable, "-m", "ruff", *tool, "app", "migrations"]
        subprocess.run(command, cwd=folder, check=True, timeout=60, stdout=subprocess.DEVNULL)
    (kind,) = (file for file in made if re.fullmatch(r"[\d_]+_booths.py", file.name))
    revision = re.findall(r'^revision = "(\w+)"', kind.read_text(), re.MULTILINE)
    loaded.run("-c", ROWS, *revision, *urls)


def assert_the_contract_holds(loaded: Loaded) -> None:
    """The tests that the recipe names pass, on both databases too."""
    lines = [
        line for _, _, body in steps(RECIPES[0]) for line in body.splitlines() if "pytest" in line
    ]
    for line, least in zip(lines, (200, 50), strict=True):
        passed = re.search(r"(\d+) passed", loaded.line(f"{line} -q"))
        assert passed
        assert int(passed[1]) > least
