"""Records that a write will change, locked in one order for all writes: of two that change the same
ones, each in an order of its own, neither then waits for the other."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.databases.prepared import connection_of
from app.engine.keys import as_id, is_askable
from app.engine.resource import Resource

#: How many records are asked for at a time.
_BATCH = 500


def lock_in_order(session: Session, resource: Resource, keys: Iterable[str]) -> None:
    """Lock the records with these ids and refs until the transaction ends."""
    named = set(filter(is_askable, keys))
    if len(named) < 2 or not has_locks(session):
        return
    table = resource.table
    ids = {found for key in named if (found := as_id(key)) is not None}
    refs = sorted(key for key in named if as_id(key) is None)
    for at in range(0, len(refs), _BATCH):
        ids.update(session.scalars(select(table.id).where(table.ref.in_(refs[at : at + _BATCH]))))
    lock_ids(session, resource, ids)


def lock_ids(session: Session, resource: Resource, ids: Iterable[UUID]) -> None:
    """Lock the records with these ids until the transaction ends, where there is more than one
    writer."""
    table, ordered = resource.table, sorted(set(ids))
    for at in range(0, len(ordered) if has_locks(session) else 0, _BATCH):
        several = select(table.id).where(table.id.in_(ordered[at : at + _BATCH]))
        session.execute(several.order_by(table.id).with_for_update())


def has_locks(session: Session) -> bool:
    """Whether others can write meanwhile: SQLite has one writer."""
    return connection_of(session).dialect.name != "sqlite"
