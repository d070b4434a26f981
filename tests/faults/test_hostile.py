"""Clients that send what is no HTTP, or unusual HTTP."""

from collections.abc import Iterator

import pytest

from tests.faults.conftest import copied
from tests.faults.wire import Wire, head
from tests.servers import Server, running_server
from tests.templates import seeded_url


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server; nothing of this comes as far as the database."""
    folder = tmp_path_factory.mktemp("hostile")
    with running_server(copied(seeded_url("sqlite"), folder), folder) as server:
        with server.client() as client:
            client.get("/agreements.csv")
        yield server
        assert server.stop() == 0
        assert "Traceback" not in server.text()
        assert '"error"' not in server.text()


@pytest.fixture(autouse=True)
def unharmed(server: Server) -> Iterator[None]:
    """After each test the server answers others."""
    yield
    with server.client() as client:
        assert client.get("/missions").status_code == 200


JSON = "Content-Type: application/json"
GET = head("GET /missions HTTP/1.1")
LONG = "x" * 9000

#: What is sent, and the status of the problem that answers it before the connection ends.
REFUSED: dict[str, tuple[bytes, int]] = {
    "an address that is too long": (head(f"GET /missions?q={LONG} HTTP/1.1"), 431),
    "headers that are too large": (head("GET /missions HTTP/1.1", *[f"X: {LONG}"] * 4), 431),
    "too many headers": (head("GET /missions HTTP/1.1", *["X: y"] * 101), 431),
    "an address in Cyrillic": ("GET /missions?q=мир HTTP/1.1\r\nHost: a\r\n\r\n".encode(), 400),
    "a path in Cyrillic": ("GET /миссии HTTP/1.1\r\nHost: a\r\n\r\n".encode(), 400),
    "a host in Cyrillic": ("GET http://мир/ HTTP/1.1\r\nHost: a\r\n\r\n".encode(), 400),
    "an address with a space": (head("GET /missions?q=a b HTTP/1.1"), 400),
    "NUL in the address": (head("GET /mis\0sions HTTP/1.1"), 400),
    "a control character in the address": (head("GET /mis\x01sions HTTP/1.1"), 400),
    "NUL in a header": (head("GET /missions HTTP/1.1", "X: a\0b"), 400),
    "a control character in a header": (head("GET /missions HTTP/1.1", "X: a\x07b"), 400),
    "a space before the colon": (head("GET /missions HTTP/1.1", "X : a"), 400),
    "a header in two lines": (head("GET /missions HTTP/1.1", "X: a", " b"), 400),
    "lines that end in LF alone": (GET.replace(b"\r\n", b"\n"), 400),
    "no Host": (b"GET /missions HTTP/1.1\r\n\r\n", 400),
    "two Hosts": (head("GET /missions HTTP/1.1", "Host: other"), 400),
    "two Hosts in one": (b"GET /missions HTTP/1.1\r\nHost: a, b\r\n\r\n", 400),
    "a Host with a path": (b"GET /missions HTTP/1.1\r\nHost: a/b\r\n\r\n", 400),
    "a Host of markup": (b"GET /missions HTTP/1.1\r\nHost: <b>\r\n\r\n", 400),
    "a Host with a port that is none": (b"GET /missions HTTP/1.1\r\nHost: a:b\r\n\r\n", 400),
    "random bytes": (bytes(range(128, 256)) * 4, 400),
    "a TLS handshake": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64), 400),
    "the preface of HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "HTTP/2.0 in words": (head("GET /missions HTTP/2.0"), 400),
    "HTTP/3.0 in words": (head("GET /missions HTTP/3.0"), 400),
    "an unknown method": (head("BREW /missions HTTP/1.1"), 405),
    "CONNECT": (head("CONNECT example.org:443 HTTP/1.1"), 405),
    "an address that is none": (head("GET missions HTTP/1.1"), 400),
    "the address of another protocol": (head("GET ftp://test/missions HTTP/1.1"), 400),
    "a port that is none": (head("GET http://test:999999/missions HTTP/1.1"), 400),
    "a WebSocket": (
        head(
            "GET /changes HTTP/1.1",
            "Connection: Upgrade",
            "Upgrade: WebSocket",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        ),
        400,
    ),
    "two lengths": (
        head("POST /people HTTP/1.1", JSON, "Content-Length: 2", "Content-Length: 2") + b"{}",
        400,
    ),
    "two lengths in one": (head("POST /people HTTP/1.1", JSON, "Content-Length: 2, 2"), 400),
    "a negative length": (head("POST /people HTTP/1.1", JSON, "Content-Length: -2"), 400),
    "a length with a sign": (head("POST /people HTTP/1.1", JSON, "Content-Length: +2"), 400),
    "a length that is no number": (head("POST /people HTTP/1.1", JSON, "Content-Length: x"), 400),
    "a length beyond 64 bits": (
        head("POST /people HTTP/1.1", JSON, f"Content-Length: {'9' * 30}"),
        400,
    ),
    "a length and chunks": (
        head("POST /people HTTP/1.1", JSON, "Content-Length: 2", "Transfer-Encoding: chunked")
        + b"2\r\n{}\r\n0\r\n\r\n",
        400,
    ),
    "chunks, and a length after": (
        head("POST /people HTTP/1.1", JSON, "Transfer-Encoding: chunked", "Content-Length: 2"),
        400,
    ),
    "chunks twice, with a body": (
        head("POST /people HTTP/1.1", JSON, *["Transfer-Encoding: chunked"] * 2)
        + b"2\r\n{}\r\n0\r\n\r\n",
        400,
    ),
    "chunks twice, in other cases": (
        head("POST /people HTTP/1.1", JSON, "transfer-encoding: CHUNKED", "Transfer-Encoding: x")
        + b"0\r\n\r\n",
        400,
    ),
    "chunks in HTTP/1.0, in another case": (
        head("POST /people HTTP/1.0", JSON, "TRANSFER-ENCODING: ChunKED") + b"0\r\n\r\n",
        400,
    ),
    "chunks twice": (head("POST /people HTTP/1.1", JSON, *["Transfer-Encoding: chunked"] * 2), 400),
    "a coding of the body": (
        head("POST /people HTTP/1.1", JSON, "Transfer-Encoding: gzip, chunked") + b"0\r\n\r\n",
        400,
    ),
    "another coding of the body": (
        head("POST /people HTTP/1.1", JSON, "Transfer-Encoding: xchunked"),
        400,
    ),
    "chunks in HTTP/1.0": (
        head("POST /people HTTP/1.0", JSON, "Transfer-Encoding: chunked") + b"0\r\n\r\n",
        400,
    ),
    "a size of a chunk that is none": (
        head("POST /people HTTP/1.1", JSON, "Transfer-Encoding: chunked") + b"zz\r\n{}\r\n",
        400,
    ),
    "a size of a chunk beyond 64 bits": (
        head("POST /people HTTP/1.1", JSON, "Transfer-Encoding: chunked") + b"f" * 17 + b"\r\n",
        400,
    ),
    "a chunk longer than it says": (
        head("POST /people HTTP/1.1", JSON, "Transfer-Encoding: chunked") + b"2\r\n{}}\r\n",
        400,
    ),
}


@pytest.mark.parametrize("sent", REFUSED)
def test_what_is_no_request_is_refused_as_a_problem_and_the_connection_ends(
    server: Server, sent: str
) -> None:
    data, status = REFUSED[sent]
    with Wire(server) as wire:
        answer = wire.send(data).answer()
        assert answer.status == status, answer
        assert answer.problem
        assert answer.headers["connection"] == "close"
        assert wire.ends()


def test_an_address_in_cyrillic_is_told_how_it_is_written(server: Server) -> None:
    with Wire(server) as wire:
        wire.send("GET /missions?q=мир HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        assert "/missions?q=%D0%BC%D0%B8%D1%80" in wire.answer().problem["detail"]


#: What is unusual and right: the status that answers it, after which the connection goes on.
TAKEN: dict[str, tuple[bytes, int]] = {
    "an absolute address": (head("GET http://test/missions HTTP/1.1"), 200),
    "an absolute address without a path": (head("GET http://test HTTP/1.1"), 307),
    "a Host that is an address of IPv6": (b"GET /missions HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", 200),
    "an empty Host": (b"GET /missions HTTP/1.1\r\nHost:\r\n\r\n", 200),
    "a Host with an underscore": (b"GET /missions HTTP/1.1\r\nHost: a_b:80\r\n\r\n", 200),
    "an empty line before": (b"\r\n\r\n" + GET, 200),
    "an upgrade to HTTP/2": (
        head(
            "GET /missions HTTP/1.1",
            "Connection: Upgrade, HTTP2-Settings",
            "Upgrade: h2c",
            "HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA",
        ),
        200,
    ),
    "GET with a body": (head("GET /missions HTTP/1.1", "Content-Length: 4") + b"body", 200),
    "TRACE": (head("TRACE /missions HTTP/1.1"), 405),
    "PROPFIND": (head("PROPFIND /missions HTTP/1.1"), 405),
    "OPTIONS of everything": (head("OPTIONS * HTTP/1.1"), 404),
    "chunks with extensions and trailers": (
        head("POST /people?dry_run=true HTTP/1.1", JSON, "Transfer-Encoding: chunked")
        + b'13;a=b\r\n{"full_name":"Name"\r\n1\r\n}\r\n0\r\nX-Trailer: y\r\n\r\n',
        201,
    ),
    "a compressed body": (
        head("POST /people HTTP/1.1", JSON, "Content-Encoding: gzip", "Content-Length: 4")
        + b"gzip",
        415,
    ),
    "NUL in the address, encoded": (head("GET /missions/%00 HTTP/1.1"), 404),
}


@pytest.mark.parametrize("sent", TAKEN)
def test_what_is_unusual_is_answered_and_the_connection_goes_on(server: Server, sent: str) -> None:
    data, status = TAKEN[sent]
    with Wire(server) as wire:
        answer = wire.send(data).answer()
        assert answer.status == status, answer
        assert answer.status < 400 or answer.problem
        assert wire.send(GET).answer().status == 200


def test_head_with_a_body_is_answered_without_one(server: Server) -> None:
    with Wire(server) as wire:
        wire.send(head("HEAD /missions HTTP/1.1", "Content-Length: 4") + b"body" + GET)
        assert wire.answer("HEAD").status == 200
        assert wire.answer().body.startswith(b"{")


def test_http_1_0_is_answered_and_the_connection_ends(server: Server) -> None:
    with Wire(server) as wire:
        answer = wire.send(b"GET /missions HTTP/1.0\r\n\r\n").answer()
        assert answer.status == 200
        assert wire.ends()


def test_requests_sent_together_are_answered_in_their_order(server: Server) -> None:
    with Wire(server) as wire:
        wire.send(GET + head("GET /nothing HTTP/1.1") + GET)
        assert [wire.answer().status for _ in range(3)] == [200, 404, 200]


def test_garbage_after_a_request_does_not_take_away_its_answer(server: Server) -> None:
    with Wire(server) as wire:
        wire.send(GET + GET + b"garbage\r\n\r\n")
        assert [wire.answer().status for _ in range(3)] == [200, 200, 400]
        assert wire.ends()


def test_a_broken_body_after_a_request_does_not_take_away_its_answer(server: Server) -> None:
    broken = head("POST /people HTTP/1.1", JSON, "Transfer-Encoding: chunked") + b"zz\r\n"
    with Wire(server) as wire:
        wire.send(GET + broken)
        assert [wire.answer().status for _ in range(2)] == [200, 400]
        assert wire.ends()


def test_nobody_piles_up_requests_without_end(server: Server) -> None:
    with Wire(server) as wire:
        wire.send(GET * 1000)
        statuses = [wire.answer().status]
        while statuses[-1] == 200:
            statuses.append(wire.answer().status)
        assert statuses[-1] == 429
        assert len(statuses) <= 110
        assert wire.ends()


def test_a_trailer_is_no_header(server: Server) -> None:
    body = b'16\r\n{"full_name":"Trailed"\r\n1\r\n}\r\n0\r\nPrefer: return=minimal\r\n\r\n'
    first = head("POST /people?dry_run=true HTTP/1.1", JSON, "Transfer-Encoding: chunked")
    with Wire(server) as wire:
        answer = wire.send(first + body).answer()
        assert answer.status == 201
        assert b"Trailed" in answer.body
