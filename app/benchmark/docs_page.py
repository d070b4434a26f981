"""The documentation page: how large its document is, and how soon the page can be used.

A server on a seeded database of its own is opened in Chromium as a reader would open it. It takes
the package `playwright` and a Chromium on the path.
"""

import gzip
import json
import shutil
import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from app.benchmark.peers.contestant import Place
from app.benchmark.peers.service import Service
from app.benchmark.processes import Request, Server
from app.commands.migrate import migrate
from app.commands.seed import run as seed

# No sandbox, as in a container; and no traffic of the browser's own.
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run")
#: The operations that are opened: tag, operation, whether it is executed too.
OPENED = (
    ("agreements", "list_agreements", True),
    ("agreements", "get_agreement", True),
    ("agreements", "export_agreements", False),
    ("agreements", "create_agreement", False),
    ("missions", "create_mission", False),
    ("missions", "bulk_missions", False),
)
ANSWERED = ".live-responses-table .response-col_status"


async def prepare(url: str) -> None:
    """Make the database that the page is shown on."""
    await migrate(url)
    await seed(url)


def measure_page(folder: Path, key: str, url: str, pictures: Path) -> str:
    """Sizes and seconds of each step, line by line; a picture of each step in the folder.

    RuntimeError where there is no Chromium.
    """
    chromium = shutil.which("chromium")
    if chromium is None:
        raise RuntimeError("There is no program `chromium` on the path to open the page with.")
    pictures.mkdir(parents=True, exist_ok=True)
    service = Service(1, url, key)
    place = Place(folder, url, {})
    service.set_up(place)
    with service.serving(place) as server:
        return "\n".join([*_document(server), *_page(server, chromium, pictures)])


def _document(server: Server) -> Iterator[str]:
    """How large the document is and what it is made of."""
    begun = time.perf_counter()
    content = server.ask(Request("GET", "/openapi.json")).body
    yield f"made and sent in {time.perf_counter() - begun:.2f} s"
    yield f"{len(content):,} bytes, {len(gzip.compress(content)):,} compressed"
    document = json.loads(content)
    counts = {
        operation["operationId"]: len(operation.get("parameters", ()))
        for item in document["paths"].values()
        for operation in item.values()
    }
    (most, operation) = max((count, name) for name, count in counts.items())
    few = sum(count <= 25 for count in counts.values())
    yield f"{len(counts)} operations, {len(document['components']['schemas'])} schemas"
    yield (
        f"{sum(counts.values()):,} parameters, at most {most} ({operation}),"
        f" median {statistics.median(counts.values()):g}, 25 or fewer in {few} operations"
    )


def _page(server: Server, chromium: str, pictures: Path) -> Iterator[str]:
    """How long each step takes that a reader takes."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        for tag, operation, execute in OPENED:
            page = browser.new_page(viewport={"width": 1280, "height": 1000})
            page.set_default_timeout(120_000)
            for name, step in _steps(page, server, tag, operation, execute):
                begun = time.perf_counter()
                step()
                seconds = time.perf_counter() - begun
                panel = page.locator(f"#operations-{tag}-{operation}")
                height = panel.evaluate("one => one.offsetHeight") if panel.count() else None
                shown = f"  {height:,} px high" if height else ""
                yield f"{name:<32} {seconds:6.2f} s{shown}"
                page.screenshot(path=pictures / f"{name.replace(' ', '-')}.png")
            page.close()
        browser.close()


def _steps(
    page: Page, server: Server, tag: str, operation: str, execute: bool
) -> Iterator[tuple[str, Callable[[], None]]]:
    yield "tags visible", partial(_opened, page, f"http://127.0.0.1:{server.port}")
    yield f"{operation} opened", partial(_open, page, tag, operation)
    if execute:
        panel = page.locator(f"#operations-{tag}-{operation}")
        yield f"{operation} answered", partial(_execute, page, panel)


def _opened(page: Page, address: str) -> None:
    page.goto(f"{address}/docs")
    page.locator(".opblock-tag").last.wait_for()
    _drawn(page)


def _open(page: Page, tag: str, operation: str) -> None:
    page.locator(f"#operations-tag-{tag}").click()
    page.locator(f"#operations-{tag}-{operation} .opblock-summary-control").click()
    page.locator(f"#operations-{tag}-{operation} .execute").wait_for()
    _drawn(page)


def _execute(page: Page, panel: Any) -> None:
    panel.locator(".execute").click()
    panel.locator(ANSWERED).last.wait_for()
    _drawn(page)


def _drawn(page: Page) -> None:
    """Wait until the browser has drawn what there is to draw and can be used again."""
    page.evaluate("new Promise(done => requestAnimationFrame(() => setTimeout(done, 0)))")
