"""The documentation page, opened in a browser as a reader would, from a server process.

The page must work on a closed network: whatever it asks for, it asks the server itself for.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from playwright.sync_api import (
    Browser,
    ConsoleMessage,
    Locator,
    Page,
    Response,
    expect,
    sync_playwright,
)

from tests.faults.conftest import copied
from tests.keys import ADMIN_KEY
from tests.servers import running_server
from tests.templates import seeded_url

CHROMIUM = shutil.which("chromium")
# No sandbox, as in a container; and no traffic of the browser's own.
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
TITLE = "Деловая миссия Казахстана в Новосибирскую область"

# A list has hundreds of parameters, which take seconds to draw while all the processors are busy.
expect.set_options(timeout=30_000)

pytestmark = pytest.mark.skipif(
    CHROMIUM is None and "CI" not in os.environ, reason="Chromium is not installed"
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server on a seeded database of its own."""
    folder = tmp_path_factory.mktemp("docs")
    with running_server(copied(seeded_url("sqlite"), folder), folder) as server:
        yield server.address


@pytest.fixture(scope="module")
def document(server: str) -> dict[str, Any]:
    made: dict[str, Any] = httpx.get(f"{server}/openapi.json").json()
    return made


@pytest.fixture(scope="module")
def browser(server: str) -> Iterator[Browser]:
    assert CHROMIUM is not None, "Chromium is not installed, and CI has to have it"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


#: The operations that are shown; what the service itself calls, its webhooks, stands apart.
OPERATIONS = ".opblock-tag-section .opblock"


@dataclass
class Seen:
    """What a page did while it was open."""

    requests: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with opened_page(browser) as page:
        yield page


@contextmanager
def opened_page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 1000})
    yield context.new_page()
    context.close()


@pytest.fixture
def seen(page: Page) -> Seen:
    return watched(page)


def watched(page: Page) -> Seen:
    """What the page does from now on."""
    seen = Seen()

    def answered(answer: Response) -> None:
        if answer.status >= 400:
            seen.failures.append(f"{answer.status} {answer.url}")

    def said(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            seen.complaints.append(message.text)

    page.on("request", lambda request: seen.requests.append(request.url))
    page.on("requestfailed", lambda request: seen.failures.append(request.url))
    page.on("response", answered)
    page.on("console", said)
    page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    return seen


@pytest.fixture
def docs(page: Page, seen: Seen, server: str) -> Page:
    """The documentation, shown and with its sections closed."""
    return shown(page, server)


@pytest.fixture(scope="module")
def loaded_docs(browser: Browser, server: str) -> Iterator[Page]:
    """As `docs`, for tests that change nothing but what is open: to draw it takes seconds."""
    with opened_page(browser) as page:
        yield shown(page, server)


@pytest.fixture
def shared_docs(loaded_docs: Page) -> Iterator[Page]:
    """`loaded_docs` with its sections closed; what a test has opened is closed again."""
    yield loaded_docs
    for opened in (".opblock.is-open .opblock-summary-control", ".is-open > .opblock-tag"):
        while loaded_docs.locator(opened).count():
            loaded_docs.locator(opened).first.click()


def shown(page: Page, server: str) -> Page:
    page.goto(f"{server}/docs")
    page.locator(".opblock-tag").first.wait_for()
    return page


def opened(docs: Page, tag: str, operation_id: str) -> Locator:
    """The operation's panel, opened as a reader would: first its section, then itself."""
    panel = docs.locator(f"#operations-{tag}-{operation_id}")
    if not panel.is_visible():
        docs.locator(f"#operations-tag-{tag}").click()
    panel.locator(".opblock-summary-control").click()
    panel.locator(".opblock-body .execute").wait_for()
    return panel


def authorize(docs: Page) -> None:
    """Give the page the key that it sends from then on."""
    docs.locator(".auth-wrapper .authorize").click()
    docs.locator("#auth-bearer-value").fill(ADMIN_KEY)
    form = docs.locator(".auth-container", has=docs.locator("#auth-bearer-value"))
    form.locator("button.authorize").click()
    docs.locator(".modal-ux .btn-done").first.click()


def test_the_first_page_leads_to_the_documentation(page: Page, server: str) -> None:
    page.goto(f"{server}/")
    page.get_by_role("link", name="API", exact=True).click()
    page.wait_for_url(f"{server}/docs")
    expect(page).to_have_title("Trade-mission deals")
    expect(page.locator(".info .title")).to_contain_text("Trade-mission deals")


def test_the_page_needs_nothing_but_the_server(docs: Page, seen: Seen, server: str) -> None:
    panel = opened(docs, "codes", "list_code_lists")
    panel.locator(".execute").click()
    expect(panel.locator(".live-responses-table .response-col_status").last).to_contain_text("200")
    docs.wait_for_load_state("networkidle")
    assert f"{server}/openapi.json" in seen.requests
    elsewhere = [url for url in seen.requests if not url.startswith((f"{server}/", "data:"))]
    assert elsewhere == []
    assert seen.failures == []
    assert seen.complaints == []
    # A browser without a window does not ask for it.
    icon = docs.locator("link[rel='shortcut icon']").evaluate("link => link.href")
    assert icon.startswith(f"{server}/")
    assert httpx.get(icon).status_code == 200


def test_every_section_is_there_and_closed(docs: Page, document: dict[str, Any]) -> None:
    tags = docs.locator(".opblock-tag")
    names = [tags.nth(number).get_attribute("data-tag") for number in range(tags.count())]
    assert names == [tag["name"] for tag in document["tags"]]
    expect(docs.locator(OPERATIONS)).to_have_count(0)


def test_every_operation_shows_once(shared_docs: Page, document: dict[str, Any]) -> None:
    """Section by section: with very many rows open, the page keeps only those in sight."""
    docs, seen = shared_docs, watched(shared_docs)
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    for name in [tag["name"] for tag in document["tags"]]:
        ids = [one["operationId"] for one in operations if one["tags"] == [name]]
        docs.locator(f"#operations-tag-{name}").click()
        expect(docs.locator(OPERATIONS)).to_have_count(len(ids))
        shown = docs.locator(OPERATIONS).evaluate_all("all => all.map(one => one.id)")
        assert shown == [f"operations-{name}-{one}" for one in ids]
        docs.locator(f"#operations-tag-{name}").click()
        expect(docs.locator(OPERATIONS)).to_have_count(0)
    assert seen.complaints == []


def test_a_mission_can_be_read_from_the_page(shared_docs: Page, server: str) -> None:
    docs, seen = shared_docs, watched(shared_docs)
    panel = opened(docs, "missions", "get_mission")
    panel.get_by_placeholder("key").fill("novosibirsk-april")
    panel.locator(".execute").click()
    answer = panel.locator(".live-responses-table")
    expect(answer.locator(".response-col_status").last).to_contain_text("200")
    expect(answer).to_contain_text(TITLE)
    # Parameters that the reader leaves alone are not sent with made-up values.
    assert seen.requests[-1] in (
        f"{server}/missions/novosibirsk-april",
        f"{server}/missions/novosibirsk-april?deleted=exclude",
    )
    assert seen.complaints == []


def test_a_mission_that_is_not_there_shows_the_problem(shared_docs: Page) -> None:
    panel = opened(shared_docs, "missions", "get_mission")
    panel.get_by_placeholder("key").fill("novosibirsk-may")
    panel.locator(".execute").click()
    answer = panel.locator(".live-responses-table")
    expect(answer.locator(".response-col_status").last).to_contain_text("404")
    expect(answer).to_contain_text("/problems/not-found")
    expect(answer).to_contain_text("application/problem+json")


def test_a_list_can_be_read_from_the_page(shared_docs: Page) -> None:
    panel = opened(shared_docs, "agreements", "list_agreements")
    panel.locator(".execute").click()
    answer = panel.locator(".live-responses-table")
    expect(answer.locator(".response-col_status").last).to_contain_text("200")
    expect(answer).to_contain_text("next_cursor")


def test_a_mission_can_be_created_from_the_example(docs: Page, seen: Seen) -> None:
    """The heaviest panel opens within the time that Playwright waits, with a body to send."""
    authorize(docs)
    panel = opened(docs, "missions", "create_mission")
    expect(panel.locator("textarea.body-param__text")).to_contain_text("novosibirsk-april-copy")
    panel.locator(".execute").click()
    answer = panel.locator(".live-responses-table")
    expect(answer.locator(".response-col_status").last).to_contain_text("201")
    expect(answer).to_contain_text("novosibirsk-april-copy")
    assert seen.complaints == []


def test_without_a_key_the_page_tells_what_is_missing(shared_docs: Page) -> None:
    panel = opened(shared_docs, "missions", "create_mission")
    panel.locator(".execute").click()
    answer = panel.locator(".live-responses-table")
    expect(answer.locator(".response-col_status").last).to_contain_text("401")
    expect(answer).to_contain_text("needs a key")
