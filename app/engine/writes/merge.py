"""Merging: a record turns out to be another one, which all that named it names from then on.

The merged one goes to the trash with the name of its successor. What it took is in the change log
of the same moment, from which it is taken back.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from app.core import json_codec
from app.core.databases.deferred import complete
from app.core.databases.interface import table_of
from app.core.databases.public_reads import ALL
from app.core.errors import Conflict, Fault, Invalid, Problem
from app.core.json_pointer import read_pointer
from app.core.loose_types import Fields, JsonValue, Values
from app.core.public_path import public_path
from app.core.validation import validate
from app.engine.history.change_log import Change
from app.engine.keys import as_id, is_askable, missing
from app.engine.record import MERGED_INTO, Record
from app.engine.registry import RECORD_TYPES
from app.engine.resource import Resource
from app.engine.schemas import Noted, RecordFields
from app.engine.withholding import names_in
from app.engine.writes import store
from app.engine.writes.locked_in_order import has_locks, lock_ids
from app.engine.writes.pointing import Pointing, plain, pointing_to
from app.engine.writes.records import find_record
from app.engine.writes.store import Guard, Stored, no_guard
from app.engine.writes.successors import merged_hint

#: How many records may name the one that is merged: others wait while they are changed, for 2 s on
#: SQLite with its one writer.
MAX_MOVED: Final = 2_000
#: Of how many records that stand in the way is told.
_MAX_TOLD: Final = 100
#: Records that name one, by how those of their kind can.
Found = list[tuple[Pointing, Sequence[UUID]]]
_NOT_SAID = {*RecordFields.model_fields, *Noted.model_fields}


class Left(NamedTuple):
    """A field that named the successor since the merge, and names something else by now."""

    kind: str
    id: UUID
    field: str


@dataclass(slots=True)
class Merge:
    """What a merge came to, or taking one back: the one that was merged, the one that stays, and
    how many records of each kind name the other of the two now, by the path of their kind."""

    record: Stored
    successor: Stored
    moved: Counter[str]
    left: list[Left] = field(default_factory=list)


# Merging


def merge(
    session: Session, resource: Resource, key: str, into: str, guard: Guard = no_guard
) -> Merge:
    """Merge the record at a key into another of its kind, at the key `into`; Invalid (422) for one
    that it cannot be merged into, and Conflict (409) where a record stands in the way."""
    whole = RECORD_TYPES[resource.record_type]
    record_id, into_id = (_id_of(session, whole, each) for each in (key, into))
    if record_id is None:
        raise missing(resource, key)
    found = _naming(session, whole, record_id)
    _refuse_many(whole, found)
    _lock(session, whole, found, record_id, *([] if into_id is None else [into_id]))
    if has_locks(session) and _naming(session, whole, record_id) != found:
        # From here on nobody can name it anew: its row is locked.
        raise StaleDataError(f"{whole.singular} {record_id} is named by others meanwhile")
    record = store.find_live(session, resource, key)
    guard(record)
    successor = _successor(session, whole, into)
    _refuse_unlike(whole, record, successor)
    states = (
        store.current_state(session, whole, record.id),
        store.current_state(session, whole, successor.id),
    )
    moved = _move_all(session, whole, record, successor, states, found)
    _take_names(session, whole, record, successor, states)
    stored = store.trash(session, whole, record, {MERGED_INTO: plain(successor.id)})
    return Merge(stored, store.as_stored(session, whole, successor), moved)


def _refuse_many(whole: Resource, found: Found) -> None:
    count = sum(len(ids) for _, ids in found)
    if count > MAX_MOVED:
        text = (
            f"{count:,} records name the {whole.singular}, and a merge moves {MAX_MOVED:,} at most:"
            " merge the other one into this, or let some name the other one first, by PATCH."
        )
        raise Conflict.at("/into", "too_many", text)


def _lock(session: Session, whole: Resource, found: Found, *ids: UUID) -> None:
    """Lock what is going to be changed, and what its rows name: all that names others before what
    it names, as other writes do, and each kind in the order of its ids."""
    if not has_locks(session):
        return
    own = [*ids]
    for pointing, several in found:
        if pointing.child is whole:
            own += several
        else:
            lock_ids(session, pointing.child, several)
            own += pointing.named_in_parts(session, several)
    lock_ids(session, whole, own)


def _naming(session: Session, whole: Resource, record_id: UUID) -> Found:
    """All that names a record, in the order in which it is locked and changed."""
    return [(each, each.ids(session, record_id)) for each in pointing_to(whole)]


def _id_of(session: Session, whole: Resource, key: str) -> UUID | None:
    by_id = as_id(key)
    if by_id is not None or not is_askable(key):
        return by_id
    found = session.scalar(select(whole.table.id).where(whole.table.ref == key))
    return None if found is None else UUID(str(found))


def _successor(session: Session, whole: Resource, into: str) -> Record:
    """The record that one is to be merged into."""
    record_id = _id_of(session, whole, into)
    record = None if record_id is None else find_record(session, whole, "id", record_id)
    if record is None:
        raise Invalid.at("/into", "reference", missing(whole, into).detail)
    if record.deleted_at is not None:
        table = table_of(whole.table)
        hint = merged_hint(session, table, table.c.id == record.id)
        text = f"The {whole.singular} {into!r} is {'gone.' if hint else 'in the trash.'}{hint}"
        raise Invalid.at("/into", "reference", text)
    return record


def _refuse_unlike(whole: Resource, record: Record, successor: Record) -> None:
    if record.id == successor.id:
        text = f"The {whole.singular} cannot be merged into itself: name another one."
        raise Invalid.at("/into", "itself", text)
    if (record.hidden == ALL) is not (successor.hidden == ALL):
        text = (
            "One of the two is confidential and the other is not, so that what names them would be"
            " withheld, or shown, with the merge: make both alike first, with confidential."
        )
        raise Conflict.at("/into", "confidential", text)


def _move_all(
    session: Session,
    whole: Resource,
    record: Record,
    successor: Record,
    states: tuple[Values, Values],
    found: Found,
) -> Counter[str]:
    """Let all that names a record name its successor; Conflict (409) where rules forbid it."""
    moved: Counter[str] = Counter()
    in_the_way = InTheWay("the merge")
    for pointing, ids in found:
        for each in ids:
            child = pointing.child
            with in_the_way.noted(child, each):
                other = find_record(session, child, "id", each)
                values = other and pointing.moved(other, record.id, successor.id)
                if other is None or not values:
                    continue
                if pointing.tells_of(other) == (pointing.kind, record.id):
                    values |= _field_told(child, other, states)
                _store(session, child, other, values, successor.id)
                moved[child.path] += 1
    in_the_way.refuse()
    return moved


def _field_told(child: Resource, record: Record, states: tuple[Values, Values]) -> Fields:
    """What tells of a field of the merged one tells of the same field of its successor where that
    is alike, and else of the record as a whole."""
    assert child.tells_of is not None
    name = child.tells_of[2]
    pointer = getattr(record, name)
    alike = pointer and _value_at(states[0], pointer) == _value_at(states[1], pointer)
    return {name: pointer if alike else None}


def _value_at(value: JsonValue, pointer: str) -> JsonValue:
    for name in read_pointer(pointer):
        if isinstance(value, list):
            value = value[int(name)] if name.isdecimal() and int(name) < len(value) else None
        else:
            value = value.get(name) if isinstance(value, dict) else None
    return value


def _store(session: Session, child: Resource, record: Record, values: Fields, named: UUID) -> None:
    """Store what a record names now, which is `named`. The rules of what lies in the trash are
    looked at when it comes back."""
    if record.deleted_at is not None:
        store.set_unchecked(session, child, record, values)
        return
    store.refer_to(session, child, record, values)
    _refuse_said_twice(session, child, record, values, named)


def _refuse_said_twice(
    session: Session, child: Resource, record: Record, values: Fields, named: UUID
) -> None:
    """Invalid (422) where a record says what another says already, or a row of it what another row
    says, now that they name the same."""
    for name in values.keys() & child.embedded.keys():
        rows = values[name]
        for at, row in enumerate(rows):
            if named in row.values() and row in rows[:at]:
                place = f"/{name}/{at}"
                text = f"{place} would say what stands there already: take one out."
                raise Invalid.at(place, "repeated", text)
    twin = None if child.embedded else session.scalar(_twin(child, record))
    if twin is not None:
        text = f"The {child.singular} {twin} would say the same: move one of them to the trash."
        raise Invalid.at("", "repeated", text)


def _twin(child: Resource, record: Record) -> Any:
    """Finds another record that says the same."""
    table = table_of(child.table)
    said = {name: getattr(record, name) for name in child.fields.model_fields.keys() - _NOT_SAID}
    same = (
        table.c[name].is_(None) if value is None else table.c[name] == value
        for name, value in said.items()
    )
    others = (table.c.deleted_at.is_(None), table.c.id != record.id)
    return select(table.c.id).where(*same, *others).limit(1)


class InTheWay:
    """The records that cannot name another, each with what it breaks; `what` they prevent."""

    def __init__(self, what: str) -> None:
        self.what = what
        self.faults: list[Fault] = []

    @contextmanager
    def noted(self, child: Resource, record_id: UUID) -> Iterator[None]:
        """Remember what is broken within. What is written stays until all is refused; and after
        what the database itself has refused it answers no more."""
        try:
            yield
        except Problem as problem:
            if len(self.faults) < _MAX_TOLD:
                text = f"The {child.singular} {record_id}: {problem.detail}"
                self.faults.append(Fault("in_the_way", text, pointer="/into"))
            if _is_of_database(problem):
                self.refuse()

    def refuse(self) -> None:
        """Conflict (409) where there are any."""
        if self.faults:
            others = f" (and {len(self.faults) - 1} more)" if len(self.faults) > 1 else ""
            text = f"A record stands in the way of {self.what}{others}."
            raise Conflict(f"{text} {self.faults[0].detail}", self.faults)


def _is_of_database(problem: BaseException | None) -> bool:
    """Whether a rule is told that the database has found broken."""
    while problem is not None and not isinstance(problem, IntegrityError):
        problem = problem.__cause__
    return problem is not None


def _take_names(
    session: Session,
    whole: Resource,
    record: Record,
    successor: Record,
    states: tuple[Values, Values],
) -> None:
    """Let the successor have the names of the merged one that everybody sees, by which it is
    found from then on."""
    of = whole.similarity
    listed = _names_field(whole, states[1])
    if of is None or listed is None:
        return
    shown = {**states[0], **dict.fromkeys(names_in(record.hidden))}
    known = {*of.names_of(states[1])}
    new = [name for name in of.names_of(shown) if name not in known]
    body = validate(whole.patch, {listed: [*states[1][listed], *new]})
    store.change(session, whole, successor, store.patched(body))


def _names_field(whole: Resource, state: Values) -> str | None:
    """The field that lists what a record is called besides."""
    names = whole.similarity.names if whole.similarity else ()
    return next((name for name in names if isinstance(state[name], list)), None)


# Taking it back


def unmerge(session: Session, resource: Resource, key: str, guard: Guard = no_guard) -> Merge:
    """Take a record out of the one that it was merged into: what the merge moved, and what still
    names that one, names it again. Conflict (409) for one that was not merged, or where a record
    stands in the way."""
    whole = RECORD_TYPES[resource.record_type]
    entries = _lock_moved(session, whole, key)
    record = store.find(session, resource, key)
    guard(record)
    successor_id = getattr(record, MERGED_INTO)
    if successor_id is None:
        raise Conflict(f"The {resource.singular} {key!r} is not merged into another.")
    successor = find_record(session, whole, "id", successor_id)
    assert successor is not None
    back = _Back(session, whole, record, successor, entries)
    back.refuse_merged_further()
    stored = store.bring_back(session, whole, record, {MERGED_INTO: None})
    moved = back.move_all()
    back.return_names()
    return Merge(stored, store.as_stored(session, whole, successor), moved, back.left)


class _Entry(NamedTuple):
    """What a merge changed of a record: `{field: [old, new]}`."""

    kind: str
    id: UUID
    changes: Values


def _lock_moved(session: Session, whole: Resource, key: str) -> list[_Entry]:
    """What was changed with the merge of the record at a key, which is locked with it, and with
    what it was merged into."""
    record_id, table = _id_of(session, whole, key), table_of(whole.table)
    columns = table.c[MERGED_INTO], table.c.deleted_at
    row = session.execute(select(*columns).where(table.c.id == record_id)).first()
    if record_id is None or row is None or row[0] is None:
        return []
    entries = _entries(session, row[1])
    ids: dict[str, list[UUID]] = {}
    for entry in entries:
        ids.setdefault(entry.kind, []).append(entry.id)
    found: Found = [(p, ids.get(p.child.record_type, [])) for p in pointing_to(whole)]
    _lock(session, whole, found, record_id, row[0])
    if session.execute(select(*columns).where(table.c.id == record_id)).first() != row:
        raise StaleDataError(f"{whole.singular} {record_id} has changed meanwhile")
    return entries


def _entries(session: Session, moment: datetime) -> list[_Entry]:
    """What was changed at the moment of a merge, in the order in which it is locked and changed."""
    complete(session)
    columns = Change.kind, Change.record_id, Change.changes
    rows = session.execute(select(*columns).where(Change.at == moment)).all()
    order = list(RECORD_TYPES)
    found = [
        _Entry(kind, UUID(str(key)), json_codec.loads_stored(told)) for kind, key, told in rows
    ]
    return sorted(found, key=lambda each: (order.index(each.kind), each.id))


class _Back:
    """What a merge has moved: by the entries of the change log that are of its moment."""

    def __init__(
        self,
        session: Session,
        whole: Resource,
        record: Record,
        successor: Record,
        entries: list[_Entry],
    ) -> None:
        self.session, self.whole = session, whole
        self.record, self.successor = record, successor
        self.entries = entries
        self.left: list[Left] = []
        #: What it was merged into then, which may be merged itself and purged by now.
        self.former = next(
            UUID(each.changes[MERGED_INTO][1])
            for each in self.entries
            if each.id == record.id and MERGED_INTO in each.changes
        )

    def refuse_merged_further(self) -> None:
        """Conflict (409) where the successor was merged itself since: merges are taken back one by
        one, so that each finds what it has left."""
        if self.former == self.successor.id:
            return
        if find_record(self.session, self.whole, "id", self.former) is not None:
            address = public_path(f"/{self.whole.path}/{self.former}/unmerge")
            text = f"What it was merged into was merged itself since: POST {address} first."
            raise Conflict(text)

    def move_all(self) -> Counter[str]:
        """Let what the merge moved name the record again; Conflict (409) where rules forbid it."""
        moved: Counter[str] = Counter()
        in_the_way = InTheWay("taking it out")
        by_kind = {each.child.record_type: each for each in pointing_to(self.whole)}
        for entry in self.entries:
            pointing = by_kind.get(entry.kind)
            if pointing is None:
                continue
            with in_the_way.noted(pointing.child, entry.id):
                moved[pointing.child.path] += self._move(pointing, entry)
        in_the_way.refuse()
        return +moved

    def _move(self, pointing: Pointing, entry: _Entry) -> bool:
        wanted = [name for name in self._names(pointing) if self._was_moved(entry, name)]
        parts = [name for name in pointing.parts if name in entry.changes]
        if not wanted and not parts:
            return False
        child = pointing.child
        record = find_record(self.session, child, "id", entry.id)
        if record is None:
            return False
        values: Fields = {}
        for name in wanted:
            if getattr(record, name) == self.successor.id:
                values[name] = plain(self.record.id)
                values |= self._field_told(child, record, name, entry)
            else:
                self._leave(entry, name)
        for name in parts:
            values |= self._rows(pointing, record, name, entry)
        if values:
            _store(self.session, child, record, values, self.record.id)
        return bool(values)

    def _names(self, pointing: Pointing) -> tuple[str, ...]:
        told = pointing.child.tells_of
        return pointing.own if told is None else (*pointing.own, told[1])

    def _was_moved(self, entry: _Entry, name: str) -> bool:
        pair = entry.changes.get(name)
        return bool(pair == [str(self.record.id), str(self.former)])

    def _field_told(self, child: Resource, record: Record, name: str, entry: _Entry) -> Fields:
        """The field that it told of before, where it tells of none now."""
        if child.tells_of is None or name != child.tells_of[1]:
            return {}
        field = child.tells_of[2]
        told = getattr(record, field) is None and field in entry.changes
        return {field: entry.changes[field][0]} if told else {}

    def _leave(self, entry: _Entry, field: str) -> None:
        self.left.append(Left(entry.kind, entry.id, field))

    def _rows(self, pointing: Pointing, record: Record, part: str, entry: _Entry) -> Fields:
        """The rows of a part, those that were moved naming the record again: each is found where
        it stood, or elsewhere as it was."""
        old, new = entry.changes[part]
        moved = [
            (at, name)
            for at in range(min(len(old or ()), len(new or ())))
            for name in pointing.parts[part]
            if [old[at][name], new[at][name]] == [str(self.record.id), str(self.former)]
        ]
        rows = pointing.rows(record, part)
        told = [store.json_form(row) for row in rows]
        kept = [self._present(row, pointing.parts[part]) for row in new or ()]
        others = [row for at, row in enumerate(kept) if at not in {at for at, _ in moved}]
        taken: set[tuple[int, str]] = set()
        for at, name in moved:
            found = self._place(told, kept[at], at, name, others, taken)
            if found is None:
                self._leave(entry, f"{part}/{at}/{name}")
                continue
            taken.add((found, name))
            rows[found][name] = plain(self.record.id)
        return {part: rows} if taken else {}

    def _present(self, row: Values, names: tuple[str, ...]) -> Fields:
        """A row as the merge has left it, naming what its successor is now."""
        former, now = str(self.former), str(self.successor.id)
        return {**row, **{name: now for name in names if row[name] == former}}

    def _place(
        self,
        told: list[Any],
        row: Values,
        at: int,
        name: str,
        others: list[Fields],
        taken: set[tuple[int, str]],
    ) -> int | None:
        """Where a row stands now: at its place or as it was; one at its place that another row was
        is that one."""
        free = [n for n in range(len(told)) if (n, name) not in taken]
        alike = [n for n in free if told[n] == {each: row[each] for each in told[n]}]
        if alike:
            return at if at in alike else alike[0]
        here = told[at] if at in free else None
        names_it = here is not None and here[name] == str(self.successor.id)
        is_other = any(here == {each: row[each] for each in here or ()} for row in others)
        return at if names_it and not is_other else None

    def return_names(self) -> None:
        """Take the names that the merge gave its successor from it."""
        for entry in self.entries:
            if (entry.kind, entry.id) == (self.whole.record_type, self.successor.id):
                state = store.current_state(self.session, self.whole, self.successor.id)
                listed = _names_field(self.whole, state)
                if listed is not None and listed in entry.changes:
                    old, new = entry.changes[listed]
                    left = [n for n in state[listed] if n not in new or n in old]
                    _set(self.session, self.whole, self.successor, {listed: left})


def _set(session: Session, whole: Resource, record: Record, values: Fields) -> None:
    if record.deleted_at is not None:
        store.set_unchecked(session, whole, record, values)
    else:
        store.change(session, whole, record, values)
