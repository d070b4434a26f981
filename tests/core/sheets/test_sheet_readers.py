"""Reading tables: what is understood, what is refused and where, and that writing is undone."""

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.core.databases.types import instant_text
from app.core.sheets import csv_reader, readers, xlsx_parts
from app.core.sheets.readers import read_header, read_rows
from app.core.sheets.sheet import CsvSheet, Row, SheetError, column_letters, neutralise, restore
from app.core.sheets.tabular import SheetRow
from app.core.sheets.xlsx_sheet import XlsxSheet
from tests.core.sheets.tables import (
    KINDS,
    SHEET_1,
    TEXT,
    patient,
    read,
    refusal,
    replaced,
    table,
    values,
    written,
)

# CSV


def test_csv_cells_are_texts_by_header() -> None:
    assert read("a,b\r\n1,\r\n") == [(2, {"a": "1", "b": None})]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_is_found_from_the_header(delimiter: str) -> None:
    text = delimiter.join(["a", '"b,;\t"', "c"]) + "\n" + delimiter.join("123")
    assert values(text) == [["1", "2", "3"]]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_unicode_encodings_are_understood(encoding: str) -> None:
    mark = "\ufeff" if encoding[-2:] in ("le", "be") else ""
    assert read((mark + "имя\nҚазақстан\n").encode(encoding)) == [(2, {"имя": "Қазақстан"})]


def test_windows_1251_is_named_with_its_row_and_column() -> None:
    fault = refusal("id,name\n1,a\n2,Казахстан\n".encode("cp1251"))
    assert (fault.row, fault.column) == (3, "B")
    assert "windows-1251" in fault.detail
    assert "CSV UTF-8" in fault.detail


def test_another_encoding_is_refused_without_a_guess() -> None:
    fault = refusal(b"id,name\n1,\x80\x81\n")
    assert fault.row == 2
    assert "windows-1251" not in fault.detail


def test_broken_utf_16_is_refused() -> None:
    assert "UTF-16" in refusal("id\n1\n".encode("utf-16") + b"\x00").detail


@pytest.mark.parametrize("content", ["", "\n1,2\n", ",,\n1,2,3\n", "\ufeff"])
def test_a_csv_file_without_a_header_is_refused(content: str) -> None:
    assert refusal(content).row == 1


def test_a_header_that_stands_twice_is_refused() -> None:
    fault = refusal("a,b, a\n1,2,3\n")
    assert (fault.row, fault.column) == (1, "a")


def test_a_value_under_an_empty_header_is_refused() -> None:
    fault = refusal("a,,c\n1,,3\n1,2,3\n")
    assert (fault.row, fault.column) == (3, "B")


def test_a_column_without_header_and_values_is_left_out() -> None:
    assert values("a,,c,\n1,,3,\n") == [["1", "3"]]


def test_a_row_with_more_cells_than_the_header_is_refused() -> None:
    fault = refusal("a,b\n1,2,3\n")
    assert (fault.row, fault.column) == (2, "C")


def test_a_row_with_fewer_cells_than_the_header_has_nulls() -> None:
    assert read("a,b\n1\n") == [(2, {"a": "1", "b": None})]


def test_blank_rows_are_counted_and_skipped() -> None:
    assert [number for number, _ in read("a,b\n\n1,2\n,\n3,4\n")] == [3, 5]


def test_blank_rows_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_reader, "MAX_BLANK_ROWS", 20)
    monkeypatch.setattr(readers, "MAX_BLANK_ROWS", 20)
    monkeypatch.setattr(xlsx_parts, "MAX_BLANK_CELLS", 20)
    files: dict[str, Callable[[int], str | bytes]] = {
        "csv": lambda blank: "a,b\n" + "\n" * blank + ",\n" * blank + '"",\n' * blank + "1,2",
        "ndjson": lambda blank: '{"a": 1}\n' + "\n \n\r\n" * blank + '{"a": 1}',
        "xlsx": lambda blank: replaced(
            table([["a"], [1]]),
            SHEET_1,
            lambda part: part.replace(
                b"</sheetData>", b"<row><c/><c/></row>" * blank + b"</sheetData>"
            ),
        ),
    }
    told = {kind: "delete" in refusal(file(7), kind).detail for kind, file in files.items()}
    assert told == dict.fromkeys(files, True)
    assert {kind: len(read(file(3), kind)) for kind, file in files.items()} == {
        "csv": 1,
        "ndjson": 2,
        "xlsx": 1,
    }


def test_line_breaks_within_cells_do_not_count_as_rows() -> None:
    assert [number for number, _ in read('a\n"1\r\n\n2"\n3\n')] == [2, 3]


def test_a_quote_that_is_never_closed_is_found_where_it_opens() -> None:
    fault = refusal('a,b\n1,2\n3,"4\n5,6\n')
    assert (fault.row, "never closed" in fault.detail) == (3, True)


def test_a_quote_in_the_middle_of_a_quoted_cell_is_refused() -> None:
    assert refusal('a\n"1"2\n').row == 2


def test_a_cell_longer_than_the_limit_is_refused() -> None:
    assert "1 MiB" in refusal("a\n" + "x" * (1 << 20) + "y\n").detail


def test_a_line_longer_than_the_limit_is_refused() -> None:
    assert refusal("a\n" + "x,\n\n" + "y," * (5 << 20)).row == 4


def test_nul_is_refused() -> None:
    fault = refusal("a,b\n1,x\0y\n")
    assert (fault.row, fault.column) == (2, "B")


def test_a_file_that_was_cut_short_is_refused() -> None:
    sheet = CsvSheet(TEXT)
    fault = refusal(sheet.begin() + sheet.rows([(1, "a")]) + sheet.fail("no, nothing"))
    assert fault.row == 3
    assert fault.detail.endswith("FILE CUT SHORT: no, nothing")


def test_a_file_that_was_cut_short_and_saved_by_excel_is_refused() -> None:
    assert refusal("a;b\n1;2\nFILE CUT SHORT: x;\n").row == 3


@given(st.text(alphabet="'=+-@\t\rа1", max_size=6))
def test_neutralising_is_undone(text: str) -> None:
    assert restore(neutralise(text)) == text


@given(st.text(alphabet="'=+-@\t\rа1", max_size=6))
def test_what_is_neutralised_is_no_formula(text: str) -> None:
    assert neutralise(text)[:1] not in list("=+-@\t\r")


# NDJSON


def test_ndjson_lines_are_objects_with_exact_numbers() -> None:
    rows = read('\ufeff{"a": 0.10, "b": [1]}\n\n{"c": null}', "ndjson")
    assert rows == [(1, {"a": Decimal("0.1"), "b": [1]}), (3, {"c": None})]


@pytest.mark.parametrize("line", ["[1]", "1", "{", '{"a":1}{"b":2}', '{"a":1,"a":2}', "nul"])
def test_a_line_that_is_no_object_is_refused(line: str) -> None:
    assert refusal('{"a": 1}\n' + line, "ndjson").row == 2


def test_a_line_that_is_not_utf_8_is_refused() -> None:
    assert "UTF-8" in refusal('{"имя": 1}'.encode("cp1251"), "ndjson").detail


def test_a_line_longer_than_1_mib_is_refused() -> None:
    assert refusal(b"{}\n" + b" " * ((1 << 20) + 1), "ndjson").row == 2


# Headers


@pytest.mark.parametrize(
    ("content", "format"),
    [
        (b"a;b;\n1;2;\n", "csv"),
        (table([["a", "b"], [1, 2]]), "xlsx"),
        (b'{"a": 1, "b": 2}\n{"c": 3}', "ndjson"),
    ],
)
def test_the_header_is_read_alone(content: bytes, format: str, tmp_path: Path) -> None:
    path = tmp_path / "table"
    path.write_bytes(content)
    assert read_header(path, format) == ["a", "b"]


def test_an_unknown_format_is_an_error() -> None:
    with pytest.raises(ValueError, match="no reader"):
        read("", "odt")


def test_an_error_tells_its_place() -> None:
    assert str(SheetError("It is wrong.", 3, "name")) == "row 3, column name: It is wrong."


@pytest.mark.parametrize(("index", "letters"), [(0, "A"), (25, "Z"), (26, "AA"), (16_383, "XFD")])
def test_columns_have_letters(index: int, letters: str) -> None:
    assert column_letters(index) == letters


# Writing and reading

AWKWARD = ("=", "'", "''=", "-1", "_x000D_", "_x005F_x0041_", "_xFFFE_", "\ufffe", "\x0b", "\r")
MARKUP = (
    "\n",
    "\r\n",
    '"',
    ",",
    ";",
    "\t",
    "<r>",
    "</r>",
    "&lt;",
    "]]>",
    "😀",
    " ",
    "true",
    "\x85",
)
awkward = st.sampled_from(AWKWARD + MARKUP)
legal = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
texts = (
    st.text(legal, min_size=1) | st.lists(awkward, min_size=1, max_size=6).map("".join)
).filter(lambda text: not text.startswith("FILE CUT SHORT: "))
decimals = st.decimals(
    allow_nan=False, allow_infinity=False, places=4, min_value=-(10**14), max_value=10**14
)
instants = st.datetimes(timezones=st.just(UTC))
rows_of_all_kinds = st.tuples(
    texts,
    st.none() | st.integers(-(2**63), 2**63 - 1),
    st.none() | decimals.map(lambda number: f"{number:f}"),
    st.none() | st.sampled_from(["true", "false"]),
    st.none() | st.dates().map(date.isoformat),
    st.none() | instants.map(lambda moment: instant_text(moment)),
)


@given(st.lists(texts | st.none(), max_size=8))
@example(["FILE", "<r>a</r>", "_x005F_x0041_", "_xFFFE_\uffff", "'-5", "-5"])
def test_csv_gives_back_every_text(cells: list[str | None]) -> None:
    rows = list(enumerate(cells, 1))
    content = written(CsvSheet(TEXT), *rows)
    assert values(content) == [[str(number), text] for number, text in rows]


@patient
@given(st.lists(texts | st.none(), max_size=8))
@example(["FILE", "<r>a</r>", "_x005F_x0041_", "_xFFFE_\uffff", "'-5", "-5", "_xD83D_"])
def test_xlsx_gives_back_every_text(cells: list[str | None]) -> None:
    rows = list(enumerate(cells, 1))
    content = written(XlsxSheet(TEXT), *rows)
    assert values(content, "xlsx") == [[number, text] for number, text in rows]


@given(st.lists(rows_of_all_kinds, max_size=5))
def test_csv_gives_back_every_value(rows: list[Row]) -> None:
    told = [[None if cell is None else str(cell) for cell in row] for row in rows]
    assert values(written(CsvSheet(KINDS), *rows)) == told


@patient
@given(st.lists(rows_of_all_kinds, max_size=5))
def test_xlsx_gives_back_every_value(rows: list[Row]) -> None:
    found = values(written(XlsxSheet(KINDS), *rows), "xlsx")
    assert [_canonical(row) for row in found] == [_canonical(row) for row in rows]


def _canonical(row: Sequence[Any]) -> list[Any]:
    """Numbers as such, and instants to the millisecond, which is what a workbook holds."""
    text, integer, amount, is_open, day, instant = row
    number = None if integer is None else int(integer)
    exact = None if amount is None else Decimal(amount)
    truth = None if is_open is None else is_open in (True, "true")
    return [text, number, exact, truth, day, instant and instant[:23]]


def test_csv_read_by_others_is_the_same_table() -> None:
    content = written(CsvSheet(TEXT), (1, 'a "b", c\r\nd')).decode()
    assert list(csv.reader(io.StringIO(content, newline="")))[1] == ["1", 'a "b", c\r\nd']


def test_a_full_worksheet_continues_when_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(XlsxSheet, "max_rows", 3)
    content = written(XlsxSheet(TEXT), *[(n, "x") for n in range(1, 8)])
    assert [row[0] for row in values(content, "xlsx")] == list(range(1, 8))


def test_rows_are_read_one_by_one(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a\n1\n" + '"never closed')
    rows: Iterator[SheetRow] = read_rows(path, "csv")
    assert next(rows).cells == {"a": "1"}
