"""Agreements: instruments and announced outcomes, with their parties."""

from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field, StrictBool
from sqlalchemy import Index, false, text, true
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from app.core.databases.public_reads import WITHHELD_AS
from app.core.databases.types import choice
from app.core.errors import Fault, Invalid
from app.core.loose_types import Values
from app.core.text.name_keys import title_keys
from app.engine.composed_titles import COMPOSED_OF
from app.engine.record import Record, code, code_list, descending, money, reference, rule, stated
from app.engine.resource import Embedded, OfDay, Resource, Similarity
from app.engine.schemas import Edtf, Line, Noted, Prose, RecordFields, Schema, distinct
from app.engine.writes import store
from app.engine.writes.records import records_in_progress
from app.resources.agreement_title import compose_anew
from app.resources.amount_of_year import AgreementAmountOfYear, AmountOfYearFields
from app.resources.code import CurrencyCode, Sectors
from app.resources.dated import day_of_agreement
from app.resources.delegate import Certainty
from app.resources.event import Event, event
from app.resources.firmness import (
    FIRMNESS_SQL,
    NEVER_SIGNED,
    SET_APART_SQL,
    Firmness,
    firmness_of,
)
from app.resources.instrument import (
    DEFAULT_BINDINGNESS,
    FIRST_STATUS,
    Bindingness,
    Instrument,
)
from app.resources.mission import mission
from app.resources.money import (
    Amount,
    AmountKind,
    AmountPeriod,
    AmountYears,
    Bound,
    check_bound,
    check_money,
    is_range,
    money_rules,
    period_rules,
)
from app.resources.organization import organization
from app.resources.outcome import Outcome, OutcomeFields, moves_of, outcome, signature_of
from app.resources.party import AgreementParty, PartyFields, PartyRole
from app.resources.person import person
from app.resources.place import Place, PlaceFields, place_rules
from app.resources.related import RelatedAgreement, RelatedFields, check_related
from app.resources.replacing import settle_replaced
from app.resources.status import (
    FALLEN_THROUGH,
    NOT_YET_SIGNED,
    SIGNED,
    AgreementStatus,
    check_move,
    check_order,
)
from app.resources.target import AgreementTarget, TargetFields


class Agreement(Place, Record):
    __tablename__ = "agreement"
    __table_args__ = (
        *place_rules(),
        *money_rules("amount", "currency"),
        rule(
            "plan_not_signed",
            "instrument <> 'announced_plan' OR"
            " (signed IS NULL AND status IN ('announced', 'cancelled'))",
            "an announced_plan has no signed date, and its status is announced or cancelled",
            "/status",
        ),
        rule(
            "amount_details_with_amount",
            "amount IS NOT NULL OR (amount_bound IS NULL AND amount_kind IS NULL"
            " AND amount_period IS NULL AND amount_years IS NULL)",
            "amount is missing: its bound, kind, period and years describe one",
            "/amount",
        ),
        *period_rules(),
        rule(
            "range_with_amount",
            "amount_max IS NULL OR (amount IS NOT NULL AND amount_max >= amount)",
            "amount is missing, or more than amount_max: they are the ends of a range",
            "/amount_max",
            units={"amount_max": ("currency",)},
            cases={
                "amount IS NULL": "amount is missing: amount_max is the end of a range, which"
                " begins with amount; of a limit alone say amount, and amount_bound at_most",
                "amount_max < amount": "amount_max, {amount_max}, is less than amount, {amount}:"
                " it is the end of a range, which begins with amount",
            },
        ),
        rule("stands_for_some", "stands_for >= 1", "stands_for is at least 1", "/stands_for"),
        rule(
            "signed_was_signed",
            "was_signed OR status NOT IN ('signed', 'in_force', 'completed')"
            " OR bindingness IN ('announcement', 'accomplished')",
            "was_signed is false, and the status says that it was signed",
            "/was_signed",
        ),
        rule(
            "firmness_follows",
            f"firmness = 'replaced' OR firmness = {FIRMNESS_SQL}",
            "firmness follows from status, bindingness and what replaces it: leave it out",
            "/firmness",
        ),
        # The lists that are asked for most: by status, dearest first or newest first.
        Index(
            "ix_agreement_status_amount",
            "status",
            descending("amount"),
            descending("id", filled=True),
        ),
        Index("ix_agreement_amount", descending("amount"), descending("id", filled=True)),
        Index("ix_agreement_instrument", "instrument", "id"),
        # The few that count otherwise than most.
        Index(
            "ix_agreement_set_apart",
            "id",
            sqlite_where=text(SET_APART_SQL),
            postgresql_where=text(SET_APART_SQL),
        ),
    )

    mission_id: Mapped[UUID | None] = reference("mission.id")
    event_id: Mapped[UUID | None] = reference("event.id")
    title: Mapped[str] = mapped_column(info={WITHHELD_AS: COMPOSED_OF})
    #: Kept by the server: what names nobody of a title that it has composed.
    composed_of: Mapped[str | None]
    title_en: Mapped[str | None]
    subject: Mapped[str | None]
    subject_en: Mapped[str | None]
    instrument: Mapped[Instrument] = mapped_column(choice(Instrument, "instrument"))
    bindingness: Mapped[Bindingness] = mapped_column(choice(Bindingness, "bindingness"))
    status: Mapped[AgreementStatus] = mapped_column(choice(AgreementStatus, "status"))
    firmness: Mapped[Firmness] = mapped_column(
        choice(Firmness, "firmness"), info={WITHHELD_AS: FIRMNESS_SQL}
    )
    #: Whether what replaces it is withheld, so that its class is that of its status to the public.
    firmness_withheld: Mapped[bool] = mapped_column(default=False, server_default=false())
    was_signed: Mapped[bool] = mapped_column(default=False, server_default=false())
    signed: Mapped[str | None] = stated(index=True)
    signed_text: Mapped[str | None]
    due: Mapped[str | None] = stated()
    due_text: Mapped[str | None]
    stands_for: Mapped[int] = mapped_column(default=1, server_default=text("1"))
    amount: Mapped[Decimal | None] = money()
    amount_max: Mapped[Decimal | None] = money()
    currency: Mapped[str | None] = code("currency.code")
    amount_bound: Mapped[Bound | None] = mapped_column(choice(Bound, "amount_bound"))
    amount_kind: Mapped[AmountKind | None] = mapped_column(choice(AmountKind, "amount_kind"))
    amount_period: Mapped[AmountPeriod | None] = mapped_column(
        choice(AmountPeriod, "amount_period")
    )
    amount_years: Mapped[int | None]
    amount_text: Mapped[str | None]
    sectors: Mapped[list[str]] = code_list("sector.code")
    certainty: Mapped[Certainty] = mapped_column(choice(Certainty, "certainty"))
    readings: Mapped[list[str]] = code_list()
    parties: Mapped[list[AgreementParty]] = relationship(
        cascade="all, delete-orphan", order_by="AgreementParty.position"
    )
    parties_complete: Mapped[bool] = mapped_column(
        default=True, server_default=true(), info={WITHHELD_AS: "false"}
    )
    targets: Mapped[list[AgreementTarget]] = relationship(
        cascade="all, delete-orphan", order_by="AgreementTarget.position"
    )
    related: Mapped[list[RelatedAgreement]] = relationship(
        cascade="all, delete-orphan",
        order_by="RelatedAgreement.position",
        foreign_keys=RelatedAgreement.owner_id,
    )
    amount_by_year: Mapped[list[AgreementAmountOfYear]] = relationship(
        cascade="all, delete-orphan", order_by="AgreementAmountOfYear.position"
    )


def _years_once(amounts: list[AmountOfYearFields]) -> list[AmountOfYearFields]:
    distinct([str(each.year) for each in amounts])
    return amounts


class AgreementFields(RecordFields, PlaceFields, Noted):
    """An agreement."""

    mission_id: UUID | None = None
    """The mission that it came out of."""
    event_id: UUID | None = None
    """The event at which it was concluded."""
    title: Line
    """What it is called, in the language of its papers."""
    title_en: Line | None = None
    """The title in English."""
    subject: Prose | None = None
    """What it is about."""
    subject_en: Prose | None = None
    """What it is about, in English."""
    instrument: Instrument
    """What sort of instrument or announcement it is."""
    bindingness: Bindingness | None = None
    """Whether it binds; follows from the instrument when left out."""
    status: AgreementStatus | None = None
    """How far it has come. When left out: `announced` for an announced plan, `completed` for an
    office opened, else `signed`; a record keeps what it has. A later change is checked, and entered
    as an outcome."""
    was_signed: StrictBool | None = None
    """Whether it was ever signed, also if it fell through since. When left out it follows from the
    status, the date, and what the record was before."""
    signed: Edtf | None = None
    """When it was signed, as stated, in EDTF; what is announced or negotiated has none yet."""
    signed_text: Line | None = None
    """When it was signed, as printed."""
    due: Edtf | None = None
    """When a plan is to come true, as stated, in EDTF."""
    due_text: Line | None = None
    """When it is due, as printed: `soon`."""
    stands_for: Annotated[int, Field(ge=1, le=100_000, strict=True)] = 1
    """How many agreements it stands for: 12 of `twelve memoranda` that nobody names."""
    amount: Amount | None = None
    """The amount as stated, which can be 0; null when none is."""
    amount_max: Amount | None = None
    """The end of a range, such as 15 of `10 to 15 million`."""
    currency: CurrencyCode | None = None
    """The currency of `amount`, ISO 4217."""
    amount_bound: Bound | None = None
    """Whether the amount is exact or a limit. When left out it is `exact` beside an amount, and
    null beside a range, which is neither `exact` nor `more_than` something."""
    amount_kind: AmountKind | None = None
    """What the amount is of."""
    amount_period: AmountPeriod | None = None
    """What time the amount is for; `over_years` goes with `amount_years`."""
    amount_years: AmountYears | None = None
    """For how many years the amount is, in all with `over_years` or each with `per_year`."""
    amount_text: Line | None = None
    """The amount as printed."""
    sectors: Sectors = []
    """What it is about: codes of ISIC Rev. 4."""
    certainty: Certainty = Certainty.certain
    """How sure the reading of the source is; `ambiguous` ones say their `readings`."""
    readings: Annotated[list[Prose], Field(max_length=20)] = []
    """How the source can be read, one text a reading, when it is ambiguous."""
    parties: Annotated[list[PartyFields], Field(max_length=200)] = []
    """Who agreed, in order."""
    parties_complete: StrictBool = True
    """False when there are parties that the source does not tell of, or that are withheld."""
    targets: Annotated[list[TargetFields], Field(max_length=100)] = []
    """What it is to bring beside money."""
    related: Annotated[list[RelatedFields], Field(max_length=100)] = []
    """Other agreements, and what this one is to them."""
    amount_by_year: Annotated[
        list[AmountOfYearFields], Field(max_length=200), AfterValidator(_years_once)
    ] = []
    """How much of the amount falls in which year."""


class AgreementFirmness(Schema):
    """What the server tells of an agreement."""

    firmness: Firmness
    """How firm it is, by its status and bindingness: the class that its amount counts in. What is
    only announced or negotiated binds nobody, whatever its instrument; what another that stands
    `replaces` is `replaced`."""


def _check(session: Session, record: Agreement, before: Values | None) -> None:
    if record.bindingness is None:
        record.bindingness = DEFAULT_BINDINGNESS.get(record.instrument, Bindingness.binding)
    if record.status is None and before is not None:
        record.status = AgreementStatus(before["status"])
    if record.status is None:
        record.status = FIRST_STATUS.get(record.instrument, AgreementStatus.signed)
    _set_firmness(record, before)
    _settle_bound(record, before)
    _check_amounts(session, record)
    _check_parties(record)
    check_related(session, record.id, record.related, before)
    _check_event(session, record)
    _check_signed(session, record, before)
    compose_anew(session, record, before)
    if before is not None and before["status"] != record.status:
        check_move(AgreementStatus(before["status"]), record.status)
        _enter_move(session, record)


def _settle_bound(record: Agreement, before: Values | None) -> None:
    """Where nothing is said of it an amount is exact, and a range is not; Invalid (422) for one
    that is said to be."""
    was = before or dict.fromkeys(("amount", "amount_max", "amount_bound"))
    was_range = is_range(was["amount"], was["amount_max"])
    is_as_it_was = before is not None and was["amount_bound"] == record.amount_bound
    if not is_range(record.amount, record.amount_max):
        if record.amount is not None and record.amount_bound is None:
            record.amount_bound = Bound.exact
        if record.amount is None and was["amount"] is not None:
            record.amount_bound = None
    elif is_as_it_was and not was_range and record.amount_bound is Bound.exact:
        record.amount_bound = None
    elif record.amount_bound is not None and not (is_as_it_was and was_range):
        otherwise = "leave amount_bound out, or say approximately"
        check_bound(record.amount_bound, "/amount_bound", otherwise)


def _set_firmness(record: Agreement, before: Values | None) -> None:
    was = before or {"firmness": None, "status": None}
    # Since another one replaces it, which sees to it when it does no more.
    is_replaced = was["firmness"] == Firmness.replaced
    if not is_replaced or was["status"] == AgreementStatus.superseded:
        record.firmness = firmness_of(record.status, record.bindingness)
    was_signed = bool(before and before["was_signed"])
    implied = record.status in SIGNED and record.bindingness not in NEVER_SIGNED
    implied |= record.status in FALLEN_THROUGH and record.signed is not None
    if record.was_signed is None:
        record.was_signed = was_signed or implied
    elif before is not None and not was_signed:
        # Left as it was: what makes it signed is new.
        record.was_signed = record.was_signed or implied


def _check_amounts(session: Session, record: Agreement) -> None:
    if record.amount_by_year and record.currency is None:
        text = "currency is missing: amount_by_year is in it."
        raise Invalid.at("/currency", "currency", text)
    of_years = enumerate(record.amount_by_year)
    amounts = {"/amount": record.amount, "/amount_max": record.amount_max}
    amounts |= {f"/amount_by_year/{at}/amount": each.amount for at, each in of_years}
    check_money(session, record.currency, amounts)


_NO_PARTY = "An agreement that is {} has at least one party."


def _check_parties(record: Agreement) -> None:
    parties = record.parties
    if record.status in SIGNED and not parties:
        raise Invalid.at("/parties", "parties", _NO_PARTY.format(record.status))
    if record.instrument is Instrument.founding_agreement:
        founders = [p for p in parties if p.role is PartyRole.founder]
        if len(founders) < 2 and not any(p.description for p in parties):
            text = "A founding_agreement has two founders, or a party that is described."
            raise Invalid.at("/parties", "founders", text)
    if sum(p.share_percent or 0 for p in parties) > 100:
        raise Invalid.at("/parties", "shares", "The shares add up to more than 100.")


def _check_event(session: Session, record: Agreement) -> None:
    held_at = session.get(Event, record.event_id) if record.event_id is not None else None
    if held_at is not None and record.mission_id not in (None, held_at.mission_id):
        raise Invalid.at("/event_id", "mission", "The event belongs to another mission.")


def _check_signed(session: Session, record: Agreement, before: Values | None) -> None:
    """Refuse (422) what tells of a signature and says something else than the status, or than the
    dates of what followed; what was there stays as it is."""
    told = {name: getattr(record, name) for name in ("signed", "signed_text", "was_signed")}
    new = [n for n, value in told.items() if value and (before is None or before[n] != value)]
    if new and record.status in NOT_YET_SIGNED:
        faults = [Fault("status", _NOT_SIGNED.format(record.status, n), f"/{n}") for n in new]
        raise Invalid(faults[0].detail, faults)
    if before is not None and "signed" in new:
        for signature in signature_of(record):
            check_order(signature, moves_of(session, record.id), "/signed")


_NOT_SIGNED = (
    "The status says that it is {} and not signed yet: leave {} out, or say that the status is"
    " signed. The day on which a plan is to come true is due."
)


def _enter_move(session: Session, record: Agreement) -> None:
    """Keep a change of status as an outcome, unless an outcome is what brings it about."""
    for new in records_in_progress(session):
        if isinstance(new, Outcome) and (new.agreement_id, new.status) == (
            record.id,
            record.status,
        ):
            return
    day = record.signed if record.status is AgreementStatus.signed else None
    body = OutcomeFields(agreement_id=record.id, date=day, status=record.status)
    store.create(session, outcome, body)


agreement = Resource(
    name="Agreement",
    path="agreements",
    table=Agreement,
    fields=AgreementFields,
    read_only=AgreementFirmness,
    about="A contract, a memorandum, an announced plan or an act done, with its parties.",
    to_one={"mission": mission, "event": event},
    under=("mission", "event"),
    part_of=("mission",),
    withheld_where={"firmness": "firmness_withheld"},
    told_by={"amount": ("amount_by_year",), "parties": ("parties_complete",)},
    embedded={
        "parties": Embedded(
            table=AgreementParty,
            fields=PartyFields,
            owner="agreement_id",
            to_one={"organization": organization, "signed_by": person},
            sheet_columns=("role", "organization"),
        ),
        "targets": Embedded(table=AgreementTarget, fields=TargetFields, owner="agreement_id"),
        "related": Embedded(table=RelatedAgreement, fields=RelatedFields, owner="owner_id"),
        "amount_by_year": Embedded(
            table=AgreementAmountOfYear, fields=AmountOfYearFields, owner="agreement_id"
        ),
    },
    of_day=OfDay(("signed", "event_id", "mission_id"), day_of_agreement),
    check=_check,
    follow=settle_replaced,
    title_parts=("title", "instrument", "parties"),
    similarity=Similarity(
        names=("title",),
        keys=title_keys,
        under="mission_id",
        unless=("instrument", "amount", "currency", "signed"),
        members=("parties", "organization_id"),
    ),
    example_answer={"firmness": "signed_binding", "was_signed": True},
)
agreement.embedded["related"].to_one["agreement"] = agreement
# An outcome belongs to an agreement, which enters its own moves as outcomes: so it is told here.
outcome.to_one["agreement"] = agreement
