"""OpenDocument spreadsheets are read as they are meant, within bounds."""

from decimal import Decimal
from typing import Any

import pytest

from app.core.sheets import ods_parts, zipped_parts
from app.core.sheets.sheet import SheetError
from tests.core.sheets.spreadsheets import cell, day, spreadsheet, table
from tests.core.sheets.tables import read, refusal, replaced, values

HEAD = ["a", "b"]


def test_cells_of_every_type_are_read() -> None:
    typed = {
        '<table:table-cell office:value-type="date" office:date-value="2019-04-12"/>': "2019-04-12",
        '<table:table-cell office:value-type="date" office:date-value="2019-04-12T09:30:00"/>': (
            "2019-04-12T09:30:00.000000Z"
        ),
        '<table:table-cell office:value-type="time" office:time-value="PT09H05M00S"/>': "09:05:00",
        '<table:table-cell office:value-type="currency" office:value="434.99999999999994"/>': 435,
        '<table:table-cell office:value-type="percentage" office:value="0.125"/>': Decimal("0.125"),
        '<table:table-cell office:value-type="string"><text:p>Мёд <text:span>и</text:span>'
        '<text:s text:c="2"/>соль</text:p></table:table-cell>': "Мёд и  соль",
        '<table:table-cell office:value-type="string"><office:annotation><text:p>remark</text:p>'
        "</office:annotation><text:p>one</text:p>\n <text:p>two</text:p></table:table-cell>": (
            "one\ntwo"
        ),
        '<table:table-cell table:number-columns-repeated="16383"/>': None,
    }
    rows: list[list[Any]] = [
        HEAD,
        *([each, "x"] for each in typed if "repeated" not in each),
        [1, True],
        [1.5, False],
    ]
    found = values(spreadsheet(table("A", rows)), "ods")
    right: list[list[Any]] = [[value, "x"] for value in typed.values() if value is not None]
    assert found == [*right, [1, True], [Decimal("1.5"), False]]


def test_a_date_is_the_month_or_year_that_its_style_shows() -> None:
    """A spreadsheet stores a first day for `Apr 2016`, which nobody stated."""
    first, other = "2016-01-01", "2016-01-12"
    styled = [day(first, "month"), day(first, "year"), day(first, "day"), day(other, "month")]
    heads = [cell("a"), cell("b")]
    rows = (
        '<table:table-column table:default-cell-style-name="month"/>'
        '<table:table-column table:number-columns-repeated="2"/>'
        f"<table:table-row>{''.join(heads)}</table:table-row>"
        f"<table:table-row>{day(first)}{day(first)}</table:table-row>"
        '<table:table-row table:default-cell-style-name="year">'
        f"{day(first)}{day(first, 'day')}</table:table-row>"
    )
    found = values(spreadsheet(table("A", [["a", "b", "c", "d"], styled])), "ods")
    assert found == [["2016-01", "2016", first, other]]
    assert values(spreadsheet(table("A", rows)), "ods") == [["2016-01", first], ["2016", first]]


def test_what_is_repeated_is_there_as_often() -> None:
    rows = (
        f"<table:table-row>{cell('a')}{cell('b')}{cell(None, number_columns_repeated=16382)}"
        "</table:table-row>"
        f'<table:table-row table:number-rows-repeated="2">{cell("x", number_columns_repeated=2)}'
        "</table:table-row>"
        f'<table:table-row table:number-rows-repeated="3">{cell(None)}</table:table-row>'
        f"<table:table-row>{cell('last')}</table:table-row>"
        f'<table:table-row table:number-rows-repeated="1048568">{cell(None)}</table:table-row>'
    )
    both = {"a": "x", "b": "x"}
    found = read(spreadsheet(table("A", rows)), "ods")
    assert found == [(2, both), (3, both), (7, {"a": "last", "b": None})]


def test_merged_cells_hold_their_text_in_each_row() -> None:
    covered = "<table:covered-table-cell/>"
    rows = [HEAD, [cell("x", number_rows_spanned=2), "1"], [covered, "2"]]
    assert values(spreadsheet(table("A", rows)), "ods") == [["x", "1"], ["x", "2"]]
    rows = [HEAD, [cell("x", number_columns_spanned=2), covered]]
    assert "A2:B2 is merged across columns" in refusal(spreadsheet(table("A", rows)), "ods").detail


def test_hidden_worksheets_are_passed_over_and_errors_are_told() -> None:
    rows = [HEAD, ["x", "y"]]
    book = spreadsheet(table("Hidden", [["no"]], "hidden"), table("A", rows))
    assert values(book, "ods") == [["x", "y"]]
    error = (
        '<table:table-cell table:formula="of:=1/0" office:value-type="string"'
        ' office:string-value="" calcext:value-type="error"><text:p>#DIV/0!</text:p>'
        "</table:table-cell>"
    )
    fault = refusal(spreadsheet(table("A", [HEAD, ["x", error]])), "ods")
    assert (fault.row, fault.column, fault.sheet) == (2, "B", "A")
    assert "#DIV/0!" in fault.detail


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"nothing", "not an ODS file"),
        (spreadsheet(table("A", [HEAD]), mimetype="application/zip"), "not an ODS file"),
        (spreadsheet("<broken"), "is broken"),
        (spreadsheet(table("A", '<table:table-row table:number-rows-repeated="x"/>')), "is broken"),
        (
            spreadsheet(table("A", [HEAD]), manifest=b"<m><encryption-data/></m>"),
            "password",
        ),
        (spreadsheet(), "no worksheet"),
    ],
)
def test_what_cannot_be_read_is_refused_in_a_sentence(content: bytes, words: str) -> None:
    assert words in refusal(content, "ods").detail


def test_a_few_bytes_do_not_become_millions_of_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ods_parts, "MAX_REPEATED", 1000)
    wide = cell("x", number_columns_repeated=2)
    rows = (
        f"<table:table-row>{cell('a')}{cell('b')}</table:table-row>"
        f'<table:table-row table:number-rows-repeated="1000000">{wide}</table:table-row>'
    )
    with pytest.raises(SheetError, match="cells of the ODS file are repeated"):
        read(spreadsheet(table("A", rows)), "ods")


def test_a_text_that_is_repeated_counts_as_often_as_it_is_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(zipped_parts, "MAX_CHARACTERS", 100)
    wide = cell("x" * 10, number_columns_repeated=2)
    rows = f'<table:table-row table:number-rows-repeated="100">{wide}</table:table-row>'
    head = f"<table:table-row>{cell('a')}{cell('b')}</table:table-row>"
    fault = refusal(spreadsheet(table("A", head + rows)), "ods")
    assert (fault.row, "more than 100 characters" in fault.detail) == (6, True)


def test_entities_are_not_declared() -> None:
    bomb = b'<!DOCTYPE a [<!ENTITY b "c">]><office:document-content'
    content = replaced(
        spreadsheet(table("A", [HEAD])),
        "content.xml",
        lambda xml: xml.replace(b"<office:document-content", bomb),
    )
    assert "is broken" in refusal(content, "ods").detail
