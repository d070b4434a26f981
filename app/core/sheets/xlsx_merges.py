"""Merged cells of an Office Open XML worksheet (ECMA-376 part 1, 18.3.1.55)."""

import re
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from app.core.sheets.sheet import Scalar, SheetError, column_letters
from app.core.sheets.xlsx_parts import Part, XlsxRow, column_index

_MAX_MERGES: Final = 100_000
_CELL: Final = r"\$?([A-Za-z]{1,3})\$?([0-9]{1,7})"
_RANGE: Final = re.compile(f"{_CELL}(?::{_CELL})?", re.ASCII)


class Merge(NamedTuple):
    """Merged cells by name (`B2:B4`), with the first and last row and, from 0, column."""

    name: str
    first_row: int
    last_row: int
    first_column: int
    last_column: int


class MergesPart(Part):
    """A worksheet of which the merged cells alone are read: they stand after the rows."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[Merge] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.text.clear()
        if name == "mergeCell":
            if len(self.found) >= _MAX_MERGES:
                raise SheetError(f"More than {_MAX_MERGES:,} ranges of cells are merged.")
            self.found.append(_merge(attributes["ref"]))


def _merge(name: str) -> Merge:
    found = _RANGE.fullmatch(name)
    if found is None:
        raise ValueError(name)
    left, top, right, bottom = found.groups()
    columns = column_index(left), column_index(right or left)
    return Merge(name, int(top), int(bottom or top), *columns)


class _Open(NamedTuple):
    """Merged cells whose first row has been read, and what they hold."""

    merge: Merge
    value: Scalar


def unmerged(rows: Iterable[XlsxRow], merges: Iterable[Merge]) -> Iterator[XlsxRow]:
    """The rows with the text, date or truth value of merged cells in each row that they span.

    A merged number is a fault, since repeated it would be counted more than once; so are cells
    merged across columns, of which only one can be meant.
    """
    waiting = sorted(merges, key=lambda merge: merge.first_row, reverse=True)
    current: dict[int, _Open] = {}
    for row in rows:
        current = {c: each for c, each in current.items() if row.number <= each.merge.last_row}
        for column, each in current.items():
            _repeat(row, column, each)
        while waiting and waiting[-1].first_row <= row.number:
            _begin(row, waiting.pop(), current)
        yield row


def _begin(row: XlsxRow, merge: Merge, current: dict[int, _Open]) -> None:
    """Note merged cells whose first row is this one or, being blank, lies before it."""
    column = merge.first_column
    value = row.cells.get(column) if merge.first_row == row.number else None
    if value is None:
        return
    if merge.first_column != merge.last_column:
        _refuse(row, column, f"{merge.name} is merged across columns: unmerge it.")
    elif merge.last_row == merge.first_row:
        return
    elif row.number == 1:
        _refuse(row, column, f"{merge.name} is merged: the header must be one row.")
    elif not isinstance(value, str | bool):
        text = (
            f"{merge.name} is merged and holds a number: unmerge it and write to each row its own."
        )
        _refuse(row, column, text)
    else:
        current[column] = _Open(merge, value)


def _repeat(row: XlsxRow, column: int, merged: _Open) -> None:
    if row.cells.get(column) not in (None, merged.value):
        text = f"A value is hidden here under the merged cells {merged.merge.name}: unmerge them."
        _refuse(row, column, text)
    elif column not in row.faults:
        row.cells[column] = merged.value


def _refuse(row: XlsxRow, column: int, text: str) -> None:
    row.cells[column] = None
    row.faults[column] = SheetError(text, row.number, column_letters(column))
