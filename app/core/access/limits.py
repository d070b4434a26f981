"""How often a caller may ask: limits per key or token, and per address for everybody else."""

from time import time

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from app.core.access.callers import ANONYMOUS, Caller
from app.core.errors import TooManyRequests


class RateLimits:
    """Counts the requests of this process; limits are written `600/minute`, empty for none.

    Headers are those of draft-ietf-httpapi-ratelimit-headers: `RateLimit-Policy` tells the quota
    and its seconds, `RateLimit` what is left and in how many seconds it is whole again.
    """

    def __init__(self, per_address: str, per_caller: str) -> None:
        self._counts = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._limits = {"address": _limit(per_address), "caller": _limit(per_caller)}

    def count(self, caller: Caller, address: str) -> list[tuple[bytes, bytes]]:
        """Count one request, and the headers to answer with; TooManyRequests (429) beyond."""
        name, who = ("address", address) if caller is ANONYMOUS else ("caller", caller.name)
        limit = self._limits[name]
        if limit is None:
            return []
        allowed = self._counts.hit(limit, name, who)
        window = self._counts.get_window_stats(limit, name, who)
        wait = max(1, round(window.reset_time - time()))
        policy = f'"{name}";q={limit.amount};w={limit.get_expiry()}'
        left = f'"{name}";r={max(0, window.remaining)};t={wait}'
        if allowed:
            return [(b"ratelimit-policy", policy.encode()), (b"ratelimit", left.encode())]
        told = {"RateLimit-Policy": policy, "RateLimit": left, "Retry-After": str(wait)}
        raise TooManyRequests(
            f"More than {limit} from this {name}; go on in {wait} s."
            + (" A key has a limit of its own." if name == "address" else ""),
            headers=told,
        )


def _limit(text: str) -> RateLimitItem | None:
    return parse(text) if text else None
