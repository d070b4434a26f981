"""The form that makes a receipt of a page's figures, as a browser without script sends it."""

from typing import Any

import httpx
from fastapi import FastAPI

from tests.keys import ADMIN_KEY, BEARER
from tests.pages.reader import HTML, Page, PageReader

PATH = "/pages/receipts"
SUMMARY = "/missions/novosibirsk-april/summary"


def _browser(app: FastAPI) -> httpx.AsyncClient:
    headers = {**HTML, "Sec-Fetch-Mode": "navigate"}
    transport = httpx.ASGITransport(app)
    return httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers)


async def test_it_leads_to_a_receipt_of_what_the_page_shows(
    shared_app: FastAPI, reader: PageReader
) -> None:
    pages = (
        "/?mission=novosibirsk-april&year=none",
        "/pages/missions",
        "/pages/missions/novosibirsk-april",
        "/pages/agreements/alina-office",
        "/pages/organizations/kaznex-invest",
        "/pages/people/yermek-kosherbayev",
    )
    faults: list[Any] = []
    async with _browser(shared_app) as browser:
        for path in pages:
            page = await reader.open(path)
            (form,) = page.root.find(tag="form", data_write="receipt")
            assert form.attributes["method"] == "post"
            (asked,) = form.find(tag="input", name="url")
            sent = {"url": asked.attributes["value"], "note": "Here", "key": ADMIN_KEY}
            made = await browser.post(form.attributes["action"], data=sent)
            assert made.status_code == 303, (path, made.text)
            receipt = await reader.open(made.headers["location"])
            if receipt.heading != "The same is answered today" or "Here" not in receipt.text:
                faults.append((path, receipt.text))
            place = path.rpartition("/")[0] if "organizations" in path else path.partition("?")[0]
            if not any(link.startswith(place) for link in receipt.links):
                faults.append((path, "the receipt does not lead to the page"))
    assert not faults


async def test_its_page_tells_the_figures_then_and_now_in_words(
    client: httpx.AsyncClient, shared_app: FastAPI, reader: PageReader
) -> None:
    mission = (await client.post("/missions", json={"title": "Kept", "kind": "trade_fair"})).json()
    deal = {"instrument": "supply_contract", "status": "negotiated", "mission_id": mission["id"]}
    await client.post("/agreements", json={**deal, "title": "One", "amount": 5, "currency": "EUR"})
    each_year = {"title": "Rent", "amount": 3, "currency": "EUR", "amount_period": "per_year"}
    await client.post("/agreements", json={**deal, **each_year})
    page = await reader.open(f"/pages/missions/{mission['id']}")
    (asked,) = page.root.find(tag="input", name="url")
    async with _browser(shared_app) as browser:
        sent = {"url": asked.attributes["value"], "key": ADMIN_KEY}
        made = await browser.post(PATH, data=sent)
    await client.post("/agreements", json={**deal, "title": "Two", "amount": 7, "currency": "EUR"})
    receipt = await reader.open(made.headers["location"])
    rows = {row["Figure"]: (row["Then"], row["Now"]) for row in receipt.rows("quoted")}
    assert rows["The deals"] == ("2", "3")
    assert rows["Announced or negotiated, EUR"] == ("EUR 5", "EUR 12")
    assert rows["Announced or negotiated, EUR a year"] == ("EUR 3 a year", "EUR 3 a year")
    assert rows["No amount stated"] == ("0", "0")
    assert len(receipt.root.find(tag="tr", cls="differs")) == 3


async def test_of_figures_by_anything_else_no_total_stands_for_several(
    client: httpx.AsyncClient, reader: PageReader
) -> None:
    groups = "group_by=currency,firmness,amount_period"
    metrics = "count,count(amount),sum(amount),at_least(amount),at_most(amount),not_exact(amount)"
    url = f"/agreements/aggregate?{groups}&metrics={metrics}"
    made = (await client.post("/receipts", json={"url": url})).json()
    receipt = await reader.open(f"/pages/receipts/{made['id']}")
    assert receipt.rows("quoted") == []


async def test_it_takes_a_key_in_the_form_alone_and_says_what_is_wrong(shared_app: FastAPI) -> None:
    form = "application/x-www-form-urlencoded"
    table: list[tuple[Any, dict[str, str], int, str]] = [
        ({"url": SUMMARY}, {}, 401, "needs a key"),
        # What a browser sends of its own accord, with the form of any page.
        ({"url": SUMMARY}, BEARER, 401, "needs a key"),
        ({"url": SUMMARY, "key": "tmd_wrong"}, {}, 401, "no key of this service"),
        ({"url": SUMMARY, "key": "ж"}, {}, 401, "no key of this service"),
        ({"key": ADMIN_KEY}, {}, 422, "url"),
        ({"url": "/nothing", "key": ADMIN_KEY}, {}, 422, "Nothing that can be kept"),
        ({"url": "/missions/none", "key": ADMIN_KEY}, {}, 404, "none"),
        ({"url": SUMMARY, "note": "a" * 600, "key": ADMIN_KEY}, {}, 422, "note"),
        (b"url=%FF", {"Content-Type": form}, 400, "percent-encoded"),
        (b"url=%00", {"Content-Type": form}, 400, "percent-encoded"),
        (b"{}", {"Content-Type": "application/json"}, 415, form),
    ]
    faults: list[Any] = []
    async with _browser(shared_app) as browser:
        for body, headers, status, words in table:
            sent = {"content": body} if isinstance(body, bytes) else {"data": body}
            answer = await browser.post(PATH, headers=headers, **sent)
            text = Page(answer).text
            if (answer.status_code, words in text) != (status, True):
                faults.append((body, answer.status_code, text))
            # Who writes a key into a form is not asked for another by the browser.
            if "Basic" in answer.headers.get("www-authenticate", ""):
                faults.append((body, answer.headers["www-authenticate"]))
            if ADMIN_KEY in answer.text:
                faults.append((body, "the key is told back"))
    assert not faults
