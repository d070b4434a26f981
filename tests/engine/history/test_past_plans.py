"""Undoing many changes looks each of them up: the work grows with their number, not its square."""

from collections.abc import AsyncGenerator, Sequence

import httpx
import pytest
from fastapi import FastAPI

from app.core.databases.interface import (
    STREAM_BATCH_ROWS,
    CompiledQuery,
    ReadTransaction,
    Rows,
    plain_query,
)
from app.core.databases.places import reader
from app.core.loose_types import Values
from app.engine.history.past import Past
from app.rest.past import read_as_of


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True, scope="session")
async def test_each_change_is_found_by_an_index(
    fresh_app: FastAPI, fresh: httpx.AsyncClient
) -> None:
    reader.set("")
    tag = (await fresh.get("/people?limit=1")).headers["etag"]
    await fresh.patch("/people/nikolai-dychko", json={"note": "Changed"})
    database, plans = fresh_app.state.database, list[tuple[str, list[str]]]()
    async with database.read_transaction() as transaction:
        past = Past(_Explained(transaction, plans), database.whole_dialect)
        await past.open(read_as_of(tag.removeprefix("W/").strip('"')))
        await past.hide("SELECT * FROM person")
    joined = [plan for sql, plan in plans if 'JOIN "past_changes"' in sql]
    assert joined
    assert [plan for plan in joined if "SEARCH p USING" not in " ".join(plan)] == []


class _Explained(ReadTransaction):
    """A transaction that notes how SQLite finds what each statement reads."""

    def __init__(self, transaction: ReadTransaction, plans: list[tuple[str, list[str]]]) -> None:
        self._transaction, self._plans = transaction, plans

    async def run(self, *statements: str) -> None:
        for sql in statements:
            plan = await self._transaction.read(plain_query(f"EXPLAIN QUERY PLAN {sql}"), {})
            self._plans.append((sql, [str(row[3]) for row in plan]))
            await self._transaction.run(sql)

    async def read(self, statement: CompiledQuery, values: Values) -> Rows:
        return await self._transaction.read(statement, values)

    async def run_many(self, statement: CompiledQuery, several: Sequence[Values]) -> None:
        await self._transaction.run_many(statement, several)

    def stream(
        self, statement: CompiledQuery, values: Values, batch_rows: int = STREAM_BATCH_ROWS
    ) -> AsyncGenerator[Rows]:
        return self._transaction.stream(statement, values, batch_rows)
