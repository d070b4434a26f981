"""Turns of readers who ask for many charts at once, as a page of charts does: one after another.

Each chart is a question that can take long, and a place for such waits some seconds and no more. So
the charts of one reader wait for each other before they ask for a place.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.core.databases.places import reader
from app.core.errors import TooManyRequests

#: How many charts of one reader may wait: four times as many as there are.
MAX_WAITING = 44


class Turns:
    """The charts that are being made for each reader, or wait for that."""

    def __init__(self) -> None:
        self._waiting: dict[str, int] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    @asynccontextmanager
    async def taken(self) -> AsyncIterator[None]:
        """While it lasts no other chart is made for the reader; TooManyRequests (429) where too
        many wait already."""
        who = reader.get()
        if self._waiting.get(who, 0) > MAX_WAITING:
            text = f"{MAX_WAITING} charts of yours wait to be drawn: wait for some of them."
            raise TooManyRequests(text, headers={"Retry-After": "2"})
        self._waiting[who] = self._waiting.get(who, 0) + 1
        try:
            async with self._locks.setdefault(who, asyncio.Lock()):
                yield
        finally:
            self._waiting[who] -= 1
            if not self._waiting[who]:
                del self._waiting[who], self._locks[who]
