"""The commands as an operator runs them: processes with arguments, output and an exit status.

Most are forks of a process that has the program loaded; some are started by `python -m app`.
"""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from app import api
from tests import processes
from tests.keys import ADMIN_KEY, BEARER
from tests.listening import free_port
from tests.servers import running_server
from tests.templates import migrated_url, seeded_url
from tests.test_migrations import empty_database

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0
SUMMARY = "/missions/novosibirsk-april/summary"
NAMES = {
    "serve",
    "migrate",
    "seed",
    "reindex",
    "check",
    "encrypt",
    "backup",
    "restore",
    "verify",
    "generate",
    "benchmark",
    "import",
    "openapi",
    "routes",
}


@pytest.fixture
def bare_url(database_kind: str, tmp_path: Path) -> Iterator[str]:
    """An empty database of the test's own, on both kinds."""
    with empty_database(database_kind, tmp_path) as url:
        yield url


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where a database of SQLite can be; there is none yet."""
    return tmp_path / "operated.db"


@pytest.fixture
def ready(file: Path) -> Path:
    """A migrated and seeded database of the test's own."""
    shutil.copy(seeded_url("sqlite").removeprefix("sqlite:///"), file)
    return file


def at(file: Path) -> str:
    return f"sqlite:///{file}"


def environment(url: str | None) -> dict[str, str]:
    """The environment without any setting but the database's address and the tests' key."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("TRADE_MISSIONS_")}
    kept["TRADE_MISSIONS_ADMIN_KEY"] = ADMIN_KEY
    return kept | ({} if url is None else {"TRADE_MISSIONS_DATABASE_URL": url})


def run(*arguments: str, url: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return processes.run(*arguments, environment=environment(url))


def run_anew(*arguments: str, url: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, in an interpreter of its own."""
    return subprocess.run(
        [sys.executable, "-m", "app", *arguments],
        cwd=ROOT,
        env=environment(url),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


class ServerAnew:
    """A server that `python -m app` starts."""

    def __init__(self, url: str, *options: str) -> None:
        port = free_port()
        self.address = f"http://127.0.0.1:{port}"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "app", "serve", "--port", str(port), *options],
            cwd=ROOT,
            env=environment(url),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def wait(self) -> None:
        """Until it answers."""
        deadline = time.monotonic() + PATIENCE
        while self.process.poll() is None and time.monotonic() < deadline:
            try:
                with self.client() as client:
                    client.get("/health/live")
            except httpx.TransportError:
                time.sleep(0.05)
            else:
                return
        pytest.fail(f"The server did not answer: {self.stop()}")

    def client(self) -> httpx.Client:
        """A client with the tests' key, on a connection of its own."""
        return httpx.Client(base_url=self.address, headers=BEARER, timeout=30, verify=False)

    def get(self, path: str) -> Any:
        with self.client() as client:
            answer = client.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, body: dict[str, Any]) -> httpx.Response:
        with self.client() as client:
            return client.post(path, json=body)

    def stop(self) -> str:
        """Ask it to end; what it has printed."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.communicate(timeout=PATIENCE)[0]
        finally:
            self.process.kill()


@contextmanager
def served_anew(url: str, *options: str) -> Iterator[ServerAnew]:
    """A server that answers, as long as the context lasts."""
    server = ServerAnew(url, *options)
    try:
        server.wait()
        yield server
    finally:
        if server.process.poll() is None:
            server.stop()


def change(file: Path, statement: str) -> None:
    """Do to the file what no program of ours does."""
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA foreign_keys=OFF")
        assert connection.execute(statement).rowcount > 0
        connection.commit()


def assert_not_well(url: str, *words: str) -> None:
    """The check finds something and tells it in sentences, without a traceback."""
    checked = run("check", url=url)
    assert checked.returncode == 1
    for word in words:
        assert word in checked.stdout
    assert "Traceback" not in checked.stdout + checked.stderr


def assert_not_checked(url: str, *words: str) -> None:
    """There is nothing to check, and why is told as by every command: as an error."""
    checked = run("check", url=url)
    assert (checked.returncode, checked.stdout) == (2, "")
    for word in words:
        assert word in checked.stderr
    assert "Traceback" not in checked.stdout + checked.stderr


# What there is


def test_the_help_names_every_command() -> None:
    told = run_anew("--help")
    assert told.returncode == 0
    assert {name for name in NAMES if f" {name} " in told.stdout} == NAMES


def test_forks_say_and_end_as_what_is_started_anew_does(file: Path) -> None:
    for arguments in (("nonsense",), ("check",), ("migrate", "--help")):
        one, other = (begun(*arguments, url=at(file)) for begun in (run, run_anew))
        assert one.returncode == other.returncode, arguments
        assert (one.stdout, one.stderr) == (other.stdout, other.stderr)


def test_every_command_has_help() -> None:
    for name in sorted(NAMES):
        told = run(name, "--help")
        assert told.returncode == 0, name
        assert "Usage:" in told.stdout, name


def test_the_openapi_document_is_printed_as_json_without_a_database() -> None:
    told = run("openapi", url="sqlite:////nowhere/at-all.db")
    assert told.returncode == 0, told.stderr
    document = json.loads(told.stdout)
    assert document["openapi"].startswith("3.1")
    assert SUMMARY.replace("novosibirsk-april", "{key}") in document["paths"]


def test_the_routes_are_all_operations() -> None:
    told = run("routes")
    assert told.returncode == 0
    listed = {tuple(line.split()) for line in told.stdout.splitlines()}
    assert listed == {
        (method, route.path, *filter(None, [route.operation_id]))
        for route in api.routes()
        for method in route.methods or ()
    }


# Migrate, seed, check


def test_a_database_is_made_from_nothing(bare_url: str) -> None:
    assert run("migrate", url=bare_url).stdout == "The database was migrated.\n"
    assert run("migrate", url=bare_url).stdout == "The database is up to date.\n"
    first, second = (run("seed", url=bare_url) for _ in range(2))
    assert (first.returncode, second.returncode) == (0, 0)
    assert " 0 records created, 0 updated, " in second.stdout
    assert " 0 records created" not in first.stdout
    checked = run("check", url=bare_url)
    assert (checked.returncode, checked.stdout) == (0, "All is well.\n")


def test_a_database_that_is_migrated_but_not_seeded_is_well(file: Path) -> None:
    shutil.copy(migrated_url("sqlite").removeprefix("sqlite:///"), file)
    assert run("check", url=at(file)).stdout == "All is well.\n"


def test_synthetic_records_are_made(ready: Path) -> None:
    options = ("--agreements", "30", "--companies", "5", "--missions", "2")
    told = run("generate", *options, url=at(ready))
    assert told.returncode == 0, told.stderr
    assert "Made 2 missions, 5 companies and 30 agreements." in told.stdout
    assert run("check", url=at(ready)).stdout == "All is well.\n"


def test_a_check_of_an_empty_database_says_what_to_do(bare_url: str) -> None:
    assert_not_checked(bare_url, "The database is empty.", "trade-missions migrate")


def test_a_check_of_a_server_that_is_not_there_says_so() -> None:
    url = f"postgresql://nobody@127.0.0.1:{free_port()}/nothing"
    assert_not_checked(url, "The database cannot be reached:")


def test_a_check_of_a_folder_that_is_not_there_says_so(tmp_path: Path) -> None:
    assert_not_checked(f"sqlite:///{tmp_path}/nowhere/x.db", "The database cannot be reached:")


def test_a_check_of_a_file_that_is_no_database_says_so(file: Path) -> None:
    file.write_text("These are a few words and no database at all. " * 100)
    assert_not_checked(at(file), "The database cannot be reached:", "not a database")


def test_a_check_of_another_revision_says_what_to_do(ready: Path) -> None:
    change(ready, "UPDATE alembic_version SET version_num = '20261122_search'")
    assert_not_checked(at(ready), "20261122_search", "Run: trade-missions migrate")


def test_a_lost_change_is_found(ready: Path) -> None:
    change(ready, "DELETE FROM change WHERE seq = 3")
    assert_not_well(at(ready), "The change log has ", "the counter says ")


def test_a_record_that_others_refer_to_and_is_gone_is_found(ready: Path) -> None:
    change(
        ready,
        "DELETE FROM organization WHERE id ="
        " (SELECT organization_id FROM agreement_party WHERE organization_id NOT NULL LIMIT 1)",
    )
    assert_not_well(at(ready), "what it refers to in organization is gone")


def test_a_record_that_was_changed_past_the_log_is_found(ready: Path) -> None:
    change(ready, "UPDATE mission SET version = version + 1")
    assert_not_well(at(ready), "missions differ from their last change.")


def test_a_citation_of_a_record_that_is_gone_is_found(ready: Path) -> None:
    change(
        ready,
        "DELETE FROM statement WHERE id ="
        " (SELECT record_id FROM citation WHERE record_kind = 'statement' LIMIT 1)",
    )
    assert_not_well(at(ready), "statement that does not exist.")


def test_a_migration_of_a_newer_database_is_refused(ready: Path) -> None:
    change(ready, "UPDATE alembic_version SET version_num = 'of_tomorrow'")
    told = run("migrate", url=at(ready))
    assert told.returncode == 2
    assert "of_tomorrow" in told.stderr
    assert "Nothing was changed." in told.stderr


# Serve


def test_an_unmigrated_database_is_not_served(bare_url: str) -> None:
    told = run("serve", "--port", str(free_port()), url=bare_url)
    assert told.returncode == 2
    assert told.stderr.startswith("The database is empty. Run: trade-missions migrate")
    assert "Traceback" not in told.stderr


def test_a_server_prepares_its_database_and_keeps_it(file: Path) -> None:
    body = {"title": "Of a user", "kind": "trade_fair", "ref": "of-a-user"}
    with served_anew(at(file), "--prepare") as server:
        summary = server.get(SUMMARY)
        answer = server.post("/missions", body)
        assert answer.status_code == 201
        printed = server.stop()
    assert f"Documentation: {server.address}/docs" in printed
    assert "The database was migrated." in printed
    with running_server(at(file), file.parent, "--prepare") as again, again.client() as client:
        assert client.get("/missions/of-a-user").json() == answer.json()
        assert client.get(SUMMARY).json() == summary
        assert again.stop() == 0
        printed = again.text()
    assert "The database was migrated." not in printed
    assert " 0 records created, 0 updated, " in printed


def test_a_server_prepares_either_database(bare_url: str, tmp_path: Path) -> None:
    with running_server(bare_url, tmp_path, "--prepare") as server, server.client() as client:
        assert client.get(SUMMARY).json()["agreements"]


def test_a_server_that_is_told_to_stop_leaves_its_writes_in_the_one_file(ready: Path) -> None:
    with running_server(at(ready), ready.parent) as server:
        body = {"full_name": "Somebody", "ref": "somebody"}
        with server.client() as client:
            assert client.post("/people", json=body).status_code == 201
        assert server.stop() == 0
        assert "Traceback" not in server.text()
    assert not ready.with_name(f"{ready.name}-wal").exists()
    with closing(sqlite3.connect(ready)) as connection:
        found = connection.execute("SELECT ref FROM person WHERE ref = 'somebody'").fetchall()
    assert found == [("somebody",)]


def test_several_processes_serve_one_database(ready: Path) -> None:
    with served_anew(at(ready), "--workers", "2") as server:
        for number in range(20):
            body = {"full_name": "Somebody", "ref": f"somebody-{number}"}
            answer = server.post("/people", body)
            assert answer.status_code == 201
            assert server.get(f"/people/somebody-{number}")["full_name"] == "Somebody"
        server.stop()
    assert server.process.returncode == 0
    assert run("check", url=at(ready)).stdout == "All is well.\n"
