"""Both databases for every test: SQLite in a file, PostgreSQL on a server that the run starts."""

import os
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI

from app.commands.keys import make_first
from app.commands.migrate import migrate
from app.commands.seed import seed
from app.core.database import open_database
from app.main import create_app
from app.settings import Settings
from tests.keys import ADMIN_KEY, BEARER
from tests.postgres import (
    create_database,
    drop_database,
    start_shared_server,
    stop_shared_server,
)

DATABASES = ("sqlite", "postgresql")

# For the applications of this process and for the servers that tests start: the key that tests
# call with, and no limit to how often.
os.environ["TRADE_MISSIONS_ADMIN_KEY"] = ADMIN_KEY
os.environ["TRADE_MISSIONS_RATE_LIMIT"] = os.environ["TRADE_MISSIONS_RATE_LIMIT_KEY"] = ""


def pytest_configure(config: pytest.Config) -> None:
    start_shared_server()


def pytest_unconfigure(config: pytest.Config) -> None:
    stop_shared_server()


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """One event loop for the whole run: connections of PostgreSQL belong to theirs."""
    return "asyncio"


@pytest.fixture(scope="session", params=DATABASES)
def database_kind(request: pytest.FixtureRequest) -> str:
    """Which of the two databases a test runs on; every test that uses it runs on both."""
    return str(request.param)


@pytest.fixture(scope="session")
def empty_url(database_kind: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A database without any table, for the whole run: the ground of `template_url`."""
    name = f"template_{uuid4().hex}"
    if database_kind == "sqlite":
        yield f"sqlite:///{tmp_path_factory.mktemp('database') / name}.db"
        return
    server = os.environ["TEST_DATABASE_URL"]
    yield create_database(server, name)
    drop_database(server, name)


@pytest.fixture(scope="session")
async def template_url(empty_url: str) -> str:
    """A database that is migrated and seeded; it is copied, never written to."""
    await migrate(empty_url)
    await make_first(Settings(database_url=empty_url))
    database = open_database(empty_url)
    await database.start()
    await seed(database)
    await database.stop()
    return empty_url


@asynccontextmanager
async def copy_of(template: str, folder: Path) -> AsyncIterator[str]:
    """A copy of a database that lasts as long as the context."""
    name = f"test_{uuid4().hex}"
    if template.startswith("sqlite"):
        shutil.copy(template.removeprefix("sqlite:///"), folder / f"{name}.db")
        yield f"sqlite:///{folder / name}.db"
        return
    server = os.environ["TEST_DATABASE_URL"]
    url = create_database(server, name, template=template.rpartition("/")[2])
    yield url
    drop_database(server, name)


@asynccontextmanager
async def serving(url: str) -> AsyncIterator[FastAPI]:
    """The application on a database, started and stopped as a server would."""
    settings = Settings(database_url=url)
    await make_first(settings)
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        yield app


def client_of(app: FastAPI) -> httpx.AsyncClient:
    """A client that calls the application in this process, with the tests' key."""
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://test", headers=BEARER
    )


@pytest.fixture(scope="session")
async def shared_app(
    template_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[FastAPI]:
    """A seeded application for tests that only add records of their own."""
    async with copy_of(template_url, tmp_path_factory.mktemp("shared")) as url, serving(url) as app:
        yield app


@pytest.fixture
async def client(shared_app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client of `shared_app`: the seeded records are as seeded; other tests' may be there."""
    async with client_of(shared_app) as client:
        yield client


@pytest.fixture
async def fresh_url(template_url: str, tmp_path: Path) -> AsyncIterator[str]:
    """A seeded database of the test's own."""
    async with copy_of(template_url, tmp_path) as url:
        yield url


@pytest.fixture
async def fresh_app(fresh_url: str) -> AsyncIterator[FastAPI]:
    """A seeded application of the test's own, to do with as it likes."""
    async with serving(fresh_url) as app:
        yield app


@pytest.fixture
async def fresh(fresh_app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client of `fresh_app`."""
    async with client_of(fresh_app) as client:
        yield client
