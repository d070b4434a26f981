"""What writes leave for the end of their transaction, where it is done for many of them at once."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.orm import Session

#: Does what was left, in the order in which it was left.
Run = Callable[[Connection, list[Any]], None]
#: How much of each kind was left at a moment.
Mark = dict[Run, int]


class Deferred:
    """What one write has left; `earlier` is what those before it in its transaction have."""

    def __init__(self, earlier: "Deferred | None" = None) -> None:
        self.items: dict[Run, list[Any]] = {}
        self.earlier = earlier
        #: Whether this write has done what the earlier ones left.
        self.earlier_done = False

    def mark(self) -> Mark:
        """What was left by now, for `forget`."""
        return {run: len(items) for run, items in self.items.items()}

    def forget(self, mark: Mark) -> None:
        """Forget what was left since: it was undone."""
        for run, items in self.items.items():
            del items[mark.get(run, 0) :]

    def complete(self, connection: Connection) -> None:
        """Do all that was left by now."""
        if self.earlier is not None and not self.earlier_done:
            self.earlier.run(connection)
            self.earlier_done = True
        self.run(connection)
        self.items = {}

    def run(self, connection: Connection) -> None:
        """Do what this write left."""
        for run, items in self.items.items():
            if items:
                run(connection, items)

    def take_over(self, later: "Deferred") -> None:
        """Have what a later write left that is not undone any more."""
        if later.earlier_done:
            self.items = {}
        for run, items in later.items.items():
            self.items.setdefault(run, []).extend(items)


def deferred_of(session: Session) -> Deferred:
    """What the session's write has left."""
    found: Deferred | None = session.info.get("deferred")
    if found is None:
        found = session.info["deferred"] = Deferred()
    return found


def defer(session: Session, run: Run, item: Any) -> None:
    """Leave something for the end of the transaction.

    What it stores is seen from then on. Whoever must see it before calls `complete`.
    """
    deferred_of(session).items.setdefault(run, []).append(item)


def complete(session: Session) -> None:
    """Do at once what was left for the end of the transaction, by earlier writes of it too; not
    within a savepoint that is younger than what was left."""
    deferred_of(session).complete(session.connection())
