"""When the interpreter looks for garbage, in which time nothing else of the process runs."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """Within, nobody looks for garbage: what is made is large and stays, so that looking through it
    again and again, half a second each time, would find nothing."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
