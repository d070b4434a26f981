"""Answers: JSON that is finished already, and how the problems of an operation are documented."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from app.core import jsontext
from app.core.errors import PROBLEM_TYPE, InternalError, Problem, Unavailable

PROBLEM_SCHEMA = {"$ref": "#/components/schemas/Problem"}


class Json(Response):
    """An answer whose body is JSON in UTF-8 already."""

    media_type = "application/json"

    def __init__(
        self, body: bytes, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> None:
        # Starlette's own constructor guesses encodings and types; here all of it is known.
        self.status_code = status
        self.body = body
        self.background = None
        self.raw_headers = [
            (b"content-length", b"%d" % len(body)),
            (b"content-type", b"application/json"),
        ]
        for name, value in (headers or {}).items():
            self.raw_headers.append((name.lower().encode(), value.encode("latin-1")))


def page_of(
    request: Request, rows: list[str], limit: int, offset: int, total: int | None = None
) -> Response:
    """Rows of JSON, read to one beyond the limit, as a page with its Link header (RFC 8288)."""
    more = len(rows) > limit
    page = {"limit": limit, "offset": offset, "has_next": more, "total": total}
    body = f'{{"data":[{",".join(rows[:limit])}],"page":'.encode() + jsontext.dumps(page) + b"}"
    links = []
    if more:
        links.append(_link(request, offset + limit, "next"))
    if offset:
        links.append(_link(request, max(0, offset - limit), "prev"))
    return Json(body, headers={"Link": ", ".join(links)} if links else {})


def _link(request: Request, offset: int, relation: str) -> str:
    sent = [(n, v) for n, v in request.query_params.multi_items() if n != "offset"]
    return f'<{request.url.path}?{urlencode([*sent, ("offset", offset)])}>; rel="{relation}"'


def problems(*kinds: type[Problem]) -> dict[int | str, dict[str, Any]]:
    """OpenAPI responses for these problems, and for those that any operation can have."""
    all_kinds: tuple[type[Problem], ...] = (*kinds, InternalError, Unavailable)
    return {
        kind.status: {
            "description": f"{kind.title}. {kind.about}",
            "content": {PROBLEM_TYPE: {"schema": PROBLEM_SCHEMA}},
        }
        for kind in all_kinds
    }
