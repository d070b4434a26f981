"""A rehearsal answers just as the write itself would, and stores nothing."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from app.api import RESOURCES
from app.core.databases.types import uuid7
from app.engine.resource import Resource
from tests.contract.api import Api, at, each, fault, problem
from tests.examples import JSON, Body
from tests.rest.calls import contents, fields_of, position, send

Plain = tuple[int, dict[str, str], str]


@dataclass(frozen=True)
class Write:
    """A request: what is done to which record, with what body and headers."""

    method: str
    address: str
    body: Any = None
    headers: dict[str, str] | None = None

    async def sent(self, api: Api, dry: bool) -> httpx.Response:
        mark = "&" if "?" in self.address else "?"
        address = f"{self.address}{mark}dry_run=true" if dry else self.address
        return await send(api.client, self.method, address, self.body, **(self.headers or {}))


def _create(api: Api, resource: Resource, record: Body) -> Write:
    return Write("POST", f"/{resource.path}", api.examples.full(resource.path))


def _create_at(api: Api, resource: Resource, record: Body) -> Write:
    body = api.examples.full(resource.path)
    return Write("PUT", f"/{resource.path}/{uuid7()}", body, {"if_none_match": "*"})


def _update(api: Api, resource: Resource, record: Body) -> Write:
    return Write("PATCH", at(resource, record), {"note": "rehearsed"})


def _replace(api: Api, resource: Resource, record: Body) -> Write:
    body = {**fields_of(resource, record), "note": "rehearsed"}
    return Write("PUT", at(resource, record), body)


def _delete(api: Api, resource: Resource, record: Body) -> Write:
    return Write("DELETE", at(resource, record))


def _restore(api: Api, resource: Resource, record: Body) -> Write:
    return Write("POST", f"{at(resource, record)}/restore")


def _restore_version(api: Api, resource: Resource, record: Body) -> Write:
    return Write("POST", f"{at(resource, record)}/restore?version=1")


def _bulk(api: Api, resource: Resource, record: Body) -> Write:
    operations = [
        {"op": "create", "body": api.examples.full(resource.path)},
        {"op": "update", "key": record["id"], "body": {"note": "rehearsed"}},
        {"op": "upsert", "body": {"ref": record["ref"], "note": "again"}},
        {"op": "delete", "key": record["id"]},
    ]
    return Write("POST", f"/{resource.path}/bulk", {"operations": operations})


def _lenient(api: Api, resource: Resource, record: Body) -> Write:
    whole = _bulk(api, resource, record)
    operations = [*whole.body["operations"], {"op": "delete", "key": "nobody-there"}]
    headers = {"prefer": "handling=lenient"}
    return Write("POST", whole.address, {"operations": operations}, headers)


def _update_many(api: Api, resource: Resource, record: Body) -> Write:
    address = f"/{resource.path}?ref={record['ref']}&max_affected=1"
    return Write("PATCH", address, {"note": "rehearsed"})


def _delete_many(api: Api, resource: Resource, record: Body) -> Write:
    return Write("DELETE", f"/{resource.path}?ref={record['ref']}&max_affected=1")


WRITES: dict[str, Callable[[Api, Resource, Body], Write]] = {
    "create": _create,
    "create at an id": _create_at,
    "update": _update,
    "replace": _replace,
    "delete": _delete,
    "restore": _restore,
    "restore a version": _restore_version,
    "bulk": _bulk,
    "lenient bulk": _lenient,
    "update many": _update_many,
    "delete many": _delete_many,
}


def plain(answer: httpx.Response) -> Plain:
    """An answer without what no two requests have alike: new ids, and the time."""
    text = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME", answer.text)
    known: dict[str, str] = {}

    def same(found: re.Match[str]) -> str:
        return known.setdefault(found[0], f"ID{len(known)}")

    text = re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}", same, text)
    kept = ("location", "etag", "content-type", "preference-applied")
    headers = {name: answer.headers[name] for name in kept if name in answer.headers}
    if "location" in headers:
        headers = {name: value for name, value in headers.items() if name not in kept[:2]}
    return answer.status_code, headers, text


async def test_each_write_of_each_kind_answers_as_it_would_and_stores_nothing(
    api: Api, writes_app: FastAPI
) -> None:
    """Of all kinds at once: to compare all that is stored takes longer than all requests."""
    writes = {
        (resource.path, how): await _prepared(api, resource, how)
        for resource, how in product(RESOURCES, WRITES)
    }
    before, seq = await contents(writes_app), await position(writes_app)
    rehearsed, wrong = {}, []
    for of, write in writes.items():
        answer = rehearsed[of] = await write.sent(api, dry=True)
        if await position(writes_app) != seq:
            wrong.append((of, "is stored"))
            seq = await position(writes_app)
        if not answer.is_success or answer.headers.get("dry-run") != "true":
            wrong.append((of, f"{answer.status_code} {answer.text}"))
    assert wrong == []
    assert await contents(writes_app) == before
    for of, write in writes.items():
        before_it = await position(writes_app)
        done = await write.sent(api, dry=False)
        if plain(rehearsed[of]) != plain(done):
            wrong.append((of, f"{plain(rehearsed[of])} is not {plain(done)}"))
        if "dry-run" in done.headers or await position(writes_app) <= before_it:
            wrong.append((of, "is not stored"))
    assert wrong == []


async def _prepared(api: Api, resource: Resource, how: str) -> Write:
    """The write, with a record of its own that it is done to."""
    record = await api.new(resource)
    if how == "restore a version":
        record = await api.change("PATCH", at(resource, record), {"note": "later"})
    if how == "restore":
        await api.trash(at(resource, record))
    return WRITES[how](api, resource, record)


@each
async def test_it_makes_the_same_checks(api: Api, resource: Resource) -> None:
    record = await api.new(resource)
    address = at(resource, record)
    taken = api.examples.full(resource.path, ref=record["ref"])
    for write, status in (
        (Write("POST", f"/{resource.path}", taken), 409),
        (Write("POST", f"/{resource.path}", {**taken, "nota": 1}), 422),
        (Write("PATCH", address, {"nota": 1}), 422),
        (Write("PATCH", address, {"note": "x"}, {"if_match": '"0-x"'}), 412),
        (Write("PUT", address, taken, {"if_none_match": "*"}), 412),
        (Write("PUT", address, {}), 422),
        (Write("DELETE", address, None, {"if_match": '"0-x"'}), 412),
        (Write("DELETE", f"/{resource.path}/nobody-there"), 404),
        (Write("POST", f"{address}/restore?version=9"), 404),
        (Write("POST", f"/{resource.path}/bulk", {"operations": [{"op": "x"}]}), 422),
        (Write("PATCH", f"/{resource.path}?max_affected=1", {}), 400),
    ):
        rehearsed, done = [await write.sent(api, dry) for dry in (True, False)]
        told, real = problem(rehearsed, status), problem(done, status)
        for name in ("type", "title", "detail", "errors", "instance"):
            assert told[name] == real[name]
    assert await api.get(address) == record


async def test_what_lies_under_a_record_is_rehearsed_too(api: Api, writes_app: FastAPI) -> None:
    body = {
        "title": "M",
        "kind": "trade_fair",
        "delegates": [
            {"person": {"full_name": "New"}, "side": "delegation", "capacity": "delegate"}
        ],
        "events": [{"kind": "meeting", "title": "E", "ref": "rehearsed-event"}],
        "agreements": [
            {
                "title": "A",
                "instrument": "supply_contract",
                "event": {"ref": "rehearsed-event"},
                "parties": [{"role": "buyer", "organization": {"kind": "company", "name": "New"}}],
            }
        ],
    }
    write, before = Write("POST", "/missions", body), await contents(writes_app)
    rehearsed = await write.sent(api, dry=True)
    assert await contents(writes_app) == before
    assert plain(rehearsed) == plain(await write.sent(api, dry=False))


async def test_a_record_that_was_rehearsed_is_not_there(api: Api) -> None:
    answer = await Write("POST", "/people", {"full_name": "A"}).sent(api, dry=True)
    problem(await api.client.get(answer.headers["location"]), 404)


async def test_less_can_be_asked_for(api: Api) -> None:
    headers = {"prefer": "return=minimal"}
    answer = await Write("POST", "/people", {"full_name": "A"}, headers).sent(api, dry=True)
    assert (answer.status_code, answer.content) == (201, b"")
    assert answer.headers["dry-run"] == "true"


@pytest.mark.parametrize("value", ["maybe", "", "2", "true&dry_run=true"])
async def test_only_yes_and_no_are_understood(api: Api, value: str) -> None:
    """A wish not to store that is misspelt must not be passed over."""
    body = b'{"full_name": "Not stored"}'
    address = f"/people?dry_run={value}"
    answer = await api.client.post(address, content=body, headers=JSON)
    assert fault(answer)["parameter"] == "dry_run"


async def test_a_misspelt_name_is_refused(api: Api, writes_app: FastAPI) -> None:
    before = await position(writes_app)
    for name in ("dryrun", "dry-run", "DRY_RUN"):
        answer = await send(api.client, "POST", f"/people?{name}=true", {"full_name": "A"})
        assert fault(answer)["parameter"] == name
        assert "dry_run" in fault(answer)["detail"]
    assert await position(writes_app) == before
