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


async def test_only_an_admin_puts_a_text_in_the_place_of_another(public_app: FastAPI) -> None:
    writer = bearer(await key_of(public_app, "replaces a text", Scope.WRITE))
    target, plain = "/sources/no-such-source/text?replace=true", {"content-type": "text/plain"}
    answer = await ask(public_app, target, method="PUT", headers={**writer, **plain})
    assert answer.status == 403
    assert "needs the scope 'admin'" in answer.detail
    answer = await ask(public_app, target, method="PUT", headers={**BEARER, **plain})
    assert answer.status == 404
