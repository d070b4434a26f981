"""Records of CSV files (RFC 4180), in whatever encoding and with whatever separator."""

import csv
import io
import re
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE, getincrementaldecoder
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from app.core.sheets.csv_dialect import dialect_of
from app.core.sheets.sheet import CUT_SHORT, NotUtf8, Scalar, SheetError, column_letters, restore
from app.core.sheets.tabular import MAX_BLANK_ROWS, TOO_BLANK, RawRow, ReadOptions

MAX_CELL: Final = 1 << 20
"""The most characters of a cell."""
_MAX_LINE: Final = 8 * MAX_CELL  # A line has many cells.
# The limit is one for the whole process; nothing else in it reads CSV with such cells.
csv.field_size_limit(MAX_CELL)

_UNREADABLE: Final = re.compile(r"[\udc80-\udcff]")
_SAMPLE_LINES: Final = 200
_SAMPLE_SIZE: Final = 1 << 18
#: What Excel begins a file with that says how its cells are separated; no row of the table.
_DIRECTIVE: Final = re.compile(r'"?sep=([^"\r\n])"?(\r\n|\r|\n)?', re.IGNORECASE)


class _Encoding(NamedTuple):
    """A Python codec, and what it is called; `is_given` where somebody has declared it."""

    codec: str
    name: str
    is_given: bool

    @property
    def errors(self) -> str:
        # Bytes that have no meaning become lone surrogates, to be found with their row and column.
        return "strict" if self.codec.startswith("utf-16") else "surrogateescape"


@contextmanager
def csv_records(path: Path, options: ReadOptions) -> Iterator[Iterator[RawRow]]:
    """Number and cells of each record that is not blank, as spreadsheets count rows."""
    encoding = _encoding(path, options)
    with path.open(encoding=encoding.codec, errors=encoding.errors, newline="") as file:
        yield _records(file, encoding, options.delimiter)


def _encoding(path: Path, options: ReadOptions) -> _Encoding:
    """By the byte order mark, else as declared, else UTF-8."""
    with path.open("rb") as file:
        sample = file.read(_SAMPLE_SIZE)
    start = sample[:3]
    if start[:2] in (BOM_UTF16_LE, BOM_UTF16_BE):
        return _Encoding("utf-16", "UTF-16", False)
    if start == BOM_UTF8 or options.encoding in (None, "utf-8"):
        return _Encoding("utf-8-sig", "UTF-8", False)
    if _is_utf8(sample):
        text = f"The file is UTF-8, and not the {options.encoding} that it is said to be"
        raise SheetError(f"{text}: leave `encoding` out.", 1)
    codec = "utf-16-le" if options.encoding == "utf-16" else options.encoding
    return _Encoding(codec, options.encoding, True)


def _is_utf8(sample: bytes) -> bool:
    """Whether a beginning that is not all ASCII is UTF-8: what is written otherwise hardly ever is,
    and any octets make some text in most other encodings."""
    try:
        getincrementaldecoder("utf-8")().decode(sample)
    except UnicodeDecodeError:
        return False
    return not sample.isascii()


def _records(
    file: io.TextIOWrapper, encoding: _Encoding, delimiter: str | None
) -> Iterator[RawRow]:
    number = blank = 0
    try:
        sample = _sample(file)
        if sample and (directive := _DIRECTIVE.fullmatch(sample[0])):
            delimiter = delimiter or directive[1]
            del sample[0]
        lines = _Lines(file, sample)
        for number, cells in enumerate(csv.reader(lines, dialect_of(sample, delimiter)), 1):
            if not any(cells) and not lines.is_odd:
                blank += 1
                if blank > MAX_BLANK_ROWS:
                    raise SheetError(TOO_BLANK, number)
                continue
            faults = {}
            if lines.is_odd:
                faults = _odd(cells, number, encoding)
                lines.is_odd = False
            if cells and cells[0].startswith(CUT_SHORT) and not any(cells[1:]):
                raise SheetError(f"The file was cut short when it was written: {cells[0]}", number)
            values: list[Scalar] = [restore(c) if "'" in c else c or None for c in cells]
            for index in faults:
                values[index] = None
            yield RawRow(number, values, faults)
    except UnicodeDecodeError:
        what = f"{encoding.name} that it {'is said to be' if encoding.is_given else 'begins as'}"
        raise SheetError(f"The file is not the {what}.", number + 1) from None
    except csv.Error as error:
        raise SheetError(_explained(error), number + 1) from None


def _sample(file: io.TextIOWrapper) -> list[str]:
    """The first lines, by which the separator is judged."""
    lines: list[str] = []
    size = 0
    while len(lines) < _SAMPLE_LINES and size < _SAMPLE_SIZE:
        try:
            line = file.readline(_MAX_LINE)
        except UnicodeDecodeError:
            if lines:
                break  # It is met again, after the rows before it.
            raise
        if not line:
            break
        lines.append(line)
        size += len(line)
    return lines


class _Lines:
    """The lines of a file, of bounded length; `is_odd` once one has what no text may have."""

    def __init__(self, file: io.TextIOWrapper, sample: list[str]) -> None:
        self._file, self._sample = file, sample[::-1]
        self.is_odd = False

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._sample.pop() if self._sample else self._file.readline(_MAX_LINE)
        if not line:
            raise StopIteration
        if len(line) == _MAX_LINE:
            raise csv.Error("field larger than field limit")
        if "\0" in line or (not line.isascii() and _UNREADABLE.search(line)):
            self.is_odd = True
        return line


def _odd(cells: list[str], number: int, encoding: _Encoding) -> dict[int, SheetError]:
    """What is wrong with the cells that hold what no text may have."""
    faults: dict[int, SheetError] = {}
    for index, cell in enumerate(cells):
        letters = column_letters(index)
        if "\0" in cell:
            faults[index] = SheetError("A cell holds the character NUL.", number, letters)
        elif _UNREADABLE.search(cell):
            faults[index] = NotUtf8(_misread(cell, encoding), number, letters)
    return faults


def _misread(cell: str, encoding: _Encoding) -> str:
    if encoding.is_given:
        return f"The file is not the {encoding.name} that it is said to be: look what it is."
    right = "save it as “CSV UTF-8”, or say what it is by `encoding`"
    if _is_windows_1251(cell):
        return f"The file is not UTF-8 but looks like windows-1251: {right}."
    return f"The file is not UTF-8: {right}."


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
