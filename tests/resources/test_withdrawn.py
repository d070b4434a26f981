"""Codes that were withdrawn, of currencies, regions and countries: right for what is old, and
nothing else."""

from typing import Any

import httpx
from sqlalchemy import Table

from app.api import RESOURCES
from app.core.databases.expressions import AnyTable
from app.resources.code import Currency
from app.seeds import code_rows

PLAIN: dict[str, Any] = {
    "title": "A sale",
    "instrument": "supply_contract",
    "parties": [{"description": "somebody", "role": "buyer"}],
}
MISSION: dict[str, Any] = {"title": "A visit", "kind": "outward_mission"}


async def refusal(client: httpx.AsyncClient, path: str, body: dict[str, Any]) -> tuple[str, str]:
    """Where and why the body is refused; two empty texts where it is taken."""
    answer = await client.post(f"/{path}?dry_run=true", json=body)
    if answer.status_code in (200, 201):
        return "", ""
    assert answer.status_code == 422, answer.text
    error = answer.json()["errors"][0]
    return error["pointer"], error["detail"]


async def test_a_withdrawn_currency_is_listed_with_its_last_day_and_successor(
    client: httpx.AsyncClient,
) -> None:
    data = (await client.get("/codes/currencies")).json()["data"]
    found = {c["code"]: (c["retired"], c["valid_until"], c["successor"]) for c in data}
    expected = {
        "BGN": (True, "2026-01-31", "EUR"),
        "HRK": (True, "2023-01-14", "EUR"),
        "BYR": (True, "2016-12-31", "BYN"),
        "RUR": (True, "1998-12-31", "RUB"),
        "LTL": (True, "2014-12-31", "EUR"),
        "LVL": (True, "2013-12-31", "EUR"),
        "EEK": (True, "2010-12-31", "EUR"),
        "ANG": (True, "2025-06-30", "XCG"),
        "SLL": (True, "2024-03-31", "SLE"),
        "USD": (False, None, None),
    }
    assert {code: found[code] for code in expected} == expected
    successors = {successor for _, _, successor in found.values() if successor}
    assert successors <= found.keys()
    assert all(day is not None for retired, day, _ in found.values() if retired)


async def test_an_amount_in_a_withdrawn_currency_is_of_its_time(client: httpx.AsyncClient) -> None:
    mission = MISSION | {"dates": "2015-05"}
    old = (await client.post("/missions", json=mission)).json()["id"]
    new = (await client.post("/missions", json=mission | {"dates": "2025-05"})).json()["id"]
    cases: list[tuple[str, dict[str, Any], str]] = [
        ("BYR", {"signed": "2016-12-31"}, ""),
        ("BYR", {"signed": "2016"}, ""),
        ("BYR", {"signed": "2016-12-30/2017-01-02"}, ""),
        ("BYR", {"signed": "2017-01-01"}, "withdrawn after 2016-12-31, and this is of 2017-01-01."),
        ("BYR", {"signed": "2017-01-01"}, "Its successor is BYN."),
        ("BYR", {}, "BYR was withdrawn after 2016-12-31, and nothing here says that this is so"),
        ("BYR", {"signed": "XXXX-04-12"}, "Its successor is BYN."),
        ("BYR", {"mission_id": old}, ""),
        ("BYR", {"mission_id": new}, "this is of 2025-05-01"),
        ("BYR", {"mission_id": old, "signed": "2018"}, "this is of 2018-01-01"),
        # The successor of its successor, where that had been withdrawn too.
        ("BYB", {"signed": "2005"}, "Its successor is BYR."),
        ("BYB", {"signed": "2020"}, "Its successor is BYN."),
        ("BYN", {}, ""),
        ("QQQ", {"signed": "2016"}, "'QQQ' is not a currency code in use."),
    ]
    wrong = []
    for currency, fields, words in cases:
        body = PLAIN | {"amount": 1200, "currency": currency} | fields
        at, detail = await refusal(client, "agreements", body)
        if (at, words) not in (("", ""), ("/currency", words or "none")) or words not in detail:
            wrong.append((currency, fields, at, detail))
    assert wrong == []


async def test_every_amount_has_the_rule(client: httpx.AsyncClient) -> None:
    mission = (await client.post("/missions", json=MISSION)).json()["id"]
    agreement = (await client.post("/agreements", json=PLAIN | {"signed": "2000"})).json()["id"]
    total = {"mission_id": mission, "measure": "amount", "value": 5}
    rate = {"base": "USD", "quote": "EUR", "rate": 2, "provider": "B"}
    # Undated or later, and old enough.
    amounts: dict[tuple[str, str], tuple[str, dict[str, Any], dict[str, Any]]] = {
        ("mission", "cost_currency"): (
            "missions",
            MISSION | {"cost_amount": 5},
            {"dates": "2001"},
        ),
        ("agreement", "currency"): ("agreements", PLAIN | {"amount": 5}, {"signed": "2001"}),
        ("outcome", "currency"): (
            "outcomes",
            {"agreement_id": agreement, "actual_amount": 5, "date": "2020"},
            {"date": None},
        ),
        ("reported_total", "currency"): (
            "reported-totals",
            total,
            {"mission": MISSION | {"dates": "2001"}},
        ),
        ("statement", "currency"): (
            "statements",
            {"predicate": "values", "paraphrase": "x", "modality": "fact", "amount": 5},
            {"date": "2001"},
        ),
        ("exchange_rate", "base"): (
            "exchange-rates",
            rate | {"date": "2020-01-01"},
            {"date": "2001-01-01"},
        ),
        ("exchange_rate", "quote"): (
            "exchange-rates",
            rate | {"date": "2020-01-01"},
            {"date": "2001-01-01"},
        ),
    }
    assert _currencies() == set(amounts)
    wrong = []
    for (_, field), (path, body, old) in amounts.items():
        at, detail = await refusal(client, path, body | {field: "FIM"})
        if at != f"/{field}" or "Its successor is EUR." not in detail:
            wrong.append((path, field, at, detail))
        then = {**body, field: "FIM", **old}
        if "mission" in old:
            then.pop("mission_id")
            made = await client.post("/missions", json=then.pop("mission"))
            then["mission_id"] = made.json()["id"]
        if (taken := await refusal(client, path, then)) != ("", ""):
            wrong.append((path, field, *taken))
    assert wrong == []


def _currencies() -> set[tuple[str, str]]:
    """The columns of currencies of every kind and part, by table."""
    tables: list[AnyTable] = [
        table
        for resource in RESOURCES
        for table in (resource.table, *(part.table for part in resource.embedded.values()))
    ]
    found = set()
    for table in tables:
        assert isinstance(table.__table__, Table)
        for key in table.__table__.foreign_keys:
            if key.column.table.name == Currency.__tablename__:
                found.add((table.__tablename__, key.parent.name))
    return found


async def test_what_is_stored_in_a_withdrawn_currency_can_be_changed_otherwise(
    client: httpx.AsyncClient,
) -> None:
    body = PLAIN | {"amount": 5, "currency": "LTL", "signed": "2014-12-31"}
    made = (await client.post("/agreements", json=body)).json()
    path = f"/agreements/{made['id']}"
    assert (await client.patch(path, json={"note": "Paid", "amount": 6})).status_code == 200
    answer = await client.patch(path, json={"signed": "2015-01-01"})
    assert answer.status_code == 422
    assert "LTL was withdrawn after 2014-12-31" in answer.text
    found = await client.get("/agreements?currency=LTL")
    assert [each["id"] for each in found.json()["data"]] == [made["id"]]


async def test_many_at_once_have_the_rule_too(client: httpx.AsyncClient) -> None:
    body = PLAIN | {"amount": 5, "currency": "HRK"}
    operations = [
        {"op": "create", "body": body | {"signed": day}} for day in ("2022", "2024", "2021")
    ]
    answer = await client.post(
        "/agreements/bulk?dry_run=true",
        json={"operations": operations},
        headers={"Prefer": "handling=lenient"},
    )
    assert [each["status"] for each in answer.json()["results"]] == [201, 422, 201], answer.text


async def test_codes_that_were_withdrawn_are_listed_with_their_last_day_and_successors(
    client: httpx.AsyncClient,
) -> None:
    names = ("retired", "valid_until", "successor")
    for path, expected in {
        "countries/YU": [True, "2003-07-23", "CS"],
        "countries/CS": [True, "2006-09-26", "ME;RS"],
        "regions/RU-CHI": [True, "2008-02-29", "RU-ZAB"],
        "regions/FR-M": [True, "2015-12-31", "FR-GES"],
        "regions/RU-NVS": [False, None, None],
        "sectors/C21": [False, None, None],
    }.items():
        code = (await client.get(f"/codes/{path}")).json()
        assert [code[name] for name in names] == expected, path
    rows = [*code_rows("countries"), *code_rows("regions")]
    lapsed = [row for row in rows if row["valid_until"]]
    assert all(row["retired"] == "true" for row in lapsed)
    successors = {each for row in lapsed for each in row["successor"].split(";")}
    assert successors <= {row["code"] for row in rows}


async def test_regions_and_countries_are_those_of_their_time(client: httpx.AsyncClient) -> None:
    """A record may have the code of the day that it, or the row of it, is of."""
    old = (await client.post("/missions", json=MISSION | {"dates": "2001"})).json()["id"]
    chita = {"host_country": "RU", "host_region": "RU-CHI"}
    event = {"kind": "forum", "title": "A forum"}
    in_chita = {"place_country": "RU", "place_region": "RU-CHI"}
    company = {"kind": "company", "name": "A company"}
    cases: list[tuple[str, dict[str, Any], str, str]] = [
        ("missions", {"host_country": "YU", "dates": "1999"}, "", ""),
        ("missions", {"host_country": "YU", "dates": "2004"}, "/host_country", "successor is CS."),
        ("missions", {"host_country": "YU"}, "/host_country", "Its successors are ME and RS."),
        ("missions", {"sending_country": "CS", "dates": "2020"}, "/sending_country", "ME and RS"),
        ("missions", chita | {"dates": "2008-02-29"}, "", ""),
        ("missions", chita | {"dates": "2008-03-01"}, "/host_region", "successor is RU-ZAB."),
        ("missions", chita | {"dates": "XXXX-04"}, "/host_region", "nothing here says that"),
        ("missions", {"stops": [{"country": "YU", "dates": "1999"}], "dates": "1999/2004"}, "", ""),
        (
            "missions",
            {
                "stops": [{"country": "KZ"}, {"country": "YU", "dates": "2004"}],
                "dates": "1999/2004",
            },
            "/stops/1/country",
            "this is of 2004-01-01",
        ),
        ("events", event | in_chita | {"dates": "2007"}, "", ""),
        ("events", event | in_chita | {"mission_id": old}, "", ""),
        ("events", event | in_chita, "/place_region", "RU-ZAB"),
        ("agreements", PLAIN | in_chita | {"signed": "2007"}, "", ""),
        ("agreements", PLAIN | in_chita | {"mission_id": old}, "", ""),
        ("agreements", PLAIN | in_chita | {"signed": "2010"}, "/place_region", "RU-ZAB"),
        ("agreements", PLAIN | in_chita, "/place_region", "RU-ZAB"),
        ("organizations", company | {"country": "RU", "region": "RU-CHI"}, "/region", "RU-ZAB"),
        ("organizations", company | {"country": "AN"}, "/country", "BQ, CW and SX."),
        ("missions", {"host_country": "QQ", "dates": "1999"}, "/host_country", "country code"),
    ]
    wrong = []
    for path, fields, pointer, words in cases:
        body = (MISSION if path == "missions" else {}) | fields
        at, detail = await refusal(client, path, body)
        if at != pointer or words not in detail:
            wrong.append((path, fields, at, detail))
    # Several at once are told at once; many at once have the rule, too.
    both = MISSION | {"host_country": "YU", "sending_country": "AN", "dates": "2020"}
    answer = await client.post("/missions", json=both)
    assert wrong == []
    assert [each["code"] for each in answer.json()["errors"]] == ["withdrawn"] * 2, answer.text
    operations = [
        {"op": "create", "body": MISSION | chita | {"dates": d}} for d in ("2005", "2010")
    ]
    answer = await client.post(
        "/missions/bulk?dry_run=true",
        json={"operations": operations},
        headers={"Prefer": "handling=lenient"},
    )
    assert [each["status"] for each in answer.json()["results"]] == [201, 422], answer.text
    assert wrong == []


async def test_what_has_a_code_of_its_time_can_be_changed_found_exported_and_imported(
    client: httpx.AsyncClient,
) -> None:
    body = MISSION | {"host_country": "RU", "host_region": "RU-EVE", "dates": "2006-12-31"}
    made = (await client.post("/missions", json=body)).json()
    path = f"/missions/{made['id']}"
    answer = await client.patch(path, json={"note": "Found", "dates": "2006"})
    assert answer.status_code == 200, answer.text
    answer = await client.patch(path, json={"dates": "2007-01-01"})
    assert answer.status_code == 422
    assert "Its successor is RU-KYA." in answer.text
    assert (await client.patch(path, json={"host_region": "RU-KYA"})).status_code == 200
    assert (await client.patch(path, json={"host_region": "RU-EVE"})).status_code == 200
    found = await client.get("/missions?host_region=RU-EVE")
    assert [each["id"] for each in found.json()["data"]] == [made["id"]]
    answer = await client.get("/missions?host_country=Югославия")
    assert "Did you mean 'YU'?" in answer.json()["detail"]
    # What has the name today is meant, where one has it.
    answer = await client.get("/missions?host_country=Восточный Тимор")
    assert "Did you mean 'TL'?" in answer.json()["detail"]
    file = await client.get("/missions.csv?host_region=RU-EVE&labels=ru&fields=title,host_region")
    assert "Эвенкийский автономный округ" in file.text
    rows = [
        "title;kind;host_country;host_region;dates",
        "One;forum;Россия;Читинская область;2005",
        "Two;forum;Югославия;;1999-05",
        "Three;forum;Казахстан;Нур-Султан;2020",
        "Four;forum;Казахстан;Южно-Казахстанская область;2015",
        "Five;forum;Россия;Читинская область;2015",
    ]
    answer = await client.post(
        "/missions/import?dry_run=true",
        content="\n".join(rows),
        headers={"Content-Type": "text/csv", "Prefer": "handling=lenient"},
    )
    result = answer.json()
    assert [(e["row"], e["column"]) for e in result["errors"]] == [(6, "host_region")], result
    assert "Its successor is RU-ZAB." in result["errors"][0]["detail"]
    taken = [{c["field"]: c["value"] for c in row["cells"]} for row in result["taken"]]
    regions = [row.get("host_region") for row in taken]
    assert regions == ["RU-CHI", None, "KZ-71", "KZ-61", "RU-CHI"], taken
    assert taken[1]["host_country"] == "YU"
