"""Reads that the service makes of itself, in the same process, for the caller of a request who was
let in already."""

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from starlette.requests import Request

from app.core.http.dispatch import Handler

#: What a read of the service itself has not: a body, conditions, and a moment, which the database
#: of the request is of already.
_NOT_KEPT = (
    "headers",
    "query_string",
    "query_left",
    "also_read",
    "path",
    "path_params",
    "raw_path",
)


async def read_own(
    request: Request,
    handler: Handler,
    path: str,
    pairs: Sequence[tuple[str, str]],
    steps: Mapping[str, str],
) -> bytes:
    """The JSON that the handler of a path such as `/missions/{key}/agreements` answers; raises the
    problem that is."""
    scope = {name: value for name, value in request.scope.items() if name not in _NOT_KEPT}
    scope |= {
        "method": "GET",
        "path": path.format(**steps),
        "path_params": dict(steps),
        "query_string": urlencode(pairs).encode(),
        "headers": [(b"accept", b"application/json")],
    }
    response = await handler(Request(scope))
    return bytes(response.body)
