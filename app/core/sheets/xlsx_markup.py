"""Rows of an Office Open XML worksheet (ECMA-376) as the markup that stands in its file."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final

from app.core.sheets.sheet import CellKind, Column, Row, SheetLimit, column_letters

# The day before Excel's day 1; not 31 December, since Excel believes in 29 February 1900.
_EPOCH: Final = datetime(1899, 12, 30, tzinfo=UTC)
_EPOCH_DAY: Final = _EPOCH.toordinal()
_MILLISECOND: Final = timedelta(milliseconds=1)
_DAY: Final = 86_400_000  # milliseconds
# Spreadsheets do not agree on earlier days: Excel has no days before 1900 and counts a
# 29 February 1900, LibreOffice does not. Canonical texts compare as the days do.
_FIRST_DAY: Final = "1900-03-01"
_DIGITS: Final = 15  # A spreadsheet's numbers are binary floats: 15 digits always survive.
_MAX_TEXT: Final = 32_767  # UTF-16 units

# ECMA-376 part 1, 22.9.2.19 (ST_Xstring): what XML cannot carry is written _xHHHH_, and so is the
# low line of whatever looks like that. Looking ahead finds `_x005F_x0041_` twice, as it must.
_ESCAPED: Final = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)|[\x00-\x08\x0b-\x1f\ufffe\uffff]")

_Cell = Callable[[str | int, int], str]


class RowMarkup:
    """Writes rows of these columns; `styles` has the number of the format of each kind that has
    one. The library writes cell by cell through a dozen calls each, which takes five times as long.
    """

    def __init__(self, columns: Sequence[Column], styles: Mapping[CellKind, int]) -> None:
        self._columns = columns
        self._cells = [_cell(at, each, styles) for at, each in enumerate(columns)]

    def rows(self, batch: Sequence[Row], first: int) -> str:
        """The markup of the rows, of which the first has this number, from 1; SheetLimit for a text
        that is too long."""
        pieces = []
        for number, row in enumerate(batch, first):
            cells = [
                cell(value, number)
                for cell, value in zip(self._cells, row, strict=True)
                if value is not None
            ]
            if cells:
                pieces.append(f'<row r="{number}">{"".join(cells)}</row>')
        return "".join(pieces)


def _cell(index: int, column: Column, styles: Mapping[CellKind, int]) -> _Cell:
    """What writes a cell of the column."""
    head = f'<c r="{column_letters(index)}'

    def text(value: str | int, row: int) -> str:
        content = str(value)
        # No text that is ordinary needs a look at each of its letters in Python.
        if not content.isprintable() or "_x" in content:
            content = _ESCAPED.sub(lambda match: f"_x{ord(match[0]):04X}_", content)
        if len(content) > _MAX_TEXT // 2 and _units(str(value)) > _MAX_TEXT:
            raise _too_long(row, column.name)
        if "&" in content or "<" in content or ">" in content:
            content = content.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        space = "" if content == content.strip() else ' xml:space="preserve"'
        return f'{head}{row}" t="inlineStr"><is><t{space}>{content}</t></is></c>'

    def boolean(value: str | int, row: int) -> str:
        return f'{head}{row}" t="b"><v>{"1" if value == "true" else "0"}</v></c>'

    if column.kind is CellKind.text:
        return text
    if column.kind is CellKind.boolean:
        return boolean
    number_of, style = _NUMBERS[column.kind], styles[column.kind]

    def number(value: str | int, row: int) -> str:
        number = number_of(value)
        if number is None:
            return text(value, row)
        return f'{head}{row}" s="{style}"><v>{number:.16G}</v></c>'

    return number


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _too_long(row: int, name: str) -> SheetLimit:
    detail = f"row {row} of {name!r}: an XLSX cell holds at most 32,767 characters"
    return SheetLimit(detail, row, name)


def _day(value: str | int) -> float | None:
    day = str(value)
    return date.fromisoformat(day).toordinal() - _EPOCH_DAY if day >= _FIRST_DAY else None


def _moment(value: str | int) -> float | None:
    moment = str(value)
    if moment < _FIRST_DAY:
        return None
    # Rounding down: the last moment of a day stays within it.
    return ((datetime.fromisoformat(moment) - _EPOCH) // _MILLISECOND) / _DAY


def _exact(value: str | int) -> float | None:
    text = str(value)
    is_exact = len(text) <= _DIGITS or len(text.lstrip("-").replace(".", "").strip("0")) <= _DIGITS
    return float(value) if is_exact else None


#: What makes the number that a spreadsheet keeps, or None where it must be a text.
_NUMBERS: Mapping[CellKind, Callable[[str | int], float | None]] = {
    CellKind.integer: _exact,
    CellKind.decimal: _exact,
    CellKind.date: _day,
    CellKind.instant: _moment,
}
