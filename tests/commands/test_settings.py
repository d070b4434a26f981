"""Settings are judged by every command, before anything is done; what is wrong is told in words."""

import asyncio
import gc
import os
import re
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from app import __main__ as program
from app.commands.keys import lacks_admin, listed, revoke
from app.commands.readiness import find_revision
from app.commands.serve import _listen
from app.settings import COMPOSE_NAMES, Settings, settings, variable
from tests.faults.test_tls import made_certificate
from tests.keys import ADMIN_KEY
from tests.test_migrations import empty_database

ROOT = Path(__file__).parents[2]
#: Runs the program in this process, with settings by their variables: what it said, its status.
Told = tuple[str, int]
Run = Callable[..., Told]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """The program with its arguments, and no settings but those given."""
    monkeypatch.setattr("app.commands.serve.configure_logs", lambda form: None)

    def run(*arguments: str, **variables: str) -> Told:
        with monkeypatch.context() as patch:
            for name in [*os.environ]:
                if name.upper().startswith("TRADE_MISSIONS_"):
                    patch.delenv(name)
            for name, value in variables.items():
                patch.setenv(name, value)
            patch.setattr(sys, "argv", ["trade-missions", *arguments])
            settings.cache_clear()
            with pytest.raises(SystemExit) as ended:
                program.main()
        settings.cache_clear()
        told = capsys.readouterr().err
        code = ended.value.code
        return (f"{code}\n", 1) if isinstance(code, str) else (told, int(code or 0))

    yield run
    # A server turns it off while it starts.
    gc.enable()


@pytest.fixture
def bare_url(database_kind: str, tmp_path: Path) -> Iterator[str]:
    """A database without any table, which on SQLite is not even there."""
    with empty_database(database_kind, tmp_path) as url:
        yield url


def upper(told: dict[str, Any]) -> dict[str, str]:
    return {variable(name): str(value) for name, value in told.items()}


def leaves(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command with the words that call it."""
    below = getattr(command, "commands", None)
    if below is None:
        yield path, command
        return
    for name, found in below.items():
        yield from leaves(found, (*path, name))


# Values

#: A setting, a value that it cannot have, and what is said to be needed.
WRONG = (
    ("port", "abc", "a whole number from 0 to 65535"),
    ("port", "", "a whole number from 0 to 65535"),
    ("port", "-1", "a whole number from 0 to 65535"),
    ("port", "8000.5", "a whole number from 0 to 65535"),
    ("port", "9" * 5000, "a whole number from 0 to 65535"),
    ("workers", "0", "a whole number from 1 to 64"),
    ("max_body", "1", "a whole number of at least 1024"),
    ("max_connections", "99999999999", "a whole number from 1 to 1000000"),
    ("stop_seconds", "1000000000000", "a whole number from 1 to 86400"),
    ("head_seconds", "nan", "a number above 0, at most 86400,"),
    ("max_query_seconds", "inf", "a number above 0, at most 86400,"),
    ("max_replica_lag", "0", "a number above 0, at most 86400,"),
    ("mode", "prod", "development or production"),
    ("log_format", "xml", "auto, json or text"),
    ("behind_tls", "perhaps", "true or false"),
    ("root_path", "trade", "a path such as /trade, of letters, digits and -._~,"),
    ("root_path", "/a/../b", "a path such as /trade, of letters, digits and -._~,"),
    ("host", "", "an address or a name to listen on"),
    ("host", "\udcff", "an address or a name to listen on"),
    ("rate_limit", "5", "a rate like 600/minute (second, minute, hour or day), or nothing,"),
    ("oidc_issuer", "id.example.org", "an address that begins with https:// or http://"),
    ("oidc_jwks_url", "https://", "an address that begins with https:// or http://"),
    ("telemetry_endpoint", "a:4317", "an address that begins with https:// or http://"),
    ("telemetry_endpoint", "http://a:x", "an address that begins with https:// or http://"),
    (
        "trusted_proxies",
        "10.0.0.1/8",
        "addresses or networks (10.0.0.0/8), separated by commas, or * alone,",
    ),
)


def test_a_wrong_value_is_told_with_its_variable_and_with_what_is_needed(run: Run) -> None:
    faults = []
    for name, value, needed in WRONG:
        shown = value if len(value) <= 60 else f"{value[:60]}…"
        wanted = f"{variable(name)} is {shown!r}: {needed} is needed.\n"
        if (told := run("routes", **upper({name: value}))) != (wanted, 2):
            faults.append((wanted, told))
    assert faults == []


def test_an_item_of_a_list_is_told_alone(run: Run) -> None:
    for name, value, item in (
        (
            "cors_origins",
            "https://a.example.org,https://b.example.org/x",
            "https://b.example.org/x",
        ),
        ("oidc_algorithms", "RS256,HS256", "HS256"),
        ("oidc_roles", "editor=write,boss=root", "root"),
    ):
        told, status = run("routes", **upper({name: value}))
        assert told.startswith(f"{variable(name)} holds {item!r}: "), told
        assert (told.count("\n"), status) == (1, 2)


def test_a_wrong_database_address_is_not_shown_as_it_may_hold_a_password(run: Run) -> None:
    for value in (
        "",
        "trade.db",
        "mysql://trade:geheim@db/trade",
        "postgresql:trade:geheim@db",
        "postgresql://trade:geheim@db:port/trade",
        "sqlite://",
        "sqlite:///:memory:",
    ):
        for name in ("database_url", "database_read_url"):
            told, status = run("check", **upper({name: value}))
            assert told.startswith(f"{variable(name)}: "), told
            assert (told.count("\n"), status) == (1, 2), told
            assert "geheim" not in told


def test_keys_to_encrypt_with_are_not_shown_when_they_are_wrong(run: Run) -> None:
    told, status = run("check", TRADE_MISSIONS_SECRET_KEYS="geheim")
    assert told.startswith("TRADE_MISSIONS_SECRET_KEYS is not right: a key of 32 random bytes in b")
    assert (told.count("\n"), "geheim" in told, status) == (1, False, 2)


def test_the_variable_of_opentelemetry_is_told_by_its_own_name(run: Run) -> None:
    told, _ = run("routes", OTEL_EXPORTER_OTLP_ENDPOINT="collector:4317")
    assert told.startswith("OTEL_EXPORTER_OTLP_ENDPOINT is 'collector:4317': ")


def test_settings_that_contradict_each_other_are_told(run: Run) -> None:
    for given, words in (
        ({"oidc_issuer": "https://id.example.org"}, "_OIDC_ISSUER needs TRADE_MISSIONS_OIDC_AUDI"),
        ({"tls_key": "key.pem"}, "TRADE_MISSIONS_TLS_KEY needs TRADE_MISSIONS_TLS_CERTIFICATE"),
        ({"database_read_url": "postgresql://replica/trade"}, "SQLite has no replicas"),
    ):
        told, status = run("routes", **upper(given))
        assert (words in told, told.count("\n"), status) == (True, 1, 2), told


def test_all_that_is_wrong_is_told_at_once(run: Run) -> None:
    told, status = run("routes", **upper({"port": "x", "mode": "prod", "wrokers": "2"}))
    assert re.findall("^TRADE_MISSIONS_([A-Z]+) is", told, re.MULTILINE) == [
        "WROKERS",
        "PORT",
        "MODE",
    ]
    assert status == 2


# Names


def test_a_misspelt_variable_is_told_with_the_nearest_right_one(run: Run) -> None:
    for name, words in (
        ("TRADE_MISSIONS_DATABSE_URL", "did you mean TRADE_MISSIONS_DATABASE_URL?"),
        ("TRADE_MISSIONS_TLS_CERT", "did you mean TRADE_MISSIONS_TLS_CERTIFICATE?"),
        ("TRADE_MISSIONS_DB_PASSWROD", "did you mean TRADE_MISSIONS_DB_PASSWORD?"),
        ("TRADE_MISSIONS_HTTP_PORT", "did you mean TRADE_MISSIONS_PORT?"),
        ("trade_missions_prot", "did you mean TRADE_MISSIONS_PORT?"),
        ("TRADE_MISSIONS_", "docs/operations.md lists those there are."),
        ("TRADE_MISSIONS_WOBBLEFISH", "docs/operations.md lists those there are."),
    ):
        assert run("routes", **{name: "1"}) == (f"{name} is no setting; {words}\n", 2)


def test_variables_that_others_set_for_themselves_are_no_mistakes(run: Run) -> None:
    others = {
        "TRADE_MISSIONS_DB_PASSWORD": "Xk2-9fQ",
        "TRADE_MISSIONS_SERVICE_HOST": "10.0.0.1",
        "TRADE_MISSIONS_SERVICE_PORT_HTTP": "8000",
        "TRADE_MISSIONS_DB_PORT": "tcp://10.0.0.1:5432",
        "TRADE_MISSIONS_DB_PORT_5432_TCP_ADDR": "10.0.0.1",
        "trade_missions_port": "8000",
    }
    assert run("keys", "generate", **others) == ("", 0)


def test_every_variable_of_the_compose_file_is_known() -> None:
    told = set(re.findall(r"\bTRADE_MISSIONS_\w+", (ROOT / "docker-compose.yml").read_text()))
    assert told - {variable(name) for name in Settings.model_fields} == COMPOSE_NAMES


def test_every_command_judges_the_settings_first_and_its_help_does_not(run: Run) -> None:
    wanted = "TRADE_MISSIONS_PROT is no setting; did you mean TRADE_MISSIONS_PORT?\n"
    faults: list[Any] = []
    for path, command in leaves(typer.main.get_command(program.commands)):
        required = ["x" for argument in command.params if argument.param_type_name == "argument"]
        options = (p for p in command.params if p.param_type_name == "option" and p.required)
        required += [word for option in options for word in (option.opts[0], "x")]
        if (told := run(*path, *required, TRADE_MISSIONS_PROT="1")) != (wanted, 2):
            faults.append((path, told))
        if run(*path, "--help", TRADE_MISSIONS_PROT="1")[1]:
            faults.append((path, "its help"))
    assert faults == []


# Serving


def test_wrong_options_of_a_server_are_told_as_settings_are(run: Run) -> None:
    for options, told in (
        (("--port", "99999"), "--port is '99999': a whole number from 0 to 65535 is needed."),
        (("--port", "abc"), "--port is 'abc': a whole number from 0 to 65535 is needed."),
        (("--workers", "0"), "--workers is '0': a whole number from 1 to 64 is needed."),
        (("--host", ""), "--host is '': an address or a name to listen on is needed."),
    ):
        # An option mends the setting of its name.
        assert run("serve", *options, **upper({options[0][2:]: "\udcff"})) == (f"{told}\n", 2)


def test_a_server_that_cannot_serve_touches_no_database(
    run: Run, bare_url: str, tmp_path: Path
) -> None:
    one, other = ((tmp_path / name) for name in ("one", "other"))
    one.mkdir()
    other.mkdir()
    tls, strange = made_certificate(one), made_certificate(other)
    junk, locked = tmp_path / "junk.pem", tmp_path / "locked.pem"
    junk.write_bytes(b"\xff\x00")
    locked.write_text("-----BEGIN ENCRYPTED PRIVATE KEY-----\n")
    key = {"admin_key": ADMIN_KEY}
    production: dict[str, Any] = {"mode": "production", **key}
    cases: tuple[tuple[dict[str, Any], str], ...] = (
        ({"mode": "production"}, "There is no admin key, and one that is printed would stay"),
        ({**production, "rate_limit": ""}, "TRADE_MISSIONS_RATE_LIMIT is empty"),
        ({**production, "host": "0.0.0.0"}, "0.0.0.0 is reached from outside, without TLS"),
        ({"admin_key": "password"}, "TRADE_MISSIONS_ADMIN_KEY holds no key."),
        ({"admin_key_file": tmp_path}, f"_ADMIN_KEY_FILE: {tmp_path}: Is a directory."),
        ({"admin_key_file": junk}, f"TRADE_MISSIONS_ADMIN_KEY_FILE: {junk} holds no key."),
        ({**tls, "tls_certificate": tmp_path / "no"}, f"_TLS_CERTIFICATE: {tmp_path}/no: No such"),
        ({**tls, "tls_key": tmp_path}, f"TRADE_MISSIONS_TLS_KEY: {tmp_path}: Is a directory."),
        ({**tls, "tls_key": junk}, f"_TLS_KEY: {junk} holds no private key in PEM."),
        ({**tls, "tls_key": locked}, f"_TLS_KEY: {locked} is locked with a password"),
        ({**tls, "tls_key": strange["tls_key"]}, f"_KEY: {strange['tls_key']} is not the key of"),
        ({**tls, "tls_certificate": junk}, f"_CERTIFICATE: {junk} holds no certificate in PEM."),
        ({"tls_certificate": tls["tls_certificate"]}, "pem holds no private key in PEM."),
    )
    faults = []
    for given, words in cases:
        told, status = run("serve", "--prepare", **upper({"database_url": bare_url, **given}))
        if words not in told or status != 2:
            faults.append((words, told, status))
    assert faults == []
    assert_untouched(bare_url)


def assert_untouched(url: str) -> None:
    assert asyncio.run(find_revision(url)) is None
    if url.startswith("sqlite"):
        assert not Path(url.removeprefix("sqlite:///")).exists()


def test_an_address_that_cannot_be_had_is_told_before_the_database_is_touched(
    run: Run, bare_url: str
) -> None:
    url = upper({"database_url": bare_url})
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        for options, words in (
            (("--port", str(port)), f"127.0.0.1:{port}: Address already in use."),
            (("--port", str(port), "--workers", "2"), f":{port}: Address already in use."),
            (("--host", "nowhere.invalid"), "Cannot listen on nowhere.invalid:8000: "),
            (("--host", "a..b"), "Cannot listen on a..b:8000: no host has such a name."),
            (("--host", "192.0.2.1"), "Cannot listen on 192.0.2.1:8000: "),
        ):
            told, status = run("serve", "--prepare", *options, **url)
            assert (words in told, told.count("\n"), status) == (True, 1, 2), told
    assert_untouched(bare_url)


def test_of_two_servers_that_bind_one_address_at_once_the_second_is_told_so() -> None:
    with socket.socket() as one, socket.socket() as other:
        for bound in (one, other):
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        one.bind(("127.0.0.1", 0))
        other.bind(one.getsockname())
        _listen(one)
        with pytest.raises(RuntimeError, match=r"Cannot listen on 127\.0\.0\.1:\d+: Address"):
            _listen(other)


async def test_whether_a_database_lacks_an_admin_key_is_known_beforehand(
    fresh_url: str, bare_url: str
) -> None:
    assert await lacks_admin(bare_url)
    assert not await lacks_admin(fresh_url)
    for key in await listed(fresh_url):
        await revoke(fresh_url, str(key.id))
    assert await lacks_admin(fresh_url)
