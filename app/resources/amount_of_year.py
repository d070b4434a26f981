"""Amounts by year: how much of an agreement's amount falls in which year."""

from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import Field
from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from app.engine.record import Part, money, rule
from app.engine.schemas import Schema
from app.resources.money import Amount


class AgreementAmountOfYear(Part):
    """The part of an agreement's amount that falls in a year."""

    __tablename__ = "agreement_amount_of_year"
    __table_args__ = (
        rule("amount_not_negative", "amount >= 0", "amount is at least 0", "/amount_by_year"),
    )

    agreement_id: Mapped[UUID] = mapped_column(ForeignKey("agreement.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    year: Mapped[int]
    amount: Mapped[Decimal] = money(nullable=False)


class AmountOfYearFields(Schema):
    """The part of an agreement's amount that falls in a year, in its currency."""

    year: Annotated[int, Field(ge=1900, le=2200, strict=True)]
    """The year."""
    amount: Amount
    """How much of the amount falls in it."""
