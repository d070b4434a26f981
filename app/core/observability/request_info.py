"""What a request is called: its id, its trace, and the route that it takes."""

import os
import re
from collections.abc import Iterable

from starlette.types import Scope

Headers = Iterable[tuple[bytes, bytes]]

_ID = re.compile(rb"[A-Za-z0-9._-]{1,128}")
#: W3C Trace Context: version, trace, parent and flags; a later version may say more after that.
_TRACEPARENT = re.compile(rb"(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}(-.*)?")

#: Pages that no Route stands for.
_PAGES = {path: path for path in ("/", "/docs", "/guide", "/openapi.json", "/problems")}
_PAGES_BELOW = {
    "/docs/assets/": "/docs/assets/{file}",
    "/problems/": "/problems/{slug}",
}
_METHODS = frozenset(("GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"))


def request_id_of(headers: Headers) -> str:
    """The X-Request-ID of the client where it is at most 128 of `A-Za-z0-9._-`, else a new one."""
    for name, value in headers:
        if name == b"x-request-id" and _ID.fullmatch(value):
            return value.decode()
    return os.urandom(16).hex()


def trace_id_of(scope: Scope) -> str | None:
    """The trace that the request is part of: ours, or the one that `traceparent` names."""
    known: str | None = scope.get("trace_id")
    if known is not None:
        return known
    for name, value in scope["headers"]:
        if name == b"traceparent" and (found := _TRACEPARENT.fullmatch(value)):
            trace = found[1].decode()
            return trace if trace.strip("0") else None
    return None


def route_of(scope: Scope) -> str:
    """The template of the request's path; one of few words whatever a client asks for."""
    route: str | None = scope.get("route_path")
    if route is not None:
        return route
    path: str = scope["path"]
    if path in _PAGES:
        return path
    return next(
        (page for start, page in _PAGES_BELOW.items() if path.startswith(start)), "unmatched"
    )


def method_of(scope: Scope) -> str:
    """The method, or `OTHER`: a client may invent any word."""
    method: str = scope["method"]
    return method if method in _METHODS else "OTHER"
