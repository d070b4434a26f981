"""What differs between the tables of a database and those of the program is told in sentences."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import CheckConstraint, Column, Connection, Integer, Table, inspect, text

from app.commands.check import run
from app.commands.checks import checks_of, meaning, written
from app.commands.connection import engine_run
from app.commands.migrate import changing_run, compare, migrate
from app.commands.readiness import lacking
from app.commands.unmigrated import declared
from app.core.databases.interface import Base
from app.datasets.columns import ALL_DATASETS
from app.datasets.views import drop_views, make_views, view_name
from app.engine.shown_indexes import drop_shown_indexes, make_shown_indexes
from app.resources.mission import MissionKind
from tests.test_migrations import empty_database

REMEDY = "run alembic revision --autogenerate"


@pytest.fixture
def bare_url(database_kind: str, tmp_path: Path) -> Iterator[str]:
    with empty_database(database_kind, tmp_path) as url:
        yield url


#: The indexes of what the public is shown: some of columns that lists are sorted by, and one of a
#: kind for what it is not.
SHOWN = {"ix_mission_dates_shown", "ix_agreement_amount_shown", "ix_person_hidden_shown"}
LACKS = r"the index (\w+_shown) is not there\. Run: trade-missions migrate"


@contextmanager
def table_declared() -> Iterator[None]:
    """A table that no migration makes."""
    table = Table("toy", Base.metadata, Column("id", Integer, primary_key=True))
    try:
        yield
    finally:
        Base.metadata.remove(table)


async def change(url: str, work: Callable[[Operations], None]) -> None:
    """Change tables as somebody could by hand."""

    def changed(connection: Connection) -> None:
        options = {"target_metadata": Base.metadata}
        drop_views(connection)
        drop_shown_indexes(connection, declared())
        work(Operations(MigrationContext.configure(connection, opts=options)))
        make_shown_indexes(connection, declared())
        make_views(connection)

    await changing_run(url, changed)


def only_values(*values: str) -> Callable[[Operations], None]:
    """Hold the kinds of missions to these."""

    def work(op: Operations) -> None:
        listed = ", ".join(f"'{value}'" for value in values)
        with op.batch_alter_table("mission") as batch:
            batch.drop_constraint(op.f("ck_mission_kind"), type_="check")
            batch.create_check_constraint(op.f("ck_mission_kind"), f"kind IN ({listed})")

    return work


async def test_every_check_in_the_database_says_what_the_program_says(fresh_url: str) -> None:
    """By its values, its columns and its bounds: not by its name."""

    def work(connection: Connection) -> list[str]:
        wrong = []
        for table in declared().sorted_tables:
            there = inspect(connection).get_check_constraints(table.name)
            said = {str(check["name"]): check["sqltext"] for check in there}
            rules = checks_of(table, connection.dialect)
            wrong += [f"{name} is but on one side" for name in said.keys() ^ rules.keys()]
            columns = [column.name for column in table.columns]
            for name in said.keys() & rules.keys():
                told, meant = said[name], written(rules[name], connection.dialect)
                if meaning(told, columns) != meaning(meant, columns):
                    wrong.append(f"{name}: {told} is not {meant}")
        return wrong

    assert (
        sum(
            isinstance(c, CheckConstraint)
            for t in declared().tables.values()
            for c in t.constraints
        )
        > 60
    )
    assert await engine_run(fresh_url, work) == []


ALIKE = [
    ("a IN ('x', 'y')", "a::text = ANY (ARRAY['x'::character varying, 'y'::character varying])"),
    ("a NOT IN (1, 2)", "a <> ALL (ARRAY[1, 2])"),
    ("a > -1", "a > '-1'::integer::numeric"),
    ("a BETWEEN 1 AND 9", "a >= 1 AND a <= 9"),
    ('"a" != 0.5 and b is null', "a <> 0.5 AND b IS NULL"),
    ("length(a) <= 300", "length(a::text) <= 300"),
    ("a = 'it''s'", "a = 'it''s'::character varying(32)"),
]
APART = [
    ("a IN ('x', 'y')", "a IN ('x')"),
    ("a IN ('x', 'y')", "a IN ('x', 'z')"),
    ("a >= 0", "a > 0"),
    ("a >= 0", "b >= 0"),
    ("a <= 300", "a <= 301"),
    ("a IS NULL", "a IS NOT NULL"),
    ("a > 0 AND b > 0", "a > 0 OR b > 0"),
]


def test_a_rule_means_the_same_however_postgresql_tells_it() -> None:
    def same(pair: tuple[str, str]) -> bool:
        first, second = (meaning(sql, ("a", "b")) for sql in pair)
        return first == second

    assert [pair for pair in ALIKE if not same(pair)] == []
    assert [pair for pair in APART if same(pair)] == []


async def test_a_value_that_the_database_lacks_or_still_has_is_a_difference(fresh_url: str) -> None:
    values = [*map(str, MissionKind)]
    await change(fresh_url, only_values(*values[:-1]))
    lacks = "table mission: the rule ck_mission_kind of the database does not know '{}'"
    faults = await run(fresh_url)
    assert faults == [
        lacks.format(values[-1]),
        f"If nobody has changed the database by hand, a migration is missing: {REMEDY}",
    ]
    await change(fresh_url, only_values(*values, "study_tour"))
    assert "of the database still has 'study_tour'" in (await compare(fresh_url))[0]
    await change(fresh_url, only_values(*values))
    assert await run(fresh_url) == []


async def test_each_table_of_sqlite_can_be_copied_and_keeps_its_rules(
    migrated_url: str,
) -> None:
    """As a migration does that changes a rule of it."""
    if not migrated_url.startswith("sqlite"):
        pytest.skip("PostgreSQL alters a table in its place")
    made = text("SELECT type, name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY 1, 2")

    def copy(connection: Connection) -> None:
        options = {"target_metadata": Base.metadata}
        op = Operations(MigrationContext.configure(connection, opts=options))
        drop_views(connection)
        drop_shown_indexes(connection, declared())
        before = connection.execute(made).all()
        for name in declared().tables:
            with op.batch_alter_table(name, recreate="always"):
                pass
        assert connection.execute(made).all() == before

    await changing_run(migrated_url, copy)
    assert await compare(migrated_url) == []
    # Those over what is shown are made again by the next migration, whatever it changes.
    views = [
        f"the view {name} is not what the program declares. Run: trade-missions migrate"
        for name in sorted(map(view_name, ALL_DATASETS))
    ]
    told = await run(migrated_url)
    assert told[-len(views) :] == views
    named = [re.fullmatch(LACKS, line) for line in told[: -len(views)]]
    assert all(named)
    assert {line[1] for line in named if line} > SHOWN
    assert await migrate(migrated_url)
    assert await run(migrated_url) == []


async def test_a_table_without_a_migration_is_told_in_a_sentence(
    bare_url: str, fresh_url: str
) -> None:
    said = f"table toy is declared but no migration makes it: {REMEDY}"
    with table_declared():
        for url in (bare_url, fresh_url):  # An empty one, and one that is migrated.
            with pytest.raises(RuntimeError) as refusal:
                await migrate(url)
            assert str(refusal.value) == said
        assert await lacking(fresh_url) == said
        assert (await run(fresh_url))[0] == ("table toy is declared, but not in the database")


async def test_a_column_without_a_migration_is_told_in_a_sentence(migrated_url: str) -> None:
    await change(migrated_url, lambda op: op.drop_column("mission", "note"))
    said = f"column note of table mission is declared but no migration makes it: {REMEDY}"
    with pytest.raises(RuntimeError) as refusal:
        await migrate(migrated_url)
    assert str(refusal.value) == said
    assert (await run(migrated_url))[0] == (
        "table mission: column note is declared, but not in the database"
    )


def test_a_command_knows_every_table_of_the_service() -> None:
    # In an interpreter of its own: here all is imported already.
    script = """
from app.commands.unmigrated import declared
known = set(declared().tables)
import app.main
assert known == set(declared().tables), set(declared().tables) - known
assert len(known) > 20
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
