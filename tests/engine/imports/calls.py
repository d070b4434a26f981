"""Imports as the tests send them."""

import csv
import io
from collections.abc import Sequence
from typing import Any

import httpx
import xlsxwriter
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.core import json_codec

TYPES = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "ndjson": "application/x-ndjson",
}
FORMATS = tuple(TYPES)
#: What an import of exchange rates answers besides, where the file is no bank's but of records.
OF_RATES = {
    "format": "records",
    "provider": None,
    "import_id": None,
    "first_date": None,
    "last_date": None,
}


def table(*rows: dict[str, Any], separator: str = ",") -> bytes:
    """A CSV file of the rows, whose names are its header; lists and objects as JSON."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=separator)
    writer.writerow(names)
    writer.writerows([_cell(row.get(name)) for name in names] for row in rows)
    return file.getvalue().encode()


def _cell(value: Any) -> Any:
    return json_codec.dumps(value).decode() if isinstance(value, list | dict) else value


def lines(*rows: dict[str, Any]) -> bytes:
    """An NDJSON file of the rows."""
    return b"".join(json_codec.dumps(row) + b"\n" for row in rows)


def workbook(rows: list[list[Any]], errors: Sequence[tuple[int, int]] = ()) -> bytes:
    """An XLSX file of the rows, the header first; cells at `errors`, from 0, show an error."""
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer) as book:
        sheet = book.add_worksheet()
        for at, cells in enumerate(rows):
            sheet.write_row(at, 0, cells)
        for row, column in errors:
            sheet.write_formula(row, column, "=1/0", None, "#DIV/0!")
    return buffer.getvalue()


def file_of(kind: str, rows: list[dict[str, Any]]) -> bytes:
    """The rows as a file of this format; in a workbook lists and objects are not written."""
    if kind != "xlsx":
        return table(*rows) if kind == "csv" else lines(*rows)
    names = list(dict.fromkeys(name for row in rows for name in row))
    return workbook([names, *([row.get(name) for name in names] for row in rows)])


async def send(
    client: httpx.AsyncClient,
    path: str,
    content: Any,
    kind: str = "csv",
    headers: dict[str, str] | None = None,
    **parameters: Any,
) -> httpx.Response:
    """Import a file of one of the formats, or of a media type."""
    sent = {"content-type": TYPES.get(kind, kind), **(headers or {})}
    address = f"/{path}/import"
    return await client.post(address, content=content, headers=sent, params=parameters)


async def done(
    client: httpx.AsyncClient, path: str, content: Any, kind: str = "csv", **parameters: Any
) -> dict[str, int]:
    """Import a file that is all good: how many rows came to what, as far as any did."""
    answer = await send(client, path, content, kind, **parameters)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    members = ["created", "updated", "unchanged", "failed", "errors", "sheets", "left_out"]
    more = OF_RATES if path == "exchange-rates" else {}
    assert list(told) == [*members, "related", "similar", "taken", *more]
    assert {name: told.pop(name) for name in more} == more
    assert (
        told.pop("errors")
        == told.pop("left_out")
        == told.pop("related")
        == told.pop("similar")
        == []
    )
    told.pop("taken")
    assert told.pop("sheets") == [] or kind == "xlsx"
    return {name: count for name, count in told.items() if count}


async def faults(
    client: httpx.AsyncClient, path: str, content: Any, kind: str = "csv", **parameters: Any
) -> list[tuple[int | None, str | None, str]]:
    """Import a file that is refused: row, column and code of each error."""
    return [
        (fault.get("row"), fault.get("column"), fault["code"])
        for fault in (await refused(client, path, content, kind, **parameters))["errors"]
    ]


async def refused(
    client: httpx.AsyncClient, path: str, content: Any, kind: str = "csv", **parameters: Any
) -> Any:
    """Import a file that is refused: the problem."""
    answer = await send(client, path, content, kind, **parameters)
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.json()


async def detail(client: httpx.AsyncClient, path: str, content: Any, kind: str = "csv") -> str:
    """Import a file with one error: what is said of it."""
    (only,) = (await refused(client, path, content, kind))["errors"]
    return str(only["detail"])


async def export(client: httpx.AsyncClient, path: str, kind: str, **parameters: Any) -> bytes:
    answer = await client.get(f"/{path}.{kind}", params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.content


async def by_ref(client: httpx.AsyncClient, path: str, ref: str) -> Any:
    answer = await client.get(f"/{path}/{ref}")
    assert answer.status_code == 200, answer.text
    return json_codec.loads(answer.content)


async def is_there(client: httpx.AsyncClient, path: str, ref: str) -> bool:
    return (await client.get(f"/{path}/{ref}")).status_code == 200


async def position(app: FastAPI) -> int:
    """The number of the newest change."""

    def read(session: Session) -> int:
        return int(session.scalar(text("SELECT seq FROM change_counter")) or 0)

    result: int = await app.state.database.write(read)
    return result
