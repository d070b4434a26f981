"""The rows of a file, read before anything is written: nobody waits for a reader of workbooks.

What was read is kept in an unnamed file, so that memory does not grow with the rows.
"""

import pickle
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import islice
from tempfile import TemporaryFile
from typing import IO, Final

from app.core.sheets.readers import read_header, read_rows
from app.core.sheets.sheet import SheetError
from app.core.sheets.tabular import ReadSheets, SheetRow
from app.engine.imports.import_file import ImportFile

#: How many rows are worked on at a time.
BATCH_ROWS: Final = 250
#: The most rows of one file: as many as a worksheet has.
MAX_ROWS: Final = 1_048_576


@dataclass(slots=True)
class RowsAhead:
    """The rows of a file in batches, and what keeps those after them from being read, if any.

    `header` holds the names of the columns of a table; NDJSON has none.
    """

    file: ImportFile
    _stored: IO[bytes]
    count: int = 0
    sheets: ReadSheets = field(default_factory=ReadSheets)
    header: tuple[str, ...] = ()
    error: SheetError | None = None

    def batches(self) -> Iterator[list[SheetRow]]:
        """The rows, any number of times."""
        self._stored.seek(0)
        left = self.count
        while left:
            batch: list[SheetRow] = pickle.load(self._stored)  # noqa: S301 (written here)
            left -= len(batch)
            yield batch


@contextmanager
def reading_ahead(
    file: ImportFile, check: Callable[[], None] = lambda: None
) -> Iterator[RowsAhead]:
    """Read the whole file; what was read is there while it lasts. `check` is called before each
    batch, and ends it by raising."""
    with TemporaryFile() as stored:
        ahead = RowsAhead(file, stored)
        try:
            _read(ahead, stored, check)
        except SheetError as error:
            # Without the calls that it ended: they hold the texts of a whole workbook.
            ahead.error = error.with_traceback(None)
        yield ahead


def _read(ahead: RowsAhead, stored: IO[bytes], check: Callable[[], None]) -> None:
    file = ahead.file
    with closing(read_rows(file.path, file.format, file.options, ahead.sheets)) as rows:
        is_over = False
        while not is_over:
            batch: list[SheetRow] = []
            check()
            try:
                batch.extend(islice(rows, BATCH_ROWS))  # Keeps those before an error.
                is_over = not batch
            finally:
                if batch:
                    pickle.dump(batch, stored, pickle.HIGHEST_PROTOCOL)
                    ahead.count += len(batch)
            if ahead.count > MAX_ROWS:
                text = f"The file has more than {MAX_ROWS:,} rows: split it into several."
                raise SheetError(text, batch[-1].number)
            if batch and not ahead.header and file.format != "ndjson":
                ahead.header = tuple(batch[0].cells)
    if not ahead.count and file.format != "ndjson":
        ahead.header = tuple(read_header(file.path, file.format, file.options))
