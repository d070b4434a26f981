"""A server gives back the memory that it has freed."""

import subprocess
import sys

import pytest

#: In a process of its own: another one has free memory of before, of which this would be taken.
PROGRAM = """
import asyncio
from app.core.server import memory

async def main():
    memory.TRIM_SECONDS = 0.01
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

asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="Only glibc is told, which is Linux's.")
def test_memory_that_was_freed_is_given_back() -> None:
    ended = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
