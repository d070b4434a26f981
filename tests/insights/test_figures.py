"""Figures of random agreements and reported totals against plain Python, on both databases."""

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import groupby
from random import Random
from typing import Any
from uuid import uuid4

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core import json_codec
from tests.missions.ways import send_good

MISSIONS = {"fig-a": None, "fig-b": "fig-a", "fig-c": "fig-b", "fig-d": None}
IN_MISSIONS = (*MISSIONS, "fig-a")
STATUSES = (
    *("announced", "negotiated", "signed", "in_force", "completed"),
    *("cancelled", "expired", "superseded"),
)
BINDINGNESS = ("binding", "non_binding", "announcement", "accomplished", "unknown")
BOUNDS = ("exact", "exact", "at_least", "more_than", "at_most", "approximately")
SIGNED = ("signed", "in_force", "completed")
FALLEN = {"cancelled": "fallen_through", "expired": "fallen_through", "superseded": "replaced"}
DATES = (None, "2019", "XXXX-04-11", "2020-05")
YET_TO_SIGN = {"announced": "announced", "negotiated": "announced"}
OF_BINDINGNESS = {
    "binding": "signed_binding",
    "accomplished": "accomplished",
    "announcement": "announced",
}
Key = Callable[[Any], Hashable]


@dataclass(frozen=True)
class Deal:
    """An agreement as the model knows it; `held` are the one that has it and how."""

    ref: str
    mission: str
    status: str
    bindingness: str
    stands_for: int
    currency: str | None
    amount: int | None
    amount_max: int | None
    bound: str | None
    is_per_year: bool
    signed: str | None
    is_gone: bool
    related: tuple[str, str] | None
    is_replaced: bool = False

    @property
    def firmness(self) -> str:
        return "replaced" if self.is_replaced else self.own_firmness

    @property
    def own_firmness(self) -> str:
        told = FALLEN | YET_TO_SIGN
        return told.get(self.status) or OF_BINDINGNESS.get(self.bindingness, "signed_not_binding")

    @property
    def stands(self) -> bool:
        return self.own_firmness not in ("fallen_through", "announced")

    @property
    def was_signed(self) -> bool:
        if self.bindingness in ("announcement", "accomplished"):
            return False
        return self.status in SIGNED or (self.status in FALLEN and self.signed is not None)

    @property
    def limits(self) -> tuple[int | None, int | None]:
        end = self.amount if self.amount_max is None else self.amount_max
        least = None if self.bound in ("at_most", "approximately") else self.amount
        return least, end if self.bound in (None, "exact", "at_most") else None

    @property
    def is_exact(self) -> bool:
        return self.bound == "exact" and self.amount_max in (None, self.amount)

    def body(self) -> dict[str, Any]:
        found: dict[str, Any] = {"ref": self.ref, "title": self.ref, "instrument": "other"}
        found |= {"mission": {"ref": self.mission}, "status": self.status, "signed": self.signed}
        found |= {"bindingness": self.bindingness, "stands_for": self.stands_for}
        found["parties"] = [{"description": "A firm", "role": "signatory"}]
        if self.amount is not None:
            found |= {"amount": self.amount, "currency": self.currency, "amount_bound": self.bound}
            found |= {"amount_max": self.amount_max}
            found |= {"amount_period": "per_year"} if self.is_per_year else {}
        if self.related is not None:
            other, relation = self.related
            found["related"] = [{"agreement": {"ref": other}, "relation": relation}]
        return found


def deals_of(
    random: Random, count: int = 160, name: str = "fig", missions: tuple[str, ...] = IN_MISSIONS
) -> list[Deal]:
    found: list[Deal] = []
    for n in range(count):
        amount = random.choice([None, 1, 10, 10, 25, 100])
        related = None
        # A whole is of the same mission as often as not, and no chain is longer than three.
        if n % 4 == 3:
            relation = random.choice(["part_of", "part_of", "replaces", "follows"])
            related = (f"{name}-{n - random.choice([1, 2, 3])}", relation)
        status = random.choice([*STATUSES, "signed", "signed"])
        amount_max = None if amount is None else random.choice([None, None, amount, amount + 5])
        bound: str | None = random.choice(BOUNDS)
        if amount_max not in (None, amount) and bound in ("exact", "more_than"):
            bound = None
        deal = Deal(
            ref=f"{name}-{n}",
            mission=random.choice(missions),
            status=status,
            bindingness=random.choice([*BINDINGNESS, "binding", "binding"]),
            stands_for=random.choice([1, 1, 1, 12]),
            currency=None if amount is None else random.choice(["USD", "USD", "EUR"]),
            amount=amount,
            amount_max=amount_max,
            bound=bound,
            is_per_year=random.random() < 0.2,
            signed=None if status in YET_TO_SIGN else random.choice(DATES),
            is_gone=random.random() < 0.1,
            related=related,
        )
        found.append(deal)
    return with_replaced(found)


def with_replaced(deals: list[Deal]) -> list[Deal]:
    """The deals, knowing which of them others that stand replace."""
    by = {deal.related for deal in deals if deal.related and deal.stands and not deal.is_gone}
    return [replace(deal, is_replaced=(deal.ref, "replaces") in by) for deal in deals]


CLAIMED = ("normal", "normal", "preferred", "deprecated")


def totals_of(random: Random) -> list[dict[str, Any]]:
    return [
        {
            "ref": f"fig-total-{n}",
            "mission": {"ref": random.choice(["fig-a", "fig-b"])},
            "measure": "amount",
            "value": random.choice([5, 5, 7]),
            "currency": random.choice(["USD", "EUR"]),
            "scope": random.choice([None, "forum", "food", "steel"]),
            "rank": random.choice(CLAIMED),
            "bound": random.choice(["exact", "exact", "at_least"]),
        }
        for n in range(30)
    ]


@pytest.fixture(scope="module")
def random() -> Random:
    return Random(14)


@pytest.fixture(scope="module")
def deals(random: Random) -> list[Deal]:
    return deals_of(random)


@pytest.fixture(scope="module")
def reported(random: Random, deals: list[Deal]) -> list[dict[str, Any]]:
    return totals_of(random)


async def enter(client: httpx.AsyncClient, deals: list[Deal], totals: list[Any]) -> None:
    if (await client.get("/missions/fig-a")).is_success:
        return
    missions: list[dict[str, Any]] = []
    for ref, above in MISSIONS.items():
        body: dict[str, Any] = {"ref": ref, "title": ref, "kind": "forum"}
        missions.append(body | ({"parent": {"ref": above}} if above else {}))
    gone = [deal.ref for deal in deals if deal.is_gone]
    for path, bodies in (
        ("missions", missions),
        ("agreements", [deal.body() for deal in deals]),
        ("reported-totals", totals),
    ):
        operations = [{"op": "create", "body": body} for body in bodies]
        await send_good(client, f"/{path}/bulk", json={"operations": operations})
    for ref in gone:
        assert (await client.delete(f"/agreements/{ref}")).is_success


async def read(client: httpx.AsyncClient, address: str) -> Any:
    answer = await client.get(address)
    assert answer.status_code == 200, answer.text
    return json_codec.loads(answer.content)


# The model


def journey(mission: str) -> set[str]:
    below = {ref for ref, above in MISSIONS.items() if above == mission}
    return {mission}.union(*(journey(ref) for ref in below))


def pairs(deals: list[Deal], relation: str) -> set[tuple[str, str]]:
    """What is held, and what holds it, also by way of others."""
    found: set[tuple[str, str]] = set()
    for deal in deals:
        if deal.related is not None and deal.related[1] == relation:
            other = deal.related[0]
            if relation == "part_of":
                found.add((deal.ref, other))
            elif deal.stands:
                found.add((other, deal.ref))
    for _ in range(3):
        found |= {(a, d) for a, b in found for c, d in found if b == c}
    return found


def why_left_out(
    every: list[Deal], counted: list[Deal], key: Key, is_lifted: bool = False
) -> dict[str, str]:
    """The deals that are not added, by ref."""
    there = {
        deal.ref: deal
        for deal in counted
        if deal.amount is not None and (is_lifted or not deal.is_per_year)
    }
    parts, replaced = pairs(every, "part_of"), pairs(every, "replaces")
    found: dict[str, str] = {}
    for deal in counted:
        if deal.amount is None:
            continue
        if deal.is_per_year and not is_lifted:
            found[deal.ref] = "per_year"
        elif any(held == deal.ref and holder in there for held, holder in replaced):
            found[deal.ref] = "replaced"
        elif any(
            held == deal.ref and holder in there and key(there[holder]) == key(deal)
            for held, holder in parts
        ):
            found[deal.ref] = "parts"
    return found


def added_up(values: Iterable[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def sums(deals: list[Deal]) -> dict[str, int | None]:
    ends = [deal.limits[1] for deal in deals]
    return {
        "amount": added_up(deal.amount for deal in deals),
        "at_least": added_up(deal.limits[0] for deal in deals),
        "at_most": None if None in ends else added_up(ends),
        "not_exact": sum(deal.stands_for for deal in deals if not deal.is_exact),
    }


def order(value: Any) -> Any:
    return [(each is not None, each or "") for each in value]


def by(key: Key, deals: list[Deal]) -> list[tuple[Any, list[Deal]]]:
    ordered = sorted(deals, key=lambda deal: order(key(deal)))
    return [(found, list(group)) for found, group in groupby(ordered, key)]


def of_class(deal: Deal) -> tuple[Any, ...]:
    return deal.currency, deal.firmness, "year" if deal.is_per_year else None


def weigh(deals: Iterable[Deal]) -> int:
    return sum(deal.stands_for for deal in deals)


def summed(every: list[Deal], missions: set[str]) -> dict[str, Any]:
    """What a summary of these missions tells of their agreements."""
    deals = [deal for deal in every if deal.mission in missions and not deal.is_gone]
    left = why_left_out(every, deals, of_class, is_lifted=True)
    totals = []
    for (currency, firmness, per), group in by(of_class, [d for d in deals if d.amount]):
        added = [deal for deal in group if deal.ref not in left]
        total: dict[str, Any] = {"currency": currency, "firmness": firmness, "per": per}
        total |= sums(added)
        totals.append(total | {"agreements": weigh(added), "left_out": len(group) - len(added)})
    signed = [deal for deal in deals if deal.was_signed]
    return {
        "missions": len(missions),
        "records": len(deals),
        "agreements": weigh(deals),
        "signed_instruments": weigh(signed),
        "without_amount": weigh(deal for deal in deals if deal.amount is None),
        "undated": weigh(deal for deal in deals if deal.signed in (None, "XXXX-04-11")),
        "totals": totals,
        "parts": list(left.values()).count("parts"),
        "replaced": list(left.values()).count("replaced"),
        "by_firmness": {n: weigh(g) for n, g in by(lambda d: (d.firmness,), deals)},
        "signed_by_firmness": {n: weigh(g) for n, g in by(lambda d: (d.firmness,), signed)},
    }


async def test_a_summary_is_what_plain_python_makes_of_its_agreements(
    client: httpx.AsyncClient, deals: list[Deal], reported: list[Any]
) -> None:
    await enter(client, deals, reported)
    for mission in MISSIONS:
        for parts, missions in (("include", journey(mission)), ("exclude", {mission})):
            answer = await read(client, f"/missions/{mission}/summary?parts={parts}")
            answer |= {name: answer["left_out"][name] for name in ("parts", "replaced")}
            for name in ("by_firmness", "signed_by_firmness"):
                answer[name] = {(each,): n for each, n in answer[name].items() if n}
            expected = summed(deals, missions)
            assert {name: answer[name] for name in expected} == expected


@settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(random=st.integers(0, 2**32).map(Random), count=st.integers(4, 40))
async def test_so_is_that_of_whatever_few_agreements(
    client: httpx.AsyncClient, random: Random, count: int
) -> None:
    name = f"few-{uuid4().hex[:12]}"
    deals = deals_of(random, count, name, (name,))
    mission = {"ref": name, "title": name, "kind": "forum"}
    await send_good(client, "/missions", json=mission)
    operations = [{"op": "create", "body": deal.body()} for deal in deals]
    await send_good(client, "/agreements/bulk", json={"operations": operations})
    for deal in deals:
        if deal.is_gone:
            assert (await client.delete(f"/agreements/{deal.ref}")).is_success
    answer = await read(client, f"/missions/{name}/summary")
    answer |= {each: answer["left_out"][each] for each in ("parts", "replaced")}
    for each in ("by_firmness", "signed_by_firmness"):
        answer[each] = {(firmness,): n for firmness, n in answer[each].items() if n}
    expected = summed(deals, {name})
    assert {each: answer[each] for each in expected} == expected


KEYS: dict[str, Key] = {
    "currency": lambda deal: (deal.currency,),
    "currency,firmness": lambda deal: (deal.currency, deal.firmness),
    "currency,status": lambda deal: (deal.currency, deal.status),
    "mission.ref,currency": lambda deal: (deal.mission, deal.currency),
    "currency,amount_period": lambda deal: (
        deal.currency,
        "per_year" if deal.is_per_year and deal.amount is not None else None,
    ),
}
METRICS = "count,sum(amount),at_least(amount),at_most(amount),not_exact(amount)"
NAMES = {"amount": "sum_amount", "at_least": "at_least_amount", "at_most": "at_most_amount"}
NAMES |= {"not_exact": "not_exact_amount"}
FILTERS: dict[str, Callable[[Deal], bool]] = {
    "": lambda deal: True,
    "firmness=signed_binding": lambda deal: deal.firmness == "signed_binding",
    "status__in=signed,superseded": lambda deal: deal.status in ("signed", "superseded"),
    "mission__ref=fig-a": lambda deal: deal.mission == "fig-a",
}


async def test_an_aggregate_is_what_plain_python_makes_of_the_agreements(
    client: httpx.AsyncClient, deals: list[Deal], reported: list[Any]
) -> None:
    await enter(client, deals, reported)
    for keys, key in KEYS.items():
        for condition, holds in FILTERS.items():
            address = f"/agreements/aggregate?ref__startswith=fig-&{condition}&group_by={keys}"
            answer = await read(client, f"{address}&metrics={METRICS}")
            counted = [deal for deal in deals if holds(deal) and not deal.is_gone]
            left = why_left_out(deals, counted, key, "amount_period" in keys)
            expected = {}
            for found, group in by(key, counted):
                added = [d for d in group if d.amount is not None and d.ref not in left]
                figures = {NAMES[name]: value for name, value in sums(added).items()}
                expected[found] = {"count": weigh(group), **figures}
            told = {}
            for row in answer["data"]:
                told[tuple(row.pop(name.replace(".", "_")) for name in keys.split(","))] = row
            assert told == expected, (keys, condition)
            assert answer["records"] == len(counted)
            reasons = list(left.values())
            assert answer["left_out"] == {
                name: reasons.count(name) for name in ("per_year", "replaced", "parts")
            }


async def test_a_group_is_what_a_filter_leaves_of_it_and_the_sum_over_its_list(
    client: httpx.AsyncClient, deals: list[Deal], reported: list[Any]
) -> None:
    await enter(client, deals, reported)
    start = "/agreements/aggregate?ref__startswith=fig-"
    groups = await read(client, f"{start}&group_by=firmness&metrics={METRICS}&currency=USD")
    for group in groups["data"]:
        firmness = group.pop("firmness")
        alone = await read(client, f"{start}&currency=USD&firmness={firmness}&metrics={METRICS}")
        # What replaces another is of another class as often as not.
        if not groups["left_out"]["replaced"]:
            assert alone["data"] == [group]
        listed = await read(
            client,
            f"/agreements?ref__startswith=fig-&currency=USD&firmness={firmness}"
            "&limit=500&fields=stands_for",
        )
        assert group["count"] == sum(each["stands_for"] for each in listed["data"])


# Claims


def taken(claims: list[dict[str, Any]]) -> dict[str, Any] | None:
    ranks = ("preferred", "normal")
    best = next((r for r in ranks if any(c["rank"] == r for c in claims)), None)
    of_best = [claim for claim in claims if claim["rank"] == best]
    said = {(claim["value"], claim["bound"]) for claim in of_best}
    return of_best[0] if len(said) == 1 else None


def about(claim: dict[str, Any]) -> tuple[Any, ...]:
    return claim["mission"]["ref"], claim["currency"], claim["scope"]


async def test_of_claims_about_one_figure_one_is_taken_or_none(
    client: httpx.AsyncClient, deals: list[Deal], reported: list[dict[str, Any]]
) -> None:
    await enter(client, deals, reported)
    figures: dict[Any, list[dict[str, Any]]] = {}
    for claim in reported:
        figures.setdefault(about(claim), []).append(claim)
    address = "/reported-totals/aggregate?ref__startswith=fig-total&measure=amount"
    answer = await read(client, f"{address}&group_by=currency&metrics=sum(value),count")
    expected: dict[str, int | None] = {}
    for key, claims in sorted(figures.items(), key=lambda each: order(each[0])):
        chosen = taken(claims)
        before = expected.get(key[1])
        expected[key[1]] = added_up([before, chosen["value"] if chosen else None])
    assert {row["currency"]: row["sum_value"] for row in answer["data"]} == expected
    assert sum(row["count"] for row in answer["data"]) == len(reported)
    left = answer["left_out"]["repeated_claims"] + answer["left_out"]["rival_claims"]
    assert left == len(reported) - sum(taken(claims) is not None for claims in figures.values())

    summary = await read(client, "/missions/fig-b/summary")
    of_b = {key: claims for key, claims in figures.items() if key[0] == "fig-b"}
    told = {(figure["currency"], figure["scope"]): figure for figure in summary["reported"]}
    assert len(told) == len(of_b)
    for (_, currency, scope), claims in of_b.items():
        figure, chosen = told[currency, scope], taken(claims)
        values = [claim["value"] for claim in claims]
        assert figure["value"] == (chosen and chosen["value"])
        assert (figure["lowest"], figure["highest"]) == (min(values), max(values))
        assert (figure["claims"], figure["rival_claims"]) == (
            len(claims),
            0 if chosen else len(claims),
        )
    assert summary["left_out"]["rival_claims"] + summary["left_out"]["repeated_claims"] == sum(
        len(claims) - (taken(claims) is not None) for claims in of_b.values()
    )


# What is asked wrongly


async def test_limits_are_of_what_can_be_a_limit(client: httpx.AsyncClient) -> None:
    for path, metric in (
        ("agreements", "at_least(stands_for)"),
        ("agreements", "at_most(amount_max)"),
        ("outcomes", "not_exact(actual_amount)"),
        ("agreements", "at_least(title)"),
    ):
        answer = await client.get(f"/{path}/aggregate?metrics={metric}&group_by=currency")
        assert answer.status_code == 400, metric
        assert metric.partition("(")[2].rstrip(")") in answer.json()["detail"]


async def test_limits_can_be_sorted_and_chosen_by(
    client: httpx.AsyncClient, deals: list[Deal], reported: list[Any]
) -> None:
    await enter(client, deals, reported)
    start = "/agreements/aggregate?ref__startswith=fig-&group_by=currency,firmness"
    asked = "metrics=at_least(amount),not_exact(amount)&sort=-at_least_amount"
    every = (await read(client, f"{start}&{asked}"))["data"]
    known = [row["at_least_amount"] for row in every if row["at_least_amount"] is not None]
    assert known == sorted(known, reverse=True)
    some = await read(client, f"{start}&{asked}&having=at_least_amount gt 50.5")
    assert [row["at_least_amount"] for row in some["data"]] == [
        value for value in known if value > Decimal("50.5")
    ]
