"""The file of an import."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from app.core.date_spellings import is_date_format
from app.core.errors import Fault
from app.core.sheets.options import OptionError
from app.core.sheets.sheet import SheetError
from app.core.sheets.tabular import AS_IT_IS, ReadOptions
from app.engine.imports.columns import is_known
from app.engine.resource import Resource


@dataclass(frozen=True, slots=True)
class ImportFile:
    """A file to import: `format` is csv, xlsx or ndjson; `mapping` says of headers which field they
    stand for. `lenient` stores the good rows of a file that has others; `options` is what is said
    of the file, `date_format` (`dd.mm.yyyy`) what of its days. `skip_unknown` passes over columns
    that nobody knows, `create_missing` creates the records that are named and not there, where a
    name is enough. `is_traced` keeps what the cells of the first rows were taken for."""

    path: Path
    format: str
    mapping: Mapping[str, str] = field(default_factory=dict)
    lenient: bool = False
    options: ReadOptions = AS_IT_IS
    date_format: str | None = None
    skip_unknown: bool = False
    create_missing: bool = False
    is_traced: bool = False


def known_date_format(text: str | None) -> str | None:
    """A format of days in small letters; OptionError for what is none."""
    if text is None:
        return None
    folded = text.strip().lower()
    if not is_date_format(folded):
        detail = "date_format must be such as dd.mm.yyyy, mm/dd/yyyy or d-m-yy"
        raise OptionError("date_format", f"{detail}, not {text[:50]!r}.")
    return folded


def fault_of(error: SheetError) -> Fault:
    """What a reader says of a file, as an error of an import."""
    return Fault("file", error.detail, row=error.row, column=error.column, sheet=error.sheet)


def with_headers(
    options: ReadOptions, resource: Resource, mapping: Mapping[str, str]
) -> ReadOptions:
    """The options, which know what columns of records of the kind are called."""
    return replace(options, knows=lambda text: text in mapping or is_known(resource, text))
