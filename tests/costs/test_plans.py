"""By what index the databases find what is asked: none reads or sorts a whole table for a page."""

import re
from collections.abc import AsyncIterator
from contextlib import closing
from typing import Any

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from app.api import RESOURCES
from app.core.databases.postgresql_read_pool import set_up
from app.core.databases.sqlite import SqliteDatabase, connect
from tests.costs.requests import write
from tests.costs.statements import Statements

#: Lists and records as the documentation asks for them, and the index that leads to them; None
#: where it has another name on each database.
LED: dict[str, str | None] = {
    "/people/{person}": None,
    "/people/{person}/history": "ix_change_record",
    "/agreements?limit=20": None,
    "/agreements?expand=mission,parties.organization": None,
    "/agreements?sort=-amount": "ix_agreement_amount",
    "/agreements?status=signed&sort=-amount": "ix_agreement_status_amount",
    "/agreements?sort=signed": "ix_agreement_signed",
    "/odata/agreements?$orderby=amount desc&$top=20": "ix_agreement_amount",
    "/odata/agreements?$orderby=amount&$top=20": "ix_agreement_amount",
    "/agreements?instrument=supply_contract": "ix_agreement_instrument",
    "/organizations?sort=name": "ix_organization_name",
    "/organizations?kind=company": "ix_organization_kind",
    "/changes?limit=20": None,
}
#: What an index leads to and is then put in order, being few: the records of one parent, say.
FOUND: dict[str, str | None] = {
    "/missions/novosibirsk-april?expand=delegates.person": "ix_delegate_mission_id",
    "/agreements?status=signed": "ix_agreement_status_amount",
    "/missions/novosibirsk-april/agreements": "ix_agreement_mission_id",
    "/missions/novosibirsk-april/delegates?expand=person": "ix_delegate_mission_id",
    "/agreements?mission__under=novosibirsk-april": "ix_agreement_mission_id",
    "/agreements?filter=mission.ref eq 'novosibirsk-april'": "ix_agreement_mission_id",
}
#: Those of what can be withheld: what the public is shown of it is in one beside each.
SHOWN = ("ix_agreement_amount", "ix_agreement_status_amount", "ix_agreement_signed")
WRITES = ("POST with references", "PATCH", "DELETE", "restore", "bulk", "import")
#: Tables of one row, what the engine makes by itself, and the list of words that is asked by row.
_SMALL = r"change_counter|installation|anon_\d+|json_each|search_words|\(|CONSTANT"
_SEQ_SCAN = re.compile(r"Seq Scan on (?!change_counter|installation)")
_SCAN = re.compile(rf"^SCAN (?!{_SMALL})(?!.* USING )")
#: A planner that reads or sorts a whole table only where there is no other way: the tables of
#: tests are so small that it would always be the best one.
_RELUCTANT = (
    "SET enable_seqscan = off; SET enable_sort = off; SET enable_bitmapscan = off;"
    " SET enable_hashjoin = off; SET enable_mergejoin = off"
)

Plan = list[str]


class Planner:
    """Asks a database how it would run statements."""

    def __init__(self, database: Any) -> None:
        self.database = database
        self.postgres: Any = None

    async def plans(self, noted: Statements) -> list[Plan]:
        work = [(sql, values) for sql, values in noted.work() if not sql.startswith("INSERT")]
        if isinstance(self.database, SqliteDatabase):
            with closing(connect(self.database.path, readonly=True)) as connection:
                return [
                    [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}")]
                    for sql, _ in work
                ]
        return [
            [row[0] for row in await self.postgres.fetch(f"EXPLAIN (COSTS OFF) {sql}", *values)]
            for sql, values in work
        ]

    def shows_all(self, sql: str) -> bool:
        """Whether SQLite makes JSON of all records before it puts them in order."""
        with closing(connect(self.database.path, readonly=True)) as connection:
            plan = connection.execute(f"EXPLAIN QUERY PLAN {sql}").fetchall()
        outermost = [line for _, above, _, line in plan if above == 0]
        return any(map(is_read_whole, outermost)) and any(map(is_sorted, outermost))


@pytest.fixture
async def planner(costs_app: FastAPI) -> AsyncIterator[Planner]:
    planner = Planner(costs_app.state.database)
    if isinstance(planner.database, SqliteDatabase):
        yield planner
        return
    planner.postgres = await asyncpg.connect(planner.database.url.replace("+asyncpg", ""))
    await set_up(planner.postgres)
    await planner.postgres.execute(_RELUCTANT)
    yield planner
    await planner.postgres.close()


def is_read_whole(line: str) -> bool:
    """Whether a line of a plan tells of a table that is read from end to end."""
    return bool(
        _SCAN.search(line) or re.search(r"Seq Scan on (?!change_counter|installation)", line)
    )


def is_sorted(line: str) -> bool:
    return line == "USE TEMP B-TREE FOR ORDER BY" or "Sort Key" in line


@pytest.mark.parametrize("who", ["writer", "public"])
async def test_no_page_reads_or_sorts_a_whole_table(
    client: httpx.AsyncClient, noted: Statements, planner: Planner, who: str
) -> None:
    person = await write(client, "POST", "")
    if who == "public":
        del client.headers["Authorization"]

    async def lines_of(address: str) -> Plan:
        noted.clear()
        answer = await client.get(address.format(person=person))
        assert answer.status_code == 200, answer.text
        return [line for plan in await planner.plans(noted) for line in plan]

    wrong = []
    for address, index in (LED | FOUND).items():
        lines = await lines_of(address)
        faults = [line for line in lines if is_read_whole(line)]
        faults += [line for line in lines if is_sorted(line) and address in LED]
        if index and who == "public" and index in SHOWN:
            index = f"{index}_shown"
        if index and is_by_name(planner, address) and not any(index in line for line in lines):
            faults.append(f"nothing by {index}")
        if faults or not lines:
            wrong.append(f"{address}: {faults}, of {lines}")
    assert not wrong, "\n".join(wrong)
    # An order that has no index looks like this, so that the test would see one.
    unled = await lines_of("/agreements?sort=-updated_at")
    assert any(map(is_read_whole, unled))
    assert any(map(is_sorted, unled))


# PostgreSQL puts the rows in order before it makes what costs.
@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True, scope="session")
async def test_in_whatever_order_a_list_is_only_its_page_is_made_json(
    client: httpx.AsyncClient, noted: Statements, planner: Planner
) -> None:
    sorts = [(each.path, "-updated_at") for each in RESOURCES]
    sorts += [("agreements", sort) for sort in ("created_at", "-ref", "-version", "-status")]
    wrong = []
    for path, sort in sorts:
        noted.clear()
        answer = await client.get(f"/{path}", params={"sort": sort, "limit": 1})
        assert answer.status_code == 200, answer.text
        assert noted.texts()
        if any(map(planner.shows_all, noted.texts())):
            wrong.append(f"{path} by {sort}")
    assert not wrong
    # What makes all of them JSON, and then puts them in order, looks like this.
    assert planner.shows_all("SELECT json_object('a', note) FROM mission ORDER BY note LIMIT 1")


def is_by_name(planner: Planner, address: str) -> bool:
    # PostgreSQL, which is not let sort here, walks another index for what would be put in order.
    return address in LED or isinstance(planner.database, SqliteDatabase)


async def test_no_write_reads_a_whole_table(
    client: httpx.AsyncClient, noted: Statements, planner: Planner
) -> None:
    person = await write(client, "POST", "")
    wrong = []
    for what in WRITES:
        noted.clear()
        await write(client, what, person)
        plans = await planner.plans(noted)
        wrong += [f"{what}: {plan}" for plan in plans if any(map(is_read_whole, plan))]
    assert not wrong, "\n".join(wrong)
