"""What is part of a record goes to the trash and comes back with it: a mission's agreements."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.core import json_codec
from app.core.databases.interface import table_of
from app.core.errors import Conflict
from app.core.loose_types import Fields
from app.core.public_path import public_path
from app.engine.history.change_log import Action, note_change
from app.engine.record import Record
from app.engine.registry import RECORD_TYPES
from app.engine.resource import Resource
from app.engine.search.index import index_record
from app.engine.writes.rendering import render_records

#: How many records of each kind went with another one, by the path of their kind.
Parts = Mapping[str, int]
#: How many records are moved by one statement.
_BATCH = 500
_STEP = timedelta(microseconds=1)


def parts_of(
    resource: Resource,
) -> Iterator[tuple[Resource, InstrumentedAttribute[UUID | None]]]:
    """The kinds of which records are part of one of these, each with the field that says so."""
    for child in RECORD_TYPES.values():
        for relation in child.part_of:
            if child.to_one[relation].table is resource.table:
                yield child, getattr(child.table, f"{relation}_id")


def has_parts(resource: Resource) -> bool:
    """Whether records of other kinds, or others of this one, can be part of one of these."""
    return next(parts_of(resource), None) is not None


def deletion_time(session: Session, resource: Resource, stamp: datetime) -> datetime:
    """When a record goes to the trash in the transaction of this time.

    The parts that went with a record are known by having its `deleted_at`, so that is later than
    what any of them has that went by itself, a moment before in the same transaction.
    """
    last: datetime | None = session.info.get("deletion_time")
    if last is not None and has_parts(resource):
        stamp = max(stamp, last + _STEP)
    session.info["deletion_time"] = stamp
    return stamp


def trash_parts(session: Session, resource: Resource, record: Record) -> Parts:
    """Move what is part of a record to the trash, where the record is already."""
    return _move(session, resource, record, None, record.deleted_at, Action.DELETE)


def restore_parts(
    session: Session, resource: Resource, record: Record, deleted_at: datetime
) -> Parts:
    """Bring back what went to the trash with a record, which is back; it went at this time."""
    return _move(session, resource, record, deleted_at, None, Action.RESTORE)


def _move(
    session: Session,
    resource: Resource,
    record: Record,
    old: datetime | None,
    new: datetime | None,
    action: Action,
) -> Parts:
    counted: Counter[str] = Counter()
    waiting: list[tuple[Resource, Sequence[UUID]]] = [(resource, [record.id])]
    while waiting:
        owner, owners = waiting.pop(0)
        for child, column in parts_of(owner):
            for ids in _batches(owners):
                found = _found(session, child, column.in_(ids), old)
                for several in _batches(found):
                    _move_batch(session, child, several, new, record.updated_at, action)
                if found:
                    counted[child.path] += len(found)
                    waiting.append((child, found))
    return dict(sorted(counted.items()))


def _batches(ids: Sequence[UUID]) -> Iterator[Sequence[UUID]]:
    return (ids[at : at + _BATCH] for at in range(0, len(ids), _BATCH))


def _found(
    session: Session, child: Resource, under: ColumnElement[bool], deleted_at: datetime | None
) -> Sequence[UUID]:
    """The parts that have this `deleted_at`, locked until the transaction ends."""
    table = child.table
    there = table.deleted_at.is_(None) if deleted_at is None else table.deleted_at == deleted_at
    found = select(table.id).where(under, there).order_by(table.id).with_for_update()
    return session.scalars(found).all()


def _move_batch(
    session: Session,
    child: Resource,
    ids: Sequence[UUID],
    deleted_at: datetime | None,
    at: datetime,
    action: Action,
) -> None:
    table = table_of(child.table)
    before = [json_codec.loads_stored(body) for body in render_records(session, child, ids)]
    values = {"deleted_at": deleted_at, "updated_at": at, "version": table.c.version + 1}
    session.execute(update(table).where(table.c.id.in_(ids)).values(**values))
    found = session.execute(select(table.c.id, table.c.hidden).where(table.c.id.in_(ids)))
    hidden: dict[UUID, str | None] = {row[0]: row[1] for row in found}
    after = [json_codec.loads_stored(body) for body in render_records(session, child, ids)]
    for record_id, was, state in zip(ids, before, after, strict=True):
        same: Fields = dict.fromkeys(("hidden", "was_hidden"), hidden[record_id])
        kind, elsewhere = child.record_type, child.derived_elsewhere
        note_change(session, action, kind, was, state, elsewhere, **same)
        index_record(session, child, state, was, **same)
    for was, state in zip(before, after, strict=True):
        child.follow(session, child, was, state)


def refuse_without_owner(session: Session, resource: Resource, record: Record) -> None:
    """Conflict (409) where the record is to come back and what it is part of is in the trash."""
    for relation in resource.part_of:
        owner, owner_id = resource.to_one[relation], getattr(record, f"{relation}_id")
        held = owner_id and session.scalar(
            select(owner.table.deleted_at).where(owner.table.id == owner_id)
        )
        if held:
            raise Conflict(
                f"The {owner.singular} that it is part of is in the trash: bring that back first,"
                f" with POST {public_path(f'/{owner.path}/{owner_id}/restore')}."
            )
