"""The file of an import."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from app.core.errors import Fault
from app.core.sheets.sheet import SheetError
from app.core.sheets.tabular import AS_IT_IS, ReadOptions


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


def fault_of(error: SheetError) -> Fault:
    """What a reader says of a file, as an error of an import."""
    return Fault("file", error.detail, row=error.row, column=error.column, sheet=error.sheet)
