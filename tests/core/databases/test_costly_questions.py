"""Costly questions have few places, whoever asks them; the rest is kept for what is quick."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from app.core.databases import places, question_costs
from app.core.databases.interface import CompiledQuery
from app.core.databases.places import Places, reader
from app.core.databases.question_costs import Cost, QuestionCosts, question_of
from app.core.errors import Unavailable
from tests.waiting import until


@pytest.fixture(autouse=True)
def soon_costly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever waits for anything is costly."""
    monkeypatch.setattr(places, "QUICK_SECONDS", 0.01)


async def _at_once() -> str:
    return "quick"


def ask(
    held: Places, caller: str, question: str, answer: Callable[[], Awaitable[object]]
) -> "asyncio.Task[object]":
    async def work() -> object:
        reader.set(caller)
        return await held.answer(question, answer)

    return asyncio.create_task(work())


async def end(*tasks: "asyncio.Task[object]") -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_what_is_quick_is_answered_however_many_ask_what_is_costly() -> None:
    held, free = Places(3, 2, 2), asyncio.Event()
    costly = [ask(held, f"stranger {n}", f"costly {n}", free.wait) for n in range(24)]
    await until(lambda: held.running_of[Cost.HIGH] == 2 and held.waiting == 22)
    for n in range(4):
        assert await ask(held, f"another {n}", f"quick {n}", _at_once) == "quick"
    assert not any(task.done() for task in costly)
    free.set()
    assert await asyncio.gather(*costly) == [True] * 24
    assert (held.running.total(), {*held.running_of.values()}, held.waiting) == (0, {0}, 0)


async def test_what_is_costly_finds_a_place_however_many_ask_what_is_quick() -> None:
    held, free = Places(3, 3, 2), asyncio.Event()
    for _ in range(2):
        held.costs.note("quick", is_costly=False)
    held.costs.note("costly", is_costly=True)
    quick = [ask(held, f"somebody {n}", "quick", free.wait) for n in range(9)]
    await asyncio.sleep(0)
    assert held.running.total() == 2
    assert await ask(held, "another", "costly", _at_once) == "quick"
    await end(*quick)


async def test_a_question_that_becomes_costly_goes_on_where_there_is_a_place_for_it() -> None:
    held, free, asked = Places(3, 2, 1), asyncio.Event(), list[str]()

    def once(name: str) -> Callable[[], Awaitable[object]]:
        def work() -> Awaitable[object]:
            asked.append(name)
            return free.wait()

        return work

    tasks = [ask(held, name, name, once(name)) for name in "ab"]
    # The other one waits at first too, until the place of what is not known is free.
    await until(lambda: asked == ["a", "b"])
    await until(lambda: held.running_of[Cost.HIGH] == 1 and held.waiting == 1)
    free.set()
    assert await asyncio.gather(*tasks) == [True, True]
    # The other one was given up, and asked anew.
    assert asked == ["a", "b", "b"]


async def test_who_waits_to_ask_what_has_become_costly_waits_among_the_costly() -> None:
    held, free = Places(3, 2, 2), asyncio.Event()
    costly = [ask(held, f"stranger {n}", "the same", free.wait) for n in range(24)]
    await until(lambda: held.running_of[Cost.HIGH] == 2)
    assert await ask(held, "another", "new", _at_once) == "quick"
    assert held.waiting == 22
    free.set()
    assert await asyncio.gather(*costly) == [True] * 24


async def test_a_caller_has_several_costly_places_only_while_no_other_waits_for_one() -> None:
    held, free, asked = Places(3, 2, 2), asyncio.Event(), list[str]()

    def noting(name: str) -> Callable[[], Awaitable[object]]:
        def work() -> Awaitable[object]:
            asked.append(name)
            return free.wait()

        return work

    for name in ("costly too", *(f"costly {n}" for n in range(10))):
        held.costs.note(name, is_costly=True)
    many = [ask(held, "stranger", f"costly {n}", noting(f"costly {n}")) for n in range(10)]
    await until(lambda: held.running_of[Cost.HIGH] == 2 and held.waiting == 8)
    before = len(asked)
    other = ask(held, "another", "costly too", noting("another"))
    await until(lambda: held.running["another"] == 1 and held.running_of[Cost.HIGH] == 2)
    assert held.running["stranger"] == 1
    assert asked[before:] == ["another"]
    free.set()
    assert await asyncio.gather(other, *many) == [True] * 11
    assert (held.running.total(), {*held.running_of.values()}, held.waiting) == (0, {0}, 0)


async def test_what_was_quick_lately_has_its_turn_before_what_is_not_known() -> None:
    held, free, answered = Places(1, 1), asyncio.Event(), list[str]()
    held.costs.note("quick", is_costly=False)
    held.costs.note("costly", is_costly=True)

    def noting(name: str) -> Callable[[], Awaitable[object]]:
        async def work() -> None:
            answered.append(name)

        return work

    first = ask(held, "a", "first", free.wait)
    await asyncio.sleep(0)
    names = ("costly", "new", "quick")
    waiting = [ask(held, name, name, noting(name)) for name in names]
    await until(lambda: held.waiting == 3)
    free.set()
    await asyncio.gather(first, *waiting)
    assert answered == ["quick", "new", "costly"]


async def test_a_costly_question_without_a_place_in_time_is_told_to_come_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(places, "PLACE_TIMEOUT_SECONDS", 0.01)
    held, free = Places(3, 2, 1), asyncio.Event()
    first = ask(held, "a", "costly", free.wait)
    await until(lambda: held.running_of[Cost.HIGH] == 1)
    with pytest.raises(Unavailable) as refusal:
        await ask(held, "b", "costly", free.wait)
    assert refusal.value.headers["Retry-After"]
    await end(first)


async def test_errors_and_ends_leave_no_place_taken() -> None:
    held = Places(3, 2, 1)

    async def failing() -> None:
        raise TimeoutError("the driver's")

    with pytest.raises(TimeoutError, match="the driver's"):
        await ask(held, "a", "fails", failing)
    left = [ask(held, f"{n}", f"{n}", asyncio.Event().wait) for n in range(5)]
    await until(lambda: held.waiting == 4)
    await end(*left)
    assert (held.running.total(), {*held.running_of.values()}, held.waiting) == (0, {0}, 0)


def test_what_was_costly_is_tried_again_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    costs = QuestionCosts()
    assert costs.cost_of("new") is Cost.UNKNOWN
    costs.note("list", is_costly=True)
    assert costs.cost_of("list") is Cost.HIGH
    costs.note("list", is_costly=False)
    assert costs.cost_of("list") is Cost.LOW
    monkeypatch.setattr(question_costs, "COSTLY_SECONDS", -1.0)
    costs.note("list", is_costly=True)
    assert costs.cost_of("list") is Cost.UNKNOWN


def test_the_questions_that_were_asked_last_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(question_costs, "MAX_QUESTIONS", 2)
    costs = QuestionCosts()
    for name in ("a", "b", "a", "c"):
        costs.note(name, is_costly=False)
    assert [costs.cost_of(name) for name in "abc"] == [Cost.LOW, Cost.UNKNOWN, Cost.LOW]


def test_a_deep_offset_makes_a_list_no_costly_one() -> None:
    statement = CompiledQuery("SELECT", (), (), {})
    first, deep, deeper = ({"offset": offset} for offset in (0, 9000, 9001))
    assert question_of(statement, first) == question_of(statement, {})
    assert question_of(statement, deep) == question_of(statement, deeper)
    assert question_of(statement, first) != question_of(statement, deep)
