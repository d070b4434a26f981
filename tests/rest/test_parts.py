"""What is part of a record goes to the trash with it, and comes back with it."""

from typing import Any

from fastapi import FastAPI

from app.api import RESOURCES
from tests.contract.api import Api, listed, problem
from tests.examples import Body
from tests.rest.calls import bulk, position

PARTS = {
    "agreements": 2,
    "delegates": 1,
    "events": 1,
    "missions": 1,
    "outcomes": 1,
    "participations": 1,
    "reported-totals": 1,
    "statements": 1,
}
TOLD = ", ".join(f"{path}={count}" for path, count in PARTS.items())


async def new_mission(api: Api) -> Body:
    """A mission with something of each kind that can be part of one, and a part of a part."""
    delegate = {"person": {"full_name": "Dana"}, "side": "host", "capacity": "delegate"}
    party = {"description": "somebody", "role": "supplier"}
    deal = {"title": "Deal", "instrument": "supply_contract", "parties": [party]}
    sold = {**deal, "amount": 5, "currency": "USD"}
    body = {
        "title": "Whole",
        "kind": "trade_fair",
        "delegates": [delegate],
        "events": [{"kind": "meeting", "title": "Talks"}],
        "participations": [{"organization": {"kind": "company", "name": "A"}, "role": "host"}],
        "agreements": [sold, sold],
        "statements": [{"predicate": "plans", "paraphrase": "They plan.", "modality": "plan"}],
        "reported_totals": [{"measure": "companies", "value": 35}],
    }
    answer = await api.send("POST", "/missions", body)
    assert answer.status_code == 201, answer.text
    made: Body = answer.json()
    leg = {"title": "Leg", "kind": "trade_fair", "parent_id": made["id"]}
    assert (await api.send("POST", "/missions", leg)).status_code == 201
    (first, _) = await listed(api, "/agreements", mission_id=made["id"], sort="id")
    outcome = {"agreement_id": first["id"], "jobs": 3}
    assert (await api.send("POST", "/outcomes", outcome)).status_code == 201
    return made


async def live(api: Api, mission: Body) -> dict[str, int]:
    """How many live records are part of the mission, by kind."""
    kinds = {r.path: "mission_id" for r in RESOURCES if "mission" in r.part_of}
    kinds |= {"missions": "parent_id", "outcomes": "agreement__mission_id"}
    found = {p: len(await listed(api, f"/{p}", **{k: mission["id"]})) for p, k in kinds.items()}
    return {path: found[path] for path in sorted(found) if found[path]}


async def total(api: Api, mission: Body) -> Any:
    asked = {"group_by": "currency", "metrics": "count,sum(amount)", "mission_id": mission["id"]}
    return (await api.get("/agreements/aggregate", **asked))["data"]


async def test_a_mission_goes_and_comes_back_with_all_that_is_part_of_it(
    api: Api, writes_app: FastAPI
) -> None:
    mission = await new_mission(api)
    address = f"/missions/{mission['id']}"
    assert await live(api, mission) == PARTS
    before, counted = await position(writes_app), await total(api, mission)
    tried = await api.client.delete(address, params={"dry_run": "true"})
    assert (tried.status_code, tried.headers["affected-parts"]) == (204, TOLD)
    assert await live(api, mission) == PARTS
    for method, path, action, left, status in (
        ("DELETE", address, "delete", {}, 204),
        ("POST", f"{address}/restore", "restore", PARTS, 200),
    ):
        answer = await api.client.request(method, path)
        assert (answer.status_code, answer.headers["affected-parts"]) == (status, TOLD)
        assert await live(api, mission) == left
        told = await listed(api, "/changes", since=before)
        assert [entry["action"] for entry in told] == [action] * (1 + sum(PARTS.values()))
        assert told[0]["record_id"] == mission["id"]
        assert all([*entry["changes"]] == ["deleted_at"] for entry in told)
        assert await total(api, mission) == (counted if left else [])
        before = await position(writes_app)


async def test_what_was_in_the_trash_before_stays_there(api: Api) -> None:
    mission = await new_mission(api)
    first, second = await listed(api, "/agreements", mission_id=mission["id"], sort="id")
    await api.trash(f"/agreements/{second['id']}")
    await api.trash(f"/missions/{mission['id']}")
    refused = problem(await api.client.post(f"/agreements/{first['id']}/restore"), 409)
    assert f"POST /missions/{mission['id']}/restore" in refused["detail"]
    await api.client.post(f"/missions/{mission['id']}/restore")
    assert [r["id"] for r in await listed(api, "/agreements", mission_id=mission["id"])] == [
        first["id"]
    ]
    assert (await api.client.post(f"/agreements/{second['id']}/restore")).status_code == 200
    assert await live(api, mission) == PARTS


async def test_what_was_deleted_before_in_the_same_transaction_stays_there(api: Api) -> None:
    mission = await new_mission(api)
    (leg,) = await listed(api, "/missions", parent_id=mission["id"])
    operations = [{"op": "delete", "key": each["id"]} for each in (leg, mission)]
    done = (await bulk(api, "missions", operations)).json()
    assert [result.get("parts", {}).get("agreements") for result in done["results"]] == [None, 2]
    answer = await api.client.post(f"/missions/{mission['id']}/restore")
    assert "missions" not in answer.headers["affected-parts"]
    assert await live(api, mission) == {k: n for k, n in PARTS.items() if k != "missions"}


async def test_a_deletion_by_filter_tells_what_went_with_the_records(api: Api) -> None:
    mission = await new_mission(api)
    (leg,) = await listed(api, "/missions", parent_id=mission["id"])
    for ids, parts in (
        (f"{mission['id']},{leg['id']}", {k: n for k, n in PARTS.items() if k != "missions"}),
        (mission["id"], PARTS),
    ):
        answer = await api.client.delete(f"/missions?id__in={ids}&max_affected=2")
        assert answer.json()["parts"] == parts
        assert await live(api, mission) == {}
        await api.client.post(f"/missions/{mission['id']}/restore")
        assert await live(api, mission) == PARTS
