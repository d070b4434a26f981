"""The pages of records: what is stated, what is not, and what nobody may see."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from app.api import RESOURCES
from app.engine.withholding import faults_of_withheld
from tests.pages.reader import HTML, Page, PageReader

DEAL = "/pages/agreements/alina-office"
MISSION = "/pages/missions/novosibirsk-april"
HOSTILE = (
    "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>",
    "javascript:alert(3)",
    "{{ 7 * 7 }} {% raw %}",
    "שלום عليكم",
)


def section(page: Page, heading: str) -> str:
    """The text of the section with this heading."""
    for each in page.root.find(tag="section"):
        if any(h.text.strip().startswith(heading) for h in each.find(tag="h2")):
            return each.text
    raise AssertionError(f"no section {heading}")


async def test_a_mission_shows_its_claims_beside_its_records(reader: PageReader) -> None:
    page = await reader.open(MISSION)
    assert page.heading == "Business mission of Kazakhstan to the Novosibirsk region"
    assert "11 – 13 April, year not stated" in page.text.replace("\u2009", " ")
    claims = section(page, "Claims beside records")
    assert "Companies 35 Press service of the Embassy of Kazakhstan in Russia Kazinform 6" in claims


async def test_a_mission_tells_who_went_and_how_certain_that_is(reader: PageReader) -> None:
    went = section(await reader.open(MISSION), "Who went")
    assert "Delegation 2" in went
    assert "Host side 2" in went
    assert "Yermek Kosherbayev Head of delegation Probable" in went
    assert went.index("Delegation 2") < went.index("Host side 2") < went.index("Organizer 3")


async def test_a_mission_has_the_sentence_and_the_six_deals(reader: PageReader) -> None:
    page = await reader.open(MISSION)
    assert "35 companies (reported), six deals: two signed and binding" in page.text
    assert len(page.rows()) == 6
    firm = await reader.open(f"{MISSION}?firmness=announced")
    assert "Class: Announced or negotiated" in section(firm, "The deals")
    assert [row["Deal"] for row in firm.rows()] == [
        "Plan of Alina to open an office in Novosibirsk"
    ]


async def test_an_agreement_that_can_be_read_in_several_ways_says_so(reader: PageReader) -> None:
    page = await reader.open("/pages/agreements/kazenergokabel-memorandum-1")
    assert "Ambiguous" in page.text
    assert "One memorandum for each subject" in section(page, "The source can be read in 5 ways")
    assert "not stated" in section(page, "Amount")
    assert "the other side, not named" in section(page, "Parties")


async def test_an_agreement_shows_what_became_of_it(
    client: httpx.AsyncClient, reader: PageReader
) -> None:
    deal = {
        "title": "A factory",
        "instrument": "investment_agreement",
        "status": "signed",
        "signed": "2024-05-14",
        "amount": 10_000_000,
        "amount_max": 15_000_000,
        "currency": "EUR",
        "amount_text": "10 to 15 million",
        "parties": [{"role": "investor", "description": "A bank"}],
        "targets": [{"measure": "jobs", "quantity": 1000, "bound": "at_least", "due": "../2027"}],
    }
    key = (await client.post("/agreements", json=deal)).json()["id"]
    outcome = {
        "agreement_id": key,
        "date": "2025-11",
        "status": "in_force",
        "actual_amount": "2500000.50",
        "currency": "EUR",
        "achieved": [{"measure": "jobs", "quantity": 120}],
    }
    answer = await client.post("/outcomes", json=outcome)
    assert answer.status_code == 201, answer.text
    page = await reader.open(f"/pages/agreements/{key}")
    assert "10,000,000–15,000,000 EUR" in section(page, "Amount").replace("EUR", " EUR").replace(
        "  ", " "
    )
    assert "as printed: “10 to 15 million”" in page.text
    became = section(page, "What became of it")
    assert "November 2025 In force 2,500,000.5 EUR" in became
    assert "Jobs at least 1,000 until 2027 120 November 2025" in became
    steps = page.root.find(cls="course")[0].find(tag="li")
    assert [each.text.strip() for each in steps if "done" in each.attributes["class"]] == [
        "Signed 14 May 2024",
        "In force November 2025",
    ]


async def test_an_organization_tells_where_it_has_been_and_what_it_agreed_on(
    reader: PageReader,
) -> None:
    page = await reader.open("/pages/organizations/kaznex-invest")
    assert page.heading == "Kaznex Invest"
    assert "KAZNEX INVEST" in page.text
    assert "Business mission of Kazakhstan" in section(page, "Where it has been")
    assert [row["Class"] for row in page.rows()] == ["Accomplished"]
    person = await reader.open("/pages/people/yermek-kosherbayev")
    assert "Ермек Кошербаев" in person.text
    assert "Head of delegation" in section(person, "Where it has been")


async def test_a_person_has_the_figures_of_what_it_signed(
    client: httpx.AsyncClient, reader: PageReader
) -> None:
    person = (await client.post("/people", json={"full_name": "A signer"})).json()["id"]
    deal = {
        "title": "Signed by hand",
        "instrument": "supply_contract",
        "status": "signed",
        "amount": 12,
        "currency": "EUR",
        "parties": [{"role": "buyer", "description": "A firm", "signed_by_id": person}],
    }
    made = await client.post("/agreements", json=deal)
    assert made.status_code == 201, made.text
    page = await reader.open(f"/pages/people/{person}")
    assert "1 Signed, binding" in section(page, "How firm it is")
    assert "12 EUR" in section(page, "Money, by currency").replace("EUR", " EUR").replace("  ", " ")
    assert [row["Deal"] for row in page.rows()] == ["Signed by hand"]


async def test_passages_call_records_by_their_names_in_the_language_of_the_page(
    reader: PageReader,
) -> None:
    page = await reader.open(MISSION)
    passages = section(page, "The passages it rests on")
    assert "10 · 244 citations" in passages
    for name in (
        "Delegate Nikolai Dychko",
        "Mission Business mission of Kazakhstan",
        "Supply contract of Nobel AFF and Katren",
        "Round table with local business",
    ):
        assert name in passages, name
    in_russian = section(await reader.open(f"{MISSION}?lang=ru"), "На чём это основано")
    assert "Ермек Кошербаев" in in_russian
    assert "Supply contract" not in in_russian


async def test_a_passage_shows_its_words_where_the_text_is_attached(
    client: httpx.AsyncClient, reader: PageReader
) -> None:
    source = {"publisher": "An invented paper", "title": "Notes"}
    key = (await client.post("/sources", json=source)).json()["id"]
    text = "Eight firms came. A contract about <b>timber</b> was signed by the two."
    put = await client.put(
        f"/sources/{key}/text", content=text, headers={"Content-Type": "text/plain"}
    )
    assert put.status_code == 200, put.text
    deal = {
        "title": "Timber",
        "instrument": "supply_contract",
        "status": "negotiated",
        "citations": [
            {"source_id": key, "quote": "A contract", "field": "/instrument"},
            {"source_id": key, "quote": "timber", "field": "/title"},
            {"source_id": key, "quote": "<b>timber</b> was signed", "field": "/status"},
        ],
    }
    made = await client.post("/agreements", json=deal)
    assert made.status_code == 201, made.text
    page = await reader.open(f"/pages/agreements/{made.json()['id']}")
    (passage,) = page.root.find(cls="passages")[0].find(tag="li")
    assert "An invented paper no address is stated sentence 2" in passage.text
    assert passage.find(tag="blockquote")[0].text == "A contract … <b>timber</b> was signed"
    assert "kind of agreement" in passage.text


async def test_the_search_leads_to_pages_and_marks_what_was_found(reader: PageReader) -> None:
    page = await reader.open("/pages/search?q=Novosibirsk")
    assert [each.text for each in page.root.find(tag="mark")][:1] == ["Новосибирск"]
    links = [link for link in page.links if link.startswith("/pages/agreements/")]
    assert links
    assert "Nothing was found" in (await reader.open("/pages/search?q=zzzzzz")).text
    assert "Write words" in (await reader.open("/pages/search")).text


async def test_a_receipt_is_a_page_that_tells_what_has_changed(
    client: httpx.AsyncClient, reader: PageReader
) -> None:
    mission = (
        await client.post("/missions", json={"title": "Quoted", "kind": "trade_fair"})
    ).json()
    made = await client.post("/receipts", json={"url": f"/missions/{mission['id']}/summary"})
    address = f"/pages/receipts/{made.json()['id']}"
    assert (await reader.open(address)).heading == "The same is answered today"
    deal = {"title": "X", "instrument": "memorandum_of_understanding", "status": "negotiated"}
    await client.post("/agreements", json={**deal, "mission_id": mission["id"]})
    changed = await reader.open(address)
    assert changed.heading == "Something else is answered today"
    # A new record is told by what it has: fields that say nothing are left out.
    since = section(changed, "What has changed since")
    assert "status: not stated → negotiated" in since
    assert "parties_complete: not stated → true" in since
    assert "→ [" not in since
    assert "confidential" not in since


async def test_what_is_withheld_is_on_no_page_and_said_to_be(
    client: httpx.AsyncClient, reader: PageReader
) -> None:
    mission = (await client.post("/missions", json={"title": "Quiet", "kind": "trade_fair"})).json()
    secret = {
        "title": "The secret deal",
        "instrument": "memorandum_of_understanding",
        "status": "negotiated",
        "mission_id": mission["id"],
        "confidential": True,
    }
    hidden = (await client.post("/agreements", json=secret)).json()
    partly = {
        **secret,
        "title": "A deal for a sum",
        "confidential": False,
        "amount": 77,
        "currency": "EUR",
        "withheld": ["amount"],
    }
    shown = (await client.post("/agreements", json=partly)).json()
    pages = (f"/?mission={mission['id']}", f"/pages/missions/{mission['id']}")
    for path in (*pages, "/pages/search?q=secret+deal"):
        page = await reader.open(path)
        assert "The secret deal" not in page.text, path
        assert not [link for link in page.links if hidden["id"] in link], path
    for path in pages:
        (row,) = (await reader.open(path)).rows()
        assert (row["Deal"], row["Amount"]) == ("A deal for a sum", "withheld")
    assert "withheld" in section(await reader.open(f"/pages/agreements/{shown['id']}"), "Amount")
    assert "77" not in section(await reader.open(f"/pages/agreements/{shown['id']}"), "Amount")
    await reader.open(f"/pages/agreements/{hidden['id']}", 404)
    # Who may write sees it, on the same page.
    for path in pages:
        answer = await client.get(path, headers=HTML)
        assert "The secret deal" in answer.text


async def test_a_record_with_all_withheld_that_may_be_is_a_page_that_says_so(
    client: httpx.AsyncClient, reader: PageReader
) -> None:
    bodies: dict[str, dict[str, Any]] = {
        "missions": {"title": "W", "kind": "trade_fair", "dates": "2020", "sectors": ["C10"]},
        "people": {"full_name": "P", "other_names": ["Q"]},
        "organizations": {"name": "O", "kind": "company", "country": "KZ"},
        "agreements": {
            "title": "A",
            "instrument": "supply_contract",
            "status": "signed",
            "signed": "2020-01",
            "parties": [{"role": "buyer", "description": "Zebra"}],
        },
    }
    faults: list[Any] = []
    for resource in RESOURCES:
        if resource.path not in bodies:
            continue
        names = [n for n in resource.fields.model_fields if not faults_of_withheld(resource, [n])]
        body = {**bodies[resource.path], "withheld": names}
        made = await client.post(f"/{resource.path}", json=body)
        assert made.status_code == 201, made.text
        page = await reader.open(f"/pages/{resource.path}/{made.json()['id']}")
        if "Not shown to the public:" not in page.text or "None" in page.text:
            faults.append((resource.path, page.text))
        faults += [(resource.path, word) for word in ("2020", "Zebra", "Q ") if word in page.text]
    assert not faults


async def test_hostile_names_are_shown_as_they_are_and_do_nothing(
    client: httpx.AsyncClient, reader: PageReader
) -> None:
    faults: list[Any] = []
    for name in HOSTILE:
        body = {"title": name, "kind": "trade_fair", "other_names": [name], "summary": name}
        mission = (await client.post("/missions", json=body)).json()["id"]
        party = (await client.post("/organizations", json={"name": name, "kind": "company"})).json()
        deal = {
            "title": name,
            "subject": name,
            "note": name,
            "instrument": "supply_contract",
            "status": "negotiated",
            "mission_id": mission,
            "parties": [
                {"role": "supplier", "organization_id": party["id"]},
                {"role": "buyer", "description": name},
            ],
        }
        made = await client.post("/agreements", json=deal)
        assert made.status_code == 201, made.text
        paths = (
            f"/?mission={mission}",
            f"/pages/missions/{mission}",
            f"/pages/agreements/{made.json()['id']}",
            f"/pages/organizations/{party['id']}",
        )
        for path in paths:
            page = await reader.open(path)
            if name not in page.text:
                faults.append((path, name))
            if len(page.root.find(tag="script")) != 1 or page.root.find(tag="img"):
                faults.append((path, "an element of the name's"))
            faults += [(path, link) for link in page.links if not link.startswith("/")]
    answer = await reader.get("/pages/search", Accept=HTML["Accept"])
    assert answer.status_code == 200
    page = await reader.open('/pages/search?q="><script>alert(1)</script>')
    assert len(page.root.find(tag="script")) == 1
    assert not faults


async def test_every_link_of_every_page_answers(fresh_app: FastAPI) -> None:
    reader, seen, faults = PageReader(fresh_app), set[str](), list[Any]()
    times = Counter[str]()
    waiting: list[str] = ["/", "/?lang=kk&firmness=announced", "/pages/missions"]
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        answer = await reader.get(path)
        if answer.status_code != 200:
            faults.append((path, answer.status_code, answer.text[:200]))
            continue
        is_page = path.startswith(("/pages/", "/?")) or path == "/"
        if is_page and "text/html" in answer.headers["content-type"]:
            waiting += sorted(
                link
                for link in _without_anchors(Page(answer).links)
                if link not in seen and _is_followed(link, path, times)
            )
    assert not faults
    assert len(seen) > 40


async def test_what_a_figure_counts_is_told_where_its_page_leads(reader: PageReader) -> None:
    paths = ("/", MISSION, "/pages/missions", "/pages/search?q=Katren", DEAL)
    links = {link for path in paths for link in (await reader.open(path)).links}
    named = {link.partition("#")[2] for link in links if link.startswith("/guide#")}
    guide = (await reader.get("/guide")).text
    assert {"figures", "evidence", "reconciliation", "receipts", "search"} <= named
    assert [name for name in named if f'id="{name}"' not in guide] == []


def _without_anchors(links: Sequence[str] | set[str]) -> set[str]:
    return {link.partition("#")[0] for link in links}


def _is_followed(link: str, path: str, times: Counter[str]) -> bool:
    """Each way once that is the first page's or the mission's own; of pages of a kind three."""
    if link.startswith(("/docs", "/guide")):
        return False
    if "?" in link and path not in ("/", "/pages/missions", MISSION):
        return False
    kind = link.rpartition("/")[0]
    times[kind] += 1
    return "?" in link or times[kind] <= 3


@pytest.mark.parametrize("path", ["/", MISSION, "/pages/agreements/alina-office", "/pages/search"])
async def test_the_head_of_a_page_answers_head(fresh_app: FastAPI, path: str) -> None:
    client = httpx.AsyncClient(
        transport=httpx.ASGITransport(fresh_app), base_url="http://test", headers=HTML
    )
    answer = await client.head(path)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["etag"].startswith('W/"')


async def test_figures_say_what_of_them_is_withheld_and_what_comes_each_year(
    client: httpx.AsyncClient, reader: PageReader
) -> None:
    mission = (await client.post("/missions", json={"title": "Sums", "kind": "trade_fair"})).json()
    common = {"instrument": "memorandum_of_understanding", "mission_id": mission["id"]}
    deals: tuple[dict[str, Any], ...] = (
        {"amount": 900, "currency": "RUB"},
        {"amount": 80, "currency": "RUB", "amount_period": "per_year"},
        {"amount": 70, "currency": "RUB", "amount_years": 2, "amount_period": "over_years"},
        {"amount": 77, "currency": "EUR", "withheld": ["amount"]},
        {"confidential": True},
        {},
    )
    for number, more in enumerate(deals):
        body = {**common, "title": f"Sum {number}", "status": "negotiated", **more}
        made = await client.post("/agreements", json=body)
        assert made.status_code == 201, made.text
    for path in (f"/?mission={mission['id']}", f"/pages/missions/{mission['id']}"):
        page = await reader.open(path)
        money = section(page, "Money, by currency").replace("\u202f", ",")
        assert "970" in money, path
        assert "80 a year" in money, path
        assert "an amount is stated by 3 of 5 deals" in money, path
        assert "1 of 5 deals states no amount" in money, path
        assert "The amount of 1 deal is withheld." in money, path
        # What is counted leads to the deals that it is the sum of.
        figures = [each for each in page.root.find(cls="fig") if "data-live-key" in each.attributes]
        sums = {each.text.replace("\u202f", ","): each for each in figures}
        for told, titles in (("970", {"Sum 0", "Sum 2"}), ("80 a year", {"Sum 1"})):
            shown = await reader.open(sums[told].attributes["href"])
            assert {row["Deal"] for row in shown.rows()} == titles, (path, told)
        keys = [each.attributes["data-live-key"] for each in figures]
        assert len(keys) == len(set(keys))
        is_mission = path.startswith("/pages")
        assert ("1 more deal is withheld" in money) is is_mission, path
    page = await reader.open(f"/?mission={mission['id']}&currency=EUR&firmness=announced")
    assert "an amount is stated by" not in page.text
    page = await reader.open(f"/?mission={mission['id']}&amount_period=per_year")
    assert "an amount is stated by 1 of 1 deal " in page.text
