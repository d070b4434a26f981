"""Sectors nest: a wider one finds what lies under it, and groups are made of its levels."""

from typing import Any

import httpx

from tests.insights.test_figures import read
from tests.missions.ways import send_good

SECTORS = {
    "flour": ["C1061"],
    "dairy": ["C1050", "C10"],
    "paint": ["C2022"],
    "all-food": ["C10"],
    "building": ["F"],
    "nothing": [],
}


async def enter(client: httpx.AsyncClient) -> None:
    if (await client.get("/missions/sector-flour")).is_success:
        return
    for name, sectors in SECTORS.items():
        body: dict[str, Any] = {"ref": f"sector-{name}", "title": name, "kind": "forum"}
        await send_good(client, "/missions", json=body | {"sectors": sectors})


async def test_a_wider_sector_finds_those_under_it(client: httpx.AsyncClient) -> None:
    await enter(client)
    found = {}
    for asked in ("C10", "C", "C1061", "C105", "F,C2022"):
        address = f"/missions?ref__startswith=sector-&sectors__under={asked}&fields=title"
        found[asked] = {each["title"] for each in (await read(client, address))["data"]}
    assert found == {
        "C10": {"flour", "dairy", "all-food"},
        "C": {"flour", "dairy", "all-food", "paint"},
        "C1061": {"flour"},
        "C105": {"dairy"},
        "F,C2022": {"building", "paint"},
    }


async def test_what_lies_under_nothing_is_told(client: httpx.AsyncClient) -> None:
    answer = await client.get("/missions?sectors__under=C1")
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "code")
    answer = await client.get("/missions?other_names__under=C1")
    assert answer.status_code == 400
    assert "possible: isnull, has" in answer.json()["detail"]


async def test_a_record_counts_once_in_each_group_of_a_level(client: httpx.AsyncClient) -> None:
    await enter(client)
    found = {}
    for level in ("section", "division", "group", "class"):
        address = f"/missions/aggregate?ref__startswith=sector-&group_by=sector(sectors,{level})"
        answer = await read(client, f"{address}&sort=sectors_{level}")
        found[level] = {row[f"sectors_{level}"]: row["count"] for row in answer["data"]}
        assert answer["records"] == len(SECTORS)
    assert found == {
        "section": {"C": 4, "F": 1, None: 1},
        # What is of a wider sector alone belongs to none of the level.
        "division": {"C10": 3, "C20": 1, None: 2},
        "group": {"C105": 1, "C106": 1, "C202": 1, None: 4},
        "class": {"C1050": 1, "C1061": 1, "C2022": 1, None: 4},
    }
    address = "/agreements/aggregate?group_by=currency,sector(mission.sectors,division)"
    assert (await client.get(f"{address}&metrics=sum(amount),count")).status_code == 200


async def test_a_level_that_there_is_not_is_told(client: httpx.AsyncClient) -> None:
    for key, told in (
        ("sector(sectors,divison)", "'division'"),
        ("sector(sectors)", "section, division, group, class"),
        ("sector(host_country,division)", "host_country"),
        ("country(host_country,division)", "no part 'country'"),
    ):
        answer = await client.get("/missions/aggregate", params={"group_by": key})
        assert answer.status_code == 400, key
        assert told in answer.json()["detail"], answer.text
