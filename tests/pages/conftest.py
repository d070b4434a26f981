"""Whoever reads the pages, without a key."""

import pytest
from fastapi import FastAPI

from tests.pages.reader import PageReader


@pytest.fixture
def reader(shared_app: FastAPI) -> PageReader:
    """A reader of the seeded pages; other tests' records may be there."""
    return PageReader(shared_app)
