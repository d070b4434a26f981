"""Who gives way when many connections are open: one address for others, what is done for new."""

from collections.abc import Iterable
from typing import Protocol, TypeVar

from uvicorn.middleware.proxy_headers import _TrustedHosts

from app.core.server.protocol_limits import Limits
from app.core.subscribers import subscriber_of


class Connection(Protocol):
    """What is known here of a connection."""

    active_at: float
    #: Whose it is; None for one whose address says nothing of its client.
    owner: str | None

    def is_idle(self) -> bool: ...

    def is_drained(self) -> bool: ...

    def shutdown(self) -> None: ...


C = TypeVar("C", bound=Connection)


class Owners:
    """How many connections of this process each address holds."""

    def __init__(self, limits: Limits) -> None:
        self.most = limits.connections_per_address
        self._trusted = _TrustedHosts(limits.proxies)
        self._counts: dict[str, int] = {}

    def add(self, client: tuple[str, int] | None) -> str | None:
        """Count a connection; its owner, None where a proxy stands between it and its client."""
        if client is None or client[0] in self._trusted:
            return None
        owner = subscriber_of(client[0])
        self._counts[owner] = self._counts.get(owner, 0) + 1
        return owner

    def remove(self, owner: str) -> None:
        """One of its connections is gone."""
        self._counts[owner] -= 1
        if not self._counts[owner]:
            del self._counts[owner]

    def is_crowded(self, owner: str | None) -> bool:
        """Whether the owner holds more than it may."""
        return owner is not None and self._counts[owner] > self.most


def first_to_go(connections: Iterable[C], owner: str | None = None) -> C | None:
    """The connection, of the owner if one is given, that is open for nothing but what is thrown
    away; or else has done nothing for the longest time since it was answered; None where all are
    at work."""
    theirs = [each for each in connections if owner in (None, each.owner)]
    done = [each for each in theirs if each.is_drained()]
    done = done or [each for each in theirs if each.is_idle()]
    return min(done, key=lambda each: each.active_at, default=None)
