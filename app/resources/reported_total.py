"""Reported totals: figures that a source states for a whole mission."""

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.core.databases.types import Exact, choice
from app.core.errors import Invalid
from app.core.loose_types import Values
from app.engine.figure_rules import MAX_LEVELS
from app.engine.record import Record, code, first_day_of, reference, rule, stated
from app.engine.resource import OfDay, Resource
from app.engine.schemas import Digits, Edtf, Line, Noted, RecordFields
from app.resources.code import CurrencyCode
from app.resources.dated import first_day
from app.resources.levels import levels_with
from app.resources.mission import Mission, mission
from app.resources.money import (
    AmountKind,
    AmountPeriod,
    AmountYears,
    Bound,
    check_bound,
    check_money,
    differs,
    is_range,
    period_rules,
)
from app.resources.organization import organization
from app.resources.person import person


class Measure(StrEnum):
    """What a reported total counts."""

    companies = "companies"
    participants = "participants"
    agreements = "agreements"
    amount = "amount"
    meetings = "meetings"
    jobs = "jobs"
    projected_sales_12m = "projected_sales_12m"


class Rank(StrEnum):
    """Which of several claims about one figure is taken (ranks of Wikidata)."""

    preferred = "preferred"
    normal = "normal"
    deprecated = "deprecated"


_MONEY = "('amount', 'projected_sales_12m')"


class ReportedTotal(Record):
    __tablename__ = "reported_total"
    __table_args__ = (
        rule(
            "money_with_currency",
            f"currency IS NOT NULL OR measure NOT IN {_MONEY}",
            "currency is missing: the measure is money",
            "/currency",
            units=dict.fromkeys(("value", "value_max", "of_value"), ("measure", "currency")),
        ),
        rule(
            "currency_with_money",
            f"currency IS NULL OR measure IN {_MONEY}",
            "the measure is no money: leave currency out",
            "/currency",
        ),
        rule(
            "amount_details_with_money",
            f"measure IN {_MONEY} OR"
            " (amount_kind IS NULL AND amount_period IS NULL AND amount_years IS NULL)",
            "the measure is no money: leave amount_kind, amount_period and amount_years out",
            "/measure",
        ),
        *period_rules(),
        rule("value_not_negative", "value >= 0", "value is at least 0", "/value"),
        rule(
            "range_in_order",
            "value <= value_max",
            "value_max is less than value",
            "/value_max",
        ),
        rule("part_of_whole", "value <= of_value", "of_value is less than value", "/of_value"),
    )

    mission_id: Mapped[UUID] = reference("mission.id")
    measure: Mapped[Measure] = mapped_column(choice(Measure, "measure"))
    value: Mapped[Decimal] = mapped_column(Exact(18, 4))
    currency: Mapped[str | None] = code("currency.code")
    bound: Mapped[Bound] = mapped_column(choice(Bound, "bound"))
    value_max: Mapped[Decimal | None] = mapped_column(Exact(18, 4))
    of_value: Mapped[Decimal | None] = mapped_column(Exact(18, 4))
    amount_kind: Mapped[AmountKind | None] = mapped_column(choice(AmountKind, "amount_kind"))
    amount_period: Mapped[AmountPeriod | None] = mapped_column(
        choice(AmountPeriod, "amount_period")
    )
    amount_years: Mapped[int | None]
    scope: Mapped[str | None]
    as_of: Mapped[str | None] = stated()
    claimed_by_id: Mapped[UUID | None] = reference("organization.id")
    claimed_by_person_id: Mapped[UUID | None] = reference("person.id")
    part_of_id: Mapped[UUID | None] = reference("reported_total.id")
    rank: Mapped[Rank] = mapped_column(
        choice(Rank, "rank"), default=Rank.normal, server_default=text("'normal'")
    )


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
    value_max: Annotated[Decimal, Digits(18, 4)] | None = None
    """The end of a range, such as 25 of `20 to 25`."""
    of_value: Annotated[Decimal, Digits(18, 4)] | None = None
    """The whole that it is a share of, such as 360 of `120 of 360`."""
    amount_kind: AmountKind | None = None
    """What an amount is of."""
    amount_period: AmountPeriod | None = None
    """What time an amount is for; `over_years` goes with `amount_years`."""
    amount_years: AmountYears | None = None
    """For how many years an amount is, in all with `over_years` or each with `per_year`."""
    scope: Line | None = None
    """What the figure is about, in a few words, when not the whole mission. Totals of a mission
    with the same measure, currency and scope, whatever its capitals and blanks, are claims about
    one figure: sums take one of them."""
    as_of: Edtf | None = None
    """The date that the figure is of, as stated, in EDTF."""
    claimed_by_id: UUID | None = None
    """The organization that claims it."""
    claimed_by_person_id: UUID | None = None
    """The person who claims it."""
    part_of_id: UUID | None = None
    """The total that it is a part of (`of which`): it is not added to that."""
    rank: Rank = Rank.normal
    """Which of several claims about one figure is taken: the `preferred` one."""


def _check(session: Session, record: ReportedTotal, before: Values | None) -> None:
    amounts = {f"/{name}": getattr(record, name) for name in ("value", "value_max", "of_value")}
    check_money(session, record.currency, amounts)
    _check_range(record, before)
    if record.part_of_id is not None and differs(record, before, "part_of_id"):
        _check_levels(session, record, is_new=before is None)


def _check_levels(session: Session, record: ReportedTotal, *, is_new: bool) -> None:
    """Refuse (422) a total that would lie, or have others that lie, in more levels than sums see
    through."""
    levels = levels_with(session, record, "part_of_id", MAX_LEVELS, is_new=is_new)
    if levels > MAX_LEVELS:
        text = f"Totals lie in at most {MAX_LEVELS} levels: let it be a part of one above."
        raise Invalid.at("/part_of_id", "too_deep", text)


def _check_range(record: ReportedTotal, before: Values | None) -> None:
    """Refuse (422) a range without an end; what was stored as one can be changed otherwise."""
    was = before or dict.fromkeys(("value", "value_max", "bound"))
    was_so = is_range(was["value"], was["value_max"]) and was["bound"] == record.bound
    # Where nothing is said of its bound, both ends are meant exactly.
    if is_range(record.value, record.value_max) and record.bound is not Bound.exact and not was_so:
        check_bound(record.bound, "/bound", "leave bound out, or say approximately")


def _day(session: Session, record: ReportedTotal) -> date | None:
    """The first day that it can be of: its own, or its mission's."""
    own: date | None = first_day_of(record, "as_of")
    return own or first_day(session, Mission, record.mission_id, "dates")


reported_total = Resource(
    name="ReportedTotal",
    path="reported-totals",
    table=ReportedTotal,
    fields=ReportedTotalFields,
    about="A figure that a source states for a whole mission, kept apart from sums of deals.",
    to_one={"mission": mission, "claimed_by": organization, "claimed_by_person": person},
    under=("mission",),
    part_of=("mission",),
    of_day=OfDay(("as_of", "mission_id"), _day),
    check=_check,
)
reported_total.to_one["part_of"] = reported_total
