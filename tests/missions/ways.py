"""The missions of `data/`, and the ways in which each of them can be entered.

A file has the text of an invented report, its source, and records as a nested create takes them;
`@` stands for the way in all refs, so that one database can hold what each way has made.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx

from app.api import RESOURCES
from app.engine.registry import by_record_type
from app.engine.resource import Embedded, Resource
from tests.engine.imports.calls import send, table

Body = dict[str, Any]
#: A kind of record, and bodies of it.
Batch = tuple[str, list[Body]]

FILES = sorted((Path(__file__).parent / "data").glob("*.json"))
NO_ID = UUID(int=0)
PLAIN = {"Content-Type": "text/plain"}
KINDS = {resource.path: resource for resource in by_record_type(RESOURCES).values()}
#: Each kind after those that its records name; events that are nobody's mission come before.
ORDER = (
    "organizations",
    "people",
    "sources",
    "missions",
    "events",
    "participations",
    "delegates",
    "agreements",
    "outcomes",
    "reported-totals",
    "statements",
    "citations",
)


def missions(way: str | None = None) -> list[Any]:
    """What the files say, with the refs of one way."""
    of_way = '"@' if way is None else f'"{way}-'
    return [json.loads(file.read_text("utf-8").replace('"@', of_way)) for file in FILES]


async def send_good(
    client: httpx.AsyncClient, address: str, method: str = "POST", **sent: Any
) -> Any:
    answer = await client.request(method, address, **sent)
    assert answer.is_success, f"{address}: {answer.text}"
    return answer.json()


async def attach_texts(client: httpx.AsyncClient, said: list[Any]) -> None:
    for each in said:
        path = f"/sources/{each['source']['ref']}/text"
        await send_good(client, path, "PUT", content=each["text"].encode(), headers=PLAIN)


async def enter_nested(client: httpx.AsyncClient, said: list[Any]) -> None:
    """A mission with all that belongs to it in one request."""
    for each in said:
        await send_good(client, "/sources", json=each["source"])
    await attach_texts(client, said)
    for path, body in (record for each in said for record in each["records"]):
        await send_good(client, f"/{path}", json=body)


async def enter_in_bulk(client: httpx.AsyncClient, said: list[Any]) -> None:
    """All records of a kind in one request."""
    for path, bodies in batches(said):
        if path == "citations":
            await attach_texts(client, said)
        operations = [{"op": "create", "body": body} for body in bodies]
        await send_good(client, f"/{path}/bulk", json={"operations": operations})


async def enter_by_sheets(client: httpx.AsyncClient, said: list[Any]) -> None:
    """A sheet for each kind of record, and of agreements one with a column for each role."""
    for path, bodies in batches(said):
        if path == "citations":
            await attach_texts(client, said)
        flat = [body for body in bodies if path == "agreements" and is_flat(body)]
        for rows in (flat, [body for body in bodies if body not in flat]):
            if rows:
                answer = await send(client, path, table(*(as_row(row) for row in rows)))
                assert answer.status_code == 200, f"{path}: {answer.text}"
                assert answer.json()["created"] == len(rows)


WAYS = {"nested": enter_nested, "bulk": enter_in_bulk, "sheet": enter_by_sheets}


def is_flat(agreement: Body) -> bool:
    """Whether a column for each role says all of the parties, and the rest stands alone."""
    told = {name for party in agreement["parties"] for name in party}
    return told == {"role", "organization"} and "related" not in agreement


def as_row(body: Body) -> Body:
    """A record as a row of a sheet: others by their refs, lists as JSON."""
    row: Body = {}
    for name, value in body.items():
        if name == "parties" and is_flat(body):
            for party in value:
                row[party["role"]] = "; ".join(
                    each["organization"]["ref"] for each in value if each["role"] == party["role"]
                )
        elif name == "record":
            row |= {"record_kind": value["kind"], "record_ref": value["ref"]}
        elif isinstance(value, dict):
            row[name] = value["ref"]
        else:
            row[name] = str(value).lower() if isinstance(value, bool) else value
    return row


def batches(said: list[Any]) -> Iterator[Batch]:
    """All records by their kinds, each after those that it names."""
    found: dict[str, list[Body]] = {path: [] for path in ORDER}
    for each in said:
        for path, body in [("sources", each["source"]), *each["records"]]:
            _take_apart(KINDS[path], body, {}, found)
    of_nobody = [body for body in found["events"] if "mission" not in body]
    found["events"] = [body for body in found["events"] if "mission" in body]
    yield from (("organizations", found.pop("organizations")), ("events", of_nobody))
    yield from found.items()


def _take_apart(resource: Resource, body: Body, tie: Body, found: dict[str, list[Body]]) -> Body:
    """Put the record, and those within it, under their kinds; how others name it."""
    own, under = dict(tie), []
    for name, value in body.items():
        if name in resource.to_many:
            under.append((resource.to_many[name], value))
        elif name in resource.embedded:
            own[name] = [_linked(resource.embedded[name], row, found) for row in value]
        else:
            own |= _linked(resource, {name: value}, found)
    found[resource.path].append(own)
    for collection, items in under:
        above: Body = {"record": {"kind": resource.record_type, "ref": body.get("ref")}}
        if collection.child.path != "citations":
            relation = next(iter(collection.ties(NO_ID)))
            above = {relation.removesuffix("_id"): {"ref": body["ref"]}}
        for item in items:
            _take_apart(collection.child, item, above, found)
    return {"ref": body["ref"]} if "ref" in body else {}


def _linked(at: Resource | Embedded, row: Body, found: dict[str, list[Body]]) -> Body:
    """The row with the refs of records that it writes out, which are put under their kinds."""
    linked = dict(row)
    for name, target in at.to_one.items():
        if name in row and set(row[name]) != {"ref"}:
            linked[name] = _take_apart(target, row[name], {}, found)
    return linked
