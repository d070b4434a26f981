"""Receipts: what is stored of them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.databases.interface import Base
from app.core.databases.types import Instant, JsonText, now, uuid7


class Receipt(Base):
    """An answer as it was, with what stood behind it."""

    __tablename__ = "receipt"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    #: The address that was asked: a path with its query.
    url: Mapped[str] = mapped_column(Text)
    note: Mapped[str | None] = mapped_column(Text)
    #: How far the change log had come, with its epoch.
    position: Mapped[str] = mapped_column(Text)
    made_at: Mapped[datetime] = mapped_column(Instant, default=now)
    made_by: Mapped[str] = mapped_column(Text)
    answer: Mapped[str] = mapped_column(JsonText)
    #: JSON lists of `{kind, id, version}`.
    records: Mapped[str] = mapped_column(JsonText)
    passages: Mapped[str] = mapped_column(JsonText)
    rates: Mapped[str] = mapped_column(JsonText)
    record_count: Mapped[int]
    #: Whether it is known which records stand behind the answer.
    is_traced: Mapped[bool]
    #: Whether there are more of them than are kept.
    is_cut: Mapped[bool]
