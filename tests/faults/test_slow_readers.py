"""A client that does not read its answer is cut off, and holds nothing of the database's."""

import json
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

import pytest

from tests.faults.conftest import AGREEMENTS
from tests.faults.wire import AUTHORIZATION, Wire, head
from tests.postgres import execute
from tests.servers import Server, running_server

# Tests that are no coroutines have asynchronous fixtures too.
pytestmark = pytest.mark.usefixtures("anyio_backend")
SHORT = 2.0
EXPORT = head("GET /agreements.ndjson HTTP/1.1")


@pytest.fixture
def server(large_url: str, tmp_path: Path) -> Iterator[Server]:
    with running_server(large_url, tmp_path, answer_seconds=SHORT) as server:
        yield server
        assert server.stop() == 0
        assert "Traceback" not in server.text()
        assert '"error"' not in server.text()


def is_read(server: Server) -> bool:
    """Whether anybody holds a view of the database as it was a moment ago."""
    if not server.url.startswith("sqlite"):
        others = "datname = current_database() AND pid <> pg_backend_pid()"
        busy = "state IN ('active', 'idle in transaction')"
        return bool(
            execute(server.url, f"SELECT pid FROM pg_stat_activity WHERE {others} AND {busy}")
        )
    with server.client() as client:
        client.post("/people", json={"full_name": "Written meanwhile"}).raise_for_status()
    with closing(sqlite3.connect(server.url.removeprefix("sqlite:///"), timeout=0)) as connection:
        # The log of writes cannot be emptied while somebody reads what was before them.
        ((busy, *_),) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        return bool(busy)


def is_freed(server: Server) -> bool:
    """Whether nobody reads any more, within a time that leaves no doubt."""
    deadline = time.monotonic() + 60
    while is_read(server):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def is_whole(wire: Wire) -> bool:
    """Whether all that is left of the answer comes."""
    try:
        while wire._more():
            pass
    except ConnectionResetError:
        return False
    return wire.got.endswith(b"0\r\n\r\n")


def test_one_who_reads_nothing_is_cut_off(server: Server) -> None:
    with Wire(server, receive_buffer=4096) as wire:
        wire.send(EXPORT)
        assert wire.answer().status == 200
        assert is_read(server)
        assert is_freed(server)
        assert not is_whole(wire)


def test_one_who_reads_byte_by_byte_is_cut_off(server: Server) -> None:
    with Wire(server, receive_buffer=4096) as wire:
        wire.send(EXPORT)
        assert wire.answer().status == 200
        for _ in range(300):
            if not is_read(server):
                break
            try:
                wire.socket.recv(16)
            except ConnectionResetError:
                break
            time.sleep(0.1)
        assert is_freed(server)


def test_one_who_reads_slowly_gets_all(server: Server) -> None:
    with Wire(server, receive_buffer=65536) as wire:
        wire.send(head("GET /agreements.ndjson HTTP/1.1", "Connection: close"))
        began = time.monotonic()
        while wire._more():
            time.sleep(0.01)
    assert wire.got.endswith(b"0\r\n\r\n")
    assert wire.got.count(b'"version"') > AGREEMENTS
    assert time.monotonic() - began > SHORT


def test_one_who_leaves_frees_what_was_read_for_him(server: Server) -> None:
    for _ in range(12):
        with Wire(server, receive_buffer=4096) as wire:
            assert wire.send(EXPORT).answer().status == 200
    assert is_freed(server)
    with server.client() as client:
        lines = client.get("/agreements.ndjson", params={"limit": 3}).text.splitlines()
    assert [json.loads(line)["version"] for line in lines] == [1, 1, 1]


#: How many exports each of the addresses has under way that hold all places together: another one
#: while more are free than it has.
HELD = {"sqlite": (3, 3, 3, 3, 2, 1, 1), "postgresql": (2, 1, 1)}


@contextmanager
def read_by_drops(wires: list[Wire]) -> Iterator[None]:
    """While it lasts each of these clients reads 4 KiB a second of what comes."""
    ended = threading.Event()

    def read() -> None:
        while not ended.wait(0.25):
            for wire in wires:
                with suppress(OSError):
                    wire.socket.recv(1024, socket.MSG_DONTWAIT)

    reading = threading.Thread(target=read)
    reading.start()
    try:
        yield
    finally:
        ended.set()
        reading.join()


def is_cut_off(wire: Wire) -> bool:
    """Whether the answer ends soon, behind what is on its way, and is not whole."""
    while len(wire.got) < 1 << 18:
        if not wire._more():
            return not wire.got.endswith(b"0\r\n\r\n")
    return False


def test_who_exports_is_kept_out_by_nobody_who_reads_slowly(
    large_url: str, tmp_path: Path, database_kind: str
) -> None:
    held = HELD[database_kind]
    with running_server(large_url, tmp_path) as server:
        with ExitStack() as opened:
            addresses = [f"127.0.1.{n}" for n, count in enumerate(held, 1) for _ in range(count)]
            slow = [opened.enter_context(Wire(server, 4096, address)) for address in addresses]
            for wire in slow:
                assert wire.send(public_export()).answer().status == 200
            with read_by_drops(slow):
                for n in range(2):
                    began = time.monotonic()
                    with Wire(server, address=f"127.0.2.{n}") as another:
                        another.send(public_export("Connection: close"))
                        assert another._more()
                        assert time.monotonic() - began < 8
                        assert is_whole(another)
                    assert another.got.count(b'"version"') > AGREEMENTS
            # One of those who hold most, and no other: the second finds its place free again.
            cut_off = [wire for wire in slow if is_cut_off(wire)]
            assert (len(cut_off), server.text().count("export cut off")) == (1, 1)
            assert cut_off[0] in slow[: held[0] * held.count(held[0])]
        assert server.stop() == 0
    assert "Traceback" not in server.text()


def public_export(*lines: str) -> bytes:
    """The head of a request without a key, which is counted by its address."""
    return head("GET /agreements.ndjson HTTP/1.1", *lines).replace(AUTHORIZATION, b"")
