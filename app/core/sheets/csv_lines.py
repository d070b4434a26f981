"""A CSV file whose lines somebody else has written."""

from collections.abc import Sequence

from app.core.sheets.sheet import CsvSheet, Row


class CsvLinesSheet(CsvSheet):
    """As `CsvSheet`, but that each row is one text: its line as that would write it, unended."""

    def rows(self, batch: Sequence[Row]) -> bytes:
        return "".join([f"{line}\r\n" for (line,) in batch]).encode()
