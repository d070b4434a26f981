"""Cursors: opaque, signed sort keys of a row, bound to the filter and order of its list."""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from app.core import json_codec
from app.core.errors import BadRequest, Fault, Gone
from app.core.instance_secret import EPOCH_LENGTH
from app.core.loose_types import JsonValue

_SIGNATURE_BYTES = 12
_SCOPE_BYTES = 8
_SCOPE_AT = 1 + EPOCH_LENGTH
_KEY_AT = _SCOPE_AT + _SCOPE_BYTES


@dataclass(frozen=True, slots=True)
class CursorPosition:
    """The key of the record that a page ended (or, `backward`, began) with, as JSON values."""

    key: Sequence[JsonValue]
    backward: bool = False
    #: Of the database that the record was in.
    epoch: str = ""
    #: When the first page was asked for, where dates are counted from that; ISO 8601.
    asked_at: str = ""


def cursor_scope(*parts: object) -> bytes:
    """What a cursor is good for: a digest of all that chooses and orders the list's records."""
    return sha256(repr(parts).encode()).digest()[:_SCOPE_BYTES]


def write_cursor(place: CursorPosition, bound_to: bytes, secret: bytes) -> str:
    """The cursor of a place."""
    head = b"%d" % place.backward + place.epoch.encode() + bound_to
    key = list(place.key)
    content = head + json_codec.dumps({place.asked_at: key} if place.asked_at else key)
    signature = hmac.digest(secret, content, "sha256")[:_SIGNATURE_BYTES]
    return urlsafe_b64encode(signature + content).decode().rstrip("=")


def read_cursor(text: str, bound_to: bytes, secret: bytes) -> CursorPosition:
    """The sort key that a cursor holds; BadRequest for one that is not ours or of another list."""
    content = _content(text, secret)
    if content is None:
        raise _wrong("This is no cursor of this service: take next_cursor or prev_cursor as it is.")
    epoch, content_bound_to = content[1:_SCOPE_AT], content[_SCOPE_AT:_KEY_AT]
    if content_bound_to != bound_to:
        raise _wrong(
            "This cursor is of a list with another filter or order. Leave the cursor out to begin"
            " anew, or ask for what you asked for when you got it."
        )
    asked_at, key = _key(content)
    return CursorPosition(key, content[:1] == b"1", epoch.decode(), asked_at)


def read_asked_at(text: str, secret: bytes) -> datetime | None:
    """What the list's relative dates are counted from, where it has any; it is needed to tell which
    list it is. None for what is no cursor of ours."""
    content = _content(text, secret)
    asked_at = _key(content)[0] if content is not None else ""
    return datetime.fromisoformat(asked_at) if asked_at else None


def _content(text: str, secret: bytes) -> bytes | None:
    """What was signed; None where it was not."""
    try:
        raw = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    except ValueError:
        return None
    signature, content = raw[:_SIGNATURE_BYTES], raw[_SIGNATURE_BYTES:]
    signed = hmac.digest(secret, content, "sha256")[:_SIGNATURE_BYTES]
    return content if hmac.compare_digest(signature, signed) else None


def _key(content: bytes) -> tuple[str, Sequence[JsonValue]]:
    """When the first page was asked for, or nothing, and the key."""
    found = json_codec.loads(content[_KEY_AT:])
    if isinstance(found, dict):
        ((asked_at, key),) = found.items()
        return asked_at, key
    return "", found


def refuse_other_epoch(place: CursorPosition, epoch: str) -> None:
    """Gone (410) for a cursor of before a restore: the list that it is of is no more."""
    if place.epoch != epoch:
        raise Gone(
            "cursor: The database was restored from a backup since: this cursor is of before."
            " Leave it out to read the list anew."
        )


def _wrong(detail: str) -> BadRequest:
    return BadRequest(f"cursor: {detail}", [Fault("cursor", detail, parameter="cursor")])
