"""An application whose webhooks the tests share; those that need a server start it."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.conftest import copy_of
from tests.webhooks.hooks import hooked


@pytest.fixture(scope="module")
async def shared_hooks(
    template_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[httpx.AsyncClient]:
    """An application of this process whose webhooks are tried again at once, wherever they go."""
    folder = tmp_path_factory.mktemp("hooks")
    async with copy_of(template_url, folder) as url, hooked(url) as client:
        yield client


@pytest.fixture
async def hooks(shared_hooks: httpx.AsyncClient) -> AsyncIterator[httpx.AsyncClient]:
    """A client of `shared_hooks`, which has no webhooks before the test and after it."""
    yield shared_hooks
    for webhook in (await shared_hooks.get("/webhooks?limit=1000")).json()["data"]:
        assert (await shared_hooks.delete(f"/webhooks/{webhook['id']}")).status_code == 204
