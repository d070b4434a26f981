"""The tables."""

from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID, uuid4

from sqlalchemy import JSON, DateTime, ForeignKey, Index, Numeric
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

MONEY = Numeric(18, 4)


def now() -> datetime:
    """This moment, UTC."""
    return datetime.now(UTC)


class Base(DeclarativeBase):
    """All tables."""

    type_annotation_map = {
        datetime: DateTime(timezone=True),
        Decimal: MONEY,
        list[str]: JSON,
    }


class Record:
    """What all records have."""

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    ref: Mapped[str | None]
    note: Mapped[str | None]
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now)


class Mission(Record, Base):
    """A mission."""

    __tablename__ = "mission"

    title: Mapped[str]
    kind: Mapped[str]
    status: Mapped[str]


class Organization(Record, Base):
    """A company."""

    __tablename__ = "organization"

    kind: Mapped[str]
    name: Mapped[str]
    name_en: Mapped[str | None]
    other_names: Mapped[list[str]] = mapped_column(default=list)
    legal_form: Mapped[str | None]
    country: Mapped[str | None]
    region: Mapped[str | None]
    city: Mapped[str | None]
    sectors: Mapped[list[str]] = mapped_column(default=list)
    parent_id: Mapped[UUID | None]
    is_named: Mapped[bool] = mapped_column(default=True)
    merged_into_id: Mapped[UUID | None]


class Agreement(Record, Base):
    """An agreement."""

    __tablename__ = "agreement"

    mission_id: Mapped[UUID | None] = mapped_column(ForeignKey("mission.id"), index=True)
    event_id: Mapped[UUID | None]
    title: Mapped[str]
    title_en: Mapped[str | None]
    subject: Mapped[str | None]
    subject_en: Mapped[str | None]
    instrument: Mapped[str]
    bindingness: Mapped[str] = mapped_column(default="binding")
    status: Mapped[str]
    signed: Mapped[str | None]
    signed_earliest: Mapped[date | None]
    signed_latest: Mapped[date | None]
    due: Mapped[str | None]
    due_earliest: Mapped[date | None]
    due_latest: Mapped[date | None]
    amount: Mapped[Decimal | None]
    currency: Mapped[str | None]
    amount_bound: Mapped[str | None]
    amount_kind: Mapped[str | None]
    amount_period: Mapped[str | None]
    amount_years: Mapped[int | None]
    amount_text: Mapped[str | None]
    sectors: Mapped[list[str]] = mapped_column(default=list)
    certainty: Mapped[str] = mapped_column(default="certain")
    readings: Mapped[list[str]] = mapped_column(default=list)
    place_country: Mapped[str | None]
    place_region: Mapped[str | None]
    place_city: Mapped[str | None]
    __table_args__ = (
        Index("ix_agreement_status_amount", "status", "amount", "id"),
        Index("ix_agreement_amount", "amount", "id"),
    )


class Party(Base):
    """Who takes part in an agreement."""

    __tablename__ = "agreement_party"

    agreement_id: Mapped[UUID] = mapped_column(
        ForeignKey("agreement.id", ondelete="CASCADE"), primary_key=True
    )
    position: Mapped[int] = mapped_column(primary_key=True)
    organization_id: Mapped[UUID | None] = mapped_column(ForeignKey("organization.id"))
    description: Mapped[str | None]
    role: Mapped[str]
    share_percent: Mapped[Decimal | None]
