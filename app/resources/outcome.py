"""Outcomes: what became of an agreement, each with its date and who confirms it."""

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Final
from uuid import UUID

from pydantic import Field
from sqlalchemy import bindparam, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from app.core.databases.expressions import AnyTable
from app.core.databases.prepared import Prepared
from app.core.databases.types import Id, choice
from app.core.errors import Conflict, Fault, Invalid
from app.core.loose_types import Values
from app.engine.record import Record, code, first_day_of, money, reference, rule, stated
from app.engine.resource import Embedded, OfDay, Resource, WithheldAlong
from app.engine.schemas import Count, Edtf, Line, Noted, RecordFields
from app.engine.writes import store
from app.resources.code import CurrencyCode
from app.resources.dated import day_of_agreement
from app.resources.firmness import NEVER_SIGNED
from app.resources.money import Amount, check_money, differs, money_rules
from app.resources.organization import organization
from app.resources.status import AgreementStatus, Move, check_order
from app.resources.target import AchievementFields, OutcomeAchievement


class AmountScope(StrEnum):
    """Whether an amount is that of its time alone, or all until then."""

    period = "period"
    to_date = "to_date"


class Outcome(Record):
    __tablename__ = "outcome"
    __table_args__ = (
        *money_rules("actual_amount", "currency"),
        rule(
            "amount_scope_with_amount",
            "amount_scope IS NULL OR actual_amount IS NOT NULL",
            "actual_amount is missing: amount_scope describes it",
            "/actual_amount",
        ),
        rule("jobs_not_negative", "jobs >= 0", "jobs is at least 0", "/jobs"),
    )

    agreement_id: Mapped[UUID] = reference("agreement.id")
    date: Mapped[str | None] = stated()
    status: Mapped[AgreementStatus | None] = mapped_column(choice(AgreementStatus, "status"))
    actual_amount: Mapped[Decimal | None] = money()
    currency: Mapped[str | None] = code("currency.code")
    amount_scope: Mapped[AmountScope | None] = mapped_column(choice(AmountScope, "amount_scope"))
    jobs: Mapped[int | None]
    confirmed_by_id: Mapped[UUID | None] = reference("organization.id")
    date_text: Mapped[str | None]
    achieved: Mapped[list[OutcomeAchievement]] = relationship(
        cascade="all, delete-orphan", order_by="OutcomeAchievement.position"
    )


class OutcomeFields(RecordFields, Noted):
    """A dated follow-up of an agreement, which says one thing of it at least."""

    agreement_id: UUID
    """The agreement that it follows up."""
    date: Edtf | None = None
    """The date it is about, as stated, in EDTF; null when nobody said. With a `status` it is not
    before the agreement was signed, as far as both dates are certain."""
    date_text: Line | None = None
    """The date as printed."""
    status: AgreementStatus | None = None
    """The agreement's status from then on: storing the outcome moves the agreement."""
    actual_amount: Amount | None = None
    """What really was paid, sold or invested."""
    currency: CurrencyCode | None = None
    """The currency of `actual_amount`, ISO 4217."""
    amount_scope: AmountScope | None = None
    """Whether `actual_amount` is that of its time alone or all so far."""
    jobs: Count | None = None
    """Jobs that came of it."""
    confirmed_by_id: UUID | None = None
    """The organization that confirms it."""
    achieved: Annotated[list[AchievementFields], Field(max_length=100)] = []
    """What has come of the agreement's targets."""


#: Of which an outcome says one at least.
_SAID: Final = (
    *("date", "date_text", "status", "actual_amount", "jobs", "confirmed_by_id", "achieved"),
    "note",
)


def _check(session: Session, record: Outcome, before: Values | None) -> None:
    was_said = before is None or any(before[name] not in (None, []) for name in _SAID)
    if was_said and not any(getattr(record, name) not in (None, []) for name in _SAID):
        text = f"An outcome says something: give one at least of {', '.join(_SAID)}."
        raise Invalid.at("/note", "empty", text)
    check_money(
        session,
        record.currency,
        {"/actual_amount": record.actual_amount},
    )
    if record.actual_amount is None and before is not None and before["actual_amount"] is not None:
        record.amount_scope = None
    if before is None:
        _move_agreement(session, record)
    else:
        _check_fixed(record, before)
    if record.status is not None and record.date is not None and differs(record, before, "date"):
        moved: AnyTable = store.lock_record(
            session, outcome.to_one["agreement"], record.agreement_id
        )
        move = Move(record.status, record.date)
        others = moves_of(session, record.agreement_id, other_than=record.id)
        check_order(move, [*signature_of(moved), *others], "/date")


def _check_fixed(record: Outcome, before: Values) -> None:
    for name in ("agreement_id", "status"):
        old, new = before[name], getattr(record, name)
        if old != (None if new is None else str(new)):
            text = f"{name} of an outcome is fixed: the agreement has moved with it. Enter another."
            raise Conflict(text, [Fault("fixed", text, pointer=f"/{name}")])


def moves_of(session: Session, agreement_id: UUID, other_than: UUID | None = None) -> list[Move]:
    """The moves of an agreement that outcomes enter, without that of one of these."""
    rows = _MOVES.rows(session, {"agreement": agreement_id})
    return [Move(AgreementStatus(status), day) for id_, status, day in rows if id_ != other_than]


_MOVES = Prepared(
    select(Outcome.id, Outcome.status, Outcome.date).where(
        Outcome.agreement_id == bindparam("agreement", type_=Id),
        Outcome.status.is_not(None),
        Outcome.date.is_not(None),
        Outcome.deleted_at.is_(None),
    )
)


def signature_of(agreement: AnyTable) -> list[Move]:
    """The move that an agreement's own date of signing is; what needs no signature has none."""
    if agreement.signed is None or agreement.bindingness in NEVER_SIGNED:
        return []
    return [Move(AgreementStatus.signed, agreement.signed, is_signature=True)]


def _day(session: Session, record: Outcome) -> date | None:
    """The first day that it can be of: its own, or its agreement's."""
    own: date | None = first_day_of(record, "date")
    if own is not None:
        return own
    found = store.lock_record(session, outcome.to_one["agreement"], record.agreement_id)
    return None if found is None else day_of_agreement(session, found)


def _move_agreement(session: Session, record: Outcome) -> None:
    agreement = outcome.to_one["agreement"]
    # The file of agreements imports this one, so their class has no name here.
    moved: AnyTable = store.lock_record(session, agreement, record.agreement_id)
    # An outcome that an agreement's own change of status entered finds it moved already.
    if record.status is not None and moved is not None and moved.status != record.status:
        store.set_fields(session, agreement, moved, {"status": record.status})


outcome = Resource(
    name="Outcome",
    path="outcomes",
    table=Outcome,
    fields=OutcomeFields,
    about="What became of an agreement: a dated follow-up that can move its status.",
    to_one={"confirmed_by": organization},
    embedded={
        "achieved": Embedded(table=OutcomeAchievement, fields=AchievementFields, owner="outcome_id")
    },
    under=("agreement",),
    part_of=("agreement",),
    withheld_along=(
        WithheldAlong("amount", "actual_amount"),
        WithheldAlong("targets", "achieved"),
        WithheldAlong("signed", "date", lambda record: record.status is AgreementStatus.signed),
    ),
    of_day=OfDay(("date",), _day),
    check=_check,
    example={
        "ref": "nobel-katren-first-delivery",
        "agreement_id": "nobel-katren-supply",
        "date": "2016-09",
        "status": "in_force",
        "actual_amount": 1250000,
        "currency": "USD",
        "note": "An invented example: the article does not follow up on its agreements.",
    },
)
