"""Exports are read by their address, in the parts that programs ask for."""

import httpx
import pytest

from app.core.errors import PROBLEM_TYPE
from app.core.http import finished_files

Client = httpx.AsyncClient
SUFFIXES = ("csv", "parquet", "ndjson")


async def _part(client: Client, address: str, asked: str, **headers: str) -> httpx.Response:
    return await client.get(address, headers={"Range": asked, **headers})


async def test_the_parts_that_polars_and_duckdb_ask_for_make_up_the_file(client: Client) -> None:
    """HEAD, then the beginning, pieces in the middle, and of Parquet the end first."""
    wrong = {}
    for suffix in SUFFIXES:
        address = f"/agreements.{suffix}?sort=ref"
        whole = (await client.get(address)).content
        size = len(whole)
        head = await client.head(address)
        assert head.headers["accept-ranges"] == "bytes"
        assert head.headers["content-length"] == str(size)
        places = {
            "bytes=0-3": (0, 3),
            "bytes=0-262143": (0, min(262_143, size - 1)),
            f"bytes=0-{size - 1}": (0, size - 1),
            "bytes=-262144": (max(0, size - 262_144), size - 1),
            "bytes=-8": (size - 8, size - 1),
            "bytes=100-": (100, size - 1),
            "bytes=257-465": (257, 465),
        }
        for asked, (first, last) in places.items():
            answer = await _part(client, address, asked)
            told = answer.headers["content-range"], answer.headers["content-length"]
            right = f"bytes {first}-{last}/{size}", str(last - first + 1)
            if (answer.status_code, told) != (206, right) or answer.content != whole[
                first : last + 1
            ]:
                wrong[suffix, asked] = answer.status_code, told
    assert wrong == {}


async def test_all_of_a_file_is_sent_where_no_part_can_be(client: Client) -> None:
    address = "/agreements.csv"
    whole = (await client.get(address)).content
    wrong = {}
    for asked in (
        "bytes=0-1,3-4",
        "lines=0-1",
        "bytes=x",
        "bytes=5-2",
    ):
        answer = await _part(client, address, asked)
        if (answer.status_code, answer.content) != (200, whole):
            wrong[asked] = answer.status_code
    tag = (await client.head(address)).headers["etag"]
    again = await _part(client, address, "bytes=0-1", **{"If-Range": tag})
    assert (again.status_code, again.content) == (200, whole)
    assert wrong == {}
    book = await _part(client, "/agreements.xlsx", "bytes=0-1")
    assert (book.status_code, book.content[:2]) == (200, b"PK")


async def test_a_range_behind_the_end_is_a_416_that_says_where_the_end_is(client: Client) -> None:
    """RFC 9110, 15.5.17: who goes on with a file that is whole already learns that it is."""
    wrong = {}
    for suffix in SUFFIXES:
        address = f"/agreements.{suffix}?sort=ref"
        size = len((await client.get(address)).content)
        for asked in (f"bytes={size}-", f"bytes={size}-{size + 9}", "bytes=-0", "bytes=99999999-"):
            answer = await _part(client, address, asked)
            told = answer.headers.get("content-range"), answer.headers["content-type"]
            if (answer.status_code, *told) != (416, f"bytes */{size}", PROBLEM_TYPE):
                wrong[suffix, asked] = answer.status_code, told
    assert wrong == {}
    empty = "/agreements.ndjson?ref=none"
    for asked in ("bytes=0-", "bytes=0-0", "bytes=-8"):
        answer = await _part(client, empty, asked)
        assert (answer.status_code, answer.content) == (200, b"")


async def test_a_reader_keeps_to_the_file_that_it_began(fresh: Client) -> None:
    """What is stored meanwhile is in the next one; nobody gets halves of two."""
    address = "/people.csv?sort=ref"
    before = (await fresh.get(address)).content
    first = await _part(fresh, address, "bytes=0-9")
    await fresh.post("/people", json={"ref": "aaa", "full_name": "A"})
    rest = await _part(fresh, address, "bytes=10-")
    assert first.content + rest.content == before
    assert first.headers["etag"] == rest.headers["etag"]
    anew = await _part(fresh, address, "bytes=0-")
    assert anew.content == (await fresh.get(address)).content != before


async def test_a_file_that_is_too_large_to_keep_is_streamed(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finished_files, "MAX_BYTES", 10)
    address = "/missions.csv?sort=-ref"
    head, part = await client.head(address), await _part(client, address, "bytes=0-1")
    assert (head.status_code, part.status_code) == (200, 200)
    assert "content-length" not in head.headers
    assert part.content == (await client.get(address)).content


async def test_a_mistake_is_told_to_head_and_parts_as_to_all(client: Client) -> None:
    for address in ("/missions.csv?nonsense=1", "/missions.pdf", "/missions.xlsx?delimiter=;"):
        whole, head = await client.get(address), await client.head(address)
        part = await _part(client, address, "bytes=0-1")
        assert whole.status_code == head.status_code == part.status_code >= 400, address
