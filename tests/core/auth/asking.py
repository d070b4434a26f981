"""Requests as they reach the application, byte by byte: nothing in between tidies them up."""

import asyncio
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from starlette.types import ASGIApp, Message

Headers = Iterable[tuple[str, str | bytes]]


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        """The header with this name, in small letters, its lines as one (RFC 9110, 5.3); None when
        there is none."""
        return ", ".join(value for own, value in self.headers if own == name) or None

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def detail(self) -> str:
        """What a problem says."""
        assert self.header("content-type") == "application/problem+json", self.body[:200]
        return str(self.json()["detail"])


def bearer(secret: str) -> dict[str, str]:
    return {"authorization": f"Bearer {secret}"}


async def ask(
    app: ASGIApp,
    target: str,
    *,
    method: str = "GET",
    headers: Headers | dict[str, str] = (),
    body: Any = None,
    client: str = "127.0.0.1",
    root_path: str = "",
) -> Answer:
    """Send one request; `body` is sent as JSON."""
    pairs = headers.items() if isinstance(headers, dict) else headers
    raw = [(b"host", b"test")]
    raw += [
        (n.lower().encode(), v.encode("latin-1") if isinstance(v, str) else v) for n, v in pairs
    ]
    content = b"" if body is None else json.dumps(body).encode()
    if body is not None:
        raw += [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(content))]
    path, _, query = target.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": root_path + unquote(path),
        "raw_path": (root_path + path).encode(),
        "query_string": query.encode(),
        "root_path": root_path,
        "headers": raw,
        "client": (client, 50_000),
        "server": ("test", 80),
    }
    sent: list[Message] = []
    unread = [content]

    async def receive() -> Message:
        if unread:
            return {"type": "http.request", "body": unread.pop(), "more_body": False}
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    told = [(name.decode(), value.decode("latin-1")) for name, value in sent[0]["headers"]]
    return Answer(sent[0]["status"], told, b"".join(part.get("body", b"") for part in sent[1:]))
