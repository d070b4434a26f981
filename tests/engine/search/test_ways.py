"""Lists that are searched: each way to their records gives the same ones in the same order."""

import re
import shutil
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlencode

import asyncpg
import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Text, bindparam, literal_column, select
from sqlalchemy.engine import make_url
from sqlalchemy.orm import aliased

from app.api import RESOURCES
from app.commands.connection import engine_run
from app.commands.generate import Generator
from app.core.databases.addresses import sqlite_path
from app.core.databases.interface import CompiledQuery, Database, compile_query
from app.core.databases.opening import open_database
from app.core.databases.sqlite import connect
from app.core.databases.types import uuid7
from app.core.http.requests import read_query
from app.core.text.analyze import located
from app.engine.query.parameters import ListQuery, QueryShape, read_listing, read_sort
from app.engine.query.statements import is_led_by_index, list_statement
from app.engine.search import density
from app.engine.search.density import is_by_row, sample_statement, share_found
from app.engine.search.hits import matches, query_value, search_statement
from app.engine.search.index import SearchEntry, index_many
from app.engine.search.row_match import _has_names, _has_words, matches_by_row
from app.resources.agreement import agreement
from app.resources.person import person
from tests.templates import seeded_url

#: Words, beginnings, phrases and mixtures of the seeded records, and what is none of them.
QUERIES = (
    "казахстан",
    "kazakhstan novosibirsk",
    "новосиб",
    "ка",
    "kaz",
    "«Kaznex Invest»",
    "«invest kaznex»",
    "ТОО Казэнергокабель",
    "ТОО",
    "меморандум",
    "memorandum казэнергокабель",
    "agreement",
    "1",
    "a' OR 1 -- \" * %",
    "_",
    "нетакогослова",
    "* - «»",
)
AMOUNT = QueryShape(q=True, sort=((("amount",), True), (("id",), True)))
ROWS = 400
SQLITE, POSTGRESQL = (make_url(f"{name}://").get_dialect()() for name in ("sqlite", "postgresql"))


@pytest.fixture
async def database(fresh_url: str) -> AsyncIterator[Database]:
    database = open_database(fresh_url)
    await database.start()
    yield database
    await database.stop()


async def test_a_record_by_itself_is_found_by_what_the_list_finds_it_by(client: Any) -> None:
    """Of every kind, also by what it is reached through."""
    database: Database = client._transport.app.state.database
    wrong, found = [], set()
    for resource in RESOURCES:
        table: Any = resource.table
        each, listed = (
            compile_query(select(table.id).where(ways(resource)), database.dialect)
            for ways in (matches_by_row, matches)
        )
        for query in QUERIES:
            values = {"q": query_value(query, database.dialect.name)}
            by_row, by_list = [
                sorted(str(row[0]) for row in await database.read(way, values))
                for way in (each, listed)
            ]
            found |= {resource.name} if by_list else set()
            if by_row != by_list:
                wrong.append((resource.name, query, by_row, by_list))
    assert wrong == []
    assert {"Agreement", "Delegate", "Organization"} <= found


async def test_a_record_by_itself_is_found_by_the_rule_of_all_searching(
    database: Database,
) -> None:
    texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
    samples: list[tuple[str, str]] = []

    @settings(max_examples=40, database=None, suppress_health_check=list(HealthCheck))
    @given(texts, texts)
    def collect(one: str, other: str) -> None:
        samples.append((one, other))

    collect()
    states: list[Any] = [
        {"id": str(uuid7()), "full_name": one, "note": other, "deleted_at": None}
        for one, other in samples
    ]
    await database.write(lambda session: index_many(session.connection(), person, states))
    every = search_statement(database.dialect, ("person",))
    entry = aliased(SearchEntry)
    each, named = (
        compile_query(
            select(entry.record_id).where(
                entry.kind == "person",
                has(literal_column("person"), entry.record_id, bindparam("q", type_=Text)),
            ),
            database.dialect,
        )
        for has in (_has_words, _has_names)
    )
    for one, other in samples:
        pieces = [one[start:end] for _, start, end in located(one)][:2]
        for query in (one, other, f"«{one}»", *pieces):
            values = {"q": query_value(query, database.dialect.name), "limit": 999, "offset": 0}
            hits = await database.read(every, values)
            assert await ids(database, each, values) == {str(hit[1]) for hit in hits}, query
            in_names = {str(hit[1]) for hit in hits if hit[2] == 0}
            assert await ids(database, named, values) == in_names, query


async def ids(database: Database, statement: CompiledQuery, values: Any) -> set[str]:
    return {str(row[0]) for row in await database.read(statement, values)}


@contextmanager
def way(by_row: bool) -> Iterator[None]:
    """Every list goes this way, however common its words are."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(density, "LARGE_SHARE", -1.0 if by_row else 2.0)
        patch.setattr(density, "LONG_LIST_ROWS", 0)
        yield


async def pages(client: httpx.AsyncClient, path: str) -> list[Any]:
    """What each page shows, from the first on and then once back."""
    shown: list[Any] = []
    address = path
    for _ in range(4):
        answer = (await client.get(address)).raise_for_status().json()
        place = answer["page"]
        shown.append(([row["id"] for row in answer["data"]], place["total"], place["next_cursor"]))
        following = place["next_cursor"] if len(shown) < 3 else place["prev_cursor"]
        if following is None or "offset=" in path:
            break
        address = f"{path}&cursor={following}"
    return shown


async def test_each_way_shows_the_same_pages(client: httpx.AsyncClient) -> None:
    lists = (
        "/agreements?q=kaz&limit=3&sort=-amount&count=exact",
        "/agreements?q=kaz&limit=2&instrument__ne=other&sort=title&count=estimated",
        "/agreements?q=каз&offset=2&limit=4&deleted=include",
        "/delegates?q=казахстан&limit=2&sort=-mission.title",
        "/missions/novosibirsk-april/agreements?q=kaz&limit=2",
    )
    wrong = []
    for path in lists:
        shown = []
        for by_row in (False, True):
            with way(by_row):
                shown.append(await pages(client, path))
        if shown[0] != shown[1] or not shown[0][0][0]:
            wrong.append((path, shown))
    assert wrong == []


# The choice


def test_common_words_are_looked_for_in_the_list_and_rare_ones_are_listed() -> None:
    cases = {
        (0.0, 51): False,
        (0.01, 51): False,
        (0.1, 51): True,
        (1.0, 51): True,
        (0.05, 1001): False,  # so many take long to be found one by one
        (0.3, 1001): True,
        (1.0, 100_000): True,
        (0.1, None): False,  # all of them are wanted
        (0.9, None): True,
    }
    assert {case: is_by_row(*case) for case in cases} == cases


def test_an_index_leads_lists_in_the_order_of_its_first_column() -> None:
    def led(sort: str, dialect: Any) -> bool:
        return is_led_by_index(agreement, QueryShape(sort=read_sort(agreement, sort)), dialect)

    both = ["id", "-id", "-amount", "signed", "instrument", "-instrument"]
    sqlite_alone = ["amount", "-signed"]
    none = ["title", "mission.title", "note", "-amount,title"]
    cases = [
        (sort, led(sort, SQLITE), led(sort, POSTGRESQL)) for sort in both + sqlite_alone + none
    ]
    assert cases == [
        *((sort, True, True) for sort in both),
        *((sort, True, False) for sort in sqlite_alone),
        *((sort, False, False) for sort in none),
    ]


def test_a_filter_over_relations_leaves_too_few_records_to_walk_for_a_page() -> None:
    def led(**filters: str) -> bool:
        query = read_query(ListQuery, urlencode(filters).encode())
        assert isinstance(query, ListQuery)
        return is_led_by_index(agreement, read_listing(agreement, query).shape, SQLITE)

    assert [led(), led(status="signed"), led(filter="not (status eq 'signed')")] == [True] * 3
    over = ["mission/kind eq 'trade_fair'", "parties/any()", "not (mission/title eq 'x')"]
    over += ["status eq 'signed' and (amount gt 1 or event/title eq 'x')"]
    assert [led(filter=each) for each in over] == [False] * len(over)
    assert led(mission__title="x") is False


async def test_a_word_of_one_time_only_is_not_common() -> None:
    """Of the newest and of the oldest records: how many are found of how many."""

    class Sampled:
        dialect = SQLITE
        reads = 0

        def __init__(self, *rows: tuple[int, int]) -> None:
            self.rows = rows

        async def read(self, *_: Any) -> Any:
            self.reads += 1
            return self.rows

    async def share(*rows: tuple[int, int]) -> float:
        return await share_found(cast("Database", Sampled(*rows)), agreement, {"q": "a"})

    assert await share((64, 64), (0, 64)) == 0
    assert await share((64, 64), (64, 64)) == 1
    assert await share((8, 64), (4, 64)) == 6 / 64
    assert await share((0, 0), (0, 0)) == 0
    sampled: Any = Sampled((1, 2), (1, 2))
    shares = [await share_found(sampled, agreement, {"q": q}) for q in ("a", "b", "a", "b")]
    assert (shares, sampled.reads) == ([0.5] * 4, 2)


# What the ways cost, counted


async def test_a_page_of_a_common_word_costs_the_same_however_many_have_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite's steps for a page of what all records have: twice the records, no more steps."""
    path = tmp_path / "many.db"
    shutil.copy(sqlite_path(seeded_url("sqlite")), path)
    database = open_database(f"sqlite:///{path}")
    page = list_statement(agreement, None, replace(AMOUNT, by_row=True), database.dialect)
    sample = sample_statement(agreement, database.dialect)
    listed = list_statement(agreement, None, AMOUNT, database.dialect)
    values = {"q": query_value("synthetic", "sqlite"), "limit": 11}
    counted = []
    for _ in range(2):
        await engine_run(
            f"sqlite:///{path}", lambda on: Generator(on, 1, lambda made: None).run(1, 9, ROWS)
        )
        with closing(connect(str(path), readonly=True)) as connection:
            counted.append(
                [steps(connection, statement, values) for statement in (page, sample, listed)]
            )
    (small_page, small_sample, small_list), (large_page, large_sample, large_list) = counted
    assert large_page < 1.2 * small_page
    assert large_sample < 1.2 * small_sample
    # Which is what the way saves.
    assert large_list > 1.6 * small_list > 8 * small_page


def steps(connection: sqlite3.Connection, statement: CompiledQuery, values: Any) -> int:
    """How many hundreds of steps of its machine SQLite takes for the statement."""
    taken = 0

    def count() -> None:
        nonlocal taken
        taken += 1

    connection.set_progress_handler(count, 100)
    assert connection.execute(statement.sql, statement.arguments(values)).fetchall()
    connection.set_progress_handler(None, 0)
    return taken


async def test_no_way_sorts_all_records_or_reads_all_words(client: Any, database_kind: str) -> None:
    """By the plans, on PostgreSQL with a planner that likes what it must not do."""
    database = client._transport.app.state.database
    values = {"q": query_value("synthetic", database.dialect.name), "limit": 51}
    listed, each = [
        list_statement(agreement, None, replace(AMOUNT, by_row=by_row), database.dialect)
        for by_row in (False, True)
    ]
    if database_kind == "sqlite":
        with closing(connect(database.path, readonly=True)) as connection:
            rows = connection.execute(f"EXPLAIN QUERY PLAN {each.sql}", each.arguments(values))
            plan = [row[3] for row in rows]
        assert "SCAN agreement USING INDEX ix_agreement_amount_shown" in plan
        assert not [line for line in plan if "TEMP B-TREE FOR ORDER BY" in line]
        return
    plans = await postgres_plans(database.url.replace("+asyncpg", ""), [listed, each], values)
    assert not re.search(r"Parallel .* on search_entry", plans[0]), plans[0]
    assert "Scan using ix_agreement_amount" in plans[1], plans[1]
    unwanted = "Sort Key: agreement.amount", "search_entry_words"
    assert not [words for words in unwanted if words in plans[1]], plans[1]


EAGER = """
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET enable_seqscan = off;
SET min_parallel_table_scan_size = 0; SET min_parallel_index_scan_size = 0;
SET plan_cache_mode = force_generic_plan"""


async def postgres_plans(dsn: str, statements: list[CompiledQuery], values: Any) -> list[str]:
    """The plans that PostgreSQL keeps for statements: without knowing what they are asked with."""
    connection = await asyncpg.connect(dsn)
    await connection.execute(EAGER)
    plans = []
    for at, statement in enumerate(statements):
        await connection.execute(f"PREPARE asked_{at} AS {statement.sql}")
        given = ", ".join(
            str(value) if isinstance(value, int) else "'" + value.replace("'", "''") + "'"
            for value in statement.arguments(values)
        )
        rows = await connection.fetch(f"EXPLAIN EXECUTE asked_{at}({given})")
        plans.append("\n".join(row[0] for row in rows))
    await connection.close()
    return plans
