"""Reported totals: figures that a source states for a whole mission."""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from sqlalchemy.orm import Mapped, Session, mapped_column

from app.core.databases.types import Exact, choice
from app.core.loose_types import Values
from app.engine.record import Record, code, reference, rule
from app.engine.resource import Resource
from app.engine.schemas import Digits, Noted, RecordFields
from app.resources.code import CurrencyCode
from app.resources.dated import first_day
from app.resources.mission import Mission, mission
from app.resources.money import Bound, check_money, differs


class Measure(StrEnum):
    """What a reported total counts."""

    companies = "companies"
    participants = "participants"
    agreements = "agreements"
    amount = "amount"
    meetings = "meetings"
    jobs = "jobs"
    projected_sales_12m = "projected_sales_12m"


class ReportedTotal(Record):
    __tablename__ = "reported_total"
    __table_args__ = (
        rule(
            "currency_with_money",
            "(currency IS NOT NULL) = (measure IN ('amount', 'projected_sales_12m'))",
            "currency goes with the measures amount and projected_sales_12m, and with no other",
            "/currency",
            units={"value": ("measure", "currency")},
        ),
        rule("value_not_negative", "value >= 0", "value is at least 0", "/value"),
    )

    mission_id: Mapped[UUID] = reference("mission.id")
    measure: Mapped[Measure] = mapped_column(choice(Measure, "measure"))
    value: Mapped[Decimal] = mapped_column(Exact(18, 4))
    currency: Mapped[str | None] = code("currency.code")
    bound: Mapped[Bound] = mapped_column(choice(Bound, "bound"))


class ReportedTotalFields(RecordFields, Noted):
    """A figure that a source states for a whole mission."""

    mission_id: UUID
    """The mission that it is stated for."""
    measure: Measure
    """What it counts."""
    value: Annotated[Decimal, Digits(18, 4)]
    """The figure; it is never added to the deals on record."""
    currency: CurrencyCode | None = None
    """The currency, ISO 4217, when the measure is money."""
    bound: Bound = Bound.exact
    """How the figure limits the true one."""


def _check(session: Session, record: ReportedTotal, before: Values | None) -> None:
    check_money(
        session,
        record.value,
        record.currency,
        "/value",
        day=lambda: first_day(session, Mission, record.mission_id, "dates"),
        is_new=differs(record, before, "currency", "mission_id"),
    )


reported_total = Resource(
    name="ReportedTotal",
    path="reported-totals",
    table=ReportedTotal,
    fields=ReportedTotalFields,
    about="A figure that a source states for a whole mission, kept apart from sums of deals.",
    to_one={"mission": mission},
    under=("mission",),
    part_of=("mission",),
    check=_check,
)
