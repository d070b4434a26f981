"""Memory that is free goes back to the system: the C library keeps it, for each thread by itself.

After an export of 100,000 records a process has 20 MB of it. Only glibc is told: others have no
such calls, and other systems other ways.
"""

import asyncio
import os
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ctypes

#: How many threads' memory is kept apart. What they take is mostly freed by another one, and only
#: one of them runs at a time.
ARENAS = 2
#: How often it is looked at, and how much more than the least there was is let be.
TRIM_SECONDS = 10.0
SLACK_BYTES = 4 * 1024 * 1024

_M_ARENA_MAX = -8
_MEMORY = Path("/proc/self/statm")


@cache
def _library() -> "ctypes.CDLL | None":
    if not sys.platform.startswith("linux"):
        return None
    import ctypes

    found = ctypes.CDLL(None)
    return found if hasattr(found, "malloc_trim") and hasattr(found, "mallopt") else None


def bound_arenas() -> None:
    """Let threads that are started from now on share memory."""
    if (library := _library()) is not None:
        library.mallopt(_M_ARENA_MAX, ARENAS)


def resident_bytes() -> int:
    """How much of its memory the process has in use or keeps."""
    return int(_MEMORY.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def give_back_forever() -> None:
    """Give back what is free, from time to time."""
    library = _library()
    if library is None:
        return
    trim: Callable[[int], int] = library.malloc_trim
    least = resident_bytes()
    while True:
        await asyncio.sleep(TRIM_SECONDS)
        if resident_bytes() > least + SLACK_BYTES:
            # It takes two milliseconds, in which nobody has to wait.
            await asyncio.to_thread(trim, 0)
            least = min(least, resident_bytes())
