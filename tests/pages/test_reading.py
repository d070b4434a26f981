"""What pages ask for is asked once, however many look at them, until anything is stored."""

import asyncio

import httpx
import pytest
from fastapi import FastAPI
from starlette.requests import Request

from app.core.errors import NotFound
from app.rest.kept_answers import kept_answer


def _request(app: FastAPI) -> Request:
    return Request({"type": "http", "app": app, "headers": [], "method": "GET"})


class Counted:
    """Makes a text slowly, and counts how often."""

    def __init__(self) -> None:
        self.times = 0
        self.begun = asyncio.Event()

    async def make(self) -> str:
        self.times += 1
        self.begun.set()
        await asyncio.sleep(0.01)
        return "made"

    async def fail(self) -> str:
        self.times += 1
        raise NotFound("There is none.")


async def test_many_at_once_ask_once_and_anew_after_a_write(
    client: httpx.AsyncClient, shared_app: FastAPI
) -> None:
    counted = Counted()

    async def look() -> str:
        return await kept_answer(_request(shared_app), ("a",), (), counted.make)

    assert await asyncio.gather(*(look() for _ in range(20))) == ["made"] * 20
    await look()
    assert counted.times == 1
    await client.post("/people", json={"full_name": "Somebody"})
    await look()
    assert counted.times == 2


async def test_who_goes_away_does_not_take_it_from_the_others(shared_app: FastAPI) -> None:
    counted = Counted()
    tasks = [
        asyncio.create_task(kept_answer(_request(shared_app), ("b",), (), counted.make))
        for _ in range(3)
    ]
    await counted.begun.wait()
    tasks[0].cancel()
    assert await asyncio.gather(*tasks[1:]) == ["made", "made"]


async def test_a_problem_is_not_kept_and_neither_is_what_is_counted_from_now(
    shared_app: FastAPI,
) -> None:
    counted = Counted()
    for _ in range(2):
        with pytest.raises(NotFound):
            await kept_answer(_request(shared_app), ("c",), (), counted.fail)
    assert counted.times == 2
    for _ in range(2):
        pairs = (("created_at__gte", "-2h"),)
        await kept_answer(_request(shared_app), ("d",), pairs, counted.make)
    assert counted.times == 4
