"""An answer is, byte for byte, the one that uvicorn sends; head and body in one piece."""

import asyncio
import logging
from typing import Any

import pytest
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from app.core.server import joined_cycle
from app.core.server.joined_cycle import MAX_LINES, JoinedCycle, head_of

JSON = (b"content-type", b"application/json")
DATE = (b"date", b"Sun, 29 Nov 2026 06:24:50 GMT")
LENGTH = (b"content-length", b"2")
Answer = tuple[int, list[tuple[bytes, bytes]], list[bytes], str, bool]
#: Status, headers, pieces of the body, method, whether the connection is kept.
JOINED: list[Answer] = [
    (200, [JSON, LENGTH], [b"{}"], "GET", True),
    (200, [JSON, LENGTH, (b"vary", b"Accept"), (b"etag", b'"1"')], [b"{}"], "POST", True),
    (200, [JSON, LENGTH], [b"{", b"}"], "GET", True),
    (200, [JSON, LENGTH], [b"", b"{}"], "GET", True),
    (200, [JSON, LENGTH, (b"x-tab", b"a\tb\xff")], [b"{}"], "GET", True),
    (200, [JSON, (b"content-length", b"0")], [b""], "GET", True),
    (204, [], [b""], "DELETE", True),
    (304, [(b"etag", b'W/"1"')], [b""], "GET", True),
]
LEFT: list[Answer] = [
    (200, [JSON, LENGTH], [b""], "HEAD", True),
    (200, [JSON, LENGTH], [b"{}"], "GET", False),
    (200, [JSON, LENGTH, (b"connection", b"close")], [b"{}"], "GET", True),
    (200, [JSON], [b"{}"], "GET", True),
    (200, [JSON, (b"transfer-encoding", b"chunked")], [b"{", b"}"], "GET", True),
    (200, [JSON, (b"Content-Length", b"2")], [b"{}"], "GET", True),
]
WRONG: list[Answer] = [
    (200, [JSON, (b"content-length", b"9")], [b"{}"], "GET", True),
    (200, [JSON, LENGTH], [b"{}{}"], "GET", True),
    (200, [JSON, LENGTH, (b"x-bad", b"a\r\nset-cookie: b")], [b"{}"], "GET", True),
    (200, [JSON, LENGTH, (b"x bad", b"a")], [b"{}"], "GET", True),
    (200, [JSON, LENGTH, (b"vary", b"a\0")], [b"{}"], "GET", True),
]


class _Transport:
    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.closed = False

    def write(self, data: bytes) -> None:
        self.pieces.append(data)

    def close(self) -> None:
        self.closed = True


class _Flow:
    write_paused = False


async def _answered(cls: type[RequestResponseCycle], answer: Answer) -> tuple[list[bytes], Any]:
    """What is sent; how the connection and the answer stand then, and what was wrong with it."""
    status, headers, pieces, method, keep_alive = answer
    transport, done = _Transport(), []
    made: Any = cls
    cycle = made(
        scope={"method": method},
        transport=transport,
        flow=_Flow(),
        logger=logging.getLogger("test"),
        access_logger=logging.getLogger("test"),
        access_log=False,
        default_headers=[DATE],
        message_event=asyncio.Event(),
        expect_100_continue=True,
        keep_alive=keep_alive,
        on_response=lambda: done.append(True),
    )
    error = ""
    try:
        await cycle.send({"type": "http.response.start", "status": status, "headers": headers})
        for number, body in enumerate(pieces, 1):
            more = number < len(pieces)
            await cycle.send({"type": "http.response.body", "body": body, "more_body": more})
    except RuntimeError as told:
        error = str(told)
    state = {name: value for name, value in vars(cycle).items() if type(value) in (bool, int)}
    return transport.pieces, (transport.closed, state, done, error)


async def test_an_answer_is_sent_as_uvicorn_sends_it() -> None:
    for answer in [*JOINED, *LEFT] * 2:  # Once more, with what is remembered.
        ours, state = await _answered(JoinedCycle, answer)
        theirs, right = await _answered(RequestResponseCycle, answer)
        assert (b"".join(ours), state) == (b"".join(theirs), right), answer


async def test_head_and_body_are_sent_in_one_piece() -> None:
    for answer in JOINED:
        ours, _ = await _answered(JoinedCycle, answer)
        assert len(ours) == len(answer[2]), answer
        assert ours[0].endswith(b"\r\n\r\n" + answer[2][0]), answer


async def test_what_is_wrong_with_an_answer_is_told_as_uvicorn_tells_it() -> None:
    for answer in WRONG:
        _, (*_, ours) = await _answered(JoinedCycle, answer)
        _, (*_, theirs) = await _answered(RequestResponseCycle, answer)
        assert ours == theirs != "", answer


def test_few_lines_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joined_cycle, "_lines", {})
    for number in range(MAX_LINES * 3):
        head_of(200, [(b"date", b"%d" % number), (b"x-request-id", b"%d" % number), LENGTH])
    assert len(joined_cycle._lines) <= MAX_LINES
    assert {name for name, _ in joined_cycle._lines} == {b"date"}
