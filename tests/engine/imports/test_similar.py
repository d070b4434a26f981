"""Rows that look like records that are there are told, and stored all the same."""

from typing import Any

import httpx

from tests.engine.imports.calls import lines, send

HEADER = "title,instrument,mission,buyer,amount,currency,signed,ref\n"
SHEET = (
    HEADER
    + "Supply of «grain»,supply_contract,MISSION,Alatau Grain,5,USD,2019-04-12,\n"
    + "Supply of flour,supply_contract,MISSION,Alatau Grain,,,,\n"
)


async def a_mission(client: httpx.AsyncClient, ref: str) -> None:
    body = {"ref": ref, "title": "A mission", "kind": "forum"}
    assert (await client.post("/missions", json=body)).status_code == 201


async def told(
    client: httpx.AsyncClient, ref: str, content: str, **parameters: Any
) -> dict[str, Any]:
    headers = parameters.pop("headers", None)
    content = content.replace("MISSION", ref)
    asked = {"create_missing": "true"} | parameters
    answer = await send(client, "agreements", content, headers=headers, **asked)
    assert answer.status_code in (200, 207), answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_a_sheet_that_is_sent_twice_is_told_row_by_row(
    client: httpx.AsyncClient, ref: str
) -> None:
    await a_mission(client, ref)
    first = await told(client, ref, SHEET)
    assert (first["created"], first["similar"]) == (2, [])
    for parameters in ({"dry_run": "true"}, {"headers": {"Prefer": "handling=lenient"}}, {}):
        again = await told(client, ref, SHEET, **parameters)
        assert (again["created"], [fault["row"] for fault in again["similar"]]) == (2, [2, 3])
    fault = again["similar"][0]
    assert (fault["column"], fault["code"]) == ("title", "similar")
    assert "which is there: give its id or ref, or leave the row out" in fault["detail"]


async def test_what_differs_in_what_both_say_is_another(
    client: httpx.AsyncClient, ref: str
) -> None:
    await a_mission(client, ref)
    await told(client, ref, SHEET)
    others = {
        "SUPPLY OF “GRAIN”,supply_contract,MISSION,Alatau Grain,5.00,USD,2019-04-12,": True,
        "Supply of grain,supply_contract,MISSION,Alatau Grain,,,,": True,
        "Supply of grain,supply_contract,MISSION,Alatau Grain,6,USD,2019-04-12,": False,
        "Supply of grain,supply_contract,MISSION,Alatau Grain,5,EUR,2019-04-12,": False,
        "Supply of grain,supply_contract,MISSION,Alatau Grain,5,USD,2019-04-13,": False,
        "Supply of grain,framework_agreement,MISSION,Alatau Grain,5,USD,2019-04-12,": False,
        "Supply of grain,supply_contract,MISSION,Somebody Else,5,USD,2019-04-12,": False,
        "Supply of grain,supply_contract,,Alatau Grain,5,USD,2019-04-12,": False,
        "Supply of grain,supply_contract,MISSION,Alatau Grain,5,USD,2019-04-12,a-REF": False,
    }
    wrong = []
    for row, is_similar in others.items():
        content = HEADER + row.replace("REF", ref) + "\n"
        found = await told(client, ref, content, dry_run="true")
        if bool(found["similar"]) is not is_similar:
            wrong.append((row, found["similar"]))
    assert wrong == []


async def test_rows_of_one_file_that_look_alike_are_told(
    client: httpx.AsyncClient, ref: str
) -> None:
    await a_mission(client, ref)
    rows = SHEET + SHEET.partition("\n")[2]
    found = await told(client, ref, rows)
    assert [(f["row"], f["detail"][:22]) for f in found["similar"]] == [
        (4, "This looks like row 2:"),
        (5, "This looks like row 3:"),
    ]


async def test_a_row_that_fails_looks_like_nothing(client: httpx.AsyncClient, ref: str) -> None:
    await a_mission(client, ref)
    await told(client, ref, SHEET)
    wrong = SHEET.replace("5,USD", "5,XXQ")
    found = await told(client, ref, wrong, headers={"Prefer": "handling=lenient"})
    assert (found["failed"], [fault["row"] for fault in found["similar"]]) == (1, [3])


async def test_an_organization_that_a_row_makes_is_told_to_be_without_a_country(
    client: httpx.AsyncClient, ref: str
) -> None:
    await a_mission(client, ref)
    content = HEADER + f"A deal,supply_contract,MISSION,Nowhere {ref},,,,\n"
    (made,) = (await told(client, ref, content))["related"]
    assert made["detail"].endswith("it is a new organization, without a country.")


async def test_a_mission_of_the_same_title_is_similar_unless_its_dates_or_places_differ(
    client: httpx.AsyncClient, ref: str
) -> None:
    visit = {"kind": "forum", "dates": "2019-04-12", "host_country": "RU"}
    first = {**visit, "title": f"A visit «{ref}»"}
    await send(client, "missions", lines(first), "ndjson", dry_run="false")
    others = (
        ({**visit, "title": f"a VISIT “{ref}”"}, True),
        ({"kind": "forum", "title": f"A visit {ref}"}, True),
        ({**visit, "title": f"A visit {ref}", "dates": "2020-04-12"}, False),
        ({**visit, "title": f"A visit {ref}", "host_country": "KZ"}, False),
        ({**visit, "title": f"Another visit {ref}"}, False),
    )
    wrong: list[Any] = []
    for row, is_similar in others:
        answer = await send(client, "missions", lines(row), "ndjson", dry_run="true")
        found = answer.json()
        if (found.get("created"), bool(found["similar"])) != (1, is_similar):
            wrong.append((row, found))
    assert wrong == []
