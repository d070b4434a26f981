"""The documentation page: how large its document is, and how soon the page can be used.

    python -m benchmarks.docs_page [--pictures FOLDER]

Starts a server on a seeded database of its own, looks at `/openapi.json`, and opens `/docs` in
Chromium as a reader would. Prints sizes and seconds; with a folder, puts a picture of each step
there. Figures are those of a machine and an hour: compare two made one after the other.
"""

import argparse
import gzip
import json
import shutil
import statistics
import tempfile
import time
import urllib.request
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from benchmarks.compare import serving

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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=Path)
    pictures: Path | None = parser.parse_args().pictures
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/docs.db"
        with serving(("app", "serve", "--prepare"), url) as port:
            address = f"http://127.0.0.1:{port}"
            tell_document(address)
            tell_page(address, pictures)


def tell_document(address: str) -> None:
    """Print how large the document is and what it is made of."""
    begun = time.perf_counter()
    with urllib.request.urlopen(f"{address}/openapi.json") as answer:
        content = answer.read()
    print(f"made and sent in {time.perf_counter() - begun:.2f} s")
    print(f"{len(content):,} bytes, {len(gzip.compress(content)):,} compressed")
    document = json.loads(content)
    counts = {
        operation["operationId"]: len(operation.get("parameters", ()))
        for item in document["paths"].values()
        for operation in item.values()
    }
    (most, operation) = max((count, name) for name, count in counts.items())
    few = sum(count <= 25 for count in counts.values())
    print(f"{len(counts)} operations, {len(document['components']['schemas'])} schemas")
    print(f"{sum(counts.values()):,} parameters, at most {most} ({operation}),", end=" ")
    print(f"median {statistics.median(counts.values()):g}, 25 or fewer in {few} operations")


def tell_page(address: str, pictures: Path | None) -> None:
    """Print how long each step takes that a reader takes."""
    with sync_playwright() as playwright:
        chromium = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        for tag, operation, execute in OPENED:
            page = browser.new_page(viewport={"width": 1280, "height": 1000})
            page.set_default_timeout(120_000)
            steps: dict[str, Callable[[], Any]] = {
                "tags visible": partial(_opened, page, address),
                f"{operation} opened": partial(_open, page, tag, operation),
            }
            panel = page.locator(f"#operations-{tag}-{operation}")
            if execute:
                steps[f"{operation} answered"] = partial(_execute, page, panel)
            for name, step in steps.items():
                begun = time.perf_counter()
                step()
                print(f"{name:<32} {time.perf_counter() - begun:6.2f} s", end="")
                height = panel.evaluate("one => one.offsetHeight") if panel.count() else None
                print(f"  {height:,} px high" if height else "")
                if pictures is not None:
                    pictures.mkdir(parents=True, exist_ok=True)
                    page.screenshot(path=pictures / f"{name.replace(' ', '-')}.png")
            page.close()
        browser.close()


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


if __name__ == "__main__":
    main()
