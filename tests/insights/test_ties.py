"""Where an organization or a person has been, however they were there."""

from typing import Any

import httpx

Body = dict[str, Any]
MISSION = {"title": "A mission", "kind": "forum"}
DEAL = {"title": "A deal", "instrument": "supply_contract"}
REMARK = {"predicate": "plans", "paraphrase": "x", "modality": "plan"}


async def stored(client: httpx.AsyncClient, path: str, body: Body) -> str:
    answer = await client.post(f"/{path}", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def ids(client: httpx.AsyncClient, address: str) -> set[str]:
    answer = await client.get(address)
    assert answer.status_code == 200, answer.text
    return {record["id"] for record in answer.json()["data"]}


async def test_an_organization_shows_every_mission_that_it_was_in(
    client: httpx.AsyncClient,
) -> None:
    company = await stored(client, "companies", {"name": "A company that travels"})
    person = await stored(client, "people", {"full_name": "Somebody who travels"})
    took_part, sent, concluded, _ = [await stored(client, "missions", MISSION) for _ in range(4)]
    part = {"mission_id": took_part, "organization_id": company, "role": "participant"}
    participation = await stored(client, "participations", part)
    delegate = await stored(
        client,
        "delegates",
        {
            "mission_id": sent,
            "person_id": person,
            "organization_id": company,
            "side": "delegation",
            "capacity": "delegate",
        },
    )
    party = {"organization_id": company, "role": "buyer", "signed_by_id": person}
    deal = await stored(client, "agreements", DEAL | {"mission_id": concluded, "parties": [party]})
    said = await stored(client, "statements", REMARK | {"on_behalf_of_id": company})
    told = await stored(
        client, "statements", REMARK | {"object_id": company, "speaker_id": delegate}
    )
    wrong = {}
    for address, expected in {
        f"/companies/{company}/missions": {took_part, sent, concluded},
        f"/organizations/{company}/missions": {took_part, sent, concluded},
        f"/organizations/{company}/participations": {participation},
        f"/organizations/{company}/delegates": {delegate},
        f"/organizations/{company}/agreements": {deal},
        f"/organizations/{company}/statements": {said, told},
        f"/people/{person}/missions": {sent},
        f"/people/{person}/agreements": {deal},
        f"/people/{person}/statements": {told},
        f"/organizations?filter=missions/any(m: m/id eq {sent})": {company},
        f"/people?filter=missions/any(m: m/id eq {sent})": {person},
    }.items():
        if (found := await ids(client, address)) != expected:
            wrong[address] = found
    assert wrong == {}
    # What is in the trash is no trace of anybody.
    for path, record in (("participations", participation), ("delegates", delegate)):
        assert (await client.delete(f"/{path}/{record}")).status_code == 204
    assert await ids(client, f"/organizations/{company}/missions") == {concluded}
    assert await ids(client, f"/people/{person}/missions") == set()
