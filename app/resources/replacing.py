"""Agreements that others replace: kept in their rows, whichever way the others change.

What replaces an agreement and stands, signed or done, makes it one that was `replaced`, whatever
its own status says; without one it is again what that says. For the public only those count that
it sees: where it sees none of them, the class that they make of the agreement is withheld.
"""

from collections.abc import Iterator
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from app.core.databases.expressions import AnyTable
from app.core.databases.public_reads import ALL
from app.core.loose_types import Values
from app.engine.resource import Resource
from app.engine.writes import store
from app.engine.writes.records import find_record
from app.resources.firmness import Firmness, firmness_of
from app.resources.instrument import Bindingness
from app.resources.related import AgreementRelationship, RelatedAgreement
from app.resources.status import AgreementStatus

#: What has fallen through, and what is a plan yet, takes no other's place.
_NOT_STANDING = (Firmness.fallen_through, Firmness.announced)
_BY_STATUS = tuple(
    each for each in AgreementStatus if firmness_of(each, Bindingness.binding) in _NOT_STANDING
)


def stands(by: AnyTable) -> ColumnElement[bool]:
    """Whether an agreement can have taken another's place, by its own status and bindingness."""
    is_plan = and_(
        by.bindingness == Bindingness.announcement, by.status != AgreementStatus.superseded
    )
    return and_(by.status.not_in(_BY_STATUS), ~is_plan)


def settle_replaced(
    session: Session, agreement: Resource, before: Values | None, after: Values | None
) -> None:
    """Look anew at the class of what an agreement replaces, or did before it was written; by its
    JSON, None where it was not there yet or is there no more."""
    named = {*_named(before), *_named(after)}
    if before is not None and after is not None and before["status"] != after["status"]:
        # Its class was that of its status, so that nobody has looked for others.
        named |= {after["id"]} if before["status"] == AgreementStatus.superseded else set()
    for replaced in sorted(named):
        _settle(session, agreement, UUID(replaced))


def _named(state: Values | None) -> Iterator[str]:
    for each in () if state is None else state["related"]:
        if each["relation"] == AgreementRelationship.replaces:
            yield each["agreement_id"]


def _settle(session: Session, agreement: Resource, replaced: UUID) -> None:
    record: AnyTable = find_record(session, agreement, "id", replaced)
    if record is None:
        return
    by: AnyTable = agreement.table
    is_hidden = or_(by.hidden == ALL, RelatedAgreement.hidden == ALL)
    standing = select(is_hidden.is_(True)).where(
        RelatedAgreement.agreement_id == replaced,
        RelatedAgreement.relation == AgreementRelationship.replaces,
        by.id == RelatedAgreement.owner_id,
        by.deleted_at.is_(None),
        stands(by),
    )
    hidden = session.scalars(standing).all()
    firmness = firmness_of(record.status, record.bindingness)
    # What was withheld stays so until something that everybody sees makes it known.
    is_withheld = all(hidden) and (bool(hidden) or record.firmness_withheld)
    values = {
        "firmness": Firmness.replaced if hidden else firmness,
        "firmness_withheld": is_withheld and firmness != Firmness.replaced,
    }
    if any(getattr(record, name) != value for name, value in values.items()):
        store.set_unchecked(session, agreement, record, values)
