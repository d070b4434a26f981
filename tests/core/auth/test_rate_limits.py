"""How often somebody may ask, and how they are told."""

import asyncio
import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import FastAPI

from app.core.auth import rate_limits
from app.core.auth.principals import ANONYMOUS, Principal, Scope
from app.core.auth.rate_limits import RateLimits
from app.core.errors import TooManyRequests
from app.settings import Settings
from tests.core.auth.asking import Answer, ask, bearer
from tests.core.auth.opened import key_of, opened


@pytest.fixture
def app(public_app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> FastAPI:
    """An application that has just begun to count, and allows little."""
    monkeypatch.setattr(public_app.state.authorizer, "limits", RateLimits("3/minute", "5/minute"))
    return public_app


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Sets the time that limits see."""
    at = [1_000_000.0]
    monkeypatch.setattr(rate_limits, "time", SimpleNamespace(monotonic=lambda: at[0]))

    def pass_(seconds: float) -> None:
        at[0] += seconds

    return pass_


def told(answer: Answer) -> list[str | None]:
    return [answer.header(n) for n in ("ratelimit-policy", "ratelimit", "retry-after")]


def left_in(told: list[tuple[bytes, bytes]]) -> int:
    """What a header says is left."""
    return int(dict(told)[b"ratelimit"].split(b";r=")[1].split(b";")[0])


def ask_until_refused(counting: RateLimits, who: Principal, address: str = "a") -> tuple[int, int]:
    """How many requests were allowed, and when the next one is."""
    for allowed in range(1000):
        try:
            counting.count(who, address)
        except TooManyRequests as problem:
            return allowed, int(str(problem.headers["Retry-After"]))
    raise AssertionError


# Over HTTP


async def test_each_answer_tells_what_is_left(app: FastAPI) -> None:
    for left in (2, 1, 0):
        answer = await ask(app, "/missions?limit=1")
        policy, rate, retry = told(answer)
        assert answer.status == 200
        assert policy == '"address";q=3;w=60'
        assert rate is not None
        assert rate.startswith(f'"address";r={left};t=')
        assert 1 <= int(rate.rpartition("=")[2]) <= 60
        assert retry is None


async def test_one_more_is_a_429_that_says_when_to_go_on(app: FastAPI) -> None:
    for _ in range(3):
        await ask(app, "/missions?limit=1")
    answer = await ask(app, "/missions?limit=1")
    assert answer.status == 429
    policy, rate, retry = told(answer)
    assert retry is not None
    assert 1 <= int(retry) <= 60
    assert (policy, rate) == ('"address";q=3;w=60', f'"address";r=0;t={retry}')
    assert answer.detail == (
        f"More than 3 requests in a minute from this address; go on in {retry} s."
        " A key has a limit of its own."
    )


@pytest.mark.parametrize(
    ("target", "status"),
    [("/missions/no-such", 404), ("/missions?nothing=1", 400), ("/metrics", 401)],
)
async def test_problems_are_counted_and_tell_it_too(app: FastAPI, target: str, status: int) -> None:
    for left in (2, 1, 0):
        answer = await ask(app, target)
        assert answer.status == status
        assert str(answer.header("ratelimit")).startswith(f'"address";r={left};')
    assert (await ask(app, target)).status == 429


async def test_a_key_has_a_limit_of_its_own(app: FastAPI) -> None:
    keys = [await key_of(app, f"limited {n}") for n in range(2)]
    for _ in range(4):
        await ask(app, "/missions?limit=1")
    for key in keys:
        for left in (4, 3, 2, 1, 0):
            answer = await ask(app, "/missions?limit=1", headers=bearer(key))
            assert told(answer)[0] == '"caller";q=5;w=60'
            assert str(told(answer)[1]).startswith(f'"caller";r={left};')
        answer = await ask(app, "/missions?limit=1", headers=bearer(key), client="10.9.9.9")
        assert answer.status == 429
        assert "from this caller" in answer.detail


@pytest.mark.parametrize(
    "wrong",
    [
        {"headers": {"authorization": "Bearer garbage"}},
        {"headers": {"authorization": "Basic é"}},
        {"headers": {"authorization": "Bearer tmd_aaaaaaaa_" + "a" * 43}},
        {"headers": [("authorization", "Bearer a"), ("authorization", "Bearer b")]},
    ],
)
async def test_wrong_keys_are_counted_for_the_address(app: FastAPI, wrong: dict[str, Any]) -> None:
    statuses = [(await ask(app, "/missions", **wrong)).status for _ in range(4)]
    assert statuses[3] == 429
    assert set(statuses[:3]) <= {400, 401}
    assert (await ask(app, "/missions")).status == 429


async def test_a_key_that_may_not_do_it_is_counted(app: FastAPI) -> None:
    key = await key_of(app, "may not", Scope.READ)
    asked = [await ask(app, f"/missions?api_key={key}") for _ in range(4)]
    assert [answer.status for answer in asked] == [403, 403, 403, 429]
    asked = [
        await ask(app, "/people", method="POST", body={}, headers=bearer(key)) for _ in range(6)
    ]
    assert [answer.status for answer in asked] == [403] * 5 + [429]


async def test_health_and_pages_are_not_counted(app: FastAPI) -> None:
    for path in ("/health/live", "/health/ready", "/docs", "/problems", "/", "/nowhere"):
        for _ in range(5):
            answer = await ask(app, path)
            assert answer.status in (200, 307, 404)
            assert told(answer) == [None, None, None]
    assert (await ask(app, "/missions")).status == 200


async def test_whoever_waits_as_long_as_told_may_go_on(access_url: str) -> None:
    async with opened(access_url, rate_limit="3/second") as app:
        for _ in range(2):
            while (answer := await ask(app, "/missions?limit=1")).status != 429:
                pass
            await asyncio.sleep(int(str(answer.header("retry-after"))))
            assert (await ask(app, "/missions?limit=1")).status == 200


async def test_without_a_limit_there_are_no_headers(public_app: FastAPI) -> None:
    answer = await ask(public_app, "/missions?limit=1")
    assert told(answer) == [None, None, None]


# The counting


@pytest.mark.parametrize("amount", [1, 2, 3, 7, 60])
@pytest.mark.parametrize("unit", ["second", "minute", "hour", "day"])
def test_the_wait_is_long_enough_and_not_much_longer(
    clock: Callable[[float], None], amount: int, unit: str
) -> None:
    counting = RateLimits("", f"{amount}/{unit}")
    caller = Principal("x")
    seconds = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}[unit]
    for _ in range(20):
        allowed, wait = ask_until_refused(counting, caller)
        assert allowed >= 1
        assert wait <= seconds + 1
        before = max(wait - 2, 0)
        clock(before)
        assert ask_until_refused(counting, caller)[0] == 0
        clock(wait - before)


@pytest.mark.parametrize("amount", [1, 3, 10])
def test_no_more_than_twice_the_amount_passes_in_any_span(
    clock: Callable[[float], None], amount: int
) -> None:
    counting = RateLimits("", f"{amount}/minute")
    passed = []
    for second in range(600):
        allowed, _ = ask_until_refused(counting, Principal("x"))
        passed.append(allowed)
        assert sum(passed[max(0, second - 59) :]) <= 2 * amount
        clock(1)
    assert math.isclose(sum(passed), amount * 10, rel_tol=0.35)


def test_after_a_rest_all_of_it_is_there_again(clock: Callable[[float], None]) -> None:
    counting = RateLimits("", "5/minute")
    for _ in range(3):
        assert ask_until_refused(counting, Principal("x"))[0] == 5
        clock(121)
    assert left_in(counting.count(Principal("x"), "a")) == 4


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("10.0.0.1", "10.0.0.2", False),
        ("10.0.0.1", "::ffff:10.0.0.1", True),
        ("::ffff:10.0.0.1", "::ffff:10.0.0.2", False),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("2001:db8::1", "2001:db8::2", True),
        ("2001:db8::1", "2001:db8:0:0:5:6:7:8", True),
        ("2001:db8::5:6:7:8", "2001:db8::9:6:7:8", True),
        ("2001:db8:1::1", "2001:db8:1:0:1:1:1:1", True),
        ("2001:DB8:1:2::1", "2001:db8:1:2::2", True),
        ("::1", "::2", True),
        ("fe80::1%eth0", "fe80::2%eth0", True),
        ("not:an:address:at:all", "not:an:address:at:most", False),
    ],
)
async def test_a_subscriber_is_one_address(
    public_app: FastAPI, one: str, other: str, alike: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of IPv6 everybody has 64 bits to choose from."""
    monkeypatch.setattr(public_app.state.authorizer, "limits", RateLimits("1/day", ""))
    assert (await ask(public_app, "/missions?limit=1", client=one)).status == 200
    again = await ask(public_app, "/missions?limit=1", client=other)
    assert again.status == (429 if alike else 200)


def test_memory_is_finite_however_many_ask(
    clock: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate_limits, "MAX_COUNTED", 100)
    counting = RateLimits("5/minute", "")
    for n in range(1000):
        counting.count(ANONYMOUS, str(n))
        assert len(counting._address._counts) <= 100  # type: ignore[union-attr]
    clock(121)
    counting.count(ANONYMOUS, "x")
    assert len(counting._address._counts) == 1  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "text",
    ["many", "0/minute", "-1/minute", "5", "5/", "/minute", "5/week", "5 / minute", "1.5/day"],
)
@pytest.mark.parametrize("name", ["rate_limit", "rate_limit_key"])
def test_a_limit_that_is_none_is_refused(name: str, text: str) -> None:
    with pytest.raises(ValueError, match=name):
        Settings(**{name: text})  # type: ignore[arg-type]
