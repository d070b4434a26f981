"""Databases of older releases: migrated, they hold what they held, and serve it."""

import gzip
import json
import os
import re
import sqlite3
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Connection, inspect, text

from app.commands.backup import backup
from app.commands.backups.contents import checksums, table_names
from app.commands.backups.postgresql import environment
from app.commands.check import run as check
from app.commands.migrate import migrate
from app.commands.restore import restore
from app.commands.snapshot import snapshot_run
from tests.conftest import client_of, serving
from tests.keys import make_admin_key
from tests.postgres import system_postgres, wheel_postgres
from tests.test_migrations import empty_database

FOLDER = Path(__file__).parents[1] / "fixtures" / "releases"
#: The releases, and how many changes each has in its log.
RELEASES = {"0.1": 404, "0.2": 404, "0.3": 456}
NEWEST = "0.3"
#: Columns that have another name today, by table: as a release called them, and as they are called.
RENAMED = {"currency": {"held_until": "valid_until"}}
#: What an upgrade makes anew.
REMADE = {"alembic_version", "search_entry", "search_version", "search_words", "search_words_known"}
Json = dict[str, Any]


@dataclass(frozen=True)
class Old:
    """A database of an older release, what its API answered, by address, and its last change."""

    url: str
    answers: Json
    changes: int


@pytest.fixture(autouse=True)
def programs(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = wheel_postgres() or system_postgres()
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)


@pytest.fixture(params=RELEASES)
def old(request: pytest.FixtureRequest, database_kind: str, tmp_path: Path) -> Iterator[Old]:
    """A database as the release left it."""
    name = f"{database_kind}-{request.param}"
    script = script_of(name)
    with empty_database(database_kind, tmp_path) as url:
        load(url, script)
        answers = json.loads((FOLDER / f"{name}.json").read_bytes())
        yield Old(url, answers, RELEASES[request.param])


def script_of(name: str) -> bytes:
    """The SQL that makes the database."""
    return gzip.decompress((FOLDER / f"{name}.sql.gz").read_bytes())


def load(url: str, script: bytes) -> None:
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
            connection.executescript(script.decode())
        return
    command = ["psql", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--file=-"]
    subprocess.run(
        command, input=script, env=environment(url), check=True, stdout=subprocess.DEVNULL
    )


@pytest.fixture
async def upgraded(old: Old) -> AsyncIterator[httpx.AsyncClient]:
    """A client of this version on the old database, migrated."""
    await migrate(old.url)
    await make_admin_key(old.url)
    async with serving(old.url) as app, client_of(app) as client:
        yield client


def columns(connection: Connection) -> dict[str, list[str]]:
    """The columns of every table that an upgrade keeps, without those that it renames."""
    inspector = inspect(connection)
    return {
        name: [
            column["name"]
            for column in inspector.get_columns(name)
            if column["name"] not in RENAMED.get(name, {})
        ]
        for name in table_names(connection)
        if name not in REMADE
    }


def renamed_values(connection: Connection) -> dict[str, list[str]]:
    """The values of each column that an upgrade renames, by its new name, whatever it is called."""
    inspector, values = inspect(connection), {}
    for table, names in RENAMED.items():
        there = {column["name"] for column in inspector.get_columns(table)}
        for old, new in names.items():
            if name := next((each for each in (old, new) if each in there), None):
                sql = f"SELECT code, {name} FROM {table} WHERE {name} IS NOT NULL ORDER BY 1"
                values[f"{table}.{new}"] = [str(row) for row in connection.execute(text(sql))]
    return values


def test_the_newest_release_has_rows_in_every_table(database_kind: str) -> None:
    script = script_of(f"{database_kind}-{NEWEST}").decode()
    made = re.findall(r'^CREATE (?:VIRTUAL )?TABLE (?:public\.)?"?(\w+)', script, re.MULTILINE)
    # What follows COPY are rows, or the end of none.
    filled = r'^(?:INSERT INTO "|COPY public\."?)(\w+)"? .*\n(?!\\\.)'
    assert len(made) > 35
    assert set(made) == set(re.findall(filled, script, re.MULTILINE))


async def test_an_upgrade_keeps_every_value_of_every_row(old: Old) -> None:
    kept = await snapshot_run(old.url, columns)
    before = await snapshot_run(old.url, lambda connection: checksums(connection, kept))
    renamed = await snapshot_run(old.url, renamed_values)
    assert await migrate(old.url) is True
    assert await check(old.url) == []
    after = await snapshot_run(old.url, lambda connection: checksums(connection, kept))
    assert after == before
    assert all(renamed.values())
    assert (await snapshot_run(old.url, renamed_values)).items() >= renamed.items()
    assert before["change"].rows == old.changes


async def test_a_backup_of_an_older_release_is_restored_and_migrated(
    old: Old, database_kind: str, tmp_path: Path
) -> None:
    kept = await snapshot_run(old.url, columns)
    before = await snapshot_run(old.url, lambda connection: checksums(connection, kept))
    await backup(old.url, tmp_path / "backup")
    with empty_database(database_kind, tmp_path) as url:
        assert "was migrated from" in await restore(url, tmp_path / "backup")
        assert await check(url) == []
        assert await snapshot_run(url, lambda connection: checksums(connection, kept)) == before


def holds(new: Any, value: Any) -> bool:
    """Whether all that was answered once is answered now; there may be more."""
    if isinstance(value, dict):
        return all(name in new and holds(new[name], value[name]) for name in value)
    if isinstance(value, list):
        return len(new) == len(value) and all(map(holds, new, value))
    return bool(new == value)


async def test_records_and_their_histories_are_answered_as_before(
    old: Old, upgraded: httpx.AsyncClient
) -> None:
    for address, before in old.answers.items():
        answer = await upgraded.get(address)
        assert answer.status_code == 200, answer.text
        now = answer.json()
        assert holds(now.get("data", now), before.get("data", before)), address


async def test_records_of_an_older_release_are_found_by_their_words(
    upgraded: httpx.AsyncClient,
) -> None:
    for address, ref in (
        ("/people?q=Сарсенова", "aigerim"),
        ("/people?q=aigerim", "aigerim"),
        # What only today's analyser makes of a name: the index is made anew.
        ("/people?q=Aygerim", "aigerim"),
        ("/people?q=Sarsenova", "aigerim"),
        ("/agreements?q=wheat", "flour"),
        ("/organizations?q=Yolka", "yolka"),
        ("/missions?q=Алматы", "almaty-fair"),
    ):
        found = (await upgraded.get(address)).json()["data"]
        assert [record["ref"] for record in found] == [ref], address
    assert (await upgraded.get("/people?q=Trash")).json()["data"] == []


async def test_the_change_log_goes_on_where_it_ended(old: Old, upgraded: httpx.AsyncClient) -> None:
    last = old.changes
    answer = await upgraded.get("/changes?since=0&limit=1000")
    assert [change["seq"] for change in answer.json()["data"]] == [*range(1, last + 1)]
    changed = await upgraded.patch("/agreements/flour", json={"note": "Changed since"})
    assert changed.status_code == 200, changed.text
    assert changed.json()["version"] == 4
    (change,) = (await upgraded.get(f"/changes?since={last}")).json()["data"]
    assert change["seq"] == last + 1
    assert change["changes"]["note"] == ["Confirmed by telephone", "Changed since"]
