"""A table file that is a ZIP archive of XML parts, read part by part with a bound on its size."""

import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from string import ascii_uppercase
from typing import BinaryIO, Final
from xml.parsers import expat

from app.core.sheets.sheet import SheetError
from app.core.sheets.xlsx_cells import CellFault
from app.core.sheets.xlsx_parts import Part, XlsxRow

MAX_UNPACKED: Final = 2 << 30
"""The most bytes that a workbook may have once unpacked; a full worksheet of ours has fewer."""
MAX_CHARACTERS: Final = 100 << 20
"""The most characters that all cells may have together, as many as a large file of CSV. A text that
is shared, merged or repeated stands in the file once and in a million rows; others pack to a
thousandth."""
_PIECE: Final = 1 << 16
_LOWER: Final = {ord(letter): letter.lower() for letter in ascii_uppercase} | {ord("\\"): "/"}
_ZIP_FAULTS: Final = (zipfile.BadZipFile, NotImplementedError, EOFError, OSError, RuntimeError)


class ZippedParts:
    """An open archive; all of it raises SheetError for a file that cannot be read.

    Parts are parsed as they are unpacked. A part yields no more bytes than the archive's directory
    says, so that the limit on them holds. `kind` is what the format is called, `no_such_file` what
    is said of what is no such file, `broken` of one that is damaged.
    """

    kind: str
    no_such_file: str
    broken: str

    def __init__(self, path: Path) -> None:
        #: How many characters the cells have that were read.
        self._characters = 0
        self._file = path.open("rb")
        try:
            self._zip = self._open(self._file)
            self._entries = {folded(e.filename): e for e in self._zip.infolist()}
            if sum(entry.file_size for entry in self._zip.infolist()) > MAX_UNPACKED:
                text = f"The {self.kind} file unpacks to more than {MAX_UNPACKED >> 30} GiB."
                raise SheetError(text)
            self._begin()
        except BaseException:
            self.close()
            raise

    def _begin(self) -> None:
        """Read what all the rest needs."""

    def count_text(self, row: XlsxRow) -> None:
        """Count the characters of a row."""
        self._characters += sum(len(cell) for cell in row.cells.values() if isinstance(cell, str))
        if self._characters > MAX_CHARACTERS:
            text = f"The cells down to here have more than {MAX_CHARACTERS:,} characters"
            raise SheetError(f"{text}: split the file into several.", row.number)

    def close(self) -> None:
        self._file.close()

    def _open(self, file: BinaryIO) -> zipfile.ZipFile:
        # MS-CFB: what holds a workbook that has a password, and one of Excel 97 to 2003.
        if file.read(8) == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
            raise SheetError(
                "The workbook has a password or is of the old .xls format:"
                " save it as .xlsx without a password."
            )
        try:
            return zipfile.ZipFile(file)
        except (ValueError, *_ZIP_FAULTS):
            raise SheetError(self.no_such_file) from None

    def _size(self, path: str) -> int | None:
        """How many bytes a part has, None where it is not there."""
        entry = self._entries.get(folded(path))
        return None if entry is None else entry.file_size

    def _mentions(self, path: str, word: bytes) -> bool:
        before = b""
        for piece in self._pieces(path):
            if word in before + piece:
                return True
            before = piece[-len(word) :]
        return False

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
            raise SheetError(self.broken) from None
        finally:
            parser.close()

    def _pieces(self, path: str) -> Iterator[bytes]:
        """The bytes of a part."""
        try:
            with self._zip.open(self._entries[folded(path)]) as file:
                while piece := file.read(_PIECE):
                    yield piece
        except (LookupError, ValueError, zlib.error, *_ZIP_FAULTS):
            raise SheetError(self.broken) from None


def folded(path: str) -> str:
    """A part's name as names are compared: without regard to the case of ASCII letters
    (ECMA-376 part 2, 6.2.2.3)."""
    return path.translate(_LOWER)
