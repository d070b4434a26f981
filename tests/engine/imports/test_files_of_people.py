"""Files as people bring them: read as they are meant, or refused by the place that is meant."""

import io
import zipfile
from collections.abc import Callable, Sequence
from typing import Any

import httpx
import xlsxwriter

from tests.core.sheets.tables import SHEET_1, replaced
from tests.engine.imports.calls import faults, refused, send, table, workbook

Client = httpx.AsyncClient
_DRY: dict[str, Any] = {"dry_run": "true"}
LENIENT = {"prefer": "handling=lenient"}
PEOPLE: list[list[Any]] = [["full_name", "note"], ["Елена Пример", "нет"]]


def _book(*sheets: tuple[str, list[list[Any]]], hidden: Sequence[str] = ()) -> bytes:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer) as book:
        for name, rows in sheets:
            sheet = book.add_worksheet(name)
            for at, cells in enumerate(rows):
                sheet.write_row(at, 0, cells)
            if name in hidden:
                sheet.hide()
        next(each for each in book.worksheets() if each.name not in hidden).activate()
    return buffer.getvalue()


def _merged(merges: Sequence[str], rows: list[list[Any]]) -> bytes:
    """A workbook of the rows with these cells merged, whatever they hold."""
    refs = "".join(f'<mergeCell ref="{ref}"/>' for ref in merges)
    part = f"</sheetData><mergeCells>{refs}</mergeCells>".encode()
    return replaced(workbook(rows), SHEET_1, lambda xml: xml.replace(b"</sheetData>", part))


def _renamed(content: bytes) -> bytes:
    """The workbook with the names of its parts in other case than what refers to them."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(buffer, "w") as new:
        for entry in old.namelist():
            new.writestr(entry.upper(), old.read(entry))
    return buffer.getvalue()


def _with_index(before: bytes, number: bytes) -> Callable[[bytes], bytes]:
    return lambda xml: xml.replace(before + b"3", before + number)


async def _read(client: Client, path: str, content: bytes, kind: str, **more: Any) -> Any:
    """What comes of a file that is all good, told shortly."""
    answer = await send(client, path, content, kind, **_DRY, **more)
    if answer.status_code != 200:
        return [(f.get("sheet"), f.get("row"), f.get("column")) for f in answer.json()["errors"]]
    told = answer.json()
    left_out = [(f["sheet"], f["row"], f["code"]) for f in told["left_out"]]
    return told["created"], told["sheets"], left_out


async def test_the_sheets_that_were_read_and_those_that_were_not_are_told(client: Client) -> None:
    other: list[list[Any]] = [["What"], ["x"]]
    book = _book(("A", PEOPLE), ("Notes", other), ("Blank", []), ("B", PEOPLE), ("C", PEOPLE))
    hidden = _book(("Codes", other), ("A", PEOPLE), ("B", PEOPLE), hidden=("Codes", "B"))
    bad = [*PEOPLE, ["", "x"]]
    turned = _book(("A", PEOPLE), ("B", [["Note", "Full name"], ["x", "Y"], ["x", ""]]))
    left_out = [("Notes", None, "sheet")]
    cases: dict[str, tuple[bytes, dict[str, str], Any]] = {
        "later ones": (book, {}, (3, ["A", "B", "C"], left_out)),
        "one by name": (book, {"sheet": "B"}, (1, ["B"], [])),
        "a foreign one": (
            book,
            {"sheet": "Notes"},
            [("Notes", 1, "What"), ("Notes", 1, "full_name")],
        ),
        "none of that name": (book, {"sheet": "Sheet9"}, [(None, None, None)]),
        "hidden ones": (hidden, {}, (1, ["A"], [("Codes", None, "sheet"), ("B", None, "sheet")])),
        "a hidden one": (hidden, {"sheet": "B"}, (1, ["B"], [])),
        "in another order": (turned, {}, [("B", 3, "full_name")]),
        "blank first": (_book(("X", []), ("A", PEOPLE)), {}, (1, ["A"], [])),
        "faults": (
            _book(("B", bad), ("A", bad)),
            {},
            [("B", 3, "full_name"), ("A", 3, "full_name")],
        ),
        "unreadable": (
            _book(("B", PEOPLE), ("A", [*PEOPLE, ["x", "y", "z"]])),
            {},
            [("A", 3, "C")],
        ),
    }
    found = {
        name: await _read(client, "people", content, "xlsx", **more)
        for name, (content, more, _) in cases.items()
    }
    assert found == {name: right for name, (_, _, right) in cases.items()}


async def test_a_refusal_of_several_sheets_names_the_sheet(client: Client) -> None:
    book = _book(("A", PEOPLE), ("B", [*PEOPLE, ["", "x"]]))
    told = await refused(client, "people", book, "xlsx")
    assert "First: sheet 'B', row 3, column full_name" in told["detail"]
    told = await refused(client, "people", book, "xlsx", sheet="b ")
    assert "Did you mean 'B'?" in told["detail"] or "It has 'A', 'B'." in told["detail"]


async def test_a_first_sheet_that_is_foreign_is_told_with_the_others(client: Client) -> None:
    notes: list[list[Any]] = [["Hello world"], ["How to fill this in"]]
    for first in (notes, [["Name", "Name"], ["a", "b"]]):
        book = _book(("Readme", first), ("People", PEOPLE), ("Blank", []), ("Codes", [["A"]]))
        told = await refused(client, "people", book, "xlsx")
        detail = told["errors"][0]["detail"]
        assert "'Readme' is the worksheet that was read" in detail
        assert "has 'People', 'Codes': to import that, send the file again with its" in detail
        assert await _read(client, "people", book, "xlsx", sheet="People") == (1, ["People"], [])
    told = await refused(client, "people", _book(("Readme", notes)), "xlsx")
    assert "worksheet that was read" not in str(told)


async def test_workbooks_of_other_programs_are_read(client: Client) -> None:
    deal = ["title", "instrument", "amount", "currency", "parties"]
    party = '[{"role": "buyer", "description": "B"}]'
    computed: list[list[Any]] = [deal, ["A", "other", 434.99999999999994, "USD", party]]
    answer = await send(client, "agreements", workbook(computed), "xlsx", **_DRY)
    assert answer.status_code == 200, answer.text
    assert await _read(client, "people", _renamed(workbook(PEOPLE)), "xlsx") == (1, ["Sheet1"], [])


async def test_merged_cells_hold_their_text_in_each_row(client: Client, ref: str) -> None:
    rows: list[list[Any]] = [
        ["ref", "note", "full_name"],
        *([f"{ref}-{n}", "the same" if n == 0 else None, f"P {n}"] for n in range(3)),
        [f"{ref}-3", None, "P 3"],
    ]
    answer = await send(client, "people", _merged(["B2:B4", "C5"], rows), "xlsx")
    assert answer.status_code == 200, answer.text
    listed = await client.get("/people", params={"ref__startswith": f"{ref}-", "sort": "ref"})
    notes = [each["note"] for each in listed.json()["data"]]
    assert notes == ["the same", "the same", "the same", None]


async def test_merged_cells_whose_meaning_is_unclear_are_refused_by_name(client: Client) -> None:
    head = ["full_name", "note", "full_name_en"]
    cases: dict[str, list[list[Any]]] = {
        "B2:C2": [head, ["A", "x", None]],
        "A1:A2": [head, [None, "x", None]],
        "B1:C1": [["full_name", "note", None], ["A", "x", None]],
        "B2:B3": [head, ["A", 5, None], ["B", None, None]],
        "B2:B4": [head, ["A", "x", None], ["B", "hidden", None]],
    }
    wrong = {}
    for name, rows in cases.items():
        told = (await refused(client, "people", _merged([name], rows), "xlsx", **_DRY))["errors"]
        if not any(name in fault["detail"] for fault in told):
            wrong[name] = told
    assert wrong == {}


async def test_an_index_that_points_nowhere_is_told_by_its_cell(client: Client) -> None:
    right = b'r="B2" t="s"><v>'
    for number in (b"-1", b"99", b"1_0", b"x"):
        change = _with_index(right, number)
        content = replaced(workbook(PEOPLE), SHEET_1, change)
        assert await faults(client, "people", content, "xlsx") == [(2, "B", "file")], number


async def test_cells_are_told_apart_by_whole_records(client: Client) -> None:
    name, note = "Дмитрий Пример", "да, нет; может быть"
    cases: dict[str, tuple[bytes | str, dict[str, str]]] = {
        "a comma in the header": ('full_name;"note"\nx;"a,b"\ny;c,d\n', {}),
        "decimals": ("note;full_name\n1,5;x\n2,5;y\n", {}),
        "codes": ("full_name,note\nx,F;C10\ny,A;B;C\n", {}),
        "a line break in the header": ('"full\nname";note\nx;y\nz;\n', {}),
        "bars": ("full_name|note\nx|a,b\ny|\n", {}),
        "a directive": ("sep=;\r\nfull_name;note\r\nx;a\r\ny;b\r\n", {}),
        "a directive after a mark": ("\ufeffsep=\t\nfull_name\tnote\nx\ta,b\ny\tc\n", {}),
        "as said": ("full_name;note\nx;y\nz;\n", {"delimiter": ";"}),
        "tab": ("full_name\tnote\nx\ty\nz\t\n", {"delimiter": "tab"}),
        "1251": (f'full_name;note\n{name};"{note}"\nx;\n'.encode("cp1251"), {"encoding": "cp1251"}),
        "Kazakh": ("full_name\nҚазақстан\nӘлия\n".encode("kz1048"), {"encoding": "kz-1048"}),
        "UTF-16": ("full_name\nҚ\nӘ\n".encode("utf-16-le"), {"encoding": "utf-16"}),
        "a mark is believed": ("\ufefffull_name\nҚ\nӘ\n", {"encoding": "windows-1251"}),
    }
    found = {}
    for key, (content, more) in cases.items():
        sent = content.encode() if isinstance(content, str) else content
        found[key] = await _read(client, "people", sent, "csv", **more)
    assert found == dict.fromkeys(cases, (2, [], []))


async def test_what_a_file_is_encoded_in_is_said_in_either_place(client: Client, ref: str) -> None:
    file = f"ref;full_name\n{ref};Тимур Пример\n".encode("cp1251")
    answer = await send(client, "people", file, "text/csv; charset=windows-1251")
    assert answer.status_code == 200, answer.text
    assert (await client.get(f"/people/{ref}")).json()["full_name"] == "Тимур Пример"
    told = await refused(client, "people", file)
    assert "encoding" in told["detail"]
    cases: list[tuple[str, dict[str, str], int]] = [
        ("text/csv; charset=windows-1251", {"encoding": "cp866"}, 400),
        ("text/csv; charset=klingon", {}, 415),
        ("application/x-ndjson; charset=windows-1251", {}, 415),
        ("csv", {"encoding": "klingon"}, 400),
        ("csv", {"delimiter": "x"}, 400),
        ("csv", {"sheet": "A"}, 400),
        ("ndjson", {"delimiter": ";"}, 400),
        ("xlsx", {"encoding": "windows-1251"}, 400),
    ]
    for kind, more, status in cases:
        answer = await send(client, "people", file, kind, None, **more)
        assert answer.status_code == status, (kind, more, answer.text)


async def test_a_file_of_utf_8_that_is_said_to_be_something_else_is_refused(
    client: Client, ref: str
) -> None:
    """Its octets would be letters in other encodings, too: `РўРёРјСѓСЂ` for «Тимур»."""
    for encoding in ("windows-1251", "kz-1048", "cp866", "koi8-r", "windows-1252", "windows-1254"):
        rows = f"ref;full_name\n{ref};Тимур Пример\n".encode()
        told = await refused(client, "people", rows, "csv", encoding=encoding)
        assert f"is UTF-8, and not the {encoding}" in told["detail"], told
    ascii_alone = f"ref;full_name\n{ref};Timur\n".encode()
    answer = await send(client, "people", ascii_alone, "csv", encoding="windows-1251")
    assert answer.status_code == 200, answer.text


async def test_a_header_with_a_comma_is_told_whole(client: Client) -> None:
    file = "full_name;note, if any\nДмитрий Пример;да\n".encode()
    assert await faults(client, "people", file) == [(1, "note, if any", "unknown")]


async def test_a_record_that_two_rows_tell_of_is_told_with_both(client: Client, ref: str) -> None:
    twice = table({"ref": ref, "full_name": "First"}, {"ref": ref, "full_name": "Second"})
    (told,) = (await refused(client, "people", twice))["errors"]
    assert (told["row"], told["column"], told["code"]) == (3, "ref", "twice")
    assert told["detail"] == "Row 2 and row 3 are of the same record: keep one of them."
    answer = await send(client, "people", twice, headers=LENIENT)
    assert (answer.json()["created"], answer.json()["failed"]) == (1, 1)
    key = (await client.get(f"/people/{ref}")).json()["id"]
    rows = [{"id": "", "ref": ref, "full_name": "A"}, {"id": key, "ref": "", "full_name": "B"}]
    assert await faults(client, "people", table(*rows)) == [(3, "id", "twice")]
    book = _book(
        ("A", [["ref", "full_name"], ["x-y", "A"]]), ("B", [["ref", "full_name"], ["x-y", "B"]])
    )
    (told,) = (await refused(client, "people", book, "xlsx"))["errors"]
    assert told["detail"].startswith("Row 2 of sheet 'A' and row 2 of sheet 'B'")


async def test_rows_of_totals_are_told_and_left_out(client: Client) -> None:
    head = "title;instrument;amount;currency;parties\n"
    good = 'A;other;1 250 000,50;USD;"[{""role"": ""buyer"", ""description"": ""B""}]"\n'
    totals = [
        "Итого;;1 250 000,50;;",
        "ВСЕГО:;;1 250 000,50;USD;",
        ";;Итого: 1 250 000,50;;",
        "Барлығы;;1 250 000,50;долл. США;",
        "Итого по Казахстану;;12;;",
        "Total;;1250000.50;USD;",
        ";Grand total;;;",
    ]
    file = head + good + "\n".join(totals) + "\n"
    right: Any = (1, [], [(None, 3 + at, "total") for at in range(len(totals))])
    assert await _read(client, "agreements", file.encode(), "csv") == right
    # What could be a name is one.
    names = table(*({"full_name": name} for name in ("Total", "Всего хорошего", "Итоговый Пётр")))
    assert await _read(client, "people", names, "csv") == (3, [], [])
    book = workbook([*PEOPLE, ["Итого", 12]])
    assert await _read(client, "people", book, "xlsx") == (1, ["Sheet1"], [("Sheet1", 3, "total")])
