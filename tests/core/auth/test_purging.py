"""Deleting for good is a parameter of an operation, and needs more than the operation does."""

import pytest
from fastapi import FastAPI

from app.core.auth.principals import Scope
from tests.core.auth.asking import ask, bearer
from tests.core.auth.opened import key_of
from tests.keys import BEARER


@pytest.mark.parametrize("ref", ["novosibirsk-april", "no-such-mission"])
async def test_whoever_may_write_may_not_delete_for_good(public_app: FastAPI, ref: str) -> None:
    writer = bearer(await key_of(public_app, f"purges {ref}", Scope.WRITE))
    target = f"/missions/{ref}?purge=true&dry_run=true"
    answer = await ask(public_app, target, method="DELETE", headers=writer)
    assert answer.status == 403
    assert "needs the scope 'admin'" in answer.detail


async def test_an_admin_may(public_app: FastAPI) -> None:
    target = "/missions/no-such-mission?purge=true&dry_run=true"
    answer = await ask(public_app, target, method="DELETE", headers=BEARER)
    assert answer.status == 404
