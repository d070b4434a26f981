"""The load generator: it sees where each answer ends, counts them, and takes no other status."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from app.benchmark.load import Load, WrongStatus, run

ASKED = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\n"


@contextmanager
def answering(*pieces: bytes) -> Iterator[int]:
    """A server that answers each request of one connection with these pieces, one by one."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_answer, args=(listener, pieces))
        thread.start()
        yield listener.getsockname()[1]
        thread.join()


def _answer(listener: socket.socket, pieces: tuple[bytes, ...]) -> None:
    connection, _ = listener.accept()
    with connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while connection.recv(4096):
            for piece in pieces:
                connection.sendall(piece)


ANSWERS: dict[str, tuple[int, tuple[bytes, ...]]] = {
    "whole": (200, (OK + b"Content-Length: 2\r\n\r\n{}",)),
    "its body in pieces": (200, (OK + b"content-length: 4\r\n\r\n{", b"  ", b"}")),
    "its head in pieces": (200, (b"HTTP/1.1 2", b"00 OK\r\nContent-Le", b"ngth: 2\r\n\r\n{}")),
    "in chunks": (200, (OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n", b"0\r", b"\n\r\n")),
    "without a body": (304, (b"HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n",)),
    "deleted": (204, (b"HTTP/1.1 204 No Content\r\n\r\n",)),
}


def test_an_answer_ends_where_its_head_says_however_it_arrives() -> None:
    for name, (status, pieces) in ANSWERS.items():
        with answering(*pieces) as port:
            timing = run(Load(port, [ASKED] * 3, status, 10, connections=1, once=True))
        size = sum(len(piece) for piece in pieces)
        assert (timing.answers, timing.received) == (3, 3 * size), name
        assert 0 < timing.p50 <= timing.p99, name


def test_an_answer_of_another_status_ends_the_load_and_is_told() -> None:
    with (
        answering(b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 4\r\n\r\nslow") as port,
        pytest.raises(WrongStatus, match=r"429 Too Many Requests[\s\S]*slow"),
    ):
        run(Load(port, [ASKED], 200, 1, connections=1))


def test_a_connection_that_is_closed_ends_the_load() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=lambda: listener.accept()[0].close())
        thread.start()
        with pytest.raises(ConnectionError):
            run(Load(listener.getsockname()[1], [ASKED], 200, 1, connections=1))
        thread.join()
