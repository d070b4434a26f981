"""An application of this process whose webhooks may go to receivers of the tests."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from tests.conftest import client_of
from tests.keys import BEARER
from tests.webhooks.server import make
from tests.webhooks.servers import eventually

#: Retries that follow each other at once.
QUICK: dict[str, Any] = {
    "private": True,
    "schedule": [0.05] * 5,
    "pace": 0.2,
    "idle": 0.2,
    "timeout": 10,
}


@asynccontextmanager
async def hooked(url: str, **rules: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an application on the database, whose webhooks keep these rules."""
    app = make(url, {"streams": {}, "webhooks": {**QUICK, **rules}})
    async with app.router.lifespan_context(app), client_of(app) as client:
        client.headers.update(BEARER)
        yield client


async def create(client: httpx.AsyncClient, url: str, **fields: Any) -> dict[str, Any]:
    """A new webhook, with its secret."""
    answer = await client.post("/webhooks", json={"name": "A test", "url": url, **fields})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def deliveries(client: httpx.AsyncClient, webhook: dict[str, Any], **query: Any) -> list[Any]:
    """The webhook's deliveries, newest change first."""
    answer = await client.get(f"/webhooks/{webhook['id']}/deliveries", params=query)
    assert answer.status_code == 200, answer.text
    found: list[Any] = answer.json()["data"]
    return found


async def settled(client: httpx.AsyncClient, webhook: dict[str, Any], count: int) -> list[Any]:
    """The webhook's deliveries, once there are so many and none is pending."""
    return await eventually(
        lambda: deliveries(client, webhook, limit=1000),
        lambda found: len(found) >= count and all(one["state"] != "pending" for one in found),
    )


async def shown(client: httpx.AsyncClient, webhook: dict[str, Any]) -> dict[str, Any]:
    """The webhook as it is now."""
    answer = await client.get(f"/webhooks/{webhook['id']}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found
