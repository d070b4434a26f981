"""The service as clients of OData reach it: by an address."""

from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI

from tests.serving import served


@pytest.fixture
async def root(shared_app: FastAPI) -> AsyncIterator[str]:
    """The address of OData, served by this process."""
    async with served(shared_app) as address:
        yield f"{address}/odata/"
