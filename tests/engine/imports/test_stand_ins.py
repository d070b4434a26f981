"""Citations in files: the record by its ref, the passage by its words."""

from typing import Any
from uuid import uuid4

import httpx

from app.core import json_codec

PLAIN = {"Content-Type": "text/plain"}
TEXT = "The plant opened. Eight firms came. The plant is new."


async def add_source(client: httpx.AsyncClient) -> str:
    ref = f"paper-{uuid4().hex}"
    await client.post("/sources", json={"publisher": "A paper", "title": "A report", "ref": ref})
    await client.put(f"/sources/{ref}/text", content=TEXT, headers=PLAIN)
    return ref


async def send(client: httpx.AsyncClient, content: str, kind: str = "text/csv") -> httpx.Response:
    return await client.post(
        "/citations/import", content=content.encode(), headers={"Content-Type": kind}
    )


async def stored(client: httpx.AsyncClient, source: str) -> list[tuple[str, str]]:
    listed = await client.get(f"/sources/{source}/passages", params={"sort": "id"})
    return [(each["quote"], each["record_ref"]) for each in listed.json()["data"]]


async def test_a_sheet_needs_no_id_and_no_position(client: httpx.AsyncClient) -> None:
    wanted = [("Eight firms", None), ("The plant", None)]
    for header, cells in (
        ("source,record.kind,record.ref,quote,suffix", "{0},source,{0}"),
        ("Source,Record kind,Record,Quote,Suffix", "{0},sources,{0}"),
        ("source_id,record_kind,record_id,quote,suffix", "{0},source,{0}"),
        ("source.ref,record_kind,record_ref,quote,suffix", "{0},source,{0}"),
    ):
        ref = await add_source(client)
        first = cells.format(ref)
        answer = await send(client, f"{header}\n{first},Eight firms,\n{first},The plant, is\n")
        assert answer.status_code == 200, (header, answer.text)
        assert await stored(client, ref) == [(quote, ref) for quote, _ in wanted], header
    ref = await add_source(client)
    line: dict[str, Any] = {
        "source_id": {"ref": ref},
        "record": {"kind": "source", "ref": ref},
        "quote": "Eight firms",
    }
    answer = await send(client, json_codec.dumps(line).decode(), "application/x-ndjson")
    assert answer.status_code == 200, answer.text
    assert await stored(client, ref) == [("Eight firms", ref)]


async def test_what_a_row_names_wrongly_is_told_by_row_and_column(
    client: httpx.AsyncClient,
) -> None:
    ref = await add_source(client)
    rows = [
        (f"{ref},source,{ref},The plant,sure", 2, {"Quote", "assertion"}),
        (f"{ref},source,{ref},Озеро,", 3, {"Quote"}),
        (f"{ref},source,nobody-there,Eight,", 4, {"record_id"}),
        (f"{ref},sorce,{ref},Eight,", 5, {"record_kind"}),
        (f"nobody-there,source,{ref},Eight,", 6, {"source"}),
        (f"{ref},source,{ref},,", 7, {"start", "end"}),
    ]
    content = "\n".join(["source,record_kind,record_id,Quote,assertion", *(r[0] for r in rows)])
    answer = await send(client, content)
    assert answer.status_code == 422, answer.text
    told: dict[int, set[str]] = {}
    for fault in answer.json()["errors"]:
        told.setdefault(fault["row"], set()).add(fault["column"])
    assert told == {row: columns for _, row, columns in rows}
    assert await stored(client, ref) == []


async def test_an_export_with_its_words_goes_where_there_is_no_text_yet(
    client: httpx.AsyncClient,
) -> None:
    """Where there is one the words and the positions must agree."""
    bare = f"paper-{uuid4().hex}"
    await client.post("/sources", json={"publisher": "A", "title": "B", "ref": bare})
    header = "source,record_kind,record_id,start,end,quote"
    answer = await send(client, f"{header}\n{bare},source,{bare},0,9,The plant\n")
    assert answer.status_code == 200, answer.text
    ref = await add_source(client)
    answer = await send(client, f"{header}\n{ref},source,{ref},0,5,The plant\n")
    assert [fault["column"] for fault in answer.json()["errors"]] == ["quote"]
