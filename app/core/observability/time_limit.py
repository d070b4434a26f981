"""Waiting for a database for so long and no longer."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

#: Whoever watches over a service waits for a few seconds and then takes a slow answer for none.
PATIENCE = 2.0


async def patiently(reading: Coroutine[Any, Any, T]) -> T:
    """What the reading gives; TimeoutError after `PATIENCE` seconds, whatever it does then.

    Not `asyncio.timeout`: a driver that is told to stop waits for the server once more.
    """
    task = asyncio.ensure_future(reading)
    done, _ = await asyncio.wait([task], timeout=PATIENCE)
    if done:
        return task.result()
    task.add_done_callback(_forget)
    task.cancel()
    raise TimeoutError(f"no answer within {PATIENCE:g} seconds")


def _forget(task: "asyncio.Future[Any]") -> None:
    if not task.cancelled():
        task.exception()
