"""Turns of readers who ask for much at once: what each of them asks for is made one after another.

What takes long has few places, and a place for it waits some seconds and no more. So what one
reader asks for waits for itself before it looks for a place, and holds up nobody else.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.core.databases.places import reader
from app.core.errors import TooManyRequests

_Key = tuple[asyncio.AbstractEventLoop, str]


class ReaderTurns:
    """What is being made for each reader, or waits for that: `most` at a time, of which whoever
    asks for more is told `wait`."""

    def __init__(self, most: int, wait: str) -> None:
        self._most, self._told = most, f"{most} {wait}: wait for some of them."
        self._waiting: dict[_Key, int] = {}
        self._locks: dict[_Key, asyncio.Lock] = {}

    @asynccontextmanager
    async def taken(self) -> AsyncIterator[None]:
        """While it lasts nothing else is made for the reader; TooManyRequests (429) where too much
        waits already."""
        who = asyncio.get_running_loop(), reader.get()
        if self._waiting.get(who, 0) > self._most:
            raise TooManyRequests(self._told, headers={"Retry-After": "2"})
        self._waiting[who] = self._waiting.get(who, 0) + 1
        try:
            async with self._locks.setdefault(who, asyncio.Lock()):
                yield
        finally:
            self._waiting[who] -= 1
            if not self._waiting[who]:
                del self._waiting[who], self._locks[who]
