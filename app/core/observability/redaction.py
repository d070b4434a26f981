"""Keeps secrets out of the logs: out of each value, before a line is made of them."""

import re
from collections.abc import Mapping
from datetime import date
from uuid import UUID

from app.core.loose_types import Value

_GONE = rb"[hidden]"
#: What a line must hold, in small letters, for a closer look: most hold none of these.
_HINTS = (b"tmd_", b"eyj", b"bearer", b"basic", b"auth", b"api_key", b"token", b"secret", b"passw")
#: Between a name and its value, in text, JSON, JSON within JSON, and what Python shows.
_IS = rb"""(?:[\\"']{0,3}\s*[:=]|[\\"']{1,3}\s*,)\s*(?:b?[\\"']{1,3})?"""
#: A value, of which a part may be hidden already.
_VALUE = rb"""[^\s"'&,\\)}\[\]]+(?:\[hidden\])?"""
_NAMES = rb"api_?key|access_token|token|secret|password|passwd"

#: A number or a word of JSON, in whose place a text must stand.
_BARE = rb"""(["']\s*:\s*)(?:-?[0-9][0-9.eE+-]*|true|false)(?=\s*[,}\]]|\s*$)"""
#: A field whose name alone says that its value is a secret.
_SECRET_NAME = re.compile(rf"(?i)(?:.*_)?(?:{_NAMES.decode()}|authorization)")

#: Fields of our own that hold no secret, whatever it looks like: a key can be named `token=5`.
_NO_SECRETS = frozenset({"caller"})

_RULES: tuple[tuple[re.Pattern[bytes], bytes], ...] = (
    # A key of ours keeps the part that its owner knows it by.
    (re.compile(rb"(tmd_[A-Za-z0-9]{1,8}+)[A-Za-z0-9_]+"), rb"\1_" + _GONE),
    (
        re.compile(rb"(?i)(authorization" + _IS + rb"(?:(?:bearer|basic)\s+)?)" + _VALUE),
        rb"\1" + _GONE,
    ),
    (re.compile(rb"(?i)\b((?:bearer|basic)\s+)[A-Za-z0-9._~+/-]{16,}=*"), rb"\1" + _GONE),
    (re.compile(rb"\beyJ[\w-]+\.[\w-]+\.[\w-]*"), _GONE),
    (re.compile(rb"(?i)\b((?:" + _NAMES + rb"))" + _BARE), rb'\1\2"' + _GONE + rb'"'),
    (re.compile(rb"(?i)\b((?:" + _NAMES + rb")" + _IS + rb")" + _VALUE), rb"\1" + _GONE),
)
#: The password in the address of a database.
_IN_ADDRESS = re.compile(rb"(://[^/\s:@]*:)[^@\s/]+@")


def redacted_value(value: Value) -> Value:
    """The value of a field of a line with the secrets in it hidden, however deep they lie: what
    is no text keeps its form, and what is next to it is left alone."""
    if isinstance(value, str):
        return redacted(value.encode("utf-8", "surrogatepass")).decode("utf-8", "replace")
    if value is None or isinstance(value, bool | int | float | date | UUID):
        return value
    if isinstance(value, Mapping):
        return redacted_fields(value)
    if isinstance(value, list | tuple):
        return [redacted_value(each) for each in value]
    # As it would be written.
    return redacted_value(repr(value))


def redacted_fields(fields: Mapping[str, Value]) -> dict[str, Value]:
    """The fields with the secrets in them hidden."""
    return {
        str(redacted_value(str(name))): _GONE.decode()
        if _SECRET_NAME.fullmatch(str(name))
        else (value if name in _NO_SECRETS else redacted_value(value))
        for name, value in fields.items()
    }


def redacted(line: bytes) -> bytes:
    """The text with every key, token and password in it replaced by `[hidden]`."""
    small = line.lower()
    if any(hint in small for hint in _HINTS):
        for pattern, instead in _RULES:
            line = pattern.sub(instead, line)
    if b"://" in small:
        line = _IN_ADDRESS.sub(rb"\1" + _GONE + rb"@", line)
    return line
