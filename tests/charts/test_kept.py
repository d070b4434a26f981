"""Charts that were drawn already, and those of one reader who asks for many at once."""

import asyncio

import httpx
import pytest
from fastapi import FastAPI
from starlette.requests import Request

from app.charts.gallery import CHARTS
from app.core.databases.places import reader
from app.core.databases.reader_turns import ReaderTurns
from app.core.errors import TooManyRequests
from app.core.http.app_state import state_of
from app.rest import kept_answers
from app.rest.handlers import position_of
from app.rest.kept_answers import Kept, kept_of


async def test_a_chart_is_drawn_once_and_its_figures_serve_every_language(
    fresh: httpx.AsyncClient, fresh_app: FastAPI
) -> None:
    request = Request({"type": "http", "app": fresh_app})
    kept = kept_of(state_of(request).database, await position_of(request))
    for chart in CHARTS:
        address = f"/charts/{chart.name}.svg"
        first = (await fresh.get(address)).text
        before = set(kept.answers)
        assert before
        assert (await fresh.get(address)).text == first
        assert set(kept.answers) == before, chart.name
        await fresh.get(f"{address}?lang=ru")
        # One picture more, and no figures.
        assert len(set(kept.answers) - before) == 1, chart.name


async def test_what_is_kept_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_answers, "MAX_KEPT_CHARACTERS", 80)
    monkeypatch.setattr(kept_answers, "MAX_CHARACTERS_OF_ONE", 10)
    kept = Kept("1-a")
    for at in range(100):
        kept.keep((at,), "x" * (at % 12))
    assert kept.characters == sum(map(len, kept.answers.values())) <= 80
    assert kept.find((99,)) is not None
    assert kept.find((0,)) is None
    assert all(len(each) <= 10 for each in kept.answers.values())


async def test_one_reader_s_charts_are_made_one_after_another_and_hold_nobody_else_up() -> None:
    turns, under_way, most, ended = (
        ReaderTurns(11, "charts of yours wait"),
        set[str](),
        dict[str, int](),
        list[str](),
    )

    async def draw(who: str, seconds: float) -> None:
        reader.set(who)
        async with turns.taken():
            name = f"{who} {id(asyncio.current_task())}"
            under_way.add(name)
            most[who] = max(most.get(who, 0), sum(each.startswith(who) for each in under_way))
            await asyncio.sleep(seconds)
            under_way.remove(name)
        ended.append(who)

    drawn = [asyncio.create_task(draw("many", 0.01)) for _ in range(11)]
    drawn.append(asyncio.create_task(draw("one", 0)))
    await asyncio.gather(*drawn)
    assert most == {"many": 1, "one": 1}
    assert ended[0] == "one"


async def test_more_charts_than_there_are_are_refused_and_who_goes_away_is_forgotten() -> None:
    turns = ReaderTurns(11, "charts of yours wait")

    async def draw() -> None:
        reader.set("many")
        async with turns.taken():
            await asyncio.sleep(60)

    drawn = [asyncio.create_task(draw()) for _ in range(13)]
    await asyncio.sleep(0)
    with pytest.raises(TooManyRequests):
        await drawn[-1]
    for each in drawn:
        each.cancel()
    await asyncio.gather(*drawn, return_exceptions=True)
    async with asyncio.timeout(5):
        async with turns.taken():
            pass
