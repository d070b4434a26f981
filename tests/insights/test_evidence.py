"""The evidence behind a mission: what it shows, and of which records."""

from typing import Any
from uuid import uuid4

import httpx

Body = dict[str, Any]
PLAIN = {"Content-Type": "text/plain"}
TEXT = "The forum drew 35 firms. A plant was agreed. It opened. A leg took place. They plan more."


async def build(client: httpx.AsyncClient, mark: str) -> None:
    """A mission and one that is part of it, with passages behind all that belongs to them."""
    source = {"publisher": "A paper", "title": "A report", "ref": f"paper-{mark}"}
    await client.post("/sources", json=source)
    answer = await client.put(f"/sources/{source['ref']}/text", content=TEXT, headers=PLAIN)
    assert answer.status_code == 200, answer.text

    def cited(quote: str) -> list[Body]:
        return [{"source": {"ref": source["ref"]}, "quote": quote}]

    party = {"role": "buyer", "description": "A buyer"}
    deal = {"title": "Deal", "ref": f"deal-{mark}", "instrument": "supply_contract"}
    leg = {"title": "Leg", "kind": "trade_fair", "ref": f"leg-{mark}"}
    top = {"title": "Forum", "kind": "investment_forum", "ref": f"forum-{mark}"}
    total = {"measure": "companies", "value": 35, "ref": f"total-{mark}"}
    said = {"predicate": "plans", "paraphrase": "More to come", "modality": "plan"}
    for path, body in (
        ("/missions", {**top, "citations": cited("The forum drew 35 firms.")}),
        (
            "/missions",
            {**leg, "parent": {"ref": top["ref"]}, "citations": cited("A leg took place.")},
        ),
        (
            f"/missions/{top['ref']}/reported-totals",
            {**total, "citations": cited("35 firms")},
        ),
        (
            f"/missions/{leg['ref']}/agreements",
            {**deal, "parties": [party], "citations": cited("A plant was agreed.")},
        ),
        (f"/agreements/{deal['ref']}/outcomes", {"jobs": 5, "citations": cited("It opened.")}),
        (f"/missions/{top['ref']}/statements", {**said, "citations": cited("They plan more.")}),
    ):
        answer = await client.post(path, json=body)
        assert answer.status_code == 201, (path, answer.text)


async def test_every_passage_behind_a_mission_is_told_with_its_source_and_its_record(
    client: httpx.AsyncClient,
) -> None:
    mark = uuid4().hex
    await build(client, mark)
    await build(client, uuid4().hex)
    path = f"/missions/forum-{mark}/evidence"
    answer = (await client.get(path, params={"sort": "start", "count": "exact"})).json()
    assert answer["page"]["total"] == 6
    told = [
        (each["quote"], each["record_kind"], each["record_ref"], each["record_title"])
        for each in answer["data"]
    ]
    assert told == [
        ("The forum drew 35 firms.", "mission", f"forum-{mark}", "Forum"),
        ("35 firms", "reported_total", f"total-{mark}", "Forum"),
        ("A plant was agreed.", "agreement", f"deal-{mark}", "Deal"),
        ("It opened.", "outcome", None, "Deal"),
        ("A leg took place.", "mission", f"leg-{mark}", "Leg"),
        ("They plan more.", "statement", None, "More to come"),
    ]
    assert {each["source"]["publisher"] for each in answer["data"]} == {"A paper"}
    of_leg = (await client.get(f"/missions/leg-{mark}/evidence")).json()["data"]
    assert [each["sentence"] for each in of_leg] == [4, 2, 3]


async def test_evidence_is_a_list_like_others(client: httpx.AsyncClient) -> None:
    mark = uuid4().hex
    await build(client, mark)
    path = f"/missions/forum-{mark}/evidence"
    quotes, params = (
        [],
        {"sort": "-start", "limit": "4", "record_kind": "agreement,outcome,mission"},
    )
    params["record_kind__in"] = params.pop("record_kind")
    page: Body = {"next_cursor": ""}
    while page["next_cursor"] is not None:
        where = {"cursor": page["next_cursor"]} if page["next_cursor"] else {}
        answer = (await client.get(path, params=params | where)).json()
        quotes += [each["quote"].split()[0] for each in answer["data"]]
        page = answer["page"]
    assert quotes == ["A", "It", "A", "The"]
    lean = await client.get(path, params={"fields": "quote,source.title", "limit": 1})
    assert lean.json()["data"][0].keys() == {"quote", "source"}
    table = await client.get(f"{path}.csv")
    assert table.status_code == 200
    assert "A plant was agreed." in table.text
    assert (await client.get("/missions/nobody-there/evidence")).status_code == 404


async def test_what_is_in_the_trash_is_no_evidence(fresh: httpx.AsyncClient) -> None:
    mark = uuid4().hex
    await build(fresh, mark)
    path = f"/missions/forum-{mark}/evidence"
    assert (await fresh.delete(f"/agreements/deal-{mark}")).status_code == 204
    kinds = [each["record_kind"] for each in (await fresh.get(path)).json()["data"]]
    assert sorted(kinds) == ["mission", "mission", "reported_total", "statement"]
