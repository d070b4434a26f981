"""Currencies that were withdrawn: right for what is old, and nothing else."""

from typing import Any

import httpx
from sqlalchemy import Table

from app.api import RESOURCES
from app.core.databases.expressions import AnyTable
from app.resources.code import Currency

PLAIN: dict[str, Any] = {"title": "A sale", "instrument": "supply_contract", "status": "announced"}
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
    found = {c["code"]: (c["retired"], c["held_until"], c["successor"]) for c in data}
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
