"""Where records of every kind name those of one: as their metadata and the registry say it."""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from app.core.databases.expressions import AnyTable
from app.core.databases.interface import Base, table_of
from app.core.loose_types import Fields, Value
from app.engine.record import Record
from app.engine.registry import RECORD_TYPES
from app.engine.resource import Resource

#: How many records are asked for at a time.
_BATCH: Final = 500


class Pointing(NamedTuple):
    """How records of a kind name those of another: in columns of their own, in columns of the rows
    of a part, by the name of the part, and as what they tell of."""

    child: Resource
    own: tuple[str, ...]
    parts: dict[str, tuple[str, ...]]
    kind: str

    def ids(self, session: Session, record_id: UUID) -> Sequence[UUID]:
        """The records that name one, in the trash or not, in the order of their ids."""
        table: AnyTable = self.child.table
        found = select(table.id).where(or_(*self._conditions(record_id))).order_by(table.id)
        return session.scalars(found).all()

    def _conditions(self, record_id: UUID) -> Iterator[ColumnElement[bool]]:
        table: AnyTable = self.child.table
        for name in self.own:
            yield getattr(table, name) == record_id
        for part, names in self.parts.items():
            rows: AnyTable = self.child.embedded[part].table
            owner = getattr(rows, self.child.embedded[part].owner)
            for name in names:
                yield table.id.in_(select(owner).where(getattr(rows, name) == record_id))
        if self.child.tells_of is not None:
            kind, key, _ = self.child.tells_of
            yield (getattr(table, kind) == self.kind) & (getattr(table, key) == record_id)

    def named_in_parts(self, session: Session, ids: Sequence[UUID]) -> Iterator[UUID]:
        """All that rows of the parts of these records name: a foreign key locks it, when the rows
        are stored anew."""
        for part, names in self.parts.items():
            rows: AnyTable = self.child.embedded[part].table
            owner = getattr(rows, self.child.embedded[part].owner)
            for name in names:
                for at in range(0, len(ids), _BATCH):
                    named = select(getattr(rows, name)).where(owner.in_(ids[at : at + _BATCH]))
                    yield from filter(None, session.scalars(named))

    def moved(self, record: Record, old: UUID, new: UUID) -> Fields:
        """The values of a record's fields in which it names one, naming another instead."""
        new = plain(new)
        values: Fields = {name: new for name in self.own if getattr(record, name) == old}
        for part, names in self.parts.items():
            rows = self.rows(record, part)
            there = [{n: new for n in names if row[n] == old} for row in rows]
            if any(there):
                values[part] = [row | each for row, each in zip(rows, there, strict=True)]
        if self.tells_of(record) == (self.kind, old):
            assert self.child.tells_of is not None
            values[self.child.tells_of[1]] = new
        return values

    def rows(self, record: Record, part: str) -> list[Fields]:
        """The rows of a part, as a body has them."""
        names = self.child.embedded[part].fields.model_fields
        rows = getattr(record, part)
        return [{name: plain(getattr(row, name)) for name in names} for row in rows]

    def tells_of(self, record: Record) -> tuple[str, UUID] | None:
        """The kind and the id of what a record tells of."""
        if self.child.tells_of is None:
            return None
        kind, key, _ = self.child.tells_of
        return getattr(record, kind), getattr(record, key)


def plain(value: Value) -> Value:
    """A value that was read; the driver of PostgreSQL has a UUID of its own, which is no JSON."""
    return UUID(str(value)) if isinstance(value, UUID) else value


def pointing_to(resource: Resource) -> list[Pointing]:
    """All kinds whose records can name those of one."""
    kind, found = resource.record_type, []
    for child in RECORD_TYPES.values():
        parts = {
            name: _columns(part.table, resource, part.owner)
            for name, part in child.embedded.items()
        }
        parts = {name: columns for name, columns in parts.items() if columns}
        own = _columns(child.table, resource)
        if own or parts or child.tells_of is not None:
            found.append(Pointing(child, own, parts, kind))
    return found


def _columns(of: type[Base], resource: Resource, owner: str | None = None) -> tuple[str, ...]:
    """The columns of a table that name records of the kind, but for whose part a row is."""
    key = table_of(resource.table).c.id
    return tuple(
        column.key
        for column in table_of(of).columns
        if column.key != owner and any(each.column is key for each in column.foreign_keys)
    )
