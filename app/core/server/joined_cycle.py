"""Answers whose head and body leave in one piece, where uvicorn sends one after the other.

The second sending costs an answer of a kilobyte a tenth of its time, and the client as much again.
Uvicorn also looks at all names and values with two patterns; most of them are the same each time.
"""

import re
from collections.abc import Iterable

from uvicorn._types import ASGISendEvent
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

Header = tuple[bytes, bytes]

#: What has few values in all, so that its lines are looked at once.
_CONSTANT = frozenset(
    (
        *(b"cache-control", b"content-encoding", b"content-security-policy", b"content-type"),
        b"date",
        *(b"ratelimit-policy", b"referrer-policy", b"vary"),
        *(b"x-content-type-options", b"x-frame-options"),
    )
)
#: How many lines are remembered: the date makes a new one each second.
MAX_LINES = 500
#: What no header may be otherwise; uvicorn says what is wrong.
_LINE = re.compile(rb"[a-z0-9-]+: [^\x00-\x08\x0a-\x1f\x7f]*\r\n")
#: What changes how the body is sent.
_FRAMING = (b"transfer-encoding", b"connection")
_BODILESS = (204, 304)

_lines: dict[Header, bytes] = {}


class JoinedCycle(RequestResponseCycle):
    """A request and its answer, whose head waits for the body that it tells the length of.

    Anything unusual is left to uvicorn.
    """

    #: What waits; none where it is sent.
    head = b""

    async def send(self, message: ASGISendEvent) -> None:
        if message["type"] == "http.response.start":
            if self._holds(message["status"], message.get("headers", ())):
                return
        elif self.head and message["type"] == "http.response.body":
            head, self.head = self.head, b""
            # As if it belonged to the body.
            self.expected_content_length += len(head)
            message = {**message, "body": head + message.get("body", b"")}
        await super().send(message)

    def _holds(self, status: int, headers: Iterable[Header]) -> bool:
        is_usual = self.keep_alive and self.scope["method"] != "HEAD"
        if not is_usual or self.response_started or self.disconnected:
            return False
        found = head_of(status, [*self.default_headers, *headers])
        if found is None:
            return False
        self.head, length = found
        self.response_started = True
        self.waiting_for_100_continue = False
        if length is not None:
            self.expected_content_length = length
            self.chunked_encoding = False
        return True


def head_of(status: int, headers: Iterable[Header]) -> tuple[bytes, int | None] | None:
    """The bytes of a head, and how long the body is; None where uvicorn has to look at it."""
    lines, length = [STATUS_LINE[status]], None
    for header in headers:
        line = _lines.get(header)
        if line is None:
            name, value = header
            line = b"%b: %b\r\n" % header
            if name in _FRAMING or _LINE.fullmatch(line) is None:
                return None
            if name == b"content-length":
                length = int(value)
            elif name in _CONSTANT:
                if len(_lines) >= MAX_LINES:
                    _lines.clear()
                _lines[header] = line
        lines.append(line)
    if length is None and status not in _BODILESS:
        return None
    lines.append(b"\r\n")
    return b"".join(lines), length
