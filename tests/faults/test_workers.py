"""Several processes share one database: nothing is lost, and they live and stop together."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, ExitStack, suppress
from functools import partial
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from app.commands import check
from tests.conftest import copy_of
from tests.faults.conftest import ends_of
from tests.faults.wire import Wire, head
from tests.rest.feed import newest
from tests.servers import Server, calling, running_server
from tests.waiting import wait_until

# Tests that are no coroutines have asynchronous fixtures too.
pytestmark = pytest.mark.usefixtures("anyio_backend")
WORKERS = 2
WRITERS = 16
STEPS = 5
#: How many records the seeds make.
SEEDED = 395


@pytest.fixture(scope="module")
async def shared(
    template_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Server]:
    """Four processes for tests that only add records of their own."""
    folder = tmp_path_factory.mktemp("shared")
    async with copy_of(template_url, folder) as url:
        with running_server(url, folder, "--workers", "4") as server:
            yield server


@pytest.fixture
def server(fresh_url: str, tmp_path: Path) -> Iterator[Server]:
    with running_server(fresh_url, tmp_path, "--workers", str(WORKERS)) as server:
        yield server


def workers_of(server: Server) -> set[int]:
    """The processes that serve."""
    told = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text()
    children = {int(pid) for pid in told.split()}
    # Beside them there is one that multiprocessing keeps for itself.
    return {pid for pid in children if b"resource_tracker" not in command_line(pid)}


def command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except FileNotFoundError:
        return b""


def lives(pid: int) -> bool:
    """Whether the process is there and has not ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def count_up(client: httpx.AsyncClient, address: str) -> None:
    """Add 1 to the number in a record's note, whoever else does so just now."""
    while True:
        read = await client.get(address)
        told = {"note": str(int(read.json()["note"]) + 1)}
        answer = await client.patch(address, json=told, headers={"If-Match": read.headers["etag"]})
        if answer.status_code == 200:
            return
        assert answer.status_code == 412, answer.text


async def test_no_change_of_another_process_is_lost(shared: Server) -> None:
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(calling(shared.address)) for _ in range(WRITERS)]
        made = [
            await clients[n].post("/people", json={"full_name": "Counted", "note": "0"})
            for n in range(4)
        ]
        addresses = [answer.headers["location"] for answer in made]

        async def count(number: int) -> None:
            for step in range(STEPS):
                await count_up(clients[number], addresses[(number + step) % len(addresses)])

        await asyncio.gather(*(count(number) for number in range(WRITERS)))
        notes = [(await clients[0].get(address)).json()["note"] for address in addresses]
    assert sum(int(note) for note in notes) == WRITERS * STEPS


async def test_a_repeated_request_is_done_once_whichever_process_it_reaches(
    shared: Server,
) -> None:
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(calling(shared.address)) for _ in range(WRITERS)]
        for number in range(5):
            key = {"Idempotency-Key": uuid4().hex}
            body = {"full_name": "Once", "note": f"once {number}"}

            async def send(client: httpx.AsyncClient, body: object, key: dict[str, str]) -> str:
                while True:
                    answer = await client.post("/people", json=body, headers=key)
                    if answer.status_code == 201:
                        return str(answer.json()["id"])
                    assert answer.status_code == 409, answer.text
                    await asyncio.sleep(0.02)

            ids = await asyncio.gather(*(send(client, body, key) for client in clients))
            assert len(set(ids)) == 1
            found = await clients[0].get("/people", params={"note": body["note"]})
            assert len(found.json()["data"]) == 1


async def test_the_feed_has_no_gap_while_all_processes_write(shared: Server) -> None:
    read: list[int] = []
    writes = (WRITERS - 1) * STEPS

    async def follow(client: httpx.AsyncClient) -> None:
        while len(read) < writes:
            since = read[-1] if read else before
            page = (await client.get("/changes", params={"since": since, "limit": 1000})).json()
            read.extend(change["seq"] for change in page["data"])
            await asyncio.sleep(0.01)

    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(calling(shared.address)) for _ in range(WRITERS)]
        before = await newest(clients[0])
        following = asyncio.create_task(follow(clients[0]))

        async def write(client: httpx.AsyncClient) -> None:
            for _ in range(STEPS):
                answer = await client.post("/people", json={"full_name": "Written"})
                assert answer.status_code == 201, answer.text

        await asyncio.gather(*(write(client) for client in clients[1:]))
        await following
    assert read == list(range(before + 1, before + 1 + writes))
    assert await check.run(shared.url) == []


def test_a_process_that_is_killed_is_replaced(server: Server) -> None:
    wait_until(lambda: len(workers_of(server)) == WORKERS)
    before = workers_of(server)
    victim = min(before)
    os.kill(victim, signal.SIGKILL)
    with server.client() as client:
        assert client.get("/missions").status_code == 200
    wait_until(lambda: len(workers_of(server)) == WORKERS and victim not in workers_of(server))
    assert server.stop() == 0


def test_what_processes_are_copied_from_has_one_thread_and_no_database_open(
    shared: Server,
) -> None:
    parent = Path(f"/proc/{shared.pid}")
    opened = [str(entry.readlink()) for entry in (parent / "fd").iterdir()]
    assert len(list((parent / "task").iterdir())) == 1
    assert not [name for name in opened if ".db" in name or "eventpoll" in name]
    # Those of the service, one for each process; another would lead to PostgreSQL.
    assert len([name for name in opened if name.startswith("socket:")]) == 4, opened


@pytest.mark.skipif(sys.platform != "linux", reason="one socket is shared elsewhere")
def test_connections_that_come_at_once_are_spread(shared: Server) -> None:
    """Of one socket whoever wakes first would take nearly all that wait."""
    largest = []
    for _ in range(5):
        before = sockets_of(shared)
        with ExitStack() as stack:
            for _ in range(32):
                stack.enter_context(Wire(shared))
            wait_until(partial(has_sockets, shared, sum(before) + 30))
            now = sockets_of(shared)
        largest.append(max(each - then for each, then in zip(now, before, strict=True)))
        wait_until(partial(has_sockets, shared, 0, sum(before)))
    assert sum(largest) / len(largest) < 20, largest


def has_sockets(server: Server, least: int, most: int = 1000) -> bool:
    """Whether all processes together have so many sockets open."""
    return least <= sum(sockets_of(server)) <= most


def sockets_of(server: Server) -> list[int]:
    """How many sockets each process has open."""
    found = []
    for pid in sorted(workers_of(server)):
        names = []
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(FileNotFoundError):  # Just closed.
                names.append(str(entry.readlink()))
        found.append(len([name for name in names if name.startswith("socket:")]))
    return found


def test_sigterm_stops_all(server: Server) -> None:
    wait_until(lambda: len(workers_of(server)) == WORKERS)
    pids = workers_of(server)
    assert server.stop() == 0
    assert not any(lives(pid) for pid in pids)
    with pytest.raises(ConnectionRefusedError):
        Wire(server)
    assert "Traceback" not in server.text()
    assert ends_of(server) == [f"stopped by SIGTERM: all {WORKERS} processes have ended"]


def test_an_answer_that_was_begun_is_sent_to_its_end(large_url: str, tmp_path: Path) -> None:
    with running_server(large_url, tmp_path, "--workers", "2") as server:
        with Wire(server, receive_buffer=65536) as wire:
            wire.send(head("GET /agreements.ndjson HTTP/1.1"))
            assert wire.answer().status == 200
            server.tell(signal.SIGTERM)
            while wire._more():
                time.sleep(0.0005)
        assert wire.got.endswith(b"0\r\n\r\n")
        assert server.wait() == 0


def test_a_second_signal_ends_all_at_once(large_url: str, tmp_path: Path) -> None:
    with (
        running_server(large_url, tmp_path, "--workers", "2", stop_seconds=600) as server,
        Wire(server, 4096) as unread,
    ):
        assert unread.send(head("GET /agreements.ndjson HTTP/1.1")).answer().status == 200
        pids = workers_of(server)
        server.tell(signal.SIGTERM)
        time.sleep(1)
        server.tell(signal.SIGTERM)
        assert server.wait() == 1
        assert not any(lives(pid) for pid in pids)


def test_processes_end_when_their_parent_is_killed(server: Server) -> None:
    wait_until(lambda: len(workers_of(server)) == WORKERS)
    pids = workers_of(server)
    server.tell(signal.SIGKILL)
    server.wait()
    wait_until(lambda: not any(lives(pid) for pid in pids))
    told = "stopped: the process that had started this one is gone"
    assert ends_of(server) == [told] * WORKERS


async def test_the_database_is_prepared_once_for_all_processes(
    empty_database: str, tmp_path: Path
) -> None:
    with running_server(empty_database, tmp_path, "--workers", "2", "--prepare") as server:
        assert server.text().count("The database was migrated.") == 1
        assert server.text().count("Seeded:") == 1
        assert await asyncio.to_thread(server.stop) == 0


async def test_two_may_prepare_the_same_empty_database_at_once(
    empty_database: str, tmp_path: Path
) -> None:
    servers = [
        Server(empty_database, tmp_path / f"{number}.log", ("--prepare",)) for number in range(2)
    ]
    try:
        await asyncio.gather(*(asyncio.to_thread(server.start) for server in servers))
        for server in servers:
            with server.client() as client:
                assert client.get("/missions").json()["data"]
        texts = [server.text() for server in servers]
        assert sum(f"Seeded: {SEEDED} records created" in text for text in texts) == 1, texts
        assert await check.run(empty_database) == []
    finally:
        for server in servers:
            if server.process is not None:
                server.kill()


def test_an_address_that_is_taken_is_told_in_a_sentence(server: Server) -> None:
    taken = Server(server.url, server.log.with_name("taken.log"), ("--port", str(server.port)))
    with pytest.raises(AssertionError, match=r"Cannot listen on 127\.0\.0\.1"):
        taken.start()
    assert taken.wait() == 2
    assert "Traceback" not in taken.text()
