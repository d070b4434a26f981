"""What belongs to a record is withheld and shown again with it, as a change of its own."""

from collections.abc import Iterator, Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from app.core import json_codec
from app.core.databases.expressions import AnyTable
from app.core.loose_types import Fields
from app.engine.history.change_log import Action, hide_former, note_change
from app.engine.record import Record
from app.engine.registry import RECORD_TYPES
from app.engine.resource import Resource
from app.engine.search.index import index_record
from app.engine.withholding import pointers_of
from app.engine.writes.records import find_record, hide_anew
from app.engine.writes.rendering import render_record


def hide_with(session: Session, resource: Resource, record: Record) -> None:
    """Look anew at what is withheld of all that belongs to a record or names it, of which another
    part is withheld now."""
    hide_former(session, record.id)
    waiting: list[tuple[Resource, UUID]] = [(resource, record.id)]
    seen = {(resource.record_type, record.id)}
    while waiting:
        owner, owner_id = waiting.pop(0)
        for child, conditions in _depending(owner, owner_id):
            for record_id in _ids(session, child, conditions):
                if (child.record_type, record_id) in seen:
                    continue
                if _hide_one(session, child, record_id, record):
                    seen.add((child.record_type, record_id))
                    waiting.append((child, record_id))


def _depending(
    owner: Resource, owner_id: UUID
) -> Iterator[tuple[Resource, list[ColumnElement[bool]]]]:
    """The kinds whose records can depend on one, each with the conditions of those that do."""
    for child in RECORD_TYPES.values():
        table: AnyTable = child.table
        found: list[ColumnElement[bool]] = [
            getattr(table, pointer.key) == owner_id
            for pointer in pointers_of(child)
            if pointer.target.table is owner.table
        ]
        for part in child.embedded.values():
            rows: AnyTable = part.table
            for pointer in pointers_of(part):
                if pointer.target.table is owner.table:
                    named = select(getattr(rows, part.owner))
                    named = named.where(getattr(rows, pointer.key) == owner_id)
                    found.append(table.id.in_(named))
        if child.tells_of is not None:
            kind, record_id, _ = child.tells_of
            tells = getattr(table, kind) == owner.record_type
            found.append(tells & (getattr(table, record_id) == owner_id))
        if found:
            yield child, found


def _ids(
    session: Session, child: Resource, conditions: list[ColumnElement[bool]]
) -> Sequence[UUID]:
    table: AnyTable = child.table
    return session.scalars(select(table.id).where(or_(*conditions)).order_by(table.id)).all()


def _hide_one(session: Session, resource: Resource, record_id: UUID, cause: Record) -> bool:
    """Whether another part of the record is withheld than was."""
    record = find_record(session, resource, "id", record_id)
    assert record is not None
    was_hidden = record.hidden
    before = json_codec.loads_stored(render_record(session, resource, record_id))
    if not hide_anew(session, resource, record, cause.updated_at):
        return False
    state = json_codec.loads_stored(render_record(session, resource, record_id))
    turn: Fields = {"hidden": record.hidden, "was_hidden": was_hidden}
    kind, elsewhere = resource.record_type, resource.derived_elsewhere
    note_change(session, Action.UPDATE, kind, before, state, elsewhere, **turn)
    index_record(session, resource, state, before, **turn)
    resource.follow(session, resource, before, state)
    return True
