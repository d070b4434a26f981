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
from app.commands.backups.contents import Checksum, checksums, table_names
from app.commands.backups.postgresql import environment
from app.commands.check import run as check
from app.commands.migrate import migrate
from app.commands.restore import restore
from app.commands.snapshot import snapshot_run
from tests.conftest import client_of, copy_of, serving
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
class Upgrade:
    """A database of an older release that was migrated, and what there was before: the values of
    its tables and of the columns that have another name now, a backup, what its API answered, by
    address, and its last change. It is only read."""

    url: str
    kept: dict[str, list[str]]
    values: dict[str, Checksum]
    renamed: dict[str, list[str]]
    backup: Path
    answers: Json
    changes: int


@pytest.fixture(scope="module", autouse=True)
def programs() -> Iterator[None]:
    folder = wheel_postgres() or system_postgres()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(folder), prepend=os.pathsep)
        yield


@pytest.fixture(scope="module", params=RELEASES)
async def upgrade(
    request: pytest.FixtureRequest, database_kind: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Upgrade]:
    """A database as the release left it, migrated."""
    name, folder = f"{database_kind}-{request.param}", tmp_path_factory.mktemp("upgrade")
    with empty_database(database_kind, folder) as url:
        load(url, script_of(name))
        kept = await snapshot_run(url, columns)
        values = await snapshot_run(url, lambda connection: checksums(connection, kept))
        renamed = await snapshot_run(url, renamed_values)
        await backup(url, folder / "backup")
        assert await migrate(url) is True
        answers = json.loads((FOLDER / f"{name}.json").read_bytes())
        changes = RELEASES[request.param]
        yield Upgrade(url, kept, values, renamed, folder / "backup", answers, changes)


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
async def upgraded(upgrade: Upgrade, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of this version on a copy of the old database, migrated."""
    async with copy_of(upgrade.url, tmp_path) as url:
        await make_admin_key(url)
        async with serving(url) as app, client_of(app) as client:
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


async def test_an_upgrade_keeps_every_value_of_every_row(upgrade: Upgrade) -> None:
    assert await check(upgrade.url) == []
    after = await snapshot_run(upgrade.url, lambda c: checksums(c, upgrade.kept))
    assert after == upgrade.values
    assert all(upgrade.renamed.values())
    assert (await snapshot_run(upgrade.url, renamed_values)).items() >= upgrade.renamed.items()
    assert upgrade.values["change"].rows == upgrade.changes


async def test_a_backup_of_an_older_release_is_restored_and_migrated(
    upgrade: Upgrade, database_kind: str, tmp_path: Path
) -> None:
    with empty_database(database_kind, tmp_path) as url:
        assert "was migrated from" in await restore(url, upgrade.backup)
        assert await check(url) == []
        after = await snapshot_run(url, lambda connection: checksums(connection, upgrade.kept))
        assert after == upgrade.values


def holds(new: Any, value: Any) -> bool:
    """Whether all that was answered once is answered now; there may be more."""
    if isinstance(value, dict):
        return all(name in new and holds(new[name], value[name]) for name in value)
    if isinstance(value, list):
        return len(new) == len(value) and all(map(holds, new, value))
    return bool(new == value)


async def test_records_and_their_histories_are_answered_as_before(
    upgrade: Upgrade, upgraded: httpx.AsyncClient
) -> None:
    for address, before in upgrade.answers.items():
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


async def test_the_change_log_goes_on_where_it_ended(
    upgrade: Upgrade, upgraded: httpx.AsyncClient
) -> None:
    last = upgrade.changes
    answer = await upgraded.get("/changes?since=0&limit=1000")
    assert [change["seq"] for change in answer.json()["data"]] == [*range(1, last + 1)]
    changed = await upgraded.patch("/agreements/flour", json={"note": "Changed since"})
    assert changed.status_code == 200, changed.text
    assert changed.json()["version"] == 4
    (change,) = (await upgraded.get(f"/changes?since={last}")).json()["data"]
    assert change["seq"] == last + 1
    assert change["changes"]["note"] == ["Confirmed by telephone", "Changed since"]
