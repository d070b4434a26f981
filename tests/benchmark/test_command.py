"""The command itself: it measures the service beside the floors, and tells what it left out."""

import json
import shutil
from contextlib import ExitStack
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.__main__ import commands
from app.benchmark import contestants
from app.benchmark.data import EMPTY
from app.benchmark.machine import PROC
from app.benchmark.peers import pocketbase
from app.benchmark.peers.bare_server import BareServer
from app.benchmark.peers.contestant import Place
from app.benchmark.peers.environment import Environment
from app.benchmark.run import Options, Run, measure, start
from app.commands.generate import run as generate
from tests.keys import ADMIN_KEY
from tests.templates import seeded_url

#: Everything but peers; what is asked of the service in one process.
JOBS = {
    "start to first answer",
    "one record",
    "list of 50, filtered and sorted",
    "list of 50 with parties and organizations",
    "unchanged list, If-None-Match",
    "search: rare word",
    "search: word in a tenth",
    "search: two words",
    "search: word in all",
    "search: word in all, filtered, by amount",
    "figures by status and currency",
    "figures by currency and status",
    "figures by year(signed) and status",
    "figures by mission.host_country and currency",
    "export as CSV",
    "export, first byte of the first",
    "export, first byte",
    "POST, 16 writers",
    "PATCH, 16 writers",
    "DELETE, 16 writers",
    "import from CSV",
}
MEMORY = {"memory after start", "memory after all jobs"}
MEMORY |= {"export, memory on top", "import, memory on top"}
TINY = ("--rows", "200", "--rounds", "1", "--seconds", "0.05", "--processes", "1", "--no-peers")


class Broken(BareServer):
    """A peer that cannot be set up."""

    name = "broken"

    def set_up(self, place: Place) -> None:
        raise RuntimeError("no such table")


def seeded(url: str, rows: int) -> None:
    """As `prepare`, from the tests' own template instead of migrating and seeding."""
    shutil.copy(seeded_url("sqlite").removeprefix("sqlite:///"), url.removeprefix("sqlite:///"))
    generate(url, 5, 20, rows, 1)


def test_it_measures_the_service_beside_the_floors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.benchmark.run.prepare", seeded)
    # Which the template has for its admin.
    monkeypatch.setattr(contestants, "new_secret", lambda: ADMIN_KEY)
    files = ("--json", str(tmp_path / "all.json"), "--chart", str(tmp_path / "chart.svg"))
    done = CliRunner().invoke(commands, ["benchmark", *TINY, *files])
    assert done.exit_code == 0, done.output
    told = json.loads((tmp_path / "all.json").read_text())
    assert [one for one in told["figures"] if one["fault"] or not one["rounds"]] == []
    names = {one["job"] for one in told["figures"] if one["contestant"] == "trade-missions"}
    assert names == JOBS | (MEMORY if PROC.exists() else set())
    assert all(one["value"] > 0 for one in told["figures"] if "on top" not in one["job"])
    for name in (*JOBS, "bare ASGI server", "bare driver", "goal"):
        assert name in done.stdout
    assert (tmp_path / "chart.svg").read_text().startswith("<svg")


def test_peers_that_are_not_installed_are_left_out_and_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Environment, "versions", {})
    monkeypatch.setattr(pocketbase, "find", lambda folder: None)
    found, missing = contestants.find_contestants(None, 2, "sqlite://", peers=True)
    names = [one.name for one in found]
    assert names == ["bare ASGI server", "trade-missions", "trade-missions × 2"]
    assert set(missing) == {"PocketBase", "FastCRUD", "Django REST framework"}
    assert all("benchmark" in advice and "--python" in advice for advice in missing.values())


def test_jobs_can_be_chosen_by_parts_of_their_names() -> None:
    chosen = {name for name in JOBS if Options(1, 1, 1, only=("post", "List of")).has(name)}
    lists = {"list of 50, filtered and sorted", "list of 50 with parties and organizations"}
    assert chosen == {"POST, 16 writers", *lists}
    assert all(Options(1, 1, 1).has(name) for name in JOBS)


def test_a_job_that_there_is_not_is_told_before_a_server_is_started(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("app.benchmark.run.prepare", seeded)
    told: list[str] = []
    for others in ((), ("growth: page 1",)):
        options = Options(200, 1, 1, only=("growth",))
        if others:
            assert measure(options, [Broken()], told.append, others)[0] == []
            continue
        with pytest.raises(RuntimeError, match="There are: one record;"):
            measure(options, [Broken()], told.append, others)
    assert not any("Setting up" in text for text in told)


def test_a_server_that_does_not_start_is_told_whatever_was_asked_for(tmp_path: Path) -> None:
    """A peer; without the service itself there is nothing to measure."""
    run = Run(Options(1, 1, 1, only=("POST",)), [Broken()], EMPTY, "", None, print)  # type: ignore[arg-type]
    with ExitStack() as stack:
        start(run, {}, tmp_path, stack)
    assert [(one.contestant, one.fault) for one in run.figures] == [("broken", "no such table")]
    assert list(run.serving()) == []


def test_a_file_that_cannot_be_written_is_told_before_anything_is_measured(tmp_path: Path) -> None:
    for option in ("--json", "--chart"):
        done = CliRunner().invoke(commands, ["benchmark", *TINY, option, str(tmp_path)])
        assert isinstance(done.exception, IsADirectoryError), option
