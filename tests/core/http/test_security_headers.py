"""Headers of answers: what keeps them from being misused by browsers, caches and other pages."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from app.main import create_app
from app.settings import Settings
from tests.keys import BEARER

PAGES = ("/docs", "/guide", "/problems", "/problems/not-found")
RECORDS = ("/missions", "/missions/novosibirsk-april", "/missions.csv", "/search?q=novosibirsk")


def values(answer: httpx.Response, name: str) -> set[str]:
    return {value.strip() for value in answer.headers.get(name, "").split(",") if value.strip()}


@pytest.mark.parametrize(
    "path", [*PAGES, *RECORDS, "/", "/openapi.json", "/nowhere", "/missions/x"]
)
async def test_no_answer_is_guessed_framed_or_tells_where_a_reader_came_from(
    client: httpx.AsyncClient, path: str
) -> None:
    headers = (await client.get(path)).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "default-src 'none'" in headers["content-security-policy"]


async def test_what_is_no_page_may_load_nothing(client: httpx.AsyncClient) -> None:
    answer = await client.get("/missions")
    policy = "default-src 'none'; frame-ancestors 'none'"
    assert answer.headers["content-security-policy"] == policy


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_runs_no_script_but_its_own(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    policy = answer.headers.get_list("content-security-policy")
    assert len(policy) == 1
    (scripts,) = (part for part in policy[0].split("; ") if part.startswith("script-src"))
    assert scripts.split()[1] == "'self'"
    assert "unsafe" not in policy[0]
    assert len(scripts.split()) == 2 + answer.text.count("<script>")


@pytest.mark.parametrize("path", RECORDS)
async def test_records_are_asked_for_again(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path)).headers["cache-control"] == "private, no-cache"


async def test_an_answer_that_has_not_changed_is_kept_as_before(client: httpx.AsyncClient) -> None:
    tag = (await client.get("/missions")).headers["etag"]
    again = await client.get("/missions", headers={"If-None-Match": tag})
    assert (again.status_code, again.headers["cache-control"]) == (304, "private, no-cache")


@pytest.mark.parametrize("path", ["/missions/nowhere", "/nowhere", "/missions?limit=x"])
async def test_errors_are_never_kept(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert answer.status_code >= 400
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["/openapi.json", "/guide", "/health/live"])
async def test_what_an_answer_says_of_itself_counts(client: httpx.AsyncClient, path: str) -> None:
    (said,) = (await client.get(path)).headers.get_list("cache-control")
    assert said in ("no-cache", "no-store")


async def test_only_over_tls_a_browser_is_told_to_keep_to_it(shared_app: FastAPI) -> None:
    transport = httpx.ASGITransport(shared_app)
    for scheme, told in (("http", None), ("https", "max-age=31536000")):
        async with httpx.AsyncClient(transport=transport, base_url=f"{scheme}://test") as client:
            answer = await client.get("/docs")
        assert answer.headers.get("strict-transport-security") == told
        assert ("cross-origin-opener-policy" in answer.headers) == (told is not None)


@pytest.fixture
async def closed(fresh_url: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a service whose reading needs a key."""
    app = create_app(Settings(database_url=fresh_url, public_reading=False))
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            yield client


async def test_where_reading_needs_a_key_caches_are_told_that_it_matters(
    closed: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    answer = await closed.get("/missions", headers=BEARER)
    assert values(answer, "vary") == {"Accept", "Accept-Encoding", "Authorization"}
    assert "Authorization" in values(await closed.get("/missions"), "vary")
    # So are they where it needs none: who may write is shown more.
    told = {"Accept", "Accept-Encoding", "Authorization"}
    assert values(await client.get("/missions"), "vary") == told
    assert "Authorization" not in values(await client.get("/docs"), "vary")
