"""What every test of writes starts from: an application whose records are these tests' own."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from tests.conftest import client_of, copy_of, serving
from tests.contract.api import Api
from tests.examples import Examples
from tests.rest.public import Public


@pytest.fixture(scope="session")
async def writes_app(
    template_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[FastAPI]:
    async with copy_of(template_url, tmp_path_factory.mktemp("writes")) as url, serving(url) as app:
        yield app


@pytest.fixture(scope="session")
async def api(writes_app: FastAPI) -> AsyncIterator[Api]:
    async with client_of(writes_app) as client:
        yield Api(client, await Examples.on(client))


@pytest.fixture
async def public(client: httpx.AsyncClient, shared_app: FastAPI) -> AsyncIterator[Public]:
    transport = httpx.ASGITransport(shared_app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as reader:
        yield Public(client, reader)
