"""Receipts: an answer that is kept, and what has become of it."""

from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from app.receipts import behind, writes
from tests.conftest import client_of
from tests.examples import Body

SUMMARY = "/missions/novosibirsk-april/summary"


async def made(client: httpx.AsyncClient, url: str, **fields: Any) -> Body:
    answer = await client.post("/receipts", json={"url": url, **fields})
    assert answer.status_code == 201, answer.text
    found: Body = answer.json()
    assert answer.headers["location"] == f"/receipts/{found['id']}"
    return found


async def shown(client: httpx.AsyncClient, receipt: Body) -> Body:
    answer = await client.get(f"/receipts/{receipt['id']}")
    assert answer.status_code == 200, answer.text
    found: Body = answer.json()
    return found


async def test_a_receipt_of_an_unchanged_database_shows_no_difference(
    fresh: httpx.AsyncClient,
) -> None:
    urls = (
        SUMMARY,
        "/missions/novosibirsk-april",
        "/missions?limit=2&sort=title",
        "/missions/novosibirsk-april/agreements?status=signed&fields=title&expand=mission",
        "/agreements/aggregate?group_by=status&metrics=count&status__in=signed,in_force",
        "/agreements?q=cable",
        "/agreements/aggregate?metrics=sum(amount)&convert_to=USD&filter=amount%20gt%200",
        "/missions/novosibirsk-april/summary?parts=exclude",
        "/missions/novosibirsk-april/reconciliation",
        "/insights/missions?currency=USD&parts=exclude",
        "/insights/organizations?min_missions=1&limit=5",
        "/insights/conversion?group_by=organizer&today=2026-01-01",
        "/agreements?filter=status%20eq%20'signed'&limit=3",
    )
    for url in urls:
        kept = await made(fresh, url)
        found = await shown(fresh, kept)
        assert {name: found[name] for name in kept} == kept
        assert found["then"] == found["now"] == (await fresh.get(url)).json(), url
        assert (found["differs"], found["differences"], found["problem"]) == (False, [], None)
        assert found["position_now"] == found["position"]
        assert found["is_traced"]
        assert not found["is_cut"]
        assert len(found["records"]) == found["record_count"] > 0, url


async def test_behind_an_insight_stands_what_its_figures_are_made_of(
    fresh: httpx.AsyncClient,
) -> None:
    behind = {
        "/insights/missions": {"mission", "agreement", "outcome", "delegate", "event"},
        "/insights/organizations?min_missions=1": {"organization", "agreement", "participation"},
        "/insights/conversion?status=signed&today=2026-01-01": {"agreement", "mission"},
    }
    agreements = (await fresh.get("/agreements?status=signed")).json()["data"]
    await fresh.post("/outcomes", json={"agreement_id": agreements[0]["id"], "note": "Begun."})
    for url, kinds in behind.items():
        found = await shown(fresh, await made(fresh, url))
        told = {each["kind"] for each in found["records"]}
        assert kinds <= told, (url, told)
        assert found["is_traced"]
    added = next(each["id"] for each in agreements)
    await fresh.delete(f"/agreements/{added}")
    differs = await shown(fresh, {"id": found["id"]})
    assert differs["differs"]
    told = {(e["kind"], e["difference"]) for e in differs["differences"]}
    assert {("agreement", "gone"), ("outcome", "gone")} <= told


async def test_behind_a_figure_of_a_journey_stands_what_belongs_to_its_legs_however_deep(
    fresh: httpx.AsyncClient,
) -> None:
    parties = [{"description": "A firm", "role": "signatory"}]
    for level in range(5):
        parent = {"parent": {"ref": f"level-{level - 1}"}} if level else {}
        mission = {"ref": f"level-{level}", "title": "A leg", "kind": "forum", **parent}
        deal = {"ref": f"deal-{level}", "title": "A deal", "instrument": "supply_contract"}
        answer = await fresh.post(
            "/missions", json={**mission, "agreements": [{**deal, "parties": parties}]}
        )
        assert answer.status_code == 201, answer.text
        outcome = {"agreement": {"ref": f"deal-{level}"}, "note": "Begun."}
        assert (await fresh.post("/outcomes", json=outcome)).status_code == 201
    for url, missions in (
        ("/missions/level-0/summary", 5),
        ("/missions/level-0/summary?parts=exclude", 1),
        ("/missions/level-0/reconciliation", 5),
        ("/insights/missions?ref=level-0", 5),
    ):
        found = await shown(fresh, await made(fresh, url))
        kinds = [each["kind"] for each in found["records"]]
        counted = [kinds.count(kind) for kind in ("mission", "agreement", "outcome")]
        assert counted == [missions] * 3, (url, kinds)


async def test_a_related_record_that_an_answer_depends_on_is_told_to_have_changed(
    fresh: httpx.AsyncClient,
) -> None:
    urls = (
        "/agreements/aggregate?group_by=parties.organization.country",
        "/agreements/aggregate?group_by=status&filter="
        "parties/any(x:%20x/organization/country%20eq%20'KZ')%20or%20amount%20gt%205",
        "/agreements?parties__organization__country=KZ",
        "/agreements?fields=title&expand=parties.organization",
        "/agreements/kazenergokabel-memorandum-1?expand=parties.organization",
    )
    kept = [await made(fresh, url) for url in urls]
    changed = {"country": "RU", "legal_form": None}
    answer = await fresh.patch("/organizations/kazenergokabel", json=changed)
    assert answer.status_code == 200, answer.text
    wrong: list[Any] = []
    for receipt in kept:
        found = await shown(fresh, receipt)
        told = {
            each["id"]: (each["version_then"], each["changes"]) for each in found["differences"]
        }
        expected = (1, {"country": ["KZ", "RU"], "legal_form": ["kz-jsc", None]})
        if not found["differs"] or told.get(answer.json()["id"]) != expected:
            wrong.append((receipt["url"], found["differs"], told))
    assert not wrong


async def test_a_rate_that_was_corrected_is_told_as_it_was_and_is(
    fresh: httpx.AsyncClient,
) -> None:
    address, headers = "/exchange-rates/import?provider=NBK", {"Content-Type": "text/csv"}
    money = {"amount": 5, "currency": "USD", "instrument": "supply_contract"}
    deal = {"ref": "paid", "title": "A deal", "signed": "2020-01-02", **money}
    deal["parties"] = [{"description": "A firm", "role": "signatory"}]
    assert (await fresh.post("/agreements", json=deal)).status_code == 201
    kept: list[Body] = []
    for rate in ("380", "390"):
        content = f"currency,date,rate,unit\nUSD,2020-01-02,{rate},1\n".encode()
        assert (await fresh.post(address, content=content, headers=headers)).status_code == 200
        url = "/agreements/aggregate?metrics=sum(amount)&convert_to=KZT&ref=paid"
        kept.append(await made(fresh, url))
    (before, after) = [await shown(fresh, receipt) for receipt in kept]
    assert (before["differs"], after["rate_differences"]) == (True, [])
    (difference,) = before["rate_differences"]
    assert [difference[each]["rate"] for each in ("then", "now")] == [380, 390]
    assert {difference[each]["date"] for each in ("then", "now")} == {"2020-01-02"}


async def test_a_receipt_is_made_of_one_moment_while_others_write_all_the_time(
    fresh: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    trace = behind.Tracer.trace
    written: list[int] = []

    async def trace_while_others_write(*asked: Any) -> Any:
        note = {"note": f"Written {len(written)} times"}
        written.append((await fresh.patch("/missions/novosibirsk-april", json=note)).status_code)
        return await trace(*asked)

    monkeypatch.setattr(behind.Tracer, "trace", trace_while_others_write)
    url = "/missions/novosibirsk-april/agreements?fields=title&expand=mission"
    for asked in (SUMMARY, url, "/agreements/aggregate?group_by=status"):
        kept = await made(fresh, asked)
        monkeypatch.setattr(behind.Tracer, "trace", trace)
        found = await shown(fresh, kept)
        monkeypatch.setattr(behind.Tracer, "trace", trace_while_others_write)
        then = await fresh.get(f"{asked}{'&' if '?' in asked else '?'}as_of={kept['position']}")
        assert found["then"] == then.json()
        assert found["record_count"] == len(found["records"]) > 0
    assert set(written) == {200}


async def test_a_receipt_of_a_conversion_keeps_the_day_until_which_is_looked(
    client: httpx.AsyncClient,
) -> None:
    for asked in ("", "?months=6", "?today=2020", "?as_of=2020-05-01"):
        kept = await made(client, f"/insights/conversion{asked}")
        found = await shown(client, kept)
        assert not found["differs"]
        assert f"today={found['then']['today']}" in kept["url"] or "20" in asked, kept


async def test_behind_a_summary_stands_all_that_belongs_to_the_mission(
    fresh: httpx.AsyncClient,
) -> None:
    found = await shown(fresh, await made(fresh, SUMMARY))
    told = {(each["kind"], each["id"]) for each in (*found["records"], *found["passages"])}
    for name in ("agreements", "delegates", "participations", "reported-totals", "events"):
        under = await fresh.get(f"/missions/novosibirsk-april/{name}?limit=1000")
        records = under.json()["data"]
        assert {(name.rstrip("s").replace("-", "_"), each["id"]) for each in records} <= told
    evidence = await fresh.get("/missions/novosibirsk-april/evidence?limit=1000")
    cited = {("citation", each["id"]) for each in evidence.json()["data"]}
    assert cited
    assert cited <= told


async def test_a_receipt_tells_record_by_record_what_has_changed(fresh: httpx.AsyncClient) -> None:
    listed = (await fresh.get("/missions/novosibirsk-april/agreements?limit=3")).json()["data"]
    changed, trashed, purged = (each["id"] for each in listed)
    kept = await made(fresh, SUMMARY, note="Annual report, page 12")
    for title in ("Once", "Twice"):
        await fresh.patch(f"/agreements/{changed}", json={"title": title})
    await fresh.delete(f"/agreements/{trashed}")
    body = {"title": "Added", "instrument": "letter_of_intent", "status": "negotiated"}
    added = await fresh.post("/agreements", json=body | {"mission_id": listed[0]["mission_id"]})
    found = await shown(fresh, kept)
    assert found["differs"]
    assert found["then"]["agreements"] == found["now"]["agreements"]
    told = {each["id"]: each for each in found["differences"] if each["kind"] == "agreement"}
    assert {key: each["difference"] for key, each in told.items()} == {
        changed: "changed",
        trashed: "gone",
        added.json()["id"]: "added",
    }
    assert told[changed]["changes"] == {"title": [listed[0]["title"], "Twice"]}
    assert (told[changed]["version_then"], told[changed]["version_now"]) == (1, 3)
    assert list(told[trashed]["changes"]) == ["deleted_at"]
    assert found["differences_count"] == len(found["differences"])

    for cited in (await fresh.get(f"/agreements/{purged}/citations?limit=100")).json()["data"]:
        await fresh.delete(f"/citations/{cited['id']}?purge=true")
    for outcome in (await fresh.get(f"/agreements/{purged}/outcomes")).json()["data"]:
        await fresh.delete(f"/outcomes/{outcome['id']}?purge=true")
    gone = await fresh.delete(f"/agreements/{purged}?purge=true")
    assert gone.status_code == 204, gone.text
    found = await shown(fresh, kept)
    assert found["then"] is None
    told = {each["id"]: each["difference"] for each in found["differences"]}
    assert told[purged] == "unknown"

    await fresh.delete("/missions/novosibirsk-april")
    found = await shown(fresh, kept)
    assert found["now"] is None
    assert "is in the trash" in found["problem"]
    assert found["differs"]


async def test_what_cannot_be_kept_is_refused_and_told_why(
    shared_app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong: list[Any] = []
    table: tuple[tuple[Body, int, str], ...] = (
        ({"url": "https://example.org/missions"}, 422, "/url"),
        ({"url": "//example.org/missions"}, 422, "/url"),
        ({"url": "missions"}, 422, "/url"),
        ({"url": "/missions x"}, 422, "/url"),
        ({}, 422, "/url"),
        ({"url": "/receipts"}, 422, "Nothing that can be kept"),
        ({"url": "/changes"}, 422, "Nothing that can be kept"),
        ({"url": "/changes/stream"}, 422, "Nothing that can be kept"),
        ({"url": "/missions.csv"}, 422, "Nothing that can be kept"),
        ({"url": "/missions/novosibirsk-april/history"}, 422, "Nothing that can be kept"),
        ({"url": "/insights/missions.csv"}, 422, "Nothing that can be kept"),
        ({"url": "/insights/conversion?monhts=6"}, 400, "monhts"),
        ({"url": "/api-keys"}, 422, "Nothing that can be kept"),
        ({"url": "/webhooks"}, 422, "Nothing that can be kept"),
        ({"url": "/missions/%00"}, 422, "Nothing that can be kept"),
        ({"url": "/missions/none/summary"}, 404, "no mission"),
        ({"url": "/missions?titel=x"}, 400, "titel"),
        ({"url": "/missions", "title": "x"}, 422, "title"),
    )
    async with client_of(shared_app) as client:
        for body, status, says in table:
            answer = await client.post("/receipts", json=body)
            if answer.status_code != status or says not in answer.text:
                wrong.append((body, answer.status_code, answer.text))
        monkeypatch.setattr(writes, "MAX_ANSWER_BYTES", 10)
        answer = await client.post("/receipts", json={"url": "/missions"})
        if answer.status_code != 422 or "narrow it" not in answer.text:
            wrong.append(("too long", answer.status_code, answer.text))
        monkeypatch.undo()
        monkeypatch.setattr(writes, "MAX_RECEIPTS", 0)
        answer = await client.post("/receipts", json={"url": "/missions"})
        if answer.status_code != 409 or "delete those" not in answer.text:
            wrong.append(("too many", answer.status_code, answer.text))
        monkeypatch.undo()
        for method in ("GET", "DELETE"):
            for key in ("x", "00000000-0000-7000-8000-000000000000"):
                answer = await client.request(method, f"/receipts/{key}")
                if answer.status_code != 404 or f"no receipt '{key}'" not in answer.text:
                    wrong.append((method, key, answer.text))
        monkeypatch.setattr(behind, "MAX_RECORDS", 1)
        cut = await made(client, "/agreements/aggregate")
        if not cut["is_cut"]:
            wrong.append(("cut", cut))
        dry = await client.post("/receipts?dry_run=true", json={"url": "/missions"})
        if dry.status_code != 201 or dry.headers["dry-run"] != "true":
            wrong.append(("dry run", dry.text))
        shown_ids = [each["id"] for each in (await client.get("/receipts")).json()["data"]]
        if dry.json()["id"] in shown_ids or shown_ids[0] != cut["id"]:
            wrong.append(("listed", shown_ids))
        table_of = (await client.get("/receipts.csv")).text.splitlines()
        if not table_of[1].startswith(f"{cut['id']},/agreements/aggregate,,"):
            wrong.append(("csv", table_of))
        if (await client.delete(f"/receipts/{cut['id']}")).status_code != 204:
            wrong.append(("delete", cut))
        if (await client.get(f"/receipts/{cut['id']}")).status_code != 404:
            wrong.append(("deleted", cut))
        client.headers.pop("authorization")
        if (await client.post("/receipts", json={"url": "/missions"})).status_code != 401:
            wrong.append(("anonymous", "POST"))
        if (await client.get("/receipts")).status_code != 401:
            wrong.append(("anonymous", "GET"))
    assert wrong == []


async def test_what_is_withheld_now_is_not_told_by_what_was_answered_before(
    fresh: httpx.AsyncClient,
) -> None:
    """Neither by receipts nor for a moment before, to whoever may not write."""
    listed = (await fresh.get("/agreements?limit=2&sort=id")).json()["data"]
    partly, whole = (each["id"] for each in listed)
    ids = f"id__in={partly},{whole}"
    for each in (partly, whole):
        await fresh.patch(f"/agreements/{each}", json={"note": "kanareika"})
    url = f"/agreements?{ids}"
    kept = [await made(fresh, url), await made(fresh, f"/agreements/{partly}")]
    delegates = "/missions/novosibirsk-april/delegates?person=nikolai-dychko"
    people = [
        await made(fresh, f"{delegates}&expand=person"),
        await made(fresh, "/delegates/aggregate?group_by=person.full_name"),
    ]
    for receipt in people:
        assert "Дычко" in (await fresh.get(f"/receipts/{receipt['id']}")).text
    key = fresh.headers.pop("authorization")
    seen = await fresh.get(url)
    assert seen.text.count("kanareika") == 2
    position = kept[0]["position"]
    for change in (
        (partly, {"withheld": ["note"]}),
        (whole, {"confidential": True}),
    ):
        fresh.headers["authorization"] = key
        answer = await fresh.patch(f"/agreements/{change[0]}", json=change[1])
        assert answer.status_code == 200, answer.text
    del fresh.headers["authorization"]
    fresh.headers["authorization"] = key
    await fresh.patch("/people/nikolai-dychko", json={"confidential": True})
    del fresh.headers["authorization"]
    for receipt in people:
        assert "Дычко" not in (await fresh.get(f"/receipts/{receipt['id']}")).text
    for receipt in kept:
        found = await fresh.get(f"/receipts/{receipt['id']}")
        assert found.status_code == 200
        assert found.json()["then"] is None
        assert "kanareika" not in found.text
    for query in ("", "&sort=-note", "&note=kanareika", "&fields=note&expand=mission"):
        then = await fresh.get(f"{url}{query}&as_of={position}")
        assert then.status_code == 200, then.text
        assert "kanareika" not in then.text.replace("note=kanareika", "")
        assert whole not in then.text
    for query in ("group_by=note", "group_by=status&metrics=count_distinct(note),max(note)"):
        then = await fresh.get(f"/agreements/aggregate?{query}&{ids}&as_of={position}")
        assert "kanareika" not in then.text
    assert "kanareika" not in (await fresh.get(f"/agreements.csv?{ids}&as_of={position}")).text
    fresh.headers["authorization"] = key
    then = await fresh.get(f"{url}&as_of={position}")
    assert then.text.count("kanareika") == 2


async def test_what_a_receipt_counts_from_now_stays_counted_from_when_it_was_kept(
    client: httpx.AsyncClient,
) -> None:
    later = "ref__startswith=kept-then&created_at__gt=now"
    kept = [await made(client, f"/agreements{end}?{later}") for end in ("", "/aggregate")]
    moment = await made(client, "/agreements?ref__startswith=kept-then&as_of=now-1min")
    body = {"title": "Added", "instrument": "letter_of_intent", "status": "negotiated"}
    added = await client.post("/agreements", json=body | {"ref": "kept-then-1"})
    assert added.status_code == 201, added.text
    for receipt in kept:
        found = await shown(client, receipt)
        (difference,) = found["differences"]
        assert (difference["id"], difference["difference"]) == (added.json()["id"], "added")
        assert found["differs"]
    assert "now" not in moment["url"]
    assert not (await shown(client, moment))["differs"]
