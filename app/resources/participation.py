"""Participations: organizations taking part in a mission, each in a role."""

from enum import StrEnum
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from app.core.databases.types import choice
from app.engine.record import Record, reference
from app.engine.resource import Resource
from app.engine.schemas import Noted, RecordFields
from app.resources.mission import mission
from app.resources.organization import organization


class ParticipationRole(StrEnum):
    """As what an organization takes part."""

    organizer = "organizer"
    co_organizer = "co_organizer"
    host = "host"
    sponsor = "sponsor"
    participant = "participant"
    informant = "informant"


class Participation(Record):
    __tablename__ = "participation"

    mission_id: Mapped[UUID] = reference("mission.id")
    organization_id: Mapped[UUID] = reference("organization.id")
    role: Mapped[ParticipationRole] = mapped_column(choice(ParticipationRole, "role"))


class ParticipationFields(RecordFields, Noted):
    """An organization taking part in a mission."""

    mission_id: UUID
    """The mission."""
    organization_id: UUID
    """The organization that takes part."""
    role: ParticipationRole
    """As what it takes part."""


participation = Resource(
    name="Participation",
    path="participations",
    table=Participation,
    fields=ParticipationFields,
    about="An organization taking part in a mission, and in what role.",
    to_one={"mission": mission, "organization": organization},
    under=("mission",),
    part_of=("mission",),
)
