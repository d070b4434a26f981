"""Tables written as Office Open XML workbooks (ECMA-376)."""

from collections.abc import Sequence
from typing import ClassVar, Final

import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from app.core.sheets.sheet import CellKind, Column, FileSheet, Row, SheetLimit
from app.core.sheets.xlsx_markup import RowMarkup

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


class _Worksheet(Worksheet):  # type: ignore[misc]  # The library does not publish its types.
    """A worksheet whose rows below the header come as markup, in the place of the library's own."""

    def write_markup(self, rows: str, last: int) -> None:
        """Adds finished rows, of which the last has this index."""
        # Of the rows that it is given by itself it has the newest still in memory: the header.
        self._write_single_row(last)
        self.fh.write(rows)
        self.dim_rowmax = last

    def abandon(self) -> None:
        """Closes the temporary file of a worksheet that will not be finished."""
        self._opt_close()


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
        self._header._get_xf_index()  # The first that is asked for is the first in the file.
        styles = {
            kind: self._book.add_format({"num_format": code})._get_xf_index()
            for kind, code in _FORMATS.items()
        }
        self._markup = RowMarkup(self.columns, styles)
        self._sheets: list[_Worksheet] = []
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
        while batch:
            if self._next == self.max_rows:
                self._end_worksheet()
                self._add_worksheet()
            room = self.max_rows - self._next
            fitting, batch = batch[:room], batch[room:]
            markup = self._markup.rows(fitting, self._next + 1)
            self._next += len(fitting)
            self._sheets[-1].write_markup(markup, self._next - 1)
        return b""

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
