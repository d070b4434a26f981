"""The feed of all changes, as a reader follows it."""

from typing import Any

import httpx

from app.core import json_codec


async def read_from(client: httpx.AsyncClient, seq: int, limit: int = 1000) -> list[Any]:
    """The changes with a greater number, as far as one page goes."""
    answer = await client.get("/changes", params={"since": seq, "limit": limit})
    assert answer.status_code == 200, answer.text
    found: list[Any] = json_codec.loads(answer.content)["data"]
    return found


async def newest(client: httpx.AsyncClient) -> int:
    """The number of the newest change."""
    seq = 0
    while page := await read_from(client, seq):
        seq = page[-1]["seq"]
    return seq


class Reader:
    """Follows the feed by asking for what comes after the last change that it has read."""

    def __init__(self, client: httpx.AsyncClient, seq: int) -> None:
        self.client, self.seq = client, seq
        self.read: list[Any] = []

    async def poll(self, limit: int = 1000) -> int:
        page = await read_from(self.client, self.seq, limit)
        self.read += page
        self.seq = page[-1]["seq"] if page else self.seq
        return len(page)
