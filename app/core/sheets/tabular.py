"""Rows under a header: what tables of all formats are read as."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Final, NamedTuple

from app.core.loose_types import Values
from app.core.sheets.sheet import Scalar, SheetError, column_letters


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What is said of a file that it does not say itself.

    `sheet` is the name of the worksheet to read; `delimiter` what separates the cells of CSV;
    `encoding` a Python codec; `header_row` is the number of the row with the names of the columns.
    Without it `knows` tells whether a text is such a name, so that titles above them are found.
    """

    sheet: str | None = None
    delimiter: str | None = None
    encoding: str | None = None
    header_row: int | None = None
    knows: Callable[[str], bool] | None = None


AS_IT_IS: Final = ReadOptions()

MAX_BLANK_ROWS: Final = 1_048_576
"""The most blank rows of a file: as many as a worksheet has rows."""
TOO_BLANK: Final = f"More than {MAX_BLANK_ROWS:,} rows are blank: delete them."


@dataclass(slots=True)
class ReadSheets:
    """The worksheets of a workbook: the names of those that are read, in order, and why others,
    which are not empty, are not, as well as of rows above a header, which stands in `header_row`.
    Complete when all rows have been read."""

    names: list[str] = field(default_factory=list)
    left_out: list[SheetError] = field(default_factory=list)
    header_row: int = 1

    def add(self, table: "HeadedTable") -> None:
        """Tell of a table that is read."""
        if not self.names:
            self.header_row = table.header_row
        if table.sheet is not None:
            self.names.append(table.sheet)
        self.left_out.extend(table.told())


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


#: As many as a sheet of Excel can have.
MAX_COLUMNS: Final = 16_384
#: Of a row; more of them help nobody.
MAX_ROW_FAULTS: Final = 100
#: Within how many rows a header is looked for.
_MOST_TITLES: Final = 20
_MOST_NAMES: Final = 1000  # What is beyond these does not tell whether a row is a header.


class HeadedTable:
    """Records under their header, which is the first of them unless the options say otherwise or
    titles stand above it; SheetError where there is none."""

    def __init__(
        self,
        records: Iterable[RawRow],
        sheet: str | None = None,
        options: ReadOptions = AS_IT_IS,
    ) -> None:
        self.sheet = sheet
        header, self._records, self.titles = _header(iter(records), options)
        self.header_row, cells, faults = header
        for fault in faults.values():
            raise fault
        if not any(cell is not None for cell in cells):
            row = options.header_row or 1
            which = "The first row" if row == 1 else f"Row {row}"
            raise SheetError(f"{which} must have the names of the columns.", row)
        self.headers = [str(cell).strip() if cell is not None else "" for cell in cells]
        self.names = [name for name in self.headers if name]
        if len(self.headers) > MAX_COLUMNS:
            text = f"The header has {len(self.headers):,} columns, and a sheet {MAX_COLUMNS:,}."
            raise SheetError(text, self.header_row)
        if len(set(self.names)) < len(self.names):
            name = next(name for name, count in Counter(self.names).items() if count > 1)
            raise SheetError(f"Two columns are called {name!r}.", self.header_row, name)

    def told(self) -> Iterator[SheetError]:
        """What stands above the header and is not read."""
        if self.titles:
            shown = ", ".join(repr(title[:60]) for title in self.titles[:3])
            text = f"The header was found in row {self.header_row}; left out above it: {shown}."
            yield SheetError(text, 1, None, self.sheet)

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
            elif len(faults) == MAX_ROW_FAULTS:
                if index >= len(self.headers):
                    break
            elif cell is not None:
                text = "A value stands in a column without a header."
                faults[index] = SheetError(text, record.number, column_letters(index))
        in_order = tuple(faults[index] for index in sorted(faults))
        for fault in in_order:
            fault.sheet = self.sheet
        return SheetRow(record.number, row, in_order, frozenset(unread), self.sheet)


def _header(
    records: Iterator[RawRow], options: ReadOptions
) -> tuple[RawRow, Iterator[RawRow], list[str]]:
    """The row with the names of the columns, the rows below it, and the texts above it."""
    above: list[RawRow] = []
    for record in records:
        if record.number > (options.header_row or _MOST_TITLES):
            above.append(record)
            break
        if _is_header(record, options):
            return record, records, [text for each in above for text in _texts(each)]
        above.append(record)
    first = above[0] if above else RawRow(1, ())
    if options.header_row is not None or first.number != 1:
        return RawRow(1, ()), records, []
    return first, chain(above[1:], records), []


def _is_header(record: RawRow, options: ReadOptions) -> bool:
    if options.header_row is not None:
        return record.number == options.header_row
    if options.knows is None:
        return record.number == 1
    texts = _texts(record)
    known = sum(map(options.knows, texts))
    # In the first row one name is enough: that others are unknown is told.
    return known > 0 and (record.number == 1 or 2 * known >= len(texts))


def _texts(record: RawRow) -> list[str]:
    return [str(cell).strip() for cell in record.cells[:_MOST_NAMES] if cell is not None]
