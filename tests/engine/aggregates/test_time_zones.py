"""Days, weeks and months of moments in a time zone."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import update
from sqlalchemy.orm import Session

from app.core.time_zones import ends_of
from tests.conftest import client_of
from tests.engine.conftest import fault, make, read
from tests.engine.toys import Toy

#: Of each toy when it was entered. Almaty was six hours ahead until March 2024, then five.
ENTERED = (
    "2023-12-31T17:59:59Z",
    "2023-12-31T18:00:00Z",
    "2024-02-29T18:00:00Z",
    "2024-03-01T18:59:59.999999Z",
    "2024-03-01T19:00:00Z",
    "2026-11-27T19:00:00Z",
    "2026-11-28T18:59:59.999999Z",
    "2026-03-29T00:59:59Z",
)
EDGES = (
    # The longest and the shortest day of Berlin, in their first and last moments.
    "2026-10-24T22:00:00Z",
    "2026-10-25T22:59:59.999999Z",
    "2026-03-28T23:00:00Z",
    "2026-03-29T21:59:59.999999Z",
    # A week in Almaty, a quarter in St. John's and a year in Kiritimati that end on another day.
    "2026-03-01T19:00:00Z",
    "2026-07-01T02:29:59Z",
    "2025-12-31T10:00:00Z",
)
PARTS: dict[str, Callable[[datetime], str]] = {
    "year": lambda local: f"{local:%Y}",
    "quarter": lambda local: f"{local:%Y}-Q{(local.month + 2) // 3}",
    "month": lambda local: f"{local:%Y-%m}",
    "week": lambda local: f"{local:%G-W%V}",
    "day": lambda local: f"{local:%Y-%m-%d}",
}
ZONES = ("UTC", "Asia/Almaty", "Europe/Berlin", "America/St_Johns", "Pacific/Kiritimati")


@pytest.fixture(scope="session")
async def entered(toy_app: FastAPI) -> list[datetime]:
    """Toys with the note `zoned`, and `edges`, entered at these times."""
    moments = [datetime.fromisoformat(text) for text in (*ENTERED, *EDGES)]
    notes = ["zoned"] * len(ENTERED) + ["edges"] * len(EDGES)
    async with client_of(toy_app) as toys:
        made = [await make(toys, name="clock", note=note) for note in notes]

    def put_back(session: Session) -> None:
        for body, moment in zip(made, moments, strict=True):
            session.execute(update(Toy).where(Toy.id == body["id"]).values(created_at=moment))

    await toy_app.state.database.write(put_back)
    return moments


async def ask(toys: httpx.AsyncClient, **query: str) -> list[dict[str, Any]]:
    page = await read(toys, "/wooden-toys/aggregate", **{"note__in": "zoned", **query})
    found: list[dict[str, Any]] = page["data"]
    return found


async def test_parts_of_moments_are_those_of_the_zone(
    toys: httpx.AsyncClient, entered: list[datetime]
) -> None:
    wrong = []
    for zone in ZONES:
        for part, form in PARTS.items():
            key = f"{part}(created_at)"
            counts: dict[str, int] = {}
            for moment in entered:
                text = form(moment.astimezone(ZoneInfo(zone)))
                counts[text] = counts.get(text, 0) + 1
            groups = await ask(toys, group_by=key, timezone=zone, note__in="zoned,edges")
            found = {group[f"{part}_created_at"]: group["count"] for group in groups}
            if found != dict(sorted(counts.items())):
                wrong.append((zone, part, found, counts))
    assert wrong == []


async def test_days_in_filters_and_conditions_are_those_of_the_zone(
    toys: httpx.AsyncClient, entered: list[datetime]
) -> None:
    cases: list[tuple[str, dict[str, str], int]] = [
        ("Asia/Almaty", {"created_at": "2026-11-28"}, 2),
        ("UTC", {"created_at": "2026-11-28"}, 1),
        ("Asia/Almaty", {"created_at": "2023"}, 1),
        ("Asia/Almaty", {"created_at__gte": "2024-03-02"}, 4),
        ("Asia/Almaty", {"created_at__lte": "2024-03-01"}, 4),
        ("Asia/Almaty", {"created_at__lt": "2024-03-01"}, 3),
        ("Asia/Almaty", {"filter": "created_at ge 2026-11-28"}, 2),
        ("Asia/Almaty", {"created_at__gte": "2026-11-28T00:00:00Z"}, 1),
        ("Asia/Almaty", {"created_at__lte": "9999-12-31"}, 8),
        ("Asia/Almaty", {"created_at__gte": "0001-01-01"}, 8),
        ("America/New_York", {"created_at__gte": "0001-01-01"}, 8),
        ("Asia/Almaty", {"created_at__gte": "2024", "having": "max_created_at ge 2026-11-28"}, 7),
        ("Asia/Almaty", {"having": "max_created_at gt 2026-11-28"}, 0),
    ]
    wrong = []
    for zone, query, count in cases:
        groups = await ask(toys, metrics="count,max(created_at)", timezone=zone, **query)
        if (found := sum(group["count"] for group in groups)) != count:
            wrong.append((zone, query, found))
    assert wrong == []
    key = "day(created_at)"
    groups = await ask(toys, group_by=key, timezone="Asia/Almaty", having=f"{key} eq '2026-11-28'")
    assert groups == [{"day_created_at": "2026-11-28", "count": 2}]


async def test_a_zone_leaves_dates_as_they_are(
    toys: httpx.AsyncClient, entered: list[datetime]
) -> None:
    await make(toys, name="dated", made="2016-04-12", note="dated")
    query = "/wooden-toys/aggregate?note=dated&group_by=day(made)&timezone=Pacific/Kiritimati"
    assert (await read(toys, query))["data"] == [{"day_made": "2016-04-12", "count": 1}]


async def test_a_zone_that_is_none_is_refused_with_the_one_that_is_meant(
    toys: httpx.AsyncClient,
) -> None:
    meant = {
        "almaty": "Did you mean 'Asia/Almaty'?",
        "asia/almaty": "Did you mean 'Asia/Almaty'?",
        "Asia/Almati": "Did you mean 'Asia/Almaty'?",
        "Europe/moscow": "Did you mean 'Europe/Moscow'?",
        "New York": "Did you mean 'America/New_York'?",
        "+05:00": "Write a name such as Asia/Almaty or Europe/Moscow, or UTC.",
        "../../etc/passwd": "Write a name such as",
        "/etc/localtime": "Write a name such as",
        "right/UTC": "is no time zone",
        "Asia": "is no time zone",
        "localtime": "is no time zone",
        "x" * 64: "is no time zone",
    }
    wrong = []
    for zone, words in meant.items():
        for path in ("aggregate", "aggregate.csv"):
            answer = await toys.get(f"/wooden-toys/{path}", params={"timezone": zone})
            problem = fault(answer, 400)
            if words not in problem["detail"] or problem["parameter"] != "timezone":
                wrong.append((zone, path, answer.text))
    assert wrong == []


def test_the_last_moment_of_a_day_is_right_where_midnight_comes_twice_or_not_at_all() -> None:
    # At midnight Havana put its clocks forward to 1:00, and São Paulo its to 23:00 the day before.
    assert ends_of(date(2026, 3, 8), ZoneInfo("America/Havana")) == (
        datetime(2026, 3, 8, 5, tzinfo=UTC),
        datetime(2026, 3, 9, 3, 59, 59, 999999, tzinfo=UTC),
    )
    assert ends_of(date(2018, 2, 17), ZoneInfo("America/Sao_Paulo")) == (
        datetime(2018, 2, 17, 2, tzinfo=UTC),
        datetime(2018, 2, 18, 2, 59, 59, 999999, tzinfo=UTC),
    )


async def test_a_zone_that_the_database_does_not_know_is_told(
    toys: httpx.AsyncClient, toy_app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.engine.query.parameters.find_zone", lambda name: UTC)
    database = toy_app.state.database
    if database.dialect.name == "postgresql":
        query = "/wooden-toys/aggregate?group_by=day(created_at)&timezone=Mars/Olympus"
        answer = await toys.get(query)
        assert answer.status_code == 501, answer.text
        assert "Mars/Olympus" in answer.json()["detail"]
