"""What a body says of a record as it was read: members that the server keeps, records in full."""

from datetime import datetime
from functools import cache
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from app.core import json_codec
from app.core.databases.expressions import AnyTable
from app.core.errors import Fault, Invalid
from app.core.loose_types import Fields, Json, JsonValue, Values
from app.core.validation import summary
from app.engine.keys import as_id
from app.engine.resource import Embedded, Resource, SubCollection
from app.engine.schemas import Identity, Stamps
from app.engine.writes.nested_schemas import MAX_NESTED, nested_in
from app.engine.writes.rendering import render_record

_STAMPS = frozenset({*Identity.model_fields, *Stamps.model_fields})
_MAX_SHOWN = 80


@cache
def kept_by_server(resource: Resource) -> frozenset[str]:
    """The members of a record as read, related ones too, that no client writes."""
    written = resource.fields.model_fields.keys()
    ones = (name for name in resource.to_one if f"{name}_id" not in written)
    relations = {name for name, each in resource.to_many.items() if each.is_relation}
    lists = relations - nested_in(resource).keys()
    standing = resource.stand_ins.fields.model_fields if resource.stand_ins is not None else ()
    return frozenset({*resource.read_fields, *ones, *lists} - written).difference(standing)


def separate(resource: Resource, value: Values) -> tuple[Fields, Fields]:
    """A body without the members that the server keeps, and these."""
    names = kept_by_server(resource)
    own = {name: each for name, each in value.items() if name not in names}
    return own, {name: each for name, each in value.items() if name in names}


def check_kept(
    session: Session, resource: Resource, kept: Values, before: Values | None, after: Values
) -> None:
    """Refuse (422) members that the server keeps and that say something else than it does.

    What follows from other members, such as the bounds of a date, may be as it was or as it is
    after the change; a new record is None before.
    """
    faults = []
    for name, sent in kept.items():
        states = [state for state in (before, after) if state is not None]
        if name in _STAMPS:
            states = states[:1]
        # Nothing lies under a new record but what is created with it.
        if before is None and name in resource.to_many:
            states = []
        if not any(_is_kept(session, resource, name, sent, state) for state in states):
            faults.append(Fault("read_only", _refusal(name, before), pointer=f"/{name}"))
    if faults:
        raise Invalid(summary(faults), faults)


def _is_kept(
    session: Session, resource: Resource, name: str, sent: JsonValue, state: Values
) -> bool:
    if name in state:
        return is_same(sent, state[name])
    if name in resource.to_one:
        return _one_says(session, resource, name, sent, state)
    return _all_lie_under(session, resource.to_many[name], sent, state["id"])


def _all_lie_under(
    session: Session, collection: SubCollection, sent: JsonValue, record_id: str
) -> bool:
    """Whether a list holds nothing but records that lie under this one, as they are."""
    if not isinstance(sent, list) or len(sent) > MAX_NESTED:
        return False
    items = [item for item in sent if isinstance(item, dict) and as_id(str(item.get("id")))]
    ids = [UUID(item["id"]) for item in items]
    child: AnyTable = collection.child.table
    parent: AnyTable = aliased(collection.parent.table)
    wanted = (parent.id == UUID(record_id), child.id.in_(ids), child.deleted_at.is_(None))
    under = select(child.id).join(parent, collection.on(child, parent)).where(*wanted)
    found = session.scalars(under).all()
    return len(found) == len(sent) and all(
        says(session, collection.child, item, state_of(session, collection.child, item["id"]))
        for item in items
    )


def _refusal(name: str, before: Values | None) -> str:
    if before is None:
        at_id = " To create a record at an id of your own, PUT it there with If-None-Match: *."
        text = f"The server sets {name} of a new record: leave it out."
        return text + (at_id if name == "id" else "")
    stored = json_codec.dumps(before.get(name)).decode()
    shown = f" is {stored}" if name in before and len(stored) < _MAX_SHOWN else " is otherwise"
    return f"The server keeps {name}, which{shown}: leave it out, or read the record again."


def is_same(sent: JsonValue, stored: JsonValue) -> bool:
    """Whether a value says what is stored; a time may be written otherwise."""
    if isinstance(sent, bool) != isinstance(stored, bool):
        return False
    if sent == stored:
        return True
    if not isinstance(sent, str) or not isinstance(stored, str):
        return False
    try:
        times = datetime.fromisoformat(sent), datetime.fromisoformat(stored)
        return len(sent) > len("2016-04-12") and times[0] == times[1]
    except (ValueError, TypeError):
        return sent.lower() == stored


def state_of(session: Session, resource: Resource, record_id: UUID | str) -> Json:
    """A record that is there, as it is now."""
    key = record_id if isinstance(record_id, UUID) else UUID(record_id)
    state: Json = json_codec.loads_stored(render_record(session, resource, key))
    return state


def says(session: Session, resource: Resource, value: Values, state: Values) -> bool:
    """Whether all that a body tells of a record is as it is stored, relations followed."""
    if resource.stand_ins is not None:
        try:
            value = resource.stand_ins.resolve(session, value, state)
        except Invalid:
            return False
    told = _normalized(resource, value)
    if told is None:
        return False
    for name, sent in value.items():
        if name in resource.embedded:
            holds = _rows_say(session, resource.embedded[name], sent, told[name], state[name])
        elif name in told:
            holds = told[name] == state[name]
        elif name in kept_by_server(resource):
            holds = _is_kept(session, resource, name, sent, state)
        else:
            holds = _one_says(session, resource, name, sent, state)
        if not holds:
            return False
    return True


def _normalized(resource: Resource, value: Values) -> Json | None:
    """The fields that a body names, as they would be stored; None for what is no record."""
    fields: Fields = {}
    for name in value.keys() & resource.fields.model_fields.keys():
        part, given = resource.embedded.get(name), value[name]
        if part is not None and isinstance(given, list):
            given = [
                {k: v for k, v in row.items() if k not in part.to_one}
                if isinstance(row, dict)
                else row
                for row in given
            ]
        fields[name] = given
    try:
        body = resource.patch.model_validate(fields)
    except ValidationError:
        return None
    told: Json = json_codec.loads(json_codec.dumps(body.model_dump(include=set(fields))))
    return told


def _rows_say(
    session: Session,
    part: Embedded,
    sent: list[Json],
    told: list[Json],
    stored: list[Json],
) -> bool:
    if len(told) != len(stored):
        return False
    for given, row, known in zip(sent, told, stored, strict=True):
        named = given.keys() & part.to_one.keys()
        linked = {f"{name}_id" for name in named if f"{name}_id" not in given}
        if any(row[name] != known[name] for name in row.keys() - linked):
            return False
        if not all(_one_says(session, part, name, given[name], known) for name in named):
            return False
    return True


def _one_says(
    session: Session, at: Resource | Embedded, name: str, sent: JsonValue, state: Values
) -> bool:
    """Whether what stands for a related record says what that one is."""
    target, current = at.to_one.get(name), state.get(f"{name}_id")
    if target is None or (current is None) != (sent is None):
        return False
    if sent is None:
        return True
    return isinstance(sent, dict) and says(
        session, target, sent, state_of(session, target, str(current))
    )
