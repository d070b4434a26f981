"""The query guide, opened in a browser as a reader would."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from app.guide.text import sections
from tests.test_docs_page import Seen, browser, page, pytestmark, seen, server

# The server, the browser and what is seen of a page are the documentation page's.
__all__ = ["browser", "page", "pytestmark", "seen", "server"]

NARROW: ViewportSize = {"width": 390, "height": 844}
Colour = tuple[float, float, float]


@pytest.fixture
def guide(page: Page, seen: Seen, server: str) -> Page:
    page.goto(f"{server}/guide")
    return page


@pytest.fixture
def dark(browser: Browser, server: str) -> Iterator[Page]:
    context = browser.new_context(color_scheme="dark", viewport=NARROW)
    page = context.new_page()
    page.goto(f"{server}/guide")
    yield page
    context.close()


def colours(page: Page, selector: str) -> tuple[float, float]:
    """How light an element's text and what is behind it are, as WCAG 2.2 reckons, 0 to 1."""
    read = """element => {
        let behind = element;
        while (getComputedStyle(behind).backgroundColor === 'rgba(0, 0, 0, 0)')
            behind = behind.parentElement;
        return [getComputedStyle(element).color, getComputedStyle(behind).backgroundColor]
            .map(colour => colour.match(/\\d+/g).slice(0, 3).map(Number));
    }"""
    text, behind = page.locator(selector).first.evaluate(read)
    return luminance(text), luminance(behind)


def luminance(colour: Colour) -> float:
    linear = [((c / 255 + 0.055) / 1.055) ** 2.4 if c > 10 else c / 255 / 12.92 for c in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(page: Page, selector: str) -> float:
    darker, lighter = sorted(colours(page, selector))
    return (lighter + 0.05) / (darker + 0.05)


def test_the_page_needs_nothing_but_the_server(guide: Page, seen: Seen, server: str) -> None:
    guide.wait_for_load_state("networkidle")
    expect(guide).to_have_title("Query guide – Trade-mission deals")
    assert [url for url in seen.requests if not url.startswith(f"{server}/")] == []
    assert seen.failures == []
    assert seen.complaints == []


def test_the_table_of_contents_leads_to_every_section(guide: Page) -> None:
    links = guide.locator("nav a")
    assert links.all_inner_texts() == [section.title for section in sections().values()]
    for section in sections().values():
        guide.locator("nav").get_by_role("link", name=section.title, exact=True).click()
        assert guide.url.endswith(f"#{section.slug}")
        expect(guide.locator(f"#{section.slug} h2")).to_be_in_viewport()


def test_the_keyboard_reaches_the_text_at_once(guide: Page) -> None:
    guide.keyboard.press("Tab")
    expect(guide.get_by_role("link", name="To the text")).to_be_focused()
    guide.keyboard.press("Enter")
    expect(guide.locator("#first-steps h2")).to_be_in_viewport()
    guide.keyboard.press("Tab")
    expect(guide.locator("#first-steps .anchor")).to_be_focused()


def test_an_example_opens_in_the_browser(guide: Page, server: str) -> None:
    guide.locator("#first-steps").get_by_role("link", name="Open").first.click()
    assert guide.url == f"{server}/missions/novosibirsk-april"


def test_a_command_is_copied_as_it_stands(guide: Page) -> None:
    guide.context.grant_permissions(["clipboard-read", "clipboard-write"])
    guide.locator("#nested-create").get_by_role("button", name="Copy").first.click()
    expect(guide.get_by_role("button", name="Copied")).to_be_visible()
    copied = guide.evaluate("navigator.clipboard.readText()")
    assert copied == sections()["nested-create"].examples[0].command


def test_nothing_is_cut_off_on_a_narrow_screen(guide: Page) -> None:
    guide.set_viewport_size(NARROW)
    assert guide.evaluate("document.documentElement.scrollWidth") == NARROW["width"]
    wider = """[...document.querySelectorAll('main *')].filter(
        element => element.getBoundingClientRect().right > innerWidth
            && !element.closest('pre, .scroll')).length"""
    assert guide.evaluate(wider) == 0


@pytest.mark.parametrize("selector", ["main p", "main a", ".command", ".answer", "th", "nav span"])
def test_it_can_be_read_by_day_and_by_night(guide: Page, dark: Page, selector: str) -> None:
    assert contrast(guide, selector) >= 4.5
    assert contrast(dark, selector) >= 4.5


def test_the_night_is_dark(guide: Page, dark: Page) -> None:
    assert colours(guide, "h1")[1] > 0.9
    assert colours(dark, "h1")[1] < 0.05


def test_what_scrolls_can_be_scrolled_by_keyboard(guide: Page) -> None:
    unreachable = (
        "[...document.querySelectorAll('pre, .scroll')].filter(e => e.tabIndex < 0).length"
    )
    assert guide.evaluate(unreachable) == 0
