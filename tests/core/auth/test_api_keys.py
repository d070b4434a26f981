"""The life of a key: made, shown once, used, ended."""

import asyncio
import logging
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from fastapi import FastAPI
from sqlalchemy import Connection, inspect, text

from app.commands.connection import engine_run
from app.commands.generate import ACTOR as GENERATE
from app.commands.import_ import ACTOR as IMPORT
from app.commands.seed import ACTOR as SEED
from app.core.auth import api_keys, authorizer
from app.core.auth.principals import Scope
from app.core.databases.types import now
from tests.core.auth.asking import Answer, ask, bearer
from tests.core.auth.opened import expire, key_of, keys_of, opened
from tests.keys import ADMIN, ADMIN_KEY, BEARER


async def create(app: FastAPI, **fields: Any) -> Answer:
    return await ask(app, "/api-keys", method="POST", headers=BEARER, body=fields)


async def revoke(app: FastAPI, key: str) -> int:
    return (await ask(app, f"/api-keys/{key}", method="DELETE", headers=BEARER)).status


async def status_with(app: FastAPI, secret: str, target: str = "/missions") -> int:
    return (await ask(app, target, headers=bearer(secret))).status


def everything(connection: Connection) -> str:
    """All that the tables hold, as text."""
    found = []
    for name in inspect(connection).get_table_names():
        rows = connection.execute(text(f'SELECT * FROM "{name}"')).all()
        found += [repr([bytes(v) if isinstance(v, memoryview) else v for v in row]) for row in rows]
    return "\n".join(found)


# Made and shown


async def test_a_key_is_shown_once_and_kept_as_a_digest(
    private_app: FastAPI, access_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    made = await create(private_app, name="shown once", scope="admin")
    told = made.json()
    secret = told["key"]
    assert made.status == 201
    assert made.header("cache-control") == "no-store"
    assert made.header("location") == f"/api-keys/{told['id']}"
    assert api_keys.is_key(secret)
    assert told["prefix"] == secret[:12]
    hidden = secret[13:]
    for target in (f"/api-keys/{told['id']}", "/api-keys/shown once", "/api-keys?limit=1000"):
        answer = await ask(private_app, target, headers=bearer(secret))
        assert answer.status == 200
        assert hidden not in answer.body.decode() + repr(answer.headers)
    stored = await engine_run(access_url, everything)
    assert "shown once" in stored
    assert hidden not in stored
    assert repr(api_keys.digest_of(secret)) in stored
    assert "shown once" in caplog.text
    assert hidden not in caplog.text


async def test_a_key_is_found_by_id_prefix_and_name(public_app: FastAPI) -> None:
    told = (await create(public_app, name="found by name")).json()
    for name in (told["id"], told["prefix"], "found by name", "found%20by%20name"):
        found = (await ask(public_app, f"/api-keys/{name}", headers=BEARER)).json()
        assert found == {name: value for name, value in told.items() if name != "key"}
    for name in ("found", told["id"][:-1], told["prefix"][:-1], told["key"], "%", "_"):
        assert (await ask(public_app, f"/api-keys/{name}", headers=BEARER)).status == 404


async def test_what_is_not_said_of_a_key_is_the_least(public_app: FastAPI) -> None:
    told = (await create(public_app, name="the least")).json()
    assert told["scope"] == "read"
    assert told["created_by"] == ADMIN
    assert [told[n] for n in ("path", "expires_at", "revoked_at", "last_used_at")] == [None] * 4


async def test_no_two_keys_are_alike(public_app: FastAPI) -> None:
    made = {api_keys.new_secret() for _ in range(1000)}
    assert len(made) == 1000
    assert all(api_keys.is_key(secret) for secret in made)
    assert len({secret[13:] for secret in made}) == 1000


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({}, "/name"),
        ({"name": ""}, "/name"),
        ({"name": " \u200b "}, "/name"),
        ({"name": "x" * 101}, "/name"),
        ({"name": "nul \0"}, "/name"),
        ({"name": "anonymous"}, "/name"),
        ({"name": " Anonymous "}, "/name"),
        ({"name": "oidc:alice"}, "/name"),
        ({"name": "OIDC:alice"}, "/name"),
        *(({"name": name}, "/name") for name in (SEED, IMPORT, GENERATE)),
        ({"name": "tmd_testtest"}, "/name"),
        ({"name": "01a205bd-b806-7979-9c2b-9985ce919694"}, "/name"),
        ({"name": 5}, "/name"),
        ({"name": "x", "scope": "root"}, "/scope"),
        ({"name": "x", "scope": "Admin"}, "/scope"),
        ({"name": "x", "scope": "write", "path": "/missions.csv"}, "/scope"),
        ({"name": "x", "path": "missions.csv"}, "/path"),
        ({"name": "x", "path": "/missions.csv?limit=1"}, "/path"),
        ({"name": "x", "path": "/missions.csv#top"}, "/path"),
        ({"name": "x", "path": "/%6dissions.csv"}, "/path"),
        ({"name": "x", "path": "/missions.csv\n"}, "/path"),
        ({"name": "x", "path": "/миссии.csv"}, "/path"),
        ({"name": "x", "path": ""}, "/path"),
        ({"name": "x", "expires_at": "2001-01-01T00:00:00Z"}, "/expires_at"),
        ({"name": "x", "expires_at": "soon"}, "/expires_at"),
        ({"name": "x", "expires_at": 4102444800}, "/expires_at"),
        ({"name": "x", "expires_at": True}, "/expires_at"),
        ({"name": "x", "expires_at": "9999-12-31T23:59:59-12:00"}, "/expires_at"),
        ({"name": "x", "key": ADMIN_KEY}, "/key"),
        ({"name": "x", "created_by": "somebody"}, "/created_by"),
    ],
)
async def test_a_key_that_makes_no_sense_is_refused(
    public_app: FastAPI, fields: dict[str, Any], pointer: str
) -> None:
    answer = await create(public_app, **fields)
    assert answer.status == 422, answer.body
    assert answer.json()["errors"][0]["pointer"] == pointer


async def test_a_name_shows_what_it_is_and_passes_for_no_other(public_app: FastAPI) -> None:
    refused = ["ｓｅｅｄ", "ѕееd", "аnonymous", "sеed", "ＯＩＤＣ：alice", "оіdс:alice", "oidc∶bob"]
    refused += ["Command  line", "ımport", "see\u0301d", "a\u202eb", "a\u200db", "a\x1bb"]
    refused += ["a\nb", "a\u2028b", "a\ue000b", "a\u3164b", "a\ufe0fb", "\u2800", "ﷺ" * 10, "a\x7f"]
    taken = ["Seedlings", "oidc gateway", "Айгерим", "Қостанай 1", "Zoë", "команда"]
    wrong = [name for name in refused if (await create(public_app, name=name)).status != 422]
    wrong += [name for name in taken if (await create(public_app, name=name)).status != 201]
    assert wrong == []


@pytest.mark.parametrize("own", ["admin", "system", "Сводка Line 7"])
async def test_no_key_is_named_by_what_looks_like_the_name_of_another(
    public_app: FastAPI, own: str
) -> None:
    alike = {
        "admin": [
            "аdmin",
            "Admin",
            "ＡＤＭＩＮ",
            "ɑdmin",
            "adm1n",
            "admın",
            "αdmin",
            "ᎪᎠmin",
            "ᴀdmin",
        ],
        "system": ["ѕуѕtem", "SYSTEM", "sуstem", "ꓢystem", "systern", "ѕystem"],
        "Сводка Line 7": ["Cводкa Line 7", "сводка liпe 7".replace("п", "n"), "Сводка 1ine 7"],
    }[own]
    # The first two are refused for what they look like, whether there is such a key or not.
    await create(public_app, name=own)
    status = 409 if own.startswith("Сводка") else 422
    for name in alike:
        answer = await create(public_app, name=name)
        assert (answer.status, answer.json()["errors"][0]["pointer"]) == (status, "/name"), name
        assert repr(own) in answer.json()["errors"][0]["detail"], name


async def test_a_name_is_the_same_in_every_form_of_its_letters(public_app: FastAPI) -> None:
    made = (await create(public_app, name="Ｊose\u0301  und Ко")).json()
    assert made["name"] == "José und Ко"
    assert (await create(public_app, name="José und Ко")).status == 409
    for name in ("José und Ко", "Jose\u0301 und Ко"):
        found = await ask(public_app, f"/api-keys/{quote(name)}", headers=BEARER)
        assert found.json()["id"] == made["id"]


async def test_a_key_whose_name_has_a_slash_is_shown_and_revoked_by_it(
    public_app: FastAPI,
) -> None:
    for name in ("Bureau/Almaty", "/", "a//b/", "webhooks/%2F"):
        assert (await create(public_app, name=name)).status == 201, name
        for path in {f"/api-keys/{quote(name, safe='')}", f"/api-keys/{quote(name)}"}:
            answer = await ask(public_app, path, headers=BEARER)
            assert answer.json()["name"] == name, path
        assert (await revoke(public_app, quote(name, safe=""))) == 204, name


async def test_a_new_key_is_not_kept_to_be_shown_again(public_app: FastAPI) -> None:
    sent = {**BEARER, "idempotency-key": "again"}
    body = {"name": "not kept"}
    answer = await ask(public_app, "/api-keys", method="POST", headers=sent, body=body)
    assert answer.status == 400
    assert (await ask(public_app, "/api-keys/not kept", headers=BEARER)).status == 404


async def test_no_name_is_given_twice_even_after_its_key_was_revoked(public_app: FastAPI) -> None:
    assert (await create(public_app, name="given once")).status == 201
    assert (await create(public_app, name="given once")).status == 409
    assert await revoke(public_app, "given once") == 204
    again = await create(public_app, name="given once", scope="write")
    assert again.status == 409
    assert again.json()["errors"][0]["pointer"] == "/name"


async def test_of_two_keys_with_one_name_made_at_once_one_is_made(access_url: str) -> None:
    async with opened(access_url) as one, opened(access_url) as other:
        for turn in range(5):
            made = await asyncio.gather(
                *(create(app, name=f"at once {turn}") for app in (one, other, one, other))
            )
            assert sorted(answer.status for answer in made) == [201, 409, 409, 409]


async def test_the_list_of_keys_is_walked_by_pages(public_app: FastAPI) -> None:
    await keys_of(public_app, [api_keys.NewKey(f"page {n}", Scope.READ) for n in range(5)])
    walked, target = [], "/api-keys?limit=2"
    while True:
        page = (await ask(public_app, target, headers=BEARER)).json()
        walked += page["data"]
        if page["page"]["next_cursor"] is None:
            break
        target = f"/api-keys?limit=2&cursor={page['page']['next_cursor']}"
    whole = (await ask(public_app, "/api-keys?limit=1000", headers=BEARER)).json()["data"]
    assert walked == whole
    assert {f"page {n}" for n in range(5)} <= {key["name"] for key in whole}


# Used


async def test_history_names_the_key(public_app: FastAPI) -> None:
    secret = await key_of(public_app, "Айгерим's desk", Scope.WRITE)
    body = {"full_name": "X", "ref": "named-by-key"}
    await ask(public_app, "/people", method="POST", headers=bearer(secret), body=body)
    (change,) = (await ask(public_app, "/people/named-by-key/history")).json()["data"]
    assert change["actor"] == "Айгерим's desk"


async def test_it_is_noted_when_a_key_was_last_used(public_app: FastAPI) -> None:
    secret = await key_of(public_app, "noted")
    before = now()
    assert await status_with(public_app, secret) == 200
    await public_app.state.authorizer.store_last_use()
    told = (await ask(public_app, "/api-keys/noted", headers=BEARER)).json()
    assert before <= datetime.fromisoformat(told["last_used_at"]) <= now()


async def test_it_is_noted_when_the_service_stops_too(access_url: str, public_app: FastAPI) -> None:
    secret = await key_of(public_app, "noted at the end")
    async with opened(access_url) as app:
        assert await status_with(app, secret) == 200
    told = (await ask(public_app, "/api-keys/noted at the end", headers=BEARER)).json()
    assert told["last_used_at"] is not None


async def test_a_key_that_was_refused_was_not_used(public_app: FastAPI) -> None:
    secret = await key_of(public_app, "not used")
    await expire(public_app, "not used")
    assert await status_with(public_app, secret) == 401
    await public_app.state.authorizer.store_last_use()
    told = (await ask(public_app, "/api-keys/not used", headers=BEARER)).json()
    assert told["last_used_at"] is None


# Ended


async def test_a_key_ends_at_its_time_though_it_was_used_just_before(public_app: FastAPI) -> None:
    ends = now() + timedelta(seconds=1)
    (secret,) = await keys_of(public_app, [api_keys.NewKey("ends", Scope.READ, None, ends)])
    assert await status_with(public_app, secret) == 200
    await asyncio.sleep((ends - now()).total_seconds() + 0.05)
    answer = await ask(public_app, "/missions", headers=bearer(secret))
    assert answer.status == 401
    assert answer.detail == f"The key {secret[:12]}… has expired."


async def test_a_key_that_is_revoked_opens_nothing_from_then_on(public_app: FastAPI) -> None:
    secret = await key_of(public_app, "revoked at once", Scope.ADMIN)
    assert await status_with(public_app, secret) == 200
    assert await revoke(public_app, "revoked at once") == 204
    answer = await ask(public_app, "/missions", headers=bearer(secret))
    assert answer.status == 401
    assert answer.detail == f"The key {secret[:12]}… was revoked."
    told = (await ask(public_app, "/api-keys/revoked at once", headers=BEARER)).json()
    assert told["revoked_at"] is not None
    assert await revoke(public_app, "revoked at once") == 204
    assert (await ask(public_app, "/api-keys/revoked at once", headers=BEARER)).json() == told


async def test_a_key_that_is_revoked_while_it_is_looked_up_is_not_remembered(
    public_app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = await key_of(public_app, "looked up", Scope.READ)
    database = public_app.state.database
    read, is_read, may_go_on = database.read, asyncio.Event(), asyncio.Event()

    async def slow(*arguments: Any, **options: Any) -> Any:
        rows = await read(*arguments, **options)
        is_read.set()
        await may_go_on.wait()
        return rows

    monkeypatch.setattr(database, "read", slow)
    asking = asyncio.create_task(ask(public_app, "/codes/nothing", headers=bearer(secret)))
    await is_read.wait()
    monkeypatch.setattr(database, "read", read)
    assert await revoke(public_app, "looked up") == 204
    may_go_on.set()
    await asking
    assert await status_with(public_app, secret) == 401


async def test_another_process_takes_it_for_a_few_seconds_at_most(
    access_url: str, public_app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(authorizer, "PRINCIPAL_CACHE_SECONDS", 0.3)
    secret = await key_of(public_app, "revoked elsewhere")
    async with opened(access_url) as other:
        assert await status_with(other, secret) == 200
        assert await revoke(public_app, "revoked elsewhere") == 204
        ends = asyncio.get_running_loop().time() + 10
        while await status_with(other, secret) == 200:
            assert asyncio.get_running_loop().time() < ends
            await asyncio.sleep(0.02)
