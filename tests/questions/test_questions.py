"""Saved questions: an address under a name, answered to each as far as theirs to see."""

from typing import Any

import httpx
import pytest

from app.questions import writes
from tests.examples import Body

SIGNED = "/agreements?status=signed&sort=title&fields=title,status"


async def saved(client: httpx.AsyncClient, name: str, url: str, **fields: Any) -> Body:
    answer = await client.post("/questions", json={"name": name, "url": url, **fields})
    assert answer.status_code == 201, answer.text
    found: Body = answer.json()
    assert answer.headers["location"] == f"/questions/{name}"
    return found


async def test_a_question_answers_as_its_address_does_in_every_form_that_it_has(
    fresh: httpx.AsyncClient,
) -> None:
    table: tuple[tuple[str, str, tuple[str, ...]], ...] = (
        (SIGNED, "agreements", ("json", "csv", "xlsx", "ndjson", "parquet")),
        ("/agreements.csv?status=signed", "agreements", ("json", "csv", "xlsx")),
        ("/missions/novosibirsk-april/summary", "missions/novosibirsk-april/summary", ("json",)),
        (
            "/agreements/aggregate?group_by=status&metrics=count",
            "agreements/aggregate",
            ("json", "csv"),
        ),
        ("/datasets/agreements?lang=ru", "datasets/agreements", ("json", "csv", "parquet")),
        ("/insights/organizations?min_missions=1", "insights/organizations", ("json", "csv")),
        ("/charts/money.svg?lang=kk", "charts/money", ("svg", "png")),
        ("/missions/novosibirsk-april", "missions/novosibirsk-april", ("json",)),
    )
    wrong: list[Any] = []
    for number, (url, path, forms) in enumerate(table):
        name = f"question-{number}"
        await saved(fresh, name, url)
        told = (await fresh.get(f"/questions/{name}")).json()
        query = url.partition("?")[2]
        for form in forms:
            address = f"/{path}" if form == "json" else f"/{path}.{form}"
            meant = await fresh.get(address, params=httpx.QueryParams(query))
            answer = await fresh.get(f"/questions/{name}.{form}")
            kinds = [each.headers["content-type"] for each in (answer, meant)]
            # The time of its making stands within a workbook.
            same = form in ("xlsx", "parquet") or answer.content == meant.content
            if answer.status_code != 200 or not same or kinds[0] != kinds[1]:
                wrong.append((url, form, answer.status_code, answer.text[:200]))
            if told["forms"].get(form) != f"/questions/{name}.{form}":
                wrong.append((url, form, told["forms"]))
            tag = {"If-None-Match": answer.headers.get("etag", '"-"')}
            again = await fresh.get(f"/questions/{name}.{form}", headers=tag)
            if "etag" in answer.headers and again.status_code != 304:
                wrong.append((url, form, again.status_code))
            if not answer.headers.get("content-location", "").startswith(f"/{path}"):
                wrong.append((url, answer.text[:300]))
    assert wrong == []


async def test_a_question_that_is_changed_keeps_what_it_was(fresh: httpx.AsyncClient) -> None:
    first = await saved(fresh, "deals", SIGNED, note="For the page")
    assert (first["version"], first["note"]) == (1, "For the page")
    answer = await fresh.put("/questions/deals", json={"url": "/agreements?fields=title"})
    assert (answer.status_code, answer.json()["version"]) == (200, 2)
    same = await fresh.put("/questions/deals", json={"url": "/agreements?fields=title"})
    assert same.json()["version"] == 2
    found = (await fresh.get("/questions/deals")).json()
    assert found["url"] == "/agreements?fields=title"
    assert found["earlier"] == [{name: first[name] for name in found["earlier"][0]}]
    everything = (await fresh.get("/questions/deals.json")).json()["data"]
    signed = (await fresh.get("/questions/deals.json?version=1")).json()["data"]
    assert len(everything) > len(signed) > 0
    late = {"If-Match": '"1-0"'}
    refused = await fresh.put("/questions/deals", json={"url": SIGNED}, headers=late)
    assert refused.status_code == 412
    assert "no tag of this question" in refused.json()["detail"]
    third = await fresh.put("/questions/deals", json={"url": SIGNED})
    second = {"If-Match": answer.headers["etag"]}
    assert third.json()["version"] == 3
    refused = await fresh.put("/questions/deals", json={"url": "/people"}, headers=second)
    assert "changed since: it is at version 3" in refused.json()["detail"]
    tag = {"If-Match": refused.headers["etag"]}
    done = await fresh.put("/questions/deals", json={"url": SIGNED}, headers=tag)
    assert (done.status_code, done.json()["version"]) == (200, 3)
    listed = (await fresh.get("/questions")).json()["data"]
    assert [(each["name"], each["version"]) for each in listed] == [("deals", 3)]
    assert (await fresh.delete("/questions/deals")).status_code == 204
    for method, address in (("GET", "/questions/deals"), ("GET", "/questions/deals.csv")):
        assert (await fresh.request(method, address)).status_code == 404
    assert (await fresh.delete("/questions/deals")).status_code == 404


async def test_an_answer_to_what_was_asked_before_is_not_taken_for_the_one_to_what_is_asked_now(
    fresh: httpx.AsyncClient,
) -> None:
    urls = ("/agreements", "/missions", "/missions?sort=title")
    await saved(fresh, "moved", urls[0])
    known: list[str] = []
    wrong: list[Any] = []
    for url in (*urls, urls[0]):
        await fresh.put("/questions/moved", json={"url": url})
        for form in ("json", "csv"):
            address = f"/questions/moved.{form}"
            answer = await fresh.get(address, headers={"If-None-Match": ", ".join(known) or '"-"'})
            if answer.status_code != (304 if url == urls[0] and len(known) > 2 else 200):
                wrong.append((url, form, answer.status_code))
            known.append(answer.headers["etag"])
            direct = (await fresh.get(url)).headers["etag"]
            again = await fresh.get(address, headers={"If-None-Match": direct})
            anything = await fresh.get(address, headers={"If-None-Match": "*"})
            if (again.status_code, anything.status_code) != (200, 304):
                wrong.append((url, form, again.status_code, anything.status_code))
    assert wrong == []


async def test_what_cannot_be_saved_is_refused_and_told_why(
    fresh: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await saved(fresh, "taken", SIGNED)
    wrong: list[Any] = []
    table: tuple[tuple[Body, int, str], ...] = (
        ({"name": "a", "url": "https://example.org/missions"}, 422, "/url"),
        ({"name": "a", "url": "//example.org/missions"}, 422, "/url"),
        ({"name": "A b", "url": SIGNED}, 422, "/name"),
        ({"url": SIGNED}, 422, "/name"),
        ({"name": "a", "url": "/api-keys"}, 422, "Nothing that can be saved"),
        ({"name": "a", "url": "/webhooks"}, 422, "Nothing that can be saved"),
        ({"name": "a", "url": "/questions/taken.csv"}, 422, "Nothing that can be saved"),
        ({"name": "a", "url": "/agreements%00"}, 422, "Nothing that can be saved"),
        ({"name": "a", "url": "/agreements?titel=x"}, 400, "titel"),
        ({"name": "a", "url": "/charts/monye.svg"}, 404, "money"),
        ({"name": "a", "url": "/missions/nowhere/summary"}, 404, "no mission"),
        ({"name": "taken", "url": SIGNED}, 409, "already"),
    )
    for body, status, says in table:
        answer = await fresh.post("/questions", json=body)
        if answer.status_code != status or says not in answer.text:
            wrong.append((body, answer.status_code, answer.text))
    for address, status, says in (
        ("/questions/taken.svg", 404, "json, csv"),
        ("/questions/taken.csv?version=7", 404, "newest is 1"),
        ("/questions/taken.csv?versoin=1", 400, "version"),
        ("/questions/taken.csv?version=0", 400, "version"),
        ("/questions/taekn.csv", 404, "taekn"),
    ):
        answer = await fresh.get(address)
        if answer.status_code != status or says not in answer.text:
            wrong.append((address, answer.status_code, answer.text))
    monkeypatch.setattr(writes, "MAX_QUESTIONS", 1)
    monkeypatch.setattr(writes, "MAX_VERSIONS", 1)
    full = await fresh.post("/questions", json={"name": "more", "url": SIGNED})
    changed = await fresh.put("/questions/taken", json={"url": "/missions"})
    assert [full.status_code, changed.status_code] == [409, 409]
    assert wrong == []
