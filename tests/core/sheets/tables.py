"""Tables as files, written by us and by others, and what is read from them."""

import io
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from hypothesis import HealthCheck, settings

from app.core.sheets.readers import read_rows
from app.core.sheets.sheet import CellKind, Column, Row, Sheet, SheetError

TEXT = (Column("id", CellKind.integer), Column("name", CellKind.text))
KINDS = tuple(Column(kind.value, kind) for kind in CellKind)


# A workbook takes milliseconds to write, and on a busy machine more than is usual for an example.
patient = settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)


def read(content: bytes | str, format: str = "csv") -> list[tuple[int, dict[str, Any]]]:
    with tempfile.NamedTemporaryFile() as file:
        file.write(content.encode() if isinstance(content, str) else content)
        file.flush()
        rows = list(read_rows(Path(file.name), format))
    for fault in (fault for row in rows for fault in row.faults):
        raise fault
    return [(row.number, dict(row.cells)) for row in rows]


def values(content: bytes | str, format: str = "csv") -> list[list[Any]]:
    return [list(cells.values()) for _, cells in read(content, format)]


def refusal(content: bytes | str, format: str = "csv") -> SheetError:
    with pytest.raises(SheetError) as caught:
        read(content, format)
    return caught.value


def written(sheet: Sheet, *rows: Row) -> bytes:
    with closing(sheet):
        return b"".join([sheet.begin(), sheet.rows(rows), *sheet.end()])


def workbook(build: Callable[[Any], None], **options: Any) -> bytes:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, options) as book:
        build(book)
    return buffer.getvalue()


def table(rows: Sequence[Sequence[Any]], **options: Any) -> bytes:
    """A workbook as other programs write them: texts are shared by the cells."""

    def build(book: Any) -> None:
        sheet = book.add_worksheet()
        for index, row in enumerate(rows):
            sheet.write_row(index, 0, row)

    return workbook(build, **options)


def formatted(number: float, code: str | int, **options: Any) -> Any:
    """What is read from a cell that shows this number in this format."""

    def build(book: Any) -> None:
        sheet = book.add_worksheet()
        sheet.write(0, 0, "x")
        sheet.write_number(1, 0, number, book.add_format({"num_format": code}))

    return values(workbook(build, **options), "xlsx")[0][0]


def replaced(content: bytes, name: str, change: Callable[[bytes], bytes]) -> bytes:
    """The workbook with one part changed."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(buffer, "w") as new:
        for entry in old.namelist():
            data = old.read(entry)
            new.writestr(entry, change(data) if entry == name else data)
    return buffer.getvalue()


SHEET_1 = "xl/worksheets/sheet1.xml"
