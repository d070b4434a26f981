"""The documentation: the OpenAPI document, its page without the internet, and what each problem
means."""

import asyncio
import gzip
from dataclasses import dataclass
from hashlib import sha256
from html import escape
from importlib.resources import files
from string import Template

import orjson
from fastapi import FastAPI
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles

from app.core import json_codec
from app.core.errors import PROBLEMS, BadRequest, Fault, NotFound, Problem, did_you_mean
from app.core.garbage import uncollected
from app.core.http.compression import accepts_gzip
from app.core.http.conditional import is_known, not_modified, weakened
from app.core.http.openapi import with_decimals_as_texts
from app.core.http.requests import parameters
from app.core.http.security_headers import page_headers
from app.core.loose_types import Json, Value
from app.core.public_path import public_root

_STYLE = "body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:3rem auto;padding:0 1rem}"


@dataclass(frozen=True, slots=True)
class _Served:
    """The document as it is sent: its bytes, the same compressed, and what names both."""

    plain: bytes
    compressed: bytes
    digest: str


#: The document for clients that always ask for decimals as texts.
_TEXTS = b"decimal=string"


def _made(app: FastAPI, root: str) -> _Served:
    with uncollected():
        document = app.openapi()
        # Its bytes are kept; as objects it would take 8 MB more.
        app.openapi_schema = None
        return _served(document | {"servers": [{"url": root}]} if root else document)


def _with_texts(made: _Served) -> _Served:
    return _served(with_decimals_as_texts(orjson.loads(made.plain)))


def _served(document: Json) -> _Served:
    plain = json_codec.dumps(document)
    return _Served(plain, gzip.compress(plain, mtime=0), sha256(plain).hexdigest()[:32])


def add_document(app: FastAPI) -> None:
    """Serve `/openapi.json`, made when first asked for and then kept."""
    made: dict[tuple[bytes, str], _Served] = {}
    making = asyncio.Lock()

    async def document(request: Request) -> Response:
        asked, root = request.scope["query_string"], public_root()
        if asked not in (b"", _TEXTS):
            raise _wrong_question(asked)
        async with making:
            if (b"", root) not in made:
                # It takes seconds, in which the loop goes on serving others.
                made[b"", root] = await asyncio.to_thread(_made, app, root)
            if (asked, root) not in made:
                made[asked, root] = await asyncio.to_thread(_with_texts, made[b"", root])
        served = made[asked, root]
        compressed = accepts_gzip(request.headers.get("accept-encoding", "").encode("latin-1"))
        tag = f'"{served.digest}-gzip"' if compressed else f'"{served.digest}"'
        headers = {"ETag": tag, "Vary": "Accept, Accept-Encoding", "Cache-Control": "no-cache"}
        if is_known(request, tag):
            return not_modified(tag, headers)
        if compressed:
            headers["Content-Encoding"] = "gzip"
        content = served.compressed if compressed else served.plain
        return Response(content, headers=headers, media_type="application/json")

    app.router.add_route("/openapi.json", document, include_in_schema=False)


def _wrong_question(asked: bytes) -> BadRequest:
    """The 400 of parameters that the document does not have."""
    name = next((name for name, _ in parameters(asked) if name != "decimal"), "decimal")
    right = f"ask for the document as it is, or with {_TEXTS.decode()}, once."
    if name == "decimal":
        text = f"{right[:1].upper()}{right[1:]}"
        return BadRequest(f"{name}: {text}", [Fault("value", text, parameter=name)])
    text = f"There is no parameter {name!r} here: {right}"
    return BadRequest(f"{name}: {text}", [Fault("unknown", text, parameter=name)])


def add_docs(app: FastAPI) -> None:
    """Serve `/docs` with files of our own, and `/problems/…`."""
    add_document(app)

    made = _swagger(app.title)
    policy = page_headers(made)

    async def docs(request: Request) -> Response:
        return HTMLResponse(made, headers=policy)

    async def problems(request: Request) -> Response:
        items = "".join(
            f'<li><a href="problems/{kind.slug()}">{kind.status} {escape(kind.title)}</a></li>'
            for kind in PROBLEMS
        )
        return _page("Problems", f"<p>Every error is one of these (RFC 9457):</p><ul>{items}</ul>")

    async def problem(request: Request) -> Response:
        kind = _kind(request.path_params["slug"])
        text = f"<p>Status {kind.status}.</p><p>{escape(kind.about)}</p>"
        return _page(kind.title, text + '<p><a href="../docs">Documentation</a></p>', up="../")

    app.router.add_route("/docs", docs, include_in_schema=False)
    app.router.add_route("/problems", problems, include_in_schema=False)
    app.router.add_route("/problems/{slug}", problem, include_in_schema=False)
    assets = str(files("fastapi_swagger").joinpath("resources"))
    app.mount("/docs/assets", _Assets(directory=assets), name="docs-assets")


class _Assets(StaticFiles):
    """Files whose entity tags are known in their compressed form too."""

    def file_response(self, *args: Value, **options: Value) -> Response:
        response = super().file_response(*args, **options)
        response.headers["Vary"] = "Accept-Encoding"
        return response

    def is_not_modified(self, response_headers: Headers, request_headers: Headers) -> bool:
        known = request_headers.get("if-none-match")
        if known is None:
            return super().is_not_modified(response_headers, request_headers)
        return response_headers["etag"] in {weakened(tag.strip()) for tag in known.split(",")}


def _swagger(title: str) -> str:
    """The page; its addresses are relative, so that they are found behind a proxy's prefix."""
    page = (files("app.core.http") / "docs_page.html").read_text("utf-8")
    return Template(page).substitute(title=escape(title))


def _page(title: str, body: str, up: str = "") -> HTMLResponse:
    head = f"<!doctype html><html lang=en><meta charset=utf-8><title>{escape(title)}</title>"
    icon = f'<link rel=icon href="{up}docs/assets/favicon-32x32.png">'
    page = f"{head}{icon}<style>{_STYLE}</style><h1>{escape(title)}</h1>{body}"
    return HTMLResponse(page, headers=page_headers(page))


def _kind(slug: str) -> type[Problem]:
    kinds = {kind.slug(): kind for kind in PROBLEMS}
    if slug not in kinds:
        raise NotFound(f"There is no kind of problem {slug!r}.{did_you_mean(slug, kinds)}")
    return kinds[slug]
