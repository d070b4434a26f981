"""What dashboards ask has one answer: of the datasets alone, of the views alone, and of the API."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import httpx
import pytest
from sqlalchemy import Connection

from app.commands.connection import engine_run
from app.core import json_codec
from app.datasets.columns import ALL_DATASETS, by_name, columns
from app.datasets.views import view_name
from tests.examples import create
from tests.missions.ways import enter_nested, missions

Client = httpx.AsyncClient
Rows = list[tuple[Any, ...]]
PATCH = {"Content-Type": "application/merge-patch+json"}
#: The month that a date stands in, where it stands in one.
MONTH = """CASE WHEN substr(CAST(signed_earliest AS text), 1, 7)
  = substr(CAST(signed_latest AS text), 1, 7) THEN substr(CAST(signed_earliest AS text), 1, 7)
  ELSE 'undated' END"""


def _groups(answer: Any) -> Rows:
    """The groups of an aggregate in which there is something, their keys first."""
    return [tuple(group.values()) for group in answer["data"] if [*group.values()][-1] is not None]


def _of_a_country(answer: Any) -> Rows:
    return [group for group in _groups(answer) if group[0] is not None]


def _titles(answer: Any) -> Rows:
    return [(each["title"],) for each in answer["data"]]


def _parties(answer: Any) -> Rows:
    """The names of the parties of each agreement."""
    found: Rows = []
    for each in answer["data"]:
        of = [
            p["organization"]["name"] if p["organization"] else p["description"]
            for p in each["parties"]
        ]
        found.append((each["id"], "; ".join(of) or None))
    return found


@dataclass(frozen=True)
class Question:
    """One question: in SQL, of tables that are called as the views are, and to the API."""

    sql: str
    address: str
    told: Callable[[Any], Rows] = _groups


QUESTIONS = {
    "value by currency, class and country of the mission per year": Question(
        """SELECT currency, firmness, mission_host_country,
          coalesce(substr(CAST(mission_dates_earliest AS text), 1, 4), 'undated'), sum(amount)
        FROM bi_agreements WHERE left_out IS NULL AND amount IS NOT NULL
        AND coalesce(amount_period, '') <> 'per_year' GROUP BY 1, 2, 3, 4""",
        "/agreements/aggregate?metrics=sum(amount)"
        "&group_by=currency,firmness,mission.host_country,year(mission.dates)",
    ),
    "value by currency and class in all": Question(
        """SELECT currency, firmness, sum(amount) FROM bi_totals WHERE per IS NULL
        AND amount IS NOT NULL GROUP BY 1, 2""",
        "/agreements/aggregate?metrics=sum(amount)&group_by=currency,firmness",
    ),
    "value by currency and class": Question(
        """SELECT currency, firmness, sum(amount) FROM bi_agreements WHERE left_out IS NULL
        AND amount IS NOT NULL AND coalesce(amount_period, '') <> 'per_year' GROUP BY 1, 2""",
        "/agreements/aggregate?metrics=sum(amount)&group_by=currency,firmness",
    ),
    "deals signed by month": Question(
        f"""SELECT {MONTH}, sum(stands_for) FROM bi_agreements
        WHERE was_signed AND bindingness NOT IN ('announcement', 'accomplished') GROUP BY 1""",
        "/agreements/aggregate?metrics=count&group_by=month(signed)&was_signed=true"
        "&bindingness__not_in=announcement,accomplished",
    ),
    "deals by country of the parties and class": Question(
        """SELECT country, firmness, sum(stands_for) FROM (SELECT DISTINCT id, stands_for,
        firmness, parties_organization_country AS country FROM bi_agreement_parties) AS each
        WHERE country IS NOT NULL GROUP BY 1, 2""",
        "/agreements/aggregate?metrics=count&group_by=parties.organization.country,firmness",
        _of_a_country,
    ),
    "what fell through": Question(
        "SELECT title FROM bi_agreements WHERE firmness = 'fallen_through'",
        "/agreements?firmness=fallen_through",
        _titles,
    ),
    "who the parties are": Question(
        "SELECT CAST(id AS text), parties FROM bi_agreements",
        "/agreements?expand=parties.organization&limit=1000",
        _parties,
    ),
}


@pytest.fixture
async def entered(fresh: Client) -> None:
    """Missions with what real ones are hard in; a deal that fell through, and a part of a deal."""
    await enter_nested(fresh, missions("of"))
    mission = await create(fresh, "missions", {"title": "Z", "kind": "forum", "host_country": "AT"})
    deal = {"mission_id": mission["id"], "title": "Z", "instrument": "supply_contract"}
    deal |= {"amount": "12.25", "currency": "USD", "signed": "2016-04"}
    deal["parties"] = [{"description": "A buyer", "role": "buyer"}]
    whole = await create(fresh, "agreements", {**deal, "status": "cancelled"})
    part = {"related": [{"agreement_id": whole["id"], "relation": "part_of"}]}
    await create(fresh, "agreements", {**deal, **part, "status": "cancelled", "title": "Of Z"})
    await create(fresh, "agreements", {**deal, **part, "title": "Of Z, which stands"})


async def _of_datasets(client: Client, questions: list[str]) -> list[Rows]:
    """The answers of a database that holds the datasets and nothing else."""
    with closing(sqlite3.connect(":memory:")) as tables:
        for dataset in ALL_DATASETS:
            content = (await client.get(f"/datasets/{dataset.name}.ndjson")).content
            names = [column.name for column in columns(by_name()[dataset.name])]
            tables.execute(f"CREATE TABLE {view_name(dataset)} ({', '.join(names)})")
            rows = [[*json_codec.loads(line).values()] for line in content.splitlines()]
            places = ", ".join("?" for _ in names)
            tables.executemany(f"INSERT INTO {view_name(dataset)} VALUES ({places})", rows)
        return [tables.execute(sql).fetchall() for sql in questions]


def _comparable(rows: Rows) -> list[str]:
    """The rows in one order, with numbers as they are written."""
    return sorted(repr([_number(value) for value in row]) for row in rows)


def _number(value: Any) -> Any:
    return float(value) if isinstance(value, (int, float, Decimal)) else value


async def test_questions_of_dashboards_have_one_answer(
    fresh: Client, entered: None, fresh_url: str
) -> None:
    def of_views(connection: Connection) -> list[Rows]:
        found = (connection.exec_driver_sql(each.sql).all() for each in QUESTIONS.values())
        return [[tuple(row) for row in rows] for rows in found]

    views = await engine_run(fresh_url, of_views)
    datasets = await _of_datasets(fresh, [each.sql for each in QUESTIONS.values()])
    wrong: list[object] = []
    for (name, asked), *ways in zip(QUESTIONS.items(), views, datasets, strict=True):
        answer = await fresh.get(asked.address)
        assert answer.status_code == 200, answer.text
        told = _comparable(asked.told(json_codec.loads(answer.content)))
        wrong += [(name, told, found) for way in ways if (found := _comparable(way)) != told]
        if len(told) < 2 and name != "what fell through":
            wrong.append((name, "has hardly an answer", told))
    assert wrong == []
