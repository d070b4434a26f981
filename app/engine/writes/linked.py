"""Records that stand in a body where an id is expected: named, told in full as read, or new."""

from collections.abc import Callable, Set
from dataclasses import dataclass, replace
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core import json_codec
from app.core.errors import Fault, Invalid, within
from app.core.loose_types import Fields, Json, JsonValue, Values
from app.core.public_path import public_path
from app.core.validation import Model, summary, validate
from app.engine.keys import as_id, is_askable
from app.engine.resource import Embedded, Resource
from app.engine.writes import store
from app.engine.writes.as_read import check_kept, says, separate, state_of
from app.engine.writes.nested_schemas import Link, nested_in
from app.engine.writes.resolve_references import find_id
from app.engine.writes.store import Stored

Create = Callable[[Session, Resource, BaseModel], Stored]


@dataclass(frozen=True, slots=True)
class Links:
    """Puts ids in place of the records that stand for them in a body.

    `is_repeatable` where the same body may come again, as in a change or an upsert: a record that
    it told in full is then found by its ref, and not entered twice.
    """

    session: Session
    is_repeatable: bool = False

    def create(self, resource: Resource, value: Values, create: Create = store.create) -> Stored:
        """Store a new record and those that it points to; nothing lies under it."""
        own, kept = separate(resource, value)
        body = self.read(resource, resource.create, own)
        stored = create(self.session, resource, body)
        if kept:
            after = json_codec.loads_stored(stored.body)
            check_kept(self.session, resource, kept, None, after)
        return stored

    def read(
        self, resource: Resource, model: Model, value: Values, before: Values | None = None
    ) -> BaseModel:
        """The value as the model, with ids in place of records and what is stored in place of what
        stands in for it."""
        values, standing = self.resolved(resource, value, before), resource.stand_ins
        if standing is None:
            return checked(model, resource, values)
        replaced = standing.replaced_in(values)
        try:
            values = standing.resolve(self.session, values, before)
        except Invalid as problem:
            own = {n: each for n, each in values.items() if n not in standing.replaces}
            raise _with_others(problem, model, resource, own, replaced) from None
        return checked(model, resource, values)

    def resolved(
        self, at: Resource | Embedded, value: Values, before: Values | None = None
    ) -> Fields:
        """The value with ids in place of records; `before` is what is stored, where it changes."""
        found = dict(value)
        for name, target in at.to_one.items():
            key = f"{name}_id"
            if name not in value or key not in at.fields.model_fields:
                continue
            if found.pop(name) is None:
                if before is not None:
                    found.setdefault(key, None)
                continue
            with within(f"/{name}"):
                if not isinstance(value[name], dict):
                    raise Invalid.at("", "object", _object_wanted(target, value[name]))
                current = (before or {}).get(key)
                linked = self._record(target, value[name], current)
                if key in value and str(value[key]).lower() != str(linked):
                    raise Invalid.at("", "both", f"Give {name} or {key}, not both.")
                found[key] = linked
        for name, part in at.embedded.items() if isinstance(at, Resource) else ():
            if isinstance(value.get(name), list) and part.to_one:
                rows = (before or {}).get(name, [])
                found[name] = [
                    self._row(part, f"/{name}/{n}", row, rows[n] if n < len(rows) else None)
                    for n, row in enumerate(value[name])
                ]
        return found

    def _row(self, part: Embedded, pointer: str, row: JsonValue, before: Json | None) -> JsonValue:
        with within(pointer):
            return self.resolved(part, row, before) if isinstance(row, dict) else row

    def _record(self, resource: Resource, value: Fields, current: str | None) -> UUID:
        """The id of a record that is named or told as it is, or of the new one that is told."""
        if value and value.keys() <= {"id", "ref"}:
            return self._named(resource, value)
        if current is not None and self._is_told(resource, value, UUID(current)):
            return UUID(current)
        known = self._known(resource, value)
        if known is None:
            return self.create(resource, value).id
        if not self._is_told(resource, value, known):
            raise Invalid.at(
                "",
                "read_only",
                f"The {resource.singular} is there already, and is not as it is told here: name it"
                f" by its id or ref alone, and change it with PATCH"
                f" {public_path(f'/{resource.path}/{known}')}.",
            )
        return known

    def _named(self, resource: Resource, value: Fields) -> UUID:
        validate(Link, value)
        key = "ref" if value.get("id") is None and "ref" in value else "id"
        if value[key] is None:
            raise Invalid.at(f"/{key}", "missing", f"Give the {key} of a {resource.singular}.")
        found = find_id(self.session, resource, value[key], f"/{key}")
        both = {name: each for name, each in value.items() if each is not None}
        if len(both) > 1 and not self._is_told(resource, both, found):
            raise Invalid.at("", "both", "Give id or ref: they are of different records.")
        return found

    def _is_told(self, resource: Resource, value: Values, record_id: UUID) -> bool:
        state = state_of(self.session, resource, record_id)
        return says(self.session, resource, value, state)

    def _known(self, resource: Resource, value: Fields) -> UUID | None:
        """The record that is told in full, where it is there."""
        if isinstance(value.get("id"), str):
            return find_id(self.session, resource, value["id"], "/id")
        ref, table = value.get("ref"), resource.table
        if not self.is_repeatable or not isinstance(ref, str) or not is_askable(ref):
            return None
        there = select(table.id).where(table.ref == ref, table.deleted_at.is_(None))
        found = self.session.scalar(there)
        # The driver of PostgreSQL has a UUID of its own.
        return None if found is None else UUID(str(found))


def _with_others(
    problem: Invalid, model: Model, resource: Resource, values: Values, replaced: Set[str]
) -> Invalid:
    """The problem of what stands in for fields, and what is wrong with all others."""
    faults = [*problem.errors]
    told = {f"/{name}" for name in replaced} | {fault.pointer for fault in faults}
    try:
        checked(model, resource, values)
    except Invalid as others:
        faults += [fault for fault in others.errors if fault.pointer not in told]
    return Invalid(summary(faults), faults)


def _object_wanted(target: Resource, given: JsonValue) -> str:
    if not isinstance(given, str):
        return "Must be a JSON object."
    return f"Must be an object; to name an existing {target.singular}: {_link(given)}."


def _link(text: str) -> str:
    key = "ref" if as_id(text) is None else "id"
    return json_codec.dumps({key: text[:120]}).decode().replace(":", ": ", 1)


def checked(model: Model, resource: Resource, value: JsonValue) -> BaseModel:
    """The record or the change of one as its model; where a ref stands in place of an id, Invalid
    says how one is named by it."""
    try:
        return validate(model, value)
    except Invalid as problem:
        named = [replace(fault, detail=_by_ref(resource, value, fault)) for fault in problem.errors]
        raise Invalid(summary(named), named) from None


def _not_within(resource: Resource, value: Values, name: str) -> str:
    """Where the records of a list go that a record within another one cannot have."""
    ref = value.get("ref")
    key = ref if isinstance(ref, str) and is_askable(ref) else "{key}"
    address = public_path(f"/{resource.path}/{key}/{name}")
    return (
        f"There are no {name.replace('_', ' ')} here: create the {resource.singular} first, and"
        f" then each of these with POST {address}."
    )


def _by_ref(resource: Resource, value: Values, fault: Fault) -> str:
    """What the fault says, and the object that names a record by what was sent as its id."""
    if fault.code == "unknown" and (fault.pointer or "")[1:] in nested_in(resource):
        return _not_within(resource, value, (fault.pointer or "")[1:])
    at: Resource | Embedded = resource
    given: JsonValue = value
    *before, last = (fault.pointer or "/").split("/")[1:]
    for token in before:
        if isinstance(given, list) and token.isdecimal():
            given = given[int(token)]
        elif isinstance(at, Resource) and token in at.embedded and isinstance(given, dict):
            at, given = at.embedded[token], given[token]
        else:
            return fault.detail
    name = last.removesuffix("_id").removesuffix("_ref")
    text = given.get(last) if isinstance(given, dict) else None
    if name == last or name not in at.to_one or not isinstance(text, str):
        return fault.detail
    known = fault.detail.partition(" Did you mean")[0]
    return f'{known} To name it by its ref, write "{name}": {_link(text)}.'
