"""A record is created with what lies under it and what it points to, or not at all."""

from typing import Any
from uuid import uuid4

import pytest
from fastapi import FastAPI

from app.core import json_codec
from tests.contract.api import Api, listed, pointers, problem
from tests.examples import Body
from tests.rest.calls import changes_after, contents, position, post

UNKNOWN = "0190b1de-0000-7000-8000-000000000000"


async def tree(api: Api) -> Body:
    """A mission with all that can be created with it."""
    mark = uuid4().hex
    chamber = {"kind": "chamber_of_commerce", "name": "Chamber", "ref": f"chamber-{mark}"}
    return {
        "title": "Mission",
        "kind": "outward_mission",
        "ref": f"mission-{mark}",
        "parent": {"title": "Above", "kind": "trade_fair"},
        "participations": [
            {"role": "organizer", "organization": chamber},
            {"role": "host", "organization": {"ref": "referred-organizations-0"}},
        ],
        "delegates": [
            {
                "person": {"full_name": "New", "ref": f"person-{mark}"},
                "organization": {"ref": "referred-companies-0"},
                "side": "delegation",
                "capacity": "delegate",
                "ref": f"delegate-{mark}",
            },
            {
                "person_id": api.examples.ids["people"][0],
                "organization": {"id": api.examples.ids["organizations"][1]},
                "side": "host",
                "capacity": "speaker",
            },
        ],
        "events": [{"kind": "signing_ceremony", "title": "Signing", "ref": f"event-{mark}"}],
        "agreements": [
            {
                "title": "Agreement",
                "instrument": "supply_contract",
                "event": {"ref": f"event-{mark}"},
                "parties": [
                    {"role": "supplier", "organization": {"kind": "company", "name": "Seller"}},
                    {"role": "buyer", "organization": {"ref": f"event-{mark}-no"}},
                ],
            }
        ],
        "statements": [
            {
                "predicate": "plans",
                "paraphrase": "They plan",
                "modality": "plan",
                "speaker": {"ref": f"delegate-{mark}"},
            }
        ],
        "reported_totals": [{"measure": "companies", "value": 35}],
    }


async def right(api: Api) -> Body:
    body = await tree(api)
    body["agreements"][0]["parties"][1]["organization"] = {
        "ref": body["participations"][0]["organization"]["ref"]
    }
    return body


async def test_a_whole_mission_is_created_in_one_request(api: Api) -> None:
    body = await right(api)
    answer = await post(api, "/missions", body)
    assert answer.status_code == 201, answer.text
    mission = answer.json()
    under = f"/missions/{mission['id']}"
    assert (await api.get(under)) == mission
    above = await api.get(f"/missions/{mission['parent_id']}")
    assert above["title"] == "Above"
    delegates = await listed(api, f"{under}/delegates", expand="person,organization")
    assert [one["person"]["full_name"] for one in delegates] == ["New", "Zebra"]
    assert delegates[0]["organization"]["ref"] == "referred-companies-0"
    assert delegates[1]["organization_id"] == api.examples.ids["organizations"][1]
    (event,) = await listed(api, f"{under}/events")
    (agreement,) = await listed(api, f"{under}/agreements", expand="parties.organization")
    assert agreement["event_id"] == event["id"]
    assert [p["organization"]["name"] for p in agreement["parties"]] == ["Seller", "Chamber"]
    participations = await listed(api, f"{under}/participations", sort="-role")
    chamber = {one["role"]: one["organization_id"] for one in participations}["organizer"]
    assert agreement["parties"][1]["organization_id"] == chamber
    (statement,) = await listed(api, f"{under}/statements")
    assert statement["speaker_id"] == delegates[0]["id"]
    (total,) = await listed(api, f"{under}/reported-totals")
    assert total["value"] == 35


async def test_a_record_is_named_after_it_was_told_in_whatever_order_the_lists_are(
    api: Api,
) -> None:
    body = await right(api)
    told, maker = body["participations"][0], {"ref": f"maker-{uuid4()}"}
    told["organization"] = {**maker, "name": "Maker", "kind": "company"}
    body["delegates"][0]["organization"] = maker
    body["agreements"][0]["parties"][1]["organization"] = maker
    # The statement's speaker and the agreement's event are told below them.
    first = ("title", "kind", "statements", "participations", "agreements")
    ordered = {name: body[name] for name in first} | body
    answer = await post(api, "/missions", ordered)
    assert answer.status_code == 201, answer.text
    delegates = await listed(
        api, f"/missions/{answer.json()['id']}/delegates", expand="organization"
    )
    assert delegates[0]["organization"]["ref"] == maker["ref"]


async def test_every_record_is_in_the_log_once(api: Api, writes_app: FastAPI) -> None:
    before = await position(writes_app)
    await post(api, "/missions", await right(api))
    logged = await changes_after(writes_app, before)
    kinds = sorted(entry[2] for entry in logged)
    assert kinds == sorted(
        ["mission"] * 2
        + ["participation", "delegate"] * 2
        + ["organization"] * 2
        + ["person", "event", "agreement", "statement", "reported_total"]
    )
    assert {(entry[1], entry[4]) for entry in logged} == {("create", 1)}
    assert [entry[0] for entry in logged] == list(range(before + 1, before + 1 + len(logged)))


#: Where in the tree what is put, and where the fault is told.
WRONG: list[tuple[str, Any, str]] = [
    ("/agreements/0/parties/1/organization/ref", "nobody-there", ""),
    ("/agreements/0/parties/1/organization", {"ref": "nobody-there", "id": UNKNOWN}, ""),
    ("/agreements/0/parties/1/organization", {}, "/kind"),
    ("/agreements/0/parties/1/organization", "x", ""),
    ("/agreements/0/parties/1/organization", [], ""),
    ("/agreements/0/parties/1", "x", ""),
    ("/agreements/0/parties/1", None, ""),
    ("/agreements/0/parties", None, ""),
    ("/agreements/0/parties", {}, ""),
    ("/agreements/0/event", {"ref": "nobody-there"}, "/ref"),
    ("/agreements/0/event", {"ref": 5}, "/ref"),
    ("/agreements/0/event", {"ref": None}, "/ref"),
    ("/agreements/0/event", {"ref": "\0"}, "/ref"),
    ("/agreements/0/event", {"ref": True}, "/ref"),
    ("/agreements/0/event", {"id": UNKNOWN}, "/id"),
    ("/agreements/0/event", {"id": "Signing"}, "/id"),
    ("/agreements/0/event", {"id": None}, "/id"),
    ("/agreements/0/event", {"id": []}, "/id"),
    ("/agreements/0/event", 5, ""),
    ("/agreements/0/event", [{"ref": "x"}], ""),
    ("/agreements/0/event_id", None, "/../event"),
    ("/agreements/0/mission_id", UNKNOWN, ""),
    ("/agreements/0/mission_id", None, ""),
    ("/agreements/0/title", "", ""),
    ("/agreements/0/nota", "x", ""),
    ("/agreements/0/outcomes", {}, ""),
    ("/agreements/0/outcomes", [{"jobs": "many"}], "/0/jobs"),
    ("/agreements/0/outcomes", [{"jobs": 1, "agreement_id": UNKNOWN}], "/0/agreement_id"),
    ("/agreements/0/statements", [{"modality": "plan"}], "/0/predicate"),
    ("/events/0/agreements", [{"event": {"ref": "x"}}], "/0/event"),
    ("/missions", [{"title": "Leg", "kind": "forum", "parent": {"ref": "x"}}], "/0/parent"),
    ("/agreements/0", None, ""),
    ("/agreements/0", [], ""),
    ("/agreements", None, ""),
    ("/agreements", {}, ""),
    ("/agreements", "x", ""),
    ("/agreements", 5, ""),
    ("/events/0/kind", "party", ""),
    ("/events/0/mission", {"ref": "x"}, ""),
    ("/delegates/0/person", None, "/../person_id"),
    ("/delegates/0/person", {"full_name": None}, "/full_name"),
    ("/delegates/0/person", {"full_name": "A", "ref": "referred-people-0"}, "/ref"),
    ("/delegates/0/person/nota", 1, ""),
    ("/delegates/0/person/delegates", [], ""),
    ("/delegates/1/person", {"full_name": "B"}, ""),
    ("/delegates/1/organization_id", None, "/../organization"),
    ("/participations/0/organization/identifiers", [{"scheme": "ru_inn", "value": "1"}], "/0"),
    ("/participations/0/organization/parent", {"name": "x"}, "/kind"),
    ("/participations/0/organization/parent", {"ref": "nobody"}, "/ref"),
    ("/statements/0/speaker/ref", "nobody-there", ""),
    ("/reported_totals/0/value", "many", ""),
    ("/reported-totals", [], ""),
    ("/parent/nota", 1, ""),
    ("/parent/events", [], ""),
    ("/parent", 5, ""),
    ("/parent_id", UNKNOWN, "/../parent"),
    ("/citations", {}, ""),
    ("/citations", [{"source": {"ref": "nobody"}, "start": 0, "end": 1}], "/0/source/ref"),
    ("/agreements/0/citations", "x", ""),
    ("/agreements/0/citations", [{"start": 0, "end": 1}], "/0/source_id"),
    ("/agreements/0/citations", [{"record": {"kind": "agreement", "ref": "x"}}], "/0/record"),
    ("/outcomes", [], ""),
    ("/companies", [], ""),
    ("/title", None, ""),
    ("/ref", "referred-missions-0", ""),
]


def put(body: Any, pointer: str, value: Any) -> None:
    *steps, last = pointer[1:].split("/")
    for step in steps:
        body = body[int(step)] if isinstance(body, list) else body[step]
    body[int(last) if isinstance(body, list) else last] = value


async def test_a_fault_anywhere_is_told_where_and_stores_nothing(
    api: Api, writes_app: FastAPI
) -> None:
    bodies = [(await right(api), *row) for row in WRONG]
    before = await contents(writes_app)
    for body, pointer, value, told in bodies:
        put(body, pointer, value)
        answer = await post(api, "/missions", body)
        place = f"{pointer}{told}"
        if told.startswith("/../"):
            place = f"{pointer.rpartition('/')[0]}/{told[4:]}"
        assert answer.status_code in (409, 422), (pointer, answer.text)
        first = problem(answer, answer.status_code)["errors"][0]["pointer"]
        assert first.startswith(place), (pointer, value, first)
        assert first.count("//") == 0
    assert await contents(writes_app) == before


@pytest.mark.parametrize("name", ["parent", "parent_id"])
async def test_null_stands_for_no_record(api: Api, name: str) -> None:
    body = {"title": "M", "kind": "trade_fair", name: None}
    answer = await post(api, "/missions", body)
    assert answer.status_code == 201, answer.text
    assert answer.json()["parent_id"] is None


async def test_an_agreement_is_created_with_its_outcomes(api: Api) -> None:
    outcomes = [
        {"status": "in_force", "date": "2016-05"},
        {"jobs": 5, "confirmed_by": {"kind": "ministry", "name": "Ministry"}},
        {"status": "completed"},
    ]
    body = api.examples.minimal("agreements", outcomes=outcomes)
    answer = await post(api, "/agreements", body)
    record = answer.json()
    assert (record["status"], record["version"]) == ("completed", 3)
    assert answer.headers["etag"].startswith('"3-')
    under = f"/agreements/{record['id']}"
    assert [one["status"] for one in await listed(api, f"{under}/outcomes")] == [
        "in_force",
        None,
        "completed",
    ]
    assert await api.get(under) == json_codec.loads(answer.content)


async def test_a_list_that_is_too_deep_is_told_with_where_it_goes(api: Api) -> None:
    body = await right(api)
    person = body["delegates"][0]["person"]
    person["delegates"] = [{"side": "host", "capacity": "speaker"}]
    (fault,) = (await post(api, "/missions", body)).json()["errors"]
    assert (fault["pointer"], fault["code"]) == ("/delegates/0/person/delegates", "unknown")
    address = fault["detail"].partition("with POST ")[2].rstrip(".")
    assert address == f"/people/{person['ref']}/delegates"
    told = person.pop("delegates")[0] | {"mission": {"ref": body["ref"]}}
    assert (await post(api, "/missions", body)).is_success
    assert (await post(api, address, told)).status_code == 201


async def test_what_lies_under_a_nested_record_is_created_with_it(api: Api) -> None:
    """Legs within a mission, agreements within their events, and what came of these and was said of
    them; each is of the mission nearest to it."""
    body = await right(api)
    speaker, leg = {"ref": body["delegates"][0]["ref"]}, f"leg-{uuid4()}"
    text = "They signed. It opened."
    await post(api, "/sources", {"title": "Paper", "publisher": "Paper", "ref": leg})
    await api.client.put(
        f"/sources/{leg}/text", content=text, headers={"Content-Type": "text/plain"}
    )
    said = {"predicate": "plans", "paraphrase": "More", "modality": "plan", "speaker": speaker}
    cited = [{"source": {"ref": leg}, "quote": "It opened."}]
    deal = {
        "title": "Office",
        "instrument": "announced_plan",
        "outcomes": [{"jobs": 7, "citations": cited}, {"jobs": 8}],
        "statements": [said],
    }
    body["missions"] = [
        {
            "title": "Leg",
            "kind": "forum",
            "ref": leg,
            "events": [{"kind": "forum", "title": "Fair", "agreements": [deal]}],
            "missions": [{"title": "Stop", "kind": "forum", "agreements": [deal]}],
        }
    ]
    answer = await post(api, "/missions", body)
    assert answer.status_code == 201, answer.text
    (stop,) = await listed(api, f"/missions/{leg}/missions")
    for key in (leg, stop["id"]):
        (made,) = await listed(api, f"/missions/{key}/agreements", parts="exclude")
        assert (made["event_id"] is None) is (key != leg)
        outcomes = await listed(api, f"/agreements/{made['id']}/outcomes", expand="citations")
        assert [(each["jobs"], len(each["citations"])) for each in outcomes] == [(7, 1), (8, 0)]
        (statement,) = await listed(api, f"/agreements/{made['id']}/statements", expand="mission")
        assert statement["mission_id"] == made["mission_id"]
        assert statement["speaker_id"] is not None
    # Sent again as a change, what is there already is not entered twice, and what is new is.
    more = {"title": "Another", "instrument": "announced_plan"}
    events = await listed(api, f"/missions/{leg}/events")
    event = {"id": events[0]["id"], "agreements": [more]}
    answer = await api.client.patch(f"/missions/{leg}", json={"events": [event]})
    assert answer.status_code == 200, answer.text
    found = await listed(api, f"/missions/{leg}/agreements", parts="exclude", sort="title")
    assert [each["title"] for each in found] == ["Another", "Office"]


async def test_an_outcome_that_cannot_follow_undoes_its_agreement(
    api: Api, writes_app: FastAPI
) -> None:
    before = await contents(writes_app)
    outcomes = [{"status": "completed"}, {"status": "in_force"}]
    body = api.examples.minimal("agreements", outcomes=outcomes)
    answer = await post(api, "/agreements", body)
    (error,) = problem(answer, 409)["errors"]
    assert error["pointer"].startswith("/outcomes/1")
    assert await contents(writes_app) == before


async def test_a_thousand_can_lie_under_a_record_and_no_more(api: Api) -> None:
    events = [{"kind": "meeting", "title": f"n {n}"} for n in range(1001)]
    body = {"title": "M", "kind": "trade_fair"}
    assert pointers(await post(api, "/missions", {**body, "events": events})) == ["/events"]
    answer = await post(api, "/missions", {**body, "events": events[:1000]})
    assert answer.status_code == 201
    page = await api.get(f"{answer.headers['location']}/events", count="exact")
    assert page["page"]["total"] == 1000


async def test_records_can_stand_in_one_another_as_deep_as_json_may(api: Api) -> None:
    body: Body = {"kind": "unknown", "name": "0"}
    for depth in range(1, 100):
        body = {"kind": "unknown", "name": f"{depth}", "parent": body}
        if depth == 60:
            answer = await post(api, "/organizations", body)
            assert answer.status_code == 201
            top = answer.json()["parent_id"]
            assert (await api.get(f"/organizations/{top}"))["name"] == "59"
    problem(await post(api, "/organizations", body), 400)


@pytest.mark.parametrize("trashed", [False, True], ids=["unknown", "in the trash"])
async def test_a_ref_must_be_of_a_record_that_is_there(api: Api, trashed: bool) -> None:
    ref = f"nested-{uuid4().hex}"
    if trashed:
        await post(api, "/people", {"full_name": "A", "ref": ref})
        await api.trash(f"/people/{ref}")
    body = api.examples.minimal("delegates")
    del body["person_id"]
    answer = await post(api, "/delegates", {**body, "person": {"ref": ref}})
    assert pointers(answer) == ["/person/ref"]
    assert "(or it is in the trash)" in answer.json()["detail"]


async def test_what_is_wrong_with_several_nested_records_is_told_at_once(api: Api) -> None:
    """By values and by rules, at every depth, and each with its place; what is right is not."""
    right = {
        "title": "A",
        "instrument": "other",
        "parties": [{"description": "x", "role": "buyer"}],
    }
    cited = {"source": {"ref": "no-such-source"}, "quote": "x"}
    body = {
        "title": "M",
        "kind": "forum",
        "delegates": [{"side": "nowhere"}, {"person": {"full_name": "P"}, "side": "host"}],
        "agreements": [
            right,
            right | {"amount": 5},
            right | {"amount": "5 000 000", "currency": "USD"},
            right | {"citations": [cited]},
            right | {"outcomes": [{"status": "completed"}, {"date": "12.04.2016"}]},
            right | {"titel": "B"},
            right | {"targets": [{"measure": "output", "quantity": 5}]},
        ],
    }
    told = problem(await post(api, "/missions", body), 422)
    places = [fault["pointer"] for fault in told["errors"]]
    assert sorted(places) == [
        "/agreements/1/currency",
        "/agreements/2/amount",
        "/agreements/4/outcomes/1/date",
        "/agreements/5/titel",
        "/agreements/6/targets/0",
        "/delegates/0/capacity",
        "/delegates/0/side",
        "/delegates/1/capacity",
    ]
    assert told["detail"].startswith(f"{places[0]}: ")
    assert "Write 5000000" in told["errors"][places.index("/agreements/2/amount")]["detail"]
    alone = {"title": "M", "kind": "forum", "agreements": [right, right | {"amount": 5}]}
    told = problem(await post(api, "/missions", alone), 422)
    assert told["detail"] == "/agreements/1/currency: currency is missing: amount is in one."
    year = {"year": "2020", "amount": 1}
    told = problem(await post(api, "/agreements", right | {"amount_by_year": [year]}), 422)
    assert "Write 2020, without quotes" in told["detail"]
