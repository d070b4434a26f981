"""Missions: the places that they went to, in order."""

import json
from collections.abc import Mapping
from typing import Any

import httpx

Body = dict[str, Any]
ALMATY = {"country": "KZ", "region": "KZ-75", "city": "Almaty", "dates": "2019-06-01"}
BISHKEK = {"country": "KG", "region": None, "city": "Bishkek", "dates": "2019-06-03/.."}
KAZAN = {"country": "RU", "region": "RU-TA", "city": "Kazan", "dates": None}
MISSION = {"title": "A journey", "kind": "outward_mission"}


def host(stop: Mapping[str, Any]) -> Body:
    return {f"host_{name}": stop[name] for name in ("country", "region", "city")}


async def make(client: httpx.AsyncClient, **fields: Any) -> Body:
    answer = await client.post("/missions", json=MISSION | fields)
    assert answer.status_code == 201, answer.text
    made: Body = answer.json()
    return made


async def change(client: httpx.AsyncClient, mission: Body, **fields: Any) -> httpx.Response:
    return await client.patch(f"/missions/{mission['id']}", json=fields)


async def test_the_first_stop_is_the_host(client: httpx.AsyncClient) -> None:
    made = await make(client, stops=[ALMATY, BISHKEK])
    assert {name: made[name] for name in host(ALMATY)} == host(ALMATY)
    assert made["stops"] == [ALMATY, BISHKEK]


async def test_a_host_without_stops_is_the_only_stop(client: httpx.AsyncClient) -> None:
    made = await make(client, **host(KAZAN))
    assert made["stops"] == [KAZAN]
    nowhere = await make(client)
    assert nowhere["stops"] == []


async def test_host_and_first_stop_follow_each_other(client: httpx.AsyncClient) -> None:
    made = await make(client, stops=[ALMATY, BISHKEK])
    moved = (await change(client, made, stops=[BISHKEK, ALMATY])).json()
    assert {name: moved[name] for name in host(BISHKEK)} == host(BISHKEK)
    moved = (await change(client, made, host_city="Osh")).json()
    assert [stop["city"] for stop in moved["stops"]] == ["Osh", "Almaty"]
    assert moved["stops"][0]["dates"] == BISHKEK["dates"]
    left = (await change(client, made, stops=[])).json()
    assert left["stops"] == [BISHKEK | {"city": "Osh", "dates": None}]
    none = (await change(client, made, stops=[], **dict.fromkeys(host(KAZAN)))).json()
    assert (none["stops"], none["host_city"]) == ([], None)


async def test_a_host_that_is_not_the_first_stop_is_refused(client: httpx.AsyncClient) -> None:
    body = MISSION | host(KAZAN) | {"stops": [ALMATY, KAZAN]}
    made = await make(client, stops=[BISHKEK])
    for answer in (
        await client.post("/missions", json=body),
        await client.put(f"/missions/{made['id']}", json=body),
        await change(client, made, host_city="Kazan", stops=[ALMATY]),
    ):
        assert answer.status_code == 422
        (fault,) = answer.json()["errors"]
        assert fault["pointer"].startswith("/host_")
        assert "is that of the first of stops" in fault["detail"]


async def test_a_wrong_host_is_told_at_its_place_and_refuses_no_other_mission(
    client: httpx.AsyncClient,
) -> None:
    good, bad = MISSION | {"stops": [ALMATY]}, MISSION | {"stops": [ALMATY]} | host(KAZAN)
    operations = [{"op": "create", "body": body} for body in (good, bad, good)]
    lines = "\n".join(json.dumps(body) for body in (good, bad, good))
    lenient, told = {"Prefer": "handling=lenient"}, dict[str, Any]()
    answer = await client.post("/missions/bulk", json={"operations": operations})
    told["strict bulk"] = [fault["pointer"] for fault in answer.json()["errors"]]
    answer = await client.post("/missions/bulk", json={"operations": operations}, headers=lenient)
    told["lenient bulk"] = [each["status"] for each in answer.json()["results"]]
    headers = lenient | {"Content-Type": "application/x-ndjson"}
    answer = await client.post("/missions/import", content=lines, headers=headers)
    found = answer.json()
    told["lenient import"] = (found["created"], [each["row"] for each in found["errors"]])
    answer = await client.post("/missions", json=good | {"missions": [good, bad]})
    told["nested"] = [fault["pointer"] for fault in answer.json()["errors"]]
    assert told == {
        "strict bulk": ["/operations/1/body/host_country"],
        "lenient bulk": [201, 422, 201],
        "lenient import": (2, [2]),
        "nested": ["/missions/1/host_country"],
    }


async def test_a_host_that_says_less_than_the_first_stop_is_completed_by_it(
    client: httpx.AsyncClient,
) -> None:
    for said in ({}, {"host_country": "KZ"}, dict.fromkeys(host(ALMATY))):
        made = await make(client, stops=[ALMATY], **said)
        body = MISSION | {"stops": [BISHKEK], **said}
        body |= {"host_country": "KG"} if said.get("host_country") else {}
        for _ in range(3):
            answer = await client.put(f"/missions/{made['id']}", json=body)
            assert answer.status_code == 200, answer.text
            assert answer.json()["stops"] == [BISHKEK]
            assert answer.json().items() >= host(BISHKEK).items()


async def test_a_record_as_read_can_be_sent_back(client: httpx.AsyncClient) -> None:
    made = await make(client, stops=[ALMATY, BISHKEK])
    answer = await client.put(f"/missions/{made['id']}", json=made)
    assert (answer.status_code, answer.json()["stops"]) == (200, made["stops"])


async def test_a_stop_is_somewhere(client: httpx.AsyncClient) -> None:
    nowhere = {"dates": "2019-06"}
    answer = await client.post("/missions", json=MISSION | {"stops": [nowhere]})
    assert answer.status_code == 422
    assert "country is missing" in answer.json()["detail"]


async def test_filters_by_host_look_into_the_stops(client: httpx.AsyncClient) -> None:
    titles = {"journey through two": [ALMATY, BISHKEK], "to one": [KAZAN], "to none": []}
    for title, stops in titles.items():
        await make(client, title=title, stops=stops, note="test of stops")
    wrong = {}
    for query, expected in {
        "host_country=KG": {"journey through two"},
        "host_country__in=KG,RU": {"journey through two", "to one"},
        "host_country__ne=KG": {"to one", "to none"},
        "host_country__not_in=KG,RU": {"to none"},
        "host_country__isnull=true": {"to none"},
        "host_city__icontains=bish": {"journey through two"},
        "filter=host_country eq 'KG'": {"journey through two"},
        "filter=host_country ne 'KG'": {"to one", "to none"},
        # Both of one stop, not one of each.
        "host_country=KG&host_city=Almaty": set(),
        "stops__dates__gte=2019-06-02": {"journey through two"},
    }.items():
        answer = await client.get(f"/missions?{query}&note=test of stops")
        found = {mission["title"] for mission in answer.json()["data"]}
        if found != expected:
            wrong[query] = found
    assert wrong == {}
    made = await make(client, stops=[KAZAN, BISHKEK])
    leg = await make(client, title="a leg", parent_id=made["id"])
    found = (await client.get("/missions?parent__host_country=KG")).json()["data"]
    assert [mission["id"] for mission in found] == [leg["id"]]


async def test_a_mission_counts_in_the_group_of_each_host(client: httpx.AsyncClient) -> None:
    made = await make(client, stops=[ALMATY, BISHKEK, ALMATY], note="test of groups")
    await make(client, stops=[BISHKEK], note="test of groups")
    await make(client, note="test of groups")
    body = {"title": "A deal", "instrument": "other", "mission_id": made["id"]}
    await client.post(
        "/agreements", json=body | {"parties": [{"description": "x", "role": "buyer"}]}
    )
    answer = (
        await client.get("/missions/aggregate?group_by=host_country&note=test of groups")
    ).json()
    assert answer["data"] == [
        {"host_country": "KG", "count": 2},
        {"host_country": "KZ", "count": 1},
        {"host_country": None, "count": 1},
    ]
    assert answer["records"] == 3
    assert answer["missing"] == {"host_country": 1}
    of_deals = f"/agreements/aggregate?group_by=mission.host_country&mission_id={made['id']}"
    assert (await client.get(of_deals)).json()["data"] == [
        {"mission_host_country": "KG", "count": 1},
        {"mission_host_country": "KZ", "count": 1},
    ]
