"""Worksheets of an Office Open XML workbook (ECMA-376 part 1), read row by row."""

import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from posixpath import dirname, join
from string import ascii_uppercase
from typing import BinaryIO, Final
from xml.parsers import expat

from app.core.sheets.sheet import SheetError
from app.core.sheets.xlsx_cells import CellFault
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

MAX_UNPACKED: Final = 2 << 30
"""The most bytes that a workbook may have once unpacked; a full worksheet of ours has fewer."""
MAX_PART: Final = 32 << 20
"""The most bytes of a part that is neither a worksheet nor the texts that cells share."""
_PIECE: Final = 1 << 16
_NOT_A_WORKBOOK: Final = "This is not an XLSX file: save the table as an Excel workbook (.xlsx)."
_LOWER: Final = {ord(letter): letter.lower() for letter in ascii_uppercase} | {ord("\\"): "/"}
_ZIP_FAULTS: Final = (zipfile.BadZipFile, NotImplementedError, EOFError, OSError, RuntimeError)


class Xlsx:
    """An open workbook; all of it raises SheetError for a file that cannot be read.

    The parts are parsed as they are unpacked: in memory are the shared texts and one row. A part
    yields no more bytes than the file's directory says, so that the limit on them holds.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        self._merged: dict[str, list[Merge]] = {}
        try:
            self._zip = _open(self._file)
            self._entries = {_folded(e.filename): e for e in self._zip.infolist()}
            self._book = self._read_book()
        except BaseException:
            self.close()
            raise
        self.sheets = self._book.sheets

    def close(self) -> None:
        self._file.close()

    def rows(self, sheet: Worksheet) -> Iterator[XlsxRow]:
        """Each row that has cells, what is merged in all the rows that it spans."""
        merges = self._merges(sheet)
        yield from unmerged(self._rows(sheet, len(merges)), merges)

    def _merges(self, sheet: Worksheet) -> list[Merge]:
        """What is merged. Most worksheets say nothing of it, which is found out without parsing."""
        if sheet.path not in self._merged:
            parser = MergesPart()
            if self._mentions(sheet.path, b"mergeCell"):
                self._read_all(sheet.path, parser)
            self._merged[sheet.path] = parser.found
        return self._merged[sheet.path]

    def _mentions(self, path: str, word: bytes) -> bool:
        before = b""
        for piece in self._pieces(path):
            if word in before + piece:
                return True
            before = piece[-len(word) :]
        return False

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
        if sum(entry.file_size for entry in self._zip.infolist()) > MAX_UNPACKED:
            raise SheetError(f"The XLSX file unpacks to more than {MAX_UNPACKED >> 30} GiB.")
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
        if _folded(name) in self._entries:
            self._read(name, parser)
        return parser.found

    def _read(self, path: str, parser: Part) -> None:
        """Reads a part all of which stays in memory."""
        entry = self._entries.get(_folded(path))
        if entry is None or entry.file_size > MAX_PART:
            raise SheetError(BROKEN)
        self._read_all(path, parser)

    def _read_all(self, path: str, parser: Part) -> None:
        for _ in self._parse(path, parser):
            pass

    def _parse(self, path: str, parser: Part) -> Iterator[None]:
        """Gives a part to a parser, and stops after each piece."""
        try:
            for piece in self._pieces(path):
                parser.feed(piece)
                yield
            parser.feed(b"", is_last=True)
        except SheetError:
            raise
        except CellFault as fault:
            raise SheetError(str(fault)) from None
        except (LookupError, ValueError, expat.ExpatError):
            raise SheetError(BROKEN) from None

    def _pieces(self, path: str) -> Iterator[bytes]:
        """The bytes of a part."""
        try:
            with self._zip.open(self._entries[_folded(path)]) as file:
                while piece := file.read(_PIECE):
                    yield piece
        except (LookupError, ValueError, zlib.error, *_ZIP_FAULTS):
            raise SheetError(BROKEN) from None


def _folded(path: str) -> str:
    """A part's name as names are compared: without regard to the case of ASCII letters
    (ECMA-376 part 2, 6.2.2.3)."""
    return path.translate(_LOWER)


def _open(file: BinaryIO) -> zipfile.ZipFile:
    # MS-CFB: what holds a workbook that has a password, and one of Excel 97 to 2003.
    if file.read(8) == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        raise SheetError(
            "The workbook has a password or is of the old .xls format:"
            " save it as .xlsx without a password."
        )
    try:
        return zipfile.ZipFile(file)
    except (ValueError, *_ZIP_FAULTS):
        raise SheetError(_NOT_A_WORKBOOK) from None
