"""The pages in a browser: nothing from elsewhere, for every eye, on paper and by keyboard."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.faults.conftest import copied
from tests.keys import ADMIN_KEY
from tests.pages.chromium import DESKTOP, PHONE, Seen, axe_faults, is_too_wide, needs_chromium
from tests.servers import Server, running_server
from tests.templates import seeded_url

PATHS = (
    "/",
    "/?firmness=signed_binding&lang=ru",
    "/pages/missions",
    "/pages/missions/novosibirsk-april?lang=kk",
    "/pages/agreements/nobel-katren-supply",
    "/pages/organizations/kaznex-invest",
    "/pages/people/yermek-kosherbayev",
    "/pages/organizations/elsib/compare/kaznex-invest",
    "/pages/search?q=Novosibirsk",
    "/pages/missions/nowhere",
)
#: Tables that are more than their box shows: what is compared or listed is to be seen at once.
HIDDEN_ON_A_PHONE = """[...document.querySelectorAll("table")].filter(
    each => each.scrollWidth > each.parentElement.clientWidth + 1).map(each => each.className)"""
DEAL = "/pages/agreements/alina-office"

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server on a seeded database of its own."""
    folder: Path = tmp_path_factory.mktemp("pages")
    with running_server(copied(seeded_url("sqlite"), folder), folder) as server:
        yield server


@pytest.fixture
def page(browser: Browser, server: Server) -> Iterator[Page]:
    context = browser.new_context(base_url=server.address, viewport=DESKTOP)
    yield context.new_page()
    context.close()


def test_no_page_asks_anybody_else_or_complains_or_is_wider_than_a_phone(
    page: Page, server: Server
) -> None:
    seen, faults = Seen(page), list[Any]()
    page.set_viewport_size(PHONE)
    for path in PATHS:
        page.goto(path)
        if is_too_wide(page):
            faults.append(path)
        faults += [(path, table) for table in page.evaluate(HIDDEN_ON_A_PHONE)]
    faults += seen.elsewhere(server.address)
    assert not faults
    assert not seen.complaints


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_any_page(browser: Browser, server: Server, scheme: Any) -> None:
    # axe is put into the page by the browser, past the page's policy.
    context = browser.new_context(base_url=server.address, color_scheme=scheme, bypass_csp=True)
    page, faults = context.new_page(), list[Any]()
    for path in PATHS:
        page.goto(path)
        faults += axe_faults(page)
    context.close()
    assert not faults


def test_it_works_without_its_script(browser: Browser, server: Server) -> None:
    context = browser.new_context(base_url=server.address, java_script_enabled=False)
    page = context.new_page()
    page.goto("/")
    page.get_by_text("Choose what is shown").click()
    page.get_by_label("Class", exact=True).select_option("announced")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator(".deals tbody tr")).to_have_count(1)
    page.get_by_role("link", name="Plan of Alina").first.click()
    expect(page.locator("h1")).to_contain_text("Plan of Alina")
    context.close()


def test_a_name_without_a_gap_pushes_no_column_out_of_sight(page: Page) -> None:
    page.goto("/")
    before = page.evaluate("document.querySelector('.deals').offsetWidth")
    for cell in ("col-title", "col-parties"):
        page.evaluate(f"document.querySelector('.{cell} bdi').textContent = 'W'.repeat(300)")
    assert page.evaluate("document.querySelector('.deals').offsetWidth") == before
    # On paper nothing scrolls: cards on A4, the table on a wider sheet.
    page.emulate_media(media="print")
    for width in (690, 1000):
        page.set_viewport_size({"width": width, "height": 1000})
        assert not is_too_wide(page), width
    page.emulate_media(media="screen")
    page.set_viewport_size(PHONE)
    page.goto(f"/?q={'W' * 180}")
    assert not is_too_wide(page)


def test_where_reading_takes_a_key_the_browser_asks_for_it(
    browser: Browser, tmp_path: Path
) -> None:
    url = copied(seeded_url("sqlite"), tmp_path)
    with running_server(url, tmp_path, public_reading=False) as server:
        for key, heading in ((ADMIN_KEY, "One mission"), ("wrong", "This needs a key")):
            context = browser.new_context(
                base_url=server.address,
                http_credentials={"username": "", "password": key},
                locale="en",
            )
            page = context.new_page()
            page.goto("/")
            expect(page.locator("h1")).to_contain_text(heading)
            way_in = page.get_by_role("link", name="Enter the key")
            expect(way_in).to_have_count(0 if key == ADMIN_KEY else 1)
            context.close()


def test_the_keyboard_reaches_what_there_is_from_the_top(page: Page) -> None:
    page.goto("/")
    page.keyboard.press("Tab")
    focused = "document.activeElement"
    assert page.evaluate(f"{focused}.getAttribute('href')") == "#main"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate(f"{focused}.closest('main') !== null")
    reached = set()
    for _ in range(60):
        reached.add(page.evaluate(f"{focused}.getAttribute('href') || {focused}.tagName"))
        page.keyboard.press("Tab")
    assert "/?firmness=signed_binding#deals" in reached
    assert "SUMMARY" in reached
    assert "/pages/agreements/nobel-katren-supply" in reached


def test_what_is_recorded_is_seen_without_reloading_and_said(page: Page, server: Server) -> None:
    seen = Seen(page)
    page.goto("/pages/missions/novosibirsk-april")
    expect(page.locator(".deals tbody tr")).to_have_count(6)
    page.evaluate("window.still = true")
    body = {
        "title": "A seventh",
        "instrument": "supply_contract",
        "status": "negotiated",
        "mission_id": page.evaluate("location.pathname.split('/').pop()"),
    }
    with server.client() as client:
        key = client.get("/missions/novosibirsk-april").json()["id"]
        made = client.post("/agreements", json={**body, "mission_id": key}).json()
        expect(page.locator(".deals tbody tr")).to_have_count(7)
        expect(page.locator("[role=status]")).to_contain_text("updated")
        assert page.locator("tr.changed").count() == 1
        assert page.evaluate("window.still"), "the page was loaded anew"
        client.delete(f"/agreements/{made['id']}")
    expect(page.locator(".deals tbody tr")).to_have_count(6)
    assert not seen.complaints


def test_a_signed_in_person_adds_what_became_of_a_deal(page: Page, server: Server) -> None:
    page.goto(DEAL)
    page.get_by_text("Add what became of it").click()
    form = page.locator("form[data-write=outcome]")
    form.get_by_label("Your key").fill("tmd_wrong")
    form.get_by_label("Note").fill("The office was opened in May.")
    form.get_by_role("button", name="Save").click()
    expect(form.locator("[data-problem]")).to_contain_text("key")
    form.get_by_label("Your key").fill(ADMIN_KEY)
    form.get_by_label("Date").fill("2017-05")
    form.get_by_label("Amount really paid").fill("1 250,50")
    form.get_by_label("Currency").fill("usd")
    form.get_by_role("button", name="Save").click()
    expect(page.locator("#outcomes li").first).to_contain_text("May 2017")
    expect(page.locator("#outcomes li").first).to_contain_text("1,250.5 USD")
    assert page.evaluate("sessionStorage.length") == 1
    assert page.evaluate("localStorage.length") == 0
    assert ADMIN_KEY not in page.url
    # For the next one the key is known.
    expect(form.locator("[data-key-field]")).to_be_hidden()


#: What is written as an amount, on the page of each language: as what it is shown, or why not.
AMOUNTS = {
    "en": {
        "1,500": "It is read as 1,500 USD.",
        "12,500,000": "It is read as 12,500,000 USD.",
        "1 234 567,89": "It is read as 1,234,567.89 USD.",
        "1.234.567,5": "It is read as 1,234,567.5 USD.",
        "0.500": "It is read as 0.500 USD.",
        "1.500": "“1.500” can be read as 1,500 or as 1.5: write one of these.",
        "1.234": "“1.234” can be read as 1,234 or as 1.2340: write one of these.",
        "1,2,3": "“1,2,3” is no amount: write digits, such as 1,250.50.",
        "5 mln": "“5 mln” is no amount: write digits, such as 1,250.50.",
        "-5": "“-5” is no amount: write digits, such as 1,250.50.",
        "12 3456": "“12 3456” is no amount: write digits, such as 1,250.50.",
        "1,": "“1,” is no amount: write digits, such as 1,250.50.",
    },
    "ru": {
        "1500,5": "Будет записано: 1 500,5 USD.",
        "12500.75": "Будет записано: 12 500,75 USD.",
        "1,500": "«1,500» можно понять как 1 500 или как 1,5: напишите одно из двух.",
        "много": "«много» – не сумма: напишите цифрами, например 1 250,50.",
    },
    "kk": {"1,234": "«1,234» дегенді 1 234 немесе 1,2340 деп түсінуге болады: біреуін жазыңыз."},
}


def test_an_amount_is_shown_as_it_is_read_and_refused_where_it_is_two(page: Page) -> None:
    faults = []
    for language, amounts in AMOUNTS.items():
        page.goto(f"{DEAL}?lang={language}")
        page.locator(".signed-in summary").first.click()
        form = page.locator("form[data-write=outcome]")
        form.locator("[name=currency]").fill("usd")
        for written, expected in amounts.items():
            form.locator("[name=actual_amount]").fill(written)
            form.locator("[name=actual_amount]").blur()
            told = form.locator("[data-read]").inner_text().replace("\u202f", " ")
            if told != expected:
                faults.append((language, written, told))
    assert not faults


def _open_outcome(page: Page, path: str = DEAL) -> Locator:
    """The form of an outcome with a key that may write."""
    page.goto(path)
    page.get_by_text("Add what became of it").click()
    form = page.locator("form[data-write=outcome]")
    form.get_by_label("Your key").fill(ADMIN_KEY)
    return form


def _outcomes(server: Server, note: str) -> list[Any]:
    with server.client() as client:
        found: list[Any] = client.get("/outcomes", params={"note": note}).json()["data"]
        return found


def test_what_cannot_be_read_or_says_nothing_is_not_sent(page: Page, server: Server) -> None:
    form = _open_outcome(page)
    sent = Seen(page)
    form.get_by_role("button", name="Save").click()
    expect(form.locator("[data-problem]")).to_contain_text("Say what became of it")
    form.get_by_label("Note").fill("Paid in parts.")
    form.get_by_label("Amount really paid").fill("1.500")
    form.get_by_role("button", name="Save").click()
    expect(form.locator("[data-problem]")).to_contain_text("1,500 or as 1.5")
    assert not [each for each in sent.requests if each.endswith("/outcomes")]
    assert not _outcomes(server, "Paid in parts.")
    form.get_by_label("Amount really paid").fill("1,500")
    form.get_by_label("Currency").fill("usd")
    form.get_by_role("button", name="Save").click()
    expect(page.locator("#outcomes li", has_text="Paid in parts.")).to_contain_text("1,500 USD")
    assert _outcomes(server, "Paid in parts.")[0]["actual_amount"] == 1500


def test_a_form_that_is_sent_twice_is_stored_once(page: Page, server: Server) -> None:
    form, note = _open_outcome(page), "Sent twice."
    save = form.get_by_role("button", name="Save")
    form.get_by_label("Note").fill(note)
    # Twice at once, and again since the answer is lost on its way.
    page.route("**/outcomes", lambda route: (route.fetch(), route.abort()))
    save.evaluate("each => { each.click(); each.click(); }")
    expect(form.locator("[data-problem]")).to_contain_text("No answer came")
    assert len(_outcomes(server, note)) == 1
    page.unroute("**/outcomes")
    form.get_by_label("Currency").fill("usd")
    save.dblclick()
    expect(form.get_by_label("Note")).to_have_value("")
    assert len(_outcomes(server, note)) == 1
    form.get_by_label("Note").fill(note)
    save.click()
    expect(page.locator("#outcomes li", has_text=note)).to_have_count(2)


def test_what_is_sent_otherwise_after_a_lost_answer_is_told_to_be_stored(
    page: Page, server: Server
) -> None:
    form = _open_outcome(page)
    form.get_by_label("Note").fill("First wording.")
    page.route("**/outcomes", lambda route: (route.fetch(), route.abort()))
    form.get_by_role("button", name="Save").click()
    expect(form.locator("[data-problem]")).to_contain_text("No answer came")
    page.unroute("**/outcomes")
    form.get_by_label("Note").fill("Second wording.")
    form.get_by_role("button", name="Save").click()
    expect(form.locator("[data-problem]")).to_contain_text("What you sent before is stored")
    assert not _outcomes(server, "Second wording.")


def test_an_update_leaves_what_is_written_opened_focused_and_scrolled(
    page: Page, server: Server
) -> None:
    """Whatever is recorded elsewhere: who writes, reads or goes by keyboard is not disturbed."""
    changes = iter(range(9))

    def record() -> None:
        live, said = page.locator("[role=status].live"), f"Noted {next(changes)}"
        page.evaluate("document.querySelector('.live').textContent = ''")
        with server.client() as client:
            assert client.patch("/agreements/alina-office", json={"note": said}).is_success
        expect(page.locator("#facts-title + dl")).to_contain_text(said)
        expect(live).to_contain_text("updated")

    form = _open_outcome(page)
    form.get_by_label("Note").fill("Half of a sentence")
    form.get_by_label("Status from then on").select_option("completed")
    page.locator(".receipt summary").click()
    page.locator(".receipt").get_by_label("Where the figures are quoted").fill("Report, p. 3")
    for place in ("[aria-labelledby=parties] a", ".ways a", ".receipt input[name=note]", "#o-note"):
        page.locator(place).first.focus()
        page.evaluate("window.was = document.activeElement; window.scrollTo(0, 150)")
        before = page.evaluate("window.scrollY")
        record()
        assert page.evaluate("document.activeElement === window.was"), place
        assert page.evaluate("window.scrollY") == before
    assert form.get_by_label("Note").input_value() == "Half of a sentence"
    assert form.get_by_label("Status from then on").input_value() == "completed"
    assert page.locator(".receipt input[name=note]").input_value() == "Report, p. 3"
    assert page.locator("details[open]").count() == 2


def test_a_row_more_moves_neither_the_focus_nor_what_is_chosen(page: Page, server: Server) -> None:
    page.goto("/")
    page.get_by_text("Choose what is shown").click()
    mission = page.get_by_label("Mission", exact=True)
    chosen = mission.locator("option").nth(1).get_attribute("value")
    mission.select_option(chosen)
    link = page.locator(".deals tbody tr").last.get_by_role("link").first
    told = link.inner_text()
    link.focus()
    with server.client() as client:
        key = client.get("/missions/novosibirsk-april").json()["id"]
        body = {"title": "Ahead of all", "instrument": "announced_plan", "mission_id": key}
        made = client.post("/agreements", json={**body, "status": "announced"}).json()
        expect(page.locator(".deals tbody tr")).to_have_count(7)
        assert page.evaluate("document.activeElement.innerText") == told
        assert mission.input_value() == chosen
        client.delete(f"/agreements/{made['id']}")
        expect(page.locator(".deals tbody tr")).to_have_count(6)
    assert page.evaluate("document.activeElement.innerText") == told


def test_a_signed_in_person_marks_a_passage_as_checked(page: Page, server: Server) -> None:
    page.goto("/pages/organizations/kaznex-invest")
    first = page.locator("[data-citations]").first
    expect(first.get_by_role("button")).to_be_hidden()
    page.get_by_text("Mark what you have compared").click()
    form = page.locator("#passages form")
    form.get_by_label("Your key").fill(ADMIN_KEY)
    form.get_by_role("button", name="Use this key").click()
    first.get_by_role("button", name="Mark as checked").click()
    expect(first).to_contain_text("✓ checked")
    with server.client() as client:
        listed = client.get("/organizations/kaznex-invest/citations?checked__isnull=false")
        assert len(listed.json()["data"]) >= 1
        history = client.get(f"/citations/{listed.json()['data'][0]['id']}/history").json()["data"]
        assert list(history[0]["changes"]) == ["checked"]


@pytest.mark.parametrize("has_script", [True, False])
def test_a_receipt_is_made_of_a_pages_figures_and_its_page_is_shown(
    browser: Browser, server: Server, has_script: bool
) -> None:
    context = browser.new_context(base_url=server.address, java_script_enabled=has_script)
    page = context.new_page()
    page.goto("/?firmness=signed_binding&lang=ru")
    page.locator(".receipt summary").click()
    form = page.locator(".receipt form")
    form.get_by_label("Где цитируются").fill("Отчёт, с. 12")
    form.get_by_label("Ваш ключ").fill(ADMIN_KEY)
    form.get_by_role("button").click()
    expect(page.locator("h1")).to_have_text("Сегодня ответ тот же")
    expect(page.locator(".quoted")).to_contain_text("Подписано, обязывает")
    assert re.search(r"/pages/receipts/[0-9a-f-]{36}\?lang=ru$", page.url)
    page.get_by_role("link", name="Показать, как сейчас").click()
    expect(page.locator(".chip")).to_contain_text(["Подписано, обязывает"])
    context.close()


def test_a_key_that_there_is_not_is_refused_where_it_is_written(page: Page) -> None:
    page.goto("/pages/missions/novosibirsk-april")
    page.locator(".receipt summary").click()
    form = page.locator(".receipt form")
    form.get_by_label("Your key").fill("tmd_wrong")
    form.get_by_role("button").click()
    expect(form.locator("[data-problem]")).to_contain_text("no such key")
    expect(form.get_by_label("Your key")).to_be_editable()


def test_whoever_may_write_sees_possible_duplicates_and_compares_them(
    page: Page, server: Server
) -> None:
    with server.client() as client:
        twin = {"name": "АО «Казнекс Инвест»", "kind": "company", "city": "Астана"}
        made = client.post("/organizations", json=twin).json()
        page.goto("/pages/organizations/kaznex-invest")
        page.get_by_text("Look for possible duplicates").click()
        form = page.locator("#duplicates form")
        form.get_by_label("Your key").fill("tmd_wrong")
        form.get_by_role("button", name="Use this key").click()
        expect(form.locator("[data-problem]")).to_contain_text("no such key")
        form.get_by_label("Your key").fill(ADMIN_KEY)
        form.get_by_role("button", name="Use this key").click()
        expect(page.locator("#duplicates li")).to_have_count(1)
        # The next page shows them at once.
        page.reload()
        page.locator("#duplicates").get_by_role("link", name="Compare").click()
        expect(page.locator(".compared tr.differs").first).to_contain_text("АО «Казнекс Инвест»")
        client.delete(f"/organizations/{made['id']}")


def test_print_leaves_out_what_nobody_can_press_on_paper(page: Page) -> None:
    page.set_viewport_size({"width": 720, "height": 1000})
    page.goto("/")
    page.emulate_media(media="print", color_scheme="dark")
    # As wide as a sheet: what lies beside it is lost.
    assert page.evaluate("document.documentElement.scrollWidth") <= 720
    for hidden in (".find", ".top nav", ".filters", ".files", ".receipt", ".arrow"):
        assert not page.locator(hidden).first.is_visible(), hidden
    assert page.locator(".strip").is_visible()
    ground = "getComputedStyle(document.documentElement).getPropertyValue('--back').trim()"
    assert page.evaluate(ground) == "#fff"


def test_two_sheets_of_paper_hold_the_first_page_and_its_whole_address(page: Page) -> None:
    page.goto("/?lang=kk")
    sheets = page.pdf(format="A4")
    assert len(re.findall(rb"/Type\s*/Page\b", sheets)) == 2
    page.emulate_media(media="print")
    kept = page.locator("input.address")
    assert not kept.is_visible()
    expect(page.locator(".address.printed")).to_have_text(kept.input_value())
