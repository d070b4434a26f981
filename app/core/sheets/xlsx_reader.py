"""Worksheets of an Office Open XML workbook (ECMA-376 part 1), read row by row."""

from collections.abc import Iterator
from pathlib import Path
from posixpath import dirname, join
from typing import Final

from app.core.sheets.sheet import SheetError
from app.core.sheets.xlsx_merges import Merge, MergesPart, unmerged
from app.core.sheets.xlsx_parts import (
    BROKEN,
    Book,
    Part,
    RelationsPart,
    RowsPart,
    SharedPart,
    SheetsPart,
    StylesPart,
    Worksheet,
    XlsxRow,
)
from app.core.sheets.zipped_parts import ZippedParts

MAX_PART: Final = 32 << 20
"""The most bytes of a part that is neither a worksheet nor the texts that cells share."""
_NOT_A_WORKBOOK: Final = "This is not an XLSX file: save the table as an Excel workbook (.xlsx)."


class Xlsx(ZippedParts):
    """An open workbook; all of it raises SheetError for a file that cannot be read.

    In memory are the shared texts and one row.
    """

    kind = "XLSX"
    no_such_file = _NOT_A_WORKBOOK
    broken = BROKEN

    def __init__(self, path: Path) -> None:
        self._merged: dict[str, list[Merge]] = {}
        super().__init__(path)

    def _begin(self) -> None:
        self._book = self._read_book()
        self.sheets = self._book.sheets

    def rows(self, sheet: Worksheet) -> Iterator[XlsxRow]:
        """Each row that has cells, what is merged in all the rows that it spans."""
        merges = self._merges(sheet)
        yield from unmerged(self._rows(sheet, len(merges)), merges)

    def _merges(self, sheet: Worksheet) -> list[Merge]:
        """What is merged. Most worksheets say nothing of it, which is found out without parsing."""
        if sheet.path not in self._merged:
            found: list[Merge] = []
            if self._mentions(sheet.path, b"mergeCell"):
                parser = MergesPart()
                self._read_all(sheet.path, parser)
                found = parser.found
            self._merged[sheet.path] = found
        return self._merged[sheet.path]

    def _rows(self, sheet: Worksheet, merges: int) -> Iterator[XlsxRow]:
        parser = RowsPart(self._book)
        try:
            for _ in self._parse(sheet.path, parser):
                yield from parser.done
                parser.done.clear()
        except SheetError:
            # The rows before the fault come first: the header is among them.
            yield from parser.done
            raise
        if parser.merge_cells != merges:  # In another encoding they were not found beforehand.
            raise SheetError(BROKEN)

    def _read_book(self) -> Book:
        path = next((p for kind, p in self._related("").values() if kind == "officeDocument"), None)
        if path is None:
            raise SheetError(_NOT_A_WORKBOOK)
        book, related = Book(), self._related(path)
        for kind, part in related.values():
            if kind == "styles":
                self._read(part, StylesPart(book))
            elif kind == "sharedStrings":
                self._read_all(part, SharedPart(book))
        self._read(path, SheetsPart(book, related))
        return book

    def _related(self, path: str) -> dict[str, tuple[str, str]]:
        """By id: of what kind a part is that this part refers to, and where it lies."""
        name = join(dirname(path), "_rels", f"{path.rpartition('/')[2]}.rels")
        parser = RelationsPart(dirname(path))
        if self._size(name) is not None:
            self._read(name, parser)
        return parser.found

    def _read(self, path: str, parser: Part) -> None:
        """Reads a part all of which stays in memory."""
        size = self._size(path)
        if size is None or size > MAX_PART:
            raise SheetError(BROKEN)
        self._read_all(path, parser)
