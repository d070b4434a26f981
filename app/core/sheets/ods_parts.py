"""The parts of an OpenDocument spreadsheet (ISO/IEC 26300), each with its parser."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from app.core.sheets.sheet import Scalar, SheetError, column_letters
from app.core.sheets.xlsx_cells import (
    CellFault,
    NumberForm,
    as_shown,
    date_form,
    dated,
    number_of,
)
from app.core.sheets.xlsx_merges import Merge
from app.core.sheets.xlsx_parts import (
    MAX_CELL,
    MAX_COLUMNS,
    MAX_ROWS,
    Book,
    Cells,
    Part,
    XlsxRow,
)

BROKEN: Final = "The ODS file is broken: open it in a spreadsheet program and save it again."
MAX_MERGES: Final = 100_000
MAX_REPEATED: Final = 5_000_000
"""The most cells that may be written once and repeated: a tag of a few bytes can mean millions."""
MAX_STYLES: Final = 65_536
"""How many styles are looked at: spreadsheets write no more."""
_DIGITS: Final = re.compile(r"[0-9]{1,9}", re.ASCII)
_TIME: Final = re.compile(r"PT([0-9]{1,2})H([0-9]{1,2})M([0-9]{1,2})(?:[.,][0-9]+)?S", re.ASCII)
_BLANKS: Final = re.compile("[ \t\r\n]+")
_NUMBERS: Final = ("percentage", "float", "currency")
_DATE_PARTS: Final = ("day", "month", "year")


def _count(attributes: dict[str, str], name: str) -> int:
    """An attribute that counts, 1 without it."""
    text = attributes.get(name, "1")
    if not _DIGITS.fullmatch(text) or text == "0":
        raise ValueError(text)
    return int(text)


class _OdsPart(Part):
    """A part whose attributes are known by the names that all programs write."""

    broken = BROKEN

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.take_text()
        plain: dict[str, str] = {}
        for key, value in attributes.items():
            prefix, _, local = key.rpartition(":")
            # What LibreOffice says besides: `calcext:value-type` is `error` of a formula.
            plain.setdefault(f"calcext-{local}" if prefix == "calcext" else local, value)
        self.begin(name, plain)

    def take_text(self) -> None:
        """What was read since the last tag."""
        self.text.clear()

    def begin(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins, whose attributes have no prefixes."""


class ManifestPart(_OdsPart):
    """The list of all parts, which tells of a password."""

    is_encrypted = False

    def begin(self, name: str, attributes: dict[str, str]) -> None:
        self.is_encrypted = self.is_encrypted or name == "encryption-data"


class TablesPart(_OdsPart):
    """The worksheets with their styles, and what is merged in each."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self.merges: dict[int, list[Merge]] = {}
        self._hidden: set[str] = set()
        self._style = ""
        #: The style of data that a style has; and what of a date a style of data shows.
        self._data_styles: dict[str, str] = {}
        self._date_parts: dict[str, set[str]] = {}
        self._shown: set[str] = set()
        self._row = self._next_row = self._column = self._inner = 0

    def is_visible(self, style: str) -> bool:
        """Whether a worksheet with this style is shown."""
        return style not in self._hidden

    def forms(self) -> dict[str, NumberForm]:
        """What dates mean in cells of these styles."""
        return {
            style: date_form(has_day="day" in parts, has_month="month" in parts)
            for style, data_style in self._data_styles.items()
            if (parts := self._date_parts.get(data_style))
        }

    def begin(self, name: str, attributes: dict[str, str]) -> None:
        if name == "style":
            self._style = attributes.get("name", "")
            if "data-style-name" in attributes and len(self._data_styles) < MAX_STYLES:
                self._data_styles[self._style] = attributes["data-style-name"]
        elif name == "date-style":
            self._shown = set()
            if len(self._date_parts) < MAX_STYLES:
                self._date_parts[attributes.get("name", "")] = self._shown
        elif name in _DATE_PARTS:
            self._shown.add(name)
        elif name == "table-properties" and attributes.get("display") == "false":
            self._hidden.add(self._style)
        elif name == "table":
            self._inner += 1
            if self._inner == 1:
                found = attributes.get("name", ""), attributes.get("style-name", "")
                self.found.append(found)
                self._row = 0
        elif name == "table-row":
            self._row += 1
            self._next_row = self._row + _count(attributes, "number-rows-repeated") - 1
            self._column = 0
        elif name in ("table-cell", "covered-table-cell"):
            rows = _count(attributes, "number-rows-spanned")
            columns = _count(attributes, "number-columns-spanned")
            if rows > 1 or columns > 1:
                self._merge(rows, columns)
            self._column += _count(attributes, "number-columns-repeated")

    def _merge(self, rows: int, columns: int) -> None:
        first, last = self._column, self._column + columns - 1
        bottom = self._row + rows - 1
        name = f"{column_letters(first)}{self._row}:{column_letters(last)}{bottom}"
        merges = self.merges.setdefault(len(self.found) - 1, [])
        if len(merges) <= MAX_MERGES:
            merges.append(Merge(name, self._row, bottom, first, last))

    def end(self, name: str) -> None:
        if name == "table":
            self._inner -= 1
        elif name == "table-row":
            self._row = self._next_row


class TableRowsPart(_OdsPart):
    """One worksheet of the content; `taken` gives the rows whose end was reached."""

    def __init__(self, wanted: int, forms: Mapping[str, NumberForm]) -> None:
        super().__init__()
        self._wanted, self._at, self._inner = wanted, -1, 0
        self._forms = forms
        #: The style of a cell that names none, by its column or else its row.
        self._column_styles: list[str] = []
        self._row_style = ""
        self.is_over = False
        self._done: list[tuple[XlsxRow, int]] = []
        self._row = self._rows = self._column = self._repeated = 0
        self._cells: Cells = {}
        self._faults: dict[int, SheetError] = {}
        self._cell: dict[str, str] | None = None
        self._lines: list[str] = []
        self._pieces: list[str] = []
        self._blank = Book()
        self._notes, self._paragraphs, self._room = 0, 0, MAX_CELL

    def taken(self) -> Iterator[XlsxRow]:
        """The rows that were read since the last time, each as often as it is repeated."""
        done, self._done = self._done, []
        for row, times in done:
            for more in range(times):
                faults = {
                    column: SheetError(fault.detail, row.number + more, fault.column)
                    for column, fault in row.faults.items()
                }
                yield XlsxRow(row.number + more, dict(row.cells), faults)

    @property
    def _is_read(self) -> bool:
        return self._at == self._wanted and self._inner == 1

    def begin(self, name: str, attributes: dict[str, str]) -> None:
        self._paragraphs += name == "p"
        if name == "table":
            self._inner += 1
            self._at += self._inner == 1
        elif not self._is_read:
            return
        elif name == "table-column":
            room = MAX_COLUMNS - len(self._column_styles)
            times = min(_count(attributes, "number-columns-repeated"), room)
            self._column_styles += [attributes.get("default-cell-style-name", "")] * times
        elif name == "table-row":
            self._row += self._rows or 1
            self._rows = _count(attributes, "number-rows-repeated")
            self._row_style = attributes.get("default-cell-style-name", "")
            self._column, self._cells, self._faults = 0, {}, {}
        elif name in ("table-cell", "covered-table-cell"):
            self._cell, self._room = attributes, MAX_CELL
            self._lines, self._pieces = [], []
        elif name == "annotation":
            self._notes += 1  # A remark beside the cell, which is none of its contents.
        elif name == "s":
            self._add(" " * min(_count(attributes, "c"), MAX_CELL))
        elif name in ("tab", "line-break"):
            self._add("\t" if name == "tab" else "\n")

    def take_text(self) -> None:
        if self.text and self._paragraphs:
            self._add(_BLANKS.sub(" ", "".join(self.text)))
        self.text.clear()

    def _add(self, text: str) -> None:
        if self._cell is not None and not self._notes:
            self._pieces.append(text)
            self._room -= len(text) + 1
            if self._room < 0:
                raise ValueError("cell")

    def end(self, name: str) -> None:
        self.take_text()
        if name == "p":
            self._paragraphs -= 1
        if name == "annotation":
            self._notes -= self._notes > 0
        elif name == "p" and not self._notes:
            self._lines.append("".join(self._pieces))
            self._pieces = []
        elif name == "table":
            self.is_over = self.is_over or self._is_read
            self._inner -= 1
        elif not self._is_read:
            return
        elif name in ("table-cell", "covered-table-cell") and self._cell is not None:
            self._end_cell(self._cell)
            self._cell = None
        elif name == "table-row" and self._cells:
            self._end_row()
        elif name == "table-row":  # Its empty cells are written as one.
            self._blank.count_blank()

    def _end_row(self) -> None:
        if self._row + self._rows - 1 > MAX_ROWS:
            raise ValueError(self._row)
        self._charge((self._rows - 1) * len(self._cells))
        self._done.append((XlsxRow(self._row, self._cells, self._faults), self._rows))

    def _end_cell(self, cell: dict[str, str]) -> None:
        times = _count(cell, "number-columns-repeated")
        try:
            value = self._value(cell)
        except CellFault as fault:
            value = None
            letters = column_letters(self._column)
            self._faults[self._column] = SheetError(str(fault), self._row, letters)
            self._cells[self._column] = None
        if value is not None:
            if self._column + times > MAX_COLUMNS:
                raise ValueError(times)
            self._charge(times - 1)
            self._cells |= dict.fromkeys(range(self._column, self._column + times), value)
        self._column += times

    def _charge(self, cells: int) -> None:
        self._repeated += cells
        if self._repeated > MAX_REPEATED:
            raise SheetError(f"More than {MAX_REPEATED:,} cells of the ODS file are repeated.")

    def _value(self, cell: dict[str, str]) -> Scalar:
        text = "\n".join(self._lines)
        kind = cell.get("value-type", "string")
        if "\0" in text:
            raise CellFault("It holds the character NUL, which no text here can have.")
        if cell.get("calcext-value-type") == "error":
            raise CellFault(f"It shows the error {text[:40]}.")
        if kind in _NUMBERS:
            return number_of(cell.get("value", ""))
        if kind == "boolean":
            return cell.get("boolean-value") == "true"
        if kind == "date":
            return as_shown(dated(cell.get("date-value", "")), self._form(cell))
        if kind == "time":
            return _time(cell.get("time-value", ""), text)
        return (cell.get("string-value") or text) or None

    def _form(self, cell: dict[str, str]) -> NumberForm:
        at = self._column
        of_column = self._column_styles[at] if at < len(self._column_styles) else ""
        style = cell.get("style-name") or self._row_style or of_column
        return self._forms.get(style, NumberForm.day)


def _time(text: str, shown: str) -> str:
    found = _TIME.fullmatch(text)
    return shown if found is None else ":".join(part.zfill(2) for part in found.groups())
