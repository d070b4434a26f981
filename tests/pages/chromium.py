"""The browser that pages are opened in, and what a page did while it was open."""

import os
import shutil
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, ViewportSize

CHROMIUM = shutil.which("chromium")
PHONE: ViewportSize = {"width": 390, "height": 844}
DESKTOP: ViewportSize = {"width": 1280, "height": 900}
needs_chromium = pytest.mark.skipif(
    CHROMIUM is None and "CI" not in os.environ, reason="Chromium is not installed"
)


class Seen:
    """What a page asked for and complained about."""

    def __init__(self, page: Page) -> None:
        self.requests: list[str] = []
        self.complaints: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("console", lambda message: self._note(message.type, message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _note(self, kind: str, text: str) -> None:
        # That a page is not there is told of every 404.
        if kind in ("error", "warning") and "404" not in text:
            self.complaints.append(text)

    def elsewhere(self, address: str) -> list[str]:
        """What was asked of others than the server."""
        return [url for url in self.requests if not url.startswith((address, "data:"))]


def is_too_wide(page: Page) -> bool:
    """Whether the page is wider than its window."""
    wide: bool = page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
    return wide


def axe_faults(page: Page) -> list[Any]:
    """What axe finds on the page, with all that can be opened open."""
    for details in page.locator("details").all():
        details.evaluate("each => { each.open = true; }")
    return [
        (
            page.url,
            found["id"],
            [(node["target"], node["failureSummary"][:300]) for node in found["nodes"][:2]],
        )
        for found in Axe().run(page).response["violations"]
    ]
