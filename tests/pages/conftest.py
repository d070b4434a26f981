"""Whoever reads the pages, without a key; and a browser for them."""

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from playwright.sync_api import Browser, expect, sync_playwright

from tests.pages.chromium import CHROMIUM
from tests.pages.reader import PageReader
from tests.test_docs_page import ARGUMENTS

# All the processors may be busy.
expect.set_options(timeout=30_000)


@pytest.fixture
def reader(shared_app: FastAPI) -> PageReader:
    """A reader of the seeded pages; other tests' records may be there."""
    return PageReader(shared_app)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, without a window."""
    assert CHROMIUM is not None, "Chromium is not installed, and CI has to have it"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()
