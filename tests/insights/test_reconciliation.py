"""What is claimed of missions beside what is on record of them."""

from collections import Counter
from decimal import Decimal
from itertools import product
from random import Random
from typing import Any

import httpx

from app.insights.differences import Comparison, Limits, Recorded, compared
from tests.missions.ways import enter_nested, missions

Body = dict[str, Any]
REMARK = {"predicate": "values", "paraphrase": "x", "modality": "fact"}
PARTY = {"description": "somebody", "role": "signatory"}


async def reconciliation(client: httpx.AsyncClient, key: str) -> Any:
    answer = await client.get(f"/missions/{key}/reconciliation")
    assert answer.status_code == 200, answer.text
    return answer.json()


def told(claim: Body) -> tuple[Any, ...]:
    reasons = {reason["reason"]: reason["count"] for reason in claim["reasons"]}
    return claim["value"], claim["difference"], claim["comparison"], reasons


async def test_what_sources_say_of_the_six_missions_is_held_against_the_records(
    client: httpx.AsyncClient,
) -> None:
    await enter_nested(client, missions("claims"))
    found = {}
    for name in ("tashkent", "turkistan", "spring", "minsk", "wind", "finland"):
        answer = await reconciliation(client, f"claims-{name}")
        for figure in answer["figures"]:
            about = (name, figure["measure"], figure["currency"], figure["scope"])
            recorded = figure["recorded"] and figure["recorded"]["value"]
            found[about] = (figure["taken"], recorded, list(map(told, figure["claims"])))
    unnamed = {"without_amount": 13, "other_currency": 1}
    apart = "not_comparable"
    assert found == {
        # Two of the three companies are named; twelve memoranda say nothing of theirs.
        ("tashkent", "companies", None, None): (
            42,
            3,
            [(42, 39, "possible", {"unnamed": 1, "parties_incomplete": 12, "not_on_record": 1})],
        ),
        # The one amount on record is in dollars.
        ("tashkent", "amount", "KZT", None): (
            2_000_000_000,
            None,
            [
                (
                    2_000_000_000,
                    None,
                    apart,
                    {**unnamed, "rival_claims": 1, "claim_not_exact": 1, "undated": 13},
                ),
                (1_800_000_000, None, apart, {**unnamed, "rival_claims": 1, "claim_not_exact": 1}),
            ],
        ),
        ("tashkent", "amount", "KZT", "продукты"): (
            500_000_000,
            None,
            [(500_000_000, None, apart, {"other_scope": None, "part_of_claim": None})],
        ),
        ("turkistan", "companies", None, "экспортқа дайын компаниялар"): (
            None,
            None,
            [(120, None, apart, {"other_scope": None})],
        ),
        ("turkistan", "jobs", None, "тұқым зауыты"): (
            250,
            None,
            [(250, None, apart, {"other_scope": None})],
        ),
        ("spring", "amount", "KZT", "Жаңа Дән"): (
            None,
            None,
            [(750000.1, None, apart, {"other_scope": None})],
        ),
    }


async def test_a_claim_is_told_with_who_makes_it_and_where_it_stands(
    client: httpx.AsyncClient,
) -> None:
    (figure,) = (await reconciliation(client, "novosibirsk-april"))["figures"]
    (claim,) = figure["claims"]
    assert (figure["measure"], claim["ref"]) == ("companies", "novosibirsk-april-companies")
    assert claim["claimed_by"]["name"]
    assert {(s["start"], s["end"], s["field"]) for s in claim["sources"]} >= {(343, 345, "/value")}
    assert {source["publisher"] for source in claim["sources"]} == {"Kazinform"}


async def test_amounts_are_held_against_those_of_the_mission_and_its_parts(
    client: httpx.AsyncClient,
) -> None:
    contract = {"title": "A", "instrument": "supply_contract", "parties": [PARTY]}
    in_dollars = {**contract, "currency": "USD"}
    mission: Body = {
        "ref": "held-against",
        "title": "M",
        "kind": "forum",
        "agreements": [
            {**in_dollars, "ref": "held-against-whole", "amount": 100, "signed": "2020"},
            {
                **in_dollars,
                "amount": 40,
                "related": [{"agreement": {"ref": "held-against-whole"}, "relation": "part_of"}],
            },
            {**in_dollars, "amount": 7, "status": "cancelled"},
            {**in_dollars, "amount": 9, "amount_period": "per_year", "amount_years": 2},
            {**in_dollars, "amount": 5, "status": "negotiated", "amount_bound": "at_least"},
            {**contract, "amount": 3, "currency": "EUR"},
        ],
        "reported_totals": [
            {"measure": "amount", "value": 105.5, "currency": "USD", "as_of": "2019"},
            {"measure": "amount", "value": 9, "currency": "USD", "amount_period": "per_year"},
            {"measure": "agreements", "value": 7},
            {"measure": "agreements", "value": 6},
            {"measure": "jobs", "value": 20, "bound": "more_than"},
            {"measure": "projected_sales_12m", "value": 1, "currency": "USD"},
        ],
    }
    part: Body = {
        "ref": "held-against-leg",
        "title": "L",
        "kind": "forum",
        "parent": {"ref": "held-against"},
        "agreements": [{**in_dollars, "amount": 0.5}],
        "reported_totals": [{"measure": "agreements", "value": 1}],
    }
    for body in (mission, part):
        sent = await client.post("/missions", json=body)
        assert sent.status_code == 201, sent.text
    said: Body = {"agreement": {"ref": "held-against-whole"}, "amount": 90, "currency": "USD"}
    for body in (said, said | {"currency": "EUR"}):
        sent = await client.post("/statements", json=REMARK | body | {"quantity_bound": "at_least"})
        assert sent.status_code == 201, sent.text
    answer = await reconciliation(client, "held-against")
    found = {}
    for figure in answer["figures"]:
        about = (figure["measure"], figure["currency"], figure["per"], figure["mission_id"])
        recorded = figure["recorded"] or {}
        limits = tuple(recorded.get(name) for name in ("value", "at_least", "at_most"))
        found[about] = (figure["taken"], limits, list(map(told, figure["claims"])))
    leg = (await client.get("/missions/held-against-leg")).json()["id"]
    own = answer["id"]
    of_all = {"fallen_through": 1, "only_announced": 1}
    money = {"parts": 1, "not_exact": 1, "other_currency": 1, "other_period": 1, **of_all}
    rival = {"rival_claims": 1, **of_all}
    assert found == {
        ("agreements", None, None, own): (
            None,
            (6, 6, 6),
            [(7, 1, "differs", {**rival, "not_on_record": 1}), (6, 0, "agrees", rival)],
        ),
        ("agreements", None, None, leg): (
            1,
            (None, None, None),
            [(1, None, "not_comparable", {"other_mission": None})],
        ),
        ("amount", "USD", None, own): (
            105.5,
            (105.5, 105.5, None),
            [(105.5, 0, "possible", {**money, "later": 1, "undated": 5})],
        ),
        ("amount", "USD", "year", own): (
            9,
            (9, 9, 9),
            [(9, 0, "agrees", {"other_currency": 1, "other_period": 4})],
        ),
        # Of one agreement, by somebody who was in no mission.
        ("amount", "USD", None, None): (
            None,
            (100, 100, 100),
            [(90, -10, "agrees", {"claim_not_exact": 1})],
        ),
        ("amount", "EUR", None, None): (
            None,
            (None, None, None),
            [(90, None, "not_comparable", {"claim_not_exact": 1, "other_currency": 1})],
        ),
        ("jobs", None, None, own): (
            20,
            (None, None, None),
            [(20, None, "not_comparable", {"claim_not_exact": 1, "not_measured": None})],
        ),
        ("projected_sales_12m", "USD", None, own): (
            1,
            (None, None, None),
            [(1, None, "not_comparable", {"not_measured": None})],
        ),
    }
    texts = {"Accept": "application/json;decimal=string"}
    shown = await client.get("/missions/held-against/reconciliation", headers=texts)
    assert {figure["taken"] for figure in shown.json()["figures"]} == {
        None,
        "105.5",
        "1",
        "9",
        "20",
    }


async def test_a_part_is_in_its_whole_of_another_class_unless_that_has_fallen_through(
    client: httpx.AsyncClient,
) -> None:
    """A contract for a part of what is planned is added to the plan no more than a part of its own
    class; of a plan that was given up it is what is left."""
    plan = {"title": "P", "instrument": "announced_plan", "currency": "USD", "amount": 10}
    contract = {"title": "C", "instrument": "supply_contract", "parties": [PARTY], "amount": 4}
    found = {}
    for ref, status in (("part-of-plan", "announced"), ("part-of-none", "cancelled")):
        part_of = [{"agreement": {"ref": f"{ref}-plan"}, "relation": "part_of"}]
        body: Body = {
            "ref": ref,
            "title": "M",
            "kind": "forum",
            "agreements": [
                {**plan, "ref": f"{ref}-plan", "status": status},
                {**contract, "currency": "USD", "related": part_of},
            ],
            "reported_totals": [{"measure": "amount", "value": 10, "currency": "USD"}],
        }
        sent = await client.post("/missions", json=body)
        assert sent.status_code == 201, sent.text
        answer = await reconciliation(client, ref)
        (figure,) = answer["figures"]
        (claim,) = figure["claims"]
        recorded, left = figure["recorded"]["value"], answer["left_out"]["parts"]
        found[ref] = (recorded, claim["difference"], claim["comparison"], left)
    assert found == {"part-of-plan": (10, 0, "agrees", 1), "part-of-none": (4, 6, "differs", 0)}


FALLEN = {"cancelled": "fallen_through", "expired": "fallen_through", "superseded": "replaced"}


def invented(number: int, chance: Random) -> Body:
    """An agreement of any class, which can be a part of one before it."""
    body: Body = {
        "ref": f"left-out-{number}",
        "title": "D",
        "instrument": "supply_contract",
        "status": chance.choice(("signed", "signed", "negotiated", *FALLEN)),
        "stands_for": chance.choice((1, 1, 3)),
        "parties": [PARTY],
    }
    if chance.random() < 0.8:
        body |= {"amount": chance.randrange(100), "currency": chance.choice(("USD", "USD", "EUR"))}
        body |= chance.choice(({}, {}, {"amount_period": "per_year"}))
    if chance.random() < 0.5:
        jobs = {"measure": "jobs", "quantity": chance.randrange(100)}
        body["targets"] = [jobs | {"per": chance.choice((None, None, "year", "month"))}]
    if number and chance.random() < 0.6:
        whole = {"ref": f"left-out-{chance.randrange(number)}"}
        body["related"] = [{"agreement": whole, "relation": "part_of"}]
    return body


def figure_of(states: dict[str, Decimal], bodies: dict[str, Body]) -> tuple[Any, Body]:
    """What those of the agreements come to that state a number, and how many are left out."""
    counts: Counter[str] = Counter(FALLEN.get(bodies[ref]["status"], "stands") for ref in states)
    standing = {ref for ref in states if bodies[ref]["status"] not in FALLEN}
    added = {ref for ref in standing if not wholes_of(ref, bodies) & standing}
    left = {"parts": len(standing) - len(added)}
    left |= {name: counts[name] for name in ("replaced", "fallen_through")}
    return sum(states[ref] for ref in added), left


def wholes_of(ref: str, bodies: dict[str, Body]) -> set[str]:
    """What an agreement is a part of, over three levels."""
    found: set[str] = set()
    while len(found) < 3 and (related := bodies[ref].get("related")):
        ref = related[0]["agreement"]["ref"]
        found.add(ref)
    return found


async def test_each_figure_tells_what_it_leaves_out_and_nothing_else(
    client: httpx.AsyncClient,
) -> None:
    chance = Random(3)
    bodies = {body["ref"]: body for body in (invented(n, chance) for n in range(40))}
    in_dollars = {"measure": "amount", "value": 1, "currency": "USD"}
    mission: Body = {
        "ref": "left-out",
        "title": "M",
        "kind": "forum",
        "agreements": [*bodies.values()],
        "reported_totals": [
            in_dollars,
            in_dollars | {"amount_period": "per_year"},
            {"measure": "jobs", "value": 1},
            {"measure": "agreements", "value": 1},
        ],
        "statements": [
            REMARK | {"quantity": 1, "unit": "job", "per": per} for per in ("year", "month")
        ],
    }
    sent = await client.post("/missions", json=mission)
    assert sent.status_code == 201, sent.text
    right = {}
    for per in (None, "year"):
        period = per and "per_year"
        of_dollars = {
            ref: body["amount"]
            for ref, body in bodies.items()
            if body.get("currency") == "USD" and body.get("amount_period") == period
        }
        right["amount", per] = figure_of(of_dollars, bodies)
    for per in (None, "year", "month"):
        jobs = {
            ref: body["targets"][0]["quantity"]
            for ref, body in bodies.items()
            if "targets" in body and body["targets"][0]["per"] == per
        }
        right["jobs", per] = figure_of(jobs, bodies)
    fallen = figure_of(dict.fromkeys(bodies, Decimal(1)), bodies)[1]
    standing = [b["stands_for"] for b in bodies.values() if b["status"] not in FALLEN]
    right["agreements", None] = sum(standing), fallen | {"parts": 0}
    answer = await reconciliation(client, "left-out")
    found = {
        (figure["measure"], figure["per"]): (
            figure["recorded"]["value"],
            figure["recorded"]["left_out"],
        )
        for figure in answer["figures"]
    }
    assert found == right
    amounts = [left for (measure, _), (_, left) in right.items() if measure == "amount"]
    assert answer["left_out"] == {
        **{name: sum(left[name] for left in amounts) for name in amounts[0]},
        "repeated_claims": 0,
        "rival_claims": 0,
        "withheld": 0,
    }


async def test_what_comes_each_year_is_not_held_against_what_is_there_once(
    client: httpx.AsyncClient,
) -> None:
    jobs = {"measure": "jobs", "quantity": 20, "per": "year"}
    deal = {"title": "D", "instrument": "supply_contract", "parties": [PARTY], "targets": [jobs]}
    each_year: Body = {**REMARK, "quantity": 20, "per": "year"}
    body = {
        "ref": "each-year",
        "title": "M",
        "kind": "forum",
        "agreements": [deal],
        "reported_totals": [{"measure": "jobs", "value": 20}],
        "statements": [each_year | {"unit": unit} for unit in ("company", "job")],
    }
    sent = await client.post("/missions", json=body)
    assert sent.status_code == 201, sent.text
    answer = await reconciliation(client, "each-year")
    assert {
        (figure["measure"], figure["per"]): told(figure["claims"][0])
        for figure in answer["figures"]
    } == {
        ("companies", "year"): (20, None, "not_comparable", {"other_period": None}),
        ("jobs", None): (20, None, "not_comparable", {"other_period": 1}),
        ("jobs", "year"): (20, 0, "agrees", {}),
    }


def test_a_claim_agrees_when_all_that_can_be_on_record_lies_within_it() -> None:
    """By trying each number that the claim, and what is on record, can mean."""
    wrong = []
    numbers = range(12)
    for bound, value, end, low, high in product(
        ("exact", "at_least", "more_than", "at_most", "approximately"),
        (3, 5),
        (None, 6),
        (0, 3, 4, 5, 7),
        (3, 5, 6, 8, None),
    ):
        if high is not None and high < low:
            continue
        claim = {"value": value, "value_max": end, "bound": bound}
        found = compared(claim, Recorded(Decimal(low), Limits(low, high)))
        claimed = {
            "exact": [n for n in numbers if value <= n <= (end or value)],
            "at_least": [n for n in numbers if n >= value],
            "more_than": [n for n in numbers if n > value],
            "at_most": [n for n in numbers if n <= (end or value)],
            "approximately": list(numbers),
        }[bound]
        known = [n for n in numbers if n >= low and (high is None or n <= high)]
        right = Comparison.possible
        if bound == "approximately":
            right = Comparison.agrees if low == value and high is not None else right
        elif set(known) <= set(claimed):
            right = Comparison.agrees
        elif not set(known) & set(claimed):
            right = Comparison.differs
        if found != right:
            wrong.append((claim, low, high, found, right))
    assert wrong == []
