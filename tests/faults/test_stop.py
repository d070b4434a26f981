"""SIGTERM: what was begun is finished within a bound, and what was acknowledged is stored."""

import asyncio
import random
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest

from tests.faults.conftest import AGREEMENTS, ends_of
from tests.faults.wire import Wire, head
from tests.faults.writers import Writer, compare, settle
from tests.servers import Server, calling, running_server
from tests.waiting import until

# Tests that are no coroutines have asynchronous fixtures too.
pytestmark = pytest.mark.usefixtures("anyio_backend")
EXPORT = head("GET /agreements.ndjson HTTP/1.1")
GET = head("GET /missions HTTP/1.1")


@pytest.fixture
def server(fresh_url: str, tmp_path: Path) -> Iterator[Server]:
    with running_server(fresh_url, tmp_path) as server:
        yield server


def assert_quiet(server: Server) -> None:
    """The log tells of no failure."""
    assert "Traceback" not in server.text()
    assert '"error"' not in server.text()


def acknowledged(writers: list[Writer]) -> int:
    return sum(writer.tally.acknowledged for writer in writers)


async def test_every_write_that_was_acknowledged_is_stored(server: Server) -> None:
    writers = [Writer(f"s-w{n}", random.randrange(2**64)) for n in range(16)]
    async with AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(calling(server.address)) for _ in range(len(writers))
        ]
        writing = [
            asyncio.create_task(writer.write_until_lost(client))
            for writer, client in zip(writers, clients, strict=True)
        ]
        await until(lambda: acknowledged(writers) >= 5 * len(writers))
        server.tell(signal.SIGTERM)
        await asyncio.gather(*writing)
    assert await asyncio.to_thread(server.wait) == 0
    assert_quiet(server)
    assert ends_of(server) == ["stopped by SIGTERM"]
    await asyncio.to_thread(server.start)
    await settle(server.address, writers)
    await compare(server.address, writers, "s-")


def test_an_answer_that_was_begun_is_sent_to_its_end(large_url: str, tmp_path: Path) -> None:
    with running_server(large_url, tmp_path) as server:
        with Wire(server, receive_buffer=65536) as wire:
            wire.send(EXPORT)
            assert wire.answer().status == 200
            server.tell(signal.SIGTERM)
            while wire._more():
                time.sleep(0.001)
        assert wire.got.endswith(b"0\r\n\r\n")
        assert wire.got.count(b'"version"') > AGREEMENTS
        assert server.wait() == 0
        assert_quiet(server)


def test_a_large_import_that_was_sent_is_stored_and_answered(server: Server) -> None:
    rows = "full_name,ref\n" + "".join(f"Person {n},stop-{n}\n" for n in range(3000))
    answers: list[httpx.Response] = []

    def send() -> None:
        with server.client(timeout=60) as client:
            headers = {"Content-Type": "text/csv"}
            answers.append(client.post("/people/import", content=rows, headers=headers))

    sending = threading.Thread(target=send)
    sending.start()
    time.sleep(0.3)
    server.tell(signal.SIGTERM)
    sending.join()
    assert answers[0].status_code == 200, answers[0].text
    assert server.wait() == 0
    assert_quiet(server)
    server.start()
    with server.client() as client:
        lines = client.get("/people.ndjson", params={"ref__startswith": "stop-"}).text.splitlines()
    assert len(lines) == 3000


def test_connections_that_do_nothing_end_and_new_ones_are_refused(
    large_url: str, tmp_path: Path
) -> None:
    with running_server(large_url, tmp_path) as server:
        with Wire(server, 4096) as busy, Wire(server) as idle, Wire(server) as silent:
            assert busy.send(EXPORT).answer().status == 200
            assert idle.send(GET).answer().status == 200
            server.tell(signal.SIGTERM)
            assert idle.ends()
            assert silent.ends()
            with pytest.raises(ConnectionRefusedError):
                Wire(server)
        assert server.wait() == 0


def test_the_stop_has_a_bound_whatever_clients_do(large_url: str, tmp_path: Path) -> None:
    with running_server(large_url, tmp_path, stop_seconds=2) as server:
        with Wire(server, 4096) as unread, Wire(server) as unsent:
            assert unread.send(EXPORT).answer().status == 200
            unsent.send(head("POST /people HTTP/1.1", "Content-Type: application/json"))
            unsent.send(head("POST /people HTTP/1.1", "Content-Length: 9"))
            began = time.monotonic()
            assert server.stop() == 0
            assert time.monotonic() - began < 20
        assert_quiet(server)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_ends_at_once(
    large_url: str, tmp_path: Path, number: signal.Signals
) -> None:
    with (
        running_server(large_url, tmp_path, stop_seconds=600) as server,
        Wire(server, 4096) as unread,
        Wire(server) as idle,
    ):
        assert unread.send(EXPORT).answer().status == 200
        assert idle.send(GET).answer().status == 200
        server.tell(number)
        assert idle.ends()
        server.tell(number)
        assert server.wait() == -number
        (told,) = ends_of(server)
        assert told == f"stopped by {number.name}, told twice: what was under way is given up"


def test_sigint_stops_as_sigterm_does(server: Server) -> None:
    server.tell(signal.SIGINT)
    assert server.wait() == 0
    assert_quiet(server)
    assert ends_of(server) == ["stopped by SIGINT"]


async def test_a_stream_without_an_end_ends(server: Server) -> None:
    async with (
        calling(server.address) as client,
        client.stream("GET", "/changes/stream") as answer,
    ):
        if answer.status_code == 404:
            pytest.skip("no streams are served")
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = answer.aiter_lines()
        await anext(lines)
        server.tell(signal.SIGTERM)
        async for _ in lines:
            pass
    assert await asyncio.to_thread(server.wait) == 0
    assert_quiet(server)
