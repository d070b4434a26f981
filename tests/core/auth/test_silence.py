"""Whoever may not read is told nothing: neither what is there nor what is wrong."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from fastapi import FastAPI

from app.core.auth.principals import Scope
from tests.core.auth.asking import Answer, ask, bearer
from tests.core.auth.issuer import Issuer
from tests.core.auth.opened import key_of
from tests.keys import BEARER

#: Records that are there, in the trash and nowhere, and requests that are wrong in every way.
READS = [
    "/people/silent-there",
    "/people/silent-trashed",
    "/people/silent-trashed?deleted=include",
    "/people/no-such-person",
    "/people/no%00such",
    "/people/silent-there?fields=nothing",
    "/people?nothing=1",
    "/people?full_name__like=1&full_name__like=2",
    "/people?filter=((((",
    "/people?cursor=forged",
    "/people?limit=-1",
    "/people?%ff=%fe",
    "/people.nothing",
    "/people/aggregate?metrics=sum(nothing)",
    "/people/silent-there/history",
    "/search?q=",
    "/changes?since=99999999",
    "/changes/stream?since=nothing",
    "/codes/nothing",
    "/metrics?x=1",
]
#: Method, address, body and headers of writes that would fail for different reasons.
WRITES: list[tuple[str, str, Any, Mapping[str, str]]] = [
    ("POST", "/people", {"full_name": "X", "ref": "silent-there"}, {}),
    ("POST", "/people", {"nothing": 1}, {}),
    ("POST", "/people", {}, {"idempotency-key": "silent"}),
    ("POST", "/people", {}, {"content-length": "99999999999"}),
    ("POST", "/people?nothing=1", {}, {}),
    ("PATCH", "/people/silent-there", {"full_name": None}, {"if-match": '"0-stale"'}),
    ("PATCH", "/people/silent-trashed", {}, {}),
    ("PATCH", "/people/no-such-person", {}, {}),
    ("PUT", "/people/no-such-person", {"full_name": "X"}, {"if-none-match": "*"}),
    ("PUT", "/people/silent-there", {"full_name": "X"}, {"if-none-match": "*"}),
    ("DELETE", "/people/silent-there", None, {"if-match": '"0-stale"'}),
    ("DELETE", "/people/silent-there?purge=true", None, {}),
    ("DELETE", "/people/silent-there?purge=perhaps", None, {}),
    ("DELETE", "/people/no-such-person", None, {}),
    ("POST", "/people/silent-trashed/restore", None, {}),
    ("POST", "/people/no-such-person/restore", None, {}),
    ("POST", "/people/bulk", {"operations": []}, {}),
    ("POST", "/api-keys", {"name": "silent"}, {}),
    ("DELETE", "/api-keys/admin", None, {}),
    ("DELETE", "/api-keys/no-such-key", None, {}),
]


@pytest.fixture(scope="session")
async def strangers(private_app: FastAPI, issuer: Issuer) -> dict[str, dict[str, str]]:
    """Who may read nothing, each in another way; and one who may only read."""
    app = private_app
    for ref in ("silent-there", "silent-trashed"):
        body = {"full_name": f"Silent {ref}", "ref": ref}
        assert (await ask(app, "/people", method="POST", headers=BEARER, body=body)).status == 201
    await ask(app, "/people/silent-trashed", method="DELETE", headers=BEARER)
    return {
        "nobody": {},
        "wrong key": bearer("tmd_aaaaaaaa_" + "a" * 43),
        "no role": bearer(issuer.token(roles=[])),
        "bound": bearer(await key_of(app, "silent", Scope.READ, "/missions.csv")),
        "reader": bearer(await key_of(app, "silent reader", Scope.READ)),
    }


def without_names(answer: Answer) -> tuple[int, list[tuple[str, str]], dict[str, Any]]:
    """The answer without what names the request itself."""
    told = json.loads(answer.body)
    kept = {name: value for name, value in told.items() if name not in ("instance", "request_id")}
    named = ("x-request-id", "content-length")
    return answer.status, [h for h in answer.headers if h[0] not in named], kept


@pytest.mark.parametrize("who", ["nobody", "wrong key", "no role", "bound"])
async def test_reads_of_all_kinds_are_refused_in_the_same_words(
    private_app: FastAPI, strangers: dict[str, dict[str, str]], who: str
) -> None:
    answers = [await ask(private_app, target, headers=strangers[who]) for target in READS]
    # An address with a NUL is refused before anybody looks what it is of.
    first, *others = [
        without_names(a) for a, t in zip(answers, READS, strict=True) if "%00" not in t
    ]
    assert first[0] == (401 if who in ("nobody", "wrong key") else 403)
    assert all(other == first for other in others)


@pytest.mark.parametrize("who", ["nobody", "wrong key", "no role", "bound", "reader"])
async def test_writes_of_all_kinds_are_refused_in_the_same_words(
    private_app: FastAPI, strangers: dict[str, dict[str, str]], who: str
) -> None:
    seen: dict[str, list[Any]] = {}
    for method, target, body, headers in WRITES:
        sent = {**strangers[who], **headers}
        answer = await ask(private_app, target, method=method, headers=sent, body=body)
        kind = "admin" if "api-keys" in target else "write"
        seen.setdefault(kind, []).append(without_names(answer))
    for first, *others in seen.values():
        assert first[0] == (401 if who in ("nobody", "wrong key") else 403)
        assert all(other == first for other in others)


async def test_whoever_may_only_read_learns_nothing_of_the_records_by_writing(
    private_app: FastAPI, strangers: dict[str, dict[str, str]]
) -> None:
    for method, target, body, headers in WRITES:
        sent = {**strangers["reader"], **headers}
        answer = await ask(private_app, target, method=method, headers=sent, body=body)
        assert answer.status == 403
        assert answer.json()["errors"] == []
