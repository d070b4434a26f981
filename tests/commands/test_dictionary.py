"""A person opens the database itself: it tells what its tables and columns mean."""

from sqlalchemy import Connection, text

from app.api import RESOURCES
from app.commands.connection import engine_run
from app.commands.dictionary import TRASH, VIEW, describe, forget
from app.commands.migrate import compare, downgrade, migrate
from app.core.databases.types import Exact

COMMENTS = """
SELECT coalesce(nullif(c.relname, 'alembic_version'), ''), coalesce(a.attname, ''), d.description
FROM pg_description d JOIN pg_class c ON c.oid = d.objoid AND d.classoid = 'pg_class'::regclass
LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = nullif(d.objsubid, 0)
WHERE c.relnamespace = 'public'::regnamespace
"""


def told(connection: Connection) -> dict[tuple[str, str], str]:
    """What the database says, by table and column; both empty for the whole."""
    sqlite = connection.dialect.name == "sqlite"
    rows = connection.execute(text(f"SELECT * FROM {VIEW}" if sqlite else COMMENTS))
    return {(table, column): meaning for table, column, meaning in rows}


async def test_every_table_and_column_of_records_is_told(fresh_url: str) -> None:
    found = await engine_run(fresh_url, told)
    assert "trash" in found["", ""]
    faults = []
    for resource in RESOURCES:
        name = resource.table.__tablename__
        if (name, "") not in found or not found[name, "deleted_at"].startswith(TRASH):
            faults.append(f"{name}: {found.get((name, ''))}")
        for column in resource.table.__table__.columns:
            says = found.get((name, column.name))
            if not says or "\n" in says:
                faults.append(f"{name}.{column.name}: {says}")
    assert not faults, "\n".join(faults)


async def test_on_sqlite_it_is_told_of_every_number_how_it_is_kept(fresh_url: str) -> None:
    found = await engine_run(fresh_url, told)
    sqlite = fresh_url.startswith("sqlite")
    for resource in RESOURCES:
        for column in resource.table.__table__.columns:
            if isinstance(column.type, Exact):
                unit = 10**column.type.scale
                says = found[resource.table.__tablename__, column.name]
                assert (f"A whole number of 1/{unit}: divide it by {unit}.0." in says) is sqlite
    assert ("divide those of money by 10000" in found["", ""]) is sqlite


async def test_a_database_of_this_revision_that_does_not_tell_gets_it(fresh_url: str) -> None:
    before = await engine_run(fresh_url, told)
    silence = "COMMENT ON TABLE alembic_version IS NULL"
    quiet = forget if fresh_url.startswith("sqlite") else lambda c: c.execute(text(silence))
    await engine_run(fresh_url, quiet)
    assert await migrate(fresh_url) is False
    assert await engine_run(fresh_url, told) == before
    # Made once more it is the same, and no difference from what the program needs.
    await engine_run(fresh_url, describe)
    assert await engine_run(fresh_url, told) == before
    assert await compare(fresh_url) == []


async def test_a_database_that_is_taken_back_has_no_view_left(fresh_url: str) -> None:
    await downgrade(fresh_url)
    if fresh_url.startswith("sqlite"):
        left = text("SELECT count(*) FROM sqlite_master WHERE type = 'view'")
        assert await engine_run(fresh_url, lambda connection: connection.scalar(left)) == 0
