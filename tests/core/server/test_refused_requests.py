"""What is told of bytes that are no request: our own words, not the parser's."""

import httptools

from app.core.server.refused_requests import explained

#: Requests as they arrive, with what must be said of them.
SENT = {
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n": "HTTP/2 is not spoken here",
    b"GET / HTTP/1.1\r\nA b: c\r\n\r\n": "a header is its name",
    b"GET / HTTP/1.1\r\nX: a\x01b\r\n\r\n": "a header is its name",
    b"GET / HTTP/1.1\r\n X: a\r\n\r\n": "a space before the first header",
    b"GET / HTTP/9.9\r\n\r\n": "must end with HTTP/1.1",
    b"GET / FTP/1.1\r\n\r\n": "must end with HTTP/1.1",
    b"GET / HTTP/1.1\nX: a\n\n": "a carriage return and a line feed",
    b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n": "a number in digits alone",
    b"POST / HTTP/1.1\r\nContent-Length:\r\n\r\n": "a number in digits alone",
    b"POST / HTTP/1.1\r\nContent-Length: %b\r\n\r\n" % (b"9" * 30): "larger than any body",
    b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n": "stands there twice",
    b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n": "either",
    b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n": "either",
    b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n": "chunked, once",
    b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n": "hexadecimal digits",
    b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n%b\r\n" % (b"f" * 17): "a chunk",
    b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}}\r\n": "a chunk",
}
THEIRS = ("Invalid", "token", "Expected", "Unexpected", "Pause", "char ", "overflow", "Duplicate")


def told(data: bytes) -> str:
    try:
        httptools.HttpRequestParser(object()).feed_data(data)
    except httptools.HttpParserError as error:
        return explained(error, data).detail
    return ""


def test_what_is_no_http_is_told_in_our_own_words() -> None:
    faults = []
    for data, words in SENT.items():
        said = told(data)
        if words not in said or any(word in said for word in THEIRS):
            faults.append(f"{data!r}: {said}")
    assert not faults, "\n".join(faults)
