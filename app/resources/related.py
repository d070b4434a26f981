"""Related agreements: a contract that implements a framework, or is a part of a greater one."""

from collections.abc import Sequence
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.core.databases.types import choice
from app.core.errors import Invalid, refuse_repeated
from app.core.loose_types import Values
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


_REPLACES_HOLDER = (
    "The agreement would replace what it is a part of, or what replaces it: say which of them is"
    " to count."
)


def check_related(
    session: Session, owner_id: UUID, related: Sequence[RelatedAgreement], before: Values | None
) -> None:
    """Refuse (422) one relation twice, and what would be a part of itself, or replace what it is
    held by, by way of others: sums would have none of these in them."""
    told = [(each.relation, each.agreement_id) for each in related]
    refuse_repeated("/related", told)
    if before is not None and told == [
        (r["relation"], UUID(r["agreement_id"])) for r in before["related"]
    ]:
        return
    replaced = {of for relation, of in told if relation is AgreementRelationship.replaces}
    holders = {of for relation, of in told if relation is AgreementRelationship.part_of}
    if replaced:
        holders |= _replacing(session, owner_id, {owner_id})
    seen: set[UUID] = set()
    while holders:
        if owner_id in holders:
            raise Invalid.at("/related", "circle", "The agreement would be a part of itself.")
        if holders & replaced:
            raise Invalid.at("/related", "circle", _REPLACES_HOLDER)
        seen |= holders
        holders = _wholes(session, holders) | _replacing(session, owner_id, holders)
        holders -= seen


def _wholes(session: Session, parts: set[UUID]) -> set[UUID]:
    """What the agreements are parts of."""
    found = select(RelatedAgreement.agreement_id).where(
        RelatedAgreement.owner_id.in_(parts),
        RelatedAgreement.relation == AgreementRelationship.part_of,
    )
    return set(session.scalars(found))


def _replacing(session: Session, owner_id: UUID, replaced: set[UUID]) -> set[UUID]:
    """What replaces the agreements, but for the owner, whose relations are written anew."""
    found = select(RelatedAgreement.owner_id).where(
        RelatedAgreement.agreement_id.in_(replaced),
        RelatedAgreement.relation == AgreementRelationship.replaces,
        RelatedAgreement.owner_id != owner_id,
    )
    return set(session.scalars(found))
