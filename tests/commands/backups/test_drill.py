"""The drill: sixteen write to a server without pause, and a backup taken meanwhile is good."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.commands.backup import backup
from app.commands.check import run as check
from app.commands.restore import restore
from app.commands.verify import verify
from tests.commands.backups.drills import command, sums_of
from tests.servers import calling, running_server

WRITERS = 16


class Writers:
    """Clients that create a person each and change it, one after another, until told to stop."""

    def __init__(self, address: str) -> None:
        self.address, self.stopped = address, asyncio.Event()
        #: The persons whose creation was answered, in that order; and told after each.
        self.answered: list[str] = []
        self.told = asyncio.Condition()

    async def write(self, client: httpx.AsyncClient, number: int) -> None:
        while not self.stopped.is_set():
            person = {"full_name": f"Writer {number}", "note": "Новая запись"}
            answer = await client.post("/people", json=person)
            assert answer.status_code == 201, answer.text
            self.answered.append(answer.json()["id"])
            async with self.told:
                self.told.notify_all()
            changed = await client.patch(answer.headers["location"], json={"note": None})
            assert changed.status_code == 200, changed.text

    async def during(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do the work while all write."""
        async with (
            calling(self.address) as client,
            asyncio.TaskGroup() as tasks,
        ):
            for number in range(WRITERS):
                tasks.create_task(self.write(client, number))
            try:
                await work()
            finally:
                self.stopped.set()

    async def have_written(self, count: int) -> None:
        async with self.told:
            await self.told.wait_for(lambda: len(self.answered) >= count)


async def feed(client: httpx.AsyncClient, since: int = 0) -> list[dict[str, Any]]:
    """All changes after a place in the log, page by page."""
    changes: list[dict[str, Any]] = []
    while True:
        answer = await client.get("/changes", params={"since": since, "limit": 1000})
        page = answer.json()["data"]
        if not page:
            return changes
        changes += page
        since = page[-1]["seq"]


@pytest.fixture
def scratch(other_url: str) -> str | None:
    return None if other_url.startswith("sqlite") else other_url


async def test_a_backup_taken_while_sixteen_write_is_restored_and_served(
    fresh_url: str, bare_url: str, scratch: str | None, tmp_path: Path
) -> None:
    file = tmp_path / "backup"
    with running_server(fresh_url, tmp_path) as server:
        writers, before = Writers(server.address), list[str]()

        async def taken() -> None:
            await writers.have_written(40)
            before.extend(writers.answered)
            told = await asyncio.to_thread(command, fresh_url, "backup", str(file))
            assert told.returncode == 0, told.stderr
            await writers.have_written(len(writers.answered) + WRITERS)

        await writers.during(taken)

    # Now nobody writes, and a backup holds all there is.
    await backup(fresh_url, tmp_path / "last")
    await restore(bare_url, tmp_path / "last")
    assert await sums_of(bare_url) == await sums_of(fresh_url)

    # What the first backup holds is consistent in itself, and is what the restored database holds.
    verdict = await verify(fresh_url, file, scratch)
    assert verdict.faults == []
    await restore(bare_url, file, force=True)
    assert await check(bare_url) == []
    sums = await sums_of(bare_url)
    assert all(each.digest in str(verdict) for each in sums.values())

    with running_server(bare_url, tmp_path) as server:
        async with calling(server.address) as client:
            # Whatever was answered before the backup began is in it.
            for person in before:
                assert (await client.get(f"/people/{person}")).status_code == 200
            changes = await feed(client)
            assert [change["seq"] for change in changes] == [*range(1, sums["change"].rows + 1)]
            # It is a part of what there was: the rest was written later.
            assert sums["person"].rows < len(writers.answered) + 5
            created = await client.post("/people", json={"full_name": "After the restore"})
            assert created.status_code == 201
            (following,) = await feed(client, since=len(changes))
            assert following["seq"] == len(changes) + 1
            assert following["record_id"] == created.json()["id"]


async def test_a_file_that_is_served_is_not_restored_into(fresh_url: str, tmp_path: Path) -> None:
    if not fresh_url.startswith("sqlite"):
        pytest.skip("a server of PostgreSQL sees to that")
    await backup(fresh_url, tmp_path / "backup")
    with running_server(fresh_url, tmp_path) as server:
        told = command(fresh_url, "restore", str(tmp_path / "backup"), "--force")
        assert told.returncode == 2
        assert "is in use: a server" in told.stderr
        with server.client() as client:
            assert client.post("/people", json={"full_name": "Still"}).status_code == 201
