"""Events: the programme of a mission."""

from enum import StrEnum
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from app.core.databases.types import choice
from app.engine.record import Record, reference, stated
from app.engine.resource import Resource
from app.engine.schemas import Edtf, Line, Noted, RecordFields
from app.resources.mission import mission
from app.resources.place import Place, PlaceFields, place_rules


class EventKind(StrEnum):
    """What sort of event it is."""

    round_table = "round_table"
    presentation = "presentation"
    signing_ceremony = "signing_ceremony"
    office_opening = "office_opening"
    site_visit = "site_visit"
    meeting = "meeting"


class Event(Place, Record):
    __tablename__ = "event"
    __table_args__ = place_rules()

    mission_id: Mapped[UUID] = reference("mission.id")
    kind: Mapped[EventKind] = mapped_column(choice(EventKind, "kind"))
    title: Mapped[str]
    title_en: Mapped[str | None]
    dates: Mapped[str | None] = stated()


class EventFields(RecordFields, PlaceFields, Noted):
    """An event of a mission's programme."""

    mission_id: UUID
    """The mission whose programme it belongs to."""
    kind: EventKind
    """What sort of event it is."""
    title: Line
    """Its name, in the language of the programme."""
    title_en: Line | None = None
    """The title in English."""
    dates: Edtf | None = None
    """When it took place, as stated, in EDTF."""


event = Resource(
    name="Event",
    path="events",
    table=Event,
    fields=EventFields,
    about="An event of a mission's programme: a round table, a signing, an opening.",
    to_one={"mission": mission},
    under=("mission",),
    part_of=("mission",),
)
