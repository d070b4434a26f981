"""Delegates: people taking part in a mission, each in a capacity."""

from enum import StrEnum
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from app.core.databases.types import choice
from app.engine.record import Record, reference, rule
from app.engine.resource import Resource
from app.engine.schemas import Line, Noted, RecordFields
from app.resources.mission import mission
from app.resources.organization import organization
from app.resources.person import person


class Side(StrEnum):
    """Whose side a person is on."""

    delegation = "delegation"
    host = "host"
    third = "third"


class Capacity(StrEnum):
    """As what a person takes part."""

    head_of_delegation = "head_of_delegation"
    delegate = "delegate"
    host_official = "host_official"
    organizer_representative = "organizer_representative"
    company_representative = "company_representative"
    speaker = "speaker"


class Certainty(StrEnum):
    """How sure the reading of the source is."""

    certain = "certain"
    probable = "probable"
    ambiguous = "ambiguous"


class Delegate(Record):
    __tablename__ = "delegate"
    __table_args__ = (
        rule(
            "named_or_described",
            "person_id IS NOT NULL OR description IS NOT NULL",
            "person_id is missing, or a description of somebody who is not named",
            "/person_id",
        ),
    )

    mission_id: Mapped[UUID] = reference("mission.id")
    person_id: Mapped[UUID | None] = reference("person.id")
    description: Mapped[str | None]
    organization_id: Mapped[UUID | None] = reference("organization.id")
    position: Mapped[str | None]
    position_en: Mapped[str | None]
    side: Mapped[Side] = mapped_column(choice(Side, "side"))
    capacity: Mapped[Capacity] = mapped_column(choice(Capacity, "capacity"))
    certainty: Mapped[Certainty] = mapped_column(choice(Certainty, "certainty"))


class DelegateFields(RecordFields, Noted):
    """A person taking part in a mission."""

    mission_id: UUID
    """The mission that the person takes part in."""
    person_id: UUID | None = None
    """Who it is, when named."""
    description: Line | None = None
    """Who it is, when the source names nobody: `a deputy minister`."""
    organization_id: UUID | None = None
    """The organization on whose behalf the person takes part."""
    position: Line | None = None
    """The person's post as printed, true at the time of the mission."""
    position_en: Line | None = None
    """The post in English."""
    side: Side
    """Whose side the person is on."""
    capacity: Capacity
    """As what the person takes part."""
    certainty: Certainty = Certainty.certain
    """How sure the reading of the source is."""


delegate = Resource(
    name="Delegate",
    path="delegates",
    table=Delegate,
    fields=DelegateFields,
    about="A person taking part in a mission, on whose behalf, and in what capacity.",
    to_one={"mission": mission, "person": person, "organization": organization},
    under=("mission", "person"),
    part_of=("mission",),
    withheld_with=("person",),
)
