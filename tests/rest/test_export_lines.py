"""Lines of a CSV file that the database writes: those that `CsvSheet` makes of the same cells."""

import csv
import io

from fastapi import FastAPI

from app.api import RESOURCES
from app.core.sheets.csv_lines import CsvLinesSheet
from app.core.sheets.sheet import CellKind, Column, CsvSheet, Row
from app.engine.query.parameters import QueryShape, View
from app.engine.resource import Resource
from app.resources.agreement import agreement
from app.resources.person import person
from app.rest.export_columns import Cell, cells_of, export_statement
from tests.conftest import client_of, serving

HOSTILE = (
    *("=1+1", "+7 383", "-", "@home", "'=twice", "''plain", "'", "''", "'''@", "2 + 2", "Ж=1"),
    *("a\r\nb", "\na", "a\rb", 'say "x", y', '"', '""', ",", "a,b", '=HYPERLINK("x")', "-1,5"),
    *("\t=1", "a\t=1", "%s %d", "a;=1", ";", "a|b", "\\", "＝1", "«Ё»", "\u00a0=1", "A", "@"),
    *(
        "x; =1+1",
        " =1",
        "' =1",
        "a; '=1",
        "﹦1",
        "a,﹫b",
        "a, - b",
        "a; -1",
        "Р-1",
        "a,\u00a0\u00a0+1",
    ),
)


async def _written(
    app: FastAPI, resource: Resource, cells: tuple[Cell, ...]
) -> tuple[list[str], list[str]]:
    """The lines as Python writes them, and as the database does."""
    columns = [Column(".".join(cell.path), cell.kind) for cell in cells]
    database, found = app.state.database, []
    for sheet in (CsvSheet(columns), CsvLinesSheet(columns)):
        statement = export_statement(
            *(resource, None, QueryShape(), cells, database.dialect),
            lines=isinstance(sheet, CsvLinesSheet),
        )
        rows = await database.read(statement, {"limit": 2**53})
        found.append(sheet.rows(rows).decode().split("\r\n"))
    return found[0], found[1]


async def test_the_database_writes_every_line_as_python_does(fresh_url: str) -> None:
    async with serving(fresh_url) as app, client_of(app) as client:
        operations = [
            {"op": "create", "body": {"full_name": f"x{text}", "full_name_en": f"{text}x"}}
            for text in HOSTILE
        ]
        done = await client.post("/people/bulk", json={"operations": operations})
        assert done.status_code == 200, done.text
        for resource in RESOURCES:
            whole = cells_of(resource, View(), None)
            alone = [(cell,) for cell in whole[:4]] if resource is person else []
            for cells in (tuple(whole), *alone):
                python, ours = await _written(app, resource, cells)
                assert ours == python, (resource.path, [cell.path for cell in cells])


async def test_a_line_has_as_many_cells_as_are_asked_for(fresh_url: str) -> None:
    async with serving(fresh_url) as app:
        cells = tuple(cells_of(agreement, View(), None)) * 4
        python, ours = await _written(app, agreement, cells)
        assert ours == python


def _line(row: Row) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerow(row)
    return text.getvalue().removesuffix("\r\n")


def test_lines_that_may_hold_formulas_are_written_as_the_sheet_writes_cells() -> None:
    """Whatever it takes for one; the rest stays as it is."""
    columns = [
        Column("a", CellKind.text),
        Column("b", CellKind.text),
        Column("n", CellKind.decimal),
    ]
    for hostile in HOSTILE:
        batches: list[list[Row]] = [
            [[hostile, "x", "1.5"]],
            [["x", hostile, "-1.5"], ["2026-11-29", None, None]],
            [[None, "a", None], [None, f"a{hostile}", None], [f"{hostile},b", "a", "1"]],
        ]
        for rows in batches:
            ours = CsvLinesSheet(columns).rows([(_line(row),) for row in rows])
            assert ours == CsvSheet(columns).rows(rows), rows
