"""What stands around deals: what is kept, and what is refused with what would be right.

The rules between fields of one kind, beside those of tests/test_rules.py.
"""

from typing import Any

import httpx

Body = dict[str, Any]
PARTY = {"description": "a company that is not named", "role": "signatory"}
CONTRACT = {"title": "A contract", "instrument": "supply_contract", "parties": [PARTY]}
MISSION = {"title": "A mission", "kind": "forum"}
DOLLARS = {"amount": 10, "currency": "USD"}
JOBS = {"measure": "jobs", "quantity": 1000}
TONNES = {"measure": "output", "quantity": 6000, "unit": "tonne", "per": "year"}

#: The address, the body, where it is wrong, and words of what would be right.
REFUSED: dict[str, tuple[str, Body, str, str]] = {
    "an amount without currency": (
        "agreements",
        CONTRACT | {"amount": 5},
        "/currency",
        "currency is missing",
    ),
    "a currency without amount": (
        "agreements",
        CONTRACT | {"currency": "USD"},
        "/amount",
        "amount is missing",
    ),
    "a range without beginning": (
        "agreements",
        CONTRACT | {"amount_max": 15},
        "/amount_max",
        "amount is missing",
    ),
    "a range that ends before it begins": (
        "agreements",
        CONTRACT | DOLLARS | {"amount_max": 9},
        "/amount_max",
        "amount_max, 9, is less than amount, ",
    ),
    "a range that is exact": (
        "agreements",
        CONTRACT | DOLLARS | {"amount_max": 15, "amount_bound": "exact"},
        "/amount_bound",
        "A range, which has two ends, is not exact: leave amount_bound out",
    ),
    "a range without an end": (
        "agreements",
        CONTRACT | DOLLARS | {"amount_max": 15, "amount_bound": "more_than"},
        "/amount_bound",
        "is not more_than: leave amount_bound out, or say approximately",
    ),
    "a target that is a range without an end": (
        "agreements",
        CONTRACT | {"targets": [JOBS | {"quantity_max": 2000, "bound": "more_than"}]},
        "/targets/0",
        "is not more_than: leave bound out",
    ),
    "a reported range without an end": (
        "reported-totals",
        {"mission_id": "@mission", "measure": "jobs", "value": 2, "value_max": 3}
        | {"bound": "more_than"},
        "/bound",
        "is not more_than: leave bound out",
    ),
    "over years, and not how many": (
        "agreements",
        CONTRACT | DOLLARS | {"amount_period": "over_years"},
        "/amount_years",
        "amount_years is missing",
    ),
    "years of one payment": (
        "agreements",
        CONTRACT | DOLLARS | {"amount_period": "one_off", "amount_years": 2},
        "/amount_period",
        "over_years or per_year",
    ),
    "amounts by year without currency": (
        "agreements",
        CONTRACT | {"amount_by_year": [{"year": 2026, "amount": 5}]},
        "/currency",
        "currency is missing",
    ),
    "a year twice": (
        "agreements",
        CONTRACT | DOLLARS | {"amount_by_year": [{"year": 2026, "amount": 5}] * 2},
        "/amount_by_year",
        "twice",
    ),
    "a year's amount with too many decimals": (
        "agreements",
        CONTRACT | DOLLARS | {"amount_by_year": [{"year": 2026, "amount": "0.001"}]},
        "/amount_by_year/0/amount",
        "at most 2 decimals",
    ),
    "agreements that are none": (
        "agreements",
        CONTRACT | {"stands_for": 0},
        "/stands_for",
        "1 or more",
    ),
    "a target without unit": (
        "agreements",
        CONTRACT | {"targets": [JOBS, {**TONNES, "unit": None}]},
        "/targets",
        "unit is missing",
    ),
    "a target that ends before it begins": (
        "agreements",
        CONTRACT | {"targets": [JOBS | {"quantity_max": 999}]},
        "/targets",
        "quantity_max is less than quantity",
    ),
    "one relation twice": (
        "agreements",
        CONTRACT | {"related": [{"agreement_id": "@agreement", "relation": "part_of"}] * 2},
        "/related",
        "twice",
    ),
    "nobody in a delegation": (
        "delegates",
        {"mission_id": "@mission", "side": "delegation", "capacity": "delegate"},
        "/person_id",
        "person_id is missing, or a description",
    ),
    "money without currency": (
        "reported-totals",
        {"mission_id": "@mission", "measure": "amount", "value": 2},
        "/currency",
        "currency is missing",
    ),
    "companies in dollars": (
        "reported-totals",
        {"mission_id": "@mission", "measure": "companies", "value": 2, "currency": "USD"},
        "/currency",
        "leave currency out",
    ),
    "a loan of companies": (
        "reported-totals",
        {"mission_id": "@mission", "measure": "companies", "value": 2, "amount_kind": "loan"},
        "/measure",
        "leave amount_kind",
    ),
    "more than the whole": (
        "reported-totals",
        {"mission_id": "@mission", "measure": "companies", "value": 361, "of_value": 360},
        "/of_value",
        "less than value",
    ),
    "a quantity without unit": (
        "statements",
        {"predicate": "plans", "paraphrase": "x", "modality": "plan", "quantity": 5},
        "/unit",
        "unit is missing",
    ),
    "the whole of nothing": (
        "statements",
        {"predicate": "plans", "paraphrase": "x", "modality": "plan", "of_quantity": 5},
        "/quantity",
        "quantity is missing",
    ),
    "what an amount covers, without one": (
        "outcomes",
        {"agreement_id": "@agreement", "amount_scope": "to_date"},
        "/actual_amount",
        "actual_amount is missing",
    ),
    "a region of nowhere": (
        "missions",
        MISSION | {"sending_region": "KZ-55"},
        "/sending_country",
        "sending_country is missing",
    ),
    "a date that is open at both ends": (
        "missions",
        MISSION | {"dates": "../.."},
        "/dates",
        "open at one end",
    ),
}


async def stored(client: httpx.AsyncClient, path: str, body: Body) -> Body:
    answer = await client.post(f"/{path}", json=body)
    assert answer.status_code == 201, answer.text
    record: Body = answer.json()
    return record


async def test_what_is_wrong_is_refused_with_what_would_be_right(client: httpx.AsyncClient) -> None:
    ids = {
        "@mission": (await stored(client, "missions", MISSION))["id"],
        "@agreement": (await stored(client, "agreements", CONTRACT))["id"],
    }

    def filled(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: filled(item) for name, item in value.items()}
        if isinstance(value, list):
            return [filled(item) for item in value]
        return ids.get(value, value) if isinstance(value, str) else value

    wrong = {}
    for name, (path, body, pointer, words) in REFUSED.items():
        answer = await client.post(f"/{path}", json=filled(body))
        found = [(fault["pointer"], fault["detail"]) for fault in answer.json().get("errors", ())]
        right = answer.status_code == 422 and any(
            at.startswith(pointer) and words in detail for at, detail in found
        )
        if not right:
            wrong[name] = (answer.status_code, found)
    assert wrong == {}


async def test_all_rules_that_a_body_breaks_are_told_at_once(client: httpx.AsyncClient) -> None:
    wrong = CONTRACT | {
        "amount": "10.001",
        "currency": "USD",
        "amount_max": 9,
        "amount_period": "over_years",
        "place_region": "RU-NVS",
        "targets": [JOBS, TONNES | {"unit": None}],
    }
    expected = {
        ("/amount", "decimals"),
        ("/amount_max", "rule"),
        ("/amount_years", "rule"),
        ("/place_country", "rule"),
        ("/targets/1", "rule"),
    }
    made = await stored(client, "agreements", CONTRACT)
    operations = {"operations": [{"op": "create", "body": wrong}]}
    for answer, before in (
        (await client.post("/agreements", json=wrong), ""),
        (await client.put(f"/agreements/{made['id']}", json=wrong), ""),
        (await client.post("/agreements/bulk", json=operations), "/operations/0/body"),
    ):
        found = {(fault["pointer"], fault["code"]) for fault in answer.json()["errors"]}
        assert found == {(before + pointer, code) for pointer, code in expected}
    # Where only the database knows of a rule, the others are told as well.
    two = CONTRACT | DOLLARS | {"amount_max": 9, "place_region": "RU-NVS"}
    answer = await client.post("/agreements", json=two)
    places = {fault["pointer"] for fault in answer.json()["errors"]}
    assert places == {"/amount_max", "/place_country"}


async def test_an_agreement_is_no_part_of_itself(client: httpx.AsyncClient) -> None:
    whole = await stored(client, "agreements", CONTRACT)
    part_of = [{"agreement_id": whole["id"], "relation": "part_of"}]
    part = await stored(client, "agreements", CONTRACT | {"related": part_of})
    for body in (
        [{"agreement_id": whole["id"], "relation": "replaces"}],
        [{"agreement_id": part["id"], "relation": "part_of"}],
    ):
        answer = await client.patch(f"/agreements/{whole['id']}", json={"related": body})
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"].startswith("/related")
    # It may well amend what is a part of it.
    amends = [{"agreement_id": part["id"], "relation": "amends"}]
    answer = await client.patch(f"/agreements/{whole['id']}", json={"related": amends})
    assert answer.status_code == 200


async def test_an_agreement_replaces_nothing_that_holds_it(client: httpx.AsyncClient) -> None:
    """Neither of two that replaced each other would be in any sum; nor a part of what it replaces,
    be it by way of others."""

    def related(**relations: Any) -> dict[str, Any]:
        several = relations.items()
        return {"related": [{"agreement_id": r["id"], "relation": n} for n, r in several]}

    first = await stored(client, "agreements", CONTRACT)
    second = await stored(client, "agreements", CONTRACT | related(replaces=first))
    third = await stored(client, "agreements", CONTRACT | related(replaces=second))
    part = await stored(client, "agreements", CONTRACT | related(part_of=first))
    for key, relations in (
        (first["id"], {"replaces": third}),
        (first["id"], {"part_of": second, "replaces": second}),
        (second["id"], {"part_of": part, "replaces": first}),
        (third["id"], {"part_of": part, "replaces": second}),
    ):
        answer = await client.patch(f"/agreements/{key}", json=related(**relations))
        assert answer.status_code == 422, relations
        assert answer.json()["errors"][0]["code"] == "circle"
    new = CONTRACT | related(part_of=part, replaces=first)
    assert (await client.post("/agreements", json=new)).status_code == 422
    # What it replaces no more may hold it, and what was there is no reason to refuse a change.
    for key, body in (
        (second["id"], related(part_of=first)),
        (third["id"], {"title": "Another"}),
        (third["id"], related(replaces=part)),
    ):
        answer = await client.patch(f"/agreements/{key}", json=body)
        assert answer.status_code == 200, answer.text


async def test_related_records_are_shown_and_filtered_by(client: httpx.AsyncClient) -> None:
    old = await stored(client, "agreements", CONTRACT | {"title": "A memorandum of cooperation"})
    replaces = [{"agreement_id": old["id"], "relation": "replaces"}]
    new = await stored(client, "agreements", CONTRACT | {"related": replaces})
    address = f"/agreements?related__agreement_id={old['id']}&expand=related.agreement"
    (found,) = (await client.get(address)).json()["data"]
    assert found["id"] == new["id"]
    assert found["related"][0]["agreement"]["title"] == old["title"]


async def test_an_event_may_be_of_no_mission_and_a_mission_go_to_it(
    client: httpx.AsyncClient,
) -> None:
    event = {"kind": "forum", "title": "A great forum", "attendance": "hybrid"}
    forum = await stored(client, "events", event)
    mission = await stored(client, "missions", MISSION | {"at_event_id": forum["id"]})
    found = (await client.get(f"/missions?at_event_id={forum['id']}&expand=at_event")).json()
    assert [each["id"] for each in found["data"]] == [mission["id"]]
    assert found["data"][0]["at_event"]["title"] == forum["title"]


async def test_parts_of_a_mission_are_listed_under_it(client: httpx.AsyncClient) -> None:
    journey = await stored(client, "missions", MISSION)
    leg = await stored(client, "missions", MISSION | {"parent_id": journey["id"]})
    found = (await client.get(f"/missions/{journey['id']}/missions")).json()["data"]
    assert [each["id"] for each in found] == [leg["id"]]
    alone = await client.get(f"/missions?parent_id__isnull=true&id__in={journey['id']},{leg['id']}")
    assert [each["id"] for each in alone.json()["data"]] == [journey["id"]]


async def test_a_range_has_the_bound_that_it_is_given_or_none(
    client: httpx.AsyncClient,
) -> None:
    made = await stored(client, "agreements", CONTRACT | DOLLARS)
    bounds = [made["amount_bound"]]
    for change in (
        {"amount_max": 15},
        {"note": "A range"},
        {"amount_bound": "approximately"},
        {"amount_bound": None},
        {"amount_max": None},
        {"amount_bound": "at_least"},
        {"amount_max": 20},
    ):
        answer = await client.patch(f"/agreements/{made['id']}", json=change)
        assert answer.status_code == 200, answer.text
        bounds.append(answer.json()["amount_bound"])
    assert bounds == ["exact", None, None, "approximately", None, "exact", "at_least", "at_least"]
    answer = await client.patch(f"/agreements/{made['id']}", json={"amount_bound": "exact"})
    assert answer.status_code == 422
    whole = CONTRACT | DOLLARS | {"amount_max": 20}
    for _ in range(2):
        answer = await client.put(f"/agreements/{made['id']}", json=whole)
        assert (answer.status_code, answer.json()["amount_bound"]) == (200, None)
    total = {"measure": "jobs", "value": 2, "bound": "more_than"}
    mission = await stored(client, "missions", MISSION | {"reported_totals": [total]})
    (total,) = (await client.get(f"/missions/{mission['id']}/reported-totals")).json()["data"]
    answer = await client.patch(f"/reported-totals/{total['id']}", json={"value_max": 3})
    assert answer.status_code == 422


async def test_what_texts_say_is_kept_as_it_stands(client: httpx.AsyncClient) -> None:
    """Targets beside money, ranges, several papers about one figure, dates that are half open."""
    mission = await stored(client, "missions", MISSION | {"dates": "2019-03-15/.."})
    deal = CONTRACT | {
        "mission_id": mission["id"],
        "stands_for": 12,
        "parties_complete": False,
        "amount": 10,
        "amount_max": 15,
        "currency": "USD",
        "amount_bound": "approximately",
        "amount_period": "per_year",
        "amount_years": 5,
        "due": "../2020",
        "due_text": "by 2020",
        "targets": [JOBS, TONNES | {"quantity_max": 7000, "bound": "at_least", "due": "202X"}],
        "amount_by_year": [{"year": 2019, "amount": 10}, {"year": 2020, "amount": "12.5"}],
    }
    made = await stored(client, "agreements", deal)
    assert (made["due_earliest"], made["due_latest"]) == (None, "2020-12-31")
    assert made["targets"][1] | {"due": "202X"} == made["targets"][1]
    assert made["amount_by_year"] == [
        {"year": 2019, "amount": 10},
        {"year": 2020, "amount": 12.5},
    ]
    claim = {"mission_id": mission["id"], "measure": "agreements", "value": 12, "scope": "signed"}
    for rank in ("preferred", "deprecated"):
        assert (await stored(client, "reported-totals", claim | {"rank": rank}))["rank"] == rank
    outcome = {
        "agreement_id": made["id"],
        "actual_amount": 5,
        "currency": "USD",
        "amount_scope": "to_date",
        "achieved": [TONNES | {"quantity": 3000}],
    }
    assert (await stored(client, "outcomes", outcome))["achieved"][0]["unit"] == "tonne"
    head = {"mission_id": mission["id"], "side": "delegation", "capacity": "head_of_delegation"}
    described = await stored(client, "delegates", head | {"description": "a deputy minister"})
    assert described["person_id"] is None
