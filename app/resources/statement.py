"""Statements: what somebody said that is not a deal."""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import StrictBool
from sqlalchemy.orm import Mapped, mapped_column

from app.core.databases.types import Exact, choice
from app.engine.record import Record, reference, rule
from app.engine.resource import Resource
from app.engine.schemas import Digits, Line, Noted, Prose, RecordFields
from app.resources.delegate import delegate
from app.resources.mission import mission
from app.resources.money import Bound
from app.resources.organization import organization
from app.resources.person import person


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


class Unit(StrEnum):
    """What a quantity counts."""

    piece = "piece"
    vehicle = "vehicle"
    tonne = "tonne"
    kilogram = "kilogram"
    litre = "litre"
    square_metre = "square_metre"
    kilometre = "kilometre"
    megawatt_hour = "megawatt_hour"
    percent = "percent"
    share = "share"


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
            "(quantity IS NULL) = (unit IS NULL)",
            "quantity and unit come together: give both or neither",
            "/quantity",
            units={"quantity": ("unit",)},
        ),
    )

    mission_id: Mapped[UUID | None] = reference("mission.id")
    speaker_id: Mapped[UUID | None] = reference("delegate.id")
    person_id: Mapped[UUID | None] = reference("person.id")
    subject_id: Mapped[UUID | None] = reference("organization.id")
    subject_description: Mapped[str | None]
    predicate: Mapped[Predicate] = mapped_column(choice(Predicate, "predicate"))
    object_id: Mapped[UUID | None] = reference("organization.id")
    object_description: Mapped[str | None]
    paraphrase: Mapped[str]
    is_quote: Mapped[bool] = mapped_column(default=False)
    modality: Mapped[Modality] = mapped_column(choice(Modality, "modality"))
    quantity: Mapped[Decimal | None] = mapped_column(Exact(18, 4))
    quantity_bound: Mapped[Bound | None] = mapped_column(choice(Bound, "quantity_bound"))
    unit: Mapped[Unit | None] = mapped_column(choice(Unit, "unit"))


class StatementFields(RecordFields, Noted):
    """What somebody said that is not a deal."""

    mission_id: UUID | None = None
    """The mission that it was said in."""
    speaker_id: UUID | None = None
    """The delegate who said it."""
    person_id: UUID | None = None
    """The person who said it, when not a delegate on record."""
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
    quantity_bound: Bound | None = None
    """How the quantity limits the true one."""
    unit: Unit | None = None
    """What the quantity counts."""


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
    },
    under=("mission",),
    part_of=("mission",),
)
