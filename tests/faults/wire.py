"""Raw connections: bytes go out as they are, and answers come back as a client would see them."""

import json
import socket
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from tests.keys import BEARER
from tests.servers import Server

AUTHORIZATION = b"Authorization: " + BEARER["Authorization"].encode() + b"\r\n"


@dataclass
class Answer:
    """One answer of the server's."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def problem(self) -> dict[str, Any]:
        """The problem document; fails where the answer is none."""
        assert self.headers["content-type"] == "application/problem+json", self
        told: dict[str, Any] = json.loads(self.body)
        assert told["status"] == self.status
        assert told["detail"]
        assert told["request_id"] == self.headers["x-request-id"]
        return told


class Wire:
    """A connection to a server."""

    def __init__(
        self, server: Server, receive_buffer: int | None = None, address: str = "127.0.0.1"
    ) -> None:
        self.socket = socket.socket()
        if receive_buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(30)
        try:
            self.socket.bind((address, 0))
            self.socket.connect(("127.0.0.1", server.port))
        except OSError:
            self.socket.close()
            raise
        self.got = b""

    def send(self, data: bytes) -> "Wire":
        """Send the bytes, or as many as the server takes before it closes."""
        with suppress(BrokenPipeError, ConnectionResetError):
            self.socket.sendall(data)
        return self

    def _more(self) -> bool:
        data = self.socket.recv(65536)
        self.got += data
        return bool(data)

    def answer(self, method: str = "GET") -> Answer:
        """The next answer; EOFError when the connection ends before it is complete."""
        while b"\r\n\r\n" not in self.got:
            if not self._more():
                raise EOFError(self.got)
        head, _, self.got = self.got.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {
            name.lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)
        }
        status = int(first.split()[1])
        size = 0 if method == "HEAD" or status < 200 else int(headers.get("content-length", 0))
        while len(self.got) < size:
            if not self._more():
                raise EOFError(self.got)
        body, self.got = self.got[:size], self.got[size:]
        return Answer(status, headers, body)

    def ends(self) -> bool:
        """Whether the server sends nothing more and closes."""
        try:
            return not self.got and not self._more()
        except ConnectionResetError:
            return True

    def close(self) -> None:
        self.socket.close()

    def __enter__(self) -> "Wire":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def head(first: str, *lines: str, encoding: str = "latin-1") -> bytes:
    """The head of a request as HTTP/1.1 has it, with a Host and the admin key."""
    told = "".join(f"{line}\r\n" for line in (first, "Host: test", *lines))
    return told.encode(encoding) + AUTHORIZATION + b"\r\n"
