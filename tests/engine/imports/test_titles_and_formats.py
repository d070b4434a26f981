"""Headers below titles, files of other formats, and files as browsers send them."""

from typing import Any

import httpx

from tests.core.sheets.spreadsheets import TYPE, spreadsheet
from tests.core.sheets.spreadsheets import table as worksheet
from tests.engine.imports.calls import is_there, refused, send, workbook

Client = httpx.AsyncClient
TSV = "text/tab-separated-values"


async def test_the_header_is_found_below_titles(client: Client) -> None:
    titles = "Отчёт о миссии;;\nза 2025 год;Приложение 1;\n;;\n"
    people = f"{titles}№;ФИО;Примечание\n1;Иван;x\n2;;y\n".encode()
    told = await refused(client, "people", people)
    assert [(e["row"], e["column"], e["code"]) for e in told["errors"]] == [(6, "ФИО", "missing")]
    answer = await send(client, "people", people, headers={"prefer": "handling=lenient"})
    left_out = answer.json()["left_out"]
    assert [(f["row"], f["column"], f["code"]) for f in left_out] == [
        (4, "№", "column"),
        (1, None, "title"),
    ]
    assert "found in row 4" in left_out[1]["detail"]
    assert "'Отчёт о миссии'" in left_out[1]["detail"]
    bare = "Отчёт\n№;ФИО;Примечание\n1;Иван, сын Петра;x\n2;Пётр;y\n".encode()
    assert (await send(client, "people", bare)).json()["created"] == 2
    unknown = f"{titles}ФИО;Телефон\nИван;1\n".encode()
    told = await refused(client, "people", unknown)
    assert [(e["row"], e["column"], e["code"]) for e in told["errors"]] == [
        (4, "Телефон", "unknown")
    ]


async def test_a_row_is_told_to_be_the_header(client: Client) -> None:
    file = "full_name;note\nимя;прим\nИван;x\n".encode()
    told = await send(client, "people", file, header_row=2, columns="имя=full_name,прим=note")
    assert told.json()["created"] == 1
    for row, code in ((9, 422), (0, 400), ("x", 400)):
        answer = await send(client, "people", file, header_row=row)
        assert answer.status_code == code, row
    assert "Row 9 must have" in (await refused(client, "people", file, header_row=9))["detail"]
    answer = await send(client, "people", b"{}", "ndjson", header_row=2)
    assert answer.json()["errors"][0]["parameter"] == "header_row"


async def test_titles_of_workbooks_are_passed_over(client: Client) -> None:
    rows: list[list[Any]] = [["Делегаты миссии"], [None, None], ["ФИО", "Примечание"], ["Иван", 7]]
    files = {"xlsx": workbook(rows), TYPE: spreadsheet(worksheet("Люди", rows))}
    for kind, content in files.items():
        answer = await send(client, "people", content, kind)
        assert answer.json()["created"] == 1, answer.text
        assert [f["code"] for f in answer.json()["left_out"]] == ["title"]


async def test_tables_with_tabs_are_read(client: Client, ref: str) -> None:
    content = f"ref\tfull_name\n{ref}-1\tИван; Пётр, Анна\n".encode()
    assert (await send(client, "people", content, TSV)).json()["created"] == 1
    assert await is_there(client, "people", f"{ref}-1")
    other = content.replace(b"-1", b"-2")
    answer = await send(client, "people", other, "application/octet-stream", format="tsv")
    assert answer.json()["created"] == 1
    assert (await send(client, "people", content, TSV, sheet="A")).status_code == 400


async def test_a_worksheet_of_a_spreadsheet_is_named(client: Client, ref: str) -> None:
    people = [["ref", "full_name"], [ref, "Иван"]]
    book = spreadsheet(worksheet("Notes", [["x"], ["y"]]), worksheet("People", people))
    answer = await send(client, "people", book, TYPE, sheet="People")
    assert (answer.json()["created"], answer.json()["sheets"]) == (1, ["People"])
    told = await refused(client, "people", book, TYPE, sheet="Peple")
    assert "Did you mean 'People'?" in told["detail"]


def _form(*parts: tuple[str, bytes], boundary: str = "----x") -> bytes:
    pieces = (
        f"--{boundary}\r\nContent-Disposition: form-data; {about}\r\n\r\n".encode()
        + content
        + b"\r\n"
        for about, content in parts
    )
    return b"".join(pieces) + f"--{boundary}--\r\n".encode()


FORM = "multipart/form-data; boundary=----x"


async def test_a_browser_sends_a_file_in_a_form(client: Client, ref: str) -> None:
    content = f"ref,full_name\r\n{ref},--Иван\r\n".encode()
    answer = await client.post("/people/import", files={"file": ("люди.csv", content)})
    assert answer.json()["created"] == 1, answer.text
    assert await is_there(client, "people", ref)
    again = await client.post(
        "/people/import",
        files={"f": ("x.CSV", content, "application/vnd.ms-excel")},
        headers={"sec-fetch-site": "same-origin", "idempotency-key": ref},
    )
    assert again.json()["unchanged"] == 1, again.text
    book = spreadsheet(worksheet("A", [["full_name"], ["Иван"]]))
    answer = await client.post("/people/import?sheet=A", files={"file": ("x.ods", book)})
    assert answer.json()["created"] == 1, answer.text


async def test_a_form_that_is_not_one_file_is_refused(client: Client) -> None:
    file = ('name="file"; filename="a.csv"', b"full_name\nA\n")
    whole = _form(file)
    cases = {
        "no file": (_form(('name="file"; filename=""', b"")), FORM, "choose one"),
        "a field": (_form(('name="columns"', b"A=note"), file), FORM, "?columns="),
        "two files": (_form(file, file), FORM, "more than one file"),
        "broken off": (whole[:-9], FORM, "breaks off"),
        "no boundary": (whole, "multipart/form-data", "no boundary"),
        "another": (whole, "multipart/form-data; boundary=y", "no file"),
        "nothing": (b"", FORM, "no file"),
        "no format": (_form(('name="f"; filename="a.pdf"', b"x")), FORM, "give format"),
    }
    wrong = []
    for name, (content, kind, words) in cases.items():
        answer = await send(client, "people", content, kind)
        if answer.status_code != 400 or words not in answer.json()["detail"]:
            wrong.append((name, answer.text))
    assert wrong == []


async def test_a_form_of_another_site_is_refused(client: Client) -> None:
    files = {"file": ("a.csv", b"full_name\nA\n")}
    for headers in ({"sec-fetch-site": "cross-site"}, {"origin": "https://other.example"}):
        answer = await client.post("/people/import", files=files, headers=headers)
        assert answer.status_code == 403, headers
        assert "another site" in answer.json()["detail"]
