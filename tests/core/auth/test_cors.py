"""Pages of other origins: only those that are configured read the answers."""

from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI

from tests.core.auth.asking import ask
from tests.core.auth.opened import opened
from tests.keys import BEARER

OURS, OTHER = "https://dashboard.example.org", "https://evil.example.org"
PREFLIGHT = {
    "access-control-request-method": "PATCH",
    "access-control-request-headers": "authorization, if-match, content-type",
}


@pytest.fixture(scope="module")
async def app(access_url: str) -> AsyncIterator[FastAPI]:
    told = f"{OURS}, https://second.example.org"
    async with opened(access_url, cors_origins=told, public_reading=False) as app:
        yield app


async def test_it_is_off_unless_configured(public_app: FastAPI) -> None:
    for method, more in (("GET", {}), ("OPTIONS", PREFLIGHT)):
        answer = await ask(public_app, "/missions", method=method, headers={"origin": OURS, **more})
        assert answer.status == (200 if method == "GET" else 405)
        assert not [name for name, _ in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize(
    ("target", "headers", "status"),
    [
        ("/missions?limit=1", BEARER, 200),
        ("/missions", {}, 401),
        ("/missions/no-such", BEARER, 404),
        ("/missions?nothing=1", BEARER, 400),
        ("/nowhere", {}, 404),
        ("/health/live", {}, 200),
    ],
)
async def test_a_page_of_ours_reads_answers_and_problems(
    app: FastAPI, target: str, headers: dict[str, str], status: int
) -> None:
    answer = await ask(app, target, headers={"origin": OURS, **headers})
    assert answer.status == status
    assert answer.header("access-control-allow-origin") == OURS
    assert "Retry-After" in str(answer.header("access-control-expose-headers"))
    assert "ETag" in str(answer.header("access-control-expose-headers"))
    varied = ", ".join(value for name, value in answer.headers if name == "vary")
    assert "Origin" in varied
    assert answer.header("access-control-allow-credentials") is None


async def test_a_page_of_another_origin_does_not(app: FastAPI) -> None:
    for origin in (OTHER, "null", OURS.upper(), OURS + ".evil.org", "http://dashboard.example.org"):
        answer = await ask(app, "/missions?limit=1", headers={"origin": origin, **BEARER})
        assert answer.header("access-control-allow-origin") is None


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PATCH", "PUT", "DELETE"])
async def test_a_page_of_ours_may_ask_beforehand_without_a_key(app: FastAPI, method: str) -> None:
    sent = {"origin": OURS, **PREFLIGHT, "access-control-request-method": method}
    answer = await ask(app, "/missions/novosibirsk-april", method="OPTIONS", headers=sent)
    assert answer.status == 200
    assert answer.header("access-control-allow-origin") == OURS
    assert method in str(answer.header("access-control-allow-methods"))
    allowed = str(answer.header("access-control-allow-headers")).lower()
    for name in ("authorization", "idempotency-key", "if-match", "content-type", "prefer"):
        assert name in allowed


async def test_another_page_is_refused_beforehand(app: FastAPI) -> None:
    sent = {"origin": OTHER, **PREFLIGHT}
    answer = await ask(app, "/missions", method="OPTIONS", headers=sent)
    assert answer.status == 400
    assert answer.header("access-control-allow-origin") is None
    assert answer.header("content-type") == "application/problem+json"
    assert answer.detail.startswith("Pages of this origin may not call")


async def test_what_pages_may_not_send_is_refused_beforehand(app: FastAPI) -> None:
    told = {
        "access-control-request-method": ("TRACE", "Pages may call with GET, HEAD,"),
        "access-control-request-headers": ("x-other", "Of headers, pages may send Accept,"),
    }
    for name, (value, words) in told.items():
        sent = {"origin": OURS, **PREFLIGHT, name: value}
        answer = await ask(app, "/missions", method="OPTIONS", headers=sent)
        assert answer.status == 400
        assert answer.detail.startswith(words)
        assert answer.header("access-control-allow-origin") == OURS


async def test_all_origins_can_be_let_in(access_url: str) -> None:
    async with opened(access_url, cors_origins="*") as app:
        answer = await ask(app, "/missions?limit=1", headers={"origin": OTHER})
        assert answer.header("access-control-allow-origin") == "*"
        assert answer.header("access-control-allow-credentials") is None
