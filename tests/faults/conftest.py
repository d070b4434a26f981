"""Databases: without any table, and with more rows than the buffers of a connection hold."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from app.commands import generate
from app.commands.migrate import migrate
from tests.conftest import copy_of
from tests.keys import make_admin_key
from tests.postgres import create_database, drop_database
from tests.servers import Server

AGREEMENTS = 12_000


@pytest.fixture(scope="package")
async def large_url(
    template_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[str]:
    """A seeded database with generated agreements; tests only read it, or add their own."""
    async with copy_of(template_url, tmp_path_factory.mktemp("large")) as url:
        await asyncio.to_thread(generate.run, url, 20, 50, AGREEMENTS, 1)
        yield url


def copied(template: str, folder: Path) -> str:
    """A copy of a database of SQLite in the folder."""
    shutil.copy(template.removeprefix("sqlite:///"), folder / "missions.db")
    return f"sqlite:///{folder / 'missions.db'}"


async def make_ready(url: str) -> None:
    """Make an empty database's tables and the admin key, as the first start would."""
    await migrate(url)
    await make_admin_key(url)


@pytest.fixture
def empty_database(database_kind: str, tmp_path: Path) -> Iterator[str]:
    """A database without any table."""
    if database_kind == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    server, name = os.environ["TEST_DATABASE_URL"], f"empty_{uuid4().hex}"
    yield create_database(server, name)
    drop_database(server, name)


def ends_of(server: Server) -> list[str]:
    """What the log of a server tells of its end."""
    events = (str(line["event"]) for line in server.lines())
    return [event for event in events if event.startswith("stopped")]
