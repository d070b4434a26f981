"""What had become of agreements months after they had begun, beside a model in plain Python."""

import calendar
from collections import Counter
from datetime import date
from itertools import product
from random import Random
from typing import Any

import httpx

from app.core.edtf import bounds
from app.insights.cohorts import CohortState

Body = dict[str, Any]
TODAY, FIRST, LAST = date(2021, 6, 30), date(2016, 1, 31), date(2019, 12, 31)
MONTHS = (1, 6, 24, 120)
DATES = ("2016-01-31", "2017-11-30", "2017-11-XX", "2018", "2016?", "2018-08/..", "XXXX-05-01")
MOVED = (*DATES, None, "2018-02-28", "2019-05-05")
MEETINGS = ("2016-04-11/2016-04-13", "2017-11-30", "2018", "XXXX-04", None)
AHEAD = ("signed", "in_force", "completed")
EXITS = ("cancelled", "expired", "superseded")
RANKS = {"signed": 1, "in_force": 2, "cancelled": 3, "expired": 3, "superseded": 4, "completed": 5}
NAMES = ("announced", "signed", "in_force", "fallen_through", "replaced", "completed")
INSTRUMENTS = ("supply_contract", "memorandum_of_understanding", "announced_plan", "office_opening")
PARTY = {"description": "somebody", "role": "signatory"}
Days = tuple[date | None, date | None]


def invented(number: int, chance: Random) -> tuple[Body, list[Body]]:
    """An agreement, and the outcomes that moved it."""
    instrument = chance.choice(INSTRUMENTS)
    body: Body = {
        "ref": f"conversion-{number}",
        "mission": {"ref": f"conversion-{chance.randrange(len(MEETINGS))}"},
        "title": "An agreement",
        "instrument": instrument,
        "stands_for": chance.choice((1, 1, 3)),
        "parties": [PARTY],
    }
    if instrument == "announced_plan":
        steps = chance.choice(([], ["cancelled"]))
    elif instrument == "office_opening":
        steps = []
    else:
        body["status"] = chance.choice(("announced", "signed"))
        steps = [s for s in AHEAD[body["status"] == "signed" :] if chance.random() < 0.5]
        if "completed" not in steps and chance.random() < 0.4:
            steps.append(chance.choice(EXITS))
        if body["status"] == "signed" and chance.random() < 0.8:
            body["signed"] = chance.choice(DATES)
    before = [body.get("signed")]
    for _ in steps:
        before.append(chance.choice([day for day in MOVED if may_follow(day, before)]))
    days = zip(steps, before[1:], strict=True)
    agreement = {"ref": body["ref"]}
    return body, [{"agreement": agreement, "status": s, "date": day} for s, day in days]


def may_follow(day: str | None, before: list[str | None]) -> bool:
    """Whether a move can have been on a day, after others."""
    last = bounds(day).latest or date.max
    return all((bounds(each).earliest or date.min) <= last for each in before if sure(each, day))


def sure(*days: str | None) -> bool:
    return not any(day and "?" in day for day in days)


def later(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day.day, last))


def days_of(text: str | None) -> Days | None:
    """The first and the last day that a date can mean; None for no day at all."""
    span = bounds(text)
    if span.earliest is None and span.latest is None:
        return None
    return span.earliest, span.latest


def corners(days: Days | None, of_old: date, of_late: date) -> set[date]:
    first, last = days or (None, None)
    return {first or of_old, last or of_late}


def began(body: Body, moves: list[Body]) -> dict[str, Days | None]:
    """The stages that an agreement began, and when."""
    if body["instrument"] == "office_opening":
        return {}
    met = days_of(MEETINGS[int(body["mission"]["ref"].rpartition("-")[2])])
    if not was_ever_signed(body, moves):
        return {"announced": met}
    dated = [days_of(body.get("signed"))]
    dated += [days_of(move["date"]) for move in moves if move["status"] == "signed"]
    known = [days for days in dated if days is not None]
    found: dict[str, Days | None] = {"signed": known[0] if known else None}
    if known and met is not None and known[0][0] is not None and known[0][0] > met[1]:  # type: ignore[operator]
        found["announced"] = met
    return found


def was_ever_signed(body: Body, moves: list[Body]) -> bool:
    return body.get("status") == "signed" or not {m["status"] for m in moves}.isdisjoint(AHEAD)


def state_after(stage: str, start: Days, moves: list[Body], signed: str | None, months: int) -> str:
    """Where it stood, tried with every way in which its dates can be meant."""
    begun = corners(start, date.min, date(5000, 1, 1))
    reached: dict[int, Days | None] = {RANKS[m["status"]]: days_of(m["date"]) for m in moves}
    if signed is not None and days_of(signed):
        reached[1] = days_of(signed)
    if any(later(day, months) > TODAY for day in begun):
        return "not_yet" if all(later(day, months) > TODAY for day in begun) else "unknown"
    found = set()
    when = [corners(days, date.min, date.max) for days in reached.values()]
    for day, *dates in product(begun, *when):
        by = [rank for rank, at in zip(reached, dates, strict=True) if at <= later(day, months)]
        found.add(max([RANKS[stage] if stage == "signed" else 0, *by]))
    return NAMES[found.pop()] if len(found) == 1 else "unknown"


async def entered(client: httpx.AsyncClient) -> list[tuple[Body, list[Body]]]:
    """Sixty agreements with their moves, which are stored once and for all."""
    chance = Random(14)
    made = [invented(number, chance) for number in range(60)]
    if (await client.get("/missions/conversion-0")).status_code == 200:
        return made
    for number, dates in enumerate(MEETINGS):
        mission: Body = {
            "ref": f"conversion-{number}",
            "title": "M",
            "kind": "forum",
            "dates": dates,
        }
        mission["stops"] = [{"country": "RU"}, {"country": "KZ"}, {"country": "RU"}][: number % 4]
        mission["participations"] = [
            {"organization": {"ref": "kaznex-invest"}, "role": "organizer"},
            {"organization": {"ref": "kaznex-invest"}, "role": "co_organizer"},
        ][: number % 3]
        answer = await client.post("/missions", json=mission)
        assert answer.status_code == 201, answer.text
    for path, bodies in (
        ("agreements", [body for body, _ in made]),
        ("outcomes", [move for _, moves in made for move in moves]),
    ):
        operations = [{"op": "create", "body": body} for body in bodies]
        answer = await client.post(f"/{path}/bulk", json={"operations": operations})
        assert answer.status_code == 200, answer.text
    return made


async def conversion(client: httpx.AsyncClient, **query: Any) -> Any:
    asked = {"ref__startswith": "conversion-", "today": TODAY.isoformat(), **query}
    answer = await client.get("/insights/conversion", params=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


def expected(made: list[tuple[Body, list[Body]]], stage: str) -> Counter[tuple[Any, ...]]:
    """How many agreements are in the cohort of all times, by months and states."""
    found: Counter[tuple[Any, ...]] = Counter()
    for body, moves in made:
        starts = began(body, moves)
        if stage not in starts:
            continue
        start, weight = starts[stage], body["stands_for"]
        if start is None:
            found["undated", 0] += weight
            continue
        found["agreements", 0] += weight
        found["records", 0] += 1
        found["not_to_the_day", 0] += weight if start[0] != start[1] else 0
        for months in MONTHS:
            signed = body.get("signed") if was_ever_signed(body, moves) else None
            state = state_after(stage, start, moves, signed, months)
            found[state, months] += weight
    return found


def told(cohort: Body) -> Counter[tuple[Any, ...]]:
    names = ("agreements", "records", "not_to_the_day", "undated")
    found = Counter({(name, 0): cohort[name] for name in names})
    for after in cohort["after"]:
        found.update({(n, after["months"]): c for n, c in after.items() if n != "months"})
    return +found


async def test_each_cohort_is_where_a_plain_model_says_that_it_stood(
    client: httpx.AsyncClient,
) -> None:
    made = await entered(client)
    found = await conversion(client, months=",".join(map(str, MONTHS)))
    assert {c["stage"]: told(c) for c in found["total"]} == {
        stage: expected(made, stage) for stage in ("announced", "signed")
    }
    assert found["data"] == found["total"]
    accomplished = sum(b["stands_for"] for b, _ in made if b["instrument"] == "office_opening")
    assert found["left_out"]["accomplished"] == accomplished


async def test_what_has_a_place_in_the_period_adds_up(client: httpx.AsyncClient) -> None:
    made = await entered(client)
    period = {"from": FIRST.isoformat(), "to": "2019"}
    found = await conversion(client, **period)
    wrong: list[Any] = []
    for cohort in found["total"]:
        starts = [
            (days, body["stands_for"])
            for body, moves in made
            for stage, days in began(body, moves).items()
            if stage == cohort["stage"]
        ]
        dated = [(*days, weight) for days, weight in starts if days is not None]
        member = sum(w for f, t, w in dated if f and f >= FIRST and t and t <= LAST)
        near = sum(w for f, t, w in dated if (f or LAST) <= LAST and (t or FIRST) >= FIRST)
        undated = sum(weight for days, weight in starts if days is None)
        if (cohort["agreements"], cohort["perhaps"], cohort["undated"]) != (
            member,
            near - member,
            undated,
        ):
            wrong.append((cohort, member, near, undated))
        states = [state.value for state in CohortState]
        names = (*states, "unknown", "not_yet")
        sums = {sum(after[name] for name in names) for after in cohort["after"]}
        if sums != {cohort["agreements"]}:
            wrong.append((cohort, sums))
    assert wrong == []


async def test_groups_share_out_the_total_where_each_agreement_is_in_one(
    client: httpx.AsyncClient,
) -> None:
    await entered(client)
    for group in ("instrument", "bindingness", "year"):
        found = await conversion(client, group_by=group)
        for whole in found["total"]:
            parts = [told(c) for c in found["data"] if c["stage"] == whole["stage"]]
            assert sum(parts, Counter()) == told(whole), group


async def test_an_agreement_counts_once_in_the_group_of_each_country_and_organizer(
    client: httpx.AsyncClient,
) -> None:
    made = await entered(client)
    for group, several in {
        "host_country": {1: ["RU"], 2: ["RU", "KZ"], 3: ["RU", "KZ"]},
        "organizer": {1: ["Kaznex Invest"], 2: ["Kaznex Invest"], 4: ["Kaznex Invest"]},
        "party_country": {},
        "sending_country": {},
    }.items():
        right: Counter[tuple[str, str | None]] = Counter()
        for body, moves in made:
            mission = int(body["mission"]["ref"].rpartition("-")[2])
            for (stage, days), key in product(
                began(body, moves).items(), several.get(mission, [None])
            ):
                right[stage, key] += body["stands_for"] if days is not None else 0
        found = await conversion(client, group_by=group)
        name = "name" if group == "organizer" else "group"
        assert {(c["stage"], c[name]): c["agreements"] for c in found["data"]} == right, group


WRONG = {
    "months=0": "1 to 999",
    "months=6,x": "whole numbers",
    "months=": "empty",
    "months=1,2,3,4,5,6,7,8,9": "At most 8",
    "from=2017&to=2016": "ends before",
    "from=soon": "a month or a year",
    "today=whenever": "a month or a year",
    "group_by=colour": "instrument",
    "statuss=signed": "Did you mean 'status'",
    "deleted=only": "deleted",
}


async def test_a_query_that_is_wrong_is_told_what_would_be_right(
    client: httpx.AsyncClient,
) -> None:
    wrong = {}
    for sent, words in WRONG.items():
        answer = await client.get(f"/insights/conversion?{sent}")
        if answer.status_code != 400 or words not in answer.text:
            wrong[sent] = answer.text
    assert wrong == {}


async def test_it_is_told_what_had_become_of_them_as_of_a_moment(client: httpx.AsyncClient) -> None:
    body: Body = {"ref": "conversion-then", "title": "A", "instrument": "supply_contract"}
    body |= {"parties": [PARTY], "signed": "2016-01-31"}
    made = await client.post("/agreements", json=body)
    assert made.status_code == 201, made.text
    moved = await client.post(
        "/outcomes",
        json={
            "agreement": {"ref": "conversion-then"},
            "status": "in_force",
            "date": "2016-03-01",
        },
    )
    assert moved.status_code == 201, moved.text
    position = (await client.get("/agreements?limit=1")).headers["etag"][3:].split('"')[0]
    day, told = made.json()["created_at"][:10], dict[str, Any]()
    for as_of in (made.json()["created_at"], position, "2001-06-15"):
        asked = {"ref": "conversion-then", "as_of": as_of, "months": "6"}
        found = (await client.get("/insights/conversion", params=asked)).json()
        states = [c["after"][0] for c in found["total"] if c["stage"] == "signed"]
        told[as_of] = found["today"], [(each["signed"], each["in_force"]) for each in states]
    then, now, before = told.values()
    assert (then, now, before) == ((day, [(1, 0)]), (day, [(0, 1)]), ("2001-06-15", []))
    counted = await client.get("/insights/conversion?today=-1mo&as_of=2001-06-15")
    assert counted.json()["today"] == "2001-05-15"
