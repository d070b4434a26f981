"""Tables read row by row: CSV, XLSX and NDJSON files become rows of named values."""

import csv
import io
import re
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from app.core.json_codec import JsonError, loads
from app.core.loose_types import Json, Values
from app.core.sheets.sheet import (
    CUT_SHORT,
    NotUtf8,
    Scalar,
    SheetError,
    column_letters,
    restore,
)
from app.core.sheets.xlsx_parts import XlsxRow
from app.core.sheets.xlsx_reader import Xlsx

MAX_LINE: Final = 1 << 20
"""The most bytes of a line of NDJSON, and the most characters of a cell of CSV."""
_MAX_CSV_LINE: Final = 8 * MAX_LINE  # A line has many cells.
# The limit is one for the whole process; nothing else in it reads CSV with such cells.
csv.field_size_limit(MAX_LINE)

_UTF8_MARK: Final = b"\xef\xbb\xbf"
_UTF16_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")
_NOT_UTF8: Final = re.compile(r"[\udc80-\udcff]")


@dataclass(frozen=True, slots=True)
class SheetRow:
    """A row with its number as a spreadsheet shows it (the header is 1; NDJSON: the line).

    The cells are by header, every header in every row; an empty one is None. CSV has texts only.
    XLSX has numbers as int or Decimal, booleans, and canonical texts of dates and instants. NDJSON
    has the parsed object. `faults` are of what cannot be read in the row, `unread` the headers
    over it, whose cells are None; a line of NDJSON that cannot be read has no cells.
    """

    number: int
    cells: Values
    faults: tuple[SheetError, ...] = ()
    unread: frozenset[str] = frozenset()


class _Cells(NamedTuple):
    """A row before its header is known; the faults are by the index of the cell, which is None."""

    number: int
    cells: Sequence[Scalar]
    faults: Mapping[int, SheetError] = {}


def read_rows(path: Path, format: str) -> Generator[SheetRow]:
    """The rows of a file that are not blank; `format` is csv, xlsx or ndjson.

    CSV (RFC 4180) may be UTF-8 or, with a byte order mark, UTF-16, and separated by commas,
    semicolons or tabs. XLSX: the first visible worksheet, and those after it that have the same
    header, each with its own row numbers. Raises SheetError, at once or at the row concerned,
    where nothing after it can be read either; else the row tells its faults.
    """
    if format == "ndjson":
        yield from _read_ndjson(path)
    elif format == "csv":
        with _csv_records(path) as records:
            yield from _Table(records).rows()
    elif format == "xlsx":
        yield from _read_xlsx(path)
    else:
        raise ValueError(f"no reader for {format!r}")


def read_header(path: Path, format: str) -> list[str]:
    """The headers of a CSV or XLSX file in their order; NDJSON: the names in its first object.

    Raises SheetError like `read_rows`.
    """
    if format == "ndjson":
        first = next(_read_ndjson(path), None)
        return list(first.cells) if first is not None else []
    if format == "csv":
        with _csv_records(path) as records:
            return _Table(records).names
    with closing(Xlsx(path)) as book:
        if not book.sheets:
            raise SheetError("The workbook has no worksheet.")
        return _Table(_dense(book.rows(book.sheets[0]))).names


class _Table:
    """Records under the header that is the first of them."""

    def __init__(self, records: Iterable[_Cells]) -> None:
        self._records = iter(records)
        number, cells, faults = next(self._records, _Cells(0, ()))
        for fault in faults.values():
            raise fault
        if number != 1 or not any(cell is not None for cell in cells):
            raise SheetError("The first row must have the names of the columns.", 1)
        self.headers = [str(cell).strip() if cell is not None else "" for cell in cells]
        self.names = [name for name in self.headers if name]
        for index, name in enumerate(self.headers):
            if name and name in self.headers[:index]:
                raise SheetError(f"Two columns are called {name!r}.", 1, name)

    def rows(self) -> Iterator[SheetRow]:
        headers, width = self.headers, len(self.headers)
        is_plain = len(self.names) == width
        for record in self._records:
            number, cells, faults = record
            if not faults and not any(cell is not None for cell in cells):
                continue
            if len(cells) == width and is_plain and not faults:
                yield SheetRow(number, dict(zip(headers, cells, strict=True)))
            else:
                yield self._fitted(record)

    def _fitted(self, record: _Cells) -> SheetRow:
        """A row that is shorter than the header, or longer, or lacks headers, or has faults."""
        row: dict[str, Scalar] = dict.fromkeys(self.names)
        faults, unread = dict(record.faults), set()
        for index, cell in enumerate(record.cells):
            name = self.headers[index] if index < len(self.headers) else ""
            if name:
                row[name] = cell
                if index in faults:
                    unread.add(name)
            elif cell is not None:
                text, letters = (
                    "A value stands in a column without a header.",
                    column_letters(index),
                )
                faults[index] = SheetError(text, record.number, letters)
        in_order = tuple(faults[index] for index in sorted(faults))
        return SheetRow(record.number, row, in_order, frozenset(unread))


def _dense(rows: Iterable[XlsxRow]) -> Iterator[_Cells]:
    for number, cells, faults in rows:
        yield _Cells(number, [cells.get(index) for index in range(max(cells) + 1)], faults)


def _read_xlsx(path: Path) -> Iterator[SheetRow]:
    with closing(Xlsx(path)) as book:
        if not book.sheets:
            raise SheetError("The workbook has no worksheet.")
        first = _Table(_dense(book.rows(book.sheets[0])))
        yield from first.rows()
        for sheet in book.sheets[1:]:
            try:
                table = _Table(_dense(book.rows(sheet)))
            except SheetError:
                return  # Something else than a continuation.
            if table.headers != first.headers:
                return
            yield from table.rows()


def _read_ndjson(path: Path) -> Iterator[SheetRow]:
    with path.open("rb") as file:
        number = 0
        while line := file.readline(MAX_LINE + 1):
            number += 1
            if len(line) > MAX_LINE:
                yield SheetRow(number, {}, (SheetError("The line is longer than 1 MiB.", number),))
                while line and not line.endswith(b"\n"):
                    line = file.readline(MAX_LINE)
                continue
            if number == 1:
                line = line.removeprefix(_UTF8_MARK)
            if not line.isspace():
                yield _line(line, number)


def _line(line: bytes, number: int) -> SheetRow:
    try:
        return SheetRow(number, _object(line, number))
    except SheetError as fault:
        return SheetRow(number, {}, (fault,))


def _object(line: bytes, number: int) -> Json:
    try:
        value = loads(line.decode().strip())
    except UnicodeDecodeError:
        raise NotUtf8("The line is not UTF-8.", number) from None
    except JsonError as error:
        reason = str(error).replace("at line 1, column", "at column")
        raise SheetError(f"The line is not JSON: {reason}.", number) from None
    if not isinstance(value, dict):
        raise SheetError("The line is not a JSON object.", number)
    return value


@contextmanager
def _csv_records(path: Path) -> Iterator[Iterator[_Cells]]:
    with path.open("rb") as start:
        is_utf16 = start.read(2) in _UTF16_MARKS
    # Bytes that are not UTF-8 become lone surrogates, to be found with their row and column.
    encoding, errors = ("utf-16", "strict") if is_utf16 else ("utf-8-sig", "surrogateescape")
    with path.open(encoding=encoding, errors=errors, newline="") as file:
        yield _records(file)


def _records(file: io.TextIOWrapper) -> Iterator[_Cells]:
    """Number and cells of each record, blank ones too, as spreadsheets count rows."""
    number = 0
    try:
        head = file.readline(_MAX_CSV_LINE)
        lines = _Lines(file, head)
        for number, cells in enumerate(csv.reader(lines, _dialect(head), strict=True), 1):
            faults = {}
            if lines.is_odd:
                faults = _odd(cells, number)
                lines.is_odd = False
            if cells and cells[0].startswith(CUT_SHORT) and not any(cells[1:]):
                raise SheetError(f"The file was cut short when it was written: {cells[0]}", number)
            values: list[Scalar] = [restore(c) if c[:1] == "'" else c or None for c in cells]
            for index in faults:
                values[index] = None
            yield _Cells(number, values, faults)
    except UnicodeDecodeError:
        raise SheetError("The file is not the UTF-16 that it begins as.", number + 1) from None
    except csv.Error as error:
        raise SheetError(_explained(error), number + 1) from None


class _Lines:
    """The lines of a file, of bounded length; `is_odd` once one has what no text may have."""

    def __init__(self, file: io.TextIOWrapper, head: str) -> None:
        self._file, self._next = file, head
        self.is_odd = False

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line, self._next = self._next, self._file.readline(_MAX_CSV_LINE)
        if not line:
            raise StopIteration
        if len(line) == _MAX_CSV_LINE:
            raise csv.Error("field larger than field limit")
        if "\0" in line or (not line.isascii() and _NOT_UTF8.search(line)):
            self.is_odd = True
        return line


def _dialect(head: str) -> type[csv.Dialect]:
    """Separated by what makes most cells of the header: where a comma is the decimal sign, Excel
    writes semicolons."""

    class Found(csv.excel):
        delimiter = max(",;\t", key=lambda sign: len(next(csv.reader([head], delimiter=sign), [])))

    return Found


def _odd(cells: list[str], number: int) -> dict[int, SheetError]:
    """What is wrong with the cells that hold what no text may have."""
    faults: dict[int, SheetError] = {}
    for index, cell in enumerate(cells):
        letters = column_letters(index)
        if "\0" in cell:
            faults[index] = SheetError("A cell holds the character NUL.", number, letters)
        elif _NOT_UTF8.search(cell):
            text = "The file is not UTF-8: save it as “CSV UTF-8”."
            if _is_windows_1251(cell):
                text = "The file is not UTF-8 but looks like windows-1251: save it as “CSV UTF-8”."
            faults[index] = NotUtf8(text, number, letters)
    return faults


def _is_windows_1251(cell: str) -> bool:
    """Whether most of what is not ASCII would be Russian or Kazakh letters in that encoding."""
    octets = [octet for octet in cell.encode("utf-8", "surrogateescape") if octet > 127]
    letters = [octet for octet in octets if octet >= 0xC0 or octet in (0xA8, 0xB8)]
    return len(letters) * 2 > len(octets)


def _explained(error: csv.Error) -> str:
    if "unexpected end" in str(error):
        return "A quote is opened here and never closed."
    if "field larger" in str(error):
        return "A cell is longer than 1 MiB: perhaps a quote is never closed."
    return "A quoted cell goes on after its closing quote: write a quote within it twice."
