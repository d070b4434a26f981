"""PostgreSQL goes away under load and comes back: a 503 meanwhile, and nothing lost after."""

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import asyncpg
import pytest

from app.commands.migrate import migrate
from tests.faults.load import CUT, EXPORT, READS, Load, check_kept, loading
from tests.postgres import create_database
from tests.postgres_server import OwnServer, own_server
from tests.servers import Server, calling, running_server

#: Longer than the service waits for anything while its database is away, in seconds.
BOUND = 15.0
WAYS = {
    "fast": signal.SIGINT,
    "immediate": signal.SIGQUIT,
    "killed": signal.SIGKILL,
}


@dataclass
class Pair:
    """The service and its database."""

    server: Server
    postgres: OwnServer

    @property
    def address(self) -> str:
        return self.server.address


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """One process that serves, and a PostgreSQL that no other test uses."""
    folder = tmp_path_factory.mktemp("away")
    # Read where it recovers from an archive, which one test makes it do; an empty one.
    with own_server(folder, restore_command="sleep 0.5; false") as postgres:
        url = create_database(postgres.url, "missions")
        asyncio.run(migrate(url))
        with running_server(url, folder) as server:
            yield Pair(server, postgres)
            assert "request failed" not in server.text()


def check_answers(load: Load) -> None:
    """No other failure was told than a 503, and exports alone broke off."""
    assert {status for _, status in load.answers} <= {200, 201, 503, CUT}
    assert {kind for kind, status in load.answers if status == CUT} <= {EXPORT}


async def everything(load: Load) -> list[int]:
    """The statuses of a request of each kind."""
    async with calling(load.address) as client:
        reads = [await load.read(client, path) for path in READS]
        return [*reads, await load.write(client)]


async def recovered(load: Load) -> None:
    """Wait until every kind of request is answered again, and writes go on."""
    async with asyncio.timeout(60):
        while set(await everything(load)) != {200, 201}:
            await load.more(1)
    await load.more(20)


@pytest.mark.parametrize("way", WAYS)
async def test_a_server_that_stops_and_starts_is_told_and_used_again(pair: Pair, way: str) -> None:
    async with loading(pair.address) as load:
        await load.more(20)
        await asyncio.to_thread(pair.postgres.stop, WAYS[way])
        # Its other processes may need a moment to find out that the first one is gone.
        await load.until(lambda: load.answers["write", 503] > 5)
        assert set(await everything(load)) == {503}
        await asyncio.to_thread(pair.postgres.start)
        await recovered(load)
    check_answers(load)
    assert load.slowest < BOUND
    await check_kept(load)


async def test_connections_that_are_ended_are_made_anew(pair: Pair) -> None:
    ending = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = 'missions' AND pid <> pg_backend_pid()"
    )
    async with loading(pair.address) as load:
        for _ in range(5):
            await load.more(20)
            await asyncio.to_thread(pair.postgres.run, ending)
        await recovered(load)
    check_answers(load)
    # Reads are asked again on another connection, and so are writes before their COMMIT.
    asked = sum(load.answers.values())
    assert sum(n for (_, status), n in load.answers.items() if status == 503) < asked / 10
    await check_kept(load)


async def test_a_server_that_recovers_from_a_crash_of_a_process_is_used_again(pair: Pair) -> None:
    found = "SELECT pid FROM pg_stat_activity WHERE datname = 'missions' AND state <> ''"
    async with loading(pair.address) as load:
        await load.more(20)
        rows = await asyncio.to_thread(pair.postgres.run, found)
        with suppress(ProcessLookupError):
            os.kill(rows[0]["pid"], signal.SIGKILL)
        await load.more(20)
        await recovered(load)
    check_answers(load)
    await check_kept(load)


async def test_a_server_that_is_starting_is_waited_for(pair: Pair) -> None:
    pair.server.stop()
    pair.postgres.stop()
    data = pair.postgres.cluster.data
    (data / "recovery.signal").touch()
    pair.postgres.cluster.own(data)
    starting = asyncio.create_task(asyncio.to_thread(pair.postgres.start))
    refused = False
    while not refused:
        try:
            await asyncio.to_thread(pair.postgres.run, "SELECT 1")
        except asyncpg.CannotConnectNowError:
            refused = True
        except OSError:
            await asyncio.sleep(0.01)
    await asyncio.to_thread(pair.server.start)
    await starting
    async with calling(pair.address) as client:
        assert (await client.get("/missions?limit=1")).status_code == 200
