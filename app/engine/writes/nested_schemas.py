"""Which records can stand in the body of another one, and how the document tells of them."""

from copy import copy
from functools import cache
from uuid import UUID

from pydantic import Field
from pydantic.fields import FieldInfo
from sqlalchemy.orm import aliased

from app.core.databases.expressions import AnyTable
from app.core.loose_types import Fields
from app.core.validation import Model
from app.engine.resource import Embedded, Resource, SubCollection
from app.engine.schemas import Ref, Schema, derived_schema

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
