"""Nested creation: a record with what lies under it and what it points to, in one transaction."""

from copy import copy
from dataclasses import replace
from functools import cache
from uuid import UUID

from pydantic import BaseModel, Field
from pydantic.fields import FieldInfo
from sqlalchemy.orm import Session, aliased

from app.core import json_codec
from app.core.databases.expressions import AnyTable
from app.core.errors import Fault, Invalid, within
from app.core.loose_types import Fields, JsonValue, Values
from app.core.validation import Model, summary, validate
from app.engine.keys import as_id
from app.engine.resource import Embedded, Resource, SubCollection
from app.engine.schemas import Ref, Schema, derived_schema
from app.engine.writes import store
from app.engine.writes.rendering import render_record
from app.engine.writes.resolve_references import find_id
from app.engine.writes.store import Stored

MAX_NESTED = 1000


class Link(Schema):
    """A record that is there already, or that stands earlier in the same request."""

    id: UUID | None = None
    """Its id."""
    ref: Ref | None = None
    """Or its ref."""


@cache
def nested_in(resource: Resource) -> dict[str, tuple[SubCollection, str]]:
    """The collections that can be created with a record, each with the relation that ties its
    records to it; in their order, so that events come before the agreements made at them."""
    found: dict[str, tuple[SubCollection, str]] = {}
    for name, collection in resource.to_many.items():
        for relation, target in collection.child.to_one.items():
            if target.table is resource.table and _ties(collection, f"{relation}_id"):
                found.setdefault(name, (collection, relation))
    return found


def _ties(collection: SubCollection, key: str) -> bool:
    """Whether this field of the child is all that puts it under the parent: the citations under a
    source are about it, and do not point to it as the source that they cite."""
    if key not in collection.child.fields.model_fields:
        return False
    child: AnyTable = collection.child.table
    parent: AnyTable = aliased(collection.parent.table)
    return str(collection.on(child, parent)) == str(getattr(child, key) == parent.id)


def read_flat(resource: Resource, value: JsonValue) -> BaseModel | None:
    """A record given as JSON as its model, None for one with others in it, which `create_nested`
    reads; Invalid tells where it is wrong. It needs no database, and keeps none from working."""
    if not isinstance(value, dict):
        return validate(resource.create, value)
    if not value.keys().isdisjoint(_not_flat(resource)):
        return None
    for name, part in resource.embedded.items():
        rows = value.get(name)
        for row in rows if isinstance(rows, list) else ():
            if isinstance(row, dict) and not row.keys().isdisjoint(part.to_one):
                return None
    return _checked(resource, value)


@cache
def _not_flat(resource: Resource) -> frozenset[str]:
    return frozenset({*resource.to_one, *nested_in(resource)})


def create_nested(session: Session, resource: Resource, value: JsonValue) -> Stored:
    """Store a record given as JSON, its nested records with it; Invalid tells where it is wrong.

    Where a field `x_id` is expected, an object `x` can stand: a new record, or the `ref` or `id` of
    one that is there.
    """
    flat = read_flat(resource, value)
    if flat is not None:
        return store.create(session, resource, flat)
    own = {name: item for name, item in value.items() if name not in nested_in(resource)}
    own = _linked(session, resource, own)
    stored = store.create(session, resource, _checked(resource, own))
    nested = {name: tie for name, tie in nested_in(resource).items() if name in value}
    if not nested:
        return stored
    for name, (collection, relation) in nested.items():
        with within(f"/{name}"):
            _create_under(session, collection.child, f"{relation}_id", stored, value[name])
    # A rule of a nested record can have changed this one, as an outcome moves its agreement.
    body = render_record(session, resource, stored.id)
    return Stored(body, stored.id, json_codec.loads_stored(body)["version"])


def _create_under(
    session: Session, child: Resource, key: str, parent: Stored, items: JsonValue
) -> None:
    if not isinstance(items, list) or len(items) > MAX_NESTED:
        raise Invalid.at("", "list", f"Must be a list of at most {MAX_NESTED} records.")
    for at, item in enumerate(items):
        with within(f"/{at}"):
            if not isinstance(item, dict):
                raise Invalid.at("", "object", "Must be a JSON object.")
            if key in item:
                raise Invalid.at(f"/{key}", "given", "Leave it out: it is the record above.")
            own = _linked(session, child, item)
            # As the model reads it: a nested record does not say what it is nested in.
            body = _checked(child, {**own, key: parent.id})
            store.create(session, child, body)


def _linked(session: Session, at: Resource | Embedded, value: Values) -> Fields:
    """The value with ids in place of the records that stand for them."""
    found = dict(value)
    for name, target in at.to_one.items():
        if f"{name}_id" not in at.fields.model_fields or found.pop(name, None) is None:
            continue
        with within(f"/{name}"):
            if f"{name}_id" in value:
                raise Invalid.at("", "both", f"Give {name} or {name}_id, not both.")
            if not isinstance(value[name], dict):
                raise Invalid.at("", "object", _object_wanted(target, value[name]))
            found[f"{name}_id"] = _record(session, target, value[name])
    for name, part in at.embedded.items() if isinstance(at, Resource) else ():
        if isinstance(value.get(name), list) and part.to_one:
            found[name] = [
                _linked_part(session, part, f"/{name}/{n}", row)
                for n, row in enumerate(value[name])
            ]
    return found


def _linked_part(session: Session, part: Embedded, pointer: str, row: JsonValue) -> JsonValue:
    with within(pointer):
        return _linked(session, part, row) if isinstance(row, dict) else row


def _record(session: Session, resource: Resource, value: Fields) -> UUID:
    """The id of a record that is named, or of the new one that is told."""
    if value and value.keys() <= {"id", "ref"}:
        if len(value) > 1:
            raise Invalid.at("", "both", "Give id or ref, not both.")
        (key,) = validate(Link, value).model_fields_set
        if value[key] is None:
            raise Invalid.at(f"/{key}", "missing", f"Give the {key} of a {resource.singular}.")
        return find_id(session, resource, value[key], f"/{key}")
    body = _checked(resource, _linked(session, resource, value))
    return store.create(session, resource, body).id


def _object_wanted(target: Resource, given: JsonValue) -> str:
    if not isinstance(given, str):
        return "Must be a JSON object."
    return f"Must be an object; to name an existing {target.singular}: {_link(given)}."


def _link(text: str) -> str:
    key = "ref" if as_id(text) is None else "id"
    return json_codec.dumps({key: text[:120]}).decode().replace(":", ": ", 1)


def _checked(resource: Resource, value: Values) -> BaseModel:
    """The record as its model; where an id is expected and a ref stands, how one is named by it."""
    try:
        return validate(resource.create, value)
    except Invalid as problem:
        named = [replace(fault, detail=_by_ref(resource, value, fault)) for fault in problem.errors]
        raise Invalid(summary(named), named) from None


def _by_ref(resource: Resource, value: Values, fault: Fault) -> str:
    """What the fault says, and the object that names a record by what was sent as its id."""
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


@cache
def nested_model(resource: Resource) -> Model:
    """What POST takes, as the document tells it: the record's fields and what is nested in it."""
    fields = _with_relations(resource)
    for name, (collection, relation) in nested_in(resource).items():
        item = _child_model(collection.child, f"{relation}_id")
        about = f"Its {name.replace('_', ' ')}, created with it."
        fields[name] = (
            list[item],  # type: ignore[valid-type]
            Field(default=[], max_length=MAX_NESTED, description=about),
        )
    if not fields:
        return resource.create
    doc = f"A new {resource.singular}, with what is to be created with it."
    return derived_schema(f"{resource.name}Tree", doc, fields, resource.fields)


@cache
def _child_model(child: Resource, key: str) -> Model:
    fields = {
        name: (info.annotation, _untold(info))
        for name, info in child.fields.model_fields.items()
        if name != key
    } | _with_relations(child, key)
    doc = (
        f"A {child.singular} that is created with the record above it; its fields are as those of"
        f" `{child.create.__name__}`."
    )
    name = f"{child.name}Under{key.removesuffix('_id').title().replace('_', '')}"
    return derived_schema(name, doc, fields)


def _untold(info: FieldInfo) -> FieldInfo:
    """The field without its description, which stands where the document tells of it first."""
    bare = copy(info)
    bare.description = None
    return bare


@cache
def _part_model(part: Embedded) -> type[Schema]:
    doc = f"{part.fields.__doc__} In place of an id a new record can stand."
    name, fields = f"{part.name}Tree", _with_relations(part)
    return derived_schema(name, doc, fields, part.fields)


def _with_relations(at: Resource | Embedded, without: str = "") -> Fields:
    """The fields that point to other records, which may be told instead."""
    fields: Fields = {}
    for name, part in at.embedded.items() if isinstance(at, Resource) else ():
        if part.to_one:
            fields[name] = (list[_part_model(part)], at.fields.model_fields[name])  # type: ignore[misc]
    for name, target in at.to_one.items():
        key = f"{name}_id"
        if key not in at.fields.model_fields or key == without:
            continue
        given = at.fields.model_fields[key].description
        fields[key] = (UUID | None, Field(None, description=given))
        about = f"In place of `{key}`: a new {target.singular}, or the ref or id of one."
        fields[name] = (Link | target.create | None, Field(None, description=about))
    return fields
