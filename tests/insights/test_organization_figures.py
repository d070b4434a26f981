"""Organizations that were in several missions: beside a count in plain Python."""

import csv
import io
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

import httpx

from tests.insights.test_mission_figures import (
    DEFAULT_STATUS,
    ORGANIZATIONS,
    Body,
    class_of,
    entered,
    told,
)


async def figures(client: httpx.AsyncClient, **query: Any) -> list[Body]:
    asked = {"ref__startswith": "figures-", "min_missions": 1, **query}
    answer = await client.get("/insights/organizations", params=asked)
    assert answer.status_code == 200, answer.text
    found: list[Body] = answer.json()["data"]
    return found


def roles(mission: Body) -> Iterator[tuple[str, str]]:
    """Who was in a mission, as what."""
    for each in mission.get("participations", ()):
        yield each["organization"]["ref"], each["role"]
    for each in mission.get("delegates", ()):
        yield each["organization"]["ref"], "employer"
    for each in mission.get("statements", ()):
        yield each["on_behalf_of"]["ref"], "speaker"
    for agreement in mission.get("agreements", ()):
        yield agreement["parties"][0]["organization"]["ref"], "party"


def journey(mission: Body, made: list[Body]) -> str:
    by_ref = {each["ref"]: each for each in made}
    while "parent" in mission:
        mission = by_ref[mission["parent"]["ref"]]
    return str(mission["ref"])


def classed(body: Body) -> Iterator[str]:
    """The figures that an agreement counts in."""
    status: str = body.get("status") or DEFAULT_STATUS[body["instrument"]]
    yield from ("agreements", class_of(body))
    if status in ("in_force", "completed"):
        yield status
    was_signed = status in ("signed", "in_force") or (status == "cancelled" and body["signed"])
    if was_signed and body["instrument"] not in DEFAULT_STATUS:
        yield "signed"
    if "amount" not in body:
        yield "without_amount"


def right(missions: list[Body], made: list[Body]) -> dict[str, Counter[str]]:
    """What the list should have of these missions."""
    journeys: dict[tuple[str, str], set[str]] = defaultdict(set)
    found = {f"figures-{number}": Counter[str]() for number in range(len(ORGANIZATIONS))}
    for mission in missions:
        for ref, role in roles(mission):
            names = (f"as_{role}",) if role == "speaker" else (f"as_{role}", "missions")
            for name in names:
                journeys[ref, name].add(journey(mission, made))
        for body in mission.get("agreements", ()):
            for name in classed(body):
                found[body["parties"][0]["organization"]["ref"]][name] += body["stands_for"]
    for (ref, name), several in journeys.items():
        found[ref][name] = len(several)
    return {ref: each for ref, each in found.items() if each["missions"]}


async def test_each_organization_has_the_missions_roles_and_outcomes_that_a_count_finds(
    client: httpx.AsyncClient,
) -> None:
    made = await entered(client)
    assert {row["ref"]: told(row) for row in await figures(client)} == right(made, made)
    russian = [m for m in made if {"country": "RU"} in m["stops"]]
    rows = await figures(client, mission_country="RU")
    assert {row["ref"]: told(row) for row in rows} == right(russian, made)


async def test_a_period_tells_apart_missions_that_may_lie_in_it(client: httpx.AsyncClient) -> None:
    made = await entered(client)
    for first, last, within in (
        ("2016-05", "2017", "2017"),
        ("2016", "2017-06", "2016-04-11/2016-04-13"),
    ):
        expected = right([m for m in made if m["dates"] == within], made)
        may_be = ("XXXX-04", None, *(["2017"] if last == "2017-06" else []))
        for ref, each in right([m for m in made if m["dates"] in may_be], made).items():
            if ref in expected:
                expected[ref]["perhaps"] = each["missions"]
        rows = await figures(client, **{"from": first, "to": last})
        assert {row["ref"]: told(row) for row in rows} == expected


async def test_only_those_in_several_missions_are_listed_most_first(
    client: httpx.AsyncClient,
) -> None:
    made = await entered(client)
    known = {ref: each["missions"] for ref, each in right(made, made).items()}
    least = sorted(known.values())[1]
    rows = await figures(client, min_missions=least)
    assert {r["ref"]: r["missions"] for r in rows} == {
        ref: missions for ref, missions in known.items() if missions >= least
    }
    assert [row["missions"] for row in rows] == sorted(known.values(), reverse=True)[: len(rows)]
    assert [r["ref"] for r in await figures(client, as_party__gte=1, kind="bank")] == ["figures-2"]
    answer = await client.get("/insights/organizations?ref=figures-2")
    assert len(answer.json()["data"]) == int(known["figures-2"] >= 2)


async def test_amounts_are_the_sums_of_agreements_in_the_list(client: httpx.AsyncClient) -> None:
    """Of those agreements that no other has in it: what is left out is told."""
    await entered(client)
    for row in await figures(client, currency="EUR"):
        chosen = f"parties__organization_id={row['id']}&currency=EUR&mission_id__isnull=false"
        metrics = "group_by=firmness&metrics=sum(amount)"
        answer = await client.get(f"/agreements/aggregate?{chosen}&{metrics}")
        sums = {f"amount_{g['firmness']}": g["sum_amount"] for g in answer.json()["data"]}
        sums.pop("amount_replaced", None)
        assert {n: v for n, v in row.items() if n.startswith("amount_") and v is not None} == {
            name: value for name, value in sums.items() if value is not None
        }


async def test_the_list_can_be_had_as_csv(client: httpx.AsyncClient) -> None:
    await entered(client)
    answer = await client.get("/insights/organizations.csv?ref__startswith=figures-&min_missions=1")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert rows == [
        {name: "" if value is None else str(value) for name, value in row.items()}
        for row in await figures(client)
    ]


async def test_what_is_wrong_is_told_with_what_would_be_right(client: httpx.AsyncClient) -> None:
    wrong = {}
    for sent, words in {
        "min_missions=0": "min_missions",
        "mission_country=XX": "is not a country code",
        "from=2017&to=2016": "ends before",
        "sort=mission": "Did you mean 'missions'",
        "as_partys=1": "as_party",
    }.items():
        answer = await client.get(f"/insights/organizations?{sent}")
        if answer.status_code != 400 or words not in answer.text:
            wrong[sent] = answer.text
    assert wrong == {}
