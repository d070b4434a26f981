"""Missions with their figures, as a list: beside a count in plain Python."""

import csv
import io
from collections import Counter
from functools import cache
from random import Random
from typing import Any

import httpx
import pytest

Body = dict[str, Any]
ORGANIZATIONS = ("company", "company", "bank", "company")
REMARK = {"predicate": "plans", "paraphrase": "x", "modality": "plan"}
DATES = ("2016-04-11/2016-04-13", "2017", "XXXX-04", None)
STOPS: tuple[list[Body], ...] = ([{"country": "RU"}], [{"country": "KZ"}, {"country": "RU"}], [])
INSTRUMENTS = ("supply_contract", "memorandum_of_understanding", "announced_plan", "office_opening")
DEFAULT_STATUS = {"announced_plan": "announced", "office_opening": "completed"}
CLASSES = {
    "supply_contract": "signed_binding",
    "memorandum_of_understanding": "signed_not_binding",
    "announced_plan": "announced",
    "office_opening": "accomplished",
}


def invented() -> list[Body]:
    """Nine missions, some of them parts of others, with what belongs to each."""
    chance = Random(5)
    missions: list[Body] = []
    for number in range(9):
        mission: Body = {"ref": f"figures-{number}", "title": f"M {number}", "kind": "forum"}
        mission |= {"dates": DATES[number % 4], "stops": STOPS[number % 3]}
        if number in (4, 5, 6):
            mission["parent"] = {"ref": f"figures-{ {4: 1, 5: 4, 6: 1}[number] }"}
        if number not in (0, 4):
            mission |= _belongings(number, chance)
        missions.append(mission)
    return missions


def _belongings(number: int, chance: Random) -> Body:
    def organization() -> Body:
        return {"ref": f"figures-{chance.randrange(len(ORGANIZATIONS))}"}

    agreements: list[Body] = []
    for at in range(chance.randrange(9)):
        instrument = chance.choice((*INSTRUMENTS, "supply_contract", "supply_contract"))
        body: Body = {
            "ref": f"figures-{number}-{at}",
            "title": "A",
            "instrument": instrument,
            "stands_for": chance.choice((1, 2)),
            "parties": [
                {"organization": organization(), "role": "signatory"},
                {"description": "somebody", "role": "signatory"},
            ],
        }
        if chance.random() < 0.7:
            body |= {"amount": at + chance.choice((1, 0.25, 9_876_543_210)), "currency": "USD"}
            body |= chance.choice(({}, {"amount_bound": "at_least"}, {"amount_period": "per_year"}))
            body |= {} if chance.random() < 0.7 else {"currency": "EUR"}
        if agreements and chance.random() < 0.4:
            relation = chance.choice(("part_of", "replaces"))
            body["related"] = [{"agreement": {"ref": agreements[-1]["ref"]}, "relation": relation}]
        if instrument not in DEFAULT_STATUS:
            body["status"] = chance.choice(("negotiated", "signed", "in_force", "cancelled"))
            dates = (None,) if body["status"] == "negotiated" else ("2016-04", "XXXX-04", None)
            body["signed"] = chance.choice(dates)
        agreements.append(body)
    return {
        "events": [{"kind": "meeting", "title": "E"}] * chance.randrange(3),
        "participations": [{"organization": organization(), "role": "host"}] * chance.randrange(3),
        "delegates": [
            {
                "description": "a minister",
                "organization": organization(),
                "side": "host",
                "capacity": "speaker",
            }
            for _ in range(chance.randrange(3))
        ],
        "agreements": agreements,
        "statements": [REMARK | {"on_behalf_of": organization()}] * chance.randrange(2),
    }


async def entered(client: httpx.AsyncClient) -> list[Body]:
    made = invented()
    if (await client.get("/missions/figures-0")).status_code == 200:
        return made
    for number, kind in enumerate(ORGANIZATIONS):
        body = {"ref": f"figures-{number}", "kind": kind, "name": f"O {number}"}
        assert (await client.post("/organizations", json=body)).status_code == 201
    for mission in made:
        answer = await client.post("/missions", json=mission)
        assert answer.status_code == 201, answer.text
    # What is in the trash does not count.
    body = {
        "title": "gone",
        "instrument": "supply_contract",
        "parties": made[1]["agreements"][0]["parties"],
    }
    gone = await client.post("/missions/figures-1/agreements", json=body)
    assert (await client.delete(f"/agreements/{gone.json()['id']}")).status_code == 204
    return made


def _own_class(body: Body) -> str:
    status = body.get("status", DEFAULT_STATUS.get(body["instrument"]))
    fallen: dict[Any, str] = {"cancelled": "fallen_through", "negotiated": "announced"}
    return fallen.get(status, CLASSES[body["instrument"]])


@cache
def _replaced() -> frozenset[str]:
    """The agreements that others which stand replace."""
    every = [body for mission in invented() for body in mission.get("agreements", ())]
    standing = [b for b in every if _own_class(b) not in ("fallen_through", "announced")]
    related = (each for body in standing for each in body.get("related", ()))
    return frozenset(e["agreement"]["ref"] for e in related if e["relation"] == "replaces")


def class_of(body: Body) -> str:
    return "replaced" if body["ref"] in _replaced() else _own_class(body)


def counted(missions: list[Body]) -> Counter[str]:
    """What came of a mission and its parts."""
    found: Counter[str] = Counter()
    organizations: set[str] = set()
    for mission in missions:
        found["legs"] += 1
        for name in ("events", "participations", "delegates"):
            found[name] += len(mission.get(name, ()))
            organizations |= {
                each["organization"]["ref"]
                for each in mission.get(name, ())
                if "organization" in each
            }
        for body in mission.get("agreements", ()):
            count, status = (
                body["stands_for"],
                body.get("status", DEFAULT_STATUS.get(body["instrument"])),
            )
            is_act = body["instrument"] in DEFAULT_STATUS
            was_signed = status in ("signed", "in_force") or (
                status == "cancelled" and body["signed"]
            )
            found["agreements"] += count
            found[class_of(body)] += count
            found["signed"] += count if was_signed and not is_act else 0
            found[status] += count if status in ("in_force", "completed") else 0
            found["without_amount"] += 0 if "amount" in body else count
            found["undated"] += 0 if body.get("signed") == "2016-04" else count
            organizations |= {
                p["organization"]["ref"] for p in body["parties"] if "organization" in p
            }
    found["legs"] -= 1
    found["organizations"] = len(organizations)
    found["companies"] = len(organizations - {"figures-2"})
    return +found


def right(made: list[Body], *, with_parts: bool) -> dict[str, Counter[str]]:
    parents = {m["ref"]: m["parent"]["ref"] for m in made if "parent" in m}

    def lies_under(mission: Body, ref: str) -> bool:
        at = mission["ref"]
        while at != ref and at in parents and with_parts:
            at = parents[at]
        return bool(at == ref)

    return {m["ref"]: counted([each for each in made if lies_under(each, m["ref"])]) for m in made}


async def figures(client: httpx.AsyncClient, **query: Any) -> dict[str, Any]:
    answer = await client.get("/insights/missions", params={"ref__startswith": "figures-", **query})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def told(row: Body) -> Counter[str]:
    return +Counter({name: value for name, value in row.items() if isinstance(value, int)})


async def test_each_mission_has_the_figures_that_a_count_finds(client: httpx.AsyncClient) -> None:
    made = await entered(client)
    for parts in ("include", "exclude"):
        found = await figures(client, parts=parts)
        assert {row["ref"]: told(row) for row in found["data"]} == right(
            made, with_parts=parts == "include"
        )
        assert found["page"]["total"] == len(made)


async def summed(client: httpx.AsyncClient, ref: str, parts: str) -> dict[str, Any]:
    """The totals in dollars that the mission's summary has, as the list names them."""
    answer = await client.get(f"/missions/{ref}/summary", params={"parts": parts})
    rows = [row for row in answer.json()["totals"] if row["currency"] == "USD"]
    totals = [row for row in rows if row["per"] is None]
    found = {f"amount_{row['firmness']}": row["amount"] for row in totals}
    found["not_exact"] = sum(row["not_exact"] for row in totals)
    return {name: value for name, value in found.items() if value and name != "amount_replaced"}


async def test_amounts_are_those_of_the_summary(client: httpx.AsyncClient) -> None:
    made = await entered(client)
    names = [f"amount_{name}" for name in (*CLASSES.values(), "fallen_through")] + ["not_exact"]
    for parts in ("include", "exclude"):
        rows = (await figures(client, parts=parts, currency="USD"))["data"]
        found = {r["ref"]: {n: r[n] for n in names if r[n]} for r in rows}
        assert found == {m["ref"]: await summed(client, m["ref"], parts) for m in made}
    rows = (await figures(client))["data"]
    assert {row[name] for row in rows for name in names} == {None}


async def test_missions_are_filtered_and_sorted_by_their_amounts(client: httpx.AsyncClient) -> None:
    await entered(client)
    name = "amount_signed_binding"
    rows = (await figures(client, currency="USD", sort=f"-{name}"))["data"]
    amounts = [row[name] for row in rows]
    known = [amount for amount in amounts if amount is not None]
    assert amounts == sorted(known, reverse=True) + [None] * (len(rows) - len(known))
    assert len(set(known)) > 1
    for operator, meant in {"gt": float.__gt__, "lte": float.__le__, "eq": float.__eq__}.items():
        found = await figures(client, currency="USD", **{f"{name}__{operator}": known[1]})
        right = sum(meant(float(amount), float(known[1])) for amount in known)
        assert found["page"]["total"] == right, operator
    texts = await client.get(
        "/insights/missions?ref__startswith=figures-&currency=USD",
        headers={"Accept": "application/json;decimal=string"},
    )
    assert {type(row[name]) for row in texts.json()["data"]} == {str, type(None)}


async def test_missions_are_filtered_and_sorted_by_their_figures(client: httpx.AsyncClient) -> None:
    known = right(await entered(client), with_parts=True)
    rows = (await figures(client, agreements__gte=2, legs=0, sort="-agreements,title"))["data"]
    chosen = [ref for ref in known if known[ref]["agreements"] >= 2 and known[ref]["legs"] == 0]
    assert [row["ref"] for row in rows] == sorted(
        chosen, key=lambda ref: (-known[ref]["agreements"], ref)
    )
    assert len(chosen) > 1
    status = {"agreements__status": "in_force", "agreements__gte": 1, "agreements__isnull": "false"}
    rows = (await figures(client, parts="exclude", **status))["data"]
    assert {row["ref"] for row in rows} == {
        row["ref"] for row in (await figures(client, parts="exclude", in_force__gte=1))["data"]
    }
    without = (await figures(client, agreements=0))["data"]
    assert {row["ref"] for row in without} == {r for r in known if not known[r]["agreements"]}


async def test_pages_lead_on_and_back(client: httpx.AsyncClient) -> None:
    await entered(client)
    whole = [row["ref"] for row in (await figures(client, sort="-agreements"))["data"]]
    pages, cursor = [], None
    while True:
        page = await figures(
            client, sort="-agreements", limit=4, **({"cursor": cursor} if cursor else {})
        )
        pages.append([row["ref"] for row in page["data"]])
        cursor = page["page"]["next_cursor"]
        if cursor is None:
            break
    assert [ref for rows in pages for ref in rows] == whole
    back = page["page"]["prev_cursor"]
    while back:
        pages.pop()
        page = await figures(client, sort="-agreements", limit=4, cursor=back)
        assert [row["ref"] for row in page["data"]] == pages[-1]
        back = page["page"]["prev_cursor"]
    assert len(pages) == 1


async def test_the_list_can_be_had_as_csv_and_is_known_again(client: httpx.AsyncClient) -> None:
    await entered(client)
    answer = await client.get("/insights/missions.csv?ref__startswith=figures-&sort=title")
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    shown = (await figures(client, sort="title"))["data"]
    assert rows == [
        {name: "" if value is None else str(value) for name, value in row.items()} for row in shown
    ]
    for address in ("/insights/missions.csv", "/insights/missions"):
        tag = (await client.get(address)).headers["etag"]
        again = await client.get(address, headers={"If-None-Match": tag})
        assert (again.status_code, again.content) == (304, b"")


async def test_a_file_of_more_rows_than_it_can_have_is_refused_and_not_cut(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await entered(client)
    monkeypatch.setattr("app.insights.figure_answers.MAX_FILE_ROWS", 1)
    for limit, status in {"": 400, "&limit=2": 400, "&limit=1": 200}.items():
        answer = await client.get(f"/insights/missions.csv?ref__startswith=figures-{limit}")
        assert answer.status_code == status, limit
        assert status == 200 or "at most 1 rows" in answer.json()["detail"]


async def test_a_file_has_as_many_rows_as_are_wanted_and_no_pages(
    client: httpx.AsyncClient,
) -> None:
    await entered(client)
    for path in ("missions", "organizations"):
        rows = (await client.get(f"/insights/{path}.csv?sort=id")).text.splitlines()
        answer = await client.get(f"/insights/{path}.csv?sort=id&limit=2")
        assert answer.text.splitlines() == rows[:3]
        answer = await client.get(f"/insights/{path}.csv?cursor=abc")
        (fault,) = answer.json()["errors"]
        assert (answer.status_code, fault["parameter"], fault["code"]) == (400, "cursor", "export")


async def test_what_is_wrong_is_told_with_what_would_be_right(client: httpx.AsyncClient) -> None:
    wrong = {}
    for sent, words in {
        "agreements__gte=many": "whole number",
        "agreements__ge=1": "Did you mean",
        "sort=agreement": "Did you mean 'agreements'",
        "sort=legs,-legs": "more than once",
        "hostcountry=RU": "host_country",
        "parts=some": "include",
        "sort=amount_announced": "give currency",
        "amount_announced__gt=1": "give currency",
        "currency=USD&amount_announced__gt=1.23456": "4 decimals",
        "signed__isnull=true": "no operator 'isnull'",
        "agreements__gt=1234567890123456789": "at most 18 digits",
        "currency=XQQ": "is not a currency code",
        "cursor=abc": "cursor",
        "limit=-1": "limit",
    }.items():
        answer = await client.get(f"/insights/missions?{sent}")
        if answer.status_code != 400 or words not in answer.text:
            wrong[sent] = answer.text
    assert wrong == {}
