"""What else is wrong with a tree of new records, one of which was refused: told all at once."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice

from app.core.databases.types import now, uuid7
from app.core.errors import Fault, Invalid
from app.core.loose_types import Fields, Json, JsonValue
from app.core.validation import MAX_FAULTS, summary
from app.engine.resource import Resource
from app.engine.writes import store
from app.engine.writes.as_read import kept_by_server
from app.engine.writes.broken_rules import broken_rules
from app.engine.writes.linked import checked
from app.engine.writes.nested_schemas import left_out_of, nested_in
from app.engine.writes.records import new_record


def with_others(problem: Invalid, resource: Resource, value: Json) -> Invalid:
    """The problem with what can be told of the other records without storing any."""
    told = {fault.pointer for fault in problem.errors}
    found = (fault for fault in _faults(resource, value, "") if fault.pointer not in told)
    # No more of the tree is looked at than is told: somebody else waits to write.
    others = [*islice(found, MAX_FAULTS)]
    if not others and not any(_is_under(resource, fault) for fault in problem.errors):
        return problem
    faults = [*problem.errors, *others][:MAX_FAULTS]
    return Invalid(summary(faults), faults)


def _is_under(resource: Resource, fault: Fault) -> bool:
    """Whether a fault is of a record under the first one, so that its place must be told."""
    return (fault.pointer or "/").split("/")[1] in nested_in(resource)


def _faults(
    resource: Resource, value: Json, pointer: str, *, is_inner: bool = False
) -> Iterator[Fault]:
    """The faults of a record and of those under it, by their places in the whole."""
    known = nested_in(resource, is_inner=is_inner)
    own = {name: item for name, item in value.items() if name not in known}
    for fault in _own_faults(resource, own):
        yield replace(fault, pointer=pointer + (fault.pointer or ""))
    for name in (each for each in value if each in known):
        for at, item in _objects(value[name]):
            told = {each: item[each] for each in item.keys() - left_out_of(known[name])}
            tied = {each: str(value) for each, value in known[name].ties(uuid7()).items()}
            place = f"{pointer}/{name}/{at}"
            yield from _faults(known[name].child, {**told, **tied}, place, is_inner=True)


def _objects(items: JsonValue) -> Iterator[tuple[int, Json]]:
    for at, item in enumerate(items if isinstance(items, list) else ()):
        if isinstance(item, dict):
            yield at, item


def _own_faults(resource: Resource, value: Json) -> Sequence[Fault]:
    """What is wrong with a record alone: its values, and the rules of its tables. What stands for
    others of its fields is not known before it is stored."""
    if resource.stand_ins is not None:
        return ()
    own = {name: item for name, item in value.items() if name not in kept_by_server(resource)}
    _put_ids(resource.to_one, own)
    for name, part in resource.embedded.items():
        rows = own.get(name)
        if isinstance(rows, list):
            own[name] = [dict(row) if isinstance(row, dict) else row for row in rows]
            for _, row in _objects(own[name]):
                _put_ids(part.to_one, row)
    try:
        body = checked(resource.create, resource, own)
    except Invalid as problem:
        return problem.errors
    record = new_record(resource, store.whole(resource, body), None, now())
    return broken_rules(resource, record)


def _put_ids(to_one: Iterable[str], values: Fields) -> None:
    """An id in place of each record that stands for one; whether it is right is told elsewhere."""
    for name in to_one:
        if values.pop(name, None) is not None:
            values[f"{name}_id"] = str(uuid7())
