"""The way back of a merge: what the merge moved, and what still names the successor, names the
record again."""

from collections import Counter
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from app.core import json_codec
from app.core.databases.deferred import complete
from app.core.databases.interface import table_of
from app.core.errors import Conflict
from app.core.loose_types import Fields, Values
from app.core.public_path import public_path
from app.engine.history.change_log import Change
from app.engine.record import MERGED_INTO, Record
from app.engine.registry import RECORD_TYPES
from app.engine.resource import Resource
from app.engine.writes import store
from app.engine.writes.in_the_way import InTheWay
from app.engine.writes.merge import (
    Found,
    Left,
    Merge,
    id_of,
    lock_naming,
    names_field,
    store_naming,
)
from app.engine.writes.pointing import Pointing, plain, pointing_to
from app.engine.writes.records import find_record
from app.engine.writes.store import Guard, no_guard


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
    if not entries:
        raise StaleDataError(f"{whole.singular} {record.id} was merged meanwhile")
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
    record_id, table = id_of(session, whole, key), table_of(whole.table)
    columns = table.c[MERGED_INTO], table.c.deleted_at
    row = session.execute(select(*columns).where(table.c.id == record_id)).first()
    if record_id is None or row is None or row[0] is None:
        return []
    entries = _entries(session, row[1])
    ids: dict[str, list[UUID]] = {}
    for entry in entries:
        ids.setdefault(entry.kind, []).append(entry.id)
    found: Found = [(p, ids.get(p.child.record_type, [])) for p in pointing_to(whole)]
    lock_naming(session, whole, found, record_id, row[0])
    if session.execute(select(*columns).where(table.c.id == record_id)).first() != row:
        raise StaleDataError(f"{whole.singular} {record_id} has changed meanwhile")
    return entries


def _entries(session: Session, moment: datetime) -> list[_Entry]:
    """What was changed at the moment of a merge, in the order in which it is locked and changed."""
    complete(session)
    columns = Change.kind, Change.record_id, Change.changes
    order = list(RECORD_TYPES)
    there = (Change.at == moment, Change.kind.in_(order))
    rows = session.execute(select(*columns).where(*there)).all()
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
        in_the_way = InTheWay("taking it out", None)
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
            store_naming(self.session, child, record, values, self.record.id)
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
                listed = names_field(self.whole, state)
                if listed is not None and listed in entry.changes:
                    old, new = entry.changes[listed]
                    left = [n for n in state[listed] if n not in new or n in old]
                    _set(self.session, self.whole, self.successor, {listed: left})


def _set(session: Session, whole: Resource, record: Record, values: Fields) -> None:
    if record.deleted_at is not None:
        store.set_unchecked(session, whole, record, values)
    else:
        store.change(session, whole, record, values)
