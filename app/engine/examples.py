"""Values to show and to try a field with, made up from what it can hold."""

from app.core.loose_types import JsonValue
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
_VALUES: dict[FieldType, tuple[JsonValue, JsonValue]] = {
    FieldType.id: ("0190b1de-0000-7000-8000-000000000000", "0190b1de-0000-7000-8000-000000000001"),
    FieldType.text: ("An example", "Another example"),
    FieldType.integer: (1, 2),
    FieldType.decimal: (1, 2),
    FieldType.boolean: (True, False),
    FieldType.date: ("2016-04-12", "2017-01-31"),
    FieldType.instant: ("2016-04-12T09:30:00Z", "2017-01-31T12:00:00Z"),
    FieldType.stated: ("2016-04", "XXXX-06"),
}


def values_of(resource: Resource, name: str) -> tuple[JsonValue, JsonValue]:
    """Two values that the field can hold: different ones, unless there is only one."""
    field = fields_of(resource).get(name)
    return ([], []) if field is None else _values(field)


def _values(field: RecordField) -> tuple[JsonValue, JsonValue]:
    if field.choices:
        return field.choices[0], field.choices[-1]
    if field.codes is not None:
        one, other = _CODES[field.codes.table.name]
        return ([one], [other]) if field.field_type is FieldType.list else (one, other)
    if field.field_type is FieldType.list:
        return ["One"], ["Another", "One"]
    return _VALUES[field.field_type]
