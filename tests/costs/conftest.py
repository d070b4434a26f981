"""An application whose statements are noted as they come to the driver of its database."""

import sqlite3
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import event

from app.core.databases import postgresql_read_pool
from app.core.databases.postgresql import PostgresDatabase
from tests.conftest import client_of, copy_of, serving
from tests.costs.statements import Statements


@pytest.fixture(scope="session")
def noted() -> Statements:
    """What came to the driver since the last `clear`."""
    return Statements()


@pytest.fixture(scope="package")
async def costs_app(
    template_url: str, tmp_path_factory: pytest.TempPathFactory, noted: Statements
) -> AsyncIterator[FastAPI]:
    with pytest.MonkeyPatch.context() as patch:
        connect = sqlite3.connect
        set_up = postgresql_read_pool.set_up

        def traced(*arguments: Any, **options: Any) -> sqlite3.Connection:
            connection: sqlite3.Connection = connect(*arguments, **options)
            connection.set_trace_callback(noted.note)
            return connection

        async def logged(connection: Any) -> None:
            await set_up(connection)
            connection.add_query_logger(lambda query: noted.note(query.query, *query.args))

        def of_session(connection: Any, cursor: Any, sql: str, values: Any, *_: Any) -> None:
            noted.note(sql, *values)

        patch.setattr(sqlite3, "connect", traced)
        patch.setattr("app.core.databases.postgresql.set_up", logged)
        patch.setattr(postgresql_read_pool, "set_up", logged)
        folder = tmp_path_factory.mktemp("costs")
        async with copy_of(template_url, folder) as url, serving(url) as app:
            if isinstance(app.state.database, PostgresDatabase):
                # What a Session runs is prepared, of which the driver's log knows nothing.
                engine = app.state.database.engine.sync_engine
                event.listen(engine, "before_cursor_execute", of_session)
            yield app


@pytest.fixture
async def client(costs_app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(costs_app) as client:
        yield client
