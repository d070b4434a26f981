"""How often a caller may ask: limits per key or token, and per address for everybody else."""

from dataclasses import dataclass
from math import ceil
from time import monotonic
from typing import Self

from app.core.access.callers import ANONYMOUS, Caller
from app.core.errors import TooManyRequests

_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
#: How many callers are remembered before those are forgotten whose whole quota is back.
_MANY = 10_000


@dataclass(frozen=True, slots=True)
class _Rate:
    """So many requests in so many seconds; `name` is what the headers call the limit."""

    name: str
    text: str
    amount: int
    seconds: int
    policy: bytes

    @classmethod
    def read(cls, name: str, text: str) -> Self | None:
        """The rate as the settings write it: `600/minute`; None for an empty text."""
        if not text:
            return None
        number, _, unit = text.partition("/")
        amount, seconds = int(number), _SECONDS[unit]
        return cls(name, text, amount, seconds, f'"{name}";q={amount};w={seconds}'.encode())


class RateLimits:
    """Counts the requests of this process, by the generic cell rate algorithm (ITU-T I.371).

    A quota can be used at once and comes back evenly. Of each caller one number is kept: when the
    whole quota will be back. Headers are those of draft-ietf-httpapi-ratelimit-headers:
    `RateLimit-Policy` tells the quota and its seconds, `RateLimit` what is left and in how many
    seconds all is back.
    """

    def __init__(self, per_address: str, per_caller: str) -> None:
        self._per_address = _Rate.read("address", per_address)
        self._per_caller = _Rate.read("caller", per_caller)
        self._whole_at: dict[tuple[str, str], float] = {}
        self._many = _MANY

    def count(self, caller: Caller, address: str) -> list[tuple[bytes, bytes]]:
        """Count one request, and the headers to answer with; TooManyRequests (429) beyond."""
        anonymous = caller is ANONYMOUS
        rate = self._per_address if anonymous else self._per_caller
        if rate is None:
            return []
        key, now = (rate.name, address if anonymous else caller.name), monotonic()
        used = max(self._whole_at.get(key, now) - now, 0.0) + rate.seconds / rate.amount
        over = used - rate.seconds
        # A millionth of a second is what is lost in adding up fractions.
        if over > 1e-6:
            raise _refusal(rate, over, used)
        if len(self._whole_at) >= self._many:
            self._forget(now)
        self._whole_at[key] = now + used
        left = int((rate.seconds - used) * rate.amount / rate.seconds + 1e-6)
        told = b'"%b";r=%d;t=%d' % (rate.name.encode(), left, ceil(used))
        return [(b"ratelimit-policy", rate.policy), (b"ratelimit", told)]

    def _forget(self, now: float) -> None:
        """Forget whose whole quota is back; again when twice as many are there as are left, so
        that under a flood of addresses not every request pays for all of them."""
        self._whole_at = {key: at for key, at in self._whole_at.items() if at > now}
        self._many = max(_MANY, 2 * len(self._whole_at))


def _refusal(rate: _Rate, over: float, used: float) -> TooManyRequests:
    wait = max(1, ceil(over))
    more = " A key has a limit of its own." if rate.name == "address" else ""
    return TooManyRequests(
        f"More than {rate.text} from this {rate.name}; go on in {wait} s.{more}",
        headers={
            "RateLimit-Policy": rate.policy.decode(),
            "RateLimit": f'"{rate.name}";r=0;t={ceil(used)}',
            "Retry-After": str(wait),
        },
    )
