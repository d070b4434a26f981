"""Whatever is wrong with a server of PostgreSQL, each command says in a sentence what it is."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import CompletedProcess
from threading import Thread
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from tests.commands.forked import fault_of, run
from tests.postgres import create_database, drop_database, execute, new_cluster
from tests.templates import seeded_url

LOOKING = ("check", "verify", "backup", "keys list")
WRITING = (
    "seed",
    "reindex",
    "generate --agreements 1 --companies 2 --missions 1",
    "import people.csv",
    "keys create somebody",
    "keys revoke admin",
    "serve --port 0",
)
ALL = (*LOOKING, *WRITING, "migrate", "serve --port 0 --prepare", "restore")
#: A few that reach a database by every way that there is.
SOME = ("check", "seed", "migrate", "restore", "serve --port 0 --prepare")


def tried(command: str, folder: Path, url: str) -> "CompletedProcess[str]":
    """What comes of a command on the database at the address."""
    name, *rest = command.split()
    files = {"backup": "new.backup", "restore": "old.backup", "import": "people.csv"}
    if name in files:
        rest = [str(folder / files[name])]
    return run(name, *rest, url=url)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "people.csv").write_text("full_name\nSomebody\n")
    (tmp_path / "old.backup").write_text("PGDMP, by its first letters")
    return tmp_path


@pytest.fixture(scope="module")
def server() -> str:
    """Where the tests' server is, as `postgres@127.0.0.1:5432`."""
    return urlsplit(os.environ["TEST_DATABASE_URL"]).netloc


@contextmanager
def database(template: str | None = None, *statements: str) -> Iterator[str]:
    """A database of its own, changed by the statements; its name."""
    address, name = os.environ["TEST_DATABASE_URL"], f"refusing_{uuid4().hex}"
    url = create_database(address, name, template)
    try:
        for statement in statements:
            execute(url, statement)
        yield name
    finally:
        drop_database(address, name)


@contextmanager
def answering(words: bytes | None) -> Iterator[str]:
    """A server that says these words to everybody and hangs up, or accepts and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            while words is not None:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(100)
                    connection.sendall(words)

        Thread(target=answer, daemon=True).start()
        try:
            yield f"127.0.0.1:{listening.getsockname()[1]}"
        finally:
            # Closing alone would not wake who waits for the next one.
            listening.shutdown(socket.SHUT_RDWR)


def test_a_server_out_of_reach_is_one_sentence_of_every_command(folder: Path, server: str) -> None:
    wrong = []
    with answering(None) as silent, answering(b"HTTP/1.1 400 Bad Request\r\n\r\n") as foreign:
        for url, words, commands in (
            (f"postgres://{server}/not_there", 'no database "not_there"', ALL),
            (
                f"postgresql://nobody_known@{server.rpartition('@')[2]}/postgres",
                "does not let",
                ALL,
            ),
            ("postgres://u:secret@127.0.0.1:1/x", "no server answers at 127.0.0.1:1", ALL),
            ("postgresql:///x?host=/nowhere", "no server answers at /nowhere", ALL),
            ("postgresql://u@no-such-host.invalid/x", "no host of the name", SOME),
            (f"postgresql://u@{silent}/x?connect_timeout=1", "does not answer", SOME[:3]),
            (f"postgresql://u@{foreign}/x?sslmode=disable", "no PostgreSQL", SOME),
            (f"postgresql://{server}/postgres?sslmode=require", "has no TLS, which sslmode", ALL),
            (
                f"postgresql://{server}/postgres?target_session_attrs=standby",
                "target_session_attrs=standby",
                SOME,
            ),
            (f"postgresql://{server}/postgres?options=-c%20no.%3D1%20-c%20such=1", "options", SOME),
        ):
            for command in commands:
                fault = fault_of(tried(command, folder, url), words)
                wrong += [f"{url}: {command}: {fault}"] if fault else []
    assert not wrong, "\n".join(wrong)


def test_an_address_that_is_none_is_one_sentence_without_its_password(folder: Path) -> None:
    wrong = []
    for url, words in (
        ("postgres://u:hidden@h/x?sslmod=require", "Did you mean 'sslmode'?"),
        ("postgres://u:hidden@h/x?sslmode=required", "Did you mean 'require'?"),
        ("postgres://u:hidden@h/x?aplication_name=x", "Did you mean 'application_name'?"),
        ("postgres://u:hidden@h/x?pgbouncer=true", "none of PostgreSQL's"),
        ("postgres://u:hidden@h/x?connect_timeout=soon", "number of seconds"),
        ("postgres://u:hidden@h/x?sslrootcert=/nowhere/ca.pem", "no such file"),
        ("postgres://u:hidden@h:port/x", "a port is a number"),
        ("postgres://u:hidden@h:99999/x", "1 to 65535"),
        ("postgres://u:hidden@h:1,h:2/x?target_session_attrs=first", "read-write"),
        ("postgres:u:hidden@h/x", "is not of the form"),
        ("mysql://u:hidden@h/x", "neither sqlite:///path nor"),
        ("sqlite://", "names a file"),
        ("sqlite:///:memory:", "names a file"),
    ):
        for command in SOME:
            outcome = tried(command, folder, url)
            fault = fault_of(outcome, *([] if command == "restore" else [words]))
            if "hidden" in outcome.stderr:
                fault = f"tells the password: {outcome.stderr}"
            wrong += [f"{url}: {command}: {fault}"] if fault else []
    for read_url, words in (
        ("postgres://h/x?sslmod=require", "Did you mean 'sslmode'?"),
        ("sqlite:///x.db", "SQLite has no replicas"),
    ):
        more = {"TRADE_MISSIONS_DATABASE_READ_URL": read_url}
        fault = fault_of(run("serve", "--port", "0", url="postgres://h/x", more=more), words)
        wrong += [f"{read_url}: {fault}"] if fault else []
    assert not wrong, "\n".join(wrong)


def test_a_database_of_no_use_is_one_sentence_of_every_command(folder: Path, server: str) -> None:
    wrong = []
    seeded = seeded_url("postgresql").rpartition("/")[2]
    revise = "UPDATE alembic_version SET version_num = '{}'"
    without_restore = tuple(command for command in ALL if command != "restore")
    for template, statement, words, commands in (
        (None, "SELECT 1", "The database is empty. Run: trade-missions mi", LOOKING + WRITING),
        (None, "CREATE TABLE theirs (id INT)", "The database is empty.", LOOKING + WRITING),
        (seeded, revise.format("20261122_search"), "Run: trade-missions migrate", WRITING),
        (seeded, revise.format("of_tomorrow"), "by a newer version.", without_restore),
    ):
        with database(template, statement) as name:
            for command in commands:
                fault = fault_of(tried(command, folder, f"postgres://{server}/{name}"), words)
                wrong += [f"{statement}: {command}: {fault}"] if fault else []
    assert not wrong, "\n".join(wrong)


def test_whom_a_server_does_not_let_in_or_lets_do_nothing_is_told_so(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    wrong = []
    with new_cluster(tmp_path_factory.mktemp("guarded")) as cluster:
        cluster.initialise()
        rules = cluster.data / "pg_hba.conf"
        rules.write_text(f"host all guarded all scram-sha-256\n{rules.read_text()}")
        place = f"127.0.0.1:{cluster.start()}"
        try:
            for role in ("guarded LOGIN PASSWORD 'right'", "barred NOLOGIN", "weak LOGIN"):
                execute(f"postgresql://postgres@{place}/postgres", f"CREATE ROLE {role}")
            for who, words, commands in (
                ("guarded:wrong", 'does not let the user "guarded" in', ALL),
                ("guarded", 'does not let the user "guarded" in', SOME),
                ("barred", 'does not let the user "barred" in', SOME),
                ("weak", 'The user "weak" may not do this', ("migrate",)),
            ):
                url = f"postgresql://{who}@{place}/postgres"
                for command in commands:
                    fault = fault_of(tried(command, folder, url), words)
                    wrong += [f"{who}: {command}: {fault}"] if fault else []
        finally:
            cluster.stop()
    assert not wrong, "\n".join(wrong)
