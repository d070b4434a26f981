"""Tables read row by row: CSV, XLSX and NDJSON files become rows of named values."""

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Final

from app.core.json_codec import JsonError, loads
from app.core.loose_types import Json
from app.core.sheets.csv_reader import csv_records
from app.core.sheets.sheet import NotUtf8, SheetError
from app.core.sheets.tabular import (
    AS_IT_IS,
    MAX_BLANK_ROWS,
    TOO_BLANK,
    HeadedTable,
    ReadOptions,
    ReadSheets,
    SheetRow,
)
from app.core.sheets.workbook_rows import read_workbook, workbook_header

TEXTS: Final = ("csv", "tsv")
WORKBOOKS: Final = ("xlsx", "ods")
MAX_LINE: Final = 1 << 20
"""The most bytes of a line of NDJSON."""
_UTF8_MARK: Final = b"\xef\xbb\xbf"


def read_rows(
    path: Path,
    format: str,
    options: ReadOptions = AS_IT_IS,
    sheets: ReadSheets | None = None,
) -> Generator[SheetRow]:
    """The rows of a file that are not blank; `format` is csv, tsv, xlsx, ods or ndjson.

    CSV (RFC 4180) may be UTF-8, with a byte order mark UTF-16, or as declared, and separated by
    commas, semicolons, tabs or bars; TSV by tabs. XLSX and ODS: the first visible worksheet that is
    not blank, and those after it that have the same header, each with its own row numbers; `sheets`
    is told which.
    Raises SheetError, at once or at the row concerned, where nothing after it can be read either;
    else the row tells its faults.
    """
    sheets = sheets or ReadSheets()
    if format == "ndjson":
        yield from _read_ndjson(path)
    elif format in TEXTS:
        with csv_records(path, options) as records:
            table = HeadedTable(records, None, options)
            sheets.add(table)
            yield from table.rows()
    elif format in WORKBOOKS:
        yield from read_workbook(path, format, options, sheets)
    else:
        raise ValueError(f"no reader for {format!r}")


def read_header(path: Path, format: str, options: ReadOptions = AS_IT_IS) -> list[str]:
    """The headers of a table or workbook in their order; NDJSON: the names in its first object.

    Raises SheetError like `read_rows`.
    """
    if format == "ndjson":
        first = next(_read_ndjson(path), None)
        return list(first.cells) if first is not None else []
    if format in TEXTS:
        with csv_records(path, options) as records:
            return HeadedTable(records, None, options).names
    return workbook_header(path, format, options)


def _read_ndjson(path: Path) -> Iterator[SheetRow]:
    with path.open("rb") as file:
        number = blank = 0
        while line := file.readline(MAX_LINE + 1):
            number += 1
            if len(line) > MAX_LINE:
                yield SheetRow(number, {}, (SheetError("The line is longer than 1 MiB.", number),))
                while line and not line.endswith(b"\n"):
                    line = file.readline(MAX_LINE)
                continue
            if number == 1:
                line = line.removeprefix(_UTF8_MARK)
            if not line.isspace():
                yield _line(line, number)
                continue
            blank += 1
            if blank > MAX_BLANK_ROWS:
                raise SheetError(TOO_BLANK, number)


def _line(line: bytes, number: int) -> SheetRow:
    try:
        return SheetRow(number, _object(line, number))
    except SheetError as fault:
        return SheetRow(number, {}, (fault,))


def _object(line: bytes, number: int) -> Json:
    try:
        value = loads(line.decode().strip())
    except UnicodeDecodeError:
        raise NotUtf8("The line is not UTF-8.", number) from None
    except JsonError as error:
        reason = str(error).replace("at line 1, column", "at column")
        raise SheetError(f"The line is not JSON: {reason}.", number) from None
    if not isinstance(value, dict):
        raise SheetError("The line is not a JSON object.", number)
    return value
