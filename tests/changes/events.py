"""A reader of Server-sent events, by the letter of WHATWG HTML, section 9.2.6."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx


class Events:
    """The events of a stream, and what of it is none."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self.last_id = ""
        self.comments = 0
        self.retry: int | None = None
        self._lines = response.aiter_lines()

    @property
    def last_seq(self) -> int:
        """The number of the change that was told last."""
        return int(self.last_id.partition("-")[0])

    async def blocks(self) -> AsyncIterator[tuple[str, str]]:
        """The type and data of each event; of what has no data, `("", "")`."""
        kind = ""
        data: list[str] = []
        async for line in self._lines:
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if not line:
                yield (kind or "message", "\n".join(data)) if data else ("", "")
                kind, data = "", []
            elif not name:
                self.comments += 1
            elif name == "id":
                self.last_id = value
            elif name == "event":
                kind = value
            elif name == "data":
                data.append(value)
            elif name == "retry":
                self.retry = int(value)

    async def changes(self) -> AsyncIterator[dict[str, Any]]:
        """The changes, each with the id of its event judged."""
        async for kind, data in self.blocks():
            if kind:
                assert kind == "change"
                change = json.loads(data)
                assert change["position"] == self.last_id
                yield change

    async def take(self, count: int) -> list[dict[str, Any]]:
        """The next changes."""
        found: list[dict[str, Any]] = []
        async for change in self.changes():
            found.append(change)
            if len(found) == count:
                break
        assert len(found) == count, "the stream has ended"
        return found


@asynccontextmanager
async def listening(
    client: httpx.AsyncClient, last_id: int | str | None = None, **params: Any
) -> AsyncIterator[Events]:
    """A stream that is open; it is where it begins once it is entered."""
    headers = {"Accept": "text/event-stream"}
    if last_id is not None:
        headers["Last-Event-ID"] = str(last_id)
    async with client.stream("GET", "/changes/stream", params=params, headers=headers) as response:
        assert response.status_code == 200, await response.aread()
        events = Events(response)
        async for _ in events.blocks():
            break
        yield events
