"""Conditional requests (RFC 9110, 13): entity tags, and what If-Match and If-None-Match say."""

import re

from starlette.requests import Request
from starlette.responses import Response

from app.core.errors import BadRequest
from app.core.loose_types import Values

_TAG = re.compile(r'\s*((?:W/)?"[\x21\x23-\x7e\x80-\xff]*")\s*(?:,|$)')
_EMPTY = re.compile(r"\s*,")
#: What Apache and others write into the tag of an answer that they have compressed.
_CODED = re.compile(r'[-;](?:gzip|br|zstd|deflate)"$')


def tags_in(request: Request, header: str) -> list[str] | None:
    """The entity tags of a header, `["*"]` for any; None where the header is not sent.

    BadRequest for what is no list of tags: a guard that is not understood must not be passed over.
    """
    lines = request.headers.getlist(header)
    if not lines:
        return None
    sent = ",".join(lines)
    if sent.strip() == "*":
        return ["*"]
    tags, at = [], 0
    while at < len(sent):
        if empty := _EMPTY.match(sent, at):
            # A list may hold elements that are empty (RFC 9110, 5.6.1).
            at = empty.end()
            continue
        found = _TAG.match(sent, at)
        if found is None:
            text = f'{header} takes entity tags in double quotes, such as "3-0a1b2c3d4e5f", or *.'
            raise BadRequest(text)
        tags.append(found.group(1))
        at = found.end()
    if not tags:
        raise BadRequest(f"{header} is empty: send an ETag as it was received, or leave it out.")
    return tags


def is_known(request: Request, tag: str) -> bool:
    """Whether If-None-Match names the tag, compared weakly as RFC 9110 asks for reads."""
    if "if-none-match" not in request.headers:
        return False
    tags = tags_in(request, "if-none-match") or []
    known = {weakened(each) for each in tags}
    return "*" in tags or not known.isdisjoint((tag.removeprefix("W/"), weakened(tag)))


def weakened(tag: str) -> str:
    """What two tags of one record have in common: without what makes one weak, and without the
    endings that proxies which compress add to it (`"3-0a1b-gzip"`)."""
    return _CODED.sub('"', tag.removeprefix("W/"))


def not_modified(tag: str, headers: Values | None = None) -> Response:
    """304, with the headers that 200 would have had."""
    varied = "Accept, Accept-Encoding"
    response = Response(status_code=304, headers={"ETag": tag, "Vary": varied, **(headers or {})})
    del response.headers["content-length"]
    return response
