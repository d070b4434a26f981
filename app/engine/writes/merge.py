"""Merging: a record turns out to be another one, which all that named it names from then on.

The merged one goes to the trash with the name of its successor. What it took is in the change log
of the same moment, from which it is taken back.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from app.core.databases.interface import table_of
from app.core.databases.public_reads import ALL
from app.core.errors import Conflict, Invalid
from app.core.json_pointer import read_pointer
from app.core.loose_types import Fields, JsonValue, Values
from app.core.validation import validate
from app.engine.keys import as_id, is_askable, missing
from app.engine.record import MERGED_INTO, Record
from app.engine.registry import RECORD_TYPES
from app.engine.resource import Resource
from app.engine.schemas import Noted, RecordFields
from app.engine.withholding import names_in, places_withheld
from app.engine.writes import store
from app.engine.writes.in_the_way import InTheWay
from app.engine.writes.locked_in_order import has_locks, lock_ids
from app.engine.writes.pointing import Pointing, plain, pointing_to
from app.engine.writes.records import find_record
from app.engine.writes.store import Guard, Stored, no_guard
from app.engine.writes.successors import merged_hint

#: How many records may name the one that is merged: others wait while they are changed, for 3 s on
#: SQLite with its one writer.
MAX_MOVED: Final = 5_000
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


def merge(
    session: Session, resource: Resource, key: str, into: str, guard: Guard = no_guard
) -> Merge:
    """Merge the record at a key into another of its kind, at the key `into`; Invalid (422) for one
    that it cannot be merged into, and Conflict (409) where a record stands in the way."""
    whole = RECORD_TYPES[resource.record_type]
    record_id, into_id = (id_of(session, whole, each) for each in (key, into))
    if record_id is None:
        raise missing(resource, key)
    found = _naming(session, whole, record_id)
    _refuse_many(whole, found)
    lock_naming(session, whole, found, record_id, *([] if into_id is None else [into_id]))
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


def lock_naming(session: Session, whole: Resource, found: Found, *ids: UUID) -> None:
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


def id_of(session: Session, whole: Resource, key: str) -> UUID | None:
    """The id at a key, which is an id or the ref of a record, in the trash or not; None without
    one. Nothing is locked."""
    by_id = as_id(key)
    if by_id is not None or not is_askable(key):
        return by_id
    found = session.scalar(select(whole.table.id).where(whole.table.ref == key))
    return None if found is None else UUID(str(found))


def _successor(session: Session, whole: Resource, into: str) -> Record:
    """The record that one is to be merged into."""
    record_id = id_of(session, whole, into)
    record = None if record_id is None else find_record(session, whole, "id", record_id)
    if record is None:
        raise Invalid.at("/into", "reference", missing(whole, into).detail)
    if record.deleted_at is not None:
        table = table_of(whole.table)
        hint = merged_hint(session, table, table.c.id == record.id)
        text = f"The {whole.singular} {into!r} is in the trash.{hint}"
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
    in_the_way = InTheWay("the merge", "/into")
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
                store_naming(session, child, other, values, successor.id)
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


def store_naming(
    session: Session, child: Resource, record: Record, values: Fields, named: UUID
) -> None:
    """Store what a record names now, which is `named`. The rules of what lies in the trash are
    looked at when it comes back, but the public is shown nothing more of it there either."""
    before = places_withheld(child, record)
    is_live = record.deleted_at is None
    (store.refer_to if is_live else store.set_unchecked)(session, child, record, values)
    _refuse_shown(child, record, before)
    if is_live:
        _refuse_said_twice(session, child, record, values, named)


def _refuse_shown(child: Resource, record: Record, before: set[tuple[str, str]]) -> None:
    """Invalid (422) where the public would see what was withheld for what the record named."""
    now = places_withheld(child, record)
    shown = {(place, name) for place, name in before - now if (place, ALL) not in now}
    if shown and record.hidden != ALL:
        text = (
            "The public would see what is withheld of it for what it names: withhold that first, by"
            f" confidential or withheld of this {child.singular} itself."
        )
        raise Invalid.at("", "shown", text)


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
    listed = names_field(whole, states[1])
    if of is None or listed is None:
        return
    withheld = {*names_in(record.hidden), *(record.withheld or ())}
    shown = {**states[0], **dict.fromkeys(withheld)}
    known = {*of.names_of(states[1])}
    new = [name for name in of.names_of(shown) if name not in known]
    in_the_way = InTheWay("the merge", "/into")
    with in_the_way.noted(whole, successor.id):
        body = validate(whole.patch, {listed: [*states[1][listed], *new]})
        store.change(session, whole, successor, store.patched(body))
    in_the_way.refuse()


def names_field(whole: Resource, state: Values) -> str | None:
    """The field that lists what a record is called besides."""
    names = whole.similarity.names if whole.similarity else ()
    return next((name for name in names if isinstance(state[name], list)), None)
