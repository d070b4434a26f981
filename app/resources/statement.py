"""Statements: what somebody said that is not a deal."""

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import StrictBool
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.core.databases.types import Exact, choice
from app.core.loose_types import Values
from app.engine.record import Record, code, first_day_of, money, reference, rule, stated
from app.engine.resource import OfDay, Resource
from app.engine.schemas import Digits, Edtf, Line, Noted, Prose, RecordFields
from app.resources.agreement import agreement
from app.resources.code import CurrencyCode
from app.resources.dated import first_day
from app.resources.delegate import delegate
from app.resources.mission import Mission, mission
from app.resources.money import Amount, Bound, check_money, money_rules
from app.resources.organization import organization
from app.resources.person import person
from app.resources.quantity import TimeUnit, Unit


class Predicate(StrEnum):
    """What is said of the subject."""

    supplies_to = "supplies_to"
    cooperates_with = "cooperates_with"
    builds = "builds"
    plans = "plans"
    values = "values"
    calls_for = "calls_for"


class Modality(StrEnum):
    """Whether it is, could be, or ought to be."""

    fact = "fact"
    design_capacity = "design_capacity"
    plan = "plan"
    wish = "wish"
    assessment = "assessment"


class Statement(Record):
    __tablename__ = "statement"
    __table_args__ = (
        rule(
            "one_speaker",
            "speaker_id IS NULL OR person_id IS NULL",
            "give speaker_id for a delegate or person_id for anybody else, not both",
            "/person_id",
        ),
        rule(
            "quantity_with_unit",
            "quantity IS NULL OR unit IS NOT NULL",
            "unit is missing: quantity is in one",
            "/unit",
            units=dict.fromkeys(("quantity", "of_quantity"), ("unit", "per")),
        ),
        rule(
            "unit_with_quantity",
            "unit IS NULL OR quantity IS NOT NULL",
            "quantity is missing: without one there is no unit",
            "/quantity",
        ),
        rule(
            "quantity_of_whole",
            "of_quantity IS NULL OR quantity IS NOT NULL",
            "quantity is missing: of_quantity is the whole that it is part of",
            "/quantity",
        ),
        *money_rules("amount", "currency", ("per",)),
    )

    mission_id: Mapped[UUID | None] = reference("mission.id")
    speaker_id: Mapped[UUID | None] = reference("delegate.id")
    person_id: Mapped[UUID | None] = reference("person.id")
    on_behalf_of_id: Mapped[UUID | None] = reference("organization.id")
    agreement_id: Mapped[UUID | None] = reference("agreement.id")
    date: Mapped[str | None] = stated()
    subject_id: Mapped[UUID | None] = reference("organization.id")
    subject_description: Mapped[str | None]
    predicate: Mapped[Predicate] = mapped_column(choice(Predicate, "predicate"))
    object_id: Mapped[UUID | None] = reference("organization.id")
    object_description: Mapped[str | None]
    paraphrase: Mapped[str]
    is_quote: Mapped[bool] = mapped_column(default=False)
    modality: Mapped[Modality] = mapped_column(choice(Modality, "modality"))
    quantity: Mapped[Decimal | None] = mapped_column(Exact(18, 4))
    of_quantity: Mapped[Decimal | None] = mapped_column(Exact(18, 4))
    quantity_bound: Mapped[Bound | None] = mapped_column(choice(Bound, "quantity_bound"))
    unit: Mapped[Unit | None] = mapped_column(choice(Unit, "unit"))
    per: Mapped[TimeUnit | None] = mapped_column(choice(TimeUnit, "per"))
    amount: Mapped[Decimal | None] = money()
    currency: Mapped[str | None] = code("currency.code")


class StatementFields(RecordFields, Noted):
    """What somebody said that is not a deal."""

    mission_id: UUID | None = None
    """The mission that it was said in."""
    speaker_id: UUID | None = None
    """The delegate who said it."""
    person_id: UUID | None = None
    """The person who said it, when not a delegate on record."""
    on_behalf_of_id: UUID | None = None
    """The organization that said it, or in whose name it was said."""
    agreement_id: UUID | None = None
    """The agreement that it is about."""
    date: Edtf | None = None
    """When it was said, as stated, in EDTF."""
    subject_id: UUID | None = None
    """The organization it is about."""
    subject_description: Line | None = None
    """What it is about, when no organization on record."""
    predicate: Predicate
    """What is said of the subject."""
    object_id: UUID | None = None
    """The organization on the other end."""
    object_description: Line | None = None
    """What is on the other end, when no organization on record."""
    paraphrase: Prose
    """What was said, in our own words."""
    is_quote: StrictBool = False
    """True when the source quotes it directly."""
    modality: Modality
    """Whether it is, could be, or ought to be."""
    quantity: Annotated[Decimal, Digits(18, 4, minimum=None)] | None = None
    """How much, in `unit`."""
    of_quantity: Annotated[Decimal, Digits(18, 4)] | None = None
    """The whole that `quantity` is part of, such as 360 of `120 of 360 companies`."""
    quantity_bound: Bound | None = None
    """How the quantity, or the amount, limits the true one."""
    unit: Unit | None = None
    """What the quantity counts."""
    per: TimeUnit | None = None
    """In what time: a `year`, a `month`."""
    amount: Amount | None = None
    """An amount of money that it tells of, such as a turnover."""
    currency: CurrencyCode | None = None
    """The currency of `amount`, ISO 4217."""


def _check(session: Session, record: Statement, before: Values | None) -> None:
    check_money(session, record.currency, {"/amount": record.amount})


def _day(session: Session, record: Statement) -> date | None:
    """The first day that it can be of: its own, or its mission's."""
    own: date | None = first_day_of(record, "date")
    return own or first_day(session, Mission, record.mission_id, "dates")


statement = Resource(
    name="Statement",
    path="statements",
    table=Statement,
    fields=StatementFields,
    about="What somebody said that is not a deal: background, wishes, capacities.",
    to_one={
        "mission": mission,
        "speaker": delegate,
        "person": person,
        "subject": organization,
        "object": organization,
        "on_behalf_of": organization,
        "agreement": agreement,
    },
    under=("mission", "agreement"),
    part_of=("mission",),
    of_day=OfDay(("date", "mission_id"), _day),
    check=_check,
)
