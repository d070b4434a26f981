"""Related agreements: a contract that implements a framework, or is a part of a greater one."""

from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from app.core.databases.types import choice
from app.engine.record import Part, reference, rule
from app.engine.schemas import Schema


class AgreementRelationship(StrEnum):
    """What an agreement is to another (relatedProcesses of Open Contracting)."""

    part_of = "part_of"
    implements = "implements"
    replaces = "replaces"
    amends = "amends"
    follows = "follows"


class RelatedAgreement(Part):
    """Another agreement that one says something of."""

    __tablename__ = "agreement_related"
    __table_args__ = (
        rule(
            "not_itself",
            "agreement_id <> owner_id",
            "an agreement is not related to itself: name another",
            "/related",
        ),
    )

    owner_id: Mapped[UUID] = mapped_column(ForeignKey("agreement.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    agreement_id: Mapped[UUID] = reference("agreement.id")
    relation: Mapped[AgreementRelationship] = mapped_column(
        choice(AgreementRelationship, "relation")
    )


class RelatedFields(Schema):
    """Another agreement, and what this one is to it."""

    agreement_id: UUID
    """The other agreement."""
    relation: AgreementRelationship
    """What this one is to it: what is `part_of` another is not added to it."""
