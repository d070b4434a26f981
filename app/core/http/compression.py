"""Answers compressed with gzip, for who asks for it in Accept-Encoding (RFC 9110, 12.5.3)."""

import asyncio
import zlib
from collections.abc import Awaitable
from functools import lru_cache, partial
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: From how many bytes on an answer is compressed, and from how many on in a thread.
MIN_BYTES: Final = 1024
THREAD_BYTES: Final = 64 * 1024
#: 80 MB of a table a second come out as 34.6 %; level 6, at 50 MB a second, leaves 34.2 %.
LEVEL: Final = 4
_GZIP_WINDOW: Final = 16 + zlib.MAX_WBITS
_JSON: Final = b"application/json"
#: What is not called text and yet is (RFC 6839 names the endings); workbooks and Parquet are
#: compressed as they are.
_TYPES: Final = {
    _JSON,
    b"application/x-ndjson",
    b"application/javascript",
    b"application/openmetrics-text",
    b"application/xml",
}
_ENDINGS: Final = (b"+json", b"+xml")
#: Events must arrive one by one.
_EVENTS: Final = b"text/event-stream"
#: A part of a file, and what has no body.
_UNCHANGED: Final = (204, 206, 304)

Header = tuple[bytes, bytes]
Headers = list[Header]


class Compression:
    """ASGI middleware that compresses answers. Who does not ask for it pays for a look at the
    names of the headers.

    Not compressed are answers to HEAD, which tell the length of the plain form, what is asked for
    in ranges of bytes, and what shows a secret: beside words that a stranger chooses, its length
    would betray it (the attack called BREACH).
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    # No coroutine of its own for who does not ask.
    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] == "http":
            for name, value in scope["headers"]:
                if name == b"accept-encoding":
                    if accepts_gzip(value) and scope["method"] != "HEAD":
                        return self._compress(scope, receive, send)
                    break
        return self.app(scope, receive, send)

    async def _compress(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = _Answer(scope, send)
        try:
            await self.app(scope, receive, answer.send)
        except Exception:
            await answer.cut_off()
            raise


@lru_cache(maxsize=256)
def accepts_gzip(accepted: bytes) -> bool:
    """Whether Accept-Encoding takes gzip, and does not prefer the plain form."""
    weights: dict[bytes, float] = {}
    for item in accepted.lower().split(b","):
        coding, *parameters = (part.strip() for part in item.split(b";"))
        weight = next((p[2:] for p in parameters if p.startswith(b"q=")), b"1")
        try:
            weights[coding.removeprefix(b"x-")] = float(weight)
        except ValueError:
            weights[coding] = 0.0
    wanted = weights.get(b"gzip", weights.get(b"*", 0.0))
    return 0 < wanted >= weights.get(b"identity", 0.0)


class _Answer:
    """One answer on its way, its start held back until it is known whether it is compressed."""

    __slots__ = ("_compressor", "_send", "_start", "scope")

    def __init__(self, scope: Scope, send: Send) -> None:
        self.scope, self._send = scope, send
        self._start: Message | None = None
        self._compressor: zlib._Compress | None = None

    async def send(self, message: Message) -> None:
        """Send the message, or what becomes of it."""
        if message["type"] == "http.response.start":
            if message["status"] == 304:
                _name_known(message, self.scope["headers"])
            elif self._is_compressible(message):
                self._start = message
                return
        elif message["type"] == "http.response.body":
            if self._start is not None:
                message = await self._begin(self._start, message)
            elif self._compressor is not None:
                message = await self._go_on(message)
                if not message["body"] and message.get("more_body"):
                    return
        await self._send(message)

    async def cut_off(self) -> None:
        """Send what was taken in, so that the last line, which may say what failed, arrives."""
        if self._start is not None:
            await self._send(self._start)
        elif self._compressor is not None:
            rest = self._compressor.flush(zlib.Z_SYNC_FLUSH)
            await self._send({"type": "http.response.body", "body": rest, "more_body": True})

    def _is_compressible(self, start: Message) -> bool:
        headers = dict(start["headers"])
        media = headers.get(b"content-type", b"").partition(b";")[0]
        if not _is_text(media):
            return False
        if start["status"] in _UNCHANGED or b"content-encoding" in headers:
            return False
        # What shows a secret must not be stored.
        if media == _JSON and headers.get(b"cache-control") == b"no-store":
            return False
        return all(name != b"range" for name, _ in self.scope["headers"])

    async def _begin(self, start: Message, message: Message) -> Message:
        """The first piece of the body, after the start was sent."""
        self._start = None
        is_whole = not message.get("more_body", False)
        if not is_whole or len(message.get("body", b"")) >= MIN_BYTES:
            self._compressor = zlib.compressobj(LEVEL, zlib.DEFLATED, _GZIP_WINDOW)
            message = await self._go_on(message)
            length = len(message["body"]) if is_whole else None
            is_read = self.scope["method"] == "GET"
            start["headers"] = _encoded(start["headers"], length, is_read=is_read)
        await self._send(start)
        return message

    async def _go_on(self, message: Message) -> Message:
        assert self._compressor is not None
        body: bytes = message.get("body", b"")
        is_whole = not message.get("more_body", False)
        work = partial(_compressed, self._compressor, body, is_whole=is_whole)
        found = await asyncio.to_thread(work) if len(body) > THREAD_BYTES else work()
        if is_whole:
            self._compressor = None
        return {**message, "body": found}


def _is_text(media: bytes) -> bool:
    if media.startswith(b"text/"):
        return media != _EVENTS
    return media in _TYPES or media.endswith(_ENDINGS)


def _compressed(compressor: "zlib._Compress", body: bytes, *, is_whole: bool) -> bytes:
    piece = compressor.compress(body)
    return piece + compressor.flush() if is_whole else piece


def _encoded(headers: Headers, length: int | None, *, is_read: bool) -> Headers:
    """The headers of the compressed form; of what is read it has an entity tag of its own (RFC
    9110, 8.8.3.3), which If-Match and If-None-Match take for the plain one's."""
    found: Headers = [(b"content-encoding", b"gzip")]
    is_varied = False
    for name, value in headers:
        if name in (b"content-length", b"accept-ranges"):
            continue
        if name == b"etag" and is_read and not value.startswith(b"W/"):
            value = _gzip_tag(value)
        is_varied = is_varied or (name == b"vary" and b"Accept-Encoding" in value)
        found.append((name, value))
    if length is not None:
        found.append((b"content-length", b"%d" % length))
    if not is_varied:
        found.append((b"vary", b"Accept-Encoding"))
    return found


def _gzip_tag(tag: bytes) -> bytes:
    """The strong entity tag of the compressed form."""
    return tag[:-1] + b'-gzip"'


def _name_known(start: Message, asked: Headers) -> None:
    """Let 304 name the form that the client has."""
    known = b",".join(value for name, value in asked if name == b"if-none-match")

    def named(name: bytes, value: bytes) -> Header:
        is_known = name == b"etag" and _gzip_tag(value) in known
        return (name, _gzip_tag(value) if is_known else value)

    start["headers"] = [named(*each) for each in start["headers"]]
