"""Tests wait for what will hold, however busy the machine is, and fail when it never does."""

import asyncio
import time
from collections.abc import Callable

PATIENCE_SECONDS = 60
_PAUSE_SECONDS = 0.01


def wait_until(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, f"it does not come to hold in {PATIENCE_SECONDS} s"
        time.sleep(_PAUSE_SECONDS)


async def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds, while other tasks go on."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not holds():  # noqa: ASYNC110 (what is waited for sets no event)
            await asyncio.sleep(_PAUSE_SECONDS)
