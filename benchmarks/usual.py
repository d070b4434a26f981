"""The same three reads written the usual way: an async ORM and response models, same tables."""

import os
from collections.abc import AsyncIterator
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Generic, TypeVar
from uuid import UUID

from fastapi import Depends, FastAPI, HTTPException
from pydantic import BaseModel, ConfigDict
from sqlalchemy import ForeignKey, make_url, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship, selectinload

from app.core.databases.types import CodeList, Exact, Id, Instant


class Base(DeclarativeBase):
    type_annotation_map = {
        UUID: Id(),
        datetime: Instant(),
        Decimal: Exact(18, 4),
        list[str]: CodeList(),
    }


class Record:
    id: Mapped[UUID] = mapped_column(primary_key=True)
    ref: Mapped[str | None]
    note: Mapped[str | None]
    version: Mapped[int]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    deleted_at: Mapped[datetime | None]


class Organization(Record, Base):
    __tablename__ = "organization"

    kind: Mapped[str]
    name: Mapped[str]
    name_en: Mapped[str | None]
    other_names: Mapped[list[str]]
    legal_form: Mapped[str | None]
    country: Mapped[str | None]
    region: Mapped[str | None]
    city: Mapped[str | None]
    sectors: Mapped[list[str]]
    parent_id: Mapped[UUID | None]
    is_named: Mapped[bool]
    merged_into_id: Mapped[UUID | None]


class Party(Base):
    __tablename__ = "agreement_party"

    agreement_id: Mapped[UUID] = mapped_column(ForeignKey("agreement.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    organization_id: Mapped[UUID | None] = mapped_column(ForeignKey("organization.id"))
    description: Mapped[str | None]
    role: Mapped[str]
    share_percent: Mapped[Decimal | None] = mapped_column(Exact(7, 4))
    organization: Mapped[Organization | None] = relationship()


class Agreement(Record, Base):
    __tablename__ = "agreement"

    mission_id: Mapped[UUID | None]
    event_id: Mapped[UUID | None]
    title: Mapped[str]
    title_en: Mapped[str | None]
    subject: Mapped[str | None]
    subject_en: Mapped[str | None]
    instrument: Mapped[str]
    bindingness: Mapped[str]
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
    sectors: Mapped[list[str]]
    certainty: Mapped[str]
    readings: Mapped[list[str]]
    place_country: Mapped[str | None]
    place_region: Mapped[str | None]
    place_city: Mapped[str | None]
    parties: Mapped[list[Party]] = relationship(order_by=Party.position)


class Read(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class RecordRead(Read):
    id: UUID
    ref: str | None
    note: str | None
    version: int
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None


class OrganizationRead(RecordRead):
    kind: str
    name: str
    name_en: str | None
    other_names: list[str]
    legal_form: str | None
    country: str | None
    region: str | None
    city: str | None
    sectors: list[str]
    parent_id: UUID | None
    is_named: bool
    merged_into_id: UUID | None


class PartyRead(Read):
    organization_id: UUID | None
    description: str | None
    role: str
    share_percent: Decimal | None


class FullParty(PartyRead):
    organization: OrganizationRead | None


class AgreementRead(RecordRead):
    mission_id: UUID | None
    event_id: UUID | None
    title: str
    title_en: str | None
    subject: str | None
    subject_en: str | None
    instrument: str
    bindingness: str
    status: str
    signed: str | None
    signed_earliest: date | None
    signed_latest: date | None
    due: str | None
    due_earliest: date | None
    due_latest: date | None
    amount: Decimal | None
    currency: str | None
    amount_bound: str | None
    amount_kind: str | None
    amount_period: str | None
    amount_years: int | None
    amount_text: str | None
    sectors: list[str]
    certainty: str
    readings: list[str]
    place_country: str | None
    place_region: str | None
    place_city: str | None
    parties: list[PartyRead]


class FullAgreement(AgreementRead):
    parties: list[FullParty]  # type: ignore[assignment]


T = TypeVar("T")


class Page(Read, Generic[T]):
    data: list[T]


def create_app() -> FastAPI:
    """The peer on the database of TRADE_MISSIONS_DATABASE_URL."""
    url = make_url(os.environ["TRADE_MISSIONS_DATABASE_URL"])
    driver = "sqlite+aiosqlite" if url.drivername == "sqlite" else "postgresql+asyncpg"
    sessions = async_sessionmaker(create_async_engine(url.set(drivername=driver), pool_size=10))
    app = FastAPI()

    async def session() -> AsyncIterator[AsyncSession]:
        async with sessions() as opened:
            yield opened

    Database = Annotated[AsyncSession, Depends(session)]  # noqa: N806 (a type)
    by_amount = (
        select(Agreement)
        .where(Agreement.deleted_at.is_(None))
        .order_by(Agreement.amount.desc().nulls_last(), Agreement.id.desc())
    )
    with_parties = selectinload(Agreement.parties)

    @app.get("/agreements/{key}", response_model=AgreementRead)
    async def get_agreement(key: UUID, database: Database) -> Agreement:
        found = await database.get(Agreement, key, options=[with_parties])
        if found is None:
            raise HTTPException(404)
        return found

    @app.get("/agreements", response_model=Page[AgreementRead])
    async def list_agreements(
        database: Database, status: str | None = None, limit: int = 50
    ) -> dict[str, object]:
        statement = by_amount.options(with_parties).limit(limit)
        if status:
            statement = statement.where(Agreement.status == status)
        return {"data": (await database.scalars(statement)).all()}

    @app.get("/full-agreements", response_model=Page[FullAgreement])
    async def list_full_agreements(
        database: Database, status: str | None = None, limit: int = 50
    ) -> dict[str, object]:
        full = selectinload(Agreement.parties).selectinload(Party.organization)
        statement = by_amount.options(full).limit(limit)
        if status:
            statement = statement.where(Agreement.status == status)
        return {"data": (await database.scalars(statement)).all()}

    return app
