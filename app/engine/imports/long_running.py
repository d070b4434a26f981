"""What keeps a long import from being a burden: to the collector, the session."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Final

from sqlalchemy import event
from sqlalchemy.orm import Session

#: How many of the records that rules have looked up are kept at hand.
_MAX_HELD_RECORDS: Final = 10_000
#: Held by the import that has the collector pass over what was there before it.
_keeping = Lock()
_is_kept_for_good = False


@contextmanager
def collecting_less() -> Iterator[None]:
    """Within, the garbage collector passes over what was there before: it would look through the
    whole application again and again for what the rows leave behind, a fifth of all the time."""
    if _is_kept_for_good or not _keeping.acquire(blocking=False):
        yield
        return
    try:
        _keep()
        yield
    finally:
        if not _is_kept_for_good:
            gc.unfreeze()
        _keeping.release()


def _keep() -> None:
    """Have the collector pass over what is there, if a server has not done so at its start, for
    good. To be told so is to have each object counted, which takes longer than a short import: once
    that is known it is not asked again."""
    global _is_kept_for_good
    _is_kept_for_good = gc.get_freeze_count() > 0
    if not _is_kept_for_good:
        gc.freeze()


class holding:  # noqa: N801 (reads as a function)
    """Within, the session keeps what it has looked up: its own map forgets what nobody uses."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.instances: list[object] = []

    def __enter__(self) -> None:
        event.listen(self.session, "loaded_as_persistent", self._hold)

    def __exit__(self, *_: object) -> None:
        event.remove(self.session, "loaded_as_persistent", self._hold)

    def _hold(self, session: Session, instance: object) -> None:
        if len(self.instances) >= _MAX_HELD_RECORDS:
            self.instances.clear()
        self.instances.append(instance)
