"""A server that the tests of streams share; those that need one of their own start it."""

from collections.abc import AsyncIterator

import pytest

from tests.conftest import copy_of
from tests.webhooks.servers import Running, running


@pytest.fixture(scope="module")
async def server(
    template_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Running]:
    """A server on a seeded database, whose streams show often that they are alive."""
    folder = tmp_path_factory.mktemp("feed")
    async with (
        copy_of(template_url, folder) as url,
        running(url, {"heartbeat": 0.3}) as server,
    ):
        yield server
