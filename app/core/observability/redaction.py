"""Keeps secrets out of the logs, wherever in a line they stand."""

import re

_GONE = rb"[hidden]"
#: What a line must hold, in small letters, for a closer look: most hold none of these.
_HINTS = (b"tmd_", b"eyj", b"bearer", b"basic", b"auth", b"api_key", b"token", b"secret", b"passw")
#: Between a name and its value, in text, JSON, JSON within JSON, and what Python shows.
_IS = rb"""[\\"']{0,3}\s*[:=,]\s*(?:b?[\\"']{1,3})?"""
#: A value, of which a part may be hidden already.
_VALUE = rb"""[^\s"'&,\\)}\[\]]+(?:\[hidden\])?"""
_NAMES = rb"api_?key|access_token|token|secret|password|passwd"

_RULES: tuple[tuple[re.Pattern[bytes], bytes], ...] = (
    # A key of ours keeps the part that its owner knows it by.
    (re.compile(rb"(tmd_[A-Za-z0-9]{1,8}+)[A-Za-z0-9_]+"), rb"\1_" + _GONE),
    (
        re.compile(rb"(?i)(authorization" + _IS + rb"(?:(?:bearer|basic)\s+)?)" + _VALUE),
        rb"\1" + _GONE,
    ),
    (re.compile(rb"(?i)\b((?:bearer|basic)\s+)[A-Za-z0-9._~+/-]{16,}=*"), rb"\1" + _GONE),
    (re.compile(rb"\beyJ[\w-]+\.[\w-]+\.[\w-]*"), _GONE),
    (re.compile(rb"(?i)\b((?:" + _NAMES + rb")" + _IS + rb")" + _VALUE), rb"\1" + _GONE),
)
#: The password in the address of a database.
_IN_ADDRESS = re.compile(rb"(://[^/\s:@]*:)[^@\s/]+@")


def redacted(line: bytes) -> bytes:
    """The line with every key, token and password in it replaced by `[hidden]`."""
    small = line.lower()
    if any(hint in small for hint in _HINTS):
        for pattern, instead in _RULES:
            line = pattern.sub(instead, line)
    if b"://" in small:
        line = _IN_ADDRESS.sub(rb"\1" + _GONE + rb"@", line)
    return line
