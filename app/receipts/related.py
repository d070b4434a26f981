"""Which related records an answer depends on: those that what is asked leads over."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from app.core.loose_types import Json
from app.engine.paths import find_relation, relations_of
from app.engine.query.conditions import Compare, Condition, Exists
from app.engine.query.filter_reader import read_filters
from app.engine.query.nodes import And, Not, Or
from app.engine.resource import Embedded, Resource
from app.receipts.asking import Pairs

Steps = tuple[str, ...]
#: Parameters whose values name fields and relations; all others may be names of fields.
_NAMING: Final = frozenset(("expand", "group_by", "having", "metrics", "sort"))
_DOTTED: Final = re.compile(r"[a-z_]+(?:\.[a-z_]+)*")


def related_steps(resource: Resource, pairs: Pairs) -> list[Steps]:
    """The relations that a query leads over from records of this kind to others, as steps; without
    those that longer ones lead over, too."""
    found = {_leading_to_records(resource, steps) for steps in _named(resource, pairs)} - {()}
    return sorted(
        steps
        for steps in found
        if not any(other != steps and other[: len(steps)] == steps for other in found)
    )


def _named(resource: Resource, pairs: Pairs) -> Iterator[Steps]:
    for name, value in pairs:
        if name == "filter":
            condition = read_filters(resource, (), value).condition
            yield from _compared(condition) if condition is not None else ()
        elif name in _NAMING:
            yield from (tuple(each.split(".")) for each in _DOTTED.findall(value))
        else:
            yield tuple(name.split("__"))


def _compared(condition: Condition) -> Iterator[Steps]:
    """The fields that a condition compares, and the relations in which it looks for records."""
    match condition:
        case And() | Or():
            for item in condition.items:
                yield from _compared(item)
        case Not():
            yield from _compared(condition.item)
        case Compare():
            yield condition.path
        case Exists():
            yield condition.path
            within = () if condition.item is None else _compared(condition.item)
            yield from (condition.path + steps for steps in within)


def _leading_to_records(resource: Resource, steps: Steps) -> Steps:
    """As many of the steps as are relations, the last of which is to other records."""
    at: Resource | Embedded = resource
    length = 0
    for number, step in enumerate(steps, 1):
        if step not in relations_of(at):
            break
        at = find_relation(at, step).target
        if isinstance(at, Resource):
            length = number
    return steps[:length]


def related_records(
    at: Resource | Embedded, record: Json, steps: Steps
) -> Iterator[tuple[Resource, Json]]:
    """The records that the steps lead to from one as it is read with these expanded, each with its
    kind."""
    if not steps:
        return
    target = find_relation(at, steps[0]).target
    value = record.get(steps[0])
    several: Iterable[Json] = value if isinstance(value, list) else [value] if value else []
    for each in several:
        if isinstance(target, Resource):
            yield target, each
        yield from related_records(target, each, steps[1:])
