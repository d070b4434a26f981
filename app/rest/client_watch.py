"""Whether the client of a long request still waits for its answer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.requests import ClientDisconnect, Request

from app.core.http.requests import idempotency_key


class ClientWatch:
    """Knows whether a client has gone; threads ask it between the steps of their work."""

    def __init__(self) -> None:
        self.is_gone = False

    def check(self, *_: object) -> None:
        """Raise ClientDisconnect, which undoes what is not committed, once nobody waits for it."""
        if self.is_gone:
            raise ClientDisconnect


@asynccontextmanager
async def watched(request: Request) -> AsyncIterator[ClientWatch]:
    """A watch over the client of a request whose body has been read.

    One that sends an Idempotency-Key comes again for the answer, so its work is always wanted.
    """
    watch = ClientWatch()
    if idempotency_key(request) is not None:
        yield watch
        return
    waiting = asyncio.create_task(_wait(request, watch))
    try:
        yield watch
    finally:
        waiting.cancel()


async def _wait(request: Request, watch: ClientWatch) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
    watch.is_gone = True
