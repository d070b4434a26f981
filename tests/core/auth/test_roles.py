"""Roles in the tokens of an issuer: which scope each bearer has."""

from typing import Any

import pytest
from fastapi import FastAPI

from app.core.auth.principals import Scope
from tests.core.auth.asking import ask, bearer
from tests.core.auth.issuer import Issuer
from tests.core.auth.opened import opened


@pytest.mark.parametrize(
    ("roles", "scope"),
    [
        (["read"], "read"),
        (["write"], "write"),
        (["read", "admin", "write"], "admin"),
        (["cook", "write"], "write"),
        ("write", "write"),
        ("openid profile write", "write"),
        ([{"name": "admin"}, ["admin"], 5, None, "read"], "read"),
        ([], None),
        ("", None),
        (["Admin"], None),
        (["cook"], None),
        ("administrator", None),
        ({"admin": True}, None),
        (5, None),
        (True, None),
        (["\ud800"], None),
    ],
)
async def test_the_widest_role_counts(
    private_app: FastAPI, issuer: Issuer, roles: Any, scope: str | None
) -> None:
    sent = bearer(issuer.token(roles=roles))
    allowed = {"/missions": "read", "/api-keys": "admin"}
    for target, needed in allowed.items():
        may = scope is not None and Scope(scope).includes(Scope(needed))
        answer = await ask(private_app, target, headers=sent)
        assert answer.status == (200 if may else 403), target
    body = {"full_name": "X"}
    target = "/people?dry_run=true"
    written = await ask(private_app, target, method="POST", headers=sent, body=body)
    may = scope is not None and Scope(scope).includes(Scope.WRITE)
    assert written.status == (201 if may else 403)


async def test_whoever_has_no_role_reads_what_is_public(
    public_app: FastAPI, issuer: Issuer
) -> None:
    sent = bearer(issuer.token(roles=None))
    assert (await ask(public_app, "/missions", headers=sent)).status == 200
    answer = await ask(public_app, "/metrics", headers=sent)
    assert answer.status == 403
    assert answer.detail == "This needs the scope 'read'; 'oidc:alice' has none."


async def test_roles_have_the_names_and_the_place_that_the_issuer_gives_them(
    access_url: str, issuer: Issuer
) -> None:
    told = {
        "oidc_roles_claim": "realm_access.roles",
        "oidc_roles": "trade-editor=write, trade-admin=admin",
    }
    async with opened(access_url, public_reading=False, **issuer.settings, **told) as app:
        nested = issuer.token(realm_access={"roles": ["trade-editor"]}, roles=None)
        assert (await ask(app, "/missions", headers=bearer(nested))).status == 200
        wrong: list[dict[str, Any]] = [
            {"roles": ["admin", "trade-admin"]},
            {"realm_access": ["trade-admin"]},
            {"realm_access": "trade-admin"},
            {"realm_access.roles": ["trade-admin"]},
            {"realm_access": {"roles": ["admin", "write"]}},
        ]
        for claims in wrong:
            sent = bearer(issuer.token(**{"roles": None, **claims}))
            assert (await ask(app, "/missions", headers=sent)).status == 403
