"""Values to show and to try a field with, made up from what it can hold."""

from typing import Any

from app.engine.paths import FieldType, RecordField, fields_of
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
_VALUES: dict[FieldType, tuple[Any, Any]] = {
    FieldType.id: ("0190b1de-0000-7000-8000-000000000000", "0190b1de-0000-7000-8000-000000000001"),
    FieldType.text: ("An example", "Another example"),
    FieldType.integer: (1, 2),
    FieldType.decimal: (1, 2),
    FieldType.boolean: (True, False),
    FieldType.date: ("2016-04-12", "2017-01-31"),
    FieldType.instant: ("2016-04-12T09:30:00Z", "2017-01-31T12:00:00Z"),
    FieldType.stated: ("2016-04", "XXXX-06"),
}


def values_of(resource: Resource, name: str) -> tuple[Any, Any]:
    """Two values that the field can hold: different ones, unless there is only one."""
    leaf = fields_of(resource).get(name)
    return ([], []) if leaf is None else _values(leaf)


def _values(leaf: RecordField) -> tuple[Any, Any]:
    if leaf.choices:
        return leaf.choices[0], leaf.choices[-1]
    if leaf.codes is not None:
        one, other = _CODES[leaf.codes.table.name]
        return ([one], [other]) if leaf.field_type is FieldType.list else (one, other)
    if leaf.field_type is FieldType.list:
        return ["One"], ["Another", "One"]
    return _VALUES[leaf.field_type]
