"""What every test of the contract starts from."""

import asyncio
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
    then: who calls, which webhooks there are, the epoch, and what has changed where a stream was
    open a moment ago."""
    seen: list[str] = []
    database = shared_app.state.database
    read = database.read

    async def noted(statement: Any, *arguments: Any, **options: Any) -> Any:
        sql = statement.sql
        own = "api_key" in sql or "FROM webhook" in sql
        own = own or sql.startswith("SELECT installation.epoch")
        if not own and not _is_of_the_service(asyncio.current_task()):
            seen.append(statement.sql)
        return await read(statement, *arguments, **options)

    monkeypatch.setattr(database, "read", noted)
    return seen


def _is_of_the_service(task: asyncio.Task[Any] | None) -> bool:
    """Whether a task is one that the service has begun; requests are answered in the test's."""
    code = getattr(task.get_coro(), "cr_code", None) if task is not None else None
    return code is not None and "/app/" in code.co_filename
