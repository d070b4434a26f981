"""Events: the programme of a mission."""

from datetime import date
from enum import StrEnum
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.core.databases.types import choice
from app.engine.record import Record, first_day_of, reference, stated
from app.engine.resource import OfDay, Resource
from app.engine.schemas import Edtf, Line, Noted, RecordFields
from app.resources.attendance import Attendance
from app.resources.mission import Mission, mission
from app.resources.place import Place, PlaceFields, place_rules


class EventKind(StrEnum):
    """What sort of event it is."""

    round_table = "round_table"
    presentation = "presentation"
    signing_ceremony = "signing_ceremony"
    office_opening = "office_opening"
    site_visit = "site_visit"
    meeting = "meeting"
    b2b_matchmaking = "b2b_matchmaking"
    briefing = "briefing"
    negotiations = "negotiations"
    forum = "forum"
    conference = "conference"
    exhibition = "exhibition"


class Event(Place, Record):
    __tablename__ = "event"
    __table_args__ = place_rules()

    mission_id: Mapped[UUID | None] = reference("mission.id")
    kind: Mapped[EventKind] = mapped_column(choice(EventKind, "kind"))
    attendance: Mapped[Attendance | None] = mapped_column(choice(Attendance, "attendance"))
    title: Mapped[str]
    title_en: Mapped[str | None]
    dates: Mapped[str | None] = stated()
    dates_text: Mapped[str | None]


class EventFields(RecordFields, PlaceFields, Noted):
    """An event of a mission's programme, or one that missions went to."""

    mission_id: UUID | None = None
    """The mission whose programme it belongs to; null for one that is nobody's mission."""
    kind: EventKind
    """What sort of event it is."""
    attendance: Attendance | None = None
    """Whether people met in person, online or both."""
    title: Line
    """Its name, in the language of the programme."""
    title_en: Line | None = None
    """The title in English."""
    dates: Edtf | None = None
    """When it took place, as stated, in EDTF."""
    dates_text: Line | None = None
    """The dates as printed."""


def _day(session: Session, record: Event) -> date | None:
    """The first day that it can be of: its own, or its mission's."""
    own: date | None = first_day_of(record, "dates")
    if own is not None or record.mission_id is None:
        return own
    days = select(first_day_of(Mission, "dates")).where(Mission.id == record.mission_id)
    found: date | None = session.scalar(days)
    return found


event = Resource(
    name="Event",
    path="events",
    table=Event,
    fields=EventFields,
    about="An event: a round table, a signing, an opening of a mission's programme, or a forum.",
    to_one={"mission": mission},
    under=("mission",),
    part_of=("mission",),
    of_day=OfDay(("dates", "mission_id"), _day),
)
# Missions go to events, which can be of missions: so it is told here.
mission.to_one["at_event"] = event
