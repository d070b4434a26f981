"""Records as the rules see them: made, found and saved.

They are instances of their tables' classes that no Session knows: SQLAlchemy's instrumentation and
unit of work would take most of the time of a write.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cache, lru_cache
from typing import Literal, TypeVar
from uuid import UUID

from sqlalchemy import Case, ScalarSelect, bindparam, delete, insert, inspect, select, update
from sqlalchemy.orm import ClassManager, Session, configure_mappers
from sqlalchemy.orm.exc import StaleDataError

from app.core.databases.expressions import Expression
from app.core.databases.interface import Base, table_of
from app.core.databases.prepared import Prepared
from app.core.databases.types import uuid7
from app.core.loose_types import Fields, Value, Values
from app.engine.record import Record, bound_values
from app.engine.resource import Embedded, Resource
from app.engine.writes.broken_rules import with_all_rules
from app.engine.writes.constraint_errors import translate_integrity_errors
from app.engine.writes.withheld import decides, has_new_parts, hide

T = TypeVar("T", bound=Base)

#: Where an instance keeps what the database holds of it.
_STORED = "_stored"


def new_record(
    resource: Resource, data: Values, record_id: UUID | None, entered: datetime
) -> Record:
    """An instance with these values, at an id of its own or a new one, entered at this time."""
    values = {
        "id": record_id or uuid7(),
        "version": 1,
        "created_at": entered,
        "updated_at": entered,
        "deleted_at": None,
    }
    record = _instance(resource.table, values)
    set_values(resource, record, data)
    return record


def set_values(resource: Resource, record: Record, data: Values) -> None:
    """Give a record these values of its fields; those of its parts are rows as mappings."""
    values = {**data, **_bounds_of(resource, data)}
    for name, part in resource.embedded.items():
        if name in data:
            values[name] = [
                _instance(
                    part.table,
                    {part.owner: record.id, "position": at, **row, **_bounds_of(part, row)},
                )
                for at, row in enumerate(data[name])
            ]
    record.__dict__.update(values)


def _bounds_of(at: Resource | Embedded, data: Values) -> Fields:
    """What the columns beside the stated dates among these values hold."""
    values: Fields = {}
    for name in at.edtf_dates:
        if name in data:
            values |= bound_values(name, data[name])
    return values


# The records whose rules are looked at


@contextmanager
def in_progress(session: Session, record: Record) -> Iterator[None]:
    """While it lasts the record is found by whoever asks for it, as it is about to be stored."""
    records = records_in_progress(session)
    records.append(record)
    try:
        yield
    finally:
        records.pop()


def records_in_progress(session: Session) -> list[Record]:
    """The records whose rules are looked at before they are stored, the innermost last."""
    records: list[Record] = session.info.setdefault("in_progress", [])
    return records


# Finding


def find_record(
    session: Session, resource: Resource, by: Literal["id", "ref"], key: UUID | str
) -> Record | None:
    """The record with this id or ref, locked until the transaction ends; None without one."""
    for values in _finding(resource, by).mappings(session, {"key": key}):
        parts = {
            name: _finding_parts(part).mappings(session, {"owner": values["id"]})
            for name, part in resource.embedded.items()
        }
        return _found(resource, values, parts)
    return None


def _found(resource: Resource, values: Fields, parts: Mapping[str, list[Fields]]) -> Record:
    record = _instance(resource.table, values)
    for name, rows in parts.items():
        record.__dict__[name] = [_instance(resource.embedded[name].table, row) for row in rows]
    record.__dict__[_STORED] = {**values, **parts}
    return record


@cache
def _finding(resource: Resource, by: Literal["id", "ref"]) -> Prepared:
    table = resource.table
    column = table.id if by == "id" else table.ref
    statement = select(*_loaded(table)).where(column == bindparam("key", type_=column.type))
    if resource.row_filter is not None:
        statement = statement.where(resource.row_filter(table))
    return Prepared(statement.with_for_update())


@cache
def _finding_parts(part: Embedded) -> Prepared:
    table = table_of(part.table)
    owner = table.columns[part.owner]
    statement = select(*table.columns).where(owner == bindparam("owner", type_=owner.type))
    return Prepared(statement.order_by(table.columns.position))


def _loaded(of: type[Base]) -> list[Expression]:
    """The columns that are read with a record: all but large ones."""
    return [
        column
        for attribute in inspect(of).column_attrs
        for column in attribute.columns
        if not attribute.deferred and not isinstance(column, ScalarSelect | Case)
    ]


# Storing


def insert_records(session: Session, resource: Resource, records: Sequence[Record]) -> None:
    """Store new records, and the rows of their parts.

    Raises the problem of a rule that the database holds.
    """
    hide(session, resource, records)
    with with_all_rules(resource, records), translate_integrity_errors():
        insert_rows(session, resource.table, records)
        for name, part in resource.embedded.items():
            rows = (row for each in records for row in getattr(each, name))
            insert_rows(session, part.table, rows)


def insert_rows(session: Session, of: type[Base], instances: Iterable[Base]) -> None:
    """Insert what the instances hold; columns that they do not name get their defaults."""
    _inserting(of).run_many(session, (_row(of, each) for each in instances))


def save_record(session: Session, resource: Resource, record: Record) -> None:
    """Store what has changed of a record that was found.

    Raises the problem of a rule that the database holds, and StaleDataError where somebody has
    changed the record since it was found.
    """
    stored = record.__dict__[_STORED]
    if _is_withheld_otherwise(resource, record, stored):
        hide(session, resource, [record])
    now = _row(resource.table, record)
    changed = tuple(
        name for name, value in now.items() if name in record.__dict__ and _new(stored, name, value)
    )
    with with_all_rules(resource, [record]), translate_integrity_errors():
        values = {f"new_{name}": now[name] for name in changed}
        key = {"old_id": record.id, "old_version": stored["version"]}
        if not _updating(resource.table, changed).rows(session, {**values, **key}):
            raise StaleDataError(f"{resource.singular} {record.id} has changed meanwhile")
        for name, part in resource.embedded.items():
            rows = [_row(part.table, row) for row in getattr(record, name)]
            if rows != stored[name]:
                # The old ones go first: changed one by one, two could be alike where none may be.
                _deleting_parts(part).run(session, {"owner": record.id})
                insert_rows(session, part.table, getattr(record, name))
            now[name] = rows
    record.__dict__[_STORED] = {**stored, **now}


def hide_anew(session: Session, resource: Resource, record: Record, at: datetime) -> bool:
    """Store what is withheld of a record that was found, at this time; False where that is what
    was withheld of it before."""
    hide(session, resource, [record])
    stored = record.__dict__[_STORED]
    rows = {
        name: [_row(p.table, r) for r in getattr(record, name)]
        for name, p in resource.embedded.items()
    }
    if record.hidden == stored["hidden"] and all(rows[name] == stored[name] for name in rows):
        return False
    record.version += 1
    record.updated_at = at
    save_record(session, resource, record)
    return True


def _is_withheld_otherwise(resource: Resource, record: Record, stored: Values) -> bool:
    """Whether what is withheld of it may not be what it was."""
    held = record.__dict__
    changed = (held[name] != stored.get(name) for name in decides(resource) if name in held)
    return any(changed) or has_new_parts(resource, record)


def _new(stored: Values, name: str, value: Value) -> bool:
    return name not in stored or stored[name] != value


def _row(of: type[Base], instance: Base) -> Fields:
    """The row of an instance."""
    values = instance.__dict__
    return {name: values[name] if name in values else default() for name, default in _defaults(of)}


@cache
def _inserting(of: type[Base]) -> Prepared:
    return Prepared(insert(table_of(of)), [column.key for column in table_of(of).columns])


@lru_cache(maxsize=1024)
def _updating(of: type[Base], names: tuple[str, ...]) -> Prepared:
    columns = table_of(of).columns
    values = {name: bindparam(f"new_{name}", type_=columns[name].type) for name in names}
    same = columns.id == bindparam("old_id", type_=columns.id.type)
    same &= columns.version == bindparam("old_version", type_=columns.version.type)
    return Prepared(update(table_of(of)).where(same).values(values).returning(columns.id))


@cache
def _deleting_parts(part: Embedded) -> Prepared:
    table = table_of(part.table)
    owner = table.columns[part.owner]
    return Prepared(delete(table).where(owner == bindparam("owner", type_=owner.type)))


@cache
def _defaults(of: type[Base]) -> tuple[tuple[str, Callable[[], Value]], ...]:
    """The columns, and what each holds where nothing is named."""
    return tuple((column.key, _default(column.default)) for column in table_of(of).columns)


def _default(default: Value) -> Callable[[], Value]:
    if default is None:
        return lambda: None
    # SQLAlchemy gives a function the context of the statement.
    return (lambda: default.arg(None)) if default.is_callable else (lambda: default.arg)


@cache
def _manager(table: type[Base]) -> ClassManager[Base]:
    # An instance made the usual way would see to this itself.
    configure_mappers()
    return inspect(table).class_manager


def _instance(table: type[T], values: Values) -> T:
    instance = _manager(table).new_instance()
    assert isinstance(instance, table)
    instance.__dict__.update(values)
    return instance
