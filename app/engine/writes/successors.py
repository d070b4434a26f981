"""What a record was merged into, told to whoever names the former one in a write."""

from sqlalchemy import ColumnElement, Table, select
from sqlalchemy.orm import Session

from app.core.databases.interface import table_of
from app.core.errors import Conflict
from app.core.public_path import public_path
from app.engine.record import MERGED_INTO, Record
from app.engine.resource import Resource


def successor_key(session: Session, table: Table, which: ColumnElement[bool]) -> str | None:
    """The ref, or else the id, of what a record of the table was merged into; None of another."""
    if MERGED_INTO not in table.c:
        return None
    successor = table.alias()
    there = successor.c.id == table.c[MERGED_INTO]
    found = select(successor.c.ref, successor.c.id).where(there, which)
    row = session.execute(found).first()
    return None if row is None else str(row.ref or row.id)


def merged_hint(session: Session, table: Table, which: ColumnElement[bool]) -> str:
    """` It was merged into 'alina': name that.`, or nothing."""
    key = successor_key(session, table, which)
    return "" if key is None else f" It was merged into {key!r}: name that."


def refuse_merged(session: Session, resource: Resource, record: Record) -> None:
    """Conflict (409) for a record that was merged into another, which is to be written instead."""
    if getattr(record, MERGED_INTO, None) is None:
        return
    table = table_of(resource.table)
    key = successor_key(session, table, table.c.id == record.id)
    raise Conflict(
        f"The {resource.singular} was merged into {key!r}: write to that, or take this one out of"
        f" it with POST {public_path(f'/{resource.path}/{record.id}/unmerge')}."
    )
