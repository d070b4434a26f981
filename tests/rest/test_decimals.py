"""Amounts as texts: exact in clients whose numbers are floats, wherever an answer has amounts."""

import json
from typing import Any

import httpx
from jsonschema_rs import Draft202012Validator

from tests.test_openapi_document import document

Json = dict[str, Any]

TEXTS = {"Accept": "application/json;decimal=string"}
SUMMARY = "/missions/novosibirsk-april/summary"
#: More digits than a float holds.
AMOUNT = "12345678901234.567"
#: As JSON has it: a number with these digits.
NUMBER = f'"amount":{AMOUNT}'


def body(**fields: Any) -> Json:
    parties = [{"role": "supplier", "description": "A maker of cables", "share_percent": "33.3333"}]
    told = {"title": "Exact", "instrument": "supply_contract", "currency": "KWD"}
    return {**told, "parties": parties, "amount": AMOUNT, **fields}


async def test_a_body_may_say_amounts_as_texts_and_every_answer_can(
    fresh: httpx.AsyncClient,
) -> None:
    made = await fresh.post("/agreements", json=body(ref="exact"), headers=TEXTS)
    assert made.status_code == 201, made.text
    assert made.json()["amount"] == AMOUNT
    assert made.json()["parties"][0]["share_percent"] == "33.3333"

    one = "/agreements/exact"
    assert NUMBER in (await fresh.get(one)).text.replace(" ", "")
    at = {"as_of": made.json()["updated_at"]}
    patched = await fresh.patch(one, json={"note": "Seen"}, headers=TEXTS)
    replaced = await fresh.put(one, json=body(ref="exact"), headers=TEXTS)
    restored = await fresh.post(f"{one}/restore", headers=TEXTS)
    item = await fresh.get(one, headers=TEXTS)
    past = await fresh.get(one, params=at, headers=TEXTS)
    listed = await fresh.get("/agreements?ref=exact", headers=TEXTS)
    for answer in (patched, replaced, restored, item, past):
        assert answer.json()["amount"] == AMOUNT, answer.text
        assert answer.json()["parties"][0]["share_percent"] == "33.3333"
    assert listed.json()["data"] == [item.json()]


async def test_expansions_totals_and_groups_have_them_so(client: httpx.AsyncClient) -> None:
    path = "/agreements/nobel-katren-supply"
    plain = (await client.get(path)).json()["amount"]
    assert isinstance(plain, int)
    mission = await client.get("/missions/novosibirsk-april?expand=agreements", headers=TEXTS)
    amounts = {found["ref"]: found["amount"] for found in mission.json()["agreements"]}
    assert amounts["nobel-katren-supply"] == str(plain)
    assert None in amounts.values()
    summary = await client.get("/missions/novosibirsk-april/summary", headers=TEXTS)
    totals, reported = summary.json()["totals"], summary.json()["reported_totals"]
    assert all(isinstance(total["amount"], str) for total in totals)
    assert all(isinstance(total["value"], str) for total in reported)
    assert all(isinstance(total["agreements"], int) for total in totals)
    asked = "group_by=currency&metrics=count,sum(amount),avg(amount),max(amount),count(amount)"
    groups = await client.get(f"/agreements/aggregate?{asked}", headers=TEXTS)
    (usd,) = [group for group in groups.json()["data"] if group["currency"] == "USD"]
    assert {name: type(value) for name, value in usd.items()} == {
        "currency": str,
        "count": int,
        "sum_amount": str,
        "avg_amount": str,
        "max_amount": str,
        "count_amount": int,
    }


async def test_they_may_be_asked_for_in_any_legal_spelling(client: httpx.AsyncClient) -> None:
    for asked in (
        'application/json;decimal="string"',
        "application/json; Decimal=String",
        "text/csv;q=0.1, Application/JSON ; decimal=string",
    ):
        answer = await client.get(SUMMARY, headers={"Accept": asked})
        assert answer.json()["totals"][0]["amount"] == "5000000", asked


async def test_pages_go_on_in_this_form(client: httpx.AsyncClient) -> None:
    seen: list[Json] = []
    cursor: dict[str, str] = {}
    while True:
        asked = {"sort": "-amount", "limit": "2", "fields": "ref,amount", **cursor}
        page = (await client.get("/agreements", params=asked, headers=TEXTS)).json()
        seen += page["data"]
        if page["page"]["next_cursor"] is None:
            break
        cursor = {"cursor": page["page"]["next_cursor"]}
    whole = await client.get("/agreements?sort=-amount&fields=ref,amount&limit=1000")
    assert [found["ref"] for found in seen] == [found["ref"] for found in whole.json()["data"]]
    assert {type(found["amount"]) for found in seen} == {str, type(None)}


async def test_a_tag_of_either_form_guards_a_change_and_none_is_the_others(
    fresh: httpx.AsyncClient,
) -> None:
    path = "/agreements/nobel-katren-supply"
    plain, text = await fresh.get(path), await fresh.get(path, headers=TEXTS)
    assert plain.headers["etag"] != text.headers["etag"]
    assert "Accept" in text.headers["vary"]
    known = {"If-None-Match": text.headers["etag"]}
    assert (await fresh.get(path, headers=known)).status_code == 200
    assert (await fresh.get(path, headers={**TEXTS, **known})).status_code == 304
    guard = {"If-Match": text.headers["etag"]}
    assert (await fresh.patch(path, json={"note": "One"}, headers=guard)).status_code == 200
    assert (await fresh.patch(path, json={"note": "Two"}, headers=guard)).status_code == 412


async def test_what_is_no_decimal_is_refused_as_ever(client: httpx.AsyncClient) -> None:
    found = {}
    for amount in ("1e3", "", " 5", "1,5", "NaN", "Infinity", "٣", "0x1", "1.", ".5", "+1", True):
        answer = await client.post("/agreements?dry_run=true", json=body(amount=amount))
        found[amount] = answer.status_code
    assert set(found.values()) == {422}, found


async def test_the_document_can_be_had_for_clients_that_ask_so(client: httpx.AsyncClient) -> None:
    asked = await client.get("/openapi.json?decimal=string")
    texts, amount = asked.json(), {"type": "string", "format": "decimal"}
    schemas = texts["components"]["schemas"]
    for name in ("Agreement", "AgreementCreate"):
        (value, null) = schemas[name]["properties"]["amount"]["anyOf"]
        assert amount.items() <= value.items()
        assert null == {"type": "null"}
    assert not [
        text for text in ('"example":', '"format":"decimal","minimum"') if text in asked.text
    ]
    assert json.dumps(document()) != asked.text
    item = (await client.get("/agreements/nobel-katren-supply", headers=TEXTS)).json()
    whole = {**schemas["Agreement"], "components": texts["components"]}
    assert Draft202012Validator(whole).is_valid(item)
    refused = await client.get("/openapi.json?decimal=text")
    assert refused.status_code == 400
    assert "decimal=string" in refused.text
