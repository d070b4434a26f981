"""The path below which a proxy shows the service: `root_path`, as ASGI calls it."""

import re
from collections.abc import Awaitable, Iterable
from urllib.parse import urljoin

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.public_path import below, without_root

Header = tuple[bytes, bytes]

#: Where an address begins in a Link header (RFC 8288).
_LINKED = re.compile(rb"((?:^|, )<)(?=/)")


class RootPath:
    """ASGI middleware, the outermost: inside, addresses are the same wherever the service is shown,
    and those that answers hold begin with `root_path`. The server has put it in front of the path;
    a proxy may take it away before that, or not.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    # No coroutine of its own where there is none.
    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope.get("root_path") and "path" in scope:
            return self._below(scope, receive, send)
        return self.app(scope, receive, send)

    async def _below(self, scope: Scope, receive: Receive, send: Send) -> None:
        root = scope["root_path"].rstrip("/")
        path = scope["path"].removeprefix(scope["root_path"])
        path = without_root(path if path.startswith("/") else f"/{path}", root)
        # Who counts and logs what is answered looks at the same scope.
        scope["root_path"], scope["path"] = "", path

        async def send_public(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = _public(message.get("headers", ()), path, root.encode())
            await send(message)

        with below(root):
            await self.app(scope, receive, send_public)


def _public(headers: Iterable[Header], path: str, root: bytes) -> list[Header]:
    found = []
    for name, value in headers:
        if name == b"location":
            # One may be relative, to an address that has lost its last slash on the way.
            value = urljoin(path, value.decode("latin-1")).encode("latin-1")
            value = root + value if value.startswith(b"/") else value
        elif name == b"link":
            value = _LINKED.sub(rb"\1" + root, value)
        found.append((name, value))
    return found
