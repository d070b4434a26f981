"""What of a record is withheld, by itself or with what it belongs to: kept in its row and its
parts' rows, so that reads need not look for it."""

import json
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import JSON, Table, Text, bindparam, cast, func, literal_column, select, union_all
from sqlalchemy.orm import Session

from app.core.databases.expressions import Expression, Selection
from app.core.databases.interface import Base, table_of
from app.core.databases.prepared import Prepared, connection_of
from app.core.databases.public_reads import ALL, HIDDEN
from app.core.databases.types import Id
from app.core.errors import Invalid
from app.core.validation import summary
from app.engine.composed_titles import has_composed_title, title_field
from app.engine.record import Record
from app.engine.registry import RECORD_TYPES
from app.engine.resource import Embedded, Resource
from app.engine.withholding import (
    Pointer,
    faults_of_withheld,
    names_in,
    pointers_of,
    told_together,
    written_names,
)
from app.engine.writes.references import HIDDEN_KNOWN

#: The table of a kind and a record's id.
Named = tuple[Table, UUID]


def check_withheld(resource: Resource, record: Record) -> None:
    """Refuse (422) to withhold fields that cannot be."""
    names = record.__dict__.get("withheld")
    if names and (faults := faults_of_withheld(resource, names)):
        raise Invalid(summary(faults), faults)


class _Told(NamedTuple):
    """The record of any kind that one tells of, and the first step to the field of it."""

    target: Named
    field: str


def _told(resource: Resource, record: Record) -> _Told | None:
    if resource.tells_of is None:
        return None
    kind, record_id, field = (getattr(record, name) for name in resource.tells_of)
    target = table_of(RECORD_TYPES[kind].table), record_id
    return _Told(target, (field or "").strip("/").partition("/")[0])


def _is_told(field: str, hidden: str) -> bool:
    """Whether what tells of a field of a record tells what is withheld of it. Without a field it
    may tell of any, but for the notes, which are made here."""
    names = names_in(hidden)
    return field in names if field else bool(names - {"note"})


def _withheld_along(resource: Resource, record: Record, names: frozenset[str]) -> frozenset[str]:
    """What is withheld of a record where these fields are of what it is part of."""
    along = (each for each in resource.withheld_along if each.owners in names)
    return told_together(resource, (each.own for each in along if each.tells(record)))


def _table(pointer: Pointer) -> Table:
    return table_of(pointer.target.table)


def _named(resource: Resource, record: Record) -> Iterator[Named]:
    """The records that decide what is withheld of this one."""
    for pointer in pointers_of(resource):
        if (key := getattr(record, pointer.key)) is not None:
            yield _table(pointer), key
    for name, part in resource.embedded.items():
        for pointer in pointers_of(part):
            for row in getattr(record, name):
                if (key := getattr(row, pointer.key)) is not None:
                    yield _table(pointer), key
    if (told := _told(resource, record)) is not None:
        yield told.target


def hide(session: Session, resource: Resource, records: Sequence[Record]) -> None:
    """Set the column `hidden` of the records and of their parts, as all stands now."""
    if not _has_others(resource):
        for record in records:
            _hide(resource, record, {})
        return
    named = {each for record in records for each in _named(resource, record)}
    # Used once: what comes later in the transaction may have changed it.
    found = session.info.pop(HIDDEN_KNOWN, {})
    known = {each: found[each] for each in named if found.get(each) is not None}
    if unknown := named - found.keys():
        known |= _hidden(session, unknown)
    for record in records:
        _hide(resource, record, known)


@cache
def _has_others(resource: Resource) -> bool:
    """Whether records of the kind can name others, which decide what is withheld of them."""
    parts = resource.embedded.values()
    return bool(pointers_of(resource) or resource.tells_of or any(map(pointers_of, parts)))


def _hide(resource: Resource, record: Record, known: dict[Named, str]) -> None:
    # By what it holds: attributes of a class that is mapped take several calls each.
    held = record.__dict__
    is_whole = bool(held.get("confidential"))
    names = {name for name, column in resource.withheld_where.items() if held.get(column)}
    if not (is_whole or known or names or held.get("withheld")):
        held[HIDDEN] = None
        for name in resource.embedded:
            for row in held.get(name, ()):
                row.__dict__[HIDDEN] = None
        return
    for pointer in pointers_of(resource):
        hidden_there = known.get((_table(pointer), getattr(record, pointer.key)))
        if hidden_there == ALL:
            is_whole |= pointer.is_whole
            names.add(pointer.key)
        elif hidden_there and pointer.key.removesuffix("_id") in resource.part_of:
            names |= _withheld_along(resource, record, names_in(hidden_there))
    if (told := _told(resource, record)) is not None and told.target in known:
        hidden = known[told.target]
        is_whole |= hidden == ALL or _is_told(told.field, hidden)
    names |= told_together(resource, record.withheld or ())
    for name, part in resource.embedded.items():
        is_gone, rows = is_whole or name in names, getattr(record, name)
        for row in rows:
            row.__dict__[HIDDEN] = ALL if is_gone else _hidden_of_row(part, row, known)
        if any(row.__dict__[HIDDEN] == ALL for row in rows):
            # What it was before is not told either, nor what tells of all of them.
            names |= told_together(resource, [name])
        elif any(row.__dict__[HIDDEN] for row in rows):
            names.add(name)
    names |= _composed_with(resource, record)
    held[HIDDEN] = ALL if is_whole else written_names(names)


def _hidden_of_row(part: Embedded, row: Base, known: dict[Named, str]) -> str | None:
    """What is withheld of a row of a part for what it names."""
    gone = [p for p in pointers_of(part) if known.get((_table(p), getattr(row, p.key))) == ALL]
    if any(pointer.is_whole for pointer in gone):
        return ALL
    return written_names(name for pointer in gone for name in pointer.names)


def _composed_with(resource: Resource, record: Record) -> set[str]:
    """The field of a title that was made up of what is withheld."""
    field = title_field(resource)
    if field is None or not has_composed_title(resource, record):
        return set()
    rows = (
        row
        for name in resource.embedded.keys() & {*resource.title_parts}
        for row in getattr(record, name)
    )
    return {field} if any(row.__dict__[HIDDEN] == ALL for row in rows) else set()


@cache
def decides(resource: Resource) -> frozenset[str]:
    """The columns of a record that decide what is withheld of it, beside its parts."""
    keys = (pointer.key for pointer in pointers_of(resource))
    told = (*(resource.tells_of or ()), *resource.title_parts[:1])
    return frozenset({"confidential", "withheld", *keys, *told, *resource.withheld_where.values()})


def has_new_parts(resource: Resource, record: Record) -> bool:
    """Whether rows of its parts are new, so that nothing is known of what is withheld of them."""
    rows = (row for name in resource.embedded for row in getattr(record, name))
    return any(HIDDEN not in row.__dict__ for row in rows)


def _hidden(session: Session, named: Iterable[Named]) -> dict[Named, str]:
    """What is withheld of these records, of which something is."""
    ids: dict[Table, list[str]] = {}
    for table, record_id in named:
        ids.setdefault(table, []).append(str(record_id))
    tables = tuple(sorted(ids, key=lambda table: table.name))
    values = {f"ids{n}": json.dumps(ids[table]) for n, table in enumerate(tables)}
    dialect = connection_of(session).dialect.name
    rows = _asking(tables, dialect).rows(session, values)
    return {(tables[n], UUID(str(record_id))): hidden for n, record_id, hidden in rows}


@cache
def _asking(tables: tuple[Table, ...], dialect: str) -> Prepared:
    return Prepared(union_all(*(_of_table(n, table, dialect) for n, table in enumerate(tables))))


def _of_table(n: int, table: Table, dialect: str) -> Selection:
    found = select(literal_column(str(n)), cast(table.c.id, Text), table.c[HIDDEN])
    return found.where(table.c.id.in_(_ids(f"ids{n}", dialect)), table.c[HIDDEN].is_not(None))


def _ids(name: str, dialect: str) -> Selection:
    ids: Expression = bindparam(name, type_=Text)
    if dialect == "sqlite":
        return select(func.json_each(ids).table_valued("value").c.value)
    listed = func.json_array_elements_text(cast(ids, JSON)).table_valued("value")
    return select(cast(listed.c.value, Id))
