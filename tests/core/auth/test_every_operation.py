"""Every operation for every kind of caller: who is let in, and who is told what instead."""

from typing import Any

import pytest
from fastapi import FastAPI

from app import api
from app.core.auth.api_keys import NewKey, new_secret
from app.core.auth.principals import Scope
from app.core.databases.types import now
from tests.core.auth.asking import Answer, ask, bearer
from tests.core.auth.issuer import Issuer
from tests.core.auth.opened import expire, key_of, keys_of
from tests.keys import BEARER

LET_IN, NO_KEY, NOT_ALLOWED = "let in", 401, 403

#: What each operation needs that is neither a reading GET nor a change of records.
OPEN = {("GET", "/health/live"), ("GET", "/health/ready")}
READ_ALWAYS = {("GET", "/metrics")}
ADMIN_PATHS = ("/api-keys", "/webhooks")

#: Nobody who shows something that is not good gets further than that.
BAD = ("expired", "revoked", "unknown", "garbage", "token of another issuer", "expired token")
GOOD = ("nobody", "read", "write", "admin", "bound here", "bound elsewhere")
TOKENS = ("token read", "token write", "token admin", "token of no role")
CALLERS = (*GOOD, *BAD, *TOKENS)

#: Whom each need lets in; the others are 401 when they have shown nothing or nothing good, or 403.
ADMITS = {
    "nothing": set(CALLERS),
    "public reading": {*GOOD, *TOKENS} - {"bound elsewhere"},
    "read": {"read", "write", "admin", "bound here", "token read", "token write", "token admin"},
    "write": {"write", "admin", "token write", "token admin"},
    "admin": {"admin", "token admin"},
}

#: Reads of what names records that may be withheld.
FOR_WRITERS = {
    *("/receipts", "/receipts.csv"),
    *("/insights/duplicates/organizations", "/insights/duplicates/people"),
}


def need_of(method: str, path: str, public: bool) -> str:
    if (method, path) in OPEN:
        return "nothing"
    if (method, path) in READ_ALWAYS:
        return "read"
    if path.startswith(ADMIN_PATHS) or (method, path) == ("DELETE", "/receipts/{id}"):
        return "admin"
    if method in ("GET", "HEAD") and path in FOR_WRITERS:
        return "write"
    if method == "GET":
        return "public reading" if public else "read"
    return "write"


def expected(method: str, path: str, caller: str, public: bool) -> str | int:
    if caller in ADMITS[need_of(method, path, public)]:
        return LET_IN
    return NO_KEY if caller == "nobody" or caller in BAD else NOT_ALLOWED


OPERATIONS = [
    (method, route.path) for route in api.routes() for method in sorted(route.methods or ())
]
#: Parameters of paths: those of a record that is there, and of none.
THERE = {"list": "countries", "code": "KZ", "format": "csv"}
NOWHERE = {"list": "nothing", "code": "QQ", "format": "ndjson"}
REFS = {
    "/missions": "novosibirsk-april",
    "/agreements": "housemaster-progmatik-jv",
    "/sources": "kazinform-novosibirsk",
}


def target_of(method: str, path: str, *, there: bool) -> str:
    """An address of the operation that changes nothing and ends at once."""
    given = dict(THERE if there else NOWHERE)
    first = "/" + path.strip("/").partition("/")[0]
    given["key"] = REFS.get(first, "no-such") if there else "no-such"
    given["id"] = given["delivery"] = "00000000-0000-7000-8000-000000000000"
    for name, value in given.items():
        path = path.replace("{" + name + "}", value)
    if path == "/changes/stream":
        return f"{path}?since=nothing"
    changes_records = method != "GET" and not path.startswith(ADMIN_PATHS)
    return f"{path}?dry_run=true" if changes_records else path


#: Who is let in does not depend on the database: on one, records are there, on the other none.
TARGETS = {
    kind: sorted(
        {(method, path, target_of(method, path, there=there)) for method, path in OPERATIONS}
    )
    for kind, there in (("sqlite", True), ("postgresql", False))
}


@pytest.fixture(scope="session")
async def callers(
    public_app: FastAPI, issuer: Issuer, database_kind: str
) -> dict[str, dict[str, str]]:
    """The headers that each kind of caller sends; those of bound keys by the path they open."""
    app = public_app
    plain = {str(name): await key_of(app, f"every {name}", Scope(name)) for name in Scope}
    ended = await key_of(app, "every old", Scope.ADMIN)
    revoked = await key_of(app, "every gone", Scope.ADMIN)
    await expire(app, "every old")
    gone = await ask(app, "/api-keys/every gone", method="DELETE", headers=BEARER)
    assert gone.status == 204, gone.body
    paths = sorted({target.partition("?")[0] for _, _, target in TARGETS[database_kind]})
    bound = await keys_of(
        app, [NewKey(f"bound {n}", Scope.READ, path) for n, path in enumerate(paths)]
    )
    past = int(now().timestamp()) - 3600
    tokens = {f"token {role}": issuer.token(roles=[role]) for role in Scope}
    secrets: dict[str, str] = {
        **plain,
        **tokens,
        **dict(zip(paths, bound, strict=True)),
        "bound elsewhere": await key_of(app, "every elsewhere", Scope.READ, "/else/where.csv"),
        "expired": ended,
        "revoked": revoked,
        "unknown": new_secret(),
        "garbage": "garbage",
        "token of no role": issuer.token(roles=["cook"]),
        "token of another issuer": issuer.token(iss="https://example.org", roles=["admin"]),
        "expired token": issuer.token(exp=past, roles=["admin"]),
    }
    return {"nobody": {}} | {name: bearer(secret) for name, secret in secrets.items()}


@pytest.fixture(params=["public", "private"])
def reading(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def app(reading: str, public_app: FastAPI, private_app: FastAPI) -> FastAPI:
    return public_app if reading == "public" else private_app


def told(answer: Answer) -> str | int:
    return answer.status if answer.status in (401, 403) else LET_IN


@pytest.mark.parametrize("caller", CALLERS)
async def test_every_operation_lets_in_whom_it_should_and_nobody_else(
    app: FastAPI,
    database_kind: str,
    reading: str,
    caller: str,
    callers: dict[str, dict[str, str]],
) -> None:
    wrong = []
    for method, path, target in TARGETS[database_kind]:
        who = target.partition("?")[0] if caller == "bound here" else caller
        body: Any = None if method in ("GET", "DELETE") else {}
        answer = await ask(app, target, method=method, headers=callers[who], body=body)
        assert answer.status < 500, (method, target, answer.body)
        should = expected(method, path, caller, reading == "public")
        if told(answer) != should:
            wrong.append((method, target, answer.status, should))
    assert wrong == []


@pytest.mark.parametrize("caller", ["nobody", "read", "bound here"])
async def test_head_is_answered_as_get_is(
    private_app: FastAPI, database_kind: str, caller: str, callers: dict[str, dict[str, str]]
) -> None:
    for method, _, target in TARGETS[database_kind]:
        if method != "GET" or target.startswith("/health"):
            continue
        headers = callers[target.partition("?")[0] if caller == "bound here" else caller]
        get = await ask(private_app, target, headers=headers)
        head = await ask(private_app, target, method="HEAD", headers=headers)
        assert (head.status, head.body) == (get.status, b""), target
        assert head.header("www-authenticate") == get.header("www-authenticate"), target


async def test_the_authorizer_is_asked_below_another_path_too(
    private_app: FastAPI, database_kind: str, callers: dict[str, dict[str, str]]
) -> None:
    """As a server calls an application that a proxy shows below a path."""
    for method, path, target in TARGETS[database_kind]:
        for caller in ("nobody", "read"):
            body: Any = None if method in ("GET", "DELETE") else {}
            answer = await ask(
                private_app,
                target,
                method=method,
                headers=callers[caller],
                body=body,
                root_path="/below",
            )
            assert told(answer) == expected(method, path, caller, False), (method, target)
