"""Related agreements: a contract that implements a framework, or is a part of a greater one."""

from collections.abc import Sequence
from enum import StrEnum
from functools import partial
from uuid import UUID

from sqlalchemy import ForeignKey, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.core.databases.types import choice
from app.core.errors import Invalid, refuse_repeated
from app.core.loose_types import Values
from app.engine.figure_rules import MAX_LEVELS
from app.engine.record import Part, reference, rule
from app.engine.schemas import Schema
from app.resources.levels import depth


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


_PART_OF, _REPLACES = AgreementRelationship.part_of, AgreementRelationship.replaces
_REPLACES_HOLDER = (
    "The agreement would replace what it is a part of, or what replaces it: say which of them is"
    " to count."
)
_TOO_DEEP = {
    _PART_OF: f"Agreements lie in at most {MAX_LEVELS} levels, each part of the one above: let it"
    " be a part of one above.",
    _REPLACES: f"At most {MAX_LEVELS} agreements take the place of each other, one after another:"
    " say that it follows the last one.",
}


def check_related(
    session: Session, owner_id: UUID, related: Sequence[RelatedAgreement], before: Values | None
) -> None:
    """Refuse (422) one relation twice, and what would be a part of itself, or replace what it is
    held by, by way of others: sums would have none of these in them. So would they have too much of
    what lies too deep."""
    told = [(each.relation, each.agreement_id) for each in related]
    refuse_repeated("/related", told)
    if before is not None and told == [
        (r["relation"], UUID(r["agreement_id"])) for r in before["related"]
    ]:
        return
    replaced = {of for relation, of in told if relation is _REPLACES}
    wholes = {of for relation, of in told if relation is _PART_OF}
    _check_circles(session, owner_id, wholes, replaced)
    _check_levels(session, None if before is None else owner_id, wholes, replaced)


def _check_circles(
    session: Session, owner_id: UUID, wholes: set[UUID], replaced: set[UUID]
) -> None:
    holders = wholes | (_naming(session, _REPLACES, {owner_id}) if replaced else set())
    seen: set[UUID] = set()
    while holders:
        if owner_id in holders:
            raise Invalid.at("/related", "circle", "The agreement would be a part of itself.")
        if holders & replaced:
            raise Invalid.at("/related", "circle", _REPLACES_HOLDER)
        seen |= holders
        # What the owner replaces is written anew.
        replacing = _naming(session, _REPLACES, holders) - {owner_id}
        holders = (_named(session, _PART_OF, holders) | replacing) - seen


def _check_levels(
    session: Session, known: UUID | None, wholes: set[UUID], replaced: set[UUID]
) -> None:
    """Refuse (422) more levels than sums see through. Others can have named what was `known`."""
    for relation, named in ((_PART_OF, wholes), (_REPLACES, replaced)):
        naming = partial(_naming, session, relation)
        others = depth(named, partial(_named, session, relation), MAX_LEVELS)
        if others and known is not None:
            others += depth(naming({known}), naming, MAX_LEVELS)
        if others >= MAX_LEVELS:
            raise Invalid.at("/related", "too_deep", _TOO_DEEP[relation])


def _named(session: Session, relation: AgreementRelationship, ids: set[UUID]) -> set[UUID]:
    """What the agreements say that they are this to."""
    found = select(RelatedAgreement.agreement_id).where(
        RelatedAgreement.owner_id.in_(ids), RelatedAgreement.relation == relation
    )
    return set(session.scalars(found))


def _naming(session: Session, relation: AgreementRelationship, ids: set[UUID]) -> set[UUID]:
    """What says that it is this to the agreements."""
    found = select(RelatedAgreement.owner_id).where(
        RelatedAgreement.agreement_id.in_(ids), RelatedAgreement.relation == relation
    )
    return set(session.scalars(found))
