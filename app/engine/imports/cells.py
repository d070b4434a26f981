"""Cells of an imported file: what stands in them becomes values as a body of JSON has them."""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

from app.core import json_codec
from app.core.json_codec import JsonError
from app.core.loose_types import JsonValue, Value
from app.engine.paths import FieldType, fields_of
from app.engine.resource import Resource

Read = Callable[[Value], JsonValue]

# Excel groups digits with any of these, by the language it is set to.
_GAPS: Final = re.compile(r"(?<=[0-9])[ \u00a0\u2009\u202f](?=[0-9]{3}(?![0-9]))")
_PLAIN: Final = re.compile(r"-?[0-9]{1,100}(\.[0-9]{1,100})?")
_COMMA: Final = re.compile(r"(-?[0-9]{1,100}),([0-9]{1,100})")
_MIDNIGHT: Final = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})T00:00:00\.000000Z")
_NUMBER = "write digits with a decimal point or comma, such as 1250.5, 1250,5 or 1 250,5"


class CellError(ValueError):
    """What a cell holds cannot be read; `str` of it says what would be right."""


def reader_of(resource: Resource, name: str) -> Read:
    """What reads a cell, not empty, of a table under this field; it raises CellError.

    Texts that have the form are left to the field's own rules: this only finds out what is meant.
    """
    if name in resource.embedded:
        return read_objects
    field = fields_of(resource)[name]
    if field.field_type is FieldType.list:
        return read_texts if field.codes is None else read_codes
    return _READERS.get(field.field_type, read_text)


def read_native(value: JsonValue) -> JsonValue:
    """A value of NDJSON, which is JSON already."""
    return value


def read_text(cell: object) -> str:
    """A text; a number or truth value of a spreadsheet as it is written out."""
    if isinstance(cell, bool):
        return str(cell).lower()
    return f"{cell:f}" if isinstance(cell, Decimal) else str(cell)


def read_word(cell: object) -> str:
    """A text around which blanks mean nothing."""
    return read_text(cell).strip()


def read_number(cell: object) -> int | Decimal:
    """A number: of a spreadsheet, or digits with a point or a comma before the decimals, and
    blanks between groups of three. `1,500` could be either of two numbers, so it is refused."""
    if isinstance(cell, bool):
        raise CellError(f"This is a truth value, not a number: {_NUMBER}.")
    if isinstance(cell, int | Decimal):
        return cell
    text = _GAPS.sub("", str(cell).strip().replace("\u2212", "-"))
    if found := _COMMA.fullmatch(text):
        whole, decimals = found.groups()
        digits = whole.removeprefix("-")
        if len(decimals) == 3 and len(digits) <= 3 and not digits.startswith("0"):
            both = f"{whole}{decimals} or {whole}.{decimals}"
            raise CellError(f"{text} could be {both}: write one of these.")
        text = f"{whole}.{decimals}"
    if not _PLAIN.fullmatch(text):
        raise CellError(f"{_short(cell)} is not a number: {_NUMBER}.")
    number = Decimal(text)
    return int(number) if number == number.to_integral_value() else number


def read_integer(cell: object) -> int:
    """A whole number."""
    number = read_number(cell)
    if not isinstance(number, int):
        raise CellError(f"{_short(cell)} is not a whole number.")
    return number


def read_boolean(cell: object) -> bool:
    """`true` or `false`, in any case of letters, or 1 or 0."""
    found = {"true": True, "1": True, "false": False, "0": False}.get(read_word(cell).lower())
    if found is None:
        raise CellError(f"{_short(cell)} is neither true nor false: write one of them, or 1 or 0.")
    return found


def read_date(cell: object) -> str:
    """A date as text; a spreadsheet's day with a time of midnight is the day."""
    text = read_word(cell)
    midnight = _MIDNIGHT.fullmatch(text)
    return midnight[1] if midnight else text


def read_codes(cell: object) -> list[JsonValue]:
    """Codes with semicolons between them, `F;C10`, or a JSON list."""
    text = read_word(cell)
    if text.startswith("["):
        return _list(text, '["F", "C10"] or F;C10')
    return [code.strip() for code in text.split(";") if code.strip()]


def read_texts(cell: object) -> list[JsonValue]:
    """A JSON list of texts."""
    return _list(read_text(cell), '["one", "another"]')


def read_objects(cell: object) -> list[JsonValue]:
    """A JSON list of objects."""
    return _list(read_text(cell), '[{"role": "buyer", "description": "…"}]')


def _list(text: str, example: str) -> list[JsonValue]:
    try:
        value = json_codec.loads(text.strip())
    except JsonError as error:
        detail = f"{_short(text)} is not a JSON list, such as {example}: {error}."
        raise CellError(detail) from None
    if not isinstance(value, list):
        raise CellError(f"{_short(text)} is not a JSON list, such as {example}.")
    return value


def _short(cell: object) -> str:
    text = read_text(cell)
    return repr(text if len(text) <= 60 else f"{text[:60]}…")


_READERS: Mapping[FieldType, Read] = {
    FieldType.id: read_word,
    FieldType.choice: read_word,
    FieldType.code: read_word,
    FieldType.integer: read_integer,
    FieldType.decimal: read_number,
    FieldType.boolean: read_boolean,
    FieldType.date: read_date,
    FieldType.stated: read_date,
}
