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
    "house-paint": ["F", "C2022"],
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
        "C": {"flour", "dairy", "all-food", "paint", "house-paint"},
        "C1061": {"flour"},
        "C105": {"dairy"},
        "F,C2022": {"building", "paint", "house-paint"},
    }


async def test_what_lies_under_nothing_is_told(client: httpx.AsyncClient) -> None:
    answer = await client.get("/missions?sectors__under=C1")
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "code")
    answer = await client.get("/missions?other_names__under=C1")
    assert answer.status_code == 400
    assert "possible: isnull, has" in answer.json()["detail"]


async def groups(client: httpx.AsyncClient, keys: str, metrics: str = "count") -> dict[Any, Any]:
    """The first metric of each group."""
    address = f"/missions/aggregate?ref__startswith=sector-&group_by={keys}&metrics={metrics}"
    answer = await read(client, address)
    assert answer["records"] == len(SECTORS)
    # Whatever has a sector is not without one, however wide it is.
    assert answer["missing"]["sectors"] == 1
    found = {}
    for row in answer["data"]:
        *key, value = row.values()
        found[key[0] if len(key) == 1 else tuple(key)] = value
    return found


async def test_a_record_counts_once_in_each_group_of_a_level(client: httpx.AsyncClient) -> None:
    await enter(client)
    levels = ("section", "division", "group", "class")
    assert {each: await groups(client, f"sector(sectors,{each})") for each in levels} == {
        "section": {"C": 5, "F": 2, None: 1},
        # What is of wider sectors alone belongs to none of the level.
        "division": {"C10": 3, "C20": 2, None: 2},
        "group": {"C105": 1, "C106": 1, "C202": 2, None: 3},
        "class": {"C1050": 1, "C1061": 1, "C2022": 2, None: 3},
    }
    address = "/agreements/aggregate?group_by=currency,sector(mission.sectors,division)"
    assert (await client.get(f"{address}&metrics=sum(amount),count")).status_code == 200


async def test_a_group_of_a_level_is_what_the_filter_by_its_code_finds(
    client: httpx.AsyncClient,
) -> None:
    await enter(client)
    for level in ("section", "division", "group", "class"):
        for code, count in (await groups(client, f"sector(sectors,{level})")).items():
            if code is not None:
                address = f"/missions?ref__startswith=sector-&sectors__under={code}"
                assert len((await read(client, address))["data"]) == count, code


async def test_levels_are_told_side_by_side(client: httpx.AsyncClient) -> None:
    """A sector is without a narrower one where the record states none under it."""
    await enter(client)
    pairs = await groups(client, "sector(sectors,division),sector(sectors,section)")
    assert pairs == {
        ("C10", "C"): 3,
        ("C20", "C"): 2,
        (None, "F"): 2,
        (None, None): 1,
    }
    triples = "sector(sectors,section),sector(sectors,division),sector(sectors,class)"
    assert await groups(client, triples) == {
        ("C", "C10", "C1050"): 1,
        ("C", "C10", "C1061"): 1,
        ("C", "C10", None): 1,
        ("C", "C20", "C2022"): 2,
        ("F", None, None): 2,
        (None, None, None): 1,
    }
    whole = await groups(client, "sectors,sector(sectors,division)")
    assert whole["F", None] == 2
    assert whole["C10", "C10"] == 2


async def test_different_sectors_of_a_group_are_counted(client: httpx.AsyncClient) -> None:
    await enter(client)
    found = await groups(client, "sector(sectors,division)", "count_distinct(sectors)")
    assert found == {"C10": 3, "C20": 1, None: 1}


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
