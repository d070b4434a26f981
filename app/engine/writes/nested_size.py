"""How many records a body would create besides its own: nobody else writes meanwhile."""

from typing import Final

from app.core.errors import Invalid
from app.core.loose_types import JsonValue
from app.engine.resource import Embedded, Resource
from app.engine.writes.nested_schemas import nested_in

MAX_NESTED_RECORDS: Final = 5_000
"""The most records that one request may have within others, wherever they stand in it."""
_NAMES: Final = frozenset(("id", "ref"))


def nested_count(resource: Resource, value: JsonValue) -> int:
    """How many records stand in the body of one: those under it and new ones that it points to."""
    if not isinstance(value, dict):
        return 0
    count = _pointed_to(resource, value)
    for name, (collection, _) in nested_in(resource).items():
        items = value.get(name)
        for item in items if isinstance(items, list) else ():
            count += 1 + _pointed_to(collection.child, item)
    return count


def check_nested(count: int, pointer: str = "") -> None:
    """Invalid for more records than one request may have within others."""
    if count > MAX_NESTED_RECORDS:
        text = (
            f"{count:,} records stand within others here, and one request takes"
            f" {MAX_NESTED_RECORDS:,}: send them in several."
        )
        raise Invalid.at(pointer, "length", text)


def _pointed_to(at: Resource | Embedded, value: JsonValue) -> int:
    if not isinstance(value, dict):
        return 0
    count = 0
    for name, target in at.to_one.items():
        item = value.get(name)
        if isinstance(item, dict) and not item.keys() <= _NAMES:
            count += 1 + _pointed_to(target, item)
    for name, part in at.embedded.items() if isinstance(at, Resource) else ():
        rows = value.get(name)
        for row in rows if isinstance(rows, list) else ():
            count += _pointed_to(part, row)
    return count
