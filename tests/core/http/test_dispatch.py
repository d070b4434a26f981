"""Finding a route by the steps of its path, and reading what was sent to it."""

from typing import Annotated, Any

import httpx
import pytest
from fastapi import Body, FastAPI, Query, Request
from pydantic import BaseModel, ConfigDict
from starlette.responses import PlainTextResponse, Response

from app.core.auth.authorizer import Authorizer
from app.core.auth.principals import Permission
from app.core.auth.rate_limits import RateLimits
from app.core.databases.opening import open_database
from app.core.http.app_state import AppState, set_state
from app.core.http.dispatch import Dispatch, Route
from app.core.http.middleware import ErrorAndLogMiddleware
from app.core.http.requests import MAX_PARAMETERS
from tests.conftest import client_of


class Filter(BaseModel):
    model_config = ConfigDict(extra="forbid")

    size: int = 1
    name: str | None = None


async def one(request: Request, key: str) -> Response:
    """One."""
    return PlainTextResponse(f"one {key}")


async def newest(request: Request) -> Response:
    """The newest."""
    return PlainTextResponse("newest")


async def inner(request: Request, key: str, part: str) -> Response:
    """Inside."""
    return PlainTextResponse(f"{key} and {part}")


async def some(request: Request, query: Annotated[Filter, Query()]) -> Response:
    """Some."""
    return PlainTextResponse(f"{query.size} {query.name}")


async def store(request: Request, body: Annotated[Filter, Body()]) -> Response:
    """Store."""
    return PlainTextResponse(f"stored {body.size}", 201)


async def elsewhere(request: Request) -> Response:
    """Elsewhere."""
    return PlainTextResponse("elsewhere")


def _open(path: str, endpoint: Any, **options: Any) -> Route:
    """A route that asks nothing of its callers."""
    return Route(path, endpoint, needs=Permission.PUBLIC, **options)


ROUTES = [
    _open("/things/{key}", one),
    _open("/things/newest", newest),
    _open("/things/{key}/parts/{part}", inner),
    _open("/things", some),
    _open("/things", store, methods=["POST"]),
    _open("/things/{key}/restore", one, methods=["POST"]),
]


@pytest.fixture(scope="module")
def client() -> httpx.AsyncClient:
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    database = open_database("sqlite:///never-opened.db")
    authorizer = Authorizer(database, RateLimits("", ""), public_reading=True)
    state = AppState(database=database, authorizer=authorizer, max_body=1000, max_import=1000)
    set_state(app, state)
    app.add_route("/elsewhere", elsewhere)
    app.add_middleware(Dispatch, routes=ROUTES)
    app.add_middleware(ErrorAndLogMiddleware)
    return client_of(app)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/things/7", "one 7"),
        ("/things/newest", "newest"),
        ("/things/newest-one", "one newest-one"),
        ("/things/a%20b", "one a b"),
        ("/things/%D1%91", "one ё"),
        ("/things/{key}", "one {key}"),
        ("/things/newest/parts/2", None),
        ("/things/1/parts/parts", "1 and parts"),
        ("/things", "1 None"),
        ("/things?size=2&name=%D1%91", "2 ё"),
        ("/elsewhere", "elsewhere"),
    ],
)
async def test_a_path_leads_to_its_route(
    client: httpx.AsyncClient, path: str, text: str | None
) -> None:
    answer = await client.get(path)
    # A literal step is not taken back: no route here begins with a key called "newest".
    assert (answer.status_code, answer.text) == (200, text) if text else answer.status_code == 404


@pytest.mark.parametrize(
    "path", ["/", "//", "/things/", "/things//parts/1", "/things/1/parts", "/other", "/things/1/x"]
)
async def test_what_is_not_found_falls_through(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path)).status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/things", "GET, HEAD, POST"),
        ("POST", "/things/1", "GET, HEAD"),
        ("GET", "/things/1/restore", "POST"),
        ("HEAD", "/things/1/restore", "POST"),
        ("OPTIONS", "/things/1", "GET, HEAD"),
    ],
)
async def test_a_wrong_method_is_told_the_right_ones(
    client: httpx.AsyncClient, method: str, path: str, allowed: str
) -> None:
    answer = await client.request(method, path)
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)


async def test_head_has_the_headers_of_get_and_no_content(client: httpx.AsyncClient) -> None:
    head, get = await client.head("/things/7"), await client.get("/things/7")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == get.headers["content-length"] == "5"


@pytest.mark.parametrize(
    "query", ["size=1&size=2", "colour=1", "size=x", "name=%00", "name=%FF", "name=\u00e9", "=1"]
)
async def test_a_wrong_query_is_refused(client: httpx.AsyncClient, query: str) -> None:
    assert (await client.get(f"/things?{query}")).status_code == (200 if "\u00e9" in query else 400)


async def test_a_route_without_parameters_takes_none(client: httpx.AsyncClient) -> None:
    assert (await client.get("/things/7?")).status_code == 200
    answer = await client.get("/things/7?size=1")
    assert [fault["parameter"] for fault in answer.json()["errors"]] == ["size"]


async def test_too_many_parameters_are_refused(client: httpx.AsyncClient) -> None:
    query = "&".join(f"a{n}=1" for n in range(MAX_PARAMETERS + 1))
    assert (await client.get(f"/things?{query}")).status_code == 400


async def test_a_body_over_the_limit_is_refused_however_it_is_sent(
    client: httpx.AsyncClient,
) -> None:
    headers = {"content-type": "application/json"}
    content = b'{"name": "%s"}' % (b"x" * 1000)

    async def in_chunks() -> object:
        for _ in range(3):
            yield b" " * 500

    for sent in (content, in_chunks()):
        answer = await client.post("/things", content=sent, headers=headers)  # type: ignore[arg-type]
        assert answer.status_code == 413
    assert (await client.post("/things", content=b"{}", headers=headers)).text == "stored 1"


def test_one_step_has_one_name() -> None:
    with pytest.raises(ValueError, match="calls this step otherwise"):
        Dispatch(FastAPI(), [Route("/a/{key}", one), Route("/a/{part}/{key}", inner)])
