"""Both databases for every test: SQLite in a file, PostgreSQL on a server that the run starts."""

from __future__ import annotations

import asyncio
import gc
import importlib.util
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx
import pytest

from app.settings import Settings
from tests import templates
from tests.durations import Durations
from tests.keys import ADMIN_KEY, BEARER
from tests.postgres import create_database, drop_database, stop_shared_server
from tests.templates import migrated_url as migrated_template
from tests.templates import seeded_url

if TYPE_CHECKING:
    from fastapi import FastAPI

DATABASES = ("sqlite", "postgresql")

#: What the files of a run may need.
FILES_BYTES = 2 * 1024**3
RUN_FILES = "trade-missions-tests-"
#: Objects made and not yet gone before the youngest are looked through for garbage, which fit into
#: a processor's cache; such looks before one at those they left; and of these before one at all.
GARBAGE_THRESHOLDS = (10_000, 50, 20)
#: What takes longest by itself: begun last, it would be waited for by all.
LONGEST = "test_contributing.py"

# For the applications of this process and for the servers that tests start: the key that tests
# call with, and no limit to how often.
os.environ["TRADE_MISSIONS_ADMIN_KEY"] = ADMIN_KEY
os.environ["TRADE_MISSIONS_RATE_LIMIT"] = os.environ["TRADE_MISSIONS_RATE_LIMIT_KEY"] = ""


# Servers that tests start import the same modules hundreds of times.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# With each request httpx tries to import what is not installed, and looks in each folder for it.
if importlib.util.find_spec("sniffio") is None:
    sys.modules["sniffio"] = None  # type: ignore[assignment]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--long", action="store_true", help="the long forms of tests: more rounds, more examples"
    )


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("long"):
        draw_more()
    # The workers of pytest-xdist find it all in their environment.
    if not hasattr(config, "workerinput"):
        _keep_files_in_memory()
        templates.prepare()
        config.pluginmanager.register(Durations())


def draw_more() -> None:
    """Let the tests that draw what they are given draw for long, and each time otherwise."""
    from hypothesis import settings

    from tests.drawing import LONG

    settings.register_profile(LONG, settings.default)
    settings.load_profile(LONG)


def _keep_files_in_memory() -> None:
    """Hundreds of databases are written, each commit to the disk: a run takes half a gigabyte.

    The folder is the run's own: pytest removes what is older than its last three runs, and with it
    what a slower one beside them still needs.
    """
    shared_memory = Path("/dev/shm")
    if not shared_memory.is_dir() or shutil.disk_usage(shared_memory).free < FILES_BYTES:
        return
    for left in shared_memory.glob(f"{RUN_FILES}*"):
        if not Path("/proc", left.name.removeprefix(RUN_FILES)).exists():
            shutil.rmtree(left, ignore_errors=True)
    folder = shared_memory / f"{RUN_FILES}{os.getpid()}"
    folder.mkdir(mode=0o755, exist_ok=True)
    os.environ["TMPDIR"] = str(folder)
    tempfile.tempdir = None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.name != LONGEST)
    if not config.getoption("long"):
        for item in items:
            if "long" in item.keywords:
                item.add_marker(pytest.mark.skip(reason="runs only with --long"))


def pytest_collection_finish(session: pytest.Session) -> None:
    # What is imported and collected stays: it need not be looked through for garbage; and tests
    # make much of it, in graphs of statements, which one look in a while finds as well as many.
    gc.freeze()
    gc.set_threshold(*GARBAGE_THRESHOLDS)


def pytest_unconfigure(config: pytest.Config) -> None:
    stop_shared_server()
    if not hasattr(config, "workerinput") and RUN_FILES in tempfile.gettempdir():
        shutil.rmtree(tempfile.gettempdir(), ignore_errors=True)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """One event loop for the whole run: connections of PostgreSQL belong to theirs."""
    return "asyncio"


@pytest.fixture(scope="session", autouse=True)
async def _abandoned_connections(anyio_backend: str) -> None:
    """When an attempt to connect is given up, asyncpg forgets a future that knows it; whatever
    test is running when it is found as garbage would be blamed."""
    loop = asyncio.get_running_loop()
    tell = loop.get_exception_handler()
    assert tell is not None

    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if "connection_lost()" not in str(context.get("exception")):
            tell(loop, context)

    loop.set_exception_handler(handle)


@pytest.fixture(scope="session", params=DATABASES)
def database_kind(request: pytest.FixtureRequest) -> str:
    """Which of the two databases a test runs on; every test that uses it runs on both."""
    return str(request.param)


@pytest.fixture(scope="session")
def long(request: pytest.FixtureRequest) -> bool:
    """Whether tests take their long form."""
    return bool(request.config.getoption("long"))


@pytest.fixture(scope="session")
def template_url(database_kind: str) -> str:
    """A database that is migrated and seeded; it is copied, never written to."""
    return seeded_url(database_kind)


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
    # Imported where it is used: the process that only starts others needs none of it.
    from app.main import create_app

    # The template has an admin key, which is all that the first start would make.
    app = create_app(Settings(database_url=url))
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
async def migrated_url(database_kind: str, tmp_path: Path) -> AsyncIterator[str]:
    """A database of the test's own that has all tables and no records."""
    async with copy_of(migrated_template(database_kind), tmp_path) as url:
        yield url


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
