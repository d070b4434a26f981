"""What every test of imports starts from: an application whose records are these tests' own."""

from collections.abc import AsyncIterator
from itertools import count

import httpx
import pytest
from fastapi import FastAPI

from tests.conftest import client_of, copy_of, serving

_numbers = count(1)


@pytest.fixture(scope="session")
async def imports_app(
    template_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[FastAPI]:
    folder = tmp_path_factory.mktemp("imports")
    async with copy_of(template_url, folder) as url, serving(url) as app:
        yield app


@pytest.fixture
async def client(imports_app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(imports_app) as client:
        yield client


@pytest.fixture
def ref() -> str:
    """A ref that no other test has."""
    return f"imported-{next(_numbers)}"
