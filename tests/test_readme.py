"""The README and the pages of docs/ tell of everything there is, and of nothing else."""

import json
import re
import shlex
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx
import pytest
import typer

from app.__main__ import commands
from app.guide.command import ADDRESS
from app.guide.text import Example
from app.settings import Settings
from tests.guide.guide_answers import send
from tests.keys import ADMIN_KEY

ROOT = Path(__file__).parent.parent
FILES = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md")))
PAGES = {file: file.read_text() for file in FILES}
README = PAGES[ROOT / "README.md"]
OPERATIONS = PAGES[ROOT / "docs" / "operations.md"]
TEXT = "\n".join(PAGES.values())
FENCES = re.compile(r"^```\w*(?: \S+)?\n(.*?)^```", re.MULTILINE | re.DOTALL)
FENCED = FENCES.findall(README + OPERATIONS + PAGES[ROOT / "docs" / "webhooks.md"])
INLINE = re.findall(r"`([^`\n]+)`", FENCES.sub("", TEXT))
CODE = "\n".join([*FENCED, *INLINE])
MAP = FENCES.findall(README.partition("\n## Map\n")[2])[0]
PREFIX = str(Settings.model_config["env_prefix"])


def rows(first: str) -> dict[str, str]:
    """The rows of tables whose first cell is code that begins so, by the rest of that cell."""
    found = re.findall(rf"^\| `{first}(\w+)` \| (.*) \|$", OPERATIONS, re.MULTILINE)
    return dict(found)


def command_options() -> dict[str, set[str]]:
    """The options of each command."""
    group = typer.main.get_command(commands)
    found: dict[str, set[str]] = {}
    for name, command in getattr(group, "commands", {}).items():
        found[name] = {flag for parameter in command.params for flag in parameter.opts}
    return found


def folders(parent: Path) -> set[str]:
    ignored = {line.rstrip("/") for line in (ROOT / ".gitignore").read_text().splitlines()}
    return {
        path.name
        for path in parent.iterdir()
        if path.is_dir() and not path.name.startswith(".") and path.name not in ignored
        if path.suffix != ".egg-info"
        # A folder that is no more may still hold what was compiled of it.
        if any(file.is_file() and file.suffix != ".pyc" for file in path.rglob("*"))
    }


def test_the_table_of_commands_is_complete() -> None:
    assert set(rows("trade-missions ")) == set(command_options())


def test_every_option_that_is_told_is_one_of_its_command() -> None:
    for name, told in rows("trade-missions ").items():
        assert set(re.findall(r"--[a-z-]+", told)) <= command_options()[name]


def test_the_table_of_settings_is_complete_and_names_the_defaults() -> None:
    told = {name: row.split(" | ")[0].strip("`") for name, row in rows(PREFIX).items()}
    fields = Settings.model_fields.items()
    assert told == {name.upper(): as_set(field.default) for name, field in fields}


def as_set(default: Any) -> str:
    """The default as an operator would write it."""
    match default:
        case None | [] | "":
            return "none"
        case bool():
            return str(default).lower()
        case dict():
            return ",".join(f"{name}={value}" for name, value in default.items())
        case list() | tuple():
            return ",".join(str(item) for item in default)
    return str(default)


def test_every_variable_that_is_told_is_read_by_somebody() -> None:
    compose = (ROOT / "docker-compose.yml").read_text()
    names = {f"{PREFIX}{name}".upper() for name in Settings.model_fields}
    for name in re.findall(rf"{PREFIX}\w*[A-Z]", TEXT):
        assert name in names or f"${{{name}" in compose


@pytest.mark.parametrize("target", ["serve", "test"])
def test_the_two_commands_are_told(target: str) -> None:
    assert re.search(rf"^make {target}\b", CODE, re.MULTILINE)


def test_every_make_target_that_is_told_is_in_the_makefile() -> None:
    made = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"^make ([\w-]+)", CODE, re.MULTILINE)) <= made


def test_the_map_shows_every_folder_and_every_module_at_the_top() -> None:
    top = set(re.findall(r"^([\w-]+)/", MAP, re.MULTILINE))
    assert top == folders(ROOT)
    below = set(re.findall(r"^  ([\w-]+)/", MAP, re.MULTILINE))
    assert below == folders(ROOT / "app")
    modules = {path.name for path in (ROOT / "app").glob("*.py")} - {"__init__.py"}
    assert set(re.findall(r"^  (\w+\.py)", MAP, re.MULTILINE)) == modules


def test_every_file_on_the_map_is_there() -> None:
    for name in re.findall(r"^([\w.-]+\.\w+|[A-Z]\w+) ", MAP, re.MULTILINE):
        assert (ROOT / name).is_file()


def sections(page: str) -> set[str]:
    """The addresses of the sections of a page."""
    titles = re.findall(r"^#+ (.*)$", FENCES.sub("", page), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def test_every_relative_link_leads_somewhere() -> None:
    for file, page in PAGES.items():
        for link in re.findall(r"\]\(([^)\s]+)\)", FENCES.sub("", page)):
            name, _, section = link.partition("#")
            target = (file.parent / name).resolve() if name else file
            if re.match(r"[a-z]+:", link) or link.startswith("guide"):
                continue
            assert target.exists(), f"{file.name}: {link}"
            assert not section or section in sections(PAGES[target]), f"{file.name}: {link}"


def test_every_file_that_is_named_is_there() -> None:
    named = [name for name in INLINE if re.fullmatch(r"(app|seeds|tests|docs)/[\w/.-]+", name)]
    assert len(named) > 10
    # Texts are put into a folder of their own, which no checkout has.
    assert [n for n in named if not (ROOT / n).exists() and n != "seeds/texts/"] == []


def test_every_page_of_the_documentation_is_linked() -> None:
    linked = {(ROOT / link).resolve() for link in re.findall(r"\]\(([\w/.-]+)[)#]", README)}
    assert set(FILES) - {ROOT / "README.md"} <= linked


def test_the_order_of_imports_is_the_one_that_is_checked() -> None:
    told = re.search(r"`(\w+(?: → \w+)+)`", README)
    assert told is not None
    project = (ROOT / "pyproject.toml").read_text()
    layers = re.findall(r'^    "app\.(\w+)",$', project.partition("layers = [")[2], re.MULTILINE)
    assert told[1].split(" → ") == layers[1 : len(told[1].split(" → ")) + 1]


async def test_the_answer_at_the_top_is_the_real_one(fresh: httpx.AsyncClient) -> None:
    command, _, told = FENCED[0].partition("\n")
    answer = await send(fresh, Example(command), {})
    assert answer.text.startswith('{\n  "')
    whole = answer.json()
    # What is left out is marked; all else stands there as it is answered.
    shown = json.loads(re.sub(r",?\s*…", "", told))
    assert shown == {name: part_of(whole[name], shown[name]) for name in shown}


def part_of(whole: Any, shown: Any) -> Any:
    """Of a value what stands in a shortened one too."""
    if isinstance(shown, list):
        return [part_of(*pair) for pair in zip(whole, shown, strict=True)]
    return {name: whole[name] for name in shown} if isinstance(shown, dict) else whole


async def test_every_request_that_is_told_is_answered(fresh: httpx.AsyncClient) -> None:
    lines = "\n".join(FENCED).replace("\\\n", " ").splitlines()
    told = [line for line in lines if line.startswith("curl ") and ADDRESS in line]
    assert len(told) >= 3
    for line in told:
        command = shlex.join(shlex.split(line, comments=True)).replace("':$KEY'", ":$KEY")
        answer = await send(fresh, Example(command), {"KEY": ADMIN_KEY})
        assert answer.is_success, f"{line}: {answer.text}"
        shown = answer.json()
        assert shown.get("data", shown), f"{line} shows nothing"


def test_the_commands_run_as_they_are_written(tmp_path: Path) -> None:
    # The two places where an installation puts them, as the README says before it names them.
    paths = re.findall(r'^export PATH="(\S+)/bin:\$PATH"$', CODE, re.MULTILINE)
    assert paths == ["$PWD/.venv", "/opt/trade-missions"]
    for line in re.findall(r"^.*trade-missions \w.*$", "\n".join(FENCED), re.MULTILINE):
        page = next(page for page in PAGES.values() if line in page)
        assert page.index(line) > page.index("export PATH"), line
    assert f"python3 -m venv {paths[1]}\n" in OPERATIONS
    (tmp_path / ".venv").symlink_to(sys.prefix)
    script = (
        f'export PATH="{paths[0]}/bin:$PATH"\ncommand -v trade-missions\ntrade-missions --version'
    )
    done = subprocess.run(
        ["/bin/sh", "-ec", script],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        f"{tmp_path}/.venv/bin/trade-missions",
        f"trade-missions {version('trade-missions')}",
    ]
