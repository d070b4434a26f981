"""The file of an import, read a batch of rows at a time."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from app.core.errors import Fault
from app.core.sheets.sheet import SheetError
from app.core.sheets.tabular import AS_IT_IS, ReadOptions, SheetRow

#: How many rows are worked on at a time.
BATCH_ROWS = 250


@dataclass(frozen=True, slots=True)
class ImportFile:
    """A file to import: `format` is csv, xlsx or ndjson; `mapping` says of headers which field they
    stand for. `lenient` stores the good rows of a file that has others; `options` is what is said
    of the file."""

    path: Path
    format: str
    mapping: Mapping[str, str] = field(default_factory=dict)
    lenient: bool = False
    options: ReadOptions = AS_IT_IS


def next_rows(rows: Iterator[SheetRow]) -> tuple[list[SheetRow], SheetError | None]:
    """The next rows, and what keeps all after them from being read."""
    batch: list[SheetRow] = []
    try:
        batch.extend(islice(rows, BATCH_ROWS))  # Keeps those before the error.
    except SheetError as error:
        return batch, error
    return batch, None


def fault_of(error: SheetError) -> Fault:
    """What a reader says of a file, as an error of an import."""
    return Fault("file", error.detail, row=error.row, column=error.column, sheet=error.sheet)
