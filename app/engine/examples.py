"""Values to show and to try a field with, made up from what it can hold."""

from typing import Any

from app.engine.paths import Kind, Leaf, leaves_of
from app.engine.resource import Resource

#: Two codes of each list.
_CODES = {
    "country": ("KZ", "RU"),
    "region": ("KZ-55", "RU-NVS"),
    "currency": ("USD", "EUR"),
    "sector": ("C10", "F"),
    "legal_form": ("kz-llp", "17R7"),
    "language": ("ru", "kk"),
}
_VALUES: dict[Kind, tuple[Any, Any]] = {
    Kind.id: ("0190b1de-0000-7000-8000-000000000000", "0190b1de-0000-7000-8000-000000000001"),
    Kind.text: ("An example", "Another example"),
    Kind.integer: (1, 2),
    Kind.decimal: (1, 2),
    Kind.boolean: (True, False),
    Kind.date: ("2016-04-12", "2017-01-31"),
    Kind.instant: ("2016-04-12T09:30:00Z", "2017-01-31T12:00:00Z"),
    Kind.stated: ("2016-04", "XXXX-06"),
}


def values_of(resource: Resource, name: str) -> tuple[Any, Any]:
    """Two values that the field can hold: different ones, unless there is only one."""
    leaf = leaves_of(resource).get(name)
    return ([], []) if leaf is None else _values(leaf)


def _values(leaf: Leaf) -> tuple[Any, Any]:
    if leaf.choices:
        return leaf.choices[0], leaf.choices[-1]
    if leaf.codes is not None:
        one, other = _CODES[leaf.codes.table.name]
        return ([one], [other]) if leaf.kind is Kind.list else (one, other)
    if leaf.kind is Kind.list:
        return ["One"], ["Another", "One"]
    return _VALUES[leaf.kind]
