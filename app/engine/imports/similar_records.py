"""Rows that look like records that are there, or like rows before them: a sheet sent twice."""

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import BaseModel
from sqlalchemy import ColumnElement, FromClause, or_, select
from sqlalchemy.orm import Session

from app.core.databases.expressions import AnyTable
from app.core.errors import Fault
from app.core.loose_types import Value, Values
from app.engine.imports.entry import Entry
from app.engine.resource import Resource, Similarity
from app.engine.writes.bulk_insert import New

#: How many records and rows are remembered; what comes after them is not looked at.
_MAX_KNOWN: Final = 50_000

#: What a record is under, and what its kind makes of a name.
_Key = tuple[Value, Hashable]


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


#: A row with the fields that are compared, and its members.
_Row = tuple[Entry, Values, frozenset[Value]]


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
        if of is None or not of.in_sheets:
            return []
        said = [(entry, _said(of, new.body), _members(of, new.body)) for entry, new in rows]
        self._read_under(of, {_owner(of, values) for _, values, _ in said} - self._read)
        return list(self._told(of, said))

    def _told(self, of: Similarity, said: Iterable[_Row]) -> Iterator[Fault]:
        for entry, values, members in said:
            keys = _keys(of, values)
            row = _Known(entry.place, [values[name] for name in of.unless], members)
            others = (known for key in keys for known in self._known.get(key, ()))
            like = next(
                (each for each in others if each.place != row.place and each.may_be(row)), None
            )
            # Whoever names a record knows which one it is.
            if like is not None and not entry.known_by():
                text = f"This looks like {like.place}: give its id or ref, or leave the row out."
                yield entry.fault(of.names[0], "similar", text)
            self._keep(keys, row)

    def _keep(self, keys: Iterable[_Key], known: _Known) -> None:
        if self._count < _MAX_KNOWN:
            self._count += 1
            for key in keys:
                self._known.setdefault(key, []).append(known)

    def _read_under(self, of: Similarity, owners: set[Value]) -> None:
        """Read what lies under these records, or under none."""
        self._read |= owners
        if not owners or self._count >= _MAX_KNOWN:
            return
        table: AnyTable = self.resource.table
        columns = dict.fromkeys(("id", "ref", *_fields(of)))
        rows = select(*(getattr(table, name) for name in columns))
        rows = rows.where(table.deleted_at.is_(None), *_is_under(table, of, owners))
        rows = rows.order_by(table.id).limit(_MAX_KNOWN - self._count)
        members = self._members(of, rows.subquery())
        for values in map(dict, self.session.execute(rows).mappings()):
            kind = self.resource.record_type.replace("_", " ")
            place = f"the {kind} {values['ref'] or values['id']}, which is there"
            of_record = members.get(values["id"], frozenset())
            known = _Known(place, [values[name] for name in of.unless], of_record)
            self._keep(_keys(of, values), known)

    def _members(self, of: Similarity, records: FromClause) -> Mapping[Value, frozenset[Value]]:
        """The members of each of these records."""
        if of.members is None:
            return {}
        name, member = of.members
        part = self.resource.embedded[name]
        owner, value = getattr(part.table, part.owner), getattr(part.table, member)
        rows = select(owner, value).join(records, records.c.id == owner)
        found: dict[Value, set[Value]] = {}
        for record_id, each in self.session.execute(rows.where(value.is_not(None))):
            found.setdefault(record_id, set()).add(each)
        return {record_id: frozenset(several) for record_id, several in found.items()}


def _owner(of: Similarity, values: Mapping[str, Value]) -> Value:
    """What a record is under; nothing where its kind lies under none."""
    return None if of.under is None else values[of.under]


def _keys(of: Similarity, values: Mapping[str, Value]) -> set[_Key]:
    owner = _owner(of, values)
    return {(owner, key) for name in of.names_of(values) for key in of.keys(name)}


def _fields(of: Similarity) -> Iterator[str]:
    """The fields that are compared."""
    yield from () if of.under is None else (of.under,)
    yield from (*of.names, *of.unless)


def _said(of: Similarity, body: BaseModel) -> Values:
    return {name: getattr(body, name) for name in _fields(of)}


def _members(of: Similarity, body: BaseModel) -> frozenset[Value]:
    if of.members is None:
        return frozenset()
    part, member = of.members
    found = (getattr(row, member) for row in getattr(body, part))
    return frozenset(each for each in found if each is not None)


def _is_under(table: AnyTable, of: Similarity, owners: set[Value]) -> list[ColumnElement[bool]]:
    """Whether a record is under one of these, None among them for those under none."""
    if of.under is None:
        return []
    under = getattr(table, of.under)
    is_named = under.in_([owner for owner in owners if owner is not None])
    return [or_(is_named, under.is_(None)) if None in owners else is_named]
