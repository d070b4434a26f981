"""UI5's own model of OData, in a browser: it believes the metadata and asks by it."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.async_api import Page, Route, async_playwright

from tests.clients import tools
from tests.examples import create
from tests.test_docs_page import ARGUMENTS

CHROMIUM = shutil.which("chromium")
HERE = Path(__file__).parent / "clients"
#: Where the sources of UI5 lie beside the service, as it finds its modules.
MODULES = "/resources/"

pytestmark = pytest.mark.skipif(
    CHROMIUM is None and "CI" not in os.environ, reason="Chromium is not installed"
)


class Browsed:
    """A page that has UI5 beside the service, and what it asked for and complained about."""

    def __init__(self, page: Page, sources: Path) -> None:
        self.page, self.sources = page, sources
        self.requests: list[str] = []
        self.complaints: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda message: self._note(message.type, message.text))

    def _note(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.complaints.append(text)

    async def open(self, origin: str) -> None:
        await self.page.route(f"{origin}{MODULES}**", self._give_module)
        await self.page.route(f"{origin}/ui5.html", self._give_page)
        await self.page.goto(f"{origin}/ui5.html")

    async def _give_module(self, route: Route) -> None:
        name = urlsplit(route.request.url).path.removeprefix(MODULES)
        await route.fulfill(path=self.sources / name)

    async def _give_page(self, route: Route) -> None:
        await route.fulfill(path=HERE / "ui5.html")


@pytest.fixture
async def browsed() -> AsyncIterator[Browsed]:
    assert CHROMIUM is not None, "Chromium is not installed, and CI has to have it"
    packages = await asyncio.to_thread(tools.packages, HERE)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield Browsed(await browser.new_page(), packages / "@openui5" / "sap.ui.core" / "src")
        await browser.close()


async def _made(client: httpx.AsyncClient) -> str:
    """The id of a mission with six agreements, of which one is worth something."""
    mission = await create(client, "missions", {"title": "In a browser", "kind": "trade_fair"})
    seller = await create(client, "organizations", {"name": "Browsing", "kind": "company"})
    body = {"mission_id": mission["id"], "status": "announced", "instrument": "supply_contract"}
    for title in ("b", "a", "Ёлка", "c", "d"):
        await create(client, "agreements", {**body, "title": title})
    more = {"title": "Supply", "amount": "5000000.25", "currency": "USD"}
    parties = [{"organization_id": seller["id"], "role": "supplier"}]
    await create(client, "agreements", {**body, **more, "parties": parties})
    return str(mission["id"])


async def test_lists_and_single_entities_are_bound_and_nobody_else_is_asked(
    client: httpx.AsyncClient, root: str, browsed: Browsed
) -> None:
    mission, origin = await _made(client), root.removesuffix("/odata/")
    await browsed.open(origin)
    seen: dict[str, Any] = await browsed.page.evaluate(
        "([root, mission]) => walk(root, mission)", ["/odata/", mission]
    )
    assert seen == {
        "paid": ["Supply", "5000000.25", "trade_fair", 1],
        "pages": [["a", "b", "c", "d"], ["Ёлка", "Supply"], 6],
        "named": ["Ёлка"],
        "supplied": ["Supply"],
        "within": ["1", ["Supply"]],
        "one": "In a browser",
        "under": [2, 6],
    }
    elsewhere = [url for url in browsed.requests if not url.startswith(f"{origin}/")]
    assert not elsewhere
    assert not browsed.complaints
