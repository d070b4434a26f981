"""Answers hold a bounded number of bytes, which is known before they are made."""

import threading
from typing import Any

import httpx
import pytest

from app.datasets.rows import Labeller

NOTE = "ж" * 20_000
Client = httpx.AsyncClient


@pytest.fixture
async def fat(fresh: Client, monkeypatch: pytest.MonkeyPatch) -> Client:
    """Three organizations with long notes, and agreements of which each names one of them twice;
    what an answer may have of these texts is less than three of them."""
    monkeypatch.setattr("app.rest.related.MAX_TEXT_BYTES", 100_000)
    told = {"kind": "company", "country": "TV", "note": NOTE}
    made = [
        await fresh.post("/organizations", json={**told, "name": f"Fat {n}", "ref": f"fat-{n}"})
        for n in range(3)
    ]
    party = {"role": "signatory", "organization": {"ref": "fat-0"}}
    deal = {"title": "Deal", "instrument": "supply_contract", "place_country": "KI"}
    made += [await fresh.post("/agreements", json={**deal, "parties": [party] * 2}) for _ in "ab"]
    assert {answer.status_code for answer in made} == {201}
    return fresh


async def test_long_texts_beyond_what_an_answer_may_have_are_refused_with_what_to_ask_instead(
    fat: Client,
) -> None:
    refused = {
        "/organizations?country=TV&limit=1000": ("limit", "These records have", "0.1 MB"),
        "/organizations?country=TV&limit=1000&sort=-name": ("limit", "These records have", ""),
        "/agreements?place_country=KI&limit=50&expand=parties.organization": (
            "expand",
            "parties.organization has",
            "0.2 MB",
        ),
        "/agreements?place_country=KI&limit=50&fields=id,parties.organization.note": (
            "expand",
            "parties.organization has",
            "",
        ),
    }
    wrong = {}
    for address, (parameter, what, size) in refused.items():
        answer = await fat.get(address)
        fault = answer.json().get("errors", [{}])[0]
        known = (answer.status_code, fault.get("code"), fault.get("parameter"))
        text = fault.get("detail", "")
        if known != (400, "too_long", parameter) or not text.startswith(what) or size not in text:
            wrong[address] = answer.text[:300]
    assert wrong == {}


async def test_what_is_shown_of_few_or_without_long_texts_or_in_a_file_is_no_answer_too_long(
    fat: Client,
) -> None:
    shown = {
        "/organizations?country=TV&limit=2": 2,
        "/organizations?country=TV&limit=1000&fields=id,name": 0,
        "/organizations.ndjson?country=TV": 3,
        "/organizations.csv?country=TV": 3,
        "/agreements?place_country=KI&limit=50&expand=parties.organization"
        "&fields=id,parties.organization.name": 0,
        "/agreements.ndjson?place_country=KI&expand=parties.organization": 4,
    }
    wrong = {}
    for address, notes in shown.items():
        answer = await fat.get(address)
        if (answer.status_code, answer.text.count(NOTE)) != (200, notes):
            wrong[address] = answer.text[:300]
    assert wrong == {}


async def test_a_page_of_odata_has_fewer_entities_where_they_are_long(
    fat: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.rest.related._UNCOUNTED", 1)
    address: str | None = "/odata/organizations?$filter=country eq 'TV'"
    sizes = []
    while address is not None:
        page = (await fat.get(address)).json()
        sizes.append(len(page["value"]))
        address = page.get("@odata.nextLink")
    assert sum(sizes) == 3
    assert max(sizes) < 3


async def test_a_page_of_changes_is_shorter_where_they_are_long(
    fat: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = (await fat.get("/changes?limit=1000")).json()
    monkeypatch.setattr("app.rest.changes.PIECE_ROWS", 2)
    monkeypatch.setattr("app.rest.changes.MAX_PAGE_CHARACTERS", len(NOTE))
    sizes, found, address = [], list[Any](), "/changes?limit=1000"
    while address:
        answer = await fat.get(address)
        page = answer.json()
        sizes.append(len(page["data"]))
        found += page["data"]
        address = answer.links.get("next", {}).get("url", "")
    assert found == whole["data"]
    assert len(sizes) > 1
    backward = (await fat.get(answer.links["prev"]["url"])).json()
    assert backward["data"][-1]["seq"] == page["data"][0]["seq"] - 1


async def test_rows_of_datasets_are_written_beside_the_loop(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads, rows = set[bool](), Labeller.rows

    def noted(shown: Labeller, batch: Any) -> Any:
        threads.add(threading.current_thread() is threading.main_thread())
        return rows(shown, batch)

    monkeypatch.setattr(Labeller, "rows", noted)
    for address in (
        "/datasets/agreements?limit=3",
        "/datasets/agreements.ndjson?limit=3",
        "/datasets/agreements.csv?limit=3",
        "/odata/flat_agreements?$top=3",
    ):
        threads.clear()
        answer = await client.get(address)
        assert (answer.status_code, threads) == (200, {False}), (address, answer.text[:200])
