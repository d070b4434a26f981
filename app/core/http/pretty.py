"""JSON for people: indented where `?pretty` asks for it, and for a browser's window."""

import asyncio
import re
from collections.abc import Awaitable
from urllib.parse import unquote_to_bytes

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.errors import BadRequest, Fault

#: From how many bytes on an answer is indented in a thread, and up to how many at all.
_MANY_BYTES, _MOST_BYTES = 64 * 1024, 16 * 1024 * 1024
_JSON = (b"application/json", b"application/problem+json")
#: What programs send that do not say what they take.
_ANYTHING = (b"accept", b"*/*")
_ASKED = {b"": True, b"true": True, b"false": False}
#: A text or a number, whole; something empty; or what opens, closes or separates.
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|\s*([{\[])\s*([}\]])?\s*|\s*([}\]])|\s*(,)\s*|\s*(:)\s*')


def indented(body: bytes) -> bytes:
    """The same JSON with a line for each value. Nothing is parsed, so that every digit stays."""
    depth = 0

    def put(found: re.Match[bytes]) -> bytes:
        nonlocal depth
        opening, empty, closing, comma, colon = found.groups()
        if opening and empty:
            return opening + empty
        if opening:
            depth += 1
            return opening + b"\n" + b"  " * depth
        if closing:
            depth -= 1
            return b"\n" + b"  " * depth + closing
        if comma:
            return b",\n" + b"  " * depth
        return b": " if colon else found[0]

    return _TOKEN.sub(put, body.strip()) + b"\n"


class Readable:
    """ASGI middleware that indents JSON where it is asked for: by `?pretty`, or by an Accept that
    names HTML, as browsers send it for what is typed into them.

    The parameter is taken out of the address, so that every operation has it. Other requests pay
    for a look at their address and at one header.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    # No coroutine of its own: most requests pass here with nothing to be done.
    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if (
            scope["type"] == "http"
            and (b"pretty" in scope["query_string"] or _ANYTHING not in scope["headers"])
            and _wanted(scope)
        ):
            # Whoever answers problems finds it here.
            scope["readable"] = True
            send = _indenting(send, is_read=scope["method"] in ("GET", "HEAD"))
        return self.app(scope, receive, send)


def _wanted(scope: Scope) -> bool:
    query: bytes = scope["query_string"]
    if b"pretty" in query and (asked := _parameter(scope, query)) is not None:
        return asked
    for name, value in scope["headers"]:
        if name == b"accept":
            return b"text/html" in value and b"application/json" not in value
    return False


def _parameter(scope: Scope, query: bytes) -> bool | None:
    """What `pretty` says, and the address without it; BadRequest for what it cannot say."""
    pairs = query.split(b"&")
    values = [pair.partition(b"=")[2] for pair in pairs if pair.partition(b"=")[0] == b"pretty"]
    if not values:
        return None
    value = unquote_to_bytes(values[0])
    if len(values) > 1 or value not in _ASKED:
        # For this answer too somebody meant to read.
        scope["readable"] = True
        text = "Write pretty=true for JSON with line breaks, or pretty=false; once."
        raise BadRequest(f"pretty: {text}", [Fault("value", text, parameter="pretty")])
    kept = [pair for pair in pairs if pair.partition(b"=")[0] != b"pretty"]
    scope["query_string"] = b"&".join(kept)
    return _ASKED[value]


def _indenting(send: Send, *, is_read: bool) -> Send:
    """A send that holds the start of a JSON answer back until it has its whole body."""
    start: Message | None = None

    async def send_indented(message: Message) -> None:
        nonlocal start
        if message["type"] == "http.response.start" and _is_plain_json(message):
            start = message
            return
        if start is not None:
            first, start = start, None
            body = message.get("body", b"")
            if body and not message.get("more_body") and len(body) < _MOST_BYTES:
                large = len(body) > _MANY_BYTES
                body = await asyncio.to_thread(indented, body) if large else indented(body)
                message = {**message, "body": body}
                first["headers"] = _headers(first, len(body), is_read=is_read)
            elif not body:
                # HEAD: how long the body would be is not known.
                first["headers"] = _headers(first, None, is_read=is_read)
            await send(first)
        await send(message)

    return send_indented


def _is_plain_json(message: Message) -> bool:
    headers = dict(message.get("headers", ()))
    media = headers.get(b"content-type", b"").partition(b";")[0]
    return media in _JSON and b"content-encoding" not in headers


def _headers(start: Message, length: int | None, *, is_read: bool) -> list[tuple[bytes, bytes]]:
    """The headers with another length; the entity tag of what is read, which would tell its bytes
    apart, becomes weak."""
    found = []
    for name, value in start["headers"]:
        if name == b"content-length":
            if length is None:
                continue
            value = b"%d" % length
        if is_read and name == b"etag" and not value.startswith(b"W/"):
            value = b"W/" + value
        found.append((name, value))
    return found
