"""Addresses of databases as hosts hand them out, read by everything that connects."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, select, text

from app.commands.backup import backup
from app.commands.backups.postgresql import environment
from app.commands.check import run as check
from app.commands.connection import engine_run
from app.commands.migrate import migrate
from app.commands.restore import restore
from app.commands.seed import run as seed
from app.commands.snapshot import snapshot_run
from app.commands.verify import verify
from app.core.databases.addresses import PostgresAddress, sqlite_path
from app.core.databases.interface import compile_query
from app.core.databases.opening import open_database
from tests.postgres import execute, system_postgres, wheel_postgres
from tests.test_migrations import empty_database

SETTINGS = "SELECT current_setting('application_name'), current_setting('search_path')"


@pytest.fixture
def empty_url() -> Iterator[str]:
    """An empty database of PostgreSQL."""
    with empty_database("postgresql", Path()) as url:
        yield url


def sockets(url: str) -> str:
    """The folder of the server's sockets."""
    return str(execute(url, "SHOW unix_socket_directories")[0][0])


def variants(url: str) -> dict[str, tuple[str, str]]:
    """Addresses of one database, with the name of the program and the search path, if given."""
    _, _, rest = url.partition("://")
    who, _, where = rest.partition("@")
    place, _, name = where.partition("/")
    port = place.rpartition(":")[2]
    plain = f"postgresql://{rest}"
    usual = ("", '"$user", public')
    return {
        f"postgres://{rest}": usual,
        f"postgresql+asyncpg://{rest}": usual,
        f"postgresql+psycopg://{rest}": usual,
        f"{plain}?sslmode=disable": usual,
        f"{plain}?sslmode=allow": usual,
        f"{plain}?sslmode=prefer": usual,
        f"{plain}?ssl=false": usual,
        f"{plain}?application_name=ours": ("ours", usual[1]),
        f"{plain}?connect_timeout=5&keepalives=1&keepalives_idle=30": usual,
        f"{plain}?options=-c%20search_path%3Dpublic": ("", "public"),
        f"{plain}?options=-csearch_path=public&application_name=a%20b": ("a b", "public"),
        f"{plain}?target_session_attrs=read-write": usual,
        f"{plain}?target_session_attrs=primary&load_balance_hosts=disable": usual,
        f"{plain}?channel_binding=prefer&gssencmode=disable&sslsni=1": usual,
        f"postgresql://{who}@127.0.0.1:1,{place}/{name}": usual,
        f"postgresql://{who}@/{name}?host={sockets(url)}&port={port}": usual,
        f"postgresql:///?user={who}&dbname={name}&host={sockets(url)}&port={port}": usual,
        f"postgresql://{who}@{sockets(url).replace('/', '%2F')}:{port}/{name}": usual,
    }


async def test_what_hosts_hand_out_works_for_reads_writes_and_the_replica(empty_url: str) -> None:
    """Everything that connects: the engine of commands and writes, reads, and the replica's."""
    wrong = []
    question = select(text("current_database()"), text("current_setting('search_path')"))

    def asked(connection: Connection) -> tuple[Any, ...]:
        return tuple(connection.execute(text(SETTINGS)).one())

    for variant, expected in variants(empty_url).items():
        try:
            found = await snapshot_run(variant, asked)
            database = open_database(variant, read_url=variant)
            await database.start()
            try:
                ((name, path),) = await database.read(compile_query(question, database.dialect), {})
                written = await database.write(lambda session: session.scalar(text("SELECT 1")))
            finally:
                await database.stop()
        except Exception as error:
            wrong.append(f"{variant}: {type(error)}: {error}")
            continue
        if (found, name, path, written) != (expected, empty_url.rpartition("/")[2], found[1], 1):
            wrong.append(f"{variant}: {found}, {name}, {path}, {written}")
    assert not wrong, "\n".join(wrong)


async def test_all_commands_keep_to_the_schema_that_the_address_names(
    empty_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = wheel_postgres() or system_postgres()
    monkeypatch.setenv("PATH", str(programs), prepend=os.pathsep)
    await engine_run(empty_url, lambda connection: connection.execute(text("CREATE SCHEMA apart")))
    url = f"{empty_url}?options=-c%20search_path%3Dapart&application_name=ours&sslmode=prefer"
    assert await migrate(url)
    await seed(url)
    assert await check(url) == []
    places = execute(
        empty_url, "SELECT DISTINCT schemaname FROM pg_tables WHERE schemaname !~ '^pg_'"
    )
    assert "public" not in {place for (place,) in places}
    made = await backup(url, tmp_path / "backup")
    assert made.summary.records > 100
    assert (await verify(url, made.file)).faults == []
    assert "Restored" in await restore(url, made.file, force=True)
    assert await check(url) == []


def test_the_programs_are_told_all_that_the_address_says() -> None:
    told = environment(
        "postgres://me:p%40ss@one:5433,two/deals?sslmode=require&connect_timeout=7"
        "&application_name=ours&options=-c%20search_path%3Dapart&channel_binding=require"
        "&target_session_attrs=read-write&sslrootcert=system"
    )
    expected = {
        "PGHOST": "one,two",
        "PGPORT": "5433,5432",
        "PGUSER": "me",
        "PGPASSWORD": "p@ss",
        "PGDATABASE": "deals",
        "PGSSLMODE": "require",
        "PGSSLROOTCERT": "system",
        "PGCONNECT_TIMEOUT": "7",
        "PGAPPNAME": "ours",
        "PGOPTIONS": "-c search_path=apart",
        "PGCHANNELBINDING": "require",
        "PGTARGETSESSIONATTRS": "read-write",
    }
    assert {name: told.get(name) for name in expected} == expected


def test_an_address_is_read_as_it_was_meant() -> None:
    hosts = {
        "postgresql://h/x": (("h", ""),),
        "postgresql://h:5433/x": (("h", "5433"),),
        "postgresql://[::1]:5433/x": (("::1", "5433"),),
        "postgresql:///x?host=::1": (("::1", ""),),
        "postgresql://h/x?port=5433": (("h", "5433"),),
        "postgresql://a,b:1/x?port=2": (("a", "2"), ("b", "1")),
        "postgresql:///x?host=a,b&port=1,2": (("a", "1"), ("b", "2")),
        "postgresql:///x": (),
    }
    assert {url: PostgresAddress.read(url).hosts for url in hosts} == hosts
    passwords = {
        "postgresql://u@h/x": None,
        "postgresql://u:p@h/x": "p",
        "postgresql://u:p%40%2F@h/x": "p@/",
        "postgresql://u:p/w?d@h/x": "p/w?d",
        "postgresql://h:1/x?user=u@h": None,
    }
    assert {url: PostgresAddress.read(url).password for url in passwords} == passwords
    assert sqlite_path("sqlite:////srv/deals.db") == "/srv/deals.db"
    assert sqlite_path("sqlite:///deals.db") == "deals.db"
