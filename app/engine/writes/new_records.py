"""Records to create: as instances for the rules to look at, and as rows of their tables.

They are made past SQLAlchemy's instrumentation and unit of work, which would take most of the time
of a creation; no Session knows them.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from functools import cache, lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import Table, insert, inspect
from sqlalchemy.orm import ClassManager, Session, configure_mappers

from app.core.databases.interface import Base
from app.core.databases.prepared import Prepared
from app.core.databases.types import uuid7
from app.core.edtf import bounds
from app.engine.resource import Resource
from app.engine.writes.constraint_errors import translate_integrity_errors


def new_record(
    resource: Resource, data: Mapping[str, Any], record_id: UUID | None, entered: datetime
) -> Any:
    """An instance with these values, at an id of its own or a new one, entered at this time."""
    record_id = record_id or uuid7()
    values = {
        **data,
        "id": record_id,
        "version": 1,
        "created_at": entered,
        "updated_at": entered,
        "deleted_at": None,
    }
    for name, part in resource.embedded.items():
        values[name] = [
            _instance(part.table, {part.owner: record_id, "position": at, **row})
            for at, row in enumerate(data[name])
        ]
    for name in resource.edtf_dates:
        values[f"{name}_earliest"], values[f"{name}_latest"] = _span(data[name])
    return _instance(resource.table, values)


@lru_cache(maxsize=10_000)
def _span(stated: str | None) -> tuple[date | None, date | None]:
    """The bounds of a stated date; the same few days come again and again in a file."""
    span = bounds(stated)
    return span.earliest, span.latest


def insert_records(session: Session, resource: Resource, records: Iterable[Any]) -> None:
    """Store instances that `new_record` made, and the rows of their parts.

    Raises the problem of a rule that the database holds.
    """
    records = list(records)
    with translate_integrity_errors():
        _insert(session, resource.table, records)
        for name, part in resource.embedded.items():
            _insert(session, part.table, (row for each in records for row in getattr(each, name)))


def _insert(session: Session, of: type[Base], instances: Iterable[Any]) -> None:
    defaults = _defaults(of)
    _inserting(of).run_many(
        session,
        ({**{name: make() for name, make in defaults}, **each.__dict__} for each in instances),
    )


@cache
def _inserting(of: type[Base]) -> Prepared:
    return Prepared(insert(of), [column.key for column in _table(of).columns])


@cache
def _defaults(of: type[Base]) -> tuple[tuple[str, Callable[[], Any]], ...]:
    """What columns hold that a record does not name."""
    return tuple((column.key, _default(column.default)) for column in _table(of).columns)


def _default(default: Any) -> Callable[[], Any]:
    if default is None:
        return lambda: None
    # SQLAlchemy gives a function the context of the statement.
    return (lambda: default.arg(None)) if default.is_callable else (lambda: default.arg)


def _table(of: type[Base]) -> Table:
    table = of.__table__
    assert isinstance(table, Table)
    return table


@cache
def _manager(table: type[Base]) -> ClassManager[Any]:
    # An instance made the usual way would see to this itself.
    configure_mappers()
    return inspect(table).class_manager


def _instance(table: type[Base], values: Mapping[str, Any]) -> Any:
    instance = _manager(table).new_instance()
    instance.__dict__.update(values)
    return instance
