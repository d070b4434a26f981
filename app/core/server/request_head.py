"""What the head of a request must be like for anybody to act upon it."""

import re
from collections.abc import Sequence

import httptools

from app.core.errors import BadRequest
from app.core.server import refused_requests
from app.core.server.protocol_limits import Limits

Headers = Sequence[tuple[bytes, bytes]]
#: A name or an address, and perhaps a port (RFC 9110, 7.2; RFC 3986, 3.2.2).
_is_host = re.compile(rb"(\[[0-9A-Fa-f:.]+\]|[\w.~!$&'()*+,;=%-]*)(:[0-9]*)?", re.ASCII).fullmatch
_CODING = "The only Transfer-Encoding of a body is chunked, once, in HTTP/1.1."


def check_head(headers: Headers, version: str, fed: int, limits: Limits) -> bool:
    """Whether a body follows; raises the problem of a head that nobody should act upon. `fed` is
    how many bytes were received for it, and perhaps some after it."""
    hosts, has_body, codings = 0, False, 0
    for name, value in headers:
        if name == b"host":
            hosts += 1
            if not _is_host(value):
                raise BadRequest("The Host header is no name or address with or without a port.")
        elif name == b"content-length":
            has_body = True
        elif name == b"transfer-encoding":
            has_body, codings = True, codings + 1
            if value.lower() != b"chunked":
                raise BadRequest(_CODING)
    if fed > limits.headers or len(headers) > limits.header_count:
        _check_size(headers, limits)
    # On two lines it is a list: chunked twice, which a proxy may read otherwise than we do.
    if codings > (version != "1.0"):
        raise BadRequest(_CODING)
    if version not in ("1.1", "1.0"):
        raise BadRequest(f"This service speaks HTTP/1.1, not HTTP/{version}.")
    if hosts != 1 and (hosts or version == "1.1"):
        raise BadRequest("A request has one Host header, which names this service.")
    return has_body


def _check_size(headers: Headers, limits: Limits) -> None:
    size = sum(len(name) + len(value) + 4 for name, value in headers)
    if size > limits.headers or len(headers) > limits.header_count:
        raise refused_requests.large_headers(limits)


def check_upgrade(method: bytes, headers: Headers) -> None:
    """Raises the problem of a request to go on in something else than HTTP."""
    if method == b"CONNECT":
        raise refused_requests.unknown_method()
    if (b"upgrade", b"websocket") in ((name, value.lower()) for name, value in headers):
        raise refused_requests.no_upgrade()


def path_within(address: bytes) -> bytes:
    """The path and query of `http://host/path`, as RFC 9112, 3.2.2 asks of every server."""
    if address == b"*":
        return b"/*"
    parsed = httptools.parse_url(address)
    if parsed.schema is None or parsed.schema.lower() not in (b"http", b"https"):
        raise BadRequest("The address of a request begins with / or http://.")
    return (parsed.path or b"/") + (b"?" + parsed.query if parsed.query else b"")
