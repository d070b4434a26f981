"""Trade missions: who went where, when, and what for."""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Final
from uuid import UUID

from pydantic import Field
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from app.core.databases.types import choice
from app.core.errors import Invalid
from app.core.loose_types import Values
from app.core.text.name_keys import title_keys
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
from app.engine.resource import Embedded, Levels, OfDay, Resource, Similarity
from app.engine.schemas import Edtf, Line, Noted, Prose, RecordFields
from app.engine.writes import store
from app.engine.writes.records import set_values
from app.resources.attendance import Attendance
from app.resources.code import CountryCode, CurrencyCode, RegionCode, Sectors
from app.resources.levels import levels_with
from app.resources.money import Amount, check_money, differs, money_rules
from app.resources.person import OtherNames
from app.resources.stop import MissionStop, StopFields

#: In how many levels missions lie, each part of the one above: a journey, its legs, and theirs.
MAX_LEVELS: Final = 5


class MissionKind(StrEnum):
    """What sort of mission it is."""

    outward_mission = "outward_mission"
    inward_mission = "inward_mission"
    reverse_mission = "reverse_mission"
    trade_fair = "trade_fair"
    investment_forum = "investment_forum"
    official_visit = "official_visit"
    virtual_mission = "virtual_mission"
    forum = "forum"
    conference = "conference"
    exhibition = "exhibition"
    negotiations = "negotiations"


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
            "host_country is missing: a region lies in its country",
            "/host_country",
        ),
        region_of("sending_country", "sending_region"),
        rule(
            "sending_region_with_country",
            "sending_region IS NULL OR sending_country IS NOT NULL",
            "sending_country is missing: a region lies in its country",
            "/sending_country",
        ),
        *money_rules("cost_amount", "cost_currency"),
    )

    title: Mapped[str]
    title_en: Mapped[str | None]
    other_names: Mapped[list[str]] = code_list()
    kind: Mapped[MissionKind] = mapped_column(choice(MissionKind, "kind"))
    status: Mapped[MissionStatus] = mapped_column(choice(MissionStatus, "status"))
    attendance: Mapped[Attendance | None] = mapped_column(choice(Attendance, "attendance"))
    sending_country: Mapped[str | None] = code("country.code")
    sending_region: Mapped[str | None] = code("region.code")
    sending_city: Mapped[str | None]
    host_country: Mapped[str | None] = code("country.code")
    host_region: Mapped[str | None] = code("region.code")
    host_city: Mapped[str | None]
    dates: Mapped[str | None] = stated(index=True)
    dates_text: Mapped[str | None]
    sectors: Mapped[list[str]] = code_list("sector.code")
    summary: Mapped[str | None]
    parent_id: Mapped[UUID | None] = reference("mission.id")
    at_event_id: Mapped[UUID | None] = reference("event.id", is_circular=True)
    cost_amount: Mapped[Decimal | None] = money()
    cost_currency: Mapped[str | None] = code("currency.code")
    stops: Mapped[list[MissionStop]] = relationship(
        cascade="all, delete-orphan", order_by="MissionStop.position"
    )


class MissionFields(RecordFields, Noted):
    """A trade mission."""

    title: Line
    """The mission's name, in the language of its papers."""
    title_en: Line | None = None
    """The name in English."""
    other_names: OtherNames = []
    kind: MissionKind
    """What sort of mission it is."""
    status: MissionStatus = MissionStatus.held
    """Whether it took place."""
    attendance: Attendance | None = None
    """Whether people met in person, online or both."""
    sending_country: CountryCode | None = None
    """The country that the delegation comes from, ISO 3166-1 alpha-2."""
    sending_region: RegionCode | None = None
    """The region that it comes from, ISO 3166-2, when it is a region's delegation."""
    sending_city: Line | None = None
    """The city that it comes from."""
    host_country: CountryCode | None = None
    """The country visited, ISO 3166-1 alpha-2: that of the first stop. Filters find any stop's."""
    host_region: RegionCode | None = None
    """The region visited, ISO 3166-2; it lies in `host_country`. As for it, of the first stop."""
    host_city: Line | None = None
    """The city visited, of the first stop."""
    dates: Edtf | None = None
    """When it took place, as stated, in EDTF: `2016-04-11/2016-04-13`, `XXXX-04` without a year."""
    dates_text: Line | None = None
    """The dates as printed."""
    sectors: Sectors = []
    """What the mission was about: codes of ISIC Rev. 4."""
    summary: Prose | None = None
    """What it was, in a few sentences of our own."""
    parent_id: UUID | None = None
    """The mission that this one is a part of."""
    at_event_id: UUID | None = None
    """The event, such as a great forum, that the mission went to."""
    cost_amount: Amount | None = None
    """What the mission cost."""
    cost_currency: CurrencyCode | None = None
    """The currency of `cost_amount`, ISO 4217."""
    stops: Annotated[list[StopFields], Field(max_length=100)] = []
    """Where it went, in order; the first is `host_country`, `host_region` and `host_city`. Without
    any, these are the only one."""


def _check(session: Session, record: Mission, before: Values | None) -> None:
    check_money(
        session,
        record.cost_currency,
        {"/cost_amount": record.cost_amount},
    )
    _match_host(record, before)
    if record.parent_id is not None and differs(record, before, "parent_id"):
        _check_levels(session, record, is_new=before is None)


def _check_levels(session: Session, record: Mission, *, is_new: bool) -> None:
    """Refuse (422) a mission that would lie, or have others that lie, too deep in a journey."""
    levels = levels_with(session, record, "parent_id", MAX_LEVELS, is_new=is_new)
    if levels > MAX_LEVELS:
        text = f"A journey has at most {MAX_LEVELS} levels: let it be a part of a mission above."
        raise Invalid.at("/parent_id", "too_deep", text)


_HOST = ("country", "region", "city")


def _match_host(record: Mission, before: Values | None) -> None:
    """Make the first stop and `host_*` say the same, whichever of them has been changed; refuse
    (422) when both have been, to different places."""
    host = {name: getattr(record, f"host_{name}") for name in _HOST}
    old_host = {name: before[f"host_{name}"] if before else None for name in _HOST}
    if not record.stops:
        # A region alone is refused by its rule.
        if host["country"] or host["city"]:
            set_values(mission, record, {"stops": [host]})
        return
    first = record.stops[0]
    place = {name: getattr(first, name) for name in _HOST}
    old_stops = before["stops"] if before else []
    old_place = {name: old_stops[0][name] for name in _HOST} if old_stops else None
    if host != old_host and place == old_place:
        if len(record.stops) == 1 and not (host["country"] or host["city"]):
            set_values(mission, record, {"stops": []})
            return
        for name in _HOST:
            setattr(first, name, host[name])
        return
    if host not in (old_host, place):
        name = next(name for name in _HOST if host[name] != place[name])
        raise store.not_the_first(f"host_{name}", "stops", place[name])
    for name in _HOST:
        setattr(record, f"host_{name}", place[name])


mission = Resource(
    name="Mission",
    path="missions",
    table=Mission,
    fields=MissionFields,
    about="A trade mission: a business delegation's visit, a fair, a forum, in person or online.",
    under=("parent",),
    part_of=("parent",),
    levels=Levels("parent", MAX_LEVELS),
    first_of={f"host_{name}": ("stops", name) for name in _HOST},
    embedded={"stops": Embedded(table=MissionStop, fields=StopFields, owner="mission_id")},
    of_day=OfDay(("dates",), lambda session, record: first_day_of(record, "dates")),
    check=_check,
    similarity=Similarity(
        names=("title", "title_en", "other_names"),
        keys=title_keys,
        unless=("dates", "sending_country", "host_country", "host_city"),
        under="parent_id",
    ),
)
mission.to_one["parent"] = mission
