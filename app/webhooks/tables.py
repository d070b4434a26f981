"""Webhooks and their deliveries: what is stored of them."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.databases.interface import Base
from app.core.databases.types import Id, Instant, JsonText, choice, now, uuid7
from app.core.encryption import Encryption
from app.engine.history.change_log import Action


class Webhook(Base):
    """An address that is told of changes, and how far it has been."""

    __tablename__ = "webhook"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    name: Mapped[str] = mapped_column(Text)
    url: Mapped[str] = mapped_column(Text)
    #: JSON lists; null for all.
    kinds: Mapped[str | None] = mapped_column(JsonText)
    actions: Mapped[str | None] = mapped_column(JsonText)
    filter: Mapped[str | None] = mapped_column(Text)
    enabled: Mapped[bool]
    disabled_reason: Mapped[str | None] = mapped_column(Text)
    #: To sign with it the secret itself is needed; a digest would not do. Encrypted where there
    #: is a key.
    secret: Mapped[str] = mapped_column(Text)
    previous_secret: Mapped[str | None] = mapped_column(Text)
    previous_secret_until: Mapped[datetime | None] = mapped_column(Instant)
    #: The change up to which deliveries are planned.
    position: Mapped[int] = mapped_column(BigInteger)
    failing_since: Mapped[datetime | None] = mapped_column(Instant)
    #: Until when the receiver asked to be left alone.
    rests_until: Mapped[datetime | None] = mapped_column(Instant)
    #: Which process works for the webhook now; no other does until that time.
    lease_owner: Mapped[str | None] = mapped_column(String(36))
    lease_until: Mapped[datetime | None] = mapped_column(Instant)
    created_at: Mapped[datetime] = mapped_column(Instant, default=now)
    created_by: Mapped[str] = mapped_column(Text)
    updated_at: Mapped[datetime] = mapped_column(Instant, default=now)


class State(StrEnum):
    """Where a delivery stands."""

    PENDING = "pending"
    DELIVERED = "delivered"
    DEAD = "dead"


class Delivery(Base):
    """One change that one webhook is to be told of, or a test."""

    __tablename__ = "webhook_delivery"
    __table_args__ = (
        Index("ix_webhook_delivery_due", "webhook_id", "state", "next_attempt_at"),
        Index("ix_webhook_delivery_order", "webhook_id", "id"),
    )

    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    webhook_id: Mapped[UUID] = mapped_column(ForeignKey("webhook.id", ondelete="CASCADE"))
    #: The change; null for a test.
    seq: Mapped[int | None] = mapped_column(BigInteger)
    type: Mapped[str] = mapped_column(String(64))
    record_id: Mapped[UUID | None] = mapped_column(Id)
    state: Mapped[State] = mapped_column(choice(State, "state"))
    attempts: Mapped[int]
    next_attempt_at: Mapped[datetime | None] = mapped_column(Instant)
    attempted_at: Mapped[datetime | None] = mapped_column(Instant)
    response_status: Mapped[int | None]
    response_text: Mapped[str | None] = mapped_column(Text)
    error: Mapped[str | None] = mapped_column(Text)
    duration_ms: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(Instant, default=now)
    finished_at: Mapped[datetime | None] = mapped_column(Instant, index=True)


#: What an event is called: `agreement.updated`.
PAST: dict[Action, str] = {
    Action.CREATE: "created",
    Action.UPDATE: "updated",
    Action.REPLACE: "replaced",
    Action.DELETE: "deleted",
    Action.RESTORE: "restored",
    Action.PURGE: "purged",
    Action.IMPORT: "imported",
}
TEST = "webhook.test"
ONLY_HTTPS = "Here webhooks go over https:// only."


def delivery_id(webhook_id: UUID, seq: int, noise: str) -> UUID:
    """The id of a delivery: a UUID version 8 (RFC 9562) of the number of the change and a digest,
    so that ids stand in the order of the changes. A change's is always the same one, its `noise`
    being the epoch of the database; a test's is random."""
    digest = sha256(f"{webhook_id} {seq} {noise}".encode()).digest()
    low = int.from_bytes(digest[:10], "big")
    high, tail = low >> 68, low & ((1 << 62) - 1)
    return UUID(int=(seq << 80) | (0x8 << 76) | (high << 64) | (0b10 << 62) | tail)


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds for all webhooks; times in seconds."""

    #: Whether private addresses can be told, and any over plain HTTP.
    private: bool = False
    #: Whether this is no place for experiments.
    secure: bool = False
    #: After which time each further attempt is made: eleven attempts within three days.
    schedule: tuple[float, ...] = (5, 30, 120, 600, 3600, 10800, 28800, 43200, 86400, 86400)
    #: How much of a time can be added to it, so that not all is tried again at once.
    jitter: float = 0.2
    timeout: float = 15.0
    #: For how long a process has a webhook for itself; longer than one attempt takes.
    lease: float = 30.0
    #: The longest time that a receiver can ask for by Retry-After.
    longest_rest: float = 86400.0
    #: After how long without any success a webhook is disabled.
    give_up: float = 5 * 86400.0
    #: How long finished deliveries are kept.
    kept: float = 30 * 86400.0
    #: How often what other processes have left is looked for, with and without webhooks.
    pace: float = 5.0
    idle: float = 15.0
    #: How long the old secret is good for after a new one was made.
    overlap: float = 86400.0
    #: How secrets are stored.
    encryption: Encryption = field(default_factory=Encryption)

    @property
    def only_https(self) -> bool:
        """Whether nothing is sent over plain HTTP."""
        return self.secure and not self.private
