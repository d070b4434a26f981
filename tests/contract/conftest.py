"""What every test of the contract starts from."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from fastapi import FastAPI

from tests.conftest import client_of
from tests.contract.api import Api
from tests.examples import Examples


@pytest.fixture(scope="session")
async def api(shared_app: FastAPI) -> AsyncIterator[Api]:
    async with client_of(shared_app) as client:
        yield Api(client, await Examples.on(client))


@pytest.fixture
def statements(shared_app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The SQL of every read since the test began, but for what the service asks by itself now and
    then: who calls, which webhooks there are, and the epoch."""
    seen: list[str] = []
    database = shared_app.state.database
    read = database.read

    async def noted(statement: Any, *arguments: Any, **options: Any) -> Any:
        sql = statement.sql
        own = "api_key" in sql or "FROM webhook" in sql
        if not own and not sql.startswith("SELECT installation.epoch"):
            seen.append(statement.sql)
        return await read(statement, *arguments, **options)

    monkeypatch.setattr(database, "read", noted)
    return seen
