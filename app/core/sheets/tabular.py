"""Rows under a header: what tables of all formats are read as."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from app.core.loose_types import Values
from app.core.sheets.sheet import Scalar, SheetError, column_letters


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What is said of a file that it does not say itself.

    `sheet` is the name of the worksheet to read; `delimiter` what separates the cells of CSV;
    `encoding` a Python codec.
    """

    sheet: str | None = None
    delimiter: str | None = None
    encoding: str | None = None


AS_IT_IS: Final = ReadOptions()

MAX_BLANK_ROWS: Final = 1_048_576
"""The most blank rows of a file: as many as a worksheet has rows."""
TOO_BLANK: Final = f"More than {MAX_BLANK_ROWS:,} rows are blank: delete them."


@dataclass(slots=True)
class ReadSheets:
    """The worksheets of a workbook: the names of those that are read, in order, and why others,
    which are not empty, are not. Complete when all rows have been read."""

    names: list[str] = field(default_factory=list)
    left_out: list[SheetError] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class SheetRow:
    """A row with its number as a spreadsheet shows it (the header is 1; NDJSON: the line).

    The cells are by header, every header in every row; an empty one is None. CSV has texts only.
    XLSX has numbers as int or Decimal, booleans, and canonical texts of dates and instants. NDJSON
    has the parsed object. `faults` are of what cannot be read in the row, `unread` the headers
    over it, whose cells are None; a line of NDJSON that cannot be read has no cells. `sheet` is
    the worksheet of a workbook.
    """

    number: int
    cells: Values
    faults: tuple[SheetError, ...] = ()
    unread: frozenset[str] = frozenset()
    sheet: str | None = None


class RawRow(NamedTuple):
    """A row before its header is known; the faults are by the index of the cell, which is None."""

    number: int
    cells: Sequence[Scalar]
    faults: Mapping[int, SheetError] = {}


class HeadedTable:
    """Records under the header that is the first of them; SheetError where that is none."""

    def __init__(self, records: Iterable[RawRow], sheet: str | None = None) -> None:
        self._records, self.sheet = iter(records), sheet
        number, cells, faults = next(self._records, RawRow(0, ()))
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
        """The rows that are not blank."""
        headers, width, sheet = self.headers, len(self.headers), self.sheet
        is_plain = len(self.names) == width
        for record in self._records:
            number, cells, faults = record
            if not faults and not any(cell is not None for cell in cells):
                continue
            if len(cells) == width and is_plain and not faults:
                cells_by_name = dict(zip(headers, cells, strict=True))
                yield SheetRow(number, cells_by_name, sheet=sheet)
            else:
                yield self._fitted(record)

    def _fitted(self, record: RawRow) -> SheetRow:
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
                text = "A value stands in a column without a header."
                faults[index] = SheetError(text, record.number, column_letters(index))
        in_order = tuple(faults[index] for index in sorted(faults))
        for fault in in_order:
            fault.sheet = self.sheet
        return SheetRow(record.number, row, in_order, frozenset(unread), self.sheet)
