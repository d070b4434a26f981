"""Journeys: lists under a mission show what lies under its parts, too."""

from typing import Any

import httpx

from app.api import COLLECTIONS
from app.resources.mission import MAX_LEVELS, mission

Body = dict[str, Any]
MISSION = {"title": "A mission", "kind": "forum"}
DEAL = {"title": "A deal", "instrument": "announced_plan"}


async def stored(client: httpx.AsyncClient, path: str, body: Body) -> str:
    answer = await client.post(f"/{path}", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def a_mission(client: httpx.AsyncClient, parent: str | None = None) -> tuple[str, Body]:
    """A mission with a record under it in each of its lists, and the ids of these."""
    key = await stored(client, "missions", MISSION | {"parent_id": parent})
    person = await stored(client, "people", {"full_name": "Somebody"})
    company = await stored(client, "companies", {"name": "A company"})
    under = {"mission_id": key}
    part = {"side": "delegation", "capacity": "delegate", "person_id": person}
    agreement = await stored(client, "agreements", under | DEAL)
    total = {"measure": "jobs", "value": 5}
    said = {"predicate": "plans", "paraphrase": "x", "modality": "plan"}
    takes_part = {"organization_id": company, "role": "participant"}
    return key, {
        "agreements": agreement,
        "companies": company,
        "delegates": await stored(client, "delegates", under | part),
        "events": await stored(client, "events", under | {"kind": "forum", "title": "An event"}),
        "outcomes": await stored(client, "outcomes", {"agreement_id": agreement, "jobs": 5}),
        "participations": await stored(client, "participations", under | takes_part),
        "reported-totals": await stored(client, "reported-totals", under | total),
        "statements": await stored(client, "statements", under | said),
    }


async def ids(client: httpx.AsyncClient, address: str) -> list[str]:
    answer = await client.get(address)
    assert answer.status_code == 200, (address, answer.text)
    return sorted(record["id"] for record in answer.json()["data"])


async def test_lists_under_a_mission_show_what_lies_under_its_parts(
    client: httpx.AsyncClient,
) -> None:
    top, of_top = await a_mission(client)
    leg, of_leg = await a_mission(client, top)
    stop, of_stop = await a_mission(client, leg)
    await a_mission(client)
    of_top["missions"], of_leg["missions"], of_stop["missions"] = leg, stop, None
    lists = {each.name for each in COLLECTIONS if each.parent is mission}
    assert lists - {"citations", "evidence"} == set(of_top)
    wrong: list[Any] = []
    for name in of_top:
        each = [of_top[name], of_leg[name], of_stop[name]]
        for key, expected in ((top, each), (leg, each[1:])):
            found = await ids(client, f"/missions/{key}/{name}")
            if found != sorted(filter(None, expected)):
                wrong.append((name, key, found))
    for name, form in (("agreements", "ndjson"), ("companies", "csv")):
        address, own = f"/missions/{top}/{name}", of_top[name]
        alone = await ids(client, f"{address}?parts=exclude")
        every = await client.get(f"{address}.{form}?fields=id")
        file = await client.get(f"{address}.{form}?fields=id&parts=exclude")
        if (alone, own in file.text, of_leg[name] in file.text) != ([own], True, False):
            wrong.append((name, alone, file.text))
        if not (own in every.text and of_stop[name] in every.text):
            wrong.append((name, every.text))
    assert wrong == []
    # As a relation it is the mission's own.
    shown = (await client.get(f"/missions/{top}?expand=agreements")).json()["agreements"]
    assert [each["id"] for each in shown] == [of_top["agreements"]]
    assert await ids(client, f"/missions?agreements__id={of_stop['agreements']}") == [stop]
    # What is in the trash is no part, and neither is what is below it.
    await client.delete(f"/missions/{leg}")
    assert await ids(client, f"/missions/{top}/agreements") == [of_top["agreements"]]


async def test_a_list_with_its_parts_is_walked_page_by_page(client: httpx.AsyncClient) -> None:
    top = await stored(client, "missions", MISSION)
    leg = await stored(client, "missions", MISSION | {"parent_id": top})
    made = [
        await stored(client, "agreements", DEAL | {"mission_id": key}) for key in (top, leg) * 3
    ]
    query, found = f"/missions/{top}/agreements?limit=2", []
    page = (await client.get(query)).json()
    while True:
        found += [record["id"] for record in page["data"]]
        if page["page"]["next_cursor"] is None:
            break
        cursor = page["page"]["next_cursor"]
        other = await client.get(f"{query}&parts=exclude&cursor={cursor}")
        assert other.status_code == 400, other.text
        page = (await client.get(f"{query}&cursor={cursor}")).json()
    assert found == made


async def test_somebody_on_several_legs_is_one_of_those_who_took_part(
    client: httpx.AsyncClient,
) -> None:
    top = await stored(client, "missions", MISSION)
    legs = [await stored(client, "missions", MISSION | {"parent_id": top}) for _ in range(2)]
    person = await stored(client, "people", {"full_name": "A traveller"})
    part = {"side": "delegation", "capacity": "delegate"}
    for mission_id in (top, *legs):
        await stored(client, "delegates", {**part, "mission_id": mission_id, "person_id": person})
        described = {"mission_id": mission_id, "description": "a secretary"}
        await stored(client, "delegates", part | described)
    claim = {"mission_id": top, "measure": "participants", "value": 4}
    await stored(client, "reported-totals", claim)
    summary = (await client.get(f"/missions/{top}/summary")).json()
    (row,) = (await client.get(f"/insights/missions?id={top}")).json()["data"]
    reconciled = (await client.get(f"/missions/{top}/reconciliation")).json()
    recorded = reconciled["figures"][0]["recorded"]["value"]
    assert [summary["delegates"], row["delegates"], recorded] == [4, 4, 4]


async def test_missions_lie_in_a_few_levels_and_in_no_circle(client: httpx.AsyncClient) -> None:
    async def chain(length: int) -> list[str]:
        keys: list[str] = []
        for _ in range(length):
            parent = {"parent_id": keys[-1]} if keys else {}
            keys.append(await stored(client, "missions", MISSION | parent))
        return keys

    whole, two = await chain(MAX_LEVELS), await chain(2)
    for key, parent, status in (
        (two[0], whole[-3], 200),
        (two[0], whole[-2], 422),
        (two[1], whole[-2], 200),
        (whole[0], whole[-1], 422),
    ):
        answer = await client.patch(f"/missions/{key}", json={"parent_id": parent})
        assert answer.status_code == status, answer.text
    answer = await client.post("/missions", json=MISSION | {"parent_id": whole[-1]})
    assert answer.status_code == 422, answer.text
    assert f"at most {MAX_LEVELS} levels" in answer.json()["detail"]
    assert answer.json()["errors"][0]["pointer"] == "/parent_id"
    made = await stored(client, "agreements", DEAL | {"mission_id": whole[-1]})
    assert await ids(client, f"/missions/{whole[0]}/agreements") == [made]


async def test_a_filter_by_what_lies_under_a_mission_takes_its_parts(
    client: httpx.AsyncClient,
) -> None:
    missions: list[str] = []
    for level in range(MAX_LEVELS):
        body = MISSION | {"ref": f"under-{level}", "parent_id": missions[-1] if missions else None}
        missions.append(await stored(client, "missions", body))
    top, *_, deepest = missions
    under = [*missions, None]
    deals = [await stored(client, "agreements", DEAL | {"mission_id": key}) for key in under]
    for deal in deals:
        await stored(client, "outcomes", {"agreement_id": deal, "jobs": 5})
    asked = {
        "agreements?mission__under=under-0": deals[:-1],
        f"agreements?mission__under={top}": deals[:-1],
        "agreements?mission_id__under=under-3": deals[3:-1],
        "agreements?mission__under=under-3,under-2": deals[2:-1],
        "agreements?mission__under=under-4,elsewhere": deals[4:-1],
        f"agreements?filter=mission_id under '{deepest}'": deals[4:-1],
        "agreements?filter=mission_id under 'under-3' and id ne 'X'".replace("X", deals[3]): [
            deals[4]
        ],
        "missions?ref__under=under-1": missions[1:],
        f"missions?id__under={missions[1]}": missions[1:],
        "missions?parent__under=under-1": missions[2:],
        "missions?agreements__id=X&parent__under=under-0".replace("X", deals[2]): [missions[2]],
    }
    wrong = {
        address: found
        for address in asked
        if (found := await ids(client, address)) != sorted(asked[address])
    }
    assert wrong == {}
    address = "/outcomes/aggregate?agreement__mission__under=under-2&metrics=sum(jobs)"
    answer = await client.get(address)
    assert answer.status_code == 200, answer.text
    assert answer.json()["data"] == [{"sum_jobs": 15}]
    # What is in the trash lies under nothing.
    assert (await client.delete(f"/missions/{missions[3]}")).is_success
    assert await ids(client, "agreements?mission__under=under-0") == sorted(deals[:3])


async def test_what_lies_in_no_levels_has_nothing_under_it(client: httpx.AsyncClient) -> None:
    for asked in ("event__under=x", "parties__organization__under=x", "filter=event_id under 'x'"):
        answer = await client.get(f"/agreements?{asked}")
        assert answer.status_code == 400, asked
        assert "cannot be asked with under" in answer.json()["detail"], answer.text
