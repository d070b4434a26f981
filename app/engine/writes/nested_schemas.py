"""Which records can stand in the body of another one, and how the document tells of them."""

from collections.abc import Iterable, Set
from copy import copy
from functools import cache
from typing import ForwardRef
from uuid import UUID

from pydantic import Field
from pydantic.fields import FieldInfo

from app.core.loose_types import Fields, TypeForm
from app.core.validation import Model
from app.engine.record import Record
from app.engine.resource import Embedded, Resource, SubCollection
from app.engine.schemas import Ref, Schema, derived_schema, type_of

MAX_NESTED = 1000


class Link(Schema):
    """A record that is there already, or that stands earlier in the same request."""

    id: UUID | None = None
    """Its id."""
    ref: Ref | None = None
    """Or its ref."""


@cache
def nested_in(resource: Resource, *, is_inner: bool = False) -> dict[str, SubCollection]:
    """The collections that can be created with a record, in their order, so that events come
    before the agreements made at them; with `is_inner` those of a record that stands in another.
    What is told of any record, as its passages are, ends there."""
    return {
        name: each
        for name, each in resource.to_many.items()
        if tying_fields(each) and not (is_inner and each.anywhere and each.child is resource)
    }


def nested_lists(
    resource: Resource, names: Iterable[str], *, is_inner: bool = False
) -> dict[str, SubCollection]:
    """Those of these names that are such collections, in the order of the names, so that a record
    can be named that was told before; but each after those whose records its own can name."""
    known = nested_in(resource, is_inner=is_inner)
    waiting, ordered = [name for name in names if name in known], dict[str, SubCollection]()
    while waiting:
        free = (n for n in waiting if _can_name(resource, n).isdisjoint(waiting))
        name = next(free, waiting[0])
        waiting.remove(name)
        ordered[name] = known[name]
    return ordered


@cache
def _can_name(resource: Resource, name: str) -> frozenset[str]:
    """The collections whose records those of this one, or what lies under these, can name."""
    named = _named_by(nested_in(resource)[name])
    others = nested_in(resource).items()
    return frozenset(n for n, each in others if n != name and each.child.table in named)


@cache
def _named_by(own: SubCollection) -> frozenset[type[Record]]:
    """The tables of what the records of a collection can name, and what lies under these can."""
    below = nested_in(own.child, is_inner=True).values()
    named = [_named_by(each) for each in below if each is not own]
    tables = (to.table for one, to in own.child.to_one.items() if one not in left_out_of(own))
    return frozenset(tables).union(*named)


@cache
def tying_fields(collection: SubCollection) -> frozenset[str]:
    """The fields of a child that put it under its parent; none where something else does."""
    return frozenset(collection.ties(UUID(int=0)))


@cache
def left_out_of(collection: SubCollection) -> frozenset[str]:
    """What a child under its parent does not say, as it is the record above: the fields that tie
    it, and what can stand for these."""
    tying, child = tying_fields(collection), collection.child
    relations = {name.removesuffix("_id") for name in tying if name.endswith("_id")}
    standing = child.stand_ins.replaces.items() if child.stand_ins is not None else ()
    return tying | relations | {name for name, of in standing if not tying.isdisjoint(of)}


@cache
def nested_model(resource: Resource) -> Model:
    """What POST takes, as the document tells it: the record's fields and what is nested in it."""
    fields = _with_relations(resource) | _with_stand_ins(resource) | _with_lists(resource)
    if not fields:
        return resource.create
    doc = f"A new {resource.singular}, with what is to be created with it."
    return derived_schema(f"{resource.name}Tree", doc, fields, resource.fields)


@cache
def patch_model(resource: Resource) -> Model:
    """What PATCH takes, as the document tells it."""
    if resource.stand_ins is None:
        return resource.patch
    fields = resource.stand_ins.fields.model_fields.items()
    more: Fields = {name: (info.annotation, info) for name, info in fields}
    return derived_schema(
        resource.patch.__name__, resource.patch.__doc__ or "", more, resource.patch
    )


@cache
def whole_model(resource: Resource) -> Model:
    """What PUT takes, as the document tells it."""
    if resource.stand_ins is None:
        return resource.create
    fields, doc = _with_stand_ins(resource), resource.create.__doc__ or ""
    return derived_schema(resource.create.__name__, doc, fields, resource.create)


def _with_lists(resource: Resource, *, is_inner: bool = False) -> Fields:
    """The lists of records that can be created with one."""
    fields: Fields = {}
    for name, collection in nested_in(resource, is_inner=is_inner).items():
        # Missions can be part of one that is part of another: their model is being made.
        is_itself = is_inner and collection.child is resource
        item: TypeForm = (
            ForwardRef(_name_under(resource, left_out_of(collection)))
            if is_itself
            else child_model(collection)
        )
        about = f"Its {name.replace('_', ' ')}, created with it."
        fields[name] = (
            list[item],
            Field(default=[], max_length=MAX_NESTED, description=about),
        )
    return fields


def _with_stand_ins(resource: Resource, without: Set[str] = frozenset()) -> Fields:
    """The fields that can stand for others, and these, which need not be given then."""
    if resource.stand_ins is None:
        return {}
    own, fields = resource.fields.model_fields, resource.stand_ins.fields.model_fields
    replaced = [name for names in resource.stand_ins.replaces.values() for name in names]
    optional = {
        name: (type_of(own[name]) | None, Field(None, description=own[name].description))
        for name in replaced
    }
    standing = {name: (info.annotation, info) for name, info in fields.items()}
    return {n: each for n, each in (optional | standing).items() if n not in without}


def child_model(collection: SubCollection) -> Model:
    """What a record under another one says, as the document tells it."""
    return _child_model(collection.child, left_out_of(collection))


@cache
def _child_model(child: Resource, without: frozenset[str]) -> Model:
    fields = {
        name: (info.annotation, _untold(info))
        for name, info in child.fields.model_fields.items()
        if name not in without
    }
    standing = _with_stand_ins(child, without).items()
    fields |= _with_relations(child, without) | {
        n: (of, _untold(info)) for n, (of, info) in standing
    }
    fields |= _with_lists(child, is_inner=True)
    doc = (
        f"A {child.singular} that is created with the record above it; its fields are as those of"
        f" `{child.create.__name__}`."
    )
    name = _name_under(child, without)
    model = derived_schema(name, doc, fields)
    model.model_rebuild(_types_namespace={name: model})
    return model


def _name_under(child: Resource, without: frozenset[str]) -> str:
    above = next(iter(sorted(name for name in without if f"{name}_id" in without)))
    return f"{child.name}Under{above.title().replace('_', '')}"


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


def _with_relations(at: Resource | Embedded, without: Set[str] = frozenset()) -> Fields:
    """The fields that point to other records, which may be told instead."""
    fields: Fields = {}
    for name, part in at.embedded.items() if isinstance(at, Resource) else ():
        if part.to_one:
            fields[name] = (list[_part_model(part)], at.fields.model_fields[name])  # type: ignore[misc]
    for name, target in at.to_one.items():
        key = f"{name}_id"
        if key not in at.fields.model_fields or key in without:
            continue
        given = at.fields.model_fields[key].description
        fields[key] = (UUID | None, Field(None, description=given))
        about = f"In place of `{key}`: a new {target.singular}, or the ref or id of one."
        fields[name] = (Link | target.create | None, Field(None, description=about))
    return fields
