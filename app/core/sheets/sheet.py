"""Tables written as streams of bytes, row batch by row batch: what all formats share, and CSV."""

import csv
import io
import re
import shutil
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import ClassVar, Final

Row = Sequence[str | int | None]
"""A row as the database gives it: integers as such, all else as canonical text (`CellKind`)."""

Scalar = str | int | Decimal | bool | None
"""What a cell holds when it is read."""

CUT_SHORT: Final = "FILE CUT SHORT: "
"""Begins the last line of a CSV file whose writing failed; the rest of the line says why."""

_PIECE: Final = 1 << 18


class CellKind(StrEnum):
    """What a column holds, and how the database gives it."""

    text = "text"  # ids and codes too; never empty: what is absent is None
    integer = "integer"  # int
    decimal = "decimal"  # "-12.5", every digit
    boolean = "boolean"  # "true", "false"
    date = "date"  # "2016-04-12"
    instant = "instant"  # "2016-04-12T09:30:00.000000Z"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: its header and what stands under it."""

    name: str
    kind: CellKind


class SheetLimit(ValueError):
    """A value or table that the format cannot hold; `row` counts as spreadsheets do (header: 1)."""

    def __init__(self, detail: str, row: int | None = None, column: str | None = None) -> None:
        super().__init__(detail)
        self.detail, self.row, self.column = detail, row, column


class SheetError(ValueError):
    """A table that cannot be read: what is wrong, and where.

    `row` counts as spreadsheets do (the header is 1; NDJSON: the line), `column` is a header or
    the letters of a column without one, `sheet` the name of the worksheet.
    """

    def __init__(
        self,
        detail: str,
        row: int | None = None,
        column: str | None = None,
        sheet: str | None = None,
    ) -> None:
        place = [f"row {row}"] if row is not None else []
        place += [f"column {column}"] if column is not None else []
        super().__init__(f"{', '.join(place)}: {detail}" if place else detail)
        self.detail, self.row, self.column, self.sheet = detail, row, column, sheet

    def add(self, text: str) -> None:
        """Say more at the end."""
        self.detail += text
        self.args = (f"{self}{text}",)

    def __reduce__(self) -> tuple[type["SheetError"], tuple[str | int | None, ...]]:
        return type(self), (self.detail, self.row, self.column, self.sheet)


class NotUtf8(SheetError):
    """What is not UTF-8, as most of the file then is: to be told once."""


def column_letters(index: int) -> str:
    """What spreadsheets call the column with this index: 0 is A, 26 is AA."""
    letters = ""
    while index >= 0:
        letters = chr(ord("A") + index % 26) + letters
        index = index // 26 - 1
    return letters


class MissingExtra(RuntimeError):
    """A format needs a package that is not installed; `str` of it says how to install it."""


class Sheet(ABC):
    """A table being written: `begin`, then `rows` any number of times, then `end`; then `close`.

    Memory does not grow with the number of rows. `rows` raises SheetLimit for what the format
    cannot hold, which CSV never does.
    """

    media_type: ClassVar[str]
    suffix: ClassVar[str]

    def __init__(self, columns: Sequence[Column]) -> None:
        self.columns = tuple(columns)

    @abstractmethod
    def begin(self) -> bytes:
        """The bytes before the first row."""

    @abstractmethod
    def rows(self, batch: Sequence[Row]) -> bytes:
        """Takes more rows, each with a cell for each column; the bytes that can be sent now."""

    @abstractmethod
    def end(self) -> Iterator[bytes]:
        """The remaining bytes, in pieces."""

    def fail(self, message: str) -> bytes:
        """What is sent in place of `end` when no more rows will come.

        Empty where a format cannot say so: the answer must then be broken off.
        """
        return b""

    def close(self) -> None:  # noqa: B027 - most formats leave nothing behind.
        """Removes temporary files; at any time, and more than once."""


class FileSheet(Sheet):
    """A table that is written to a temporary file, all of which `end` reads out."""

    def __init__(self, columns: Sequence[Column]) -> None:
        super().__init__(columns)
        self._folder = Path(tempfile.mkdtemp(prefix="sheet-"))
        self._path = self._folder / f"sheet.{self.suffix}"

    @abstractmethod
    def _finish(self) -> None:
        """Completes the file at `_path`."""

    def end(self) -> Iterator[bytes]:
        self._finish()
        with self._path.open("rb") as file:
            while piece := file.read(_PIECE):
                yield piece

    def close(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)


# A spreadsheet takes a cell that begins with one of these for a formula (OWASP, CSV injection), and
# some take full-width and small forms of the signs for the others. The same holds behind what
# another spreadsheet takes for the end of a cell or line; quotes count for nothing there, and some
# pass over blanks. Those that have apostrophes before are marked too, or taking the mark away would
# take theirs.
SIGNS: Final = "=+\\-@＝＋－＠﹦﹢﹣﹫"
BLANKS: Final = " \u00a0"
_ENDS: Final = r",;|\t\r\n"
# A minus between blanks is the dash of a sentence.
_AFTER_BLANKS: Final = rf"['\"{BLANKS}]*[{BLANKS}]['\"]*(?![-－﹣][{BLANKS}])[{SIGNS}]"
_BEGINS: Final = rf"(?='*[{SIGNS}\t\r]|{_AFTER_BLANKS})"
_GOES_ON: Final = rf"(?=['\"]*[{SIGNS}]|{_AFTER_BLANKS})"
_UNMARKED: Final = re.compile(rf"\A{_BEGINS}|(?<=[{_ENDS}]){_GOES_ON}")
_MARKED: Final = re.compile(rf"\A'{_BEGINS}|(?<=[{_ENDS}])'{_GOES_ON}")
_FIRST: Final = frozenset(f"{SIGNS}{BLANKS}\t\r'")
_WITHIN: Final = re.compile(rf"[{_ENDS}]['\"{BLANKS}]*[{SIGNS}]")


def _class_of(octet: int) -> str:
    if octet in b',;|\n"':
        return "S"  # A cell may begin behind it.
    if octet in b"\t\r":
        return "B"  # The same, or it is the first sign itself.
    if octet in b" \xc2\xa0":
        return "Z"  # It may be passed over.
    return "X" if octet in b"=+-@'\xef" else "o"  # EF begins full-width and small signs.


# One pass in C over what was written finds whether any cell of a batch may be a formula.
_CLASSES: Final = bytes.maketrans(
    bytes(range(256)), "".join(_class_of(octet) for octet in range(256)).encode()
)
_BLANK_BEFORE: Final = re.compile(rb"(?:\A|[SB])Z+X")


def is_behind_blanks(classes: bytes) -> bool:
    """Whether a sign may stand behind blanks where a cell begins; the classes of octets are `S`
    and `B` where one may begin, `Z` for blanks and `X` for signs."""
    return b"ZX" in classes and _BLANK_BEFORE.search(classes) is not None


def neutralise(text: str) -> str:
    """The text as a CSV cell that no spreadsheet runs as a formula; `restore` undoes it."""
    if text[:1] in _FIRST or _WITHIN.search(text):
        return _UNMARKED.sub("'", text)
    return text


def restore(cell: str) -> str:
    """The text that `neutralise` made this cell of."""
    return _MARKED.sub("", cell)


def with_decimal_sign(number: str, sign: str) -> str:
    """The number, which has a decimal point, with this sign in its place."""
    whole, point, decimals = number.partition(".")
    if sign == "." or not point:
        return number
    # Three digits behind a comma could be thousands: an import would not take them.
    return f"{whole}{sign}{decimals}{'0' if len(decimals) == 3 else ''}"


class CsvSheet(Sheet):
    """RFC 4180 in UTF-8: commas, CRLF, quotes where needed, a header; null is an empty cell.

    Texts that a spreadsheet would run as formulas get an apostrophe (OWASP, CSV injection), which
    `csv_reader` takes away. Numbers and dates are never touched. `bom` begins the file with a byte
    order mark, without which Excel does not see that it is UTF-8. Where its language has a decimal
    comma, it wants another `delimiter` and `decimal` sign.
    """

    media_type = "text/csv; charset=utf-8; header=present"
    suffix = "csv"

    def __init__(
        self,
        columns: Sequence[Column],
        bom: bool = False,
        delimiter: str = ",",
        decimal: str = ".",
    ) -> None:
        super().__init__(columns)
        self._bom, self._delimiter, self._decimal = bom, delimiter, decimal
        self._texts = [i for i, column in enumerate(columns) if column.kind is CellKind.text]
        self._decimals = [i for i, column in enumerate(columns) if column.kind is CellKind.decimal]

    def begin(self) -> bytes:
        header = self._written([[neutralise(column.name) for column in self.columns]])
        return (b"\xef\xbb\xbf" if self._bom else b"") + header

    def rows(self, batch: Sequence[Row]) -> bytes:
        if self._decimal != ".":
            batch = [self._with_comma(row) for row in batch]
        # Looking at every cell in Python would take longer than writing them all. What is found
        # here may be a negative number or the middle of a text: the slow way looks closely.
        # Without the line ends of the file a carriage return is one of a text.
        plain = self._written(batch, "\n")
        classes = plain.translate(_CLASSES)
        if (
            b"SX" in classes
            or b"SB" in classes
            or b"BX" in classes
            or classes[:1] in b"XB"
            or is_behind_blanks(classes)
        ):
            batch = [self._neutralised(row) for row in batch]
        elif b"\r" not in plain and plain.count(b"\n") == len(batch):
            return plain.replace(b"\n", b"\r\n")
        return self._written(batch)

    def _with_comma(self, row: Row) -> Row:
        changed = list(row)
        for index in self._decimals:
            if isinstance(cell := changed[index], str):
                changed[index] = with_decimal_sign(cell, self._decimal)
        return changed

    def _neutralised(self, row: Row) -> Row:
        """The row itself where no cell of it needs a change."""
        changed: list[str | int | None] | None = None
        for index in self._texts:
            cell = row[index]
            if isinstance(cell, str) and (harmless := neutralise(cell)) is not cell:
                changed = changed or list(row)
                changed[index] = harmless
        return row if changed is None else changed

    def end(self) -> Iterator[bytes]:
        yield from ()

    def fail(self, message: str) -> bytes:
        return self._written([[CUT_SHORT + " ".join(message.split())]])

    def _written(self, rows: Sequence[Row], end: str = "\r\n") -> bytes:
        text = io.StringIO(newline="")
        csv.writer(text, delimiter=self._delimiter, lineterminator=end).writerows(rows)
        return text.getvalue().encode()
