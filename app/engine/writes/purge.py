"""Purging: a record that nothing refers to goes for good, with all that history knew of it."""

from collections.abc import Iterator
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, exists, inspect, select, update
from sqlalchemy.orm import Session

from app.core import json_codec
from app.core.databases.deferred import complete
from app.core.databases.expressions import TableColumn
from app.core.databases.interface import Base, table_of
from app.core.databases.public_reads import ALL
from app.core.databases.types import instant_text
from app.core.errors import Conflict
from app.engine.history.change_log import Action, Change, note_change
from app.engine.record import Record
from app.engine.resource import Resource
from app.engine.search.index import remove_record
from app.engine.writes import store
from app.engine.writes.constraint_errors import translate_integrity_errors
from app.engine.writes.rendering import render_record


def purge(
    session: Session, resource: Resource, key: str, guard: store.Guard = store.no_guard
) -> UUID:
    """Delete the record, in the trash or not, whose id is returned; Conflict (409) while another
    one refers to it.

    The log keeps its entries, so that it stays gapless, and loses what they said of the record.
    """
    record = store.find(session, resource, key)
    guard(record)
    _refuse_referred(session, resource, record)
    before = json_codec.loads_stored(render_record(session, resource, record.id))
    # Earlier writes of the transaction may have been of the same record.
    complete(session)
    remove_record(session, resource, record.id)
    of_record = (Change.kind == resource.record_type, Change.record_id == record.id)
    whole = ALL if record.hidden == ALL else None
    session.execute(update(Change).where(*of_record).values(changes="{}", hidden=whole))
    for owned in _owned(resource):
        session.execute(delete(owned).where(_of(owned, record)))
    with translate_integrity_errors():
        session.execute(delete(resource.table).where(resource.table.id == record.id))
    stamps = {
        "version": record.version + 1,
        "updated_at": instant_text(store.transaction_time(session)),
    }
    gone = {**before, **stamps}
    hidden = record.hidden
    kind = resource.record_type
    note_change(session, Action.PURGE, kind, gone, gone, hidden=hidden, was_hidden=hidden)
    resource.follow(session, resource, before, None)
    return record.id


def _refuse_referred(session: Session, resource: Resource, record: Record) -> None:
    named = dict(_references(resource, record))
    found = session.execute(select(*(exists().where(holds) for holds in named.values()))).one()
    names = [name for name, is_there in zip(named, found, strict=True) if is_there]
    if names:
        raise Conflict(
            f"This {resource.singular} cannot be purged: it is referred to by {', '.join(names)}."
            " Records in the trash count too."
        )


def _references(resource: Resource, record: Record) -> Iterator[tuple[str, ColumnElement[bool]]]:
    """What can refer to the record: by a foreign key, or by lying under it as citations do."""
    own = [_owner_column(owned, record) for owned in _owned(resource)]
    pointing = []
    for table in Base.metadata.sorted_tables:
        for column in table.columns:
            if not any(column is owner for owner in own) and any(
                key.column is resource.table.__table__.c.id for key in column.foreign_keys
            ):
                pointing.append(table)
                name = table.name.replace("_", " ")
                # What a part of the record says of the record itself goes with it.
                others = [owner for owner in own if owner.table is table]
                yield (
                    f"{name} ({column.name})",
                    and_(column == record.id, *(owner != record.id for owner in others)),
                )
    for collection in resource.to_many.values():
        # What points to the record, or is tied to it by what does, is told by that already.
        under = collection.on(collection.child.table, record)
        if collection.child.table.__table__ not in pointing and "SELECT" not in str(under):
            yield collection.child.plural, under


def _owned(resource: Resource) -> list[type[Base]]:
    """The tables whose rows are parts of a record."""
    return [relation.mapper.class_ for relation in inspect(resource.table).relationships]


def _of(owned: type[Base], record: Record) -> ColumnElement[bool]:
    """Which rows of such a table are the record's."""
    return _owner_column(owned, record) == record.id


def _owner_column(owned: type[Base], record: Record) -> TableColumn:
    """The column that says whose part a row is: it is in the table's key, with the position."""
    owner = record.__table__.c.id
    (column,) = (
        column
        for column in table_of(owned).primary_key
        if any(key.column is owner for key in column.foreign_keys)
    )
    return column
