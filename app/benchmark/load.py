"""The load generator: a process of its own that sends prepared requests and times the answers.

It reads a load as a line of JSON from its standard input and writes what came of it as a line to
its standard output, until there is no more. It knows nothing of the rest of the program, and just
enough of HTTP/1.1 to see where an answer ends: it must never be what is measured.
"""

import json
import re
import select
import socket
import sys
import time
from dataclasses import asdict, dataclass
from typing import Any

RECEIVED_BYTES = 1 << 20
#: How long an answer may take before the load is given up.
ANSWER_SECONDS = 120.0
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)
_LAST_CHUNK = b"0\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Load:
    """Requests for one server, each sent by whichever connection is free."""

    port: int
    #: Whole requests as text, a character a byte; sent in turn, after the last the first again.
    requests: list[str]
    #: The status that every answer must have.
    status: int
    seconds: float
    connections: int = 16
    #: Whether each is sent once only: the load ends with the last of them.
    once: bool = False


@dataclass(frozen=True, slots=True)
class Timing:
    """What came of a load."""

    answers: int
    seconds: float
    #: Processor time of the generator: when it is nearly `seconds`, the generator is the limit.
    generator_seconds: float
    p50: float
    p99: float
    #: Bytes of answers, with their heads.
    received: int


class WrongStatus(Exception):
    """An answer had another status than the load asks for."""


class Connection:
    """A connection with one request under way."""

    __slots__ = ("begun", "chunked", "head", "left", "sent_at", "socket", "tail")

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._expect()

    def _expect(self) -> None:
        #: Bytes of the body that are still to come; of a chunked one nobody knows.
        self.left, self.chunked, self.begun = 0, False, False
        self.head, self.tail = b"", b""

    def send(self, request: bytes) -> None:
        """Send the next request."""
        self._expect()
        self.sent_at = time.perf_counter()
        self.socket.sendall(request)

    def feed(self, data: bytes, status: bytes) -> bool:
        """Take what was received; whether the answer is complete. WrongStatus says what came."""
        if not self.begun:
            data = self.head + data
            end = data.find(b"\r\n\r\n")
            if end < 0:
                self.head = data
                return False
            self._begin(data, end, status)
            if self.chunked:
                data = data[end + 4 :]
            else:
                self.left += end + 4
        if self.chunked:
            self.tail = (self.tail + data)[-len(_LAST_CHUNK) :]
            return self.tail == _LAST_CHUNK
        self.left -= len(data)
        return self.left <= 0

    def _begin(self, data: bytes, end: int, status: bytes) -> None:
        if data[9:12] != status:
            head, body = data[:end].partition(b"\r\n")[0], data[end + 4 :][:300]
            raise WrongStatus(f"{head.decode('latin-1')} {body.decode(errors='replace')}")
        self.begun = True
        length = _LENGTH.search(data, 0, end)
        if length is not None:
            self.left = int(length[1])
        elif status not in (b"204", b"304"):
            self.chunked = _CHUNKED.search(data, 0, end) is not None


def run(load: Load) -> Timing:
    """Send the requests for as long as the load says.

    WrongStatus with the answer that had it; TimeoutError where none came.
    """
    requests = [request.encode("latin-1") for request in load.requests]
    connections = {}
    try:
        for _ in range(min(load.connections, len(requests) if load.once else load.connections)):
            connection = Connection(load.port)
            connections[connection.socket.fileno()] = connection
        return _drive(load, requests, connections)
    finally:
        for connection in connections.values():
            connection.socket.close()


def _drive(load: Load, requests: list[bytes], connections: dict[int, Connection]) -> Timing:
    status, times, received = str(load.status).encode(), [], 0
    count, last = len(requests), len(requests) if load.once else sys.maxsize
    buffer = memoryview(bytearray(RECEIVED_BYTES))
    ready = select.poll()
    clock, processor = time.perf_counter, time.process_time
    began, began_processor = clock(), processor()
    ends = began + load.seconds
    for sent, (number, connection) in enumerate(connections.items()):
        ready.register(number, select.POLLIN)
        connection.send(requests[sent % count])
    sent, open_ones, now = len(connections), len(connections), began
    while open_ones:
        found = ready.poll(ANSWER_SECONDS * 1000)
        if not found:
            raise TimeoutError(f"No answer within {ANSWER_SECONDS:g} s.")
        for number, _ in found:
            connection = connections[number]
            size = connection.socket.recv_into(buffer)
            if not size:
                raise ConnectionError("The server has closed a connection that was to be kept.")
            received += size
            if not connection.feed(bytes(buffer[:size]), status):
                continue
            now = clock()
            times.append(now - connection.sent_at)
            if now < ends and sent < last:
                connection.send(requests[sent % count])
                sent += 1
            else:
                ready.unregister(number)
                open_ones -= 1
    used = processor() - began_processor
    return Timing(len(times), now - began, used, *quantiles(times), received)


def quantiles(times: list[float]) -> tuple[float, float]:
    """Half of the times are below the first, 99 of 100 below the second."""
    times.sort()
    return times[len(times) // 2], times[min(len(times) - 1, len(times) * 99 // 100)]


def main() -> None:
    """Run loads until the standard input ends."""
    for line in sys.stdin:
        told: dict[str, Any]
        try:
            told = asdict(run(Load(**json.loads(line))))
        except (WrongStatus, OSError) as error:
            told = {"error": f"{type(error).__name__}: {error}"}
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
