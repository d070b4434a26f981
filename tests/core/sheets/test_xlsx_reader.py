"""Reading workbooks: what their cells mean, and that no damage does any harm."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.sheets.sheet import SheetError
from tests.core.sheets.tables import (
    SHEET_1,
    formatted,
    patient,
    read,
    refusal,
    replaced,
    table,
    values,
    workbook,
)


def test_xlsx_cells_are_values_by_header() -> None:
    rows: Any = [
        ["a", "b", "c", "d", "e"],
        [5, 0.1, True, "x", None],
        [-5.5, 1e15, False, " y ", "z"],
    ]
    assert values(table(rows), "xlsx") == [
        [5, Decimal("0.1"), True, "x", None],
        [Decimal("-5.5"), 10**15, False, " y ", "z"],
    ]


def test_a_whole_number_is_an_integer() -> None:
    assert isinstance(values(table([["a"], [5.0]]), "xlsx")[0][0], int)


@pytest.mark.parametrize(
    ("number", "code", "value"),
    [
        (42472, "dd/mm/yy", "2016-04-12"),
        (42472.5, "dd/mm/yy", "2016-04-12T12:00:00.000000Z"),
        (42472, "yyyy-mm-dd hh:mm", "2016-04-12T00:00:00.000000Z"),
        (42472, "mmmm", "2016-04-12"),
        # What becomes of `Apr 2016` and, by a format, of 2016: a first day that nobody stated.
        (42461, 17, "2016-04"),
        (42461, "[$-419]mmmm yyyy;@", "2016-04"),
        (42461, "mm.yyyy", "2016-04"),
        (42370, 'yyyy" г."', "2016"),
        (42370, "mmm-yy", "2016-01"),
        (42461, "d mmm", "2016-04-01"),
        (42461, "yyyy", "2016-04-01"),
        (42472, 17, "2016-04-12"),
        (42461.5, 17, "2016-04-01T12:00:00.000000Z"),
        (42472, '[$-419]d mmmm yyyy" г.";@', "2016-04-12"),
        (0.75, "h:mm AM/PM", "18:00:00"),
        (42472, 14, "2016-04-12"),
        (42472, 22, "2016-04-12T00:00:00.000000Z"),
        (0.75, 20, "18:00:00"),
        (5, 4, 5),
        (1, "yyyy-mm-dd", "1900-01-01"),
        (59, "yyyy-mm-dd", "1900-02-28"),
        (61, "yyyy-mm-dd", "1900-03-01"),
        (2958465, "yyyy-mm-dd", "9999-12-31"),
        (1.5, "[h]:mm", Decimal("1.5")),
        (5, '0" days"', 5),
        (5, "0.00E+00", 5),
        (5, "[Red]0", 5),
        (5, r"0\d", 5),
        (5, "General", 5),
    ],
)
def test_a_number_means_what_its_format_shows(number: float, code: str | int, value: Any) -> None:
    assert formatted(number, code) == value


def test_days_may_be_counted_from_1904() -> None:
    def build(book: Any) -> None:
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        sheet = book.add_worksheet()
        sheet.write(0, 0, "x")
        sheet.write_datetime(1, 0, datetime(2016, 4, 12, tzinfo=UTC).replace(tzinfo=None), day)

    assert values(workbook(build, date_1904=True), "xlsx") == [["2016-04-12"]]


@pytest.mark.parametrize("number", [0, 60, -1, 2958466, 1e300])
def test_a_number_that_is_no_date_is_refused_with_its_place(number: float) -> None:
    with pytest.raises(SheetError, match="no such date") as caught:
        formatted(number, "yyyy-mm-dd")
    assert (caught.value.row, caught.value.column) == (2, "A")


def test_a_cell_that_shows_an_error_is_refused() -> None:
    def build(book: Any) -> None:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["a", "b"])
        sheet.write_formula(1, 1, "=1/0", None, "#DIV/0!")

    fault = refusal(workbook(build), "xlsx")
    assert (fault.row, fault.column, "#DIV/0!" in fault.detail) == (2, "B", True)


def test_a_formula_without_a_result_is_refused() -> None:
    content = table([["a"], ["=1+1"]])
    unknown = replaced(
        content, SHEET_1, lambda xml: xml.replace(b"<v>0</v></c></row></s", b"</c></row></s")
    )
    assert "without a result" in refusal(unknown, "xlsx").detail


def one_cell(cell: bytes) -> bytes:
    """A workbook with the header `a` and this cell under it, as XML."""
    content = table([["a"]])
    row = b"<row>" + cell + b"</row></sheetData>"
    return replaced(content, SHEET_1, lambda xml: xml.replace(b"</sheetData>", row))


@pytest.mark.parametrize(
    ("stored", "value"),
    [
        (b'<c t="d"><v>2016-04-12</v></c>', "2016-04-12"),
        (b'<c t="d"><v>2016-04-12T09:30:00</v></c>', "2016-04-12T09:30:00.000000Z"),
        (b'<c t="d"><v>2016-04-12T09:30:00+02:00</v></c>', "2016-04-12T07:30:00.000000Z"),
        (b"<c><v>12345678901234567</v></c>", 12345678901234567),
        (b'<c t="inlineStr"><is><t>a</t></is></c>', "a"),
        (b"<c><f>1+1</f><v>2</v></c>", 2),
        (b'<c t="str"><f>"x"</f><v>x</v></c>', "x"),
    ],
)
def test_a_cell_may_be_stored_so(stored: bytes, value: Any) -> None:
    assert values(one_cell(stored), "xlsx") == [[value]]


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        (b'<c t="d"><v>12.04.2016</v></c>', "is not a date"),
        (b"<c><v>twelve</v></c>", "is not a number"),
        (b"<c><v>INF</v></c>", "is not a number"),
        (b'<c t="str"><v>_x0000_</v></c>', "NUL"),
    ],
)
def test_a_cell_that_does_not_hold_what_it_says_is_refused(cell: bytes, told: str) -> None:
    fault = refusal(one_cell(cell), "xlsx")
    assert (fault.row, fault.column, told in fault.detail) == (2, "A", True)


def test_a_workbook_without_a_worksheet_is_refused() -> None:
    hidden = replaced(
        table([["a"]]),
        "xl/workbook.xml",
        lambda xml: xml.replace(b"<sheet ", b'<sheet state="hidden" '),
    )
    assert "no worksheet" in refusal(hidden, "xlsx").detail


def test_rich_text_is_read_without_its_pronunciation() -> None:
    rich = (
        b'<sst><si><r><t>a</t></r><r><t xml:space="preserve"> b</t></r>'
        b"<rPh><t>no</t></rPh></si></sst>"
    )
    content = replaced(table([["a"]]), "xl/sharedStrings.xml", lambda _: rich)
    with_row = replaced(content, SHEET_1, _second_row)
    assert read(with_row, "xlsx") == [(2, {"a b": "a b"})]


def _second_row(xml: bytes) -> bytes:
    return xml.replace(b"</sheetData>", b'<row><c t="s"><v>0</v></c></row></sheetData>')


def test_prefixes_and_references_are_optional() -> None:
    xml = (
        b'<x:worksheet xmlns:x="u"><x:sheetData><x:row><x:c t="str"><x:v>a</x:v></x:c>'
        b'<x:c t="str"><x:v>b</x:v></x:c></x:row><x:row><x:c/><x:c><x:v>1</x:v></x:c></x:row>'
        b"</x:sheetData></x:worksheet>"
    )
    content = replaced(table([["a"]]), SHEET_1, lambda _: xml)
    assert read(content, "xlsx") == [(2, {"a": None, "b": 1})]


def test_blank_rows_of_a_worksheet_are_counted_and_skipped() -> None:
    assert [number for number, _ in read(table([["a"], [], [1], [], [2]]), "xlsx")] == [3, 5]


def test_a_worksheet_without_a_header_is_refused() -> None:
    assert refusal(table([[], ["a"]]), "xlsx").row == refusal(table([]), "xlsx").row == 1


def test_a_value_beside_the_table_is_refused() -> None:
    fault = refusal(table([["a"], [1], [2, None, 3]]), "xlsx")
    assert (fault.row, fault.column) == (3, "C")


def _sheets(*tables: Sequence[Sequence[Any]], hidden: int = -1) -> bytes:
    def build(book: Any) -> None:
        for number, rows in enumerate(tables):
            sheet = book.add_worksheet()
            if number == hidden:
                sheet.hide()
            for index, row in enumerate(rows):
                sheet.write_row(index, 0, row)
        book.worksheets()[1].activate()

    return workbook(build)


def test_worksheets_with_the_same_header_continue_the_first() -> None:
    content = _sheets([["a"], [1]], [["a"], [2], [3]])
    assert read(content, "xlsx") == [(2, {"a": 1}), (2, {"a": 2}), (3, {"a": 3})]


def test_worksheets_with_another_header_are_left_alone() -> None:
    assert values(_sheets([["a"], [1]], [["b"], [2]]), "xlsx") == [[1]]
    assert values(_sheets([["a"], [1]], []), "xlsx") == [[1]]


def test_hidden_worksheets_are_left_alone() -> None:
    assert values(_sheets([["b"], [1]], [["a"], [2]], hidden=0), "xlsx") == [[2]]


def test_a_fault_in_a_continuation_is_not_overlooked() -> None:
    content = _sheets([["a"], [1]], [["a"], [2], [3, 4]])
    assert refusal(content, "xlsx").row == 3


@pytest.mark.parametrize(
    "content", [b"", b"a,b\n1,2\n", b"PK\x03\x04broken", b"PK\x05\x06" + b"\0" * 18]
)
def test_what_is_no_workbook_is_refused(content: bytes) -> None:
    assert "not an XLSX file" in refusal(content, "xlsx").detail


def test_a_workbook_with_a_password_is_refused() -> None:
    assert "password" in refusal(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "xlsx").detail


@pytest.mark.parametrize(
    "xml",
    [
        b"<worksheet><sheetData><row>",
        b"<worksheet><row r='x'/></worksheet>",
        b"<worksheet><row r='2'/><row r='1'/></worksheet>",
        b"<worksheet><row r='1048577'/></worksheet>",
        b"<worksheet><row><c r='XFE1'/></row></worksheet>",
        b"<worksheet><row><c r='A-1'/></row></worksheet>",
        b"<worksheet><row><c t='s'><v>9</v></c></row></worksheet>",
        b"<worksheet><row><c s='99'><v>9</v></c></row></worksheet>",
        b"<worksheet>" + b"<a>" * 99,
        b"<!DOCTYPE x [<!ENTITY a 'b'>]><worksheet/>",
        b"<worksheet a='" + b" " * (9 << 20) + b"'/>",
        b"<worksheet><row><c t='str'><v>" + b"x" * (9 << 20) + b"</v></c></row></worksheet>",
    ],
)
def test_a_broken_worksheet_is_refused(xml: bytes) -> None:
    content = replaced(table([["a"]]), SHEET_1, lambda _: xml)
    assert "broken" in refusal(content, "xlsx").detail


def test_a_damaged_workbook_is_refused() -> None:
    content = bytearray(table([["a"], *([f"text {i}"] for i in range(999))]))
    content[len(content) // 3] ^= 0xFF
    assert "broken" in refusal(bytes(content), "xlsx").detail


@pytest.mark.parametrize(
    "limit", ["zipped_parts.MAX_UNPACKED", "xlsx_reader.MAX_PART", "xlsx_parts.MAX_SHARED"]
)
def test_a_workbook_that_unpacks_to_too_much_is_refused(
    limit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"app.core.sheets.{limit}", 100)
    refusal(table([["a"], ["b" * 100]]), "xlsx")


def test_a_text_that_is_shared_counts_as_often_as_it_is_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("app.core.sheets.zipped_parts.MAX_CHARACTERS", 100)

    fault = refusal(table([["a"], *([["b" * 10]] * 20)]), "xlsx")
    assert (fault.row, "more than 100 characters" in fault.detail) == (11, True)


def test_two_cells_far_apart_are_no_burden() -> None:
    def build(book: Any) -> None:
        book.add_worksheet().write(0, 0, "a")
        book.worksheets()[0].write(1_048_575, 16_383, "b")

    fault = refusal(workbook(build), "xlsx")
    assert (fault.row, fault.column) == (1_048_576, "XFD")


@patient
@given(st.binary(max_size=300), st.integers(0, 5000), st.integers(0, 300))
def test_a_workbook_with_any_damage_is_read_or_refused(noise: bytes, at: int, cut: int) -> None:
    content = table([["a", "b"], [1, "x"]])
    with suppress(SheetError):
        read(content[:at] + noise + content[at + cut :], "xlsx")


@patient
@given(st.binary(max_size=200), st.integers(0, 900), st.integers(0, 100))
def test_a_worksheet_with_any_damage_is_read_or_refused(noise: bytes, at: int, cut: int) -> None:
    content = table([["a", "b"], [1, "x"]])
    with suppress(SheetError):
        read(replaced(content, SHEET_1, lambda xml: xml[:at] + noise + xml[at + cut :]), "xlsx")
