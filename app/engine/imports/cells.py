"""Cells of an imported file: what stands in them becomes values as a body of JSON has them."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Final

from app.core import json_codec
from app.core.date_spellings import ends_of_interval, iso_by_format, iso_readings
from app.core.json_codec import JsonError
from app.core.loose_types import JsonValue, Value
from app.engine.aggregates.units import units_of
from app.engine.imports.amount_details import detail_fields, said_by_details
from app.engine.imports.amounts import EXAMPLES, read_written
from app.engine.imports.cell_error import CellError, refuse_nothing, shown
from app.engine.imports.code_labels import CodeLabels, CodeLists, SeveralCodes, is_like_a_code
from app.engine.imports.stated_amounts import Stated, read_stated
from app.engine.labels import label_key
from app.engine.paths import FieldType, RecordField, fields_of
from app.engine.resource import Resource

#: What a cell is read as; of a `Measured` or `SeveralCodes` the rest of the row has a say.
Read = Callable[[Value], JsonValue]

_MIDNIGHT: Final = re.compile(
    r"([0-9]{1,4}([-./])[0-9]{1,2}\2[0-9]{1,4})[T ]0?0:00(?::00(?:\.0+)?)?Z?"
)
_ISO: Final = re.compile(r"[0-9]{4}(-[0-9]{2}){0,2}")
_ALL_DIGITS: Final = re.compile(r"[0-9]{1,4}([-./ ])[0-9]{1,2}\1[0-9]{1,4}")
_PLAIN: Final = re.compile(r"-?[0-9]{1,100}(\.[0-9]{1,100})?")
#: How many cells are remembered, and how long these are at most.
_MAX_REMEMBERED: Final = 1000
#: How many characters a cell has at most that is neither text nor a list.
MAX_SHORT_CHARACTERS: Final = 1000
_ITEMS: Final = re.compile(r"[;\n]")
_TRUE: Final = frozenset(("true", "1", "yes", "y", "да", "истина", "иә", "ия", "ақиқат"))
_FALSE: Final = frozenset(("false", "0", "no", "n", "нет", "ложь", "жоқ", "жалған"))


@dataclass(frozen=True, slots=True)
class Measured:
    """A number with what else its cell says, by the fields that say it elsewhere: of an amount its
    `currency`, and `amount_max` of a range."""

    number: int | Decimal
    others: Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class CellReaders:
    """What is known of the cells of a file: the labels of codes, and how dates are written."""

    lists: CodeLists
    date_format: str | None = None

    def of(self, resource: Resource, name: str) -> Read:
        """What reads a cell, not empty, of a table under this field; it raises CellError.

        Texts that have the form are left to the field's own rules: this only finds out what is
        meant.
        """
        if name in resource.embedded:
            return read_objects
        found = fields_of(resource)[name]
        if found.field_type is FieldType.list:
            return read_texts if found.codes is None else _Remembering(partial(self._codes, found))
        if found.field_type in (FieldType.choice, FieldType.code):
            return partial(_read_short, _Remembering(partial(self._code, found)))
        if found.field_type in (FieldType.date, FieldType.stated):
            is_stated = found.field_type is FieldType.stated
            how = partial(read_date, date_format=self.date_format, is_stated=is_stated)
            return partial(_read_short, _Remembering(how))
        if found.field_type in (FieldType.decimal, FieldType.integer):
            return partial(_read_short, partial(self._number, resource, found))
        return _READERS.get(found.field_type, read_text)

    def _code(self, record_field: RecordField, cell: object) -> JsonValue:
        text = read_word(cell)
        labels = self.lists.of(record_field)
        found = labels.find(text)
        if found is None:
            refuse_nothing(text)
        if found is None and not is_like_a_code(text):
            raise labels.unknown(text)
        return text if found is None else found

    def _codes(self, record_field: RecordField, cell: object) -> list[JsonValue]:
        """Codes or labels with semicolons between them, `F;C10`, or a JSON list."""
        text = read_word(cell)
        if text.startswith("["):
            return _list(text, '["F", "C10"] or F;C10')
        labels = self.lists.of(record_field)
        items = [item.strip() for item in _ITEMS.split(text) if item.strip()]
        return [code for item in items for code in _item(labels, item)]

    def _number(self, resource: Resource, record_field: RecordField, cell: object) -> JsonValue:
        if isinstance(cell, bool):
            raise CellError(f"This is a truth value, not a number: {EXAMPLES}.")
        refuse_nothing(cell)
        try:
            return self._measured(resource, record_field, cell)
        except CellError as error:
            raise CellError(
                f"{error}{_said_elsewhere(resource, record_field.name, cell)}"
            ) from None

    def _measured(self, resource: Resource, record_field: RecordField, cell: object) -> JsonValue:
        fields = detail_fields(resource, record_field.name)
        number, words, details = _number_and_words(cell, is_stated=bool(fields))
        if record_field.field_type is FieldType.integer and not isinstance(number, int):
            raise CellError(f"{shown(cell)} is not a whole number.")
        others = said_by_details(fields, details, cell)
        if words:
            name, unit = self._unit(resource, record_field.name, words, cell)
            others[name] = unit
        return Measured(number, others) if others else number

    def _unit(
        self, resource: Resource, name: str, words: tuple[str, ...], cell: object
    ) -> tuple[str, str]:
        """The field of the unit, such as the currency, and what the words beside a number say of
        it; CellError where they are no unit, or two."""
        known = {unit: fields_of(resource)[unit] for unit in units_of(resource, name)}
        found: set[tuple[str, str]] = set()
        for word in words:
            for unit, record_field in known.items():
                if not (record_field.choices or record_field.codes is not None):
                    continue
                code = self.lists.of(record_field).find(word)
                if isinstance(code, SeveralCodes):
                    code.settled(())
                if isinstance(code, str):
                    found.add((unit, code))
                    break
            else:
                raise CellError(f"{shown(cell)} is not a number: what is {word.strip()!r}?")
        if len(found) > 1:
            both = " and ".join(sorted(code for _, code in found))
            raise CellError(f"{shown(cell)} has two units, {both}: write one of them.")
        return found.pop()


def _read_short(read: Read, cell: Value) -> JsonValue:
    """What `read` makes of a cell that is short; in a long one to look for it takes a while."""
    if isinstance(cell, str) and len(cell) > MAX_SHORT_CHARACTERS:
        text = (
            f"has {len(cell):,} characters: what is read here has at most {MAX_SHORT_CHARACTERS:,}"
        )
        raise CellError(f"{shown(cell)} {text}.")
    return read(cell)


class _Remembering(dict[str, JsonValue]):
    """Reads cells, of which the same few come again and again in a file."""

    def __init__(self, read: Read) -> None:
        super().__init__()
        self._read = read

    def __call__(self, cell: Value) -> JsonValue:
        if not isinstance(cell, str) or len(cell) > _MAX_REMEMBERED:
            return self._read(cell)
        found = self.get(cell)
        if found is None:
            if len(self) >= _MAX_REMEMBERED:
                self.clear()
            found = self[cell] = self._read(cell)
        return list(found) if isinstance(found, list) else found


def _item(labels: CodeLabels, text: str) -> list[JsonValue]:
    """The codes of one item of a list, which may be several with commas between."""
    found = labels.find(text)
    if found is None:
        refuse_nothing(text)
    if found is None and "," in text:
        several = [labels.find(part) for part in text.split(",") if part.strip()]
        codes = [code for code in several if isinstance(code, str)]
        if len(codes) == len(several):
            return list(codes)
    if isinstance(found, SeveralCodes):
        return [found.settled(())]
    if found is None and not is_like_a_code(text):
        raise labels.unknown(text)
    return [text if found is None else found]


def _number_and_words(cell: object, *, is_stated: bool) -> Stated:
    if isinstance(cell, int | Decimal):
        return Stated(cell, (), {})
    text = str(cell)
    if not _PLAIN.fullmatch(text):
        if is_stated:
            return read_stated(text)
        written = read_written(text)
        return Stated(written.number, written.words, {})
    number = Decimal(text)
    return Stated(int(number) if number == number.to_integral_value() else number, (), {})


def _said_elsewhere(resource: Resource, name: str, cell: object) -> str:
    """Which columns say what a number does not, where a cell has more than one."""
    text = str(cell)
    fields = [*detail_fields(resource, name).values(), *units_of(resource, name)]
    if not fields or not any(map(str.isdigit, text)) or not any(map(str.isalpha, text)):
        return ""
    columns = ", ".join(fields)
    return f" What else is said of {name} has columns of its own: {columns}."


def read_key_number(cell: object) -> int:
    """A whole number that counts nothing, as a version is."""
    number = cell if isinstance(cell, int | Decimal) else read_written(read_text(cell)).number
    if isinstance(cell, bool) or not isinstance(number, int):
        raise CellError(f"{shown(cell)} is not a whole number.")
    return number


def read_native(value: JsonValue) -> JsonValue:
    """A value of NDJSON, which is JSON already."""
    return value


def read_text(cell: object) -> str:
    """A text; a number or truth value of a spreadsheet as it is written out."""
    if isinstance(cell, bool):
        return str(cell).lower()
    return f"{cell:f}" if isinstance(cell, Decimal) else str(cell)


def read_name(cell: object) -> str:
    """The name, ref or id of a record."""
    refuse_nothing(cell, is_name=True)
    return read_word(cell)


def read_word(cell: object) -> str:
    """A text around which blanks mean nothing."""
    return read_text(cell).strip()


def read_boolean(cell: object) -> bool:
    """`true` or `false`, 1 or 0, `yes` or `no`, in English, Russian or Kazakh."""
    refuse_nothing(cell)
    word = label_key(read_text(cell))
    if word not in _TRUE | _FALSE:
        text = f"{shown(cell)} is neither true nor false: write one of them, or 1 or 0."
        raise CellError(text)
    return word in _TRUE


def read_date(cell: object, date_format: str | None = None, *, is_stated: bool = True) -> str:
    """A date as text; the day with a time of midnight that spreadsheets and databases write is the
    day.

    What people write is read where it can mean one day, month or year alone; of a stated date also
    without a year, `14 марта`. With a format (`is_date_format`) a day in digits must have it,
    unless it is written as ISO 8601 has it.
    """
    text = read_word(cell)
    refuse_nothing(text)
    if midnight := _MIDNIGHT.fullmatch(text):
        text = midnight[1]
    found = _day(text, date_format, is_stated)
    ends = None if found else ends_of_interval(text, yearless=is_stated)
    if ends and all(both := [_day(end, date_format, is_stated) for end in ends]):
        return "/".join(filter(None, both))
    return found or text


def _day(text: str, date_format: str | None, is_stated: bool) -> str | None:
    """The day, month, quarter or year that a text means; None of one that is not read."""
    if _ISO.fullmatch(text):
        return text
    if date_format is not None:
        if day := iso_by_format(text, date_format):
            return day
        if _ALL_DIGITS.fullmatch(text):
            raise CellError(
                f"{shown(text)} is no day written as {date_format}, as date_format has it."
            )
    readings = iso_readings(text, yearless=is_stated)
    if len(readings) > 1:
        several = " or ".join(readings)
        how = "write one of these, or say which by date_format=dd/mm/yyyy or mm/dd/yyyy"
        raise CellError(f"{shown(text)} could be {several}: {how}.")
    return readings[0] if readings else None


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
        detail = f"{shown(text)} is not a JSON list, such as {example}: {error}."
        raise CellError(detail) from None
    if not isinstance(value, list):
        raise CellError(f"{shown(text)} is not a JSON list, such as {example}.")
    return value


_READERS: Mapping[FieldType, Read] = {
    FieldType.id: read_name,
    FieldType.boolean: read_boolean,
}
