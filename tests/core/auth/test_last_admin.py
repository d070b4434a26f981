"""One admin key is always left, as nobody else can make another."""

import asyncio

from fastapi import FastAPI

from app.core.auth.principals import Scope
from tests.core.auth.asking import ask, bearer
from tests.core.auth.opened import expire, key_of, opened
from tests.keys import ADMIN, BEARER


async def revoke(app: FastAPI, key: str) -> int:
    return (await ask(app, f"/api-keys/{key}", method="DELETE", headers=BEARER)).status


async def test_the_last_admin_key_cannot_be_revoked(fresh_app: FastAPI) -> None:
    await key_of(fresh_app, "writer", Scope.WRITE)
    await key_of(fresh_app, "expired admin", Scope.ADMIN)
    await expire(fresh_app, "expired admin")
    assert await revoke(fresh_app, ADMIN) == 409
    other = await key_of(fresh_app, "other admin", Scope.ADMIN)
    assert await revoke(fresh_app, ADMIN) == 204
    answer = await ask(fresh_app, "/api-keys/other admin", method="DELETE", headers=bearer(other))
    assert answer.status == 409
    assert "last admin key" in answer.detail


async def test_two_admins_who_revoke_each_other_at_once_leave_one(fresh_url: str) -> None:
    async with opened(fresh_url) as one, opened(fresh_url) as other:
        for turn in range(4):
            names = [f"admin {turn} {side}" for side in "ab"]
            secrets = [await key_of(one, name, Scope.ADMIN) for name in names]
            first = bearer(secrets[0])
            await ask(one, f"/api-keys/{ADMIN}", method="DELETE", headers=first)
            if turn:
                # Who was left last time.
                for side in "ab":
                    path = f"/api-keys/admin {turn - 1} {side}"
                    await ask(one, path, method="DELETE", headers=first)
            done = await asyncio.gather(
                ask(one, f"/api-keys/{names[1]}", method="DELETE", headers=bearer(secrets[0])),
                ask(other, f"/api-keys/{names[0]}", method="DELETE", headers=bearer(secrets[1])),
            )
            assert sorted(answer.status for answer in done) in ([204, 401], [204, 409])
