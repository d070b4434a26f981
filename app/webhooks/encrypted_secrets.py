"""Secrets of webhooks as they are stored: whether they can be read, and encrypting them anew."""

from sqlalchemy import Connection, func, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute

from app.core.databases.types import now
from app.core.encryption import MARK, Encryption, Undecryptable
from app.core.loose_types import Fields
from app.webhooks.schemas import new_secret
from app.webhooks.tables import Webhook

SETTING = "TRADE_MISSIONS_SECRET_KEYS"
_LOST = "Its secret was encrypted with a key that is lost: give it a new secret, then enable it."


def count_encrypted(connection: Connection) -> int:
    """How many webhooks have a secret that is encrypted."""
    encrypted = or_(*(column.like(f"{MARK}%") for column in _secrets()))
    return connection.scalar(select(func.count(Webhook.id)).where(encrypted)) or 0


def secret_faults(connection: Connection, encryption: Encryption) -> list[str]:
    """What keeps messages from being signed, in a sentence that says what would be right."""
    rows = connection.execute(select(*_secrets())).all()
    locked = sum(any(not _is_readable(each, encryption) for each in row) for row in rows)
    if not locked:
        return []
    whose = "secret of 1 webhook is" if locked == 1 else f"secrets of {locked} webhooks are"
    holds = "holds other keys" if encryption.keys else "is not set"
    return [
        f"The {whose} encrypted, and {SETTING} {holds}: set it to what it was when they were"
        " stored. Where that is lost, run: trade-missions encrypt --lost"
    ]


def encrypt_secrets(connection: Connection, encryption: Encryption, *, lost: bool = False) -> int:
    """Store all secrets as the first key encrypts them, or as they are without keys; how many
    webhooks had others. Where `lost`, a webhook whose secret cannot be read is given another, and
    is disabled; else RuntimeError, in a sentence."""
    if not lost and (faults := secret_faults(connection, encryption)):
        raise RuntimeError(f"{faults[0]} Nothing was changed.")
    found = connection.execute(select(Webhook.id, *_secrets())).all()
    changes = [(row, _changes(row.secret, row.previous_secret, encryption)) for row in found]
    for row, changed in changes:
        # One that is replaced meanwhile stays what it has become.
        known = (Webhook.id == row.id) & (Webhook.secret == row.secret)
        if changed:
            connection.execute(update(Webhook).where(known).values(changed))
    return sum(bool(changed) for _, changed in changes)


def _secrets() -> tuple[InstrumentedAttribute[str], InstrumentedAttribute[str | None]]:
    return Webhook.secret, Webhook.previous_secret


def _changes(secret: str, previous: str | None, encryption: Encryption) -> Fields:
    changes: Fields = {}
    if not _is_readable(secret, encryption):
        changes |= {"secret": encryption.encrypt(new_secret()), "updated_at": now()}
        changes |= {"enabled": False, "disabled_reason": _LOST}
    elif not encryption.is_current(secret):
        changes["secret"] = encryption.encrypt(encryption.decrypt(secret))
    if not _is_readable(previous, encryption):
        changes |= {"previous_secret": None, "previous_secret_until": None}
    elif previous is not None and not encryption.is_current(previous):
        changes["previous_secret"] = encryption.encrypt(encryption.decrypt(previous))
    return changes


def _is_readable(stored: str | None, encryption: Encryption) -> bool:
    try:
        encryption.decrypt(stored or "")
    except Undecryptable:
        return False
    return True
