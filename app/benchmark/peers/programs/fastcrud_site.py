"""The same agreements with FastCRUD: its router of endpoints over async SQLAlchemy models.

python -m fastcrud_site URL organization=FILE …    makes the tables and loads the files
uvicorn --factory fastcrud_site:create_app         serves the database of BENCHMARK_URL
"""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import Depends, FastAPI
from fastcrud import FastCRUD, FilterConfig, JoinConfig, crud_router
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import JSON, DateTime, ForeignKey, Index, Numeric, event, insert
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

LOADED = 2_000
SCHEMA = "fastcrud"
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


class RecordRead(BaseModel):
    """What all records are answered with."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    ref: str | None
    note: str | None
    version: int
    created_at: datetime
    updated_at: datetime


class OrganizationRead(RecordRead):
    """A company, as it is answered."""

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


class PartyRead(BaseModel):
    """A party with its organization."""

    model_config = ConfigDict(from_attributes=True)

    organization_id: UUID | None
    description: str | None
    role: str
    share_percent: Decimal | None
    organization: OrganizationRead | None


class AgreementRead(RecordRead):
    """An agreement, as it is answered."""

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


class AgreementWithParties(AgreementRead):
    """An agreement with its parties."""

    parties: list[PartyRead]


class Page(BaseModel):
    """A page of agreements with their parties."""

    data: list[AgreementWithParties]


class AgreementCreate(BaseModel):
    """A new agreement."""

    title: Annotated[str, Field(min_length=1, max_length=500)]
    subject: str | None = None
    mission_id: UUID | None = None
    instrument: str
    status: str
    amount: Annotated[Decimal | None, Field(ge=0, max_digits=18, decimal_places=4)] = None
    currency: Annotated[str | None, Field(pattern="^[A-Z]{3}$")] = None
    note: str | None = None


class AgreementUpdate(BaseModel):
    """What can be changed."""

    title: str | None = None
    status: str | None = None
    note: str | None = None


def engine_of(url: str) -> AsyncEngine:
    """The database. SQLite with a log of writes, waiting for others, every commit on the disk; in
    PostgreSQL a schema of its own."""
    if not url.startswith("sqlite"):
        settings = {"server_settings": {"search_path": SCHEMA}}
        return create_async_engine(url, pool_size=20, connect_args=settings)
    engine = create_async_engine(url, pool_size=20)

    @event.listens_for(engine.sync_engine, "connect")
    def set_up(connection: Any, _: Any) -> None:
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=30000"):
            connection.execute(f"PRAGMA {pragma}")

    return engine


def create_app() -> FastAPI:
    """The application on the database of BENCHMARK_URL."""
    sessions = async_sessionmaker(
        engine_of(os.environ["BENCHMARK_URL"]), expire_on_commit=False, class_=AsyncSession
    )
    app = FastAPI()

    async def session() -> AsyncIterator[AsyncSession]:
        async with sessions() as opened:
            yield opened

    @app.get("/full-agreements", response_model=Page)
    async def list_full(
        database: Annotated[AsyncSession, Depends(session)], status: str
    ) -> dict[str, Any]:
        return await full_page(database, status)

    app.include_router(
        crud_router(
            session=session,
            model=Agreement,
            create_schema=AgreementCreate,
            update_schema=AgreementUpdate,
            select_schema=AgreementRead,
            path="/agreements",
            filter_config=FilterConfig(status=None, amount__gte=None),
        )
    )
    return app


async def full_page(database: AsyncSession, status: str) -> dict[str, Any]:
    """The dearest agreements with their parties: one question for each table, as FastCRUD advises
    instead of a question for each record."""
    agreements = await FastCRUD(Agreement).get_multi(
        database,
        limit=50,
        # PostgreSQL would put what has no amount first.
        amount__gte=0,
        sort_columns=["amount", "id"],
        sort_orders=["desc", "desc"],
        status=status,
    )
    found = agreements["data"]
    parties = await FastCRUD(Party).get_multi_joined(
        database,
        joins_config=[
            JoinConfig(
                model=Organization,
                join_on=Party.organization_id == Organization.id,
                join_prefix="organization_",
                schema_to_select=OrganizationRead,
            )
        ],
        nest_joins=True,
        limit=None,
        sort_columns=["agreement_id", "position"],
        agreement_id__in=[one["id"] for one in found],
    )
    by_agreement: dict[UUID, list[dict[str, Any]]] = {}
    for party in parties["data"]:
        by_agreement.setdefault(party["agreement_id"], []).append(party)
    return {"data": [{**one, "parties": by_agreement.get(one["id"], [])} for one in found]}


async def fill(url: str, files: dict[str, str]) -> None:
    """Make the tables and load the files, which hold JSON by line."""
    engine = engine_of(url)
    async with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            await connection.exec_driver_sql(f"CREATE SCHEMA {SCHEMA}")
        await connection.run_sync(Base.metadata.create_all)
        for name, file in files.items():
            table = Base.metadata.tables[name]
            for batch in batches_of(table, file):
                await connection.execute(insert(table), batch)
        await connection.exec_driver_sql("ANALYZE")
    await engine.dispose()


def batches_of(table: Any, file: str) -> Iterator[list[dict[str, Any]]]:
    """The rows of a file, some thousands at a time."""
    with Path(file).open() as lines:
        while batch := [typed(table, json.loads(line)) for line in islice(lines, LOADED)]:
            yield batch


def typed(table: Any, row: dict[str, Any]) -> dict[str, Any]:
    """A row of JSON with the types of its columns."""
    readers: dict[Any, Any] = {
        UUID: UUID,
        datetime: datetime.fromisoformat,
        date: date.fromisoformat,
        Decimal: Decimal,
    }
    found = {}
    for column in table.c:
        value = row.get(column.name)
        read = readers.get(column.type.python_type)
        found[column.name] = value if value is None or read is None else read(value)
    return found


if __name__ == "__main__":
    asyncio.run(fill(sys.argv[1], dict(one.split("=", 1) for one in sys.argv[2:])))
