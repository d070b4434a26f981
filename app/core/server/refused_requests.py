"""What is told to a client whose bytes are no request."""

import logging
import re
from urllib.parse import quote
from uuid import uuid4

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from app.core.errors import (
    PROBLEM_TYPE,
    BadRequest,
    HeadersTooLarge,
    MethodNotAllowed,
    Problem,
    TooManyRequests,
    Unavailable,
)
from app.core.server.protocol_limits import Limits

log = logging.getLogger("trade_missions")

METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
_METHOD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+) ")
#: An address with what must not stand in it as it is.
_ADDRESS = re.compile(rb"^[A-Z]+ (.*?)(?: [A-Z]+/[0-9.]+)?\r?$", re.MULTILINE)
_PLAIN = "/?#[]@!$&'()*+,;=%:~"


def as_bytes(problem: Problem, instance: str, headers: list[tuple[bytes, bytes]]) -> bytes:
    """The whole answer that tells a problem and closes the connection."""
    request_id = uuid4().hex
    body = problem.body(instance, request_id)
    lines = [
        *headers,
        *problem.header_lines(),
        (b"content-type", PROBLEM_TYPE.encode()),
        (b"content-length", b"%d" % len(body)),
        (b"x-request-id", request_id.encode()),
        (b"connection", b"close"),
    ]
    head = b"".join(b"%b: %b\r\n" % line for line in lines)
    return STATUS_LINE[problem.status] + head + b"\r\n" + body


def explained(error: httptools.HttpParserError, data: bytes) -> Problem:
    """The problem of bytes that the parser refused."""
    if isinstance(error.__context__, Problem):
        return error.__context__
    if isinstance(error, httptools.HttpParserInvalidMethodError):
        return _wrong_method(data)
    found = _ADDRESS.search(data)
    address = found[1] if found else b""
    if isinstance(error, httptools.HttpParserInvalidURLError) or b" " in address:
        return _wrong_address(address)
    if isinstance(error, httptools.HttpParserCallbackError):
        if not isinstance(error.__context__, httptools.HttpParserError):
            log.error("reading a request failed", exc_info=error.__context__)
        return BadRequest("The address of the request is not one of HTTP.")
    detail = next((ours for theirs, ours in _FAULTS if theirs in str(error)), "")
    return BadRequest(f"This is not valid HTTP/1.1{detail}.")


#: What the parser says, by words that it says it with, and how we say it.
_FAULTS = (
    ("PRI", "; HTTP/2 is not spoken here: ask with HTTP/1.1"),
    ("can't be present", ": a body has either a Content-Length or a Transfer-Encoding"),
    ("Duplicate Content-Length", ": Content-Length stands there twice"),
    ("Content-Length overflow", ": Content-Length is larger than any body"),
    ("Content-Length", ": Content-Length must be a number in digits alone"),
    ("Transfer-Encoding", ": the one Transfer-Encoding that is taken is chunked, once"),
    ("Chunk", ": the size of a chunk is larger than any body"),
    (
        "chunk",
        ": a chunk is its size in hexadecimal digits, then so many bytes, each with a line end",
    ),
    ("CR", ": each line must end with a carriage return and a line feed"),
    ("LF", ": each line must end with a carriage return and a line feed"),
    ("Unexpected space", ": there is a space before the first header"),
    ("header", ": a header is its name of letters, digits and -, a colon, and plain text"),
    ("version", ": the first line must end with HTTP/1.1"),
    ("Expected", ": the first line must end with HTTP/1.1"),
)


def _wrong_method(data: bytes) -> Problem:
    if data.startswith(b"\x16\x03"):
        return BadRequest("This port speaks HTTP, not HTTPS: write http:// in the address.")
    found = _METHOD.match(data)
    # After a known method it is a later request that is wrong, which begins with anything.
    if found and found[1].decode() not in METHODS.split(", "):
        return unknown_method()
    return BadRequest("This is not HTTP: a request begins with a method, such as GET.")


def _wrong_address(address: bytes) -> Problem:
    right = quote(address[:100], safe=_PLAIN)
    return BadRequest(
        "An address has no spaces, control characters or letters beyond ASCII: write them as UTF-8"
        f" with percent signs. What was sent begins, so written, with {right}"
    )


def unknown_method() -> MethodNotAllowed:
    """The 405 of a method that no address has."""
    return MethodNotAllowed(
        f"There is no such method here; possible: {METHODS}.", headers={"Allow": METHODS}
    )


def no_upgrade() -> BadRequest:
    """The 400 of a WebSocket."""
    return BadRequest("This service speaks HTTP alone, no WebSocket.")


def long_address(limits: Limits) -> HeadersTooLarge:
    """The 431 of an address beyond the limit."""
    return HeadersTooLarge(
        f"The address is longer than {limits.address} bytes. Ask for less at a time."
    )


def large_headers(limits: Limits) -> HeadersTooLarge:
    """The 431 of headers beyond the limit."""
    return HeadersTooLarge(
        f"The headers are more than {limits.header_count}, or together longer than"
        f" {limits.headers} bytes."
    )


def too_many_waiting(limits: Limits) -> TooManyRequests:
    """The 429 of one that sends without waiting for answers."""
    return TooManyRequests(
        f"More than {limits.pipelined} requests wait on this connection: read their answers first.",
        headers={"Retry-After": "1"},
    )


def too_many_of_address() -> TooManyRequests:
    """The 429 of a connection beyond those that one address may hold."""
    return TooManyRequests(
        "Too many connections are open from your address. Close some, or send more requests on"
        " each.",
        headers={"Retry-After": "5"},
    )


def too_many_connections() -> Unavailable:
    """The 503 of a connection beyond the limit."""
    return Unavailable(
        "Too many connections are open. Close some, or try again shortly.",
        headers={"Retry-After": "5"},
    )
