"""The records that lie under a record."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest

from app.api import COLLECTIONS, RESOURCES
from app.core import json_codec
from app.engine.resource import SubCollection
from tests.contract.api import UNKNOWN, Api, at, listed, problem
from tests.examples import Body, create

Tie = Callable[[Api, str], Awaitable[Body]]


def _tied(path: str, **fields: Any) -> Tie:
    """A child that one of its own fields ties to the parent, which is `PARENT` there."""

    async def make(api: Api, parent: str) -> Body:
        body = api.examples.full(
            path, **json_codec.loads(json_codec.dumps(fields).replace(b"PARENT", parent.encode()))
        )
        return await create(api.client, path, body)

    return make


async def _taking_part(api: Api, parent: str) -> Body:
    company = await create(api.client, "companies", api.examples.full("companies"))
    body = api.examples.minimal("participations", mission_id=parent, organization_id=company["id"])
    await create(api.client, "participations", body)
    return company


async def _come_of(api: Api, parent: str) -> Body:
    agreement = await _tied("agreements", mission_id="PARENT", event_id=None)(api, parent)
    body = api.examples.full("outcomes", agreement_id=agreement["id"])
    return await create(api.client, "outcomes", body)


async def _behind(api: Api, parent: str) -> Body:
    agreement = await _tied("agreements", mission_id="PARENT", event_id=None)(api, parent)
    cited = {"record_kind": "agreement", "record_id": agreement["id"], "field": None}
    return await create(api.client, "citations", api.examples.full("citations", **cited))


async def _gone_to(api: Api, parent: str) -> Body:
    mission = await create(api.client, "missions", api.examples.full("missions"))
    body = api.examples.minimal("participations", mission_id=mission["id"], organization_id=parent)
    await create(api.client, "participations", body)
    return mission


async def _joined(api: Api, parent: str) -> Body:
    mission = await create(api.client, "missions", api.examples.full("missions"))
    body = api.examples.minimal("delegates", mission_id=mission["id"], person_id=parent)
    await create(api.client, "delegates", body)
    return mission


_CONCLUDED = _tied("agreements", parties=[{"role": "buyer", "organization_id": "PARENT"}])
#: What ties a child to its parent, where it is more than one field that names it.
TIES: dict[tuple[str, str], Tie] = {
    ("missions", "agreements"): _tied("agreements", mission_id="PARENT", event_id=None),
    ("missions", "companies"): _taking_part,
    ("missions", "outcomes"): _come_of,
    ("missions", "evidence"): _behind,
    **{
        (parent, name): tie
        for parent in ("companies", "organizations")
        for name, tie in (
            ("missions", _gone_to),
            ("delegates", _tied("delegates", organization_id="PARENT")),
            ("participations", _tied("participations", organization_id="PARENT")),
            ("agreements", _CONCLUDED),
            ("statements", _tied("statements", subject_id="PARENT")),
        )
    },
    ("people", "missions"): _joined,
    ("people", "agreements"): _tied(
        "agreements", parties=[{"role": "buyer", "description": "x", "signed_by_id": "PARENT"}]
    ),
    ("people", "statements"): _tied("statements", person_id="PARENT", speaker_id=None),
    ("sources", "passages"): _tied("citations", source_id="PARENT"),
}


def tie_of(collection: SubCollection) -> Tie:
    """How a child of the collection is made."""
    parent, child = collection.parent, collection.child
    if collection.name == "citations":
        return _tied("citations", record_kind=parent.record_type, record_id="PARENT", field=None)
    if tie := TIES.get((parent.path, collection.name)):
        return tie
    names = [name for name in child.under if child.to_one[name] is parent]
    return _tied(child.path, **{f"{names[0]}_id": "PARENT"})


under_each = pytest.mark.parametrize(
    "collection", COLLECTIONS, ids=[f"{c.parent.path}-{c.name}" for c in COLLECTIONS]
)


@under_each
async def test_a_collection_lists_exactly_the_live_records_of_its_parent(
    api: Api, collection: SubCollection
) -> None:
    tie = tie_of(collection)
    parent, elsewhere = await api.new(collection.parent), await api.new(collection.parent)
    live, trashed = await tie(api, parent["id"]), await tie(api, parent["id"])
    await tie(api, elsewhere["id"])
    await api.trash(at(collection.child, trashed))
    address = f"{at(collection.parent, parent)}/{collection.name}"
    found = await api.get(address, count="exact")
    assert [record["id"] for record in found["data"]] == [live["id"]]
    assert found["page"]["total"] == 1
    assert (await api.get(f"/{collection.parent.path}/{parent['ref']}/{collection.name}")) | {
        "page": 0
    } == found | {"page": 0}
    assert [r["id"] for r in await listed(api, address, deleted="only")] == [trashed["id"]]
    assert await listed(api, address, id=trashed["id"]) == []


@under_each
async def test_a_collection_needs_its_parent(api: Api, collection: SubCollection) -> None:
    parent = await api.new(collection.parent)
    await api.trash(at(collection.parent, parent))
    for key in (UNKNOWN, "nowhere", parent["id"]):
        problem(await api.client.get(f"/{collection.parent.path}/{key}/{collection.name}"), 404)


async def test_a_company_whose_participation_is_in_the_trash_takes_no_part(api: Api) -> None:
    mission = await create(api.client, "missions", api.examples.minimal("missions"))
    company = await _taking_part(api, mission["id"])
    address = f"/missions/{mission['id']}"
    (participation,) = await listed(api, f"{address}/participations")
    assert [c["id"] for c in await listed(api, f"{address}/companies")] == [company["id"]]
    await api.trash(f"/participations/{participation['id']}")
    assert await listed(api, f"{address}/companies") == []


async def test_a_company_whose_agreement_is_in_the_trash_takes_no_part(api: Api) -> None:
    mission = await create(api.client, "missions", api.examples.minimal("missions"))
    company = await create(api.client, "companies", api.examples.minimal("companies"))
    party = {"role": "buyer", "organization_id": company["id"]}
    body = api.examples.minimal("agreements", mission_id=mission["id"], parties=[party, party])
    agreement = await create(api.client, "agreements", body)
    address = f"/missions/{mission['id']}/companies"
    assert [c["id"] for c in await listed(api, address)] == [company["id"]]
    await api.trash(f"/agreements/{agreement['id']}")
    assert await listed(api, address) == []


async def test_what_lies_under_a_record_is_created_there(api: Api) -> None:
    """Each list whose members nothing else puts there; a body that names another parent is 422."""
    wrong: list[Any] = []
    for collection in COLLECTIONS:
        ties = collection.ties(UUID(UNKNOWN))
        if not ties:
            continue
        parent, child = await api.full(collection.parent), collection.child
        full = api.examples.minimal(child.path, event_id=None, parties=[])
        body = {n: v for n, v in full.items() if n in child.fields.model_fields and n not in ties}
        if child.path == "agreements":
            body |= {"instrument": "announced_plan", "status": "announced"}
        address = f"{at(collection.parent, parent)}/{collection.name}"
        answer = await api.send("POST", address, body)
        if answer.status_code != 201:
            wrong.append((address, answer.text))
            continue
        made = answer.json()
        assert answer.headers["location"] == at(child, made)
        if await listed(api, address, id=made["id"]) != [made]:
            wrong.append((address, "is not listed"))
        if collection.anywhere and collection.parent is not RESOURCES[0]:
            continue  # What follows is one for citations of all kinds.
        of_parent = collection.ties(UUID(parent["id"]))
        same = {name: str(value) for name, value in of_parent.items()}
        relation = min(name.removesuffix("_id") for name in ties if name.endswith("_id"))
        for more, status in (
            (same, 201),
            ({n: UNKNOWN for n in ties if n.endswith("_id")}, 422),
            ({relation: {"ref": parent["ref"]}}, 422),
            ({"nota": 1}, 422),
        ):
            answer = await api.send("POST", f"{address}?dry_run=true", body | more)
            if answer.status_code != status:
                wrong.append((address, more, answer.text))
        for sent, key, status in ((body, "nowhere", 404), ([], parent["id"], 422)):
            path = f"/{collection.parent.path}/{key}/{collection.name}"
            if (answer := await api.send("POST", path, sent)).status_code != status:
                wrong.append((path, answer.text))
    assert wrong == []
