"""A server gives back the memory that it has freed."""

import asyncio
import sys

import pytest

from app.core.server import memory


@pytest.mark.skipif(sys.platform != "linux", reason="Only glibc is told, which is Linux's.")
async def test_memory_that_was_freed_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "TRIM_SECONDS", 0.01)
    giving = asyncio.create_task(memory.give_back_forever())
    await asyncio.sleep(0)
    before = memory.resident_bytes()
    # Larger than what Python itself keeps, smaller than what the system is asked for each time.
    taken = [bytes(4000) for _ in range(8000)]
    last = bytes(4000)
    assert memory.resident_bytes() > before + 24_000_000
    del taken
    for _ in range(500):
        if memory.resident_bytes() < before + 8_000_000:
            break
        await asyncio.sleep(0.01)
    giving.cancel()
    assert memory.resident_bytes() < before + 8_000_000
    assert len(last) == 4000
