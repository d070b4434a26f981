"""Places for slow reads: few for each caller, and a turn for everybody."""

import asyncio
from collections import Counter

import pytest

from app.core.databases import places
from app.core.databases.places import MAX_WAITING, Places, reader
from app.core.errors import TooManyRequests, Unavailable


async def take(held: Places, caller: str, until: asyncio.Event, taken: list[str]) -> None:
    reader.set(caller)
    async with held.taken():
        taken.append(caller)
        await until.wait()


def start(
    held: Places, caller: str, taken: list[str]
) -> tuple["asyncio.Task[None]", asyncio.Event]:
    end = asyncio.Event()
    return asyncio.create_task(take(held, caller, end, taken)), end


async def test_a_caller_has_few_places_however_many_are_free() -> None:
    held, taken = Places(4, 2), list[str]()
    tasks = [start(held, "stranger", taken) for _ in range(5)]
    await asyncio.sleep(0)
    assert (len(taken), held.waiting) == (2, 3)
    other = start(held, "another", taken)
    await asyncio.sleep(0)
    assert taken[-1] == "another"
    for task, end in (*tasks, other):
        end.set()
        await task
    assert len(taken) == 6
    assert (held.running, held.waiting) == (Counter(), 0)


async def test_who_waits_has_a_turn_in_rounds() -> None:
    held, taken = Places(1, 1), list[str]()
    tasks = []
    for caller in ("a", "a", "a", "b", "c", "b"):
        tasks.append(start(held, caller, taken))
        await asyncio.sleep(0)
    for _, end in tasks:
        end.set()
    await asyncio.gather(*(task for task, _ in tasks))
    assert taken == ["a", "a", "b", "c", "a", "b"]


async def test_the_service_itself_has_all_places_but_one() -> None:
    held, taken = Places(3, 1), list[str]()
    tasks = [start(held, "", taken) for _ in range(4)]
    await asyncio.sleep(0)
    assert taken == ["", ""]
    tasks.append(start(held, "another", taken))
    await asyncio.sleep(0)
    assert taken == ["", "", "another"]
    for task, end in tasks:
        end.set()
        await task


async def test_who_has_too_many_waiting_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    held, taken = Places(2, 1), list[str]()
    tasks = [start(held, "stranger", taken) for _ in range(MAX_WAITING + 1)]
    await asyncio.sleep(0)
    with pytest.raises(TooManyRequests) as told:
        await asyncio.create_task(take(held, "stranger", asyncio.Event(), taken))
    assert told.value.headers["Retry-After"]
    monkeypatch.setattr(places, "PLACE_TIMEOUT_SECONDS", 0.01)
    for task, _ in tasks:
        task.cancel()
    await asyncio.gather(*(task for task, _ in tasks), return_exceptions=True)
    assert (held.running, held.waiting) == (Counter(), 0)


async def test_what_is_waited_for_too_long_is_told_by_whose_doing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(places, "PLACE_TIMEOUT_SECONDS", 0.01)
    held, taken = Places(2, 1), list[str]()
    first = start(held, "a", taken)
    await asyncio.sleep(0)
    with pytest.raises(TooManyRequests):
        await asyncio.create_task(take(held, "a", asyncio.Event(), taken))
    second = start(held, "b", taken)
    await asyncio.sleep(0)
    with pytest.raises(Unavailable):
        await asyncio.create_task(take(held, "c", asyncio.Event(), taken))
    for task, end in (first, second):
        end.set()
        await task
    assert (held.running, held.waiting) == (Counter(), 0)


async def test_a_place_that_is_given_to_one_who_has_just_gone_goes_on_to_the_next() -> None:
    held, taken = Places(1, 1), list[str]()
    first = start(held, "a", taken)
    gone, last = start(held, "b", taken), start(held, "c", taken)
    await asyncio.sleep(0)
    first[1].set()
    await asyncio.sleep(0)
    gone[0].cancel()
    await first[0]
    last[1].set()
    await last[0]
    assert taken == ["a", "c"]
    assert (held.running, held.waiting) == (Counter(), 0)
