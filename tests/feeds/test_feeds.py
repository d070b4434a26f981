"""The calendar and the feed: what they tell is what the records say, to each what is theirs."""

from typing import Any
from xml.etree import ElementTree

import httpx
import pytest
from fastapi import FastAPI

from app.feeds import reading
from tests.examples import Body
from tests.feeds.calendars import Properties, parsed

ATOM = "{http://www.w3.org/2005/Atom}"


async def made(client: httpx.AsyncClient, path: str, body: Body) -> str:
    answer = await client.post(path, json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def agreed(client: httpx.AsyncClient, title: str, **fields: Any) -> str:
    body = {"title": title, "instrument": "supply_contract", "status": "signed", **fields}
    body.setdefault("parties", [{"description": "A works", "role": "supplier"}])
    return await made(client, "/agreements", body)


async def planned(client: httpx.AsyncClient, title: str, due: str | None, **fields: Any) -> str:
    body = {"title": title, "instrument": "announced_plan", "due": due, **fields}
    return await made(client, "/agreements", body)


async def calendar(
    client: httpx.AsyncClient, query: str = ""
) -> tuple[Properties, list[Properties]]:
    answer = await client.get(f"/calendar.ics{query}")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    return parsed(answer.text)


async def feed(client: httpx.AsyncClient, query: str = "") -> ElementTree.Element:
    answer = await client.get(f"/changes.atom{query}")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/atom+xml"
    return ElementTree.fromstring(answer.text)


def days(events: list[Properties]) -> list[tuple[str, str]]:
    return [(each["DTSTART;VALUE=DATE"], each["SUMMARY"]) for each in events]


async def test_the_calendar_has_each_day_of_what_stands_and_has_not_come_true(
    fresh: httpx.AsyncClient,
) -> None:
    mission = {
        "ref": "to-china",
        "kind": "outward_mission",
        "title": "To China",
        "host_country": "CN",
    }
    china = await made(fresh, "/missions", mission)
    before, _ = await calendar(fresh)
    exact = await agreed(
        fresh,
        "Кабель, провод; и прочее",
        title_en="Cable",
        signed="2024-08-31",
        amount=1250000,
        currency="USD",
        amount_bound="at_least",
        mission_id=china,
    )
    plan = await planned(fresh, "Plant", "2027-04", mission_id=china)
    await planned(fresh, "Some day", None, mission_id=china)
    await planned(fresh, "June of no year", "XXXX-06", mission_id=china)
    await planned(fresh, "From then on", "2027-04/..", mission_id=china)
    await planned(fresh, "Given up", "2027-05", status="cancelled", mission_id=china)
    await agreed(fresh, "Done", signed="2024-08-31", status="completed", mission_id=china)
    await agreed(fresh, "Over", signed="2024-08-31", status="expired", mission_id=china)
    await agreed(fresh, "Late", signed="9998-12-31", mission_id=china)
    wanted = [
        ("20250228", "6 months after signing: Cable"),
        ("20250831", "12 months after signing: Cable"),
        ("20260831", "24 months after signing: Cable"),
        ("20270430", "Due: Plant (2027-04)"),
        ("99990630", "6 months after signing: Late"),
        ("99991231", "12 months after signing: Late"),
    ]
    for query in ("?mission=to-china", f"?mission={china}", "?country=CN"):
        told, events = await calendar(fresh, query)
        assert days(events) == wanted, query
        assert "without its year, are not here: 3." in told["DESCRIPTION"]
    assert [each["UID"] for each in events[:4]] == [
        *(f"{exact}-signed-{months}-months" for months in (6, 12, 24)),
        f"{plan}-due",
    ]
    record = (await fresh.get(f"/agreements/{exact}")).json()
    stamp = record["updated_at"][:19].replace("-", "").replace(":", "") + "Z"
    assert {events[0]["DTSTAMP"], events[0]["LAST-MODIFIED"]} == {stamp}
    assert events[0]["URL"] == f"http://test/pages/agreements/{exact}?lang=en"
    assert events[0]["DESCRIPTION"].split("\n") == [
        "Class: Signed, binding",
        "Amount: at least 1,250,000 USD",
    ]
    assert events[3]["DESCRIPTION"].split("\n") == [
        "Stated as 2027-04: this is the last day that it can mean.",
        "Class: Announced or negotiated",
        "Amount: not stated",
    ]
    _, everything = await calendar(fresh)
    assert set(days(everything)) >= set(wanted)
    assert before["DESCRIPTION"] != (await calendar(fresh))[0]["DESCRIPTION"]
    _, russian = await calendar(fresh, "?country=CN&lang=ru")
    assert russian[0]["SUMMARY"] == "6 мес. после подписания: Кабель, провод; и прочее"
    _, kazakh = await calendar(fresh, "?country=CN&lang=kk")
    assert kazakh[3]["SUMMARY"] == "Мерзімі: Plant (2027-04)"


async def test_a_calendar_that_is_too_long_tells_what_it_leaves_out(
    fresh: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for day in range(1, 5):
        await agreed(fresh, f"Day {day}", signed=f"2030-01-0{day}")
    monkeypatch.setattr(reading, "MAX_LIMIT", 2)
    monkeypatch.setattr(reading, "MAX_EVENTS", 3)
    told, events = await calendar(fresh)
    assert days(events) == [
        (f"2032010{day}", f"24 months after signing: Day {day}") for day in (2, 3, 4)
    ]
    assert "the 3 latest days" in told["DESCRIPTION"]
    assert int(told["DESCRIPTION"].split("left out: ")[1].split(".")[0]) >= 9


async def test_the_feed_has_what_was_entered_last_first(
    fresh: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    deal = await agreed(fresh, "A & B <c>", signed="2024-08", amount=5, currency="USD")
    outcome = await made(
        fresh,
        "/outcomes",
        {
            "agreement_id": deal,
            "status": "in_force",
            "date": "2025",
            "actual_amount": 2,
            "currency": "USD",
        },
    )
    found = await feed(fresh)
    entries = found.findall(f"{ATOM}entry")
    stored = (await fresh.get("/agreements?count=exact&limit=1")).json()["page"]["total"]
    assert len(entries) == stored + 1
    newest = [{child.tag.removeprefix(ATOM): child.text for child in each} for each in entries[:2]]
    assert [(each["id"], each["title"], each["summary"]) for each in newest] == [
        (
            f"urn:uuid:{outcome}",
            "Outcome: A & B <c>",
            "Status: In force\nDate: 2025\nAmount: 2 USD",
        ),
        (
            f"urn:uuid:{deal}",
            "A & B <c>",
            "Class: Signed, binding\nAmount: 5 USD\nSigned: 2024-08",
        ),
    ]
    links = [
        [(link.get("type"), link.get("href")) for link in each.findall(f"{ATOM}link")]
        for each in entries[:2]
    ]
    page = ("text/html", f"http://test/pages/agreements/{deal}?lang=en")
    assert links == [
        [page, ("application/json", f"http://test/outcomes/{outcome}")],
        [page, ("application/json", f"http://test/agreements/{deal}")],
    ]
    myself = found.find(f"{ATOM}link[@rel='self']")
    assert myself is not None
    assert myself.get("href") == found.findtext(f"{ATOM}id") == "http://test/changes.atom?lang=en"
    assert found.findtext(f"{ATOM}updated") == max(
        str(each.findtext(f"{ATOM}updated")) for each in entries
    )
    monkeypatch.setattr(reading, "MAX_ENTRIES", 1)
    (only,) = (await feed(fresh, "?lang=ru")).findall(f"{ATOM}entry")
    assert str(only.findtext(f"{ATOM}title")) == "Результат: A & B <c>"


async def test_what_is_withheld_is_told_to_those_alone_who_may_see_it(
    fresh_app: FastAPI, fresh: httpx.AsyncClient
) -> None:
    secret = await agreed(fresh, "Hush", signed="2024-08-31", confidential=True)
    amount = await agreed(
        fresh,
        "Known",
        signed="2024-08-31",
        amount=987654,
        currency="USD",
        withheld=["amount", "signed"],
    )
    transport = httpx.ASGITransport(fresh_app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as nobody:
        for path in ("/calendar.ics", "/changes.atom"):
            shown, whole = await nobody.get(path), await fresh.get(path)
            assert shown.headers["etag"] != whole.headers["etag"]
            for text, wanted in ((shown.text, False), (whole.text, True)):
                flat = text.replace("\r\n ", "").replace("\\,", ",")
                assert ("Hush" in flat, secret in flat) == (wanted, wanted), path
                assert ("987,654" in flat) is wanted, path
        assert amount not in (await nobody.get("/calendar.ics")).text.replace("\r\n ", "")


async def test_a_key_that_reads_one_of_them_goes_in_its_address(
    fresh_app: FastAPI, fresh: httpx.AsyncClient
) -> None:
    transport = httpx.ASGITransport(fresh_app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as phone:
        for path in ("/calendar.ics", "/changes.atom"):
            body = {"name": path[1:], "scope": "read", "path": path}
            key = (await fresh.post("/api-keys", json=body)).json()["key"]
            answer = await phone.get(f"{path}?api_key={key}&lang=ru")
            assert (answer.status_code, key in answer.text) == (200, False), answer.text


async def test_calendar_and_feed_are_asked_for_as_other_reads_are(
    client: httpx.AsyncClient,
) -> None:
    wrong: list[Any] = []
    for path in ("/calendar.ics", "/changes.atom?lang=kk"):
        answer, head = await client.get(path), await client.head(path)
        again = await client.get(path, headers={"If-None-Match": answer.headers["etag"]})
        if (answer.status_code, head.status_code, head.content) != (200, 200, b""):
            wrong.append((path, head.status_code))
        if head.headers["etag"] != answer.headers["etag"]:
            wrong.append((path, head.headers))
        if (again.status_code, again.content) != (304, b""):
            wrong.append((path, again.status_code))
    for path, status, says in (
        ("/calendar.ics?mission=nowhere", 404, "no mission with the id or ref 'nowhere'"),
        ("/calendar.ics?mission=%00", 400, "NUL"),
        ("/calendar.ics?mission=a/b%7Bkey%7D", 404, "no mission"),
        ("/calendar.ics?mission=", 400, "mission"),
        ("/calendar.ics?country=Russia", 400, "country"),
        ("/calendar.ics?country=XQ", 400, "country"),
        ("/calendar.ics?lang=de", 400, "lang"),
        ("/changes.atom?lang=de", 400, "lang"),
        ("/changes.atom?limit=3", 400, "limit"),
        ("/calender.ics", 404, "calendar.ics"),
    ):
        answer = await client.get(path)
        if answer.status_code != status or says not in answer.text:
            wrong.append((path, answer.status_code, answer.text))
        if answer.status_code == 400 and "__" in answer.text:
            wrong.append((path, answer.text))
    assert wrong == []
