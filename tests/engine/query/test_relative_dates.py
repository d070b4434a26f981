"""Filters by dates that are counted from today: `made__gte=-12mo`."""

from datetime import UTC, datetime

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import update
from sqlalchemy.orm import Session

from app.engine.aggregates.statement import aggregate_statement
from app.engine.query.statements import list_statement
from app.rest import past
from tests.conftest import client_of
from tests.engine.conftest import fault, make, read
from tests.engine.toys import Toy

#: In Almaty it is the first of March already.
NOW = datetime(2024, 2, 29, 20, 30, tzinfo=UTC)
#: Of each toy when it was made, and entered.
MADE = {
    "2023-02-27": "2024-02-22T23:59:59Z",
    "2023-02-28": "2024-02-23T00:00:00Z",
    "2024-01": "2024-02-29T18:59:59Z",
    "2024-02-29": "2024-02-29T19:00:00Z",
    "2024-03-30": "2024-02-29T20:00:00Z",
    "2024-03-31": "2024-03-01T00:00:00Z",
}
DAYS = tuple(MADE)
TOYS = "/wooden-toys?note=relative"


class Clock:
    """What the service takes for now."""

    def __init__(self) -> None:
        self.now = NOW


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(past, "now", lambda: found.now)
    return found


@pytest.fixture(scope="session")
async def made(toy_app: FastAPI) -> None:
    async with client_of(toy_app) as toys:
        found = [await make(toys, name=day, made=day, note="relative") for day in MADE]

    def put_back(session: Session) -> None:
        for body, moment in zip(found, MADE.values(), strict=True):
            at = datetime.fromisoformat(moment)
            session.execute(update(Toy).where(Toy.id == body["id"]).values(created_at=at))

    await toy_app.state.database.write(put_back)


async def test_a_filter_by_a_relative_date_is_the_one_by_the_day_that_it_comes_to(
    toys: httpx.AsyncClient, made: None, clock: Clock
) -> None:
    cases: list[tuple[dict[str, str], tuple[str, ...]]] = [
        ({"made__gte": "-12mo"}, DAYS[1:]),
        ({"made__lt": "-1y"}, DAYS[:1]),
        ({"made__lte": "+30d", "made__gte": "today"}, DAYS[3:5]),
        ({"made__lte": " 30d", "made__gte": "-1mo"}, DAYS[3:5]),
        ({"made": "today"}, DAYS[3:4]),
        ({"made__in": "today,-366d"}, (DAYS[1], DAYS[3])),
        ({"made__ne": "today"}, (*DAYS[:3], *DAYS[4:])),
        ({"made_earliest__gt": "today"}, DAYS[4:]),
        ({"created_at__gte": "-6d"}, DAYS[1:]),
        ({"created_at": "today"}, DAYS[2:5]),
        ({"created_at": "today", "timezone": "Asia/Almaty"}, DAYS[3:]),
        ({"created_at__lte": "yesterday"}, DAYS[:2]),
        ({"created_at__gt": "today"}, DAYS[5:]),
        ({"created_at__lte": "now"}, DAYS[:5]),
        ({"created_at__gte": "-1h"}, DAYS[4:]),
        ({"created_at__gte": "now-90min"}, DAYS[3:]),
        ({"filter": "made ge -12mo and created_at lt today"}, DAYS[1:2]),
        ({"filter": "made ge '-12mo' and made le +30d"}, DAYS[1:5]),
        ({"filter": "made in (today,tomorrow+29d)"}, DAYS[3:5]),
        ({"filter": "not (created_at ge now-90min or made le yesterday-1y)"}, (DAYS[2],)),
        ({"filter": "made_earliest ge today-1y+1d"}, DAYS[2:]),
    ]
    wrong = []
    for asked, expected in cases:
        answer = await toys.get(TOYS, params={"note": "relative", "sort": "made", **asked})
        found = answer.json()
        if answer.status_code != 200 or [t["made"] for t in found["data"]] != list(expected):
            wrong.append((asked, found))
    assert wrong == []


async def test_groups_are_chosen_by_relative_dates_too(
    toys: httpx.AsyncClient, made: None, clock: Clock
) -> None:
    cases = {
        "max(made) ge today": DAYS[3:],
        "min_made lt -12mo": DAYS[:1],
        "max(created_at) gt now": DAYS[5:],
        "month(made) eq today": DAYS[3:4],
        "month(made) ge '-1mo' and month(made) lt +1mo": DAYS[2:4],
    }
    wrong = []
    for having, expected in cases.items():
        asked = {"group_by": "name,month(made)", "metrics": "max(made),min(made),max(created_at)"}
        found = await read(
            toys, "/wooden-toys/aggregate", note="relative", having=having, sort="min_made", **asked
        )
        if [group["name"] for group in found["data"]] != list(expected):
            wrong.append((having, found["data"]))
    assert wrong == []


async def test_a_cursor_leads_on_through_the_list_as_it_was_begun(
    toys: httpx.AsyncClient, made: None, clock: Clock
) -> None:
    """What is counted from now is counted from when the first page was asked for."""
    asked = {"note": "relative", "made__gte": "-12mo", "sort": "made", "limit": 2}
    asked |= {"created_at__lte": "now", "timezone": "Asia/Almaty"}
    page = await read(toys, "/wooden-toys", **asked)
    found = list(page["data"])
    while page["page"]["next_cursor"]:
        clock.now = clock.now.replace(year=clock.now.year + 1, day=28)
        last, page = (
            page,
            await read(toys, "/wooden-toys", cursor=page["page"]["next_cursor"], **asked),
        )
        found += page["data"]
    assert [toy["made"] for toy in found] == list(DAYS[2:5])
    back = await read(toys, "/wooden-toys", cursor=page["page"]["prev_cursor"], **asked)
    assert back["data"] == last["data"]
    other = {**asked, "made__gte": "-13mo", "cursor": last["page"]["next_cursor"]}
    assert fault(await toys.get("/wooden-toys", params=other))["parameter"] == "cursor"
    assert fault(await toys.get(TOYS, params={"cursor": "x" * 40}))["parameter"] == "cursor"


async def test_tags_change_with_the_day_and_not_before(
    toys: httpx.AsyncClient, made: None, clock: Clock
) -> None:
    wrong = []
    for path in ("", "/aggregate", "/aggregate.csv", ".csv"):
        for asked in ("made__lte=today", "filter=made le -1d"):
            clock.now = NOW
            address = f"/wooden-toys{path}?note=relative&{asked}"
            if path.startswith("/agg"):
                address += "&group_by=made"
            first = await toys.get(address)
            tag = {"If-None-Match": first.headers["etag"]}
            again = [(await toys.get(address, headers=tag)).status_code for _ in range(2)]
            clock.now = NOW.replace(hour=23)
            again.append((await toys.get(address, headers=tag)).status_code)
            clock.now = NOW.replace(month=3, day=30)
            later = await toys.get(address, headers=tag)
            if again != [304, 304, 304] or later.status_code != 200 or later.text == first.text:
                wrong.append((address, again, later.status_code, later.text[:200]))
    assert wrong == []


async def test_each_day_is_asked_for_with_the_same_statement(
    toys: httpx.AsyncClient, made: None, clock: Clock
) -> None:
    kept = set()
    for month in range(3, 9):
        clock.now = NOW.replace(month=month)
        await read(toys, TOYS, made__gte="-12mo", created_at="today")
        await read(
            toys,
            "/wooden-toys/aggregate",
            made__gte="-12mo",
            having="max_made lt today",
            metrics="max(made)",
        )
        kept.add((len(list_statement.made), len(aggregate_statement.made)))
    assert len(kept) == 1


async def test_what_is_no_relative_date_is_refused_and_told_how_it_is_written(
    toys: httpx.AsyncClient,
) -> None:
    cases = {
        "made__gte=30d": "-12mo",
        "made__gte=-6m": "-12mo",
        "made__gte=Today": "not 'Today'. From today on",
        "made__gte=now": "write today",
        "made__lte=-2h": "write today",
        "made__gte=-9999y": "0001 to 9999",
        "created_at__gte=today-2h": "write now",
        "created_at__gte=7 days ago": "-7d",
        "created_at=NOW": "not 'NOW'. From today on",
        "filter=made ge 30d": "Character 9: 30d is no value. From today on",
        "filter=made ge %2B30days": "+30days is no value. From today on",
        "filter=made ge Today": "Character 9: Today is no value. From today on",
        "filter=made ge now": "write today",
        "filter=price gt -7d": "a number without quotes",
        "filter=name eq today": "a text in quotes",
        "filter=today eq 5": "Write the name before the value",
        "timezone=Almaty": "Did you mean 'Asia/Almaty'?",
    }  # fmt: skip
    groups = {
        "having=max(made) ge now": "write today",
        "having=month(made) ge -6m": "-6m is no value. From today on",
        "having=month(made) ge '-6m'": "a day such as -12mo",
        "having=max(name) ge today": "a text in quotes",
        "having=count gt -7d": "a number without quotes",
    }
    wrong = []
    for path, told in (("", cases), ("/aggregate", groups)):
        more = "group_by=month(made)&metrics=count,max(made),max(name)&" if path else ""
        for asked, words in told.items():
            answer = await toys.get(f"/wooden-toys{path}?{more}{asked}")
            problem = answer.json()
            name = asked.partition("=")[0]
            if answer.status_code != 400 or words not in str(problem) or name not in str(problem):
                wrong.append((asked, problem))
    assert wrong == []
