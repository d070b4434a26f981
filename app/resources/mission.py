"""Trade missions: who went where, when, and what for."""

from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from sqlalchemy.orm import Mapped, Session, mapped_column

from app.core.databases.types import choice
from app.core.loose_types import Values
from app.engine.record import (
    Record,
    code,
    code_list,
    first_day_of,
    money,
    reference,
    region_of,
    rule,
    stated,
)
from app.engine.resource import Resource
from app.engine.schemas import Edtf, Line, Noted, Prose, RecordFields
from app.resources.code import CountryCode, CurrencyCode, RegionCode, Sectors
from app.resources.money import Amount, check_money, differs, money_rules


class MissionKind(StrEnum):
    """What sort of mission it is."""

    outward_mission = "outward_mission"
    inward_mission = "inward_mission"
    reverse_mission = "reverse_mission"
    trade_fair = "trade_fair"
    investment_forum = "investment_forum"
    official_visit = "official_visit"
    virtual_mission = "virtual_mission"


class MissionStatus(StrEnum):
    """Whether it took place."""

    planned = "planned"
    held = "held"
    postponed = "postponed"
    cancelled = "cancelled"


class Mission(Record):
    __tablename__ = "mission"
    __table_args__ = (
        region_of("host_country", "host_region"),
        rule(
            "region_with_country",
            "host_region IS NULL OR host_country IS NOT NULL",
            "host_region needs host_country",
            "/host_region",
        ),
        *money_rules("cost_amount", "cost_currency"),
    )

    title: Mapped[str]
    title_en: Mapped[str | None]
    kind: Mapped[MissionKind] = mapped_column(choice(MissionKind, "kind"))
    status: Mapped[MissionStatus] = mapped_column(choice(MissionStatus, "status"))
    sending_country: Mapped[str | None] = code("country.code")
    host_country: Mapped[str | None] = code("country.code")
    host_region: Mapped[str | None] = code("region.code")
    host_city: Mapped[str | None]
    dates: Mapped[str | None] = stated(index=True)
    sectors: Mapped[list[str]] = code_list("sector.code")
    summary: Mapped[str | None]
    parent_id: Mapped[UUID | None] = reference("mission.id")
    cost_amount: Mapped[Decimal | None] = money()
    cost_currency: Mapped[str | None] = code("currency.code")


class MissionFields(RecordFields, Noted):
    """A trade mission."""

    title: Line
    """The mission's name, in the language of its papers."""
    title_en: Line | None = None
    """The name in English."""
    kind: MissionKind
    """What sort of mission it is."""
    status: MissionStatus = MissionStatus.held
    """Whether it took place."""
    sending_country: CountryCode | None = None
    """The country that the delegation comes from, ISO 3166-1 alpha-2."""
    host_country: CountryCode | None = None
    """The country visited, ISO 3166-1 alpha-2."""
    host_region: RegionCode | None = None
    """The region visited, ISO 3166-2; it lies in `host_country`."""
    host_city: Line | None = None
    """The city visited."""
    dates: Edtf | None = None
    """When it took place, as stated, in EDTF: `2016-04-11/2016-04-13`, `XXXX-04` without a year."""
    sectors: Sectors = []
    """What the mission was about: codes of ISIC Rev. 4."""
    summary: Prose | None = None
    """What it was, in a few sentences of our own."""
    parent_id: UUID | None = None
    """The mission that this one is a part of."""
    cost_amount: Amount | None = None
    """What the mission cost."""
    cost_currency: CurrencyCode | None = None
    """The currency of `cost_amount`, ISO 4217."""


def _check(session: Session, record: Mission, before: Values | None) -> None:
    check_money(
        session,
        record.cost_amount,
        record.cost_currency,
        "/cost_amount",
        named="cost_currency",
        day=lambda: first_day_of(record, "dates"),
        is_new=differs(record, before, "cost_currency", "dates"),
    )


mission = Resource(
    name="Mission",
    path="missions",
    table=Mission,
    fields=MissionFields,
    about="A trade mission: a business delegation's visit, a fair, a forum, in person or online.",
    part_of=("parent",),
    check=_check,
)
mission.to_one["parent"] = mission
