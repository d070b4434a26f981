"""A CSV file whose lines the database has written, but for what spreadsheets take for formulas."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import Final

from app.core.sheets.sheet import BLANKS, SIGNS, CsvSheet, Row, is_behind_blanks

# Whatever may be a formula, rather too much: a sign behind what may end a cell, a line or a quote,
# in whatever spreadsheet. What it is made of, `CsvSheet` says.
_SUSPECT: Final = re.compile(rf"(?:\A|[,;|\n\"'])[{BLANKS}]*['{SIGNS}]|[\t\r]")


def _class_of(octet: int) -> str:
    if octet in b',;|\n"':
        return "S"
    if octet in b"=+-@\xef":  # EF begins full-width and small signs.
        return "X"
    if octet in b" \xc2\xa0":
        return "Z"
    return {0x27: "A", 0x09: "B", 0x0D: "B"}.get(octet, "o")


# One pass in C over what was written finds whether any line of a batch is to be looked at.
_CLASSES: Final = bytes.maketrans(
    bytes(range(256)), "".join(_class_of(octet) for octet in range(256)).encode()
)


class CsvLinesSheet(CsvSheet):
    """As `CsvSheet`, but that each row is one text: its cells with commas between and quotes where
    they need them. It ends where `CsvSheet` would end it."""

    def rows(self, batch: Sequence[Row]) -> bytes:
        lines = [str(line) for (line,) in batch]
        # Ends of one letter, as the first of two could be a cell's.
        written = "\n".join([*lines, ""]).encode()
        if _may_have_formulas(written):
            return b"".join(self._looked_at(lines))
        if written.count(b"\n") == len(lines):
            return written.replace(b"\n", b"\r\n")
        return "\r\n".join([*lines, ""]).encode()

    def _looked_at(self, lines: Iterable[str]) -> Iterable[bytes]:
        for line in lines:
            if _SUSPECT.search(line):
                (cells,) = csv.reader(io.StringIO(line, newline=""))
                yield super().rows([[cell or None for cell in cells]])
            else:
                yield line.encode() + b"\r\n"


def _may_have_formulas(written: bytes) -> bool:
    classes = written.translate(_CLASSES)
    return (
        classes[:1] in (b"X", b"A")
        or b"SX" in classes
        or b"SA" in classes
        or b"AX" in classes
        or b"B" in classes
        or is_behind_blanks(classes.replace(b"A", b"X"))
    )
