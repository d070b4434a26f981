"""Headers that keep answers from being misused: by browsers, by caches, and by other pages."""

import re
from base64 import b64encode
from collections.abc import Iterable
from hashlib import sha256

from starlette.types import Scope

Header = tuple[bytes, bytes]

_ALWAYS: list[Header] = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
]
#: Nothing that is not a page needs anything, should a browser show it as one.
_NOTHING = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
#: An answer may be kept, but must be asked for again with its entity tag.
_ASK_AGAIN = (b"cache-control", b"private, no-cache")
_NEVER_KEPT = (b"cache-control", b"no-store")
#: Both mean nothing without TLS, and the second makes browsers complain there.
_ENCRYPTED: list[Header] = [
    (b"strict-transport-security", b"max-age=31536000"),
    (b"cross-origin-opener-policy", b"same-origin"),
]
_INLINE = re.compile(r"<(script|style)>(.*?)</\1>", re.DOTALL)


def protected(
    headers: Iterable[Header], scope: Scope, status: int, *, varied: bool
) -> list[Header]:
    """The headers of an answer with those added that it does not set itself.

    `varied`: what is read depends on who asks, and caches are told so.
    """
    found = list(headers)
    own = {name for name, _ in found}
    found += _ALWAYS
    if b"content-security-policy" not in own:
        found.append(_NOTHING)
    if b"cache-control" not in own:
        found.append(_ASK_AGAIN if status < 400 else _NEVER_KEPT)
    if varied:
        found.append((b"vary", b"Authorization"))
    if scope.get("scheme") == "https":
        found += _ENCRYPTED
    return found


def page_headers(page: str) -> dict[str, str]:
    """The Content-Security-Policy of a page of ours: its own scripts and styles and this server;
    and that it may come compressed.

    What is written into the page is named by its hash.
    """
    hashes: dict[str, list[str]] = {"script": [], "style": []}
    for kind, text in _INLINE.findall(page):
        hashes[kind].append(f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'")
    policy = (
        "default-src 'none'",
        " ".join(["script-src 'self'", *hashes["script"]]),
        " ".join(["style-src 'self'", *hashes["style"]]),
        "img-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
    return {"Content-Security-Policy": "; ".join(policy), "Vary": "Accept-Encoding"}
