"""Figures of whatever few agreements against plain Python, on both databases."""

from collections.abc import Callable
from decimal import Decimal
from itertools import product
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st

from app.core import json_codec
from app.engine.figure_rules import MAX_LEVELS
from tests.drawing import drawing
from tests.insights.deals import STATUSES, Deal, Deals, Figures
from tests.insights.drawn_deals import entered, questions, sets
from tests.insights.figures_of_deals import Asked, answered, name_of, summed


async def read(client: httpx.AsyncClient, address: str) -> Any:
    answer = await client.get(address)
    assert answer.status_code == 200, (address, answer.text)
    return json_codec.loads(answer.content)


def without_none(counts: dict[str, int]) -> dict[str, int]:
    return {name: count for name, count in counts.items() if count}


def by_keys(rows: list[Figures], *names: str) -> dict[Any, Figures]:
    return {tuple(row.pop(name) for name in names): row for row in rows}


def told(summary: Figures) -> Figures:
    """The summary as the model has it."""
    found = summary | {
        "totals": by_keys(summary["totals"], "currency", "firmness", "per"),
        "realised": by_keys(summary["realised"], "currency", "amount_scope"),
    }
    for name in ("by_firmness", "signed_by_firmness", "by_status", "by_bindingness"):
        found[name] = without_none(summary[name])
    return found | {
        name: summary["left_out"][name] for name in ("parts", "replaced", "earlier_outcomes")
    }


@pytest.fixture
async def anybody(shared_app: FastAPI) -> Any:
    """A client without a key."""
    transport = httpx.ASGITransport(shared_app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as reader:
        yield reader


@drawing(8)
@given(drawn=sets(), asked=st.lists(questions(), min_size=3, max_size=5))
async def test_summaries_and_aggregates_are_what_plain_python_makes_of_the_agreements(
    client: httpx.AsyncClient, anybody: httpx.AsyncClient, drawn: Deals, asked: list[Asked]
) -> None:
    every = await entered(client, drawn)
    for reader, view in ((client, every), (anybody, every.for_public())):
        for leg in view.legs:
            for parts in ("include", "exclude") if not leg.is_gone else ():
                summary = told(await read(reader, f"/missions/{leg.ref}/summary?parts={parts}"))
                expected = summed(view, leg.ref, parts == "include")
                assert {name: summary[name] for name in expected} == expected
        for question in asked:
            if question.with_trash and reader is anybody:
                continue
            answer = await read(reader, question.address(every.name))
            answer["data"] = by_keys(answer["data"], *map(name_of, question.keys))
            expected = answered(view, question)
            assert {name: answer[name] for name in expected} == expected


# What is asked wrongly


_CONTRACT = {
    "title": "A part",
    "amount": 5,
    "currency": "USD",
    "instrument": "supply_contract",
    "parties": [{"description": "A firm", "role": "signatory"}],
}
_TOTAL = {"mission": {"ref": "deep"}, "measure": "amount", "value": 5, "currency": "USD"}
#: What names another of its kind, the ref of which is given: its path and metric, what one is left
#: out as that the other holds, and how it is written.
_CHAINS: dict[str, tuple[str, str, str, Callable[[str | None], Figures]]] = {
    "part": ("agreements", "amount", "parts", lambda ref: _related("part_of", ref)),
    "new": ("agreements", "amount", "replaced", lambda ref: _related("replaces", ref)),
    "claim": (
        "reported-totals",
        "value",
        "parts",
        lambda ref: _TOTAL | ({} if ref is None else {"part_of": {"ref": ref}}),
    ),
}


def _related(relation: str, ref: str | None) -> Figures:
    related = [] if ref is None else [{"agreement": {"ref": ref}, "relation": relation}]
    return _CONTRACT | {"related": related}


async def _chained(client: httpx.AsyncClient, name: str, length: int) -> httpx.Response:
    """So many in a row, each of which names the one before."""
    path, _, _, body = _CHAINS[name]
    refs = [f"{name}-{length}-{at}" for at in range(length)]
    pairs = zip([None, *refs], refs, strict=False)
    creates = [{"op": "create", "body": {"ref": ref, **body(before)}} for before, ref in pairs]
    return await client.post(f"/{path}/bulk", json={"operations": creates})


@pytest.fixture
async def deep(client: httpx.AsyncClient) -> None:
    """A mission with claims, once for all tests."""
    mission = {"ref": "deep", "title": "Deep", "kind": "forum"}
    once = {"operations": [{"op": "upsert", "body": mission}]}
    assert (await client.post("/missions/bulk", json=once)).status_code == 200


@pytest.mark.usefixtures("deep")
@pytest.mark.parametrize("name", _CHAINS)
async def test_what_another_holds_is_left_out_however_many_lie_between(
    client: httpx.AsyncClient, name: str
) -> None:
    path, field, reason, _ = _CHAINS[name]
    answer = await _chained(client, name, MAX_LEVELS)
    assert answer.status_code == 200, answer.text
    ends = f"{name}-{MAX_LEVELS}-0,{name}-{MAX_LEVELS}-{MAX_LEVELS - 1}"
    keys = "measure,currency" if name == "claim" else "currency"
    address = f"/{path}/aggregate?group_by={keys}&metrics=sum({field})&ref__in={ends}"
    answer = await read(client, address)
    assert (answer["data"][0][f"sum_{field}"], answer["left_out"][reason]) == (5, 1)


@pytest.mark.usefixtures("deep")
@pytest.mark.parametrize("name", _CHAINS)
async def test_more_levels_than_sums_see_through_are_refused(
    client: httpx.AsyncClient, name: str
) -> None:
    path, *_, body = _CHAINS[name]
    pointer = "/part_of_id" if name == "claim" else "/related"
    answer = await _chained(client, name, MAX_LEVELS + 1)
    (fault,) = answer.json()["errors"]
    at = f"/operations/{MAX_LEVELS}/body{pointer}"
    assert (answer.status_code, fault["code"], fault["pointer"]) == (422, "too_deep", at)
    assert f"at most {MAX_LEVELS} " in fault["detail"].lower()
    # What lies below goes with it: half of them under the last of the other half and one more.
    half, more = MAX_LEVELS // 2, MAX_LEVELS // 2 + 1
    for length in (half, more):
        assert (await _chained(client, name, length)).status_code == 200
    for last, status in ((half - 1, 422), (half - 2, 200)):
        change = body(f"{name}-{half}-{last}")
        answer = await client.patch(f"/{path}/{name}-{more}-0", json=change)
        assert answer.status_code == status, answer.text


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


async def test_limits_can_be_sorted_and_chosen_by(client: httpx.AsyncClient) -> None:
    bounds = ("exact", "at_least", "at_most", "approximately")
    deals = (
        Deal(f"limits-{n}", status=status, amount=Decimal(20 * n), currency="USD", bound=bound)
        for n, (status, bound) in enumerate(product(STATUSES, bounds))
    )
    every = await entered(client, Deals("limits", (), tuple(deals)))
    start = f"/agreements/aggregate?ref__startswith={every.name}-&group_by=currency,firmness"
    asked = "metrics=at_least(amount),not_exact(amount)&sort=-at_least_amount"
    found = (await read(client, f"{start}&{asked}"))["data"]
    known = [row["at_least_amount"] for row in found if row["at_least_amount"] is not None]
    assert known == sorted(known, reverse=True)
    middle = known[1]
    some = await read(client, f"{start}&{asked}&having=at_least_amount ge {middle}")
    assert [row["at_least_amount"] for row in some["data"]] == known[:2]
