"""What one import may cost others, who wait for the writer meanwhile; counted in rows."""

import gc

import httpx
import pytest
from fastapi import FastAPI
from starlette.types import Message

from app.core import json_codec
from app.engine.imports import import_run, read_ahead
from app.engine.imports.long_running import collecting_less
from app.engine.imports.rows import RowReader
from tests.engine.imports.calls import FORMATS, TYPES, done, file_of, lines, refused, send
from tests.keys import BEARER

Client = httpx.AsyncClient
_ROWS = 1500
#: As many as may be looked at beyond what is needed: those of one batch.
_BATCH = read_ahead.BATCH_ROWS


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The rows that were looked at within the writer."""
    found: list[int] = []
    entry = RowReader.entry

    def noted(self, plan, row):  # type: ignore[no-untyped-def]
        found.append(row.number)
        return entry(self, plan, row)

    monkeypatch.setattr(RowReader, "entry", noted)
    return found


async def test_a_file_that_is_refused_is_looked_at_as_long_as_its_errors_are_told(
    client: Client, judged: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_run, "_MAX_JUDGED_ROWS", 1000)
    wrong: dict[str, object] = {}
    rows = [{"full_name": "A", "id": f"none {n}"} for n in range(_ROWS)]
    for kind in FORMATS:
        for parameters in ({}, {"dry_run": "true"}) if kind == "csv" else ({},):
            judged.clear()
            told = await refused(client, "people", file_of(kind, rows), kind, **parameters)
            start = f"At least {len(judged)} of {_ROWS} rows fail with {len(judged)} errors"
            if not told["detail"].startswith(start) or not 1000 <= len(judged) <= 1000 + _BATCH:
                wrong[f"{kind} {parameters}"] = len(judged), told["detail"]
    assert not wrong


async def test_a_file_that_is_refused_is_looked_at_up_to_a_number_of_errors(
    client: Client, judged: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_run, "_MAX_JUDGED_FAULTS", 1000)
    row = {"title": "A", "instrument": "other", "parties": [{}] * 4}
    told = await refused(client, "agreements", file_of("ndjson", [row] * _ROWS), "ndjson")
    assert len(judged) == _BATCH
    assert told["detail"].startswith(f"At least {_BATCH} of {_ROWS} rows fail with {4 * _BATCH} ")


async def test_a_cell_that_must_be_short_is_not_looked_through_when_it_is_long(
    client: Client,
) -> None:
    row = {"title": "A", "instrument": "other"}
    columns = ("mission", "amount", "signed", "status", "place_country")
    for prefer in ("", "handling=lenient"):
        file = file_of("csv", [{**row, **dict.fromkeys(columns, "word" * 10_000)}])
        answer = await send(client, "agreements", file, headers={"prefer": prefer})
        faults = {fault["column"]: fault["detail"] for fault in answer.json()["errors"]}
        assert faults.keys() == {*columns}
        assert all("has 40,000 characters" in detail for detail in faults.values()), faults


async def test_rows_of_a_file_that_cannot_be_stored_are_looked_at_up_to_a_number(
    client: Client, judged: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_run, "_MAX_JUDGED_ROWS", _BATCH)
    rows = [{"full_name": f"Somebody {n}"} for n in range(_ROWS)]
    files = {
        "a wrong header": file_of("csv", [{**row, "no such field": "x"} for row in rows]),
        "a quote that is never closed": file_of("csv", rows) + b'"open',
    }
    wrong: dict[str, object] = {}
    for name, file in files.items():
        for prefer in ("", "handling=lenient"):
            judged.clear()
            answer = await send(client, "people", file, headers={"prefer": prefer})
            if answer.status_code != 422 or not 0 < len(judged) <= _BATCH:
                wrong[f"{name} {prefer}"] = len(judged), answer.text
    assert not wrong


async def test_rows_that_name_those_below_them_are_tried_a_few_times_each(
    client: Client, ref: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = 0
    new = RowReader.new

    def counted(self, entry):  # type: ignore[no-untyped-def]
        nonlocal tried
        tried += 1
        return new(self, entry)

    monkeypatch.setattr(RowReader, "new", counted)
    rows = [
        {"ref": f"{ref}-{n}", "name": f"{ref} {n}", "kind": "company", "parent": f"{ref}-{n + 1}"}
        for n in range(60)
    ]
    rows[-1].pop("parent")
    # Neither upwards nor downwards is an order that would do.
    mixed = rows[::2] + rows[1::2][::-1]
    assert await done(client, "organizations", lines(*mixed), "ndjson") == {"created": 60}
    assert tried <= 3 * 60


async def test_the_work_for_a_client_that_goes_away_ends_and_nothing_is_stored(
    imports_app: FastAPI, client: Client, judged: list[int], ref: str
) -> None:
    rows = [{"full_name": f"{ref} {n}"} for n in range(_ROWS)]
    operations = [{"op": "create", "body": row} for row in rows]
    bodies = {
        **{f"import {kind}": (TYPES[kind], file_of(kind, rows)) for kind in FORMATS},
        "bulk": ("application/json", json_codec.dumps({"operations": operations})),
    }
    for name, (media_type, body) in bodies.items():
        for prefer in ("", "handling=lenient"):
            headers = {**BEARER, "content-type": media_type, "prefer": prefer}
            path = f"/people/{name.split()[0]}"
            assert await _sent_by_one_who_leaves(imports_app, path, headers, body) == [], name
    assert len(judged) <= _BATCH * len(bodies) * 2
    found = await client.get("/people", params={"full_name__startswith": ref, "count": "exact"})
    assert found.json()["page"]["total"] == 0


def test_what_a_server_has_kept_from_the_garbage_collector_stays_so_after_an_import() -> None:
    gc.freeze()
    before = gc.get_freeze_count()
    with collecting_less():
        pass
    assert gc.get_freeze_count() >= before // 2 > 0


async def _sent_by_one_who_leaves(
    app: FastAPI, path: str, headers: dict[str, str], body: bytes
) -> list[Message]:
    """What is sent to a client that goes away as soon as it has sent its request."""
    messages: list[Message] = [
        {"type": "http.request", "body": body, "more_body": False},
        {"type": "http.disconnect"},
    ]
    answered: list[Message] = []

    async def receive() -> Message:
        return messages.pop(0)

    async def send(message: Message) -> None:
        answered.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "query_string": b"",
        "client": ("127.0.0.1", 1),
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
    }
    await app(scope, receive, send)
    return answered


async def test_more_cells_than_a_sheet_has_columns_are_few_errors(client: Client) -> None:
    header = "full_name," + ",".join(f"a{n}" for n in range(16_384))
    wrong = {}
    for content, count, words in (
        (f"{header}\nSomebody\n", 1, "The header has 16,385 columns"),
        ("full_name\n" + "a," * 20_000, 100, "a column without a header"),
    ):
        headers = {"Content-Type": "text/csv"}
        answer = await client.post("/people/import", content=content, headers=headers)
        told = answer.json()["errors"]
        if (answer.status_code, len(told)) != (422, count) or words not in told[0]["detail"]:
            wrong[words] = (answer.status_code, len(told), told[:1])
    assert wrong == {}
