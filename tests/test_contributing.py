"""The recipes of CONTRIBUTING.md, followed to the letter in a copy of the project."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.test_migrations import empty_database

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "CONTRIBUTING.md").read_text()
RECIPES = ("Add a kind", "Add a field", "Add a value")
FENCE = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COPIED = ("app", "migrations", "seeds", "tests", "pyproject.toml", "README.md", "CONTRIBUTING.md")

#: Rows as an office has them by the time that a field and a value are added, and what they are
#: after each migration.
ROWS = """
import asyncio, sys
from sqlalchemy import text
from app.commands.migrate import compare, downgrade, engine_run, migrate
from app.core.revisions import newest

MISSION = "015407c4-8400-7515-a6b6-97a29d0eaa22"
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

def rows(connection):
    return connection.execute(text("SELECT name, size FROM booth")).all()

async def main(url, kind):
    await migrate(url, to=kind)
    await engine_run(url, insert)
    for step in (lambda: migrate(url), lambda: downgrade(url, kind), lambda: migrate(url)):
        await step()
        assert await engine_run(url, rows) == [("Machines", "large")]
    assert await compare(url) == []

for url in sys.argv[2:]:
    asyncio.run(main(url, sys.argv[1]))
"""


def steps(recipe: str) -> Iterator[tuple[str, str, str]]:
    """What a recipe tells to do: `python` writes a file, `diff` changes one, `sh` runs lines."""
    part = TEXT.partition(f"\n## {recipe}\n")[2].partition("\n## ")[0]
    found = FENCE.findall(part)
    assert {kind for kind, _, _ in found} >= {"diff", "sh"}
    yield from found


def changed(text: str, diff: str) -> str:
    """The text with the lines that begin with `+`, after those that are there."""
    lines = diff.splitlines()
    before = "".join(f"{line[1:]}\n" for line in lines if line.startswith(" "))
    after = "".join(f"{line[1:]}\n" for line in lines)
    assert text.count(before) == 1, f"not there once:\n{before}"
    return text.replace(before, after)


class Copy:
    """A copy of the project, in which lines of a shell are run."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.url = folder, url
        for name in COPIED:
            if (ROOT / name).is_file():
                shutil.copy(ROOT / name, folder / name)
            else:
                ignored = shutil.ignore_patterns("__pycache__", "texts")
                shutil.copytree(ROOT / name, folder / name, ignore=ignored)
        (folder / ".venv").symlink_to(sys.prefix)

    def run(self, *command: str) -> str:
        """What the command prints; it must succeed."""
        settings = {"PYTHONPATH": str(self.folder), "TRADE_MISSIONS_DATABASE_URL": self.url}
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=os.environ | settings,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
        return done.stdout

    def follow(self, recipe: str) -> list[str]:
        """Do what the recipe says; what its lines have printed. Its tests are left for later."""
        printed = []
        for kind, name, body in steps(recipe):
            if kind == "python":
                (self.folder / name).write_text(body)
            elif kind == "diff":
                file = self.folder / name
                file.write_text(changed(file.read_text(), body))
            else:
                lines = [line for line in body.splitlines() if "pytest" not in line]
                printed += [self.run("sh", "-c", line) for line in lines]
        return printed


@pytest.fixture
def urls(tmp_path: Path) -> Iterator[list[str]]:
    """Empty databases of both kinds, and one for the recipe."""
    with ExitStack() as stack:
        kinds = ("sqlite", "sqlite", "postgresql")
        yield [stack.enter_context(empty_database(kind, tmp_path)) for kind in kinds]


def test_the_recipes_work_to_the_letter(tmp_path: Path, urls: list[str]) -> None:
    folder = tmp_path / "copy"
    folder.mkdir()
    copy = Copy(folder, urls[0])
    before = set((folder / "migrations/versions").iterdir())
    printed = [copy.follow(recipe) for recipe in RECIPES]
    assert printed[0][1:] == ["The database was migrated.\n", "All is well.\n"]
    assert printed[1][1:] == ["The database was migrated.\n"]
    assert printed[2][1] == "The database was migrated.\n"

    # As the others are named and written.
    made = sorted(set((folder / "migrations/versions").glob("*.py")) - before)
    names = [re.fullmatch(r"\d{4}_\d\d_\d\d_(\w+)\.py", file.name) for file in made]
    assert {name and name[1] for name in names} == {
        "booths",
        "halls_of_booths",
        "booths_in_the_open",
    }
    for tool in (["format", "--check"], ["check"]):
        copy.run(sys.executable, "-m", "ruff", *tool, "app", "migrations")

    # With rows in the table, on both databases.
    (kind,) = (file for file in made if re.fullmatch(r"[\d_]+_booths.py", file.name))
    revision = re.findall(r'^revision = "(\w+)"', kind.read_text(), re.MULTILINE)
    copy.run(sys.executable, "-c", ROWS, *revision, *urls[1:])

    # The contract, as the recipe says, on both databases too.
    (line,) = (
        line for _, _, body in steps(RECIPES[0]) for line in body.splitlines() if "pytest" in line
    )
    passed = re.search(r"(\d+) passed", copy.run("sh", "-c", f"{line} -q"))
    assert passed
    assert int(passed[1]) > 200
