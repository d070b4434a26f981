"""Writes: plain functions over a Session that apply the rules and note what changed."""

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core import json_codec
from app.core.databases.types import now
from app.core.errors import Conflict, Invalid, NotFound, PreconditionFailed
from app.core.loose_types import Fields, Json, JsonValue, Value, Values
from app.core.validation import faults_of, invalid_body, summary
from app.engine.history.change_log import Action, changes_since, note_change, undo
from app.engine.keys import as_id, in_trash, is_askable, missing
from app.engine.record import Record
from app.engine.resource import Resource
from app.engine.search.index import index_record
from app.engine.writes.broken_rules import with_all_rules
from app.engine.writes.codes_of_time import check_codes_of_time
from app.engine.writes.parts import (
    Parts,
    deletion_time,
    refuse_without_owner,
    restore_parts,
    trash_parts,
)
from app.engine.writes.records import (
    find_record,
    in_progress,
    insert_records,
    new_record,
    records_in_progress,
    save_record,
    set_values,
)
from app.engine.writes.references import check_circles, check_references
from app.engine.writes.rendering import render_record
from app.engine.writes.successors import refuse_merged
from app.engine.writes.withheld import check_withheld
from app.engine.writes.withheld_with import hide_with

State = Json
_NOTHING: Values = {}
#: Looks at a record before it is changed, and raises the problem that keeps it as it is.
Guard = Callable[[Record], None]


def no_guard(record: Record) -> None:
    """Any record may be changed."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A record as it stands after a write."""

    body: str
    id: UUID
    version: int
    #: What went with it to the trash or back.
    parts: Parts | None = None


def find(session: Session, resource: Resource, key: str) -> Record:
    """The record with this id or ref, locked until the transaction ends; NotFound without one."""
    by_id = as_id(key)
    if not is_askable(key):
        raise missing(resource, key)
    found = (
        find_record(session, resource, "ref", key)
        if by_id is None
        else find_record(session, resource, "id", by_id)
    )
    if found is None:
        raise missing(resource, key)
    return found


def lock_record(session: Session, resource: Resource, record_id: UUID) -> Record | None:
    """The record with this id, locked, or None; one whose rules are looked at is as it will be."""
    for record in reversed(records_in_progress(session)):
        if isinstance(record, resource.table) and record.id == record_id:
            return record
    return find_record(session, resource, "id", record_id)


def find_live(session: Session, resource: Resource, key: str) -> Record:
    """Like `find`, and NotFound for a record in the trash too; Conflict (409) for a merged one."""
    record = find(session, resource, key)
    refuse_merged(session, resource, record)
    if record.deleted_at is not None:
        raise in_trash(resource, key)
    return record


def create(
    session: Session,
    resource: Resource,
    body: BaseModel,
    record_id: UUID | None = None,
    kept: Values = _NOTHING,
) -> Stored:
    """Store a new record; `kept` are columns that are no fields of it."""
    data = whole(resource, body)
    check_references(session, resource, data, {})
    entered = transaction_time(session)
    record = new_record(resource, {**data, **kept}, record_id, entered)
    _check(session, resource, record, None)
    insert_records(session, resource, [record])
    return _noted(session, resource, record, Action.CREATE, None, record.hidden)


def _check(session: Session, resource: Resource, record: Record, before: State | None) -> None:
    check_withheld(resource, record)
    with in_progress(session, record), with_all_rules(resource, [record]):
        resource.check(session, record, before)
        check_codes_of_time(session, resource, record, before)


def create_at(session: Session, resource: Resource, key: str, body: BaseModel) -> Stored:
    """Store a new record at an id or ref of the client's; PreconditionFailed where one is."""
    table, by_id = resource.table, as_id(key)
    taken = select(table.id).where(table.ref == key if by_id is None else table.id == by_id)
    if session.scalar(taken) is not None:
        raise _taken(resource, key)
    if by_id is not None:
        with _taken_meanwhile(resource, key, "/id"):
            return create(session, resource, body, by_id)
    ref = getattr(body, "ref", None)
    if ref not in (None, key):
        raise Invalid.at(
            "/ref", "ref", f"The address says {key!r}: leave ref out, or say the same."
        )
    named = body.model_copy()
    try:
        type(body).__pydantic_validator__.validate_assignment(named, "ref", key)
    except ValidationError as error:
        raise invalid_body(error, type(body)) from None
    with _taken_meanwhile(resource, key, "/ref"):
        return create(session, resource, named)


def _taken(resource: Resource, key: str) -> PreconditionFailed:
    kind = resource.record_type.replace("_", " ")
    return PreconditionFailed(f"There is one already, perhaps in the trash: {kind} {key!r}.")


@contextmanager
def _taken_meanwhile(resource: Resource, key: str, pointer: str) -> Iterator[None]:
    """Tell of a record that another write has stored at the key since it was looked for."""
    try:
        yield
    except Conflict as conflict:
        if is_taken(conflict, pointer):
            raise _taken(resource, key) from None
        raise


def is_taken(conflict: Conflict, pointer: str) -> bool:
    """Whether another record has what stands there, and no two may have it."""
    return any((fault.pointer, fault.code) == (pointer, "unique") for fault in conflict.errors)


def update(
    session: Session, resource: Resource, key: str, body: BaseModel, guard: Guard = no_guard
) -> Stored:
    """Change the fields that the body names (RFC 7396)."""
    record = find_live(session, resource, key)
    guard(record)
    return change(session, resource, record, patched(body))


def replace(
    session: Session, resource: Resource, key: str, body: BaseModel, guard: Guard = no_guard
) -> Stored:
    """Set every field of the record, those not given to their defaults."""
    record = find_live(session, resource, key)
    guard(record)
    return change(session, resource, record, whole(resource, body), Action.REPLACE)


def delete(session: Session, resource: Resource, key: str, guard: Guard = no_guard) -> Stored:
    """Move the record to the trash."""
    record = find_live(session, resource, key)
    guard(record)
    return trash(session, resource, record)


def trash(
    session: Session, resource: Resource, record: Record, values: Values = _NOTHING
) -> Stored:
    """Move a record at hand to the trash, with these values of its columns."""
    before = current_state(session, resource, record.id)
    set_values(resource, record, values)
    record.deleted_at = deletion_time(session, resource, transaction_time(session))
    _check(session, resource, record, before)
    _touch(session, record)
    record.updated_at = record.deleted_at
    stored = _finish(session, resource, record, Action.DELETE, before)
    return dataclasses.replace(stored, parts=trash_parts(session, resource, record))


def restore(session: Session, resource: Resource, key: str, guard: Guard = no_guard) -> Stored:
    """Bring the record back from the trash; one that is not there stays as it is."""
    record = find(session, resource, key)
    guard(record)
    refuse_merged(session, resource, record)
    if record.deleted_at is None:
        return as_stored(session, resource, record)
    return bring_back(session, resource, record)


def bring_back(
    session: Session, resource: Resource, record: Record, values: Values = _NOTHING
) -> Stored:
    """Take a record at hand out of the trash, with these values of its columns."""
    refuse_without_owner(session, resource, record)
    before, deleted_at = current_state(session, resource, record.id), record.deleted_at
    assert deleted_at is not None
    record.deleted_at = None
    set_values(resource, record, values)
    _check(session, resource, record, before)
    _touch(session, record)
    stored = _finish(session, resource, record, Action.RESTORE, before)
    return dataclasses.replace(stored, parts=restore_parts(session, resource, record, deleted_at))


def restore_version(
    session: Session, resource: Resource, key: str, version: int, guard: Guard = no_guard
) -> Stored:
    """Give the record the values that it had in an earlier version, as a new change of it."""
    record = find(session, resource, key)
    guard(record)
    then = state_at(session, resource, record, version)
    parts: Parts | None = None
    if record.deleted_at is not None:
        parts = restore(session, resource, key).parts
        record = find(session, resource, key)
    fields = {name: then[name] for name in resource.fields.model_fields}
    try:
        body = resource.create.model_validate(fields)
    except ValidationError as error:
        raise Conflict(
            f"Version {version} does not meet today's rules:"
            f" {summary(faults_of(error, resource.create))}"
        ) from None
    stored = change(session, resource, record, written(body), Action.RESTORE)
    return dataclasses.replace(stored, parts=parts)


def state_at(session: Session, resource: Resource, record: Record, version: int) -> State:
    """What the record was in one of its versions; NotFound for one that it never had."""
    if not 1 <= version <= record.version:
        text = f"There is no version {version} of {record.id}: it has 1 to {record.version}."
        raise NotFound(text)
    state = current_state(session, resource, record.id)
    for change in changes_since(session, resource.record_type, record.id, version):
        undo(state, change)
    return state


def as_stored(session: Session, resource: Resource, record: Record) -> Stored:
    """A record that stays as it is."""
    return Stored(render_record(session, resource, record.id), record.id, record.version)


def written(body: BaseModel) -> State:
    """The body's values as Python objects, nested models as dicts."""
    return body.model_dump()


def whole(resource: Resource, body: BaseModel) -> State:
    """The values of all fields of a record: those that are the first row's of a part are so where
    the body leaves them out, whatever the record held."""
    data = written(body)
    for name, (part, inner) in resource.first_of.items():
        if data[part] and data[name] is None:
            data[name] = data[part][0][inner]
    return data


def _refuse_another_first(resource: Resource, data: State) -> None:
    for name, (part, inner) in resource.first_of.items():
        if data[part] and data[name] != data[part][0][inner]:
            raise not_the_first(name, part, data[part][0][inner])


def not_the_first(name: str, part: str, first: Value) -> Invalid:
    """The 422 of a field that says something else than the first row of a part, whose it is."""
    is_there = "is not stated" if first is None else f"is {first}"
    text = f"{name} is that of the first of {part}, which {is_there}: leave it out."
    return Invalid.at(f"/{name}", "first_of", text)


def patched(body: BaseModel) -> State:
    """The values of those fields that the body names."""
    return {name: value for name, value in written(body).items() if name in body.model_fields_set}


def current_state(session: Session, resource: Resource, record_id: UUID) -> State:
    """The JSON of a record as it is stored."""
    state: State = json_codec.loads_stored(render_record(session, resource, record_id))
    return state


def change(
    session: Session,
    resource: Resource,
    record: Record,
    data: State,
    action: Action = Action.UPDATE,
) -> Stored:
    """Set these fields of a record at hand; one that has them already stays as it is."""
    if action is Action.REPLACE:
        _refuse_another_first(resource, data)
    before = current_state(session, resource, record.id)
    changed = {name: value for name, value in data.items() if json_form(value) != before[name]}
    if not changed:
        return as_stored(session, resource, record)
    return _set_fields(session, resource, record, changed, before, action)


def set_fields(session: Session, resource: Resource, record: Record, values: State) -> Stored:
    """Set these attributes of a record at hand, as an update of it."""
    before = current_state(session, resource, record.id)
    return _set_fields(session, resource, record, values, before, Action.UPDATE)


def set_unchecked(session: Session, resource: Resource, record: Record, values: State) -> Stored:
    """Set these attributes of a record at hand without its rules, which are another writer's: that
    of what they follow from. The database's own hold."""
    before = current_state(session, resource, record.id)
    set_values(resource, record, values)
    _touch(session, record)
    return _finish(session, resource, record, Action.UPDATE, before)


def refer_to(session: Session, resource: Resource, record: Record, values: State) -> Stored:
    """Let a record at hand name others in these fields, as an update of it. That these are there is
    known; what else the values name may be in the trash by now."""
    before = current_state(session, resource, record.id)
    check_circles(session, resource, values, before)
    return _set_checked(session, resource, record, values, before, Action.UPDATE)


def _set_fields(
    session: Session, resource: Resource, record: Record, data: State, before: State, action: Action
) -> Stored:
    check_references(session, resource, data, before)
    return _set_checked(session, resource, record, data, before, action)


def _set_checked(
    session: Session, resource: Resource, record: Record, data: State, before: State, action: Action
) -> Stored:
    set_values(resource, record, data)
    _check(session, resource, record, before)
    # A rule may have put back what the request left out: then nothing has changed after all.
    if not any(_differs(resource, record, name, before) for name in data):
        return as_stored(session, resource, record)
    _touch(session, record)
    return _finish(session, resource, record, action, before)


def _differs(resource: Resource, record: Record, name: str, before: State) -> bool:
    value = getattr(record, name)
    if name in resource.embedded:
        fields = resource.embedded[name].fields.model_fields
        value = [{each: getattr(row, each) for each in fields} for row in value]
        return bool(
            json_form(value) != [{each: row[each] for each in fields} for row in before[name]]
        )
    return name not in before or bool(json_form(value) != before[name])


def json_form(value: Value) -> JsonValue:
    """The value as it would stand in the record's JSON, to tell whether it changes anything."""
    return json_codec.loads(json_codec.dumps(value))


def transaction_time(session: Session) -> datetime:
    """The time of the transaction, which all it writes is stamped with."""
    stamp: datetime = session.info.setdefault("moment", now())
    return stamp


def _touch(session: Session, record: Record) -> None:
    record.version += 1
    record.updated_at = transaction_time(session)


def _finish(
    session: Session, resource: Resource, record: Record, action: Action, before: State | None
) -> Stored:
    was_hidden = record.hidden
    save_record(session, resource, record)
    stored = _noted(session, resource, record, action, before, was_hidden)
    if record.hidden != was_hidden:
        hide_with(session, resource, record)
    return stored


def _noted(
    session: Session,
    resource: Resource,
    record: Record,
    action: Action,
    before: State | None,
    was_hidden: str | None,
) -> Stored:
    """The record as it is now, which the log and the index are told."""
    after = render_record(session, resource, record.id)
    state = json_codec.loads_stored(after)
    turn: Fields = {"hidden": record.hidden, "was_hidden": was_hidden}
    kind, elsewhere = resource.record_type, resource.derived_elsewhere
    note_change(session, action, kind, before, state, elsewhere, **turn)
    index_record(session, resource, state, before, **turn)
    resource.follow(session, resource, before, state)
    return Stored(after, record.id, record.version)
