"""Worksheets of an OpenDocument spreadsheet (ISO/IEC 26300), read row by row."""

from collections.abc import Iterator
from typing import Final

from app.core.sheets.ods_parts import (
    BROKEN,
    MAX_MERGES,
    ManifestPart,
    TableRowsPart,
    TablesPart,
)
from app.core.sheets.sheet import SheetError
from app.core.sheets.xlsx_merges import Merge, unmerged
from app.core.sheets.xlsx_parts import Worksheet, XlsxRow
from app.core.sheets.zipped_parts import ZippedParts

_CONTENT: Final = "content.xml"
_MANIFEST: Final = "META-INF/manifest.xml"
_TYPE: Final = b"application/vnd.oasis.opendocument.spreadsheet"


class Ods(ZippedParts):
    """An open spreadsheet; all of it raises SheetError for a file that cannot be read.

    All worksheets lie in one part: it is parsed anew for each, and one row is in memory.
    """

    kind = "ODS"
    no_such_file = "This is not an ODS file: save the table as an OpenDocument spreadsheet (.ods)."
    broken = BROKEN

    def _begin(self) -> None:
        is_ods = self._size("mimetype") is not None and self._mentions("mimetype", _TYPE)
        if not is_ods or self._size(_CONTENT) is None:
            raise SheetError(self.no_such_file)
        if self._size(_MANIFEST) is not None:
            manifest = ManifestPart()
            self._read_all(_MANIFEST, manifest)
            if manifest.is_encrypted:
                raise SheetError("The workbook has a password: save it without one.")
        tables = TablesPart()
        self._read_all(_CONTENT, tables)
        #: The path of a worksheet is its place in the part.
        self.sheets = [
            Worksheet(name, str(at), tables.is_visible(style))
            for at, (name, style) in enumerate(tables.found)
        ]
        self._merges, self._forms = tables.merges, tables.forms()

    def rows(self, sheet: Worksheet) -> Iterator[XlsxRow]:
        """Each row that has cells, what is merged in all the rows that it spans."""
        merges: list[Merge] = self._merges.get(int(sheet.path), [])
        if len(merges) > MAX_MERGES:
            raise SheetError(f"More than {MAX_MERGES:,} ranges of cells are merged.")
        yield from unmerged(self._rows(int(sheet.path)), merges)

    def _rows(self, at: int) -> Iterator[XlsxRow]:
        parser = TableRowsPart(at, self._forms)
        try:
            for _ in self._parse(_CONTENT, parser):
                yield from parser.taken()
                if parser.is_over:
                    return
        except SheetError:
            # The rows before the fault come first: the header is among them.
            yield from parser.taken()
            raise
