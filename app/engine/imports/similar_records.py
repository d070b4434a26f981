"""Rows that look like records that are there, or like rows before them: a sheet sent twice."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import FromClause, or_, select
from sqlalchemy.orm import Session

from app.core.databases.expressions import AnyTable
from app.core.errors import Fault
from app.core.loose_types import Value, Values
from app.core.text.name_keys import name_key
from app.engine.imports.entry import Entry
from app.engine.resource import Resource, Similarity
from app.engine.writes import store
from app.engine.writes.bulk_insert import New

#: How many records and rows are remembered; what comes after them is not looked at.
_MAX_KNOWN: Final = 50_000

_Key = tuple[Value, str]


@dataclass(frozen=True, slots=True)
class _Known:
    """A record or a row: where it is, and what would tell it from another of its name."""

    place: str
    values: Sequence[Value]
    members: frozenset[Value]

    def may_be(self, other: "_Known") -> bool:
        """Whether nothing that both of them say differs."""
        pairs = zip(self.values, other.values, strict=True)
        if any(a is not None and b is not None and a != b for a, b in pairs):
            return False
        return not (self.members and other.members) or self.members == other.members


class SimilarRecords:
    """What new records of one import look like: those under the same record are read once."""

    def __init__(self, session: Session, resource: Resource) -> None:
        self.session, self.resource = session, resource
        self._known: dict[_Key, list[_Known]] = {}
        self._count = 0
        self._read: set[Value] = set()

    def found(self, rows: Iterable[tuple[Entry, New]]) -> list[Fault]:
        """What is told of rows that are about to become new records, and look like others."""
        of = self.resource.similarity
        if of is None:
            return []
        said = [(entry, store.written(new.body)) for entry, new in rows]
        self._read_under(of, {values[of.under] for _, values in said} - self._read)
        return list(self._told(of, said))

    def _told(self, of: Similarity, said: Iterable[tuple[Entry, Values]]) -> Iterator[Fault]:
        for entry, values in said:
            key = (values[of.under], _folded(values[of.name]))
            part, member = of.members
            members = frozenset(row[member] for row in values[part] if row[member] is not None)
            row = _Known(entry.place, [values[name] for name in of.unless], members)
            others = [known for known in self._known.get(key, []) if known.place != row.place]
            like = next((known for known in others if known.may_be(row)), None)
            # Whoever names a record knows which one it is.
            if like is not None and not entry.known_by():
                text = f"This looks like {like.place}: give its id or ref, or leave the row out."
                yield entry.fault(of.name, "similar", text)
            self._keep(key, row)

    def _keep(self, key: _Key, known: _Known) -> None:
        if self._count < _MAX_KNOWN:
            self._known.setdefault(key, []).append(known)
            self._count += 1

    def _read_under(self, of: Similarity, owners: set[Value]) -> None:
        """Read what lies under these records, or under none."""
        self._read |= owners
        if not owners or self._count >= _MAX_KNOWN:
            return
        table: AnyTable = self.resource.table
        under, name = getattr(table, of.under), getattr(table, of.name)
        values = (getattr(table, each) for each in of.unless)
        named = [owner for owner in owners if owner is not None]
        is_under = or_(under.in_(named), under.is_(None)) if None in owners else under.in_(named)
        rows = select(table.id, table.ref, under, name, *values)
        rows = rows.where(is_under, table.deleted_at.is_(None)).order_by(table.id)
        rows = rows.limit(_MAX_KNOWN - self._count)
        members = self._members(of, rows.subquery())
        for record_id, ref, owner, title, *rest in self.session.execute(rows):
            place = f"the {self.resource.singular} {ref or record_id}, which is there"
            known = _Known(place, rest, members.get(record_id, frozenset()))
            self._keep((owner, _folded(title)), known)

    def _members(self, of: Similarity, records: FromClause) -> Mapping[Value, frozenset[Value]]:
        """The members of each of these records."""
        name, member = of.members
        part = self.resource.embedded[name]
        owner, value = getattr(part.table, part.owner), getattr(part.table, member)
        rows = select(owner, value).join(records, records.c.id == owner)
        found: dict[Value, set[Value]] = {}
        for record_id, each in self.session.execute(rows.where(value.is_not(None))):
            found.setdefault(record_id, set()).add(each)
        return {record_id: frozenset(several) for record_id, several in found.items()}


def _folded(name: str) -> str:
    return name_key(name).casefold()
