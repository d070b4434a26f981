"""Figures tell how many records they leave out because these are withheld, and nothing of them."""

from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from app.core import json_codec
from tests.missions.ways import send_good

Body = dict[str, Any]
PARTIES = [{"description": "A firm", "role": "signatory"}]


@pytest.fixture
async def public(shared_app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(shared_app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as reader:
        yield reader


def deal(ref: str, **also: Any) -> Body:
    body = {"ref": ref, "title": ref, "instrument": "supply_contract", "parties": PARTIES}
    return body | {"mission": {"ref": "veiled"}, "signed": "2020-05-01"} | also


DEAL = {"title": "D", "instrument": "supply_contract", "parties": PARTIES}
DEALS = (
    deal("veiled-1", amount=1, currency="USD"),
    deal("veiled-2", amount=2, currency="USD", withheld=["amount"]),
    deal("veiled-3", amount=4, currency="USD", confidential=True),
    deal("veiled-4", amount=8, currency="EUR", confidential=True, signed="2021"),
)


async def entered(client: httpx.AsyncClient) -> None:
    for ref, more in (("veiled", {}), ("veiled-whole", {"confidential": True})):
        body = {"ref": ref, "title": ref, "kind": "forum", **more}
        await send_good(client, "/missions", json=body)
    body = {"ref": "veiled-firm", "name": "Veiled", "kind": "bank", "confidential": True}
    await send_good(client, "/organizations", json=body)
    operations = [{"op": "create", "body": body} for body in DEALS]
    await send_good(client, "/agreements/bulk", json={"operations": operations})


async def read(client: httpx.AsyncClient, address: str, path: str) -> int:
    """The number at this path of the answer; 0 where it is not there yet."""
    answer = await client.get(address)
    assert answer.status_code == 200, answer.text
    found = json_codec.loads(answer.content)
    for step in path.split():
        if step.isdigit() and not found:
            return 0
        found = found[int(step) if step.isdigit() else step]
    return int(found)


async def header(client: httpx.AsyncClient, address: str) -> Counter[str]:
    answer = await client.get(address)
    pairs = answer.headers.get("withheld-records", "none=0").split(", ")
    return Counter({name: int(count) for name, _, count in (each.partition("=") for each in pairs)})


ANSWERS = {
    ("/agreements/aggregate", "withheld"): 2,
    ("/agreements/aggregate?currency=EUR&signed__gte=2021", "withheld"): 2,
    ("/agreements/aggregate?q=veiled&group_by=status", "withheld"): 2,
    ("/agreements/aggregate?metrics=count(amount)", "withheld_values amount"): 1,
    ("/agreements/aggregate?group_by=currency", "withheld_values currency"): 1,
    ("/missions/aggregate?metrics=count", "withheld"): 1,
    ("/people/aggregate", "withheld"): 0,
    # A bank: what is withheld of companies alone would tell that it is none.
    ("/companies/aggregate", "withheld"): 1,
    ("/insights/conversion?status=cancelled", "left_out withheld"): 2,
    ("/insights/missions?limit=1", "withheld agreements"): 2,
    ("/insights/missions?ref=veiled", "withheld missions"): 1,
    ("/insights/missions?ref=veiled", "data 0 withheld"): 2,
    ("/insights/missions?ref=veiled&as_of=-0d", "data 0 withheld"): 2,
    ("/insights/organizations?kind=bank", "withheld organizations"): 1,
}
FILES = {
    "/agreements/aggregate.csv?currency=EUR": {"agreements": 2},
    "/people/aggregate.csv": {},
    "/insights/missions.csv": {"missions": 1, "agreements": 2},
    "/insights/organizations.csv": {"organizations": 1, "missions": 1, "agreements": 2},
}


async def test_a_mission_has_the_same_figures_in_its_summary_and_among_all_missions(
    client: httpx.AsyncClient, public: httpx.AsyncClient
) -> None:
    leg: Body = {"parent": {"ref": "whole-visit"}}
    missions: dict[str, Body] = {
        "whole-visit": {},
        "hidden-leg": leg | {"confidential": True},
        "shown-leg": leg,
    }
    for ref, more in missions.items():
        body: Body = {"ref": ref, "title": ref, "kind": "forum", **more}
        await send_good(client, "/missions", json=body)
    money = {"amount": 2, "currency": "USD"}
    deals = [
        deal("visit-1", mission={"ref": "whole-visit"}, withheld=["amount"], **money),
        deal("visit-2", mission={"ref": "shown-leg"}, withheld=["signed"], stands_for=3, **money),
        deal("visit-3", mission={"ref": "hidden-leg"}, **money),
        deal("visit-4", mission={"ref": "whole-visit"}, confidential=True),
        deal("visit-5", mission={"ref": "shown-leg"}, signed=None),
    ]
    claims = [
        {"measure": "amount", "value": 5, "currency": "USD", "mission": {"ref": "hidden-leg"}}
    ]
    about: Body = {"note": "Told", "actual_amount": 1, "currency": "USD"}
    outcomes = [
        {"agreement": {"ref": "visit-1"}, **about, "confidential": True},
        {"agreement": {"ref": "visit-2"}, **about, "withheld": ["actual_amount"]},
        {"agreement": {"ref": "visit-4"}, **about},
    ]
    for path, bodies in (
        ("agreements", deals),
        ("reported-totals", claims),
        ("outcomes", outcomes),
    ):
        operations = [{"op": "create", "body": body} for body in bodies]
        await send_good(client, f"/{path}/bulk", json={"operations": operations})
    names = ("agreements", "without_amount", "undated")
    hidden = ("withheld_amounts", "withheld_dates", "withheld")
    told: dict[tuple[str, str], tuple[int, ...]] = {}
    for who, reader in (("public", public), ("office", client)):
        for parts in ("include", "exclude"):
            summary = (await reader.get(f"/missions/whole-visit/summary?parts={parts}")).json()
            rows = (await reader.get(f"/insights/missions?ref=whole-visit&parts={parts}")).json()
            (row,) = rows["data"]
            figures = {name: summary[name] for name in (*names, *hidden)}
            assert {name: row[name] for name in figures} == figures, (who, parts)
            left = summary["left_out"]
            told[who, parts] = (
                *figures.values(),
                left["withheld_claims"],
                left["withheld_outcomes"],
            )
    assert told == {
        ("public", "include"): (7, 1, 1, 1, 3, 2, 1, 2),
        ("public", "exclude"): (2, 0, 0, 1, 0, 1, 0, 1),
        ("office", "include"): (7, 2, 1, 0, 0, 0, 0, 0),
        ("office", "exclude"): (2, 1, 0, 0, 0, 0, 0, 0),
    }


async def test_a_claim_about_what_is_withheld_is_not_held_against_the_whole_mission(
    client: httpx.AsyncClient, public: httpx.AsyncClient
) -> None:
    await send_good(client, "/missions", json={"ref": "told", "title": "Told", "kind": "forum"})
    money = {"mission": {"ref": "told"}, "amount": 7, "currency": "USD"}
    for body in (deal("told-1", **money), deal("told-2", confidential=True, **money)):
        await send_good(client, "/agreements", json=body)
    said = {"predicate": "values", "paraphrase": "Worth 7", "modality": "fact", **money}
    await send_good(client, "/statements", json={**said, "agreement": {"ref": "told-2"}})
    found: list[Any] = []
    for reader in (client, public):
        answer = (await reader.get("/missions/told/reconciliation")).json()
        ((claim,),) = [figure["claims"] for figure in answer["figures"]]
        found.append((claim["comparison"], [each["reason"] for each in claim["reasons"]]))
    assert found == [("agrees", []), ("not_comparable", ["withheld"])]


async def test_what_is_withheld_of_an_agreement_is_not_told_as_what_nobody_states(
    client: httpx.AsyncClient, public: httpx.AsyncClient
) -> None:
    """Nor does it hide how many there are of which nothing is stated."""
    money = {"amount": 5, "currency": "USD"}
    claim = {"measure": "amount", "value": 9, "currency": "USD", "as_of": "2020-06"}
    body = {
        "ref": "unstated",
        "title": "M",
        "kind": "forum",
        "reported_totals": [claim],
        "agreements": [
            DEAL | money | {"signed": "2020-05", "withheld": ["signed"]},
            DEAL | money | {"signed": "2020-05", "withheld": ["amount"]},
            DEAL | {"stands_for": 3},
            DEAL | money | {"status": "cancelled", "withheld": ["amount"]},
        ],
    }
    await send_good(client, "/missions", json=body)
    found: list[Any] = []
    for reader in (client, public):
        answer = (await reader.get("/missions/unstated/reconciliation")).json()
        ((claimed,),) = [figure["claims"] for figure in answer["figures"]]
        counts = {each["reason"]: each["count"] for each in claimed["reasons"]}
        found.append([counts.get(name) for name in ("without_amount", "undated", "withheld")])
    assert found == [[3, 3, None], [3, 3, 1]]


async def test_every_figure_tells_how_much_is_withheld_from_who_asks_whatever_is_asked(
    client: httpx.AsyncClient, public: httpx.AsyncClient
) -> None:
    before = {each: await read(public, *each) for each in ANSWERS}
    files = {address: await header(public, address) for address in FILES}
    await entered(client)
    wrong: list[Any] = []
    for each, more in ANSWERS.items():
        found = await read(public, *each) - before[each], await read(client, *each)
        if found != (more, 0):
            wrong.append((each, found, more))
    for address, counts in FILES.items():
        told = await header(public, address) - files[address], await header(client, address)
        if told != (counts, {"none": 0}):
            wrong.append((address, told, counts))
    assert not wrong
