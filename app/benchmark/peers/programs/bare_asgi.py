"""The least that an ASGI application can do: one answer of constant bytes."""

from typing import Any

BODY = b'{"text": "' + b"x" * 1012 + b'"}'
_START = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", b"application/json"), (b"content-length", b"1024")],
}
_BODY = {"type": "http.response.body", "body": BODY}


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer; the lifespan is not for it."""
    if scope["type"] == "http":
        await send(_START)
        await send(_BODY)
