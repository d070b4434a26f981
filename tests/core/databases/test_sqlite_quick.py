"""Reads that are quick are done in the loop; what may take longer is left to the threads."""

import sqlite3
import threading
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from app.core.databases.interface import CompiledQuery
from app.core.databases.sqlite import SqliteDatabase
from app.core.databases.sqlite_quick import MAX_STATEMENTS, QUICK_RUNS, QUICK_SECONDS, QuickReads
from tests.held_writer import held_writer

#: Counts to a number, which takes as long as one likes.
COUNTING = (
    "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < ?)"
    " SELECT max(x) FROM c"
)
COUNT = CompiledQuery(COUNTING, ("to",), (None,), {})
LONG = 300_000


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[SqliteDatabase]:
    file = tmp_path / "empty.db"
    sqlite3.connect(file).close()
    found = SqliteDatabase(f"sqlite:///{file}")
    await found.start()
    yield found
    await found.stop()


async def test_what_was_quick_is_read_in_the_loop_until_it_takes_long(
    database: SqliteDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_threads = 0
    timed = database._timed

    def counted(*asked: Any) -> list[Any]:
        nonlocal in_threads
        in_threads += 1
        assert threading.current_thread() is not threading.main_thread()
        return timed(*asked)

    monkeypatch.setattr(database, "_timed", counted)
    for _ in range(QUICK_RUNS + 5):
        assert await database.read(COUNT, {"to": 10}) == [(10,)]
    assert in_threads == QUICK_RUNS
    for _ in range(2):  # Given up in the loop, then not even tried there.
        assert await database.read(COUNT, {"to": LONG}) == [(LONG,)]
    assert in_threads == QUICK_RUNS + 2
    assert await database.read(COUNT, {"to": 10}) == [(10,)]
    assert in_threads == QUICK_RUNS + 3


async def test_nothing_is_read_in_the_loop_while_something_is_written(
    database: SqliteDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(QUICK_RUNS):
        await database.read(COUNT, {"to": 10})
    asked: list[str] = []

    def is_quick(sql: str) -> bool:
        asked.append(sql)
        return False

    monkeypatch.setattr(database._quick, "is_quick", is_quick)
    async with held_writer(database):
        assert await database.read(COUNT, {"to": 10}) == [(10,)]
        assert asked == []
    await database.read(COUNT, {"to": 10})
    assert asked == [COUNTING]


def test_only_what_was_quick_many_times_in_a_row_is_quick() -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        quick = QuickReads(connection)
        for _ in range(QUICK_RUNS - 1):
            quick.note("a", QUICK_SECONDS / 2)
        assert not quick.is_quick("a")
        quick.note("a", QUICK_SECONDS * 2)
        quick.note("a", QUICK_SECONDS / 2)
        assert not quick.is_quick("a")
        # The index of words works for long without asking whether to go on.
        for _ in range(QUICK_RUNS):
            quick.note("SELECT 1 FROM words WHERE words MATCH ?", 0)
        assert not quick.is_quick("SELECT 1 FROM words WHERE words MATCH ?")


def test_however_many_statements_there_are_few_are_remembered() -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        quick = QuickReads(connection)
        for number in range(MAX_STATEMENTS * 3):
            quick.note(f"SELECT {number}", 0)
            assert len(quick._runs) <= MAX_STATEMENTS


def test_what_is_wrong_with_a_statement_is_told_and_is_not_taken_for_slowness() -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        quick = QuickReads(connection)
        with pytest.raises(sqlite3.OperationalError, match="no such table"):
            quick.rows("SELECT 1 FROM nowhere", ())
        assert quick.rows(COUNTING, (LONG,)) is None
        assert connection.execute(COUNTING, (LONG,)).fetchall() == [(LONG,)]
