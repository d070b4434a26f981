"""What is answered and what is written."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field


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
