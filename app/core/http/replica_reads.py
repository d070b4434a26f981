"""Lets requests that read be read from a replica of the database."""

from starlette.types import ASGIApp, Receive, Scope, Send

from app.core.databases.replica import ReadRouting, read_routing


class ReplicaReads:
    """ASGI middleware: lets requests that read be read from the replica."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        reads = scope["type"] == "http" and scope["method"] in ("GET", "HEAD")
        read_routing.set(ReadRouting(scope, None if reads else True))
        await self.app(scope, receive, send)
