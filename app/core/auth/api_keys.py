"""API keys: random, shown once, stored as digests, found by the part of them that is visible."""

import hmac
import logging
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from hashlib import sha256
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Dialect,
    LargeBinary,
    String,
    Text,
    bindparam,
    cast,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.core.auth.key_names import key_name, looks_of
from app.core.auth.principals import Scope
from app.core.databases.interface import Base, CompiledQuery, compile_query
from app.core.databases.types import choice, now, uuid7
from app.core.errors import Conflict, Invalid, NotFound

log = logging.getLogger("trade_missions.access")

#: What every key begins with, so that one that was leaked is known for what it is.
MARK = "tmd"
_PREFIX_LETTERS, _SECRET_LETTERS = 8, 43
_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"
_FORM = re.compile(rf"{MARK}_[a-z0-9]{{{_PREFIX_LETTERS}}}_[a-z0-9]{{{_SECRET_LETTERS}}}")
_REFERENCE = re.compile(rf"{MARK}_.*|[0-9a-f]{{8}}(-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}")


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


def is_key(text: str) -> bool:
    """Whether the text has the form of a key."""
    return _FORM.fullmatch(text) is not None


def prefix_of(key: str) -> str:
    """The visible part of a key: `tmd_` and eight letters."""
    return key[: len(MARK) + 1 + _PREFIX_LETTERS]


def digest_of(key: str) -> bytes:
    """What is stored of a key. A key is random, so no slow hash is needed against guessing."""
    return sha256(key.encode()).digest()


def is_same(digest: bytes, key: str) -> bool:
    """Whether the digest is this key's, in the same time whatever the answer."""
    return hmac.compare_digest(digest, digest_of(key))


@dataclass(frozen=True, slots=True)
class NewKey:
    """What is asked of a key: who it is for, what it may do, where and how long."""

    name: str
    scope: Scope
    path: str | None = None
    expires_at: datetime | None = None


def create_key(session: Session, wanted: NewKey, by: str, secret: str) -> ApiKey:
    """Store a key whose secret this is; Conflict (409) when the name, or one that looks the same,
    was given before, Invalid (422) for one that opens a single address for more than reading."""
    if wanted.path is not None and wanted.scope is not Scope.READ:
        raise Invalid.at("/scope", "scope", "A key for one address has the scope read.")
    hold_admins(session)
    _refuse_taken(session, wanted.name)
    key = ApiKey(
        name=wanted.name,
        prefix=prefix_of(secret),
        digest=digest_of(secret),
        scope=wanted.scope,
        path=wanted.path,
        created_by=by,
        expires_at=wanted.expires_at,
    )
    session.add(key)
    try:
        session.flush()
    except IntegrityError:
        # Made by another process since we looked.
        raise Conflict(f"There is such a key already: {wanted.name!r}, {key.prefix}….") from None
    log.info("key %s (%s, scope %s) was created by %s", key.prefix, key.name, key.scope, by)
    return key


def _refuse_taken(session: Session, name: str) -> None:
    """Conflict (409) where history would not tell the key from another by its name."""
    names = session.scalars(select(ApiKey.name)).all()
    if name in names:
        raise Conflict.at("/name", "taken", f"A key was named {name!r} before; take another.")
    looks = looks_of(name)
    alike = next((other for other in names if looks_of(other) == looks), None)
    if alike is not None:
        text = f"{name!r} looks like {alike!r}, as a key was named before; take another."
        raise Conflict.at("/name", "taken", text)


def is_named(key: ColumnElement[str], form: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether a text names the key: by its id, its visible part or its name, which may be in the
    form that names are stored in."""
    names = (ApiKey.name == key, ApiKey.name == form)
    return or_(cast(ApiKey.id, String(36)) == key, ApiKey.prefix == key, *names)


def is_reference(text: str) -> bool:
    """Whether a text looks like the id or the visible part of a key, whichever that would be."""
    return _REFERENCE.fullmatch(text.casefold()) is not None


def no_key(key: str) -> NotFound:
    """The 404 of a key that nothing is named by."""
    return NotFound(f"There is no key {key!r}; a key is named by its id, its prefix or its name.")


def find_key(session: Session, key: str) -> ApiKey:
    """The key that this names; NotFound (404)."""
    row = session.scalar(select(ApiKey).where(is_named(literal(key), literal(key_name(key)))))
    if row is None:
        raise no_key(key)
    return row


def revoke_key(session: Session, key: ApiKey, by: str) -> None:
    """Take the key out of use for good; it stays listed, so that history can be understood."""
    if key.revoked_at is None:
        key.revoked_at = now()
        session.flush()
        log.info("key %s (%s) was revoked by %s", key.prefix, key.name, by)


def hold_admins(session: Session) -> None:
    """Let nobody else revoke an admin key, or make any key, until the transaction ends."""
    admins = select(ApiKey.id).where(ApiKey.scope == Scope.ADMIN).order_by(ApiKey.id)
    session.execute(admins.with_for_update())


def has_admin(session: Session, but: UUID | None = None) -> bool:
    """Whether a key with the scope `admin` can be used, other than that one."""
    usable = select(ApiKey.id).where(
        ApiKey.scope == Scope.ADMIN,
        ApiKey.revoked_at.is_(None),
        or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > now()),
    )
    if but is not None:
        usable = usable.where(ApiKey.id != but)
    return session.scalar(usable.limit(1)) is not None


@cache
def look_up(dialect: Dialect) -> CompiledQuery:
    """Reads `(id, name, digest, scope, path, revoked, expires_at)` of the key with a `prefix`."""
    return compile_query(
        select(
            ApiKey.id,
            ApiKey.name,
            ApiKey.digest,
            ApiKey.scope,
            ApiKey.path,
            ApiKey.revoked_at.is_not(None),
            ApiKey.expires_at,
        ).where(ApiKey.prefix == bindparam("prefix", type_=String())),
        dialect,
    )


def note_use(session: Session, used: Mapping[UUID, datetime]) -> None:
    """Store when keys were last used."""
    for key, at in used.items():
        session.execute(update(ApiKey).where(ApiKey.id == key).values(last_used_at=at))
