"""API keys: random, shown once, stored as digests, found by the part of them that is visible."""

import hmac
import secrets
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from sqlalchemy import LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.access.callers import Scope
from app.core.database import Base
from app.core.types import choice, now, uuid7

#: What every key begins with, so that one that was leaked is known for what it is.
MARK = "tmd"
_PREFIX_LETTERS, _SECRET_LETTERS = 8, 43
_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"


class ApiKey(Base):
    """One key: all that is known of it but the key itself."""

    __tablename__ = "api_key"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    #: What history names it by; never given twice, so that old entries stay true.
    name: Mapped[str] = mapped_column(String(100), unique=True)
    prefix: Mapped[str] = mapped_column(String(16), unique=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    scope: Mapped[Scope] = mapped_column(choice(Scope, "scope"))
    #: The one address that a key for a spreadsheet opens, for reading.
    path: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(default=now)
    created_by: Mapped[str] = mapped_column(Text)
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]


def new_secret() -> str:
    """A new key: `tmd_`, a visible part, `_`, and 43 letters and digits (222 bits) of secret."""
    return f"{MARK}_{_random(_PREFIX_LETTERS)}_{_random(_SECRET_LETTERS)}"


def _random(letters: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(letters))


def prefix_of(key: str) -> str:
    """The visible part of a key: `tmd_` and eight letters."""
    return key[: len(MARK) + 1 + _PREFIX_LETTERS]


def digest_of(key: str) -> bytes:
    """What is stored of a key. A key is random, so no slow hash is needed against guessing."""
    return sha256(key.encode()).digest()


def is_same(digest: bytes, key: str) -> bool:
    """Whether the digest is this key's, in the same time whatever the answer."""
    return hmac.compare_digest(digest, digest_of(key))
