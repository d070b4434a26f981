"""The parts of an Office Open XML workbook (ECMA-376 part 1), each with its parser."""

import re
from dataclasses import dataclass, field
from posixpath import join, normpath
from typing import Final, NamedTuple
from xml.parsers import expat

from app.core.sheets.sheet import Scalar, SheetError, column_letters
from app.core.sheets.xlsx_cells import (
    CellFault,
    NumberForm,
    as_shown,
    dated,
    form_of,
    number_of,
    styled,
    unescape,
)

BROKEN: Final = "The XLSX file is broken: open it in a spreadsheet program and save it again."
MAX_SHARED: Final = 256 << 20
"""The most bytes that the texts shared by cells may take, at two a character: they stay in
memory."""
_MAX_TAG: Final = 4 << 20
_MAX_DEPTH: Final = 64  # Elements within elements.
MAX_ELEMENTS: Final = 40_000_000
"""The most elements of a part: a worksheet of 50 MB has fewer."""
MAX_BLANK_CELLS: Final = 2_000_000
"""The most rows and cells of a workbook that have a place in the file and hold nothing."""
MAX_ROWS: Final = 1_048_576
_MAX_PIECES: Final = 200
MAX_CELL: Final = 1 << 20  # Characters; programs that keep to the rules write 32,767.
MAX_COLUMNS: Final = 16_384

_INDEX: Final = re.compile(r"[0-9]{1,9}", re.ASCII)

Cells = dict[int, Scalar]
"""The cells of a row that hold something, by column from 0."""


class XlsxRow(NamedTuple):
    """A row of a worksheet with its number, from 1; cells with faults are None."""

    number: int
    cells: Cells
    faults: dict[int, SheetError]


@dataclass(frozen=True, slots=True)
class Worksheet:
    """What a worksheet is called, where it lies in the file, and whether it is shown."""

    name: str
    path: str
    is_visible: bool


@dataclass(slots=True)
class Book:
    """What the cells of all worksheets refer to."""

    sheets: list[Worksheet] = field(default_factory=list)
    shared: list[str] = field(default_factory=list)
    forms: list[NumberForm] = field(default_factory=list)
    starts_1904: bool = False
    #: How many rows and cells that hold nothing have been read.
    blank: int = 0

    def count_blank(self) -> None:
        """Count one more that holds nothing."""
        self.blank += 1
        if self.blank > MAX_BLANK_CELLS:
            text = f"More than {MAX_BLANK_CELLS:,} cells are stored that hold nothing"
            raise SheetError(f"{text}: delete the empty rows and columns after the table.")


class Part:
    """Tells a subclass of each element, by its name without a prefix, and collects text."""

    broken = BROKEN

    def __init__(self) -> None:
        self.text: list[str] = []  # In pieces of at most what is fed at once.
        self._fed, self._depth, self._elements = 0, 0, 0
        self._expat = expat.ParserCreate()
        self._expat.buffer_text = True
        self._expat.StartDoctypeDeclHandler = self._refuse_doctype
        self._expat.StartElementHandler = self._started
        self._expat.EndElementHandler = self._ended
        self._expat.CharacterDataHandler = self.text.append

    def _refuse_doctype(self, *_: object) -> None:
        # Nothing that writes workbooks declares entities, which can grow without bound.
        raise SheetError(self.broken)

    def feed(self, piece: bytes, is_last: bool = False) -> None:
        self._expat.Parse(piece, is_last)
        # No part has such long texts or tags; unlimited ones would fill the memory.
        self._fed += len(piece)
        if len(self.text) > _MAX_PIECES or self._fed - self._expat.CurrentByteIndex > _MAX_TAG:
            raise SheetError(self.broken)

    def close(self) -> None:
        """Let the parser go, which refers to this one: what both hold is free at once, and not when
        circles are looked for, which of a workbook's texts can be hundreds of megabytes later."""
        del self._expat

    def _started(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        self._elements += 1
        if self._depth > _MAX_DEPTH:
            raise SheetError(self.broken)
        if self._elements > MAX_ELEMENTS:
            raise SheetError("The workbook has too many cells: split it into several.")
        self.start(name.rpartition(":")[2] if ":" in name else name, attributes)

    def _ended(self, name: str) -> None:
        self._depth -= 1
        self.end(name.rpartition(":")[2] if ":" in name else name)

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins."""

    def end(self, name: str) -> None:
        """An element ends."""


class RelationsPart(Part):
    def __init__(self, folder: str) -> None:
        super().__init__()
        self._folder = folder
        self.found: dict[str, tuple[str, str]] = {}

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "Relationship" and attributes.get("TargetMode") != "External":
            # Paths in a ZIP file have no leading slash; here one means the file's root.
            target = attributes["Target"].replace("\\", "/")
            path = normpath(join("/", self._folder, target)).lstrip("/")
            self.found[attributes["Id"]] = (attributes["Type"].rpartition("/")[2], path)


class SheetsPart(Part):
    def __init__(self, book: Book, related: dict[str, tuple[str, str]]) -> None:
        super().__init__()
        self._book, self._related = book, related

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "workbookPr":
            self._book.starts_1904 = attributes.get("date1904") in ("1", "true")
        elif name == "sheet":
            # The only attribute with a prefix, which the document is free to choose.
            identifier = next((v for k, v in attributes.items() if k.endswith(":id")), "")
            kind, path = self._related[identifier]
            if kind == "worksheet":
                is_visible = attributes.get("state", "visible") == "visible"
                sheet = Worksheet(attributes.get("name", ""), path, is_visible)
                self._book.sheets.append(sheet)


class StylesPart(Part):
    def __init__(self, book: Book) -> None:
        super().__init__()
        self._forms = book.forms
        self._codes: dict[int, str] = {}
        self._inside = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "numFmt":
            self._codes.setdefault(int(attributes["numFmtId"]), attributes["formatCode"])
        elif name == "cellXfs":
            self._inside = True
        elif name == "xf" and self._inside:
            number = int(attributes.get("numFmtId", 0))
            self._forms.append(form_of(number, self._codes.get(number)))

    def end(self, name: str) -> None:
        if name == "cellXfs":
            self._inside = False


class SharedPart(Part):
    def __init__(self, book: Book) -> None:
        super().__init__()
        self._texts = book.shared
        self._pieces: list[str] = []
        self._size = 0
        self._is_reading = True

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.text.clear()
        if name == "rPh":
            self._is_reading = False  # How East Asian text is pronounced, beside the text.

    def end(self, name: str) -> None:
        if name == "rPh":
            self._is_reading = True
        elif name == "t" and self._is_reading:
            self._pieces += self.text
            self._charge(sum(map(len, self.text)))
        elif name == "si":
            self._texts.append(unescape("".join(self._pieces)))
            self._pieces.clear()
            self._charge(32)

    def _charge(self, characters: int) -> None:
        self._size += 2 * characters
        if self._size > MAX_SHARED:
            raise SheetError(f"The texts of the XLSX file take more than {MAX_SHARED >> 20} MiB.")


class RowsPart(Part):
    """A worksheet; `done` has the number and cells of the rows whose end was reached."""

    def __init__(self, book: Book) -> None:
        super().__init__()
        self._book = book
        self._row, self._column = 0, -1
        self._cells: Cells = {}
        self._faults: dict[int, SheetError] = {}
        self._cell: dict[str, str] = {}
        self._pieces: list[str] = []
        self._room = MAX_CELL
        self._has_formula, self._is_reading = False, True
        self._columns: dict[str, int] = {}
        self.done: list[XlsxRow] = []
        self.merge_cells = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.text.clear()
        if name == "c":
            self._start_cell(attributes)
        elif name == "row":
            number = _index(attributes["r"]) if "r" in attributes else self._row + 1
            if not self._row < number <= MAX_ROWS:
                raise ValueError(number)
            self._row, self._column, self._cells, self._faults = number, -1, {}, {}
        elif name == "f":
            self._has_formula = True
        elif name == "mergeCell":
            self.merge_cells += 1
        elif name == "rPh":
            self._is_reading = False

    def _start_cell(self, attributes: dict[str, str]) -> None:
        letters = attributes.get("r", "").rstrip("0123456789")
        column = self._columns.get(letters, -1) if letters else self._column + 1
        if column < 0:
            column = self._columns[letters] = column_index(letters)
        if column >= MAX_COLUMNS:
            raise ValueError(letters)
        self._column, self._cell, self._has_formula = column, attributes, False
        self._pieces.clear()
        self._room = MAX_CELL

    def end(self, name: str) -> None:
        if name == "v" or (name == "t" and self._is_reading):
            text = "".join(self.text)
            self._pieces.append(text)
            self._room -= len(text) + 1
            if self._room < 0:
                raise ValueError(name)
        elif name == "c":
            self._end_cell()
        elif name == "row" and not self._cells:
            self._book.count_blank()
        elif name == "row":
            self.done.append(XlsxRow(self._row, self._cells, self._faults))
        elif name == "rPh":
            self._is_reading = True

    def _end_cell(self) -> None:
        try:
            value = self._value("".join(self._pieces))
        except CellFault as fault:
            place = self._row, column_letters(self._column)
            self._faults[self._column] = SheetError(str(fault), *place)
            self._cells[self._column] = None
            return
        if value is not None:
            self._cells[self._column] = value
        else:
            self._book.count_blank()

    def _value(self, text: str) -> Scalar:
        kind = self._cell.get("t", "n")
        if kind == "s" and text:
            return self._shared(text)
        if kind in ("inlineStr", "str"):
            return unescape(text) or None
        if not text:
            if self._has_formula:
                raise CellFault("It has a formula without a result: save the file in Excel first.")
            return None
        form = self._book.forms[_index(self._cell["s"])] if "s" in self._cell else None
        if kind == "n":
            number = number_of(text)
            return styled(number, form, self._book.starts_1904) if form else number
        if kind == "b":
            return text == "1"
        if kind == "d":
            return as_shown(dated(text), form)
        raise CellFault(f"It shows the error {text[:40]}.")

    def _shared(self, text: str) -> str | None:
        texts = self._book.shared
        if not (_INDEX.fullmatch(text) and int(text) < len(texts)):
            where = f"its text is number {text[:20]} of {len(texts)} that cells share"
            raise CellFault(f"The XLSX file is broken here: {where}. Write it into the cell anew.")
        return texts[int(text)] or None


def _index(text: str) -> int:
    """The index that a text is; Python would take `-1` for the last one."""
    if not _INDEX.fullmatch(text):
        raise ValueError(text)
    return int(text)


def column_index(letters: str) -> int:
    """The index, from 0, of the column with these letters."""
    if not (0 < len(letters) <= 3 and letters.isalpha() and letters.isascii()):
        raise ValueError(letters)
    index = 0
    for letter in letters.upper():
        index = index * 26 + ord(letter) - ord("A") + 1
    return index - 1
