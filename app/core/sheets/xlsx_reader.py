"""Worksheets of an Office Open XML workbook (ECMA-376 part 1), read row by row."""

import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from posixpath import dirname, join
from typing import BinaryIO, Final
from xml.parsers import expat

from app.core.sheets.sheet import SheetError
from app.core.sheets.xlsx_cells import CellFault
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
_ZIP_FAULTS: Final = (zipfile.BadZipFile, NotImplementedError, EOFError, OSError, RuntimeError)


class Xlsx:
    """An open workbook; all of it raises SheetError for a file that cannot be read.

    The parts are parsed as they are unpacked: in memory are the shared texts and one row. A part
    yields no more bytes than the file's directory says, so that the limit on them holds.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        try:
            self._zip = _open(self._file)
            self._book = self._read_book()
        except BaseException:
            self.close()
            raise
        self.sheets = [sheet for sheet in self._book.sheets if sheet.is_visible]

    def close(self) -> None:
        self._file.close()

    def rows(self, sheet: Worksheet) -> Iterator[XlsxRow]:
        """Each row that has cells."""
        parser = RowsPart(self._book)
        try:
            for _ in self._parse(sheet.path, parser):
                yield from parser.done
                parser.done.clear()
        except SheetError:
            # The rows before the fault come first: the header is among them.
            yield from parser.done
            raise

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
                for _ in self._parse(part, SharedPart(book)):
                    pass
        self._read(path, SheetsPart(book, related))
        return book

    def _related(self, path: str) -> dict[str, tuple[str, str]]:
        """By id: of what kind a part is that this part refers to, and where it lies."""
        name = join(dirname(path), "_rels", f"{path.rpartition('/')[2]}.rels")
        parser = RelationsPart(dirname(path))
        if name in self._zip.NameToInfo:
            self._read(name, parser)
        return parser.found

    def _read(self, path: str, parser: Part) -> None:
        """Reads a part all of which stays in memory."""
        entry = self._zip.NameToInfo.get(path)
        if entry is None or entry.file_size > MAX_PART:
            raise SheetError(BROKEN)
        for _ in self._parse(path, parser):
            pass

    def _parse(self, path: str, parser: Part) -> Iterator[None]:
        """Gives a part to a parser, and stops after each piece."""
        try:
            with self._zip.open(path) as file:
                while piece := file.read(_PIECE):
                    parser.feed(piece)
                    yield
                parser.feed(b"", is_last=True)
        except SheetError:
            raise
        except CellFault as fault:
            raise SheetError(str(fault)) from None
        except (LookupError, ValueError, expat.ExpatError, zlib.error, *_ZIP_FAULTS):
            raise SheetError(BROKEN) from None


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
