"""Exports take as long as they need, and leave nothing behind when nobody waits for them."""

import asyncio
import gc
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from pathlib import Path

import pytest

from app.core.databases.places import reader
from app.core.databases.sqlite import connect
from app.core.databases.sqlite_reader import Reading
from app.core.errors import Unavailable
from tests.faults.questions import MANY, QUICK, SHORT, SLOW, busy, opened
from tests.waiting import until


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits that a test can wait for, but longer than anything else takes."""
    for name in ("postgresql_read_pool.POOL_TIMEOUT_SECONDS", "places.PLACE_TIMEOUT_SECONDS"):
        monkeypatch.setattr(f"app.core.databases.{name}", 1.0)


async def test_an_export_may_take_longer_than_a_question(
    fresh_url: str, database_kind: str
) -> None:
    async with opened(fresh_url) as database:
        loop, rows = asyncio.get_running_loop(), 0
        end = loop.time() + 2 * SHORT
        async with aclosing(database.stream(MANY[database_kind], {})) as batches:
            async for batch in batches:
                rows += len(batch)
                if loop.time() > end:
                    break
        assert rows > 0


async def test_exports_that_are_left_give_their_connections_back(
    fresh_url: str, database_kind: str
) -> None:
    async with opened(fresh_url) as database:
        for _ in range(12):
            async with aclosing(database.stream(MANY[database_kind], {})) as batches:
                assert await anext(batches)
        await until(lambda: busy(database) == 0)
        assert _open_files(fresh_url) <= 4
        assert await database.read(QUICK, {}) == [(1,)]


async def test_exports_that_are_cancelled_while_they_read_give_their_connections_back(
    fresh_url: str, database_kind: str
) -> None:
    async with opened(fresh_url, 600) as database:

        async def export() -> None:
            async for _ in database.stream(SLOW[database_kind], {}):
                raise AssertionError

        for _ in range(3):
            exports = [asyncio.create_task(export()) for _ in range(4)]
            await until(lambda: busy(database) == 4)
            for task in exports:
                task.cancel()
            await asyncio.gather(*exports, return_exceptions=True)
            await until(lambda: busy(database) == 0)
        assert await database.read(QUICK, {}) == [(1,)]
        # SQLite keeps files that it has closed to open them again.
        assert _open_files(fresh_url) <= 4 + 5


async def test_what_is_left_before_sqlite_has_begun_ends_all_the_same(tmp_path: Path) -> None:
    """Interrupting does nothing while there is no step of SQLite's to interrupt."""
    connection = connect(str(tmp_path / "some.db"))
    begun, left = threading.Event(), threading.Event()

    def work(on: sqlite3.Connection) -> object:
        begun.set()
        assert left.wait(30)
        return on.execute(SLOW["sqlite"].sql).fetchall()

    reading = Reading(work, 600)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(reading.run, lambda: connection)
        waiting = asyncio.create_task(reading.outcome())
        await asyncio.to_thread(begun.wait)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        left.set()
        try:
            async with asyncio.timeout(30):
                await asyncio.wrap_future(running)
        finally:
            connection.interrupt()
    connection.close()


async def test_what_is_asked_of_a_database_that_has_stopped_leaves_no_failure_behind(
    fresh_url: str,
) -> None:
    async with opened(fresh_url, seconds := 0.05) as database:
        pass
    loop, told = asyncio.get_running_loop(), list[object]()
    gc.collect()  # What other tests have left is none of ours.
    handler = loop.get_exception_handler()
    loop.set_exception_handler(lambda _, context: told.append(context))
    try:
        with pytest.raises(Unavailable):
            await database.read(QUICK, {})
        await asyncio.sleep(2 * seconds)
        gc.collect()
    finally:
        loop.set_exception_handler(handler)
    assert not told


def _open_files(url: str) -> int:
    """How many connections of this process have the file of SQLite open."""
    file = url.removeprefix("sqlite:///")
    names = []
    for entry in Path("/proc/self/fd").iterdir():
        try:
            names.append(str(entry.readlink()))
        except OSError:
            continue
    return names.count(file)


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True, scope="session")
async def test_other_reads_go_on_however_many_exports_are_under_way(fresh_url: str) -> None:
    async with opened(fresh_url) as database:
        streams = [database.stream(MANY["postgresql"], {}) for _ in range(8)]
        begun = await asyncio.gather(*map(anext, streams), return_exceptions=True)
        refused = [answer for answer in begun if isinstance(answer, Unavailable)]
        assert len(refused) == 4
        assert await database.read(QUICK, {}) == [(1,)]
        for stream in streams:
            await stream.aclose()


async def test_exports_that_nobody_reads_on_keep_no_list_and_no_other_export_out(
    fresh_url: str, database_kind: str
) -> None:
    async with opened(fresh_url) as database:
        reader.set("slow")
        per_caller = {"sqlite": 3, "postgresql": 2}[database_kind]
        streams = [database.stream(MANY[database_kind], {}) for _ in range(per_caller)]
        for stream in streams:
            assert await anext(stream)
        reader.set("another")
        streams.append(database.stream(MANY[database_kind], {}))
        assert await anext(streams[-1])
        assert await database.read(QUICK, {}) == [(1,)]
        assert await database.read(QUICK, {}, point_lookup=True) == [(1,)]
        for stream in streams:
            await stream.aclose()
