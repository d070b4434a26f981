"""What is served besides the operations: pages that are open, and that show no records."""

import pytest
from fastapi import FastAPI
from starlette.routing import Mount
from starlette.routing import Route as Page

from app.core.http.dispatch import Route
from tests.core.auth.asking import ask

PAGES = {"/docs", "/guide", "/openapi.json", "/problems", "/problems/{slug}"}
MOUNTED = {"/docs/assets"}
#: Of the seeded records, as no example of the documentation writes it.
FACT = "housemaster-progmatik-jv"


async def test_the_pages_are_these_and_no_others(private_app: FastAPI) -> None:
    others = [route for route in private_app.router.routes if not isinstance(route, Route)]
    assert {route.path for route in others if isinstance(route, Page)} == PAGES
    assert {route.path for route in others if isinstance(route, Mount)} == MOUNTED
    assert all(isinstance(route, Page | Mount) for route in others)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    "path", ["/", *sorted(PAGES - {"/problems/{slug}"}), "/problems/unauthorized"]
)
async def test_a_page_needs_no_key(private_app: FastAPI, path: str, method: str) -> None:
    answer = await ask(private_app, path, method=method)
    assert answer.status == (307 if path == "/" else 200)


@pytest.mark.parametrize("path", ["/", "/docs", "/problems", "/problems/forbidden"])
async def test_a_page_takes_nothing(private_app: FastAPI, path: str) -> None:
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        answer = await ask(private_app, path, method=method)
        assert answer.status == 405


@pytest.mark.parametrize("path", ["/", "/docs", "/problems", "/problems/forbidden"])
async def test_a_page_shows_no_records(private_app: FastAPI, path: str) -> None:
    assert FACT.encode() not in (await ask(private_app, path)).body


@pytest.mark.parametrize(
    "path",
    [
        "//missions",
        "/missions/",
        "/missions//",
        "/missions;x",
        "/MISSIONS",
        "/./missions",
        "/x/../missions",
        "/missions/novosibirsk-april/",
        "/missions%2Fnovosibirsk-april",
        "/docs/assets/../../missions",
        "/docs/assets/%2e%2e/%2e%2e/settings.py",
        "/.env",
        "/admin",
        "/metrics/",
    ],
)
async def test_no_way_of_writing_an_address_leads_past_the_authorizer(
    private_app: FastAPI, path: str
) -> None:
    answer = await ask(private_app, path)
    assert answer.status in (401, 404), answer.body
    assert b"2016" not in answer.body
