"""Targets: what an agreement is to bring beside money, and what has come of that."""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import model_validator
from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from app.core.databases.types import Exact, choice
from app.engine.record import Part, rule, stated
from app.engine.schemas import Digits, Edtf, Schema
from app.resources.money import Bound, is_range
from app.resources.quantity import TimeUnit, Unit


class TargetMeasure(StrEnum):
    """What a target counts (the indicator of IATI)."""

    jobs = "jobs"
    output = "output"
    capacity = "capacity"
    area = "area"
    companies = "companies"
    other = "other"


#: Those that count something by themselves; what others count is their `unit`.
_UNITLESS = "('jobs', 'companies')"


def _target_rules(pointer: str) -> tuple[CheckConstraint, ...]:
    return (
        rule("quantity_not_negative", "quantity >= 0", "quantity is at least 0", pointer),
        rule(
            "unit_of_measure",
            f"measure IN {_UNITLESS} OR unit IS NOT NULL",
            "unit is missing: only jobs and companies say by themselves what they count",
            pointer,
            units={"quantity": ("measure", "unit", "per")},
        ),
    )


class _Counted:
    """The columns of what is counted."""

    position: Mapped[int] = mapped_column(primary_key=True)
    quantity: Mapped[Decimal] = mapped_column(Exact(18, 4))

    @declared_attr
    def measure(cls) -> Mapped[TargetMeasure]:
        return mapped_column(choice(TargetMeasure, "measure"))

    @declared_attr
    def unit(cls) -> Mapped[Unit | None]:
        return mapped_column(choice(Unit, "unit"))

    @declared_attr
    def per(cls) -> Mapped[TimeUnit | None]:
        return mapped_column(choice(TimeUnit, "per"))


class AgreementTarget(_Counted, Part):
    """One target of an agreement."""

    __tablename__ = "agreement_target"
    __table_args__ = (
        *_target_rules("/targets"),
        rule(
            "range_in_order",
            "quantity <= quantity_max",
            "quantity_max is less than quantity",
            "/targets",
            units={"quantity_max": ("measure", "unit", "per")},
        ),
    )

    agreement_id: Mapped[UUID] = mapped_column(ForeignKey("agreement.id"), primary_key=True)
    quantity_max: Mapped[Decimal | None] = mapped_column(Exact(18, 4))
    bound: Mapped[Bound] = mapped_column(choice(Bound, "bound"))
    due: Mapped[str | None] = stated()


class OutcomeAchievement(_Counted, Part):
    """What had come of a target by the date of an outcome."""

    __tablename__ = "outcome_achievement"
    __table_args__ = _target_rules("/achieved")

    outcome_id: Mapped[UUID] = mapped_column(ForeignKey("outcome.id"), primary_key=True)


class _CountedFields(Schema):
    measure: TargetMeasure
    """What is counted."""
    quantity: Annotated[Decimal, Digits(18, 4)]
    """How many, in `unit`."""
    unit: Unit | None = None
    """What the quantity is in; jobs and companies need none."""
    per: TimeUnit | None = None
    """In what time, such as tonnes a `year`."""


class TargetFields(_CountedFields):
    """What an agreement is to bring beside money: jobs, tonnes a year, hectares."""

    quantity_max: Annotated[Decimal, Digits(18, 4)] | None = None
    """The end of a range, such as 25 of `20 to 25`."""
    bound: Bound = Bound.exact
    """How the quantity limits the true one."""
    due: Edtf | None = None
    """By when, as stated, in EDTF: `../2020`."""

    @model_validator(mode="after")
    def _has_an_end(self) -> "TargetFields":
        if is_range(self.quantity, self.quantity_max) and self.bound is Bound.more_than:
            raise ValueError(
                "a range, which has two ends, is not more_than: leave bound out, or say"
                " approximately"
            )
        return self


class AchievementFields(_CountedFields):
    """What has come of a target: compared with targets of the same measure and unit."""
