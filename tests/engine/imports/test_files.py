"""Files that are no good, and what comes of them: always a problem, never half of it stored."""

import asyncio
import io
import tempfile
import zipfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from tests.engine.imports.calls import (
    TYPES,
    done,
    export,
    faults,
    is_there,
    lines,
    position,
    refused,
    send,
    table,
)
from tests.keys import BEARER

Client = httpx.AsyncClient


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
async def test_an_empty_file_is_refused(client: Client, kind: str) -> None:
    told = await refused(client, "people", b"", kind)
    assert [fault["code"] for fault in told["errors"]] == ["file"]


async def test_a_file_without_lines_has_no_records(client: Client) -> None:
    assert await done(client, "people", b"", "ndjson") == {}
    assert await done(client, "people", b"\n\n", "ndjson") == {}


async def test_a_header_alone_has_no_records(client: Client) -> None:
    assert await done(client, "people", b"full_name\r\n") == {}
    none = await export(client, "people", "xlsx", full_name="nobody is called so")
    assert await done(client, "people", none, "xlsx") == {}


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "multipart/mixed", ""])
async def test_another_type_is_refused_with_those_that_are_taken(client: Client, kind: str) -> None:
    answer = await send(client, "people", b"full_name\nA\n", kind)
    assert answer.status_code == 415
    for known in TYPES.values():
        assert known in answer.json()["detail"]
        assert known in answer.headers["accept"]


async def test_a_compressed_file_is_refused(client: Client) -> None:
    answer = await send(client, "people", b"", headers={"content-encoding": "gzip"})
    assert answer.status_code == 415


async def test_format_says_what_bytes_of_no_type_are(client: Client) -> None:
    octets = "application/octet-stream"
    file = lines({"full_name": "A"})
    assert await done(client, "people", file, octets, format="ndjson") == {"created": 1}
    assert (await send(client, "people", file, octets)).status_code == 400
    assert (await send(client, "people", file, "csv", format="ndjson")).status_code == 400
    assert (await send(client, "people", file, octets, format="pdf")).status_code == 400


@pytest.mark.parametrize(
    ("content", "kind", "place"),
    [
        ("full_name\nИван\n".encode("cp1251"), "csv", (2, "A")),
        (b'full_name\n"open\n', "csv", (2, None)),
        (b'full_name\n"a"b\n', "csv", (2, None)),
        (b"full_name,note\na,b,c\n", "csv", (2, "C")),
        (b"full_name\na\x00\n", "csv", (2, "A")),
        (b"full_name,full_name\n", "csv", (1, "full_name")),
        (b"full_name\na\nFILE CUT SHORT: something failed\n", "csv", (3, None)),
        (b"not a workbook", "xlsx", (None, None)),
        (b"[]\n", "ndjson", (1, None)),
        (b'{"full_name": "A"}\n{\n', "ndjson", (2, None)),
        (b'{"full_name": 1, "full_name": 2}\n', "ndjson", (1, None)),
        (b"\xff\n", "ndjson", (1, None)),
        (b"[" * 100_000, "ndjson", (1, None)),
    ],
)
async def test_a_file_that_cannot_be_read_tells_where(
    client: Client, content: bytes, kind: str, place: Any
) -> None:
    ((row, column, code),) = await faults(client, "people", content, kind)
    assert ((row, column), code) == (place, "file")


async def test_an_export_that_was_cut_short_is_an_error(client: Client) -> None:
    file = lines({"full_name": "A"}, {"FILE CUT SHORT": "something failed"})
    assert await faults(client, "people", file, "ndjson") == [(2, "FILE CUT SHORT", "unknown")]


@pytest.mark.parametrize("kind", ["csv", "ndjson", "xlsx"])
async def test_broken_files_are_never_half_stored(
    client: Client, imports_app: FastAPI, kind: str
) -> None:
    """An export with a piece missing is imported whole, as what it then says, or not at all."""
    # Some, as other tests leave thousands.
    some = (await client.get("/organizations?sort=id&limit=20&fields=id")).json()["data"]
    ids = ",".join(record["id"] for record in some)
    content = await export(client, "organizations", kind, id__in=ids)
    before = await position(imports_app)
    for cut in range(7, len(content), len(content) // 9):
        for broken in (content[:cut], content[:cut] + content[cut + 40 :]):
            answer = await send(client, "organizations", broken, kind, dry_run="true")
            assert answer.status_code in (200, 422), answer.text
    assert await position(imports_app) == before


async def test_a_bomb_is_refused(client: Client) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("[Content_Types].xml", "_rels/.rels", "xl/workbook.xml"):
            archive.writestr(name, b"<x>" + b" " * 40_000_000)
    await refused(client, "people", file.getvalue(), "xlsx")


async def test_formulas_are_texts(client: Client, ref: str) -> None:
    row = {"ref": ref, "full_name": "=cmd()"}
    await done(client, "people", table(row))
    exported = await export(client, "people", "csv", ref=ref)
    assert b"'=cmd()" in exported
    assert await done(client, "people", exported) == {"unchanged": 1}


async def test_semicolons_and_utf_16_are_read(client: Client) -> None:
    row = {"full_name": "Иван", "note": "Ә;"}
    assert await done(client, "people", table(row, separator=";")) == {"created": 1}
    assert await done(client, "people", table(row).decode().encode("utf-16")) == {"created": 1}


@pytest.fixture
def small(imports_app: FastAPI) -> Iterator[None]:
    """The service takes files of 1,000 bytes at most."""
    usual, imports_app.state.max_import = imports_app.state.max_import, 1000
    yield
    imports_app.state.max_import = usual


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str]]:
    """Tells the names of the temporary files that there are."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return lambda: sorted(path.name for path in tmp_path.iterdir())


@pytest.mark.usefixtures("small")
async def test_a_file_that_is_too_large_is_refused(client: Client) -> None:

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"full_name\n" * 10

    for content in (b"full_name\n" * 200, pieces()):
        answer = await send(client, "people", content)
        assert answer.status_code == 413, answer.text
        assert answer.json()["title"] == "Content too large"


async def test_a_client_that_goes_away_leaves_nothing_behind(
    imports_app: FastAPI, temporary: Callable[[], list[str]]
) -> None:
    seen: list[int] = []

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(0)
        seen.append(len(temporary()))
        if len(seen) < 3:
            return {"type": "http.request", "body": b"full_name\nA\n", "more_body": True}
        return {"type": "http.disconnect"}

    async def send_nothing(message: Any) -> None:
        raise AssertionError(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/people/import",
        "raw_path": b"/people/import",
        "query_string": b"",
        "headers": [
            (b"content-type", b"text/csv"),
            (b"authorization", BEARER["Authorization"].encode()),
        ],
        "http_version": "1.1",
        "scheme": "http",
        "server": ("test", 80),
    }
    await imports_app(scope, receive, send_nothing)
    assert seen[-1] == 1
    assert temporary() == []


async def test_an_import_leaves_no_file_behind(
    client: Client, temporary: Callable[[], list[str]], ref: str
) -> None:
    await done(client, "people", table({"ref": ref, "full_name": "A"}))
    await refused(client, "people", table({"full_name": "", "note": "A"}))
    assert await is_there(client, "people", ref)
    assert temporary() == []
