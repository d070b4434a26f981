"""Refs where a filter takes ids: `mission_id=novosibirsk-april`, and `mission=` for short."""

import re
from collections.abc import Sequence
from contextlib import suppress

from app.engine.keys import as_id
from app.engine.paths import (
    FieldType,
    PathError,
    RecordField,
    fields_of,
    find_field,
    find_relation,
    relations_of,
)
from app.engine.resource import Embedded, Resource
from app.engine.schemas import REF_PATTERN

_REF = re.compile(REF_PATTERN)
#: The operators of an id that a ref can be compared by as well.
_OPERATORS = ("eq", "ne", "in", "not_in", "under")


def is_ref(text: str) -> bool:
    """Whether a record can be called so, by a name that is no id."""
    return _REF.fullmatch(text) is not None and as_id(text) is None


def is_asked(operator: str, texts: Sequence[str]) -> bool:
    """Whether each of the values, or each item of a list, can be an id or a ref."""
    items = [item.strip() for text in texts for item in text.split(",")]
    return operator in _OPERATORS and all(is_ref(item) or as_id(item) for item in items)


def key_path(at: Resource | Embedded, path: tuple[str, ...]) -> tuple[str, ...] | None:
    """The path of the id of the record that a to-one relation at the path's end leads to."""
    *before, last = path
    try:
        for name in before:
            at = find_relation(at, name).target
    except PathError:
        return None
    relation = relations_of(at).get(last)
    if last in fields_of(at) or relation is None or relation.is_to_many:
        return None
    return (*before, f"{last}_id") if f"{last}_id" in fields_of(at) else (*path, "id")


def ref_path(at: Resource | Embedded, path: tuple[str, ...]) -> tuple[str, ...] | None:
    """The path of the ref of the record whose id the path leads to."""
    *before, last = path
    relation = last.removesuffix("_id")
    # What a record of any kind is called stands beside its id.
    ways = [(*before, "ref")] if last == "id" else [(relation, "ref"), (f"{relation}_ref",)]
    for way in ways:
        found = way if last == "id" else (*before, *way)
        with suppress(PathError):
            find_field(at, found)
            return found
    return None


def named(
    at: Resource | Embedded,
    path: tuple[str, ...],
    record_field: RecordField,
    operator: str,
    texts: Sequence[str],
) -> tuple[tuple[str, ...], RecordField]:
    """The field of an id or, where refs are given in its place, that of the ref."""
    refs = [is_ref(text) for text in texts]
    found = ref_path(at, path)
    if path[-1] == "id" or operator not in _OPERATORS or found is None or not any(refs):
        return path, record_field
    if not all(refs):
        raise ValueError("takes ids or refs, not both in one list")
    return found, find_field(at, found)


def within_record(path: tuple[str, ...]) -> tuple[str, ...]:
    """The path of the id of a related record that leads into it: `mission.id` for `mission_id`."""
    *before, last = path
    return (*before, last.removesuffix("_id"), "id") if last.endswith("_id") else path


def is_named(at: Resource | Embedded, path: tuple[str, ...], record_field: RecordField) -> bool:
    """Whether the field is the id of a record that can be named by its ref as well."""
    of_other = record_field.field_type is FieldType.id and path[-1] != "id"
    return of_other and ref_path(at, path) is not None
