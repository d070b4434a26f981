"""Who writes and who may only read what is public, of one application."""

from typing import Any

import httpx


class Public:
    """Two clients of one application: one that writes, and one without a key."""

    def __init__(self, writer: httpx.AsyncClient, reader: httpx.AsyncClient) -> None:
        self.writer, self.reader = writer, reader

    async def create(self, path: str, **body: Any) -> Any:
        answer = await self.writer.post(f"/{path}", json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def change(self, path: str, record: Any, **body: Any) -> Any:
        answer = await self.writer.patch(f"/{path}/{record['id']}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def shown(self, path: str, record: Any) -> Any:
        """The record as the public sees it; None where it does not."""
        answer = await self.reader.get(f"/{path}/{record['id']}")
        return answer.json() if answer.status_code == 200 else None

    async def log(self, record: Any) -> list[Any]:
        """The changes of a record as the public is told of them."""
        answer = await self.reader.get(f"/changes?record_id={record['id']}")
        return [(each["action"], each["changes"]) for each in answer.json()["data"]]
