"""Tables written as Office Open XML workbooks (ECMA-376)."""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, ClassVar, Final

import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from app.core.sheets.sheet import CellKind, Column, FileSheet, Row, SheetLimit

# The day before Excel's day 1; not 31 December, since Excel believes in 29 February 1900.
_EPOCH: Final = datetime(1899, 12, 30, tzinfo=UTC)
_EPOCH_DAY: Final = _EPOCH.toordinal()
_MILLISECOND: Final = timedelta(milliseconds=1)
_DAY: Final = 86_400_000  # milliseconds
# Spreadsheets do not agree on earlier days: Excel has no days before 1900 and counts a
# 29 February 1900, LibreOffice does not. Canonical texts compare as the days do.
_FIRST_DAY: Final = "1900-03-01"
_DIGITS: Final = 15  # A spreadsheet's numbers are binary floats: 15 digits always survive.

_FORMATS: Final = {
    CellKind.integer: "0",
    CellKind.decimal: "#,##0.00########",
    CellKind.date: "yyyy-mm-dd",
    CellKind.instant: "yyyy-mm-dd hh:mm:ss",
}
_WIDTHS: Final = {
    CellKind.text: 24,
    CellKind.integer: 10,
    CellKind.decimal: 16,
    CellKind.boolean: 10,
    CellKind.date: 12,
    CellKind.instant: 20,
}

# ECMA-376 part 1, 22.9.2.19 (ST_Xstring): what XML cannot carry is written _xHHHH_, and so is the
# low line of whatever looks like that. Looking ahead finds `_x005F_x0041_` twice, as it must.
_ESCAPED: Final = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)|[\x00-\x08\x0b-\x1f\ufffe\uffff]")


class _Worksheet(Worksheet):  # type: ignore[misc]  # The library does not publish its types.
    """A worksheet that keeps every text.

    The library's own escaping misses look-alikes that share a low line, and what begins with `<r>`
    and ends with `</r>` it writes as markup, unescaped.
    """

    @staticmethod
    def _escape_control_characters(data: str | int) -> str | int:
        if not isinstance(data, str):
            return data  # A boolean's 1 or 0.
        if data.startswith("<r>"):
            return "_x003C_" + _escape(data[1:])
        return _escape(data)

    def abandon(self) -> None:
        """Closes the temporary file of a worksheet that will not be finished."""
        self._opt_close()


def _escape(text: str) -> str:
    return _ESCAPED.sub(lambda match: f"_x{ord(match[0]):04X}_", text)


def _is_exact(number: str | int) -> bool:
    text = str(number)
    return len(text) <= _DIGITS or len(text.lstrip("-").replace(".", "").strip("0")) <= _DIGITS


class XlsxSheet(FileSheet):
    """An Office Open XML workbook (ECMA-376) with a bold, frozen header and a filter.

    Numbers of up to 15 digits, booleans, dates and instants are such cells; instants are in UTC,
    to the millisecond. Days before March 1900 and longer numbers are texts, so that nothing is
    lost. A text is never a formula or a link. What does not fit onto one worksheet continues on
    the next, under the same header. SheetLimit: a text of over 32,767 UTF-16 units, too many
    columns.
    """

    media_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    suffix = "xlsx"
    max_rows: ClassVar[int] = 1_048_576
    max_columns: ClassVar[int] = 16_384

    def __init__(self, columns: Sequence[Column]) -> None:
        if len(columns) > self.max_columns:
            raise SheetLimit(f"an XLSX worksheet has at most {self.max_columns:,} columns")
        super().__init__(columns)
        options = {"constant_memory": True, "tmpdir": str(self._folder), "use_zip64": True}
        self._book = xlsxwriter.Workbook(str(self._path), options)
        self._header = self._book.add_format({"bold": True})
        self._formats = {
            kind: self._book.add_format({"num_format": code}) for kind, code in _FORMATS.items()
        }
        self._sheets: list[Any] = []
        self._next = 0  # The index of the next row of the last worksheet.

    def begin(self) -> bytes:
        self._add_worksheet()
        return b""

    def _add_worksheet(self) -> None:
        number = len(self._sheets) + 1
        sheet = self._book.add_worksheet(f"Data {number}" if number > 1 else "Data", _Worksheet)
        sheet.freeze_panes(1, 0)
        for index, column in enumerate(self.columns):
            # Room for the arrow of the filter; a column's width is counted in digits.
            width = min(max(_WIDTHS[column.kind], len(column.name) + 3), 60)
            sheet.set_column(index, index, width)
            sheet.write_string(0, index, column.name, self._header)
        self._sheets.append(sheet)
        self._next = 1

    def rows(self, batch: Sequence[Row]) -> bytes:
        for row in batch:
            if self._next == self.max_rows:
                self._end_worksheet()
                self._add_worksheet()
            for index, value in enumerate(row):
                if value is not None:
                    self._write(index, value)
            self._next += 1
        return b""

    def _write(self, index: int, value: str | int) -> None:
        """Writes a cell of the present row as what its column says it is."""
        sheet, row, kind = self._sheets[-1], self._next, self.columns[index].kind
        if kind is CellKind.boolean:
            sheet.write_boolean(row, index, value == "true")
        elif (number := _number(kind, value)) is not None:
            sheet.write_number(row, index, number, self._formats[kind])
        elif sheet.write_string(row, index, str(value)) == -2:
            name = self.columns[index].name
            detail = f"row {row + 1} of {name!r}: an XLSX cell holds at most 32,767 characters"
            raise SheetLimit(detail, row + 1, name)

    def _end_worksheet(self) -> None:
        if self.columns:
            self._sheets[-1].autofilter(0, 0, self._next - 1, len(self.columns) - 1)

    def _finish(self) -> None:
        self._end_worksheet()
        self._book.close()

    def close(self) -> None:
        for sheet in self._sheets:
            sheet.abandon()
        super().close()


def _number(kind: CellKind, value: str | int) -> float | None:
    """The number that a spreadsheet keeps for the value, or None where it must be a text."""
    if kind is CellKind.text:
        return None
    if kind is CellKind.date:
        day = str(value)
        return date.fromisoformat(day).toordinal() - _EPOCH_DAY if day >= _FIRST_DAY else None
    if kind is CellKind.instant:
        moment = str(value)
        if moment < _FIRST_DAY:
            return None
        # Rounding down: the last moment of a day stays within it.
        return ((datetime.fromisoformat(moment) - _EPOCH) // _MILLISECOND) / _DAY
    return float(value) if _is_exact(value) else None
