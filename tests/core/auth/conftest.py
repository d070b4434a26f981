"""What every test of access starts from: two applications on one database, public and private."""

from collections.abc import AsyncIterator, Iterator

import pytest
from fastapi import FastAPI

from tests.conftest import copy_of
from tests.core.auth.issuer import Issuer, issuing
from tests.core.auth.opened import opened


@pytest.fixture(scope="session")
def issuer() -> Iterator[Issuer]:
    """An issuer that stays as it is."""
    with issuing() as issuer:
        yield issuer


@pytest.fixture(scope="session")
async def access_url(
    template_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[str]:
    """A seeded database to which tests of access add keys of their own."""
    async with copy_of(template_url, tmp_path_factory.mktemp("access")) as url:
        yield url


@pytest.fixture(scope="session")
async def public_app(access_url: str, issuer: Issuer) -> AsyncIterator[FastAPI]:
    """Reading needs no key here."""
    async with opened(access_url, **issuer.settings) as app:
        yield app


@pytest.fixture(scope="session")
async def private_app(access_url: str, issuer: Issuer) -> AsyncIterator[FastAPI]:
    """Reading needs a key here."""
    async with opened(access_url, public_reading=False, **issuer.settings) as app:
        yield app
