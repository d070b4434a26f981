"""Columns that stand in for fields: the words of a passage, the ref of a record of any kind."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import cache
from typing import Any, get_args

from pydantic import BaseModel
from sqlalchemy.orm import Session

from app.core.errors import Invalid
from app.core.loose_types import Fields, Values
from app.engine.keys import as_id
from app.engine.resource import Resource


@cache
def columns_standing_in(resource: Resource) -> Mapping[str, str]:
    """What a header can say beside the record's own fields, and what that means: `quote`, and of
    an object its members, `record.kind`, or `record` for its ref."""
    if resource.stand_ins is None:
        return {}
    found: dict[str, str] = {}
    for name, info in resource.stand_ins.fields.model_fields.items():
        members = _members(info.annotation)
        found |= {f"{name}.{member}": f"{name}.{member}" for member in members}
        # As the export calls it, and as people do.
        ways = (name, f"{name}_ref") if members else (name,)
        found |= dict.fromkeys(ways, f"{name}.ref" if members else name)
    return found


def _members(annotation: Any) -> tuple[str, ...]:
    models = [a for a in get_args(annotation) if isinstance(a, type) and issubclass(a, BaseModel)]
    return tuple(name for model in models for name in model.model_fields)


def replaced_by(resource: Resource, columns: Iterable[str]) -> frozenset[str]:
    """The fields that need no column of their own beside these that stand in for them."""
    if resource.stand_ins is None:
        return frozenset()
    return resource.stand_ins.replaced_in({name.partition(".")[0]: True for name in columns})


def assembled(resource: Resource, values: Values) -> Fields:
    """The values of a row with the objects that its columns are members of; what is no id in the
    column of an id is a ref, of the kind that the row says."""
    found = {name: value for name, value in values.items() if "." not in name}
    if resource.stand_ins is None:
        return found
    for name, fields in resource.stand_ins.replaces.items():
        if not _members(resource.stand_ins.fields.model_fields[name].annotation):
            continue
        kind, key = fields
        told = {
            column.partition(".")[2]: value
            for column, value in values.items()
            if column.startswith(f"{name}.") and value is not None
        }
        if isinstance(told.get("ref"), dict):  # Of NDJSON.
            told = told["ref"]
        elif isinstance(found.get(key), str) and not as_id(found[key].strip()):
            told.setdefault("ref", found.pop(key).strip())
        if told:
            found[name] = {"kind": found.get(kind), **told}
    return found


def at_columns(problem: Invalid, headers: Mapping[str, str]) -> Invalid:
    """The problem with the places of members at the columns that they were read from."""
    faults = []
    for fault in problem.errors:
        name, slash, member = (fault.pointer or "")[1:].partition("/")
        if slash and (column := f"{name}.{member}") in headers:
            fault = replace(fault, pointer=f"/{column}")
        elif (slash or f"{name}_id" in headers) and name not in headers:
            fault = replace(fault, pointer=f"/{name}_{'kind' if member == 'kind' else 'id'}")
        faults.append(fault)
    return Invalid(problem.detail, faults)


def resolved(session: Session, resource: Resource, values: Values, before: Values | None) -> Fields:
    """The values of a row with the record's own fields in place of what stands in for them.

    An export has the words of a passage beside its positions: where there is no text that they
    could be looked for in, the positions count.
    """
    standing = resource.stand_ins
    if standing is None:
        return dict(values)
    try:
        return standing.resolve(session, values, before)
    except Invalid as problem:
        spare = {
            name: value
            for name, value in values.items()
            if any(values.get(field) is None for field in standing.replaces.get(name, (name,)))
            or name not in standing.replaces
        }
        if {fault.code for fault in problem.errors} == {"no_text"} and len(spare) < len(values):
            with suppress(Invalid):
                return standing.resolve(session, spare, before)
        raise
