"""Exports that are read slowly give way to others, and nobody else does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from types import SimpleNamespace

import pytest

from app.core.databases import export_places, places
from app.core.databases.export_places import Delivery, ExportPlaces, delivery
from app.core.databases.places import reader
from app.core.errors import Unavailable


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "PLACE_TIMEOUT_SECONDS", 0.3)
    monkeypatch.setattr(export_places, "LATE_SECONDS", 0.05)
    monkeypatch.setattr(export_places, "LOOK_SECONDS", 0.01)


class Exports:
    """Exports under way, and which of them have been ended."""

    def __init__(self) -> None:
        self.places, self.ended = ExportPlaces(8, 3), list[str]()
        self._open: dict[str, AsyncExitStack] = {}

    async def begin(self, name: str, *, is_read: bool = False) -> None:
        """Begin an export of the caller whose name the name of the export begins with."""
        held = self._open[name] = AsyncExitStack()
        reader.set(name[0])
        by = Delivery(lambda: self._end(name))
        before = delivery.set(by)
        await held.enter_async_context(self.places.taken())
        delivery.reset(before)
        if not is_read:
            held.enter_context(by.waiting(1))

    def _end(self, name: str) -> None:
        self.ended.append(name)
        self._ending = asyncio.create_task(self._open.pop(name).aclose())

    async def end(self, name: str) -> None:
        """The export is read to its end."""
        await self._open.pop(name).aclose()

    async def close(self) -> None:
        for held in self._open.values():
            await held.aclose()
        assert self.places.running.total() == self.places.waiting == 0


@pytest.fixture
async def exports() -> AsyncIterator[Exports]:
    exports = Exports()
    yield exports
    await exports.close()


async def test_of_those_who_hold_most_what_is_late_by_most_gives_way(
    exports: Exports,
) -> None:
    for name in ("b1", "a1", "a2", "a3", "c1", "d1", "e1", "f1"):
        await exports.begin(name)
    await exports.begin("g1")
    assert exports.ended == ["a1"]
    await exports.begin("h1")
    assert exports.ended == ["a1", "a2"]


async def test_what_is_read_gives_way_to_nobody(exports: Exports) -> None:
    for name in ("a1", "a2", "a3", "b1", "b2", "c1", "d1", "e1"):
        await exports.begin(name, is_read=True)
    with pytest.raises(Unavailable):
        await exports.begin("f1")
    assert not exports.ended


async def test_those_who_keep_pace_leave_places_to_others(exports: Exports) -> None:
    begun = []
    for name in ("a1", "a2", "a3", "b1", "b2", "b3", "c1", "c2", "d1"):
        try:
            await exports.begin(name, is_read=True)
        except Unavailable:
            continue
        begun.append(name)
    assert begun == ["a1", "a2", "a3", "b1", "b2", "b3", "c1", "d1"]


async def test_who_holds_its_share_has_another_place_when_enough_are_free(
    exports: Exports,
) -> None:
    for name in ("a1", "b1", "c1", "d1", "e1", "f1", "g1"):
        await exports.begin(name, is_read=True)
    waiting = asyncio.create_task(exports.begin("a2", is_read=True))
    await asyncio.sleep(0.02)
    assert not waiting.done()
    await exports.end("b1")
    await waiting


async def test_nobody_gives_way_while_there_is_a_place_or_to_who_holds_as_many(
    exports: Exports,
) -> None:
    for name in ("a1", "b1", "c1", "d1", "e1", "f1", "g1"):
        await exports.begin(name)
    await asyncio.sleep(0.1)
    await exports.begin("h1", is_read=True)
    with pytest.raises(Unavailable):
        await exports.begin("h2")
    assert not exports.ended


@pytest.mark.parametrize(
    ("pace", "before", "is_late"),
    [
        # From the beginning, on a mobile connection, on a good one.
        (33_000, 0, True),
        (250_000, 0, False),
        (1_200_000, 0, False),
        # After two minutes.
        (250_000, 120, True),
        (1_200_000, 120, False),
        # After as much as was on its way at once.
        (33_000, -10_000_000, True),
    ],
)
def test_a_client_is_late_below_a_pace_that_rises(
    pace: int, before: int, is_late: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment, piece = [0.0], 64 * 1024
    monkeypatch.setattr(export_places, "time", SimpleNamespace(monotonic=lambda: moment[0]))
    by = Delivery(lambda: None)
    if before < 0:
        with by.waiting(-before):
            moment[0] += 0.1
    while moment[0] < before:
        with by.waiting(piece):
            moment[0] += piece / export_places.MAX_PACE
    began = moment[0]
    while moment[0] < began + 4:
        with by.waiting(piece):
            moment[0] += piece / pace
    assert (by.late() > 2) == is_late
