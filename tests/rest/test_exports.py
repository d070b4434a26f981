"""Lists as files: every record that matches, as lists show it."""

import io
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import httpx
import pyarrow.parquet as parquet
import pytest
from fastapi import FastAPI

from app.api import RESOURCES
from app.core import json_codec
from app.core.databases.interface import STREAM_BATCH_ROWS
from app.core.sheets.sheet import CellKind, Column, CsvSheet
from app.engine.query.parameters import QueryShape
from app.engine.resource import Resource
from app.resources.person import person
from app.rest.export_columns import export_statement
from app.rest.export_json import compact
from app.rest.exports import FORMATS, _lines, _written
from tests.conftest import client_of, serving
from tests.core.sheets.tables import read

each = pytest.mark.parametrize("resource", RESOURCES, ids=lambda r: r.path)


async def rows(client: httpx.AsyncClient, address: str, **query: Any) -> list[dict[str, Any]]:
    """What a spreadsheet reads from an export, by the suffix of its address."""
    answer = await client.get(address, params=query)
    assert answer.status_code == 200, answer.text
    return [cells for _, cells in read(answer.content, address.rpartition(".")[2])]


async def listed(client: httpx.AsyncClient, address: str, **query: Any) -> list[dict[str, Any]]:
    answer = await client.get(address, params={"limit": 1000, **query})
    found: list[dict[str, Any]] = json_codec.loads(answer.content)["data"]
    return found


def as_cell(value: Any) -> str | None:
    """A value of a record's JSON as it stands in a cell of a CSV file."""
    if value is None or value == []:
        return None
    if isinstance(value, bool):
        return str(value).lower()
    return format(value, "f") if hasattr(value, "as_tuple") else str(value)


@each
async def test_a_csv_file_has_a_row_for_each_record_with_its_values(
    client: httpx.AsyncClient, resource: Resource
) -> None:
    records = await listed(client, f"/{resource.path}", updated_at__lt="2100-01-01")
    found = {row["id"]: row for row in await rows(client, f"/{resource.path}.csv")}
    assert {record["id"] for record in records} <= found.keys()
    for record in records:
        for name, value in record.items():
            if not isinstance(value, list):
                assert found[record["id"]][name] == as_cell(value), name


@each
@pytest.mark.parametrize("file_format", ["xlsx", "parquet"])
async def test_a_workbook_and_a_parquet_file_have_the_columns_and_rows_of_the_csv_file(
    client: httpx.AsyncClient, resource: Resource, file_format: str
) -> None:
    narrow = {"sort": "ref", "limit": "200"}
    table = await client.get(f"/{resource.path}.csv", params=narrow)
    header = table.text.partition("\r\n")[0].split(",")
    answer = await client.get(f"/{resource.path}.{file_format}", params=narrow)
    assert answer.headers["content-type"] == FORMATS[file_format]
    if file_format == "parquet":
        assert parquet.read_table(io.BytesIO(answer.content)).column_names == header
        return
    found = [cells for _, cells in read(answer.content, "xlsx")]
    assert all(list(cells) == header for cells in found)
    assert len(found) == len(read(table.content))


async def test_a_parquet_file_has_types(client: httpx.AsyncClient) -> None:
    answer = await client.get("/agreements.parquet", params={"amount__isnull": "false"})
    table = parquet.read_table(io.BytesIO(answer.content))
    kinds = {field.name: str(field.type) for field in table.schema}
    assert kinds["amount"].startswith("decimal128")
    assert kinds["signed_earliest"] == "date32[day]"
    assert kinds["created_at"] == "timestamp[us, tz=UTC]"
    assert 5_000_000 in table.column("amount").to_pylist()


@each
async def test_ndjson_has_the_records_as_the_list_shows_them(
    client: httpx.AsyncClient, resource: Resource
) -> None:
    records = await listed(client, f"/{resource.path}", sort="created_at", limit=5)
    answer = await client.get(f"/{resource.path}.ndjson", params={"sort": "created_at", "limit": 5})
    assert [json_codec.loads(line) for line in answer.text.splitlines()] == records


async def test_what_an_id_points_to_stands_beside_it_by_name(client: httpx.AsyncClient) -> None:
    (row,) = await rows(client, "/delegates.csv", ref="dychko")
    assert row["person.full_name"] == "Николай Дычко"
    assert row["organization.name"] == "Акимат Павлодарской области"
    columns = list(row)
    assert columns.index("person.full_name") == columns.index("person_id") + 1


async def test_fields_are_the_columns_in_the_order_asked_for(client: httpx.AsyncClient) -> None:
    query = {"fields": "title,mission.host_country,ref", "ref": "nobel-katren-supply"}
    answer = await client.get("/agreements.csv", params=query)
    assert answer.text.splitlines()[0] == "title,mission.host_country,ref"
    assert answer.text.splitlines()[1].endswith(",RU,nobel-katren-supply")


async def test_expand_adds_all_fields_of_a_related_record(client: httpx.AsyncClient) -> None:
    (row,) = await rows(client, "/agreements.csv", ref="nobel-katren-supply", expand="mission")
    assert row["mission.host_region"] == "RU-NVS"


@pytest.mark.parametrize("query", [{"fields": "outcomes"}, {"expand": "parties.organization"}])
async def test_a_relation_to_any_number_of_records_is_no_column(
    client: httpx.AsyncClient, query: dict[str, str]
) -> None:
    answer = await client.get("/agreements.csv", params=query)
    assert answer.status_code == 400
    (fault,) = answer.json()["errors"]
    assert fault["parameter"] in query
    assert "any number" in fault["detail"]


async def test_lists_of_codes_are_joined_and_other_lists_are_json(
    client: httpx.AsyncClient,
) -> None:
    (mission,) = await rows(client, "/missions.csv", ref="novosibirsk-april")
    assert mission["sectors"] == "F;C10;C20;C21"
    (agreement,) = await rows(client, "/agreements.csv", ref="nobel-katren-supply")
    roles = [party["role"] for party in json_codec.loads(str(agreement["parties"]))]
    assert roles == ["supplier", "buyer"]


async def test_filters_search_sort_and_limit_are_those_of_the_list(
    client: httpx.AsyncClient,
) -> None:
    query = {"filter": "status eq 'signed'", "q": "новосибирск", "sort": "-title", "limit": 3}
    told = [row["id"] for row in await rows(client, "/agreements.csv", **query)]
    assert told == [record["id"] for record in await listed(client, "/agreements", **query)]


async def test_a_collection_is_exported_too(client: httpx.AsyncClient) -> None:
    address = "/missions/novosibirsk-april/agreements"
    found = {row["ref"] for row in await rows(client, f"{address}.csv")}
    assert found == {record["ref"] for record in await listed(client, address)}
    assert (await client.get("/missions/nowhere/agreements.csv")).status_code == 404


async def test_text_that_a_spreadsheet_would_run_has_an_apostrophe_before_it(
    fresh: httpx.AsyncClient,
) -> None:
    notes = ["=1+1", "+7 383", "-", "@home", "'=twice", "a\r\nb", 'say "x", y']
    for note in notes:
        await fresh.post("/people", json={"full_name": "x", "note": note})
    answer = await fresh.get("/people.csv", params={"fields": "note", "sort": "created_at"})
    lines = answer.text.split("\r\n")
    assert "'=1+1" in lines
    assert "''=twice" in lines
    table = await fresh.get("/people.xlsx", params={"fields": "note"})
    for content, kind in ((answer.content, "csv"), (table.content, "xlsx")):
        assert set(notes) <= {cells["note"] for _, cells in read(content, kind)}


async def test_a_byte_order_mark_is_there_when_asked_for(client: httpx.AsyncClient) -> None:
    with_mark = await client.get("/people.csv", params={"bom": "true"})
    without = await client.get("/people.csv")
    assert with_mark.content == b"\xef\xbb\xbf" + without.content


@pytest.mark.parametrize("file_format", FORMATS)
async def test_accept_asks_for_a_format_as_the_suffix_does(
    client: httpx.AsyncClient, file_format: str
) -> None:
    query = {"fields": "ref,title", "sort": "ref"}
    accepted = {"Accept": FORMATS[file_format]}
    by_header = await client.get("/missions", params=query, headers=accepted)
    by_suffix = await client.get(f"/missions.{file_format}", params=query)
    assert by_header.headers["content-type"] == by_suffix.headers["content-type"]
    assert by_header.headers["content-disposition"] == by_suffix.headers["content-disposition"]
    if file_format != "xlsx":  # A workbook holds the moment in which it was made.
        assert by_header.content == by_suffix.content


async def test_json_is_sent_to_whoever_takes_it(client: httpx.AsyncClient) -> None:
    for accept in ("*/*", "application/json", "text/csv;q=0.5, application/json", "text/html,*/*"):
        answer = await client.get("/missions", headers={"Accept": accept})
        assert answer.headers["content-type"] == "application/json"


async def test_an_answer_that_nobody_takes_is_not_sent(client: httpx.AsyncClient) -> None:
    answer = await client.get("/missions", headers={"Accept": "application/pdf"})
    assert answer.status_code == 406
    assert "text/csv" in answer.json()["detail"]


async def test_pages_make_no_sense_in_a_file(client: httpx.AsyncClient) -> None:
    answer = await client.get("/missions?offset=5", headers={"Accept": "text/csv"})
    assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (400, "offset")


async def test_an_unknown_format_names_those_there_are(client: httpx.AsyncClient) -> None:
    answer = await client.get("/missions.pdf")
    assert answer.status_code == 404
    assert "csv, xlsx, ndjson, parquet" in answer.json()["detail"]


async def test_a_file_that_has_not_changed_is_not_sent_again(fresh: httpx.AsyncClient) -> None:
    tag = (await fresh.get("/missions.csv")).headers["etag"]
    headers = {"If-None-Match": tag}
    assert (await fresh.get("/missions.csv", headers=headers)).status_code == 304
    assert (await fresh.get("/missions.ndjson", headers=headers)).status_code == 200
    await fresh.post("/people", json={"full_name": "A"})
    assert (await fresh.get("/missions.csv", headers=headers)).status_code == 200


async def test_head_tells_what_get_would_send(client: httpx.AsyncClient) -> None:
    """Only a workbook's length is not known, which has its time in it."""
    wrong = {}
    for address in (
        *(f"/missions.{suffix}" for suffix in ("csv", "xlsx", "ndjson", "parquet")),
        "/agreements/aggregate.csv?group_by=status",
        "/missions/novosibirsk-april/delegates.csv",
    ):
        head, got = await client.head(address), await client.get(address)
        assert (head.status_code, head.content) == (200, b"")
        same = ("content-type", "content-disposition", "etag", "vary")
        told = [head.headers.get(name) for name in (*same, "content-length")]
        length = None if "xlsx" in address else str(len(got.content))
        if told != [*(got.headers.get(name) for name in same), length]:
            wrong[address] = told
    assert wrong == {}


async def test_the_browser_is_told_the_files_name(client: httpx.AsyncClient) -> None:
    answer = await client.get("/reported-totals.csv")
    assert answer.headers["content-disposition"] == 'attachment; filename="reported-totals.csv"'


async def test_rows_are_at_hand_in_batches_of_one_moment(fresh_url: str) -> None:
    async with serving(fresh_url) as app, client_of(app) as client:
        people = [
            {"op": "create", "body": {"full_name": f"P {n}"}}
            for n in range(STREAM_BATCH_ROWS + 500)
        ]
        answer = await client.post("/people/bulk", json={"operations": people})
        assert answer.status_code == 200, answer.text
        sizes = await _batches(app, client)
    assert max(sizes) == STREAM_BATCH_ROWS
    assert sum(sizes) >= STREAM_BATCH_ROWS + 500


async def _batches(app: FastAPI, client: httpx.AsyncClient) -> list[int]:
    """The sizes of the batches of an export during which a person is added and not seen."""
    database = app.state.database
    statement = export_statement(person, None, QueryShape(), None, database.dialect)
    sizes: list[int] = []
    bodies = ""
    async with aclosing(database.stream(statement, {"limit": 2**53})) as stream:
        async for batch in stream:
            if not sizes:
                added = await client.post("/people", json={"full_name": "Came later"})
                assert added.status_code == 201
            sizes.append(len(batch))
            bodies += "".join(row[0] for row in batch)
    assert "Came later" not in bodies
    return sizes


async def _breaking() -> AsyncGenerator[list[Any]]:
    yield [("a",)]
    raise OSError("gone")


async def _sent(pieces: AsyncGenerator[bytes]) -> bytes:
    """What is sent before the error, which is not swallowed."""
    sent = b""
    try:
        async for piece in pieces:
            sent += piece
    except OSError:
        return sent
    raise AssertionError("the error was swallowed")


async def test_a_csv_file_that_is_cut_short_says_so_in_its_last_line() -> None:
    sent = await _sent(_written(CsvSheet([Column("name", CellKind.text)]), _breaking()))
    assert sent.decode().split("\r\n")[2].startswith("FILE CUT SHORT: ")


async def test_lines_of_json_that_are_cut_short_say_so_in_the_last_one() -> None:
    sent = await _sent(_lines(_breaking()))
    assert "FILE CUT SHORT" in json_codec.loads(sent.splitlines()[-1])


async def test_lists_in_cells_are_the_same_on_both_databases(client: httpx.AsyncClient) -> None:
    """Codes with semicolons, all else as JSON without blanks."""
    wrong = {}
    for resource in RESOURCES:
        records = await listed(client, f"/{resource.path}")
        found = {row["id"]: row for row in await rows(client, f"/{resource.path}.csv")}
        for record in records:
            for name, value in record.items():
                cell = found[record["id"]].get(name)
                as_codes = isinstance(value, list) and cell == ";".join(map(str, value))
                is_json = value and isinstance(value, list | dict) and not as_codes
                if is_json and cell != json_codec.dumps(value).decode():
                    wrong[resource.path, name] = cell
    assert wrong == {}


async def test_csv_has_the_signs_that_are_asked_for(client: httpx.AsyncClient) -> None:
    address = "/agreements.csv?ref=nobel-katren-supply&fields=ref,amount,currency"
    cases = {
        "": b"ref,amount,currency\r\n",
        "&delimiter=;": b"ref;amount;currency\r\n",
        "&decimal=,": b"ref;amount;currency\r\n",
        "&delimiter=tab&decimal=.": b"ref\tamount\tcurrency\r\n",
        "&delimiter=semicolon&bom=true": b"\xef\xbb\xbfref;amount;currency\r\n",
    }
    for more, header in cases.items():
        assert (await client.get(address + more)).content.startswith(header), more
    answer = await client.get("/exchange-rates.csv?fields=rate&decimal=,&limit=50")
    assert all("." not in line for line in answer.text.splitlines())
    for wrong in ("csv?delimiter=x", "csv?decimal=;", "parquet?delimiter=;", "ndjson?decimal=,"):
        assert (await client.get(f"/missions.{wrong}")).status_code == 400, wrong


def test_blanks_go_from_between_the_tokens_of_json_alone() -> None:
    told = '[{"a" : "x \\" , y\\\\", "b" : [1, 2.50, null]}, \n "q  q : ,"]'
    assert compact(told) == '[{"a":"x \\" , y\\\\","b":[1,2.50,null]},"q  q : ,"]'
    assert compact('[{"a" : " x "}, \n {"a" : null}]') == '[{"a":" x "},{"a":null}]'
