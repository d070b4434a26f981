"""Keys on the command line, and the first admin key."""

import asyncio
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.commands.keys import create, given_key, listed, make_first, revoke
from app.core.auth.api_keys import ApiKey, is_key, is_same, new_secret
from app.core.auth.principals import Scope
from app.core.errors import Problem
from app.settings import Settings
from tests.core.auth.asking import ask, bearer
from tests.core.auth.opened import opened
from tests.core.auth.starting import run, said, start, starting
from tests.keys import ADMIN_KEY
from tests.templates import migrated_url as migrated_template
from tests.test_migrations import empty_database

SHOWN = re.compile(r"^Admin key, shown this once: (\S+)$", re.MULTILINE)


@pytest.fixture
def bare_url(database_kind: str, tmp_path: Path) -> Iterator[str]:
    """An empty database."""
    with empty_database(database_kind, tmp_path) as url:
        yield url


async def key_named(url: str, name: str) -> ApiKey:
    return next(key for key in await listed(url) if key.name == name)


async def test_keys_are_made_listed_and_revoked(fresh_url: str) -> None:
    made = run("keys", "create", "Trade desk", "--scope", "write", "--days", "30", url=fresh_url)
    secret = made.stdout.strip()
    assert made.returncode == 0, made.stderr
    assert is_key(secret)
    assert secret[13:] not in made.stderr
    async with opened(fresh_url) as app:
        body = {"full_name": "X"}
        answer = await ask(app, "/people", method="POST", headers=bearer(secret), body=body)
        assert answer.status == 201
    table = run("keys", "list", url=fresh_url).stdout
    row = next(line for line in table.splitlines() if "Trade desk" in line)
    assert re.fullmatch(
        rf"{secret[:12]}  Trade desk +write +20..-..-.. ..:..  expires 20..-..-..", row
    )
    assert secret[13:] not in table
    assert run("keys", "revoke", secret[:12], url=fresh_url).stdout == "Revoked: Trade desk\n"
    assert (await key_named(fresh_url, "Trade desk")).revoked_at is not None
    async with opened(fresh_url) as app:
        assert (await ask(app, "/missions", headers=bearer(secret))).status == 401


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ({"name": "oidc:alice"}, "/name: "),
        ({"name": "seed", "scope": Scope.WRITE}, "/name: "),
        ({"name": "x" * 101}, "/name: "),
        ({"name": " "}, "/name: "),
        ({"name": "аdmin"}, "It looks like 'admin' and is another name"),
        ({"name": "admin"}, "A key was named 'admin' before; take another."),
        ({"name": "x", "path": "/missions.csv?x=1"}, "/path: "),
        ({"name": "x", "path": "/missions.csv", "scope": Scope.WRITE}, "has the scope read"),
        ({"name": "x", "days": 99_999_999}, "99999999 days"),
        ({"name": "x", "days": 999_999_999_999}, "999999999999 days"),
    ],
)
async def test_what_makes_no_sense_is_refused(
    fresh_url: str, wanted: dict[str, Any], told: str
) -> None:
    with pytest.raises((Problem, ValueError), match=re.escape(told)):
        await create(fresh_url, **{"scope": Scope.READ, **wanted})


async def test_without_tables_the_commands_say_what_to_do(bare_url: str) -> None:
    for work in (create(bare_url, "x", Scope.READ), listed(bare_url), revoke(bare_url, "x")):
        with pytest.raises(RuntimeError, match="Run: trade-missions migrate"):
            await work


def test_a_command_that_cannot_be_done_fails_with_a_sentence(access_file: str) -> None:
    done = run("keys", "revoke", "nobody's", url=access_file)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith('There is no key "nobody\'s"; a key is named by its id,')


@pytest.fixture(scope="module")
def access_file(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A migrated database of SQLite: what is refused before any database has a look at it."""
    file = tmp_path_factory.mktemp("commands") / "keys.db"
    shutil.copy(migrated_template("sqlite").removeprefix("sqlite:///"), file)
    return f"sqlite:///{file}"


def test_a_key_can_be_made_without_a_database() -> None:
    assert is_key(run("keys", "generate", url="sqlite:////nowhere/x.db").stdout.strip())


# The first admin key


async def test_the_first_start_prints_an_admin_key_and_the_second_does_not(bare_url: str) -> None:
    told = start(bare_url, "--prepare")
    (secret,) = SHOWN.findall(told)
    assert is_key(secret)
    assert told.count(secret[13:]) == 1
    assert is_same((await key_named(bare_url, "admin")).digest, secret)
    second = start(bare_url, "--prepare")
    assert "Documentation: " in second
    assert "key" not in second
    assert secret[13:] not in second


async def test_of_two_first_starts_at_once_one_prints_a_key(migrated_url: str) -> None:
    with starting(migrated_url) as one, starting(migrated_url) as other:
        told = await asyncio.gather(*(asyncio.to_thread(said, start) for start in (one, other)))
    assert all("Documentation: " in text for text in told)
    (secret,) = SHOWN.findall("".join(told))
    (key,) = await listed(migrated_url)
    assert is_same(key.digest, secret)


async def test_of_many_processes_that_find_no_admin_one_makes_the_key(migrated_url: str) -> None:
    settings = Settings(database_url=migrated_url, admin_key=None)
    made = await asyncio.gather(*(make_first(settings) for _ in range(12)))
    (secret,) = (secret for secret in made if secret is not None)
    (key,) = await listed(migrated_url)
    assert is_same(key.digest, secret)


async def test_after_all_admins_were_revoked_the_next_start_makes_another(fresh_url: str) -> None:
    no_key = Settings(database_url=fresh_url, admin_key=None)
    assert await make_first(no_key) is None
    for name in ("admin", "admin 2"):
        assert await revoke(fresh_url, name) == name
        secret = await make_first(no_key)
        assert secret is not None
        assert await make_first(no_key) is None
        async with opened(fresh_url) as app:
            assert (await ask(app, "/api-keys", headers=bearer(secret))).status == 200
    assert [key.name for key in await listed(fresh_url)] == ["admin", "admin 2", "admin 3"]


async def test_the_key_of_the_settings_becomes_the_first(fresh_url: str, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    for turn, by_file in enumerate((False, True)):
        secret = new_secret()
        file.write_text(f"{secret}\n")
        how = {"admin_key_file": file, "admin_key": None} if by_file else {"admin_key": secret}
        given = Settings(database_url=fresh_url, **how)
        assert await make_first(given) is None
        names = {key.name: key for key in await listed(fresh_url)}
        assert not any(is_same(key.digest, secret) for key in names.values())
        await revoke(fresh_url, "admin" if not turn else "admin 2")
        assert await make_first(given) is None
        assert is_same((await key_named(fresh_url, f"admin {turn + 2}")).digest, secret)


async def test_a_key_of_the_settings_that_was_revoked_is_not_taken_again(fresh_url: str) -> None:
    await revoke(fresh_url, "admin")
    with pytest.raises(ValueError, match="was revoked"):
        await make_first(Settings(database_url=fresh_url, admin_key=ADMIN_KEY))


def test_a_setting_that_holds_no_key_is_named(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_bytes(b"\xff\xfe")
    for settings, words in (
        ({"admin_key": "password"}, "TRADE_MISSIONS_ADMIN_KEY holds no key. Run: trade-missions "),
        ({"admin_key_file": file}, f"{file} holds no key. Run: trade-missions keys generate"),
        ({"admin_key_file": tmp_path}, f"ADMIN_KEY_FILE: {tmp_path}: Is a directory."),
        ({"admin_key_file": tmp_path / "no"}, f"ADMIN_KEY_FILE: {tmp_path / 'no'}: No such file"),
    ):
        with pytest.raises(ValueError, match=re.escape(words)):
            given_key(Settings(**{"admin_key": None, **settings}))  # type: ignore[arg-type]


def test_a_server_whose_setting_holds_no_key_does_not_start(
    access_file: str, tmp_path: Path
) -> None:
    told = start(access_file, admin_key_file=str(tmp_path / "none"))
    assert "No such file" in told
    assert "Traceback" not in told
    assert "Documentation" not in told
