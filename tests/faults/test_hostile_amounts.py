"""Clients that send too much, too slowly, or not at all."""

import gzip
import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from app.core.server.protocol import MAX_SPARE_CONNECTIONS
from tests.faults.conftest import copied
from tests.faults.wire import AUTHORIZATION, Wire, head
from tests.servers import Server, running_server
from tests.templates import seeded_url

MEBIBYTE = 2**20
#: How much the process may grow for anything that a client sends: less than what is sent.
GROWTH = 24 * MEBIBYTE
SHORT = 1.0
JSON = "Content-Type: application/json"
GET = head("GET /missions HTTP/1.1")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with short limits of time; nothing of this comes as far as the database."""
    folder = tmp_path_factory.mktemp("hostile")
    limits = {"head_seconds": SHORT, "body_seconds": SHORT, "answer_seconds": SHORT}
    with running_server(copied(seeded_url("sqlite"), folder), folder, **limits) as server:
        with server.client() as client:
            client.get("/agreements.csv")
        yield server
        assert server.stop() == 0
        assert "Traceback" not in server.text()
        assert '"error"' not in server.text()


@pytest.fixture(autouse=True)
def unharmed(server: Server) -> Iterator[None]:
    """After each test the server answers others, and holds no more memory than before."""
    before = server.memory()
    yield
    with server.client() as client:
        assert client.get("/missions").status_code == 200
    assert server.memory() - before < GROWTH


# Too much


@pytest.mark.parametrize(
    "endless",
    [
        b"GET /missions HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 10,
        b"GET /missions HTTP/1.1\r\nHost: a\r\nX: ",
        b"GET /",
        b"GET /missions HTTP/1.1\r\nHost: a\r\nX",
        b"\r\n",
        b"POST /people HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: ",
        b"POST /people HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;",
    ],
    ids=["headers", "a value", "an address", "a name", "empty lines", "a trailer", "an extension"],
)
def test_what_has_no_end_is_cut_off_while_memory_stays_flat(server: Server, endless: bytes) -> None:
    more = endless[-2:] if endless == b"\r\n" else endless.partition(b"\r\nHost: a\r\n")[2]
    more = b"X: y\r\n" if more.startswith(b"X: y") else more[-2:] if more == b"\r\n" else b"y"
    before = server.memory()
    with Wire(server) as wire:
        wire.send(endless)
        for _ in range(256):
            wire.send(more * (MEBIBYTE // 4 // len(more)))
        assert server.memory() - before < GROWTH
        assert wire.answer().status in (400, 401, 415, 431)


@pytest.mark.parametrize("chunked", [False, True], ids=["told", "in chunks"])
def test_a_body_of_100_mebibytes_is_refused_early(server: Server, chunked: bool) -> None:
    size = 100 * MEBIBYTE
    told = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {size}"
    piece = b" " * MEBIBYTE
    before = server.memory()
    with Wire(server) as wire:
        wire.send(head("POST /people HTTP/1.1", JSON, told))
        for _ in range(100):
            wire.send(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
        assert server.memory() - before < GROWTH
        assert wire.answer().status == 413
        assert wire.ends()


def test_a_body_that_is_too_large_is_refused_before_it_is_sent(server: Server) -> None:
    size = f"Content-Length: {100 * MEBIBYTE}"
    with Wire(server) as wire:
        wire.send(head("POST /people HTTP/1.1", JSON, size, "Expect: 100-continue"))
        assert wire.answer().problem["status"] == 413


def test_a_body_that_is_awaited_is_asked_for(server: Server) -> None:
    body = b'{"full_name": "Name"}'
    lines = (JSON, f"Content-Length: {len(body)}", "Expect: 100-continue")
    with Wire(server) as wire:
        wire.send(head("POST /people?dry_run=true HTTP/1.1", *lines))
        assert wire.answer().status == 100
        assert wire.send(body).answer().status == 201


def test_a_gzip_bomb_is_not_unpacked(server: Server) -> None:
    bomb = gzip.compress(b" " * (50 * MEBIBYTE))
    with server.client() as client:
        headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
        assert client.post("/people", content=bomb, headers=headers).status_code == 415


@pytest.mark.parametrize("depth", [10_000, 500_000])
@pytest.mark.parametrize("brackets", ["[]", ('{"a":', "}")], ids=["lists", "objects"])
def test_json_of_any_depth_is_refused(
    server: Server, brackets: tuple[str, str], depth: int
) -> None:
    depth = min(depth, 900_000 // len(brackets[0]))
    body = brackets[0] * depth + "1" * (len(brackets[0]) > 1) + brackets[1] * depth
    with server.client() as client:
        headers = {"Content-Type": "application/json"}
        answer = client.post("/people", content=body[: MEBIBYTE - 1], headers=headers)
    assert answer.status_code in (400, 413, 422)
    assert answer.headers["content-type"] == "application/problem+json"


# Too slow


def test_a_head_that_does_not_come_is_answered_408(server: Server) -> None:
    with Wire(server) as wire:
        answer = wire.send(b"GET /missions HTTP/1.1\r\nHost: a\r\n").answer()
        assert answer.status == 408
        assert answer.problem
        assert wire.ends()


def test_a_head_that_trickles_is_answered_408(server: Server) -> None:
    with Wire(server) as wire:
        wire.socket.settimeout(0.05)
        sent = 0
        for letter in b"GET /missions HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 1000:
            wire.send(bytes([letter]))
            sent += 1
            try:
                if wire._more():
                    break
            except TimeoutError:
                continue
        assert sent < 500
        assert wire.answer().status == 408


def test_a_connection_that_says_nothing_ends(server: Server) -> None:
    with Wire(server) as wire:
        assert wire.ends()


def test_a_connection_that_is_kept_alive_may_say_nothing(server: Server) -> None:
    with Wire(server) as wire:
        assert wire.send(GET).answer().status == 200
        time.sleep(2.5 * SHORT)
        assert wire.send(GET).answer().status == 200


@pytest.mark.parametrize("told", ["Content-Length: 100", "Transfer-Encoding: chunked"])
def test_a_body_that_stands_still_is_answered_408(server: Server, told: str) -> None:
    with Wire(server) as wire:
        answer = wire.send(head("POST /people HTTP/1.1", JSON, told)).answer()
        assert answer.status == 408
        assert answer.problem
        assert wire.ends()


def test_a_body_that_trickles_has_an_end(server: Server) -> None:
    with Wire(server) as wire:
        wire.socket.settimeout(0.1)
        wire.send(head("POST /people HTTP/1.1", JSON, "Content-Length: 1000"))
        for _ in range(200):
            wire.send(b" ")
            try:
                if wire._more():
                    break
            except TimeoutError:
                continue
        assert wire.answer().status == 408


def test_a_body_that_comes_in_pieces_is_taken(server: Server) -> None:
    body = json.dumps({"full_name": "Name", "note": "x" * 20_000}).encode()
    length = f"Content-Length: {len(body)}"
    with Wire(server) as wire:
        wire.send(head("POST /people?dry_run=true HTTP/1.1", JSON, length))
        for start in range(0, len(body), 4000):
            wire.send(body[start : start + 4000])
            time.sleep(0.3)
        assert wire.answer().status == 201


def test_a_client_that_ends_its_side_has_gone(server: Server) -> None:
    with Wire(server) as wire:
        wire.send(head("POST /people HTTP/1.1", JSON, "Content-Length: 100"))
        wire.socket.shutdown(socket.SHUT_WR)
        assert wire.ends()


# Too many


def test_500_idle_connections_hinder_nobody(server: Server) -> None:
    with ExitStack() as stack:
        for _ in range(500):
            stack.enter_context(Wire(server)).send(GET)
        with server.client() as client:
            assert all(client.get("/people").status_code == 200 for _ in range(20))


def test_connections_beyond_the_limit_are_told_so_and_idle_ones_go_first(
    server: Server, tmp_path: Path
) -> None:
    with running_server(server.url, tmp_path, max_connections=5) as server, ExitStack() as stack:
        wires = [stack.enter_context(Wire(server)) for _ in range(5)]
        for wire in wires:
            assert wire.send(GET).answer().status == 200
        assert wires[0].send(GET).answer().status == 200
        for wire in wires[2:]:
            wire.send(GET[:9])
        # The second one did nothing for the longest time; then the first one.
        for idle in (wires[1], wires[0]):
            busy = stack.enter_context(Wire(server))
            assert busy.send(GET).answer().status == 200
            busy.send(GET[:9])
            assert idle.ends()
        with Wire(server) as wire:
            answer = wire.send(GET).answer()
            assert answer.status == 503
            assert answer.problem
            assert answer.headers["retry-after"]
            assert wire.ends()


def test_how_the_service_is_can_be_asked_when_all_connections_are_taken(
    server: Server, tmp_path: Path
) -> None:
    with running_server(server.url, tmp_path, max_connections=3) as server, ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(Wire(server)).send(GET[:9])
        silent = [stack.enter_context(Wire(server)) for _ in range(MAX_SPARE_CONNECTIONS)]
        for path, status in (("/health/live", 200), ("/health/ready", 200), ("/people", 503)):
            with Wire(server) as wire:
                answer = wire.send(head(f"GET {path} HTTP/1.1")).answer()
                assert (answer.status, answer.headers["connection"]) == (status, "close")
                assert wire.ends()
        # The first that asked took the place of one that did not.
        assert silent[0].ends()


def test_who_is_answered_before_the_body_is_sent_has_two_seconds_to_read_it(
    server: Server, tmp_path: Path
) -> None:
    asked = head("POST /people/import HTTP/1.1", JSON, f"Content-Length: {90 * MEBIBYTE}")
    anonymous = asked.replace(AUTHORIZATION, b"")
    with running_server(server.url, tmp_path, max_connections=2) as server, ExitStack() as stack:
        slow, second = (stack.enter_context(Wire(server)) for _ in range(2))
        for wire in (slow, second):
            assert wire.send(anonymous).answer().status == 401
        began = time.monotonic()
        while time.monotonic() - began < 0.8:
            second.send(b" ")
            time.sleep(0.1)
        # They are drained of what still comes, and make room for who has something to ask.
        with Wire(server) as another:
            assert another.send(GET).answer().status == 200
        assert slow.ends()
        second.socket.settimeout(0.1)
        while time.monotonic() - began < 10:
            second.send(b" ")
            try:
                assert second.ends()
                break
            except TimeoutError:
                pass
        assert 1.5 < time.monotonic() - began < 5


def test_one_address_has_a_quarter_of_the_connections(server: Server, tmp_path: Path) -> None:
    settings = {"max_connections": 8, "trusted_proxies": ""}
    with running_server(server.url, tmp_path, **settings) as server, ExitStack() as stack:
        first, second = (stack.enter_context(Wire(server)) for _ in range(2))
        for wire in (first, second):
            assert wire.send(GET).answer().status == 200
        third = stack.enter_context(Wire(server))
        assert third.send(GET).answer().status == 200
        assert first.ends()
        for wire in (second, third):
            wire.send(GET[:9])
        with Wire(server) as wire:
            answer = wire.send(GET).answer()
            assert (answer.status, answer.headers["retry-after"]) == (429, "5")
            assert answer.problem
            assert wire.ends()
        second.socket.close()
        third.send(GET[9:])
        assert third.answer().status == 200


# Who is believed


@pytest.mark.parametrize(("proxies", "status"), [("", 429), ("127.0.0.0/8", 200)])
def test_a_forwarded_address_is_believed_of_a_trusted_proxy_alone(
    server: Server, tmp_path: Path, proxies: str, status: int
) -> None:
    settings = {"rate_limit": "3/hour", "trusted_proxies": proxies}
    with running_server(server.url, tmp_path, **settings) as limited:
        for number in range(5):
            headers = {"X-Forwarded-For": f"203.0.113.{number}"}
            answer = httpx.get(f"{limited.address}/missions", headers=headers)
    assert answer.status_code == status
