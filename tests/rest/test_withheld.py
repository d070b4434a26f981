"""What is withheld with a record, when, and what its readers are told of that."""

from typing import Any
from uuid import uuid4

import httpx
from sqlalchemy import text

from app.commands.check import run
from app.commands.connection import engine_run
from tests.rest.public import Public


async def _mission(public: Public) -> dict[str, tuple[str, Any]]:
    """A mission and what belongs to it, by name: path and record."""
    mission = await public.create("missions", title="A visit", kind="trade_fair")
    key = mission["id"]
    stop = await public.create("missions", title="A stop", kind="trade_fair", parent_id=key)
    event = await public.create("events", title="A forum", kind="forum", mission_id=stop["id"])
    person = await public.create("people", full_name="Aigerim")
    delegate = await public.create(
        "delegates", mission_id=key, person_id=person["id"], side="host", capacity="delegate"
    )
    body = {"title": "A plan", "instrument": "announced_plan", "mission_id": key}
    agreement = await public.create("agreements", **body)
    outcome = await public.create("outcomes", agreement_id=agreement["id"], note="Begun.")
    return {
        "mission": ("missions", mission),
        "part of it": ("missions", stop),
        "event": ("events", event),
        "delegate": ("delegates", delegate),
        "agreement": ("agreements", agreement),
        "outcome": ("outcomes", outcome),
        "person": ("people", person),
    }


async def test_what_is_part_of_a_record_is_withheld_and_shown_again_with_it(public: Public) -> None:
    made = await _mission(public)
    path, mission = made["mission"]
    await public.change(path, mission, confidential=True)
    seen = [name for name, at in made.items() if await public.shown(*at)]
    assert seen == ["person"]
    told = {name: (await public.log(record)) for name, (_, record) in made.items()}
    assert {name: entries for name, entries in told.items() if name != "person"} == {
        name: [("delete", {})] for name in made if name != "person"
    }
    # What is added to it later was never shown, and is not told of.
    late = await public.create("outcomes", agreement_id=made["agreement"][1]["id"], note="Late.")
    assert await public.log(late) == []
    await public.change(path, mission, confidential=False)
    seen = [name for name, at in made.items() if await public.shown(*at)]
    assert seen == list(made)
    assert (await public.log(made["outcome"][1]))[-1] == ("restore", {})
    assert [action for action, _ in await public.log(late)] == ["create", "restore"]


async def test_a_record_of_its_own_stays_withheld_when_its_whole_is_shown(public: Public) -> None:
    made = await _mission(public)
    await public.change(*made["agreement"], confidential=True)
    await public.change(*made["mission"], confidential=True)
    await public.change(*made["mission"], confidential=False)
    seen = [name for name, at in made.items() if await public.shown(*at) is None]
    assert seen == ["agreement", "outcome"]
    moved = await public.create("missions", title="Another", kind="trade_fair", confidential=True)
    await public.change(*made["delegate"], mission_id=moved["id"])
    assert await public.shown(*made["delegate"]) is None


async def test_what_names_a_withheld_record_does_not_name_it(public: Public) -> None:
    company = await public.create("organizations", name="Hidden and sons", kind="company")
    other = await public.create("organizations", name="Plain", kind="company")
    event = await public.create("events", title="A closed forum", kind="forum")
    parties = [
        {"organization_id": company["id"], "role": "signatory", "signed_as": "director"},
        {"organization_id": other["id"], "role": "signatory"},
    ]
    body = {"title": "A plan", "instrument": "announced_plan", "event_id": event["id"]}
    agreement = await public.create("agreements", parties=parties, **body)
    before = (await public.reader.get(f"/agreements/{agreement['id']}")).headers["etag"]
    await public.change("organizations", company, confidential=True)
    await public.change("events", event, confidential=True)
    shown = await public.shown("agreements", agreement)
    assert shown["event_id"] is None
    assert [party["organization_id"] for party in shown["parties"]] == [other["id"]]
    answer = await public.reader.get(f"/agreements/{agreement['id']}")
    assert answer.headers["etag"] != before
    history = (await public.reader.get(f"/agreements/{agreement['id']}/history")).text
    assert company["id"] not in history
    assert event["id"] not in history
    # It was named once, too; and still was when it is not any more.
    await public.change("agreements", agreement, event_id=None, parties=parties[1:])
    told = await public.reader.get(f"/agreements/{agreement['id']}/history")
    assert company["id"] not in told.text
    assert event["id"] not in told.text
    other_event = await public.create("events", title="Another", kind="forum")
    await public.change("agreements", agreement, event_id=other_event["id"])
    await public.change("agreements", agreement, event_id=None)
    await public.change("events", other_event, confidential=True)
    told = await public.reader.get(f"/agreements/{agreement['id']}/history")
    assert other_event["id"] not in told.text
    await public.change("events", other_event, confidential=False)
    told = await public.reader.get(f"/agreements/{agreement['id']}/history")
    assert other_event["id"] in told.text
    await public.change("agreements", agreement, event_id=event["id"], parties=parties)
    for query in (f"event_id={event['id']}", f"parties__organization_id={company['id']}"):
        found = await public.reader.get(f"/agreements?{query}")
        assert found.status_code == 200, found.text
        assert found.json()["data"] == [], query
        found = await public.writer.get(f"/agreements?{query}")
        assert len(found.json()["data"]) == 1, query


async def test_a_citation_of_a_withheld_field_is_withheld(public: Public) -> None:
    source = await public.create("sources", publisher="A paper", title="News")
    body = {"title": "A plan", "instrument": "announced_plan", "amount": 5, "currency": "USD"}
    agreement = await public.create("agreements", **body)
    at = {"source_id": source["id"], "record_kind": "agreement", "record_id": agreement["id"]}
    whole = await public.create("citations", **at, start=0, end=5)
    amount = await public.create("citations", **at, start=0, end=5, field="/currency")
    await public.change("agreements", agreement, withheld=["amount"])
    party = await public.create("citations", **at, start=0, end=5, field="/parties")
    # A passage that is not said to back a field may tell of any.
    assert await public.shown("citations", whole) is None
    assert await public.shown("citations", amount) is None
    assert await public.shown("citations", party)
    assert (await public.log(amount))[-1] == ("delete", {})
    await public.change("agreements", agreement, withheld=["note"])
    assert await public.shown("citations", whole)
    await public.change("sources", source, confidential=True)
    assert await public.shown("citations", whole) is None


async def test_an_outcome_does_not_tell_what_is_withheld_of_its_agreement(public: Public) -> None:
    body = {"instrument": "supply_contract", "status": "negotiated", "amount": 5, "currency": "USD"}
    party = {"description": "A buyer", "role": "buyer"}
    agreement = await public.create("agreements", title="A deal", parties=[party], **body)
    await public.change("agreements", agreement, status="signed", signed="2016-04-12")
    paid = await public.create(
        "outcomes",
        agreement_id=agreement["id"],
        actual_amount=4,
        currency="USD",
        amount_scope="to_date",
        date="2016-09",
    )
    (signed,) = (
        await public.writer.get(f"/outcomes?agreement_id={agreement['id']}&status=signed")
    ).json()["data"]
    assert signed["date"] == "2016-04-12"
    await public.change("agreements", agreement, withheld=["amount", "signed"])
    shown, then = await public.shown("outcomes", paid), await public.shown("outcomes", signed)
    told = ("actual_amount", "currency", "amount_scope", "date", "withheld")
    assert [shown[name] for name in told] == [None, None, None, "2016-09", ["actual_amount"]]
    assert (then["date"], then["date_latest"], then["withheld"]) == (None, None, ["date"])
    found = await public.reader.get(
        f"/outcomes?actual_amount__gte=1&agreement_id={agreement['id']}"
    )
    assert found.json()["data"] == []
    await public.change("agreements", agreement, withheld=[])
    assert (await public.shown("outcomes", paid))["actual_amount"] == 4


async def test_an_agreement_shows_the_status_that_is_withheld_of_its_outcome(
    public: Public,
) -> None:
    body = {"title": "A plan", "instrument": "announced_plan"}
    agreement = await public.create("agreements", **body)
    outcome = {"agreement_id": agreement["id"], "status": "cancelled", "withheld": ["status"]}
    made = await public.create("outcomes", **outcome)
    shown = [await public.shown("outcomes", made), await public.shown("agreements", agreement)]
    assert [each["status"] for each in shown] == [None, "cancelled"]


async def test_a_field_is_withheld_with_all_that_tells_of_it(public: Public) -> None:
    body = {
        "title": "A plan",
        "instrument": "announced_plan",
        "amount": 5,
        "currency": "USD",
        "amount_text": "some money",
        "amount_by_year": [{"year": 2016, "amount": 5}],
        "due": "2016-04",
        "due_text": "soon",
    }
    agreement = await public.create("agreements", **body)
    await public.change("agreements", agreement, withheld=["amount", "due"])
    shown = await public.shown("agreements", agreement)
    told = ("amount", "currency", "amount_bound", "amount_text", "due", "due_earliest", "due_text")
    assert [shown[name] for name in told] == [None] * len(told)
    assert (shown["amount_by_year"], shown["withheld"]) == ([], ["amount", "due"])
    changes = dict(await public.log(agreement))
    assert not {*changes["create"], *changes["update"]} & {*told}
    assert changes["update"] == {"withheld": [[], ["amount", "due"]]}
    past = await public.reader.get(f"/agreements/{agreement['id']}?as_of={agreement['created_at']}")
    assert past.json()["amount"] is None


async def test_what_cannot_be_withheld_is_refused_with_what_to_do(public: Public) -> None:
    wrong = {
        "title": "title cannot be withheld, as every agreement shows it: make it confidential as a"
        " whole.",
        "mission_id": "mission_id cannot be withheld, as every agreement shows it: make it"
        " confidential as a whole.",
        "amout": "There is no field 'amout'. Did you mean 'amount'? These can be withheld: ",
    }
    body = {"title": "A plan", "instrument": "announced_plan", "withheld": ["note", *wrong]}
    answer = await public.writer.post("/agreements", json=body)
    assert answer.status_code == 422
    errors = answer.json()["errors"]
    assert [e["pointer"] for e in errors] == ["/withheld/1", "/withheld/2", "/withheld/3"]
    for error, says in zip(errors, wrong.values(), strict=True):
        assert error["detail"].startswith(says)
    bulk = {"operations": [{"op": "create", "body": body}]}
    assert "/body/withheld/1" in (await public.writer.post("/agreements/bulk", json=bulk)).text


async def test_tags_of_what_the_public_reads_are_its_own(public: Public) -> None:
    person = await public.create("people", full_name="Aigerim", note="Shy", withheld=["note"])
    address = f"/people/{person['id']}"
    for at in (address, "/people", "/people.csv", "/people/aggregate?group_by=note"):
        whole, shown = await public.writer.get(at), await public.reader.get(at)
        assert whole.headers["etag"] != shown.headers["etag"], at
        same = {"if-none-match": whole.headers["etag"]}
        assert (await public.reader.get(at, headers=same)).status_code == 200, at
        same = {"if-none-match": shown.headers["etag"]}
        assert (await public.reader.get(at, headers=same)).status_code == 304, at
    shown = await public.reader.get(address)
    assert "Authorization" in shown.headers["vary"]
    guarded = {"if-match": shown.headers["etag"]}
    answer = await public.writer.patch(address, json={"note": "Bold"}, headers=guarded)
    assert answer.status_code == 200
    answer = await public.writer.patch(address, json={"note": "Shy"}, headers=guarded)
    assert answer.status_code == 412


async def test_a_summary_counts_what_is_withheld_and_says_how_many(public: Public) -> None:
    mission = await public.create("missions", title="A visit", kind="trade_fair")
    body = {"instrument": "announced_plan", "mission_id": mission["id"], "currency": "USD"}
    await public.create("agreements", title="One", amount=5, **body)
    await public.create("agreements", title="Two", amount=7, confidential=True, **body)
    address = f"/missions/{mission['id']}/summary"
    shown = (await public.reader.get(address)).json()
    whole = (await public.writer.get(address)).json()
    assert (shown["agreements"], shown["withheld"]) == (2, 1)
    assert (whole["agreements"], whole["withheld"]) == (2, 0)
    assert [sum(each["by_status"].values()) for each in (shown, whole)] == [1, 2]
    assert [each["totals"][0]["amount"] for each in (shown, whole)] == [5, 12]
    assert [each["without_amount"] for each in (shown, whole)] == [0, 0]
    await public.create("agreements", title="Three", amount=9, withheld=["amount"], **body)
    shown = (await public.reader.get(address)).json()
    whole = (await public.writer.get(address)).json()
    assert [each["totals"][0]["amount"] for each in (shown, whole)] == [5, 21]
    assert [each["without_amount"] for each in (shown, whole)] == [0, 0]
    assert [each["withheld_amounts"] for each in (shown, whole)] == [1, 0]


async def test_a_summary_counts_what_is_withheld_with_a_part(public: Public) -> None:
    mission = await public.create("missions", title="A visit", kind="trade_fair")
    key, legs = mission["id"], list[Any]()
    for above in (key, key, None):
        parent = above or legs[-1]["id"]
        legs.append(
            await public.create("missions", title="A leg", kind="trade_fair", parent_id=parent)
        )
        body = {"instrument": "announced_plan", "mission_id": legs[-1]["id"]}
        await public.create("agreements", title="A plan", **body)
    await public.change("missions", legs[1], confidential=True)
    told = []
    for client in (public.writer, public.reader):
        for parts in ("include", "exclude"):
            address = f"/missions/{key}/summary?parts={parts}"
            found = (await client.get(address)).json()
            told.append([found[name] for name in ("missions", "agreements", "withheld")])
    assert told == [[4, 3, 0], [1, 0, 0], [2, 3, 2], [1, 0, 0]]


async def test_claims_are_not_contradicted_by_what_is_withheld(public: Public) -> None:
    parties = [
        {"role": "signatory", "organization": {"name": name, "kind": "company"}}
        for name in ("First", "Second", "Third")
    ]
    deal = {"title": "A deal", "instrument": "supply_contract", "currency": "USD"}
    claims = (("amount", 8), ("agreements", 2), ("companies", 3))
    mission = await public.create(
        "missions",
        title="A visit",
        kind="trade_fair",
        agreements=[
            {**deal, "amount": 5, "parties": parties[:2]},
            {**deal, "amount": 3, "parties": parties[2:], "confidential": True},
        ],
        reported_totals=[
            {"measure": measure, "value": value, "currency": "USD" if measure == "amount" else None}
            for measure, value in claims
        ],
    )
    told = []
    for client in (public.writer, public.reader):
        answer = (await client.get(f"/missions/{mission['id']}/reconciliation")).json()
        for figure in answer["figures"]:
            (claim,) = figure["claims"]
            is_why = "withheld" in [each["reason"] for each in claim["reasons"]]
            told.append((figure["measure"], claim["comparison"], is_why))
    measures = sorted(measure for measure, _ in claims)
    assert sorted(told) == [
        (measure, *how) for measure in measures for how in (("agrees", False), ("possible", True))
    ]


async def test_parties_are_not_said_to_be_complete_where_some_are_withheld(public: Public) -> None:
    shown = await public.create("organizations", name="Shown", kind="company")
    hidden = await public.create("organizations", name="Hidden", kind="company", confidential=True)
    body = {"title": "A deal", "instrument": "supply_contract"}
    told = []
    for parties, withheld in (((shown,), []), ((shown, hidden), []), ((shown,), ["parties"])):
        rows = [{"organization_id": each["id"], "role": "signatory"} for each in parties]
        made = await public.create("agreements", parties=rows, withheld=withheld, **body)
        address = f"/agreements/{made['id']}"
        found = (await public.reader.get(address)).json()
        whole = (await public.writer.get(address)).json()
        told.append((len(found["parties"]), found["parties_complete"]))
        assert (len(whole["parties"]), whole["parties_complete"]) == (len(parties), True)
    assert told == [(1, True), (1, False), (0, False)]


async def test_a_file_of_a_writer_comes_in_again_with_what_is_withheld(public: Public) -> None:
    ref = f"file-{uuid4()}"
    body = {"full_name": "Aigerim", "ref": ref, "note": "Shy", "withheld": ["note"]}
    await public.create("people", confidential=True, **body)
    file = (await public.writer.get(f"/people.csv?ref={ref}")).text.replace(ref, f"{ref}-2")
    lines = file.splitlines()
    without_id = "\n".join(line.split(",", 1)[1] for line in lines)
    headers = {"content-type": "text/csv"}
    answer = await public.writer.post("/people/import", content=without_id, headers=headers)
    assert answer.status_code == 200, answer.text
    stored = (await public.writer.get(f"/people/{ref}-2")).json()
    assert (stored["confidential"], stored["withheld"]) == (True, ["note"])


async def test_check_finds_what_is_shown_and_should_not_be(
    fresh: httpx.AsyncClient, fresh_url: str
) -> None:
    body = {"title": "A visit", "kind": "trade_fair", "ref": "a-visit", "confidential": True}
    assert (await fresh.post("/missions", json=body)).status_code == 201
    event = {"title": "A forum", "kind": "forum", "mission": {"ref": "a-visit"}}
    assert (await fresh.post("/events", json=event)).status_code == 201
    assert await run(fresh_url) == []
    shown = text("UPDATE event SET hidden = NULL WHERE title = 'A forum'")
    await engine_run(fresh_url, lambda connection: connection.execute(shown))
    assert await run(fresh_url) == ["1 of events are shown, and are to be withheld."]


async def test_a_receipt_does_not_show_what_is_withheld_by_now(public: Public) -> None:
    person = await public.create("people", full_name="Aigerim", note="Once shown")
    kept = await public.create("receipts", url=f"/people/{person['id']}", note="Kept.")
    address = f"/receipts/{kept['id']}"
    assert (await public.reader.get(address)).json()["then"]["note"] == "Once shown"
    await public.change("people", person, withheld=["note"])
    assert "Once shown" not in (await public.reader.get(address)).text
    assert (await public.writer.get(address)).json()["then"]["note"] == "Once shown"
    await public.change("people", person, withheld=[])
    assert (await public.reader.get(address)).json()["then"]["note"] == "Once shown"


async def test_a_confidential_rate_converts_for_those_who_see_it_alone(public: Public) -> None:
    rate = {"base": "USD", "quote": "KZT", "rate": 500, "date": "2022-06-03"}
    await public.create("exchange-rates", **rate, provider="A quiet bank", confidential=True)
    deal: dict[str, Any] = {"title": "D", "instrument": "supply_contract", "signed": "2022-06-03"}
    deal |= {"parties": [{"description": "x", "role": "buyer"}]}
    deal |= {"amount": 700, "currency": "KZT"}
    mission = await public.create("missions", title="M", kind="forum", agreements=[deal])
    convert = "convert_to=USD&rate_provider=A quiet bank,NBK"
    asked = (
        f"/agreements/aggregate?mission={mission['id']}&metrics=sum(amount)&{convert}",
        f"/missions/{mission['id']}/summary?{convert}",
    )
    for address in asked:
        told = await public.writer.get(address)
        assert told.status_code == 200, told.text
        assert "1.4" in told.text
        refused = await public.reader.get(address)
        assert (refused.status_code, "no rates of" in refused.text) == (400, True)
        seen = await public.reader.get(address.replace("A quiet bank,", ""))
        assert seen.status_code == 200, seen.text
        assert "no_rates_of_currency" in seen.text
        assert "quiet" not in seen.text


async def test_what_a_record_named_then_is_told_to_be_withheld_though_it_names_it_no_more(
    public: Public,
) -> None:
    company = await public.create("organizations", name="Canary", kind="company")
    person = await public.create("people", full_name="Aigerim Canary")
    other = {"description": "A firm", "role": "buyer"}
    made = {}
    for party in (
        {"organization_id": company["id"], "role": "supplier"},
        {"description": "Another", "role": "supplier", "signed_by_id": person["id"]},
    ):
        body = {"title": "A deal", "instrument": "supply_contract", "parties": [party, other]}
        agreement = await public.create("agreements", **body)
        await public.change("agreements", agreement, parties=[party], title="Another deal")
        await public.change("agreements", agreement, parties=[{**other, "role": "customer"}])
        made[agreement["id"]] = agreement["updated_at"]
    await public.change("organizations", company, confidential=True)
    await public.change("people", person, confidential=True)
    found: list[Any] = []
    for key, then in made.items():
        alone = (await public.reader.get(f"/agreements/{key}?as_of={then}")).json()
        (listed,) = (await public.reader.get(f"/agreements?id={key}&as_of={then}")).json()["data"]
        assert alone == listed
        parties = [(each["description"], each["role"]) for each in alone["parties"]]
        found.append((alone["title"], parties, alone["parties_complete"], alone["withheld"]))
    assert found == [
        ("A deal", [("A firm", "buyer")], False, ["parties"]),
        ("A deal", [("Another", "supplier"), ("A firm", "buyer")], True, ["parties"]),
    ]
