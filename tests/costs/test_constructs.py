"""SQL keeps to what distributed PostgreSQL runs, so that it can stand where PostgreSQL stands.

There every node has all records, and the change log is spread over them. What an engine lacks all
the same is told by tests/faults/test_unsupported.py.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import Engine, event

from app.commands import check
from tests.costs.constructs import KEPT_AWAY_FROM, Query, found_in
from tests.costs.requests import READS, WRITES, read, write
from tests.costs.statements import Statements
from tests.costs.test_plans import FOUND, LED

#: The tables that are spread over nodes.
SPREAD = {"change"}
MORE = (
    "/organizations?q=somebody&count=exact&sort=-updated_at",
    "/delegates?expand=person,organization,mission",
    "/missions?expand=agreements.parties.organization,events,statements.citations.source",
    "/missions/aggregate.csv?group_by=created_at&having=count gt 1",
    "/agreements?filter=contains(mission.title,'y') or mission.ref eq 'x'",
    "/agreements.ndjson",
    "/changes?kind=mission&limit=5",
)
SAMPLES = {
    "a recursive query": "WITH RECURSIVE a AS (SELECT 1) SELECT * FROM a",
    "a write in a WITH": "WITH a AS (DELETE FROM b RETURNING id) SELECT id FROM a",
    "a sequence": "SELECT nextval('numbers')",
    "an advisory lock": "SELECT pg_try_advisory_xact_lock(1)",
    "a lock of a whole table": "LOCK TABLE a",
    "a lock of rows of several tables": "SELECT a.id FROM a JOIN b ON a.id = b.id FOR UPDATE",
    "grouping sets": "SELECT count(*) FROM a GROUP BY ROLLUP (a.b)",
    "a lateral join": "SELECT 1 FROM a, LATERAL (SELECT 1) AS b",
    "a full join": "SELECT 1 FROM a FULL OUTER JOIN b ON a.id = b.id",
    "a sample of a table": "SELECT 1 FROM a TABLESAMPLE system (1)",
    "a column of the system's": "SELECT a.ctid FROM a",
    "MERGE": "MERGE INTO a USING b ON a.id = b.id WHEN MATCHED THEN DELETE",
    "a message to sessions": "NOTIFY changes",
    "a temporary table": "CREATE TEMP TABLE a (b int)",
    "a subquery of each row, where the change log is read": "SELECT m.id FROM mission AS m WHERE"
    " m.version != (SELECT max(change.version) FROM change WHERE change.record_id = m.id)",
}
RIGHT = (
    "SELECT m.id FROM mission AS m JOIN change ON change.record_id = m.id GROUP BY m.id",
    "SELECT 'nextval', a.b FROM a WHERE a.b IS DISTINCT FROM $1 FOR UPDATE",
    "SELECT change.seq, (SELECT change_counter.seq FROM change_counter) FROM change",
    "SELECT (SELECT p.name FROM person AS p WHERE p.id = d.person_id) FROM delegate AS d",
)


def test_each_construct_is_recognised_and_nothing_else() -> None:
    assert {name: lacking(sql) for name, sql in SAMPLES.items()} == {
        name: [name] for name in SAMPLES
    }
    assert set(SAMPLES) > set(KEPT_AWAY_FROM)
    assert [lacking(sql) for sql in RIGHT] == [[]] * len(RIGHT)


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
async def test_no_statement_has_what_distributed_databases_lack(
    costs_app: FastAPI, client: httpx.AsyncClient, noted: Statements
) -> None:
    noted.clear()
    person = await write(client, "POST", "")
    for what in WRITES:
        await write(client, what, person)
    for what in READS:
        await read(client, what, person)
    for address in [*LED, *FOUND, *MORE]:
        answer = await client.get(address.format(person=person))
        assert answer.status_code == 200, f"{address}: {answer.text}"
    with commands_noted(noted):
        assert await check.run(costs_app.state.database.url) == []
    wrong = {sql: found for sql in set(noted.texts()) if (found := lacking(sql))}
    assert not wrong, "\n".join(f"{found}: {sql}" for sql, found in wrong.items())


def lacking(sql: str) -> list[str]:
    """What a statement has that such databases lack."""
    query = Query.read(sql)
    found = found_in(sql)
    if query.correlated() and any(SPREAD & each.tables() for each in query.all()):
        found.append("a subquery of each row, where the change log is read")
    return found


@contextmanager
def commands_noted(noted: Statements) -> Iterator[None]:
    """Within, what commands ask on connections of their own is noted too."""

    def note(connection: Any, cursor: Any, sql: str, *_: Any) -> None:
        noted.note(sql)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", note)
