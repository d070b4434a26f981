"""Figures of whatever few agreements against plain Python, on both databases."""

from decimal import Decimal
from itertools import product
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st

from app.core import json_codec
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


async def test_a_part_is_left_out_however_many_lie_between_it_and_its_whole(
    client: httpx.AsyncClient,
) -> None:
    money = {
        "amount": 5,
        "currency": "USD",
        "instrument": "supply_contract",
        "parties": [{"description": "A firm", "role": "signatory"}],
    }
    for at in range(7):
        whole = {"agreement": {"ref": f"chain-{at - 1}"}, "relation": "part_of"}
        body = {
            "ref": f"chain-{at}",
            "title": "A part",
            "related": [whole][: 1 if at else 0],
            **money,
        }
        answer = await client.post("/agreements", json=body)
        assert answer.status_code == 201, answer.text
    address = "/agreements/aggregate?group_by=currency&metrics=sum(amount)&ref__in=chain-0,chain-6"
    answer = (await client.get(address)).json()
    assert (answer["data"][0]["sum_amount"], answer["left_out"]["parts"]) == (5, 1)


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
