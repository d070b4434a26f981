"""How often a caller may ask: limits per key or token, and per address for everybody else."""

import time
from math import floor

from app.core.auth.principals import ANONYMOUS, Principal
from app.core.errors import TooManyRequests

_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
#: How many callers are counted at a time: with more, all begin anew, as memory is finite.
MAX_COUNTED = 100_000


class RateLimits:
    """Counts the requests of this process; limits are written `600/minute`, empty for none.

    Headers are those of draft-ietf-httpapi-ratelimit-headers: `RateLimit-Policy` tells the quota
    and its seconds, `RateLimit` how much is left and in how many seconds there is more.
    """

    def __init__(self, per_address: str, per_caller: str) -> None:
        self._address = _Limit("address", per_address) if per_address else None
        self._caller = _Limit("caller", per_caller) if per_caller else None

    def count(self, caller: Principal, address: str) -> list[tuple[bytes, bytes]]:
        """Count one request, and the headers to answer with; TooManyRequests (429) beyond."""
        if caller is ANONYMOUS:
            return [] if self._address is None else self._address.count(address)
        return [] if self._caller is None else self._caller.count(caller.name)


class _Limit:
    """So many requests in so many seconds of each caller, by a sliding window counter: requests of
    the last window count by the part of it that is still within the time.

    Our own, because the library for it takes ten times as long for each request, and longer the
    more callers there are.
    """

    def __init__(self, name: str, text: str) -> None:
        amount, _, self.unit = text.partition("/")
        self.name, self.amount, self.seconds = name, int(amount), _SECONDS[self.unit]
        self.policy = f'"{name}";q={amount};w={self.seconds}'.encode()
        self._window = 0
        #: By caller: the window of their last request, the requests in it, those in the one before.
        self._counts: dict[str, tuple[int, int, int]] = {}

    def count(self, who: str) -> list[tuple[bytes, bytes]]:
        """Count one request of theirs; TooManyRequests when it is one too many."""
        window, passed = divmod(time.monotonic() / self.seconds, 1)
        within = 1 - passed
        if window != self._window or len(self._counts) >= MAX_COUNTED:
            self._turn(int(window))
        at, count, before = self._counts.get(who, (window, 0, 0))
        if at != window:
            count, before = 0, count
        left = self.amount - floor(before * within + count) - 1
        if left < 0:
            raise self._refusal(self._wait(count, before, within))
        self._counts[who] = (int(window), count + 1, before)
        header = b'"%s";r=%d;t=%d' % (self.name.encode(), left, int(within * self.seconds) + 1)
        return [(b"ratelimit-policy", self.policy), (b"ratelimit", header)]

    def _wait(self, count: int, before: int, within: float) -> int:
        """In how many whole seconds one more request is allowed."""
        full = count >= self.amount
        # Until the next window begins; or until less of the last one counts.
        part = within if full else within - (self.amount - count) / before
        # A little more, as fractions of seconds are not exact.
        return int(part * self.seconds + 0.001) + 1

    def _turn(self, window: int) -> None:
        """Forget who has not asked since the last window."""
        old, self._counts = self._counts, {}
        self._window = window
        if len(old) < MAX_COUNTED:
            self._counts = {who: count for who, count in old.items() if count[0] >= window - 1}

    def _refusal(self, wait: int) -> TooManyRequests:
        text = f"More than {self.amount} requests in a {self.unit} from this {self.name}; go on in"
        text += f" {wait} s." + (" A key has a limit of its own." if self.name == "address" else "")
        left = f'"{self.name}";r=0;t={wait}'
        headers = {"RateLimit-Policy": self.policy.decode(), "RateLimit": left}
        return TooManyRequests(text, headers=headers | {"Retry-After": str(wait)})
