"""Writing tables: what each format holds, keeps and refuses."""

import csv
import io
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from shutil import which
from types import FrameType
from typing import Any

import pyarrow.parquet
import pytest

from app.core.sheets.parquet_sheet import ParquetSheet
from app.core.sheets.sheet import (
    CellKind,
    Column,
    CsvSheet,
    MissingExtra,
    Row,
    Sheet,
    SheetLimit,
    restore,
)
from app.core.sheets.xlsx_sheet import XlsxSheet

COLUMNS = (
    Column("ref", CellKind.text),
    Column("count", CellKind.integer),
    Column("amount", CellKind.decimal),
    Column("is_open", CellKind.boolean),
    Column("day", CellKind.date),
    Column("at", CellKind.instant),
)
FULL: Row = ("a", 7, "-12.5", "true", "2016-04-12", "2016-04-12T09:30:00.000000Z")
EMPTY: Row = (None,) * 6
TEXT = (Column("name", CellKind.text),)


def written(sheet: Sheet, *batches: Sequence[Row]) -> bytes:
    with closing(sheet):
        return b"".join([sheet.begin(), *map(sheet.rows, batches), *sheet.end()])


def part(workbook: bytes, name: str) -> str:
    with zipfile.ZipFile(io.BytesIO(workbook)) as file:
        return file.read(name).decode()


def cells(*rows: Row, columns: Sequence[Column] = COLUMNS) -> str:
    return part(written(XlsxSheet(columns), rows), "xl/worksheets/sheet1.xml")


def parquet(*rows: Row) -> Any:
    return pyarrow.parquet.read_table(io.BytesIO(written(ParquetSheet(COLUMNS), rows)))


def test_csv_has_a_header_and_crlf() -> None:
    expected = (
        "ref,count,amount,is_open,day,at\r\n"
        "a,7,-12.5,true,2016-04-12,2016-04-12T09:30:00.000000Z\r\n"
    )
    assert written(CsvSheet(COLUMNS), [FULL]).decode() == expected


def test_csv_quotes_commas_quotes_and_line_breaks() -> None:
    rows: list[Row] = [('a,"b"',), ("a\r\nb",), ("a\rb",), ("a\nb",)]
    lines = 'name\r\n"a,""b"""\r\n"a\r\nb"\r\n"a\rb"\r\n"a\nb"\r\n'
    assert written(CsvSheet(TEXT), rows).decode() == lines


def test_csv_begins_with_a_byte_order_mark_when_asked() -> None:
    assert written(CsvSheet(TEXT, bom=True)) == b"\xef\xbb\xbfname\r\n"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "'=", "''-"])
def test_csv_marks_texts_that_would_run_as_formulas(start: str) -> None:
    text = written(CsvSheet(TEXT), [("plain",), (start + "1",)]).decode()
    assert list(csv.reader(io.StringIO(text, newline="")))[2] == ["'" + start + "1"]


@pytest.mark.parametrize("text", ["'a", "a=1", "a - 1", "a, - b", " - b", 'a"=1', "a, b =1", "'"])
def test_csv_leaves_other_texts_alone(text: str) -> None:
    rows = written(CsvSheet(TEXT), [(text,)]).decode()
    assert list(csv.reader(io.StringIO(rows, newline="")))[1] == [text]


def test_csv_marks_what_would_run_where_sheets_are_split_at_other_signs() -> None:
    texts = {
        "x;=1+1": "x;'=1+1",
        'x;"=1+1;y': "x;'\"=1+1;y",
        "x\n=1+1;y": "x\n'=1+1;y",
        "x,@a|-b": "x,'@a|'-b",
        "＝1": "'＝1",
        "a;＋1": "a;'＋1",
        "－1": "'－1",
        "＠a": "'＠a",
        "x; =1+1": "x;' =1+1",
        "x,  \u00a0@a": "x,'  \u00a0@a",
        "x; -1+2": "x;' -1+2",
        'x|" +1': "x|'\" +1",
        " =1": "' =1",
        "' =1": "'' =1",
        "﹦1": "'﹦1",
        "﹢1;﹣1": "'﹢1;'﹣1",
        "a; ﹫b": "a;' ﹫b",
    }
    found = {}
    for delimiter in ",;":
        sheet = CsvSheet(TEXT, delimiter=delimiter)
        table = written(sheet, [(text,) for text in texts]).decode()
        _, *rows = csv.reader(io.StringIO(table, newline=""), delimiter=delimiter)
        for text, row in zip(texts, rows, strict=True):
            found[delimiter, text] = row[0], restore(row[0])
    assert found == {(d, text): (marked, text) for d in ",;" for text, marked in texts.items()}


def test_csv_has_the_signs_of_other_languages_when_asked() -> None:
    columns = [Column("a", CellKind.decimal), Column("b", CellKind.text)]
    sheet = CsvSheet(columns, delimiter=";", decimal=",")
    rows: list[Row] = [("-1250000.5", "x.y"), ("7", "a;b"), ("1.125", None)]
    lines = 'a;b\r\n-1250000,5;x.y\r\n7;"a;b"\r\n1,1250;\r\n'
    assert written(sheet, rows).decode() == lines


def test_csv_leaves_negative_numbers_alone_beside_a_marked_text() -> None:
    row: Row = ("=1", -5, "-1.5", None, None, None)
    assert written(CsvSheet(COLUMNS), [row]).endswith(b"\r\n'=1,-5,-1.5,,,\r\n")


def test_csv_cut_short_says_so_in_one_line() -> None:
    line = CsvSheet(COLUMNS).fail("the database\nwent away, alas")
    assert line == b'"FILE CUT SHORT: the database went away, alas"\r\n'


def test_xlsx_has_numbers_booleans_and_dates_of_their_own_kind() -> None:
    sheet = cells(FULL)
    assert '<c r="B2" s="2"><v>7</v></c><c r="C2" s="3"><v>-12.5</v></c>' in sheet
    assert '<c r="D2" t="b"><v>1</v></c><c r="E2" s="4"><v>42472</v></c>' in sheet
    assert '<c r="F2" s="5"><v>42472.39583333334</v></c>' in sheet


def test_xlsx_leaves_nulls_out() -> None:
    assert "<row" in cells(EMPTY)
    assert 'r="A2"' not in cells(EMPTY)


@pytest.mark.parametrize("text", ["=1+1", "http://localhost", "12", "{=1}", "mailto:a@b"])
def test_xlsx_writes_texts_as_texts(text: str) -> None:
    assert f'<c r="A2" t="inlineStr"><is><t>{text}</t></is></c>' in cells((text,), columns=TEXT)


def test_xlsx_never_takes_a_text_for_markup() -> None:
    assert "<r><t>" not in cells(("<r><t>x</t></r>",), columns=TEXT)


@pytest.mark.parametrize(
    "number", ["1234567890123456", "0.1234567890123456", "99999999999999.9999"]
)
def test_xlsx_writes_numbers_of_more_than_15_digits_as_texts(number: str) -> None:
    assert f"<t>{number}</t>" in cells((None, None, number, None, None, None))


@pytest.mark.parametrize("number", ["123456789012345", "-99999999999.9999", "0.0000000001"])
def test_xlsx_writes_numbers_of_up_to_15_digits_as_numbers(number: str) -> None:
    assert f"<t>{number}</t>" not in cells((None, None, number, None, None, None))


def test_xlsx_writes_days_on_which_programs_disagree_as_texts() -> None:
    sheet = cells((None, None, None, None, "1900-02-28", "0001-01-01T00:00:00.000000Z"))
    assert "<t>1900-02-28</t>" in sheet
    assert "<t>0001-01-01T00:00:00.000000Z</t>" in sheet


def test_xlsx_refuses_a_text_that_is_too_long_and_says_where() -> None:
    with closing(XlsxSheet(TEXT)) as sheet, pytest.raises(SheetLimit, match="32,767") as caught:
        written(sheet, [("x" * 32_767,), ("😀" * 16_384,)])
    assert (caught.value.row, caught.value.column) == (3, "name")


def test_xlsx_refuses_too_many_columns() -> None:
    with pytest.raises(SheetLimit, match="16,384 columns"):
        XlsxSheet(TEXT * 16_385)


def test_xlsx_continues_on_a_further_worksheet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(XlsxSheet, "max_rows", 3)
    book = written(XlsxSheet(TEXT), [("a",), ("b",), ("c",)])
    assert 'name="Data 2"' in part(book, "xl/workbook.xml")
    second = part(book, "xl/worksheets/sheet2.xml")
    assert "<t>name</t>" in second
    assert "<t>c</t>" in second


def test_a_batch_of_xlsx_may_go_over_many_worksheets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(XlsxSheet, "max_rows", 3)
    book = written(XlsxSheet(TEXT), [("a",), (None,), ("c",)], [("d",), ("e",), ("f",)])
    numbers = [
        re.findall(r'<c r="(A\d)" t="inlineStr"><is><t>(\w)</t>', part(book, f"xl/worksheets/{at}"))
        for at in ("sheet1.xml", "sheet2.xml", "sheet3.xml")
    ]
    assert numbers == [[("A2", "a")], [("A2", "c"), ("A3", "d")], [("A2", "e"), ("A3", "f")]]


def test_a_cell_of_xlsx_takes_few_calls() -> None:
    count, rows = 0, [FULL] * 50

    def note(frame: FrameType, event: str, arg: object) -> None:
        nonlocal count
        count += event == "call"

    with closing(XlsxSheet(COLUMNS)) as sheet:
        sheet.begin()
        sheet.rows(rows)
        sys.setprofile(note)
        try:
            sheet.rows(rows)
        finally:
            sys.setprofile(None)
    assert count / len(rows) <= 2 * len(COLUMNS)


def test_xlsx_freezes_its_header_and_has_a_filter() -> None:
    sheet = cells(FULL, FULL)
    assert 'state="frozen"' in sheet
    assert '<autoFilter ref="A1:F3"/>' in sheet


def test_parquet_has_typed_columns() -> None:
    types = [str(kind) for kind in parquet(FULL).schema.types]
    kinds = ["string", "int64", "decimal128(38, 10)", "bool", "date32[day]"]
    assert types == [*kinds, "timestamp[us, tz=UTC]"]


def test_parquet_keeps_every_value() -> None:
    row: Row = ("é", 2**63 - 1, "99999999999999.9999", "false", "0001-01-01", FULL[5])
    values = [column[0].as_py() for column in parquet(row, EMPTY).columns]
    moment = datetime(2016, 4, 12, 9, 30, tzinfo=UTC)
    amount = Decimal("99999999999999.9999")
    assert values == ["é", 2**63 - 1, amount, False, date(1, 1, 1), moment]


def test_parquet_keeps_nulls() -> None:
    assert [column[0].as_py() for column in parquet(EMPTY).columns] == [None] * 6


def test_parquet_without_rows_can_be_read() -> None:
    assert parquet().num_rows == 0


def test_parquet_writes_groups_of_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ParquetSheet, "group_rows", 2)
    file = io.BytesIO(written(ParquetSheet(COLUMNS), [FULL], [FULL], [FULL]))
    assert pyarrow.parquet.ParquetFile(file).num_row_groups == 2


@pytest.mark.parametrize("row", [("a", 2**63), ("a", 1, "0.00000000001"), ("a", 1, "1" * 30)])
def test_parquet_refuses_a_number_that_it_cannot_hold(row: tuple[Any, ...]) -> None:
    with closing(ParquetSheet(COLUMNS)) as sheet, pytest.raises(SheetLimit) as caught:
        written(sheet, [FULL, (*row, *FULL[len(row) :])])
    assert (caught.value.row, caught.value.column) == (3, COLUMNS[len(row) - 1].name)


def test_parquet_without_its_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtra, match=r"\.venv/bin/pip install pyarrow$"):
        ParquetSheet(COLUMNS)


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def steps_of(sheet: Sheet) -> list[Callable[[], object]]:
    return [sheet.begin, lambda: sheet.rows([FULL]), lambda: list(sheet.end())]


@pytest.mark.parametrize("kind", [XlsxSheet, ParquetSheet])
@pytest.mark.parametrize("steps", range(4))
def test_closing_removes_every_file_at_any_time(
    kind: type[Sheet], steps: int, temporary: Path
) -> None:
    sheet = kind(COLUMNS)
    assert list(temporary.iterdir())
    for step in steps_of(sheet)[:steps]:
        step()
    sheet.close()
    sheet.close()
    assert not list(temporary.iterdir())


@pytest.mark.parametrize("kind", [XlsxSheet, ParquetSheet])
def test_files_that_cannot_be_finished_say_nothing(kind: type[Sheet]) -> None:
    with closing(kind(COLUMNS)) as sheet:
        assert sheet.fail("the database went away") == b""


OFFICE = which("soffice") or which("libreoffice")


@pytest.mark.skipif(OFFICE is None, reason="LibreOffice is not installed")
def test_libreoffice_sees_dates_as_dates_and_amounts_as_numbers(tmp_path: Path) -> None:
    assert OFFICE is not None
    row: Row = ("=1+1_x0041_", 7, "-12.5", "true", "2016-04-12", "2016-04-12T09:30:00.000000Z")
    (tmp_path / "t.xlsx").write_bytes(written(XlsxSheet(COLUMNS), [row]))
    home = f"-env:UserInstallation=file://{tmp_path}/home"
    command = [OFFICE, home, "--headless", "--convert-to", "fods", "--outdir", str(tmp_path)]
    subprocess.run([*command, str(tmp_path / "t.xlsx")], check=True, timeout=120)
    opened = (tmp_path / "t.fods").read_text("utf-8")
    for cell in (
        "<text:p>=1+1_x0041_</text:p>",
        'office:value-type="float" office:value="7"',
        'office:value-type="float" office:value="-12.5"',
        'office:value-type="date" office:date-value="2016-04-12"',
        'office:value-type="date" office:date-value="2016-04-12T09:30:00"',
    ):
        assert cell in opened, cell
    assert "of:=1" not in opened
