"""JSON for people: `?pretty` with any operation, and what is typed into a browser."""

import json
from typing import Any

import httpx
import pytest

from app.core.http.pretty import indented

MISSION = "/missions/novosibirsk-april"
BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
#: Reads of every sort, and a problem of each place that one can come from.
ADDRESSES = [
    MISSION,
    f"{MISSION}/summary",
    f"{MISSION}/history",
    "/agreements?limit=2&expand=parties",
    "/agreements/aggregate?metrics=count&group_by=status",
    "/search?q=katren",
    "/changes?limit=2",
    "/codes",
    "/people/nobody",
    "/agreements?colour=red",
    "/health/ready",
]


def is_indented(answer: httpx.Response) -> bool:
    return answer.text.startswith('{\n  "') and answer.text.endswith("\n}\n")


def beside(address: str, parameter: str) -> str:
    return f"{address}{'&' if '?' in address else '?'}{parameter}"


def without_id(text: str) -> Any:
    """What an answer says, digits as they stand, without what is its own."""
    value = json.loads(text, parse_float=str, parse_int=str)
    return {k: v for k, v in value.items() if k != "request_id"}


async def test_every_answer_can_be_had_in_lines_and_says_the_same(
    client: httpx.AsyncClient,
) -> None:
    faults = []
    for address in ADDRESSES:
        plain = await client.get(address)
        for asked in (
            await client.get(beside(address, "pretty=true")),
            await client.get(beside(address, "pretty")),
            await client.get(address, headers=BROWSER),
        ):
            same = without_id(asked.text) == without_id(plain.text)
            if not same or asked.status_code != plain.status_code or not is_indented(asked):
                faults.append(f"{asked.url}: {asked.status_code} {asked.text[:200]}")
            if asked.headers["content-type"] != plain.headers["content-type"]:
                faults.append(f"{asked.url}: {asked.headers['content-type']}")
    assert not faults, "\n".join(faults)


async def test_nobody_else_pays_for_it(client: httpx.AsyncClient) -> None:
    for headers in ({}, {"Accept": "application/json"}, {"Accept": "application/json, text/html"}):
        assert "\n" not in (await client.get(MISSION, headers=headers)).text
    assert "\n" not in (await client.get(f"{MISSION}?pretty=false", headers=BROWSER)).text


async def test_writes_and_their_refusals_can_be_read_too(client: httpx.AsyncClient) -> None:
    made = await client.post("/people?pretty=true&dry_run=true", json={"full_name": "Айгерим"})
    assert made.status_code == 201
    assert '\n  "full_name": "Айгерим",\n' in made.text
    refused = await client.post("/people?pretty", json={})
    assert refused.status_code == 422
    assert is_indented(refused)


async def test_nonsense_is_refused(client: httpx.AsyncClient) -> None:
    for query in ("pretty=1", "pretty=yes", "pretty=TRUE", "pretty&pretty", "pretty=%FF"):
        answer = await client.get(f"{MISSION}?{query}")
        assert answer.status_code == 400, query
        assert answer.json()["errors"][0]["parameter"] == "pretty"
        assert "pretty=true" in answer.json()["detail"]
    # What only looks like it is a filter, or no parameter at all.
    assert (await client.get("/people?full_name=pretty")).json()["data"] == []
    assert (await client.get(f"{MISSION}?prettyy=true")).status_code == 400


async def test_files_stay_as_they_are(client: httpx.AsyncClient) -> None:
    for address in ("/people.csv", "/people.ndjson", "/openapi.json"):
        plain = await client.get(address, headers={"Accept-Encoding": "gzip"})
        asked = await client.get(beside(address, "pretty"), headers={"Accept-Encoding": "gzip"})
        assert asked.content == plain.content


async def test_its_entity_tag_is_weak_and_known_again(client: httpx.AsyncClient) -> None:
    uncompressed = {"Accept-Encoding": "identity"}
    plain = (await client.get(MISSION, headers=uncompressed)).headers["etag"]
    read = await client.get(f"{MISSION}?pretty=true", headers=uncompressed)
    assert read.headers["etag"] == f"W/{plain}"
    again = {"If-None-Match": read.headers["etag"]}
    assert (await client.get(f"{MISSION}?pretty=true", headers=again)).status_code == 304
    assert len(read.content) == int(read.headers["content-length"])


async def test_head_has_no_body(client: httpx.AsyncClient) -> None:
    answer = await client.head(f"{MISSION}?pretty=true")
    assert (answer.status_code, answer.content) == (200, b"")
    assert "content-length" not in answer.headers


@pytest.mark.parametrize(
    ("plain", "lines"),
    [
        (b"{}", b"{}\n"),
        (b"[ ]", b"[]\n"),
        (b'{"a" : {"b" : [1, 2.50]}, "c" : null}', None),
        (b'{"a,b:{}[]\\"":"{\\\\","c":"\\u0041 , : "}', None),
        (b'[[],{},[[]],{"a":[{}]}]', None),
        (b'{"n":10000000000000000000000000000.0001}', None),
    ],
)
def test_lines_hold_what_stood_in_one(plain: bytes, lines: bytes | None) -> None:
    if lines is None:
        value = json.loads(plain, parse_float=Digits, parse_int=Digits)
        lines = json.dumps(value, indent=2).encode() + b"\n"
        lines = lines.replace(b'"<', b"").replace(b'>"', b"")
    told = indented(plain)
    if b"\\u0041" not in plain:
        assert told == lines
    assert json.loads(told) == json.loads(plain)


class Digits(str):
    """The digits of a number, marked so that they can be told from a text."""

    __slots__ = ()

    def __new__(cls, text: str) -> "Digits":
        return super().__new__(cls, f"<{text}>")
