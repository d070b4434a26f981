"""An application that serves toys and nothing else, for every test of the engine."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from app.core import json_codec
from app.core.auth.authorizer import Authorizer
from app.core.auth.rate_limits import RateLimits
from app.core.databases.opening import open_database
from app.core.http.app_state import AppState, set_state
from app.core.http.dispatch import Dispatch
from app.core.http.middleware import ErrorAndLogMiddleware
from app.core.instance_secret import secret_of
from app.engine.resource import read_models
from app.rest.routes import crud_routes
from tests.conftest import client_of, copy_of
from tests.engine.toys import TABLES, soft_toy, toy
from tests.examples import JSON, Body


@pytest.fixture(scope="session")
async def toy_app(
    template_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[FastAPI]:
    """Toys, for tests that only add records of their own."""
    async with serving_toys(template_url, tmp_path_factory.mktemp("toys")) as app:
        yield app


@asynccontextmanager
async def serving_toys(template_url: str, folder: Path) -> AsyncIterator[FastAPI]:
    """An application with a database of its own."""
    async with copy_of(template_url, folder) as url:
        database = open_database(url)
        await database.start()
        await database.write(lambda session: TABLES.create_all(session.connection()))
        models = read_models((toy, soft_toy))
        routes = crud_routes(toy, models) + crud_routes(soft_toy, models)
        app = FastAPI()
        authorizer = Authorizer(database, RateLimits("", ""), public_reading=True)
        state = AppState(
            database=database, authorizer=authorizer, max_body=10_000, max_import=10_000
        )
        state.secret = await secret_of(database)
        set_state(app, state)
        app.add_middleware(Dispatch, routes=routes)
        app.add_middleware(ErrorAndLogMiddleware)
        yield app
        await database.stop()


@pytest.fixture
async def toys(toy_app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client of `toy_app`."""
    async with client_of(toy_app) as client:
        yield client


@pytest.fixture
def toy_statements(toy_app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The SQL of every read of `toy_app` since the test began, but for who calls."""
    seen: list[str] = []
    database = toy_app.state.database
    read = database.read

    async def noted(statement: Any, *arguments: Any, **options: Any) -> Any:
        if "api_key" not in statement.sql:
            seen.append(statement.sql)
        return await read(statement, *arguments, **options)

    monkeypatch.setattr(database, "read", noted)
    return seen


async def make(toys: httpx.AsyncClient, **fields: Any) -> Body:
    """Store a toy."""
    answer = await toys.post("/wooden-toys", content=json_codec.dumps(fields), headers=JSON)
    assert answer.status_code == 201, answer.text
    record: Body = json_codec.loads(answer.content)
    return record


async def change(toys: httpx.AsyncClient, record: Body, **fields: Any) -> Body:
    """Change a toy."""
    address = f"/wooden-toys/{record['id']}"
    answer = await toys.patch(address, content=json_codec.dumps(fields), headers=JSON)
    assert answer.status_code == 200, answer.text
    changed: Body = json_codec.loads(answer.content)
    return changed


async def read(toys: httpx.AsyncClient, address: str, **parameters: Any) -> Any:
    """The JSON of an address, fractions as Decimal."""
    answer = await toys.get(address, params=parameters or None)
    assert answer.status_code == 200, answer.text
    return json_codec.loads(answer.content)


def fault(answer: httpx.Response, status: int = 400) -> Any:
    """The one fault of a problem."""
    assert answer.status_code == status, answer.text
    (only,) = answer.json()["errors"]
    return only
