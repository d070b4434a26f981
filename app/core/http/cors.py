"""Calls from pages of other origins (the Fetch standard's CORS), for those that are configured."""

from uuid import uuid4

from fastapi import FastAPI
from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.core.errors import PROBLEM_TYPE, BadRequest

_SENT = (
    "Accept",
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "If-Match",
    "If-None-Match",
    "Last-Event-ID",
    "OData-MaxVersion",
    "OData-Version",
    "Prefer",
    "X-CSRF-Token",
    "X-Request-ID",
)
_TOLD = (
    "Affected-Parts",
    "Content-Disposition",
    "Dry-Run",
    "ETag",
    "Groups-In-All",
    "Idempotency-Replayed",
    "Left-Out",
    "Link",
    "Location",
    "Missing-Values",
    "OData-Version",
    "Preference-Applied",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "Withheld-Records",
    "Withheld-Values",
    "X-Request-ID",
)


class _Preflight(CORSMiddleware):
    """Refuses what a page asks beforehand by a problem, as everything else is refused."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope) if scope["type"] == "http" else Headers()
        asked = "origin" in headers and "access-control-request-method" in headers
        if not asked or scope["method"] != "OPTIONS":
            await super().__call__(scope, receive, send)
            return
        answer = self.preflight_response(headers)
        if answer.status_code != 200:
            request_id = uuid4().hex
            body = _refusal(self, headers).body(scope["path"], request_id)
            kept = {name: value for name, value in answer.headers.items() if name not in _OF_BODY}
            kept["X-Request-ID"] = request_id
            answer = Response(body, 400, kept, PROBLEM_TYPE)
        await answer(scope, receive, send)


_OF_BODY = ("content-length", "content-type")


def _refusal(cors: CORSMiddleware, headers: Headers) -> BadRequest:
    if not cors.is_allowed_origin(headers["origin"]):
        return BadRequest("Pages of this origin may not call: whoever runs the service can let it.")
    if headers["access-control-request-method"] not in cors.allow_methods:
        return BadRequest(f"Pages may call with {', '.join(cors.allow_methods)} alone.")
    return BadRequest(f"Of headers, pages may send {', '.join(_SENT)} alone.")


def add_cors(app: FastAPI, origins: list[str]) -> None:
    """Let pages of these origins call, errors included; cookies are never taken."""
    # Added after ErrorAndLogMiddleware it stands around it, so that problems reach such pages too.
    app.add_middleware(
        _Preflight,
        allow_origins=origins,
        allow_methods=["GET", "HEAD", "POST", "PATCH", "PUT", "DELETE"],
        allow_headers=_SENT,
        expose_headers=_TOLD,
        max_age=600,
    )
