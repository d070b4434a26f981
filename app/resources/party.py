"""Parties: who agreed, named or described, and as what."""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from app.core.databases.public_reads import WITHHELD_ALONE
from app.core.databases.types import Exact, choice
from app.engine.record import Part, reference, rule
from app.engine.schemas import Digits, Line, Schema


class PartyRole(StrEnum):
    """As what somebody is party to an agreement."""

    supplier = "supplier"
    buyer = "buyer"
    distributor = "distributor"
    founder = "founder"
    investor = "investor"
    licensor = "licensor"
    licensee = "licensee"
    contractor = "contractor"
    customer = "customer"
    lender = "lender"
    borrower = "borrower"
    announcer = "announcer"
    signatory = "signatory"


class AgreementParty(Part):
    """One party of an agreement."""

    __tablename__ = "agreement_party"
    __table_args__ = (
        rule(
            "named_or_described",
            "organization_id IS NOT NULL OR description IS NOT NULL",
            "organization_id is missing, or a description of who is not named",
            "/parties",
        ),
        rule(
            "share_not_negative",
            "share_percent >= 0",
            "share_percent is at least 0",
            "/parties",
        ),
    )

    agreement_id: Mapped[UUID] = mapped_column(ForeignKey("agreement.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    organization_id: Mapped[UUID | None] = reference("organization.id")
    description: Mapped[str | None]
    role: Mapped[PartyRole] = mapped_column(choice(PartyRole, "role"))
    share_percent: Mapped[Decimal | None] = mapped_column(Exact(7, 4))
    signed_by_id: Mapped[UUID | None] = reference(
        "person.id", info={WITHHELD_ALONE: ("signed_as",)}
    )
    signed_as: Mapped[str | None] = mapped_column(info={WITHHELD_ALONE: ()})


class PartyFields(Schema):
    """One party of an agreement: an organization, or somebody who is described and not named."""

    organization_id: UUID | None = None
    """Who it is, when an organization on record."""
    description: Line | None = None
    """Who it is, when no organization on record."""
    role: PartyRole
    """As what it is a party."""
    share_percent: Annotated[Decimal, Digits(7, 4, maximum=Decimal(100))] | None = None
    """Its share, 0 to 100; all shares of an agreement add up to at most 100."""
    signed_by_id: UUID | None = None
    """The person who signed for it."""
    signed_as: Line | None = None
    """In what post the person signed, as printed."""
