"""Search on both databases: what is indexed, what a query finds, and in which order."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, event, select, text
from sqlalchemy.orm import Session

from app.commands.connection import engine_run
from app.commands.migrate import migrate
from app.commands.reindex import reindex
from app.core.databases.deferred import complete
from app.core.databases.interface import Database, compile_query
from app.core.databases.opening import open_database
from app.core.databases.types import now, uuid7
from app.core.errors import BadRequest
from app.core.text.analyze import located, parse_query, spans
from app.engine.search.hits import matches, query_value, reached, search_statement
from app.engine.search.index import index_many, index_record, remove_record
from app.engine.search.searched import searched, texts_of
from app.resources.agreement import agreement
from app.resources.delegate import delegate
from app.resources.organization import organization
from app.resources.participation import participation
from app.resources.person import person

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=60)


@pytest.fixture
async def database(fresh_url: str) -> AsyncIterator[Database]:
    database = open_database(fresh_url)
    await database.start()
    yield database
    await database.stop()


def person_state(name: str, **fields: Any) -> dict[str, Any]:
    return {"id": str(uuid7()), "full_name": name, "deleted_at": None, **fields}


async def put(database: Database, state: dict[str, Any], before: Any = None) -> str:
    await database.write(lambda session: index_record(session, person, state, before))
    return str(state["id"])


async def hits(
    database: Database, query: str, *kinds: str, limit: int = 50, offset: int = 0
) -> list[tuple[str, str, int]]:
    values = {"q": query_value(query, database.dialect.name), "limit": limit, "offset": offset}
    rows = await database.read(search_statement(database.dialect, kinds), values)
    return [(kind, str(record_id), tier) for kind, record_id, tier in rows]


async def found(database: Database, query: str) -> list[str]:
    return [record_id for _, record_id, _ in await hits(database, query, "person")]


async def refs(database: Database, resource: Any, query: str) -> list[str]:
    """The refs that a list of the resource with this query has."""
    table = resource.table
    statement = compile_query(
        select(table.ref).where(matches(resource)).order_by(table.ref), database.dialect
    )
    rows = await database.read(statement, {"q": query_value(query, database.dialect.name)})
    return [row[0] for row in rows]


# What is searched


def test_what_is_searched_follows_from_the_fields_types() -> None:
    assert set(searched(organization).names) == {"name", "name_en", "other_names", "city"}
    assert searched(organization).others == ("note", "ref")
    assert searched(organization).parts == (("identifiers", ("value",)),)
    assert {"subject", "readings"} <= set(searched(agreement).others)
    assert searched(agreement).parts == (("parties", ("description", "signed_as")),)


def test_the_texts_of_lists_and_parts_are_searched() -> None:
    state = {
        "name": "Нобель",
        "other_names": ["Nobel", "НОБЕЛЬ"],
        "country": "KZ",
        "note": "заметка",
        "identifiers": [{"scheme": "kz_bin", "value": "123"}],
    }
    texts = texts_of(organization, state)
    assert sorted(texts.names) == ["Nobel", "НОБЕЛЬ", "Нобель"]
    assert texts.others == ["заметка", "123"]


def test_records_are_found_by_what_they_point_to() -> None:
    assert reached(agreement) == (
        "parties.organization",
        "parties.signed_by",
        "related.agreement",
    )
    assert {"person", "organization"} <= set(reached(delegate))
    assert "organization" in reached(participation)
    assert reached(organization) == reached(person) == ()


# Finding


async def test_the_seeded_records_are_found(database: Database) -> None:
    for query in ("казнекс", "kaznex invest", "«Kaznex Invest»", "АО Kaznex", "kaznex-inv"):
        assert await refs(database, organization, query) == ["kaznex-invest"]
    assert await refs(database, organization, "каспий") == []


async def test_agreements_are_found_by_their_parties(database: Database) -> None:
    assert await refs(database, agreement, "ТОО Казэнергокабель") == [
        "kazenergokabel-memorandum-1",
        "kazenergokabel-memorandum-2",
    ]
    assert await refs(database, agreement, "***") == []


async def test_a_query_that_is_no_text_of_ours_does_no_harm(database: Database) -> None:
    for query in ("'", '"', "a' OR 1", "*", ") OR (", "\\", "NEAR(a b)", "{x} : y", "a & b | !c"):
        assert await refs(database, organization, query) is not None
        assert await hits(database, query) is not None
    for query in ("", "* - «»"):
        assert await hits(database, query) == []


async def test_too_many_words_are_refused(database: Database) -> None:
    with pytest.raises(BadRequest, match="64"):
        query_value("слово " * 65, database.dialect.name)
    assert await hits(database, "x" * 10_000) == []


async def test_phrases_do_not_reach_over_two_texts(database: Database) -> None:
    one = await put(database, person_state("Икс", other_names=["Альфа Бета", "Гамма"]))
    assert await found(database, "«альфа бета»") == [one]
    assert await found(database, "«бета гамма»") == []
    assert await found(database, "бета гамма") == [one]


async def test_a_beginning_with_many_endings_finds_them_all(database: Database) -> None:
    made = [await put(database, person_state(f"вымысел{n}")) for n in range(100)]
    assert sorted(await hits(database, "вымыс", limit=200)) == sorted(
        ("person", i, 0) for i in made
    )
    assert sorted(await hits(database, "вымысел1", limit=200)) == sorted(
        ("person", i, 0) for n, i in enumerate(made) if str(n).startswith("1")
    )


async def test_any_text_is_found_by_the_rule_and_by_nothing_else(database: Database) -> None:
    """Both databases find what the rule in `analysis` says, and so they find the same."""
    samples: list[tuple[str, str]] = []

    @settings(max_examples=150, database=None, suppress_health_check=list(HealthCheck))
    @given(TEXT, TEXT)
    def collect(one: str, other: str) -> None:
        samples.append((one, other))

    collect()
    states = [person_state(one) for one, _ in samples]
    await database.write(lambda session: index_many(session.connection(), person, [*states]))
    for at, (one, other) in enumerate(samples):
        pieces = [one[start:end] for _, start, end in located(one)]
        for query in (other, one, f"«{one}»", *pieces[:3]):
            clauses = parse_query(query)
            expected = bool(clauses) and all(spans((clause,), one) for clause in clauses)
            assert (states[at]["id"] in await shown_ids(database, query)) is expected, (one, query)
        assert not pieces or states[at]["id"] in await shown_ids(database, one)


async def shown_ids(database: Database, query: str) -> set[str]:
    return {record_id for _, record_id, _ in await hits(database, query, "person", limit=1000)}


# Order, pages and trash


async def test_names_come_first_and_then_the_newest(database: Database) -> None:
    noted = await put(database, person_state("Икс", note="про Квазимодо"))
    older = await put(database, person_state("Квазимодо"))
    newer = await put(database, person_state("Иван Квазимодо"))
    last = await put(database, person_state("Игрек", note="Квазимодо же"))
    expected = [("person", newer, 0), ("person", older, 0), ("person", last, 1)]
    assert await hits(database, "квазимодо") == [*expected, ("person", noted, 1)]
    assert await hits(database, "квазимодо", limit=2) == expected[:2]
    assert await hits(database, "квазимодо", limit=2, offset=1) == expected[1:]
    assert await hits(database, "квазимодо", limit=5, offset=4) == []
    assert await hits(database, "квазимодо", "mission", "event") == []


async def test_a_query_in_name_and_note_together_is_a_match_by_both(database: Database) -> None:
    one = await put(database, person_state("Квазимодо", note="звонарь"))
    assert await hits(database, "квазимодо звонарь") == [("person", one, 1)]


async def test_what_lies_in_the_trash_is_no_hit_until_it_comes_back(database: Database) -> None:
    state = person_state("Квазимодо")
    one = await put(database, state)
    trashed = {**state, "deleted_at": now().isoformat()}
    await put(database, trashed, state)
    assert await found(database, "квазимодо") == []
    await put(database, state, trashed)
    assert await found(database, "квазимодо") == [one]


# Keeping the index


async def test_a_change_of_the_text_is_a_change_of_the_index(database: Database) -> None:
    state = person_state("Квазимодо")
    one = await put(database, state)
    changed = {**state, "full_name": "Эсмеральда"}
    await put(database, changed, state)
    assert await found(database, "квазимодо") == []
    assert await found(database, "эсмеральда") == [one]


async def test_a_change_of_nothing_that_is_searched_runs_no_statement(database: Database) -> None:
    state = person_state("Квазимодо")
    run: list[str] = []

    def work(session: Session) -> None:
        connection = session.connection()
        driver: Any = connection.connection.driver_connection
        if connection.dialect.name == "sqlite":
            driver.set_trace_callback(run.append)
        else:
            event.listen(connection, "before_cursor_execute", lambda *args: run.append(args[2]))
        index_record(session, person, {**state, "country": "KZ"}, state)
        complete(session)
        assert run == []
        index_record(session, person, {**state, "full_name": "Hugo"}, state)
        complete(session)
        assert run != []
        if connection.dialect.name == "sqlite":
            driver.set_trace_callback(None)

    await put(database, state)
    await database.write(work)


async def test_a_record_that_is_purged_is_no_hit(database: Database) -> None:
    one = await put(database, person_state("Квазимодо"))
    await database.write(lambda session: remove_record(session, person, UUID(one)))
    await database.write(lambda session: remove_record(session, person, uuid4()))
    assert await found(database, "квазимодо") == []


async def test_records_of_one_moment_are_all_indexed(database: Database) -> None:
    shared = str(uuid7())[:-12]
    states = [{**person_state("Квазимодо"), "id": f"{shared}{n:012x}"} for n in range(5)]

    def work(session: Session) -> None:
        for state in states[:2]:
            index_record(session, person, state)
        index_many(session.connection(), person, states[2:])

    await database.write(work)
    assert sorted(await found(database, "квазимодо")) == [state["id"] for state in states]


async def test_indexing_anew_finds_the_same(fresh_url: str) -> None:
    async def all_found() -> list[Any]:
        database = open_database(fresh_url)
        await database.start()
        shown = [await hits(database, query) for query in ("novosibirsk", "казахстан", "а", "и")]
        await database.stop()
        return shown

    before = await all_found()
    assert before[0]
    await engine_run(fresh_url, reindex)
    assert await all_found() == before


async def test_another_analyser_s_index_is_made_anew_when_migrating(fresh_url: str) -> None:
    def spoil(connection: Connection) -> None:
        connection.execute(text("UPDATE search_version SET analyser = 'another'"))
        connection.execute(text("DELETE FROM search_entry"))

    assert await migrate(fresh_url) is False
    await engine_run(fresh_url, spoil)
    assert await migrate(fresh_url) is True
    database = open_database(fresh_url)
    await database.start()
    assert await refs(database, organization, "kaznex") == ["kaznex-invest"]
    await database.stop()
