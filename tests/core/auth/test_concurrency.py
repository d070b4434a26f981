"""Many callers at once, and keys that end while they are used."""

import asyncio

from fastapi import FastAPI

from app.core.auth.api_keys import NewKey
from app.core.auth.principals import Scope
from tests.core.auth.asking import ask, bearer
from tests.core.auth.opened import key_of, keys_of
from tests.keys import BEARER


async def test_history_names_each_of_sixteen_writers(public_app: FastAPI) -> None:
    names = [f"writer {n}" for n in range(16)]
    secrets = await keys_of(public_app, [NewKey(name, Scope.WRITE) for name in names])

    async def write(n: int) -> None:
        for turn in range(5):
            body = {"full_name": f"{n}", "ref": f"sixteen-{n}-{turn}"}
            sent = bearer(secrets[n])
            made = await ask(public_app, "/people", method="POST", headers=sent, body=body)
            assert made.status == 201

    await asyncio.gather(*(write(n) for n in range(16)))
    for n, name in enumerate(names):
        for turn in range(5):
            history = await ask(public_app, f"/people/sixteen-{n}-{turn}/history")
            assert [change["actor"] for change in history.json()["data"]] == [name]


async def test_a_write_that_was_let_in_is_finished_and_the_next_one_is_refused(
    public_app: FastAPI,
) -> None:
    secret = await key_of(public_app, "revoked while writing", Scope.WRITE)
    written = 0
    enough = asyncio.Event()

    async def write() -> int:
        nonlocal written
        body = {"full_name": "X", "ref": f"while-writing-{written}"}
        answer = await ask(public_app, "/people", method="POST", headers=bearer(secret), body=body)
        written += answer.status == 201
        if written == 3:
            enough.set()
        return answer.status

    async def write_on() -> int:
        while (status := await write()) == 201:
            pass
        return status

    writing = asyncio.create_task(write_on())
    await enough.wait()
    target = "/api-keys/revoked while writing"
    assert (await ask(public_app, target, method="DELETE", headers=BEARER)).status == 204
    assert await writing == 401
    assert await write() == 401
    for n in range(written):
        assert (await ask(public_app, f"/people/while-writing-{n}")).status == 200
    assert (await ask(public_app, f"/people/while-writing-{written}")).status == 404


async def test_one_key_asked_with_at_once_is_one_caller(public_app: FastAPI) -> None:
    secret = await key_of(public_app, "at once", Scope.READ)
    answers = await asyncio.gather(
        *(ask(public_app, "/missions?limit=1", headers=bearer(secret)) for _ in range(50))
    )
    assert {answer.status for answer in answers} == {200}
