"""Migrations on an empty database: up, down, up again, and nothing differs from the program."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import CheckConstraint, Connection, create_engine, inspect, text

import app.seeds  # noqa: F401 (imports every table)
from app.commands.connection import engine_run
from app.commands.migrate import compare, downgrade, migrate
from app.commands.revision import revision_of
from app.core.databases.interface import Base
from app.core.databases.schema_revision import newest
from tests import processes
from tests.postgres import create_database, drop_database


@contextmanager
def empty_database(kind: str, folder: Path) -> Iterator[str]:
    """A database without any table, as long as the context lasts."""
    name = f"bare_{uuid4().hex}"
    if kind == "sqlite":
        yield f"sqlite:///{folder / name}.db"
        return
    server = os.environ["TEST_DATABASE_URL"]
    url = create_database(server, name)
    try:
        yield url
    finally:
        drop_database(server, name)


@pytest.fixture
def bare_url(database_kind: str, tmp_path: Path) -> Iterator[str]:
    """An empty database of the test's own."""
    with empty_database(database_kind, tmp_path) as url:
        yield url


def table_names(connection: Connection) -> set[str]:
    """All tables, without those that SQLite's full-text search keeps for itself."""
    names = inspect(connection).get_table_names()
    return {name for name in names if not name.startswith("search_words")}


def written_checks(connection: Connection) -> set[tuple[str, str]]:
    """The table and the name of each CHECK that the database has."""
    inspector = inspect(connection)
    return {
        (table, check["name"] or "")
        for table in inspector.get_table_names()
        for check in inspector.get_check_constraints(table)
    }


def named_checks(connection: Connection) -> set[tuple[str, str]]:
    """The table and the name of each CHECK that the program's tables have."""
    preparer = connection.dialect.identifier_preparer
    return {
        (table.name, preparer.format_constraint(constraint) or "")
        for table in Base.metadata.tables.values()
        for constraint in table.constraints
        if isinstance(constraint, CheckConstraint)
    }


async def run_sql(url: str, *statements: str) -> None:
    """Run statements in one transaction."""

    def work(connection: Connection) -> None:
        for statement in statements:
            connection.execute(text(statement))

    await engine_run(url, work)


async def test_a_migrated_database_differs_in_nothing_from_the_program(bare_url: str) -> None:
    assert await migrate(bare_url) is True
    assert await compare(bare_url) == []
    assert await engine_run(bare_url, revision_of) == newest()
    made = await engine_run(bare_url, table_names)
    assert made == {*Base.metadata.tables, "alembic_version"}


async def test_going_back_leaves_no_table_and_going_up_again_makes_all(migrated_url: str) -> None:
    await downgrade(migrated_url)
    assert await engine_run(migrated_url, table_names) == {"alembic_version"}
    assert await engine_run(migrated_url, revision_of) is None
    assert await migrate(migrated_url) is True
    assert await compare(migrated_url) == []


async def test_migrating_again_changes_nothing_and_says_so(migrated_url: str) -> None:
    assert await migrate(migrated_url) is False


async def test_a_database_of_a_newer_version_is_refused_and_left_as_it_is(
    migrated_url: str,
) -> None:
    await run_sql(migrated_url, "UPDATE alembic_version SET version_num = 'of_tomorrow'")
    with pytest.raises(RuntimeError, match=r"of_tomorrow.*newer version\. Nothing was changed"):
        await migrate(migrated_url)
    assert await engine_run(migrated_url, revision_of) == "of_tomorrow"


async def test_every_check_of_the_program_is_in_the_database(migrated_url: str) -> None:
    named = await engine_run(migrated_url, named_checks)
    assert len(named) > 20
    assert named == await engine_run(migrated_url, written_checks)


async def test_a_missing_column_is_a_difference(migrated_url: str) -> None:
    await run_sql(migrated_url, "ALTER TABLE mission DROP COLUMN note")
    assert "note" in str(await compare(migrated_url))


async def test_a_missing_check_is_a_difference(migrated_url: str) -> None:
    await run_sql(
        migrated_url,
        "DROP TABLE change_counter",
        "CREATE TABLE change_counter (id INTEGER NOT NULL, seq BIGINT NOT NULL,"
        " CONSTRAINT pk_change_counter PRIMARY KEY (id))",
    )
    assert "one_row" in str(await compare(migrated_url))


async def test_a_new_database_holds_its_tables_of_one_row_only(
    migrated_url: str,
) -> None:

    def filled(connection: Connection) -> set[str]:
        return {
            name
            for name in Base.metadata.tables
            if connection.execute(text(f'SELECT 1 FROM "{name}" LIMIT 1')).all()
        }

    assert await engine_run(migrated_url, filled) == {
        "change_counter",
        "installation",
        "search_version",
    }


# Kills, and several at once


def at(url: str) -> dict[str, str]:
    """The environment of a process that works on the database."""
    return os.environ | {"TRADE_MISSIONS_DATABASE_URL": url}


def kill_at(url: str, table: str) -> None:
    """Migrate, and be killed when the table was made."""
    killed = processes.run(url, table, environment=at(url), module="tests.killed_migration")
    assert killed.returncode == -9, killed.stderr


def at_once(url: str, *commands: list[str], status: int = 0) -> list[tuple[str, str]]:
    """Run commands of ours at the same time; what each printed, and what it told of errors."""
    with ThreadPoolExecutor(len(commands)) as pool:
        ended = [*pool.map(lambda each: processes.run(*each, environment=at(url)), commands)]
    told = [(one.stdout, one.stderr) for one in ended]
    assert [one.returncode for one in ended] == [status] * len(ended), told
    return told


@pytest.mark.parametrize("table", ["mission", "installation"])
async def test_a_migration_that_is_killed_leaves_nothing_and_the_next_one_does_it_all(
    bare_url: str, table: str
) -> None:
    kill_at(bare_url, table)
    assert await engine_run(bare_url, table_names) == set()
    assert await migrate(bare_url) is True
    assert await compare(bare_url) == []


async def test_an_upgrade_that_is_killed_leaves_the_older_tables_as_they_were(
    bare_url: str,
) -> None:
    await migrate(bare_url, to="20261122_records")
    before = await engine_run(bare_url, table_names)
    kill_at(bare_url, "installation")
    assert await engine_run(bare_url, table_names) == before
    assert await engine_run(bare_url, revision_of) == "20261122_records"
    assert await migrate(bare_url) is True
    assert await compare(bare_url) == []


@pytest.mark.parametrize("start", [None, "20261122_records"])
async def test_of_several_processes_one_migrates_and_the_others_wait(
    bare_url: str, start: str | None
) -> None:
    if start is not None:
        await migrate(bare_url, to=start)
    said = sorted(told for told, _ in at_once(bare_url, *[["migrate"]] * 3))
    assert said == [*["The database is up to date.\n"] * 2, "The database was migrated.\n"]
    assert await compare(bare_url) == []


async def test_a_migration_that_would_break_a_reference_is_taken_back(bare_url: str) -> None:
    if not bare_url.startswith("sqlite"):
        pytest.skip("PostgreSQL refuses by itself")
    await migrate(bare_url, to="20261122_search")
    broken = (
        "INSERT INTO region (code, parent, en, aliases, retired) VALUES ('x', 'y', 'X', '[]', 0)"
    )
    engine = create_engine(bare_url)
    with engine.begin() as connection:
        connection.execute(text(broken))
    engine.dispose()
    with pytest.raises(RuntimeError, match=r"row 1 of region, .* was taken back"):
        await migrate(bare_url)
    assert await engine_run(bare_url, revision_of) == "20261122_search"


async def test_a_newer_database_is_not_served_and_it_is_told_why(migrated_url: str) -> None:
    await run_sql(migrated_url, "UPDATE alembic_version SET version_num = 'of_tomorrow'")
    serve = ["serve", "--port", "0"]
    for _, refused in at_once(migrated_url, serve, [*serve, "--prepare"], status=2):
        assert "revision of_tomorrow" in refused
        assert "newer version" in refused
        assert "Traceback" not in refused
