"""A page that follows the changes with EventSource, in a real browser."""

import os
import shutil
from typing import Any

import pytest
from playwright.async_api import async_playwright

from tests.test_docs_page import ARGUMENTS, CHROMIUM
from tests.webhooks.servers import add_person, newest, running

pytestmark = pytest.mark.skipif(
    shutil.which("chromium") is None and "CI" not in os.environ, reason="Chromium is not installed"
)

HTML = "text/html"
#: Keeps the numbers of the changes that come, and counts how often the page connects.
FOLLOW = """
() => {
  window.seen = []; window.opened = 0;
  const source = new EventSource("/changes/stream?kind=person");
  source.onopen = () => { window.opened += 1; };
  source.addEventListener("change", (event) => {
    const change = JSON.parse(event.data);
    window.seen.push([parseInt(event.lastEventId), change.seq, change.changes.full_name[1]]);
  });
}
"""


async def test_a_page_misses_nothing_though_its_stream_ends_again_and_again(fresh_url: str) -> None:
    rules = {"lifetime": 0.4, "retry": [0.05, 0.1]}
    async with running(fresh_url, rules) as server, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = await browser.new_page()
        # A page of the same origin as the stream, which the service itself has none of.
        await page.route("**/page", lambda route: route.fulfill(body="<p>", content_type=HTML))
        await page.goto(f"{server.address}/page")
        await page.evaluate(FOLLOW)
        await page.wait_for_function("() => window.opened >= 1")
        begin, number = await newest(server.client), 0
        while await page.evaluate("() => window.opened") < 4:
            await add_person(server.client, f"Person {number}")
            number += 1
        await page.wait_for_function(f"() => window.seen.length >= {number}")
        seen: list[Any] = await page.evaluate("() => window.seen")
        await browser.close()
    assert seen == [[begin + n + 1, begin + n + 1, f"Person {n}"] for n in range(number)]
