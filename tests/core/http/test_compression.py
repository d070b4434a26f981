"""Answers above 1 KB are compressed for who asks for it, and say the same."""

import asyncio
import gzip
import random
import zlib

import httpx
from starlette.types import Message, Receive, Scope, Send

from app.core.http.compression import Compression, accepts_gzip

GZIP, PLAIN = {"Accept-Encoding": "gzip"}, {"Accept-Encoding": "identity"}
MISSION = "/missions/novosibirsk-april"
#: Whether each is compressed.
READS = {
    "/agreements": True,
    "/agreements.csv": True,
    "/agreements.ndjson": True,
    "/docs": True,
    "/docs/assets/swagger-ui.css": True,
    "/odata/$metadata": True,
    "/changes.atom": True,
    "/charts/money.svg": True,
    "/no/" + "x" * 1500: True,
    "/agreements.xlsx": False,
    "/health/live": False,
    "/codes/currencies/KZT": False,
}


def test_gzip_is_taken_for_what_the_header_says() -> None:
    asked = {
        b"gzip": True,
        b"br, GZIP;q=0.5": True,
        b"x-gzip": True,
        b"*": True,
        b"": False,
        b"br": False,
        b"gzip;q=0": False,
        b"*;q=0": False,
        b"gzip; q=0.000": False,
        b"gzip;q=0.5, identity": False,
        b"gzip;q=much": False,
    }
    assert {header: accepts_gzip(header) for header in asked} == asked


async def test_large_answers_are_compressed_and_say_the_same(client: httpx.AsyncClient) -> None:
    faults = []
    for address, is_large in READS.items():
        got = await client.get(address, headers=GZIP)
        plain = await client.get(address, headers=PLAIN)
        if (got.headers.get("content-encoding") == "gzip") is not is_large:
            faults.append(f"{address}: {got.headers}")
        same = got.content == plain.content or got.status_code == 404 or not is_large
        if not same or "content-encoding" in plain.headers:
            faults.append(f"{address}: {got.text[:100]} {plain.text[:100]}")
        varied = (got,) if got.is_error else (got, plain)
        if is_large and not all("Accept-Encoding" in a.headers.get("vary", "") for a in varied):
            faults.append(f"{address}: Vary: {[a.headers.get('vary') for a in varied]}")
        if tag := got.headers.get("etag"):
            again = await client.get(address, headers={**GZIP, "If-None-Match": tag})
            if (again.status_code, again.headers["etag"]) != (304, tag):
                faults.append(f"{address}: {tag} asked for again: {again}")
    assert not faults, "\n".join(faults)


async def test_the_compressed_form_has_a_tag_of_its_own_that_guards_as_the_plain_one(
    fresh: httpx.AsyncClient,
) -> None:
    await fresh.patch(MISSION, json={"note": "a" * 900})
    plain = (await fresh.get(MISSION, headers=PLAIN)).headers["etag"]
    tag = (await fresh.get(MISSION, headers=GZIP)).headers["etag"]
    assert tag == plain[:-1] + '-gzip"'
    again = await fresh.get(MISSION, headers={**GZIP, "If-None-Match": tag})
    assert (again.status_code, again.headers["etag"], again.content) == (304, tag, b"")
    assert (await fresh.get(MISSION, headers={**GZIP, "If-None-Match": plain})).status_code == 304
    guarded = {**GZIP, "If-Match": tag}
    changed = await fresh.patch(MISSION, json={"note": "seen"}, headers=guarded)
    assert changed.status_code == 200, changed.text
    # Of a write it is the tag of the record, whatever form the answer has.
    assert "-gzip" not in changed.headers["etag"]


async def test_lengths_and_parts_of_exports_are_those_of_the_file(
    client: httpx.AsyncClient,
) -> None:
    whole = (await client.get("/agreements.csv", headers=PLAIN)).content
    head = await client.head("/agreements.csv", headers=GZIP)
    assert int(head.headers["content-length"]) == len(whole)
    part = await client.get("/agreements.csv", headers={**GZIP, "Range": "bytes=0-1999"})
    assert (part.status_code, part.content) == (206, whole[:2000])
    assert "content-encoding" not in head.headers.keys() | part.headers.keys()


async def test_what_shows_a_secret_is_not_compressed(fresh: httpx.AsyncClient) -> None:
    address = "https://example.com/" + "a" * 1500
    made = await fresh.post("/webhooks", json={"name": "x", "url": address})
    assert made.status_code == 201, made.text
    other = await fresh.post(f"/webhooks/{made.json()['id']}/secret")
    name = {"name": "a" * 90, "scope": "read"}
    key = await fresh.post("/api-keys", json=name)
    for answer in (made, other, key):
        assert answer.headers["cache-control"] == "no-store", answer.text
        assert "content-encoding" not in answer.headers


SCOPE = {"type": "http", "method": "GET", "headers": [(b"accept-encoding", b"gzip")]}


async def sent_by(media: bytes, pieces: list[bytes], *, fails: bool = False) -> list[Message]:
    """What leaves the middleware of an application that answers with these pieces."""
    sent: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", media)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for piece in pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        if fails:
            raise OSError("gone")
        await send({"type": "http.response.body", "body": b""})

    async def receive() -> Message:
        return await asyncio.Future()

    async def send(message: Message) -> None:
        sent.append(message)

    try:
        await Compression(app)(SCOPE, receive, send)
    except OSError:
        assert fails
    return sent


async def test_what_streams_is_compressed_piece_by_piece_and_events_leave_as_they_are() -> None:
    lines = [random.Random(n).randbytes(20_000) for n in range(9)]
    start, *bodies = await sent_by(b"text/csv", lines)
    assert (b"content-encoding", b"gzip") in start["headers"]
    assert gzip.decompress(b"".join(body["body"] for body in bodies)) == b"".join(lines)
    assert len(bodies) > 4, "it waits for its end"
    events = await sent_by(b"text/event-stream; charset=utf-8", [b"data: 1\n\n", b"data: 2\n\n"])
    assert [body["body"] for body in events[1:]] == [b"data: 1\n\n", b"data: 2\n\n", b""]


async def test_an_answer_that_is_cut_off_says_all_that_was_written_and_does_not_end() -> None:
    start, *bodies = await sent_by(b"text/csv", [b"a,b\r\n", b"FILE CUT SHORT\r\n"], fails=True)
    assert all(body["more_body"] for body in bodies)
    unpacking = zlib.decompressobj(16 + zlib.MAX_WBITS)
    assert unpacking.decompress(b"".join(body["body"] for body in bodies)).endswith(b"SHORT\r\n")
    assert [each["type"] for each in await sent_by(b"text/csv", [], fails=True)] == [start["type"]]
