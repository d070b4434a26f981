"""What every kind of record shares, over all of them and on both databases."""

import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from itertools import product
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from app.api import COLLECTIONS, RESOURCES
from app.core import jsontext
from app.core.database import prepare
from app.crud.filters import filterable, relations
from app.crud.history import Change
from app.crud.resource import Collection, Resource, read_models
from tests.conftest import client_of
from tests.examples import EXAMPLES, JSON, Body, Examples, create

STAMPS = ("version", "created_at", "updated_at", "deleted_at")
UNKNOWN = "0190b1de-0000-7000-8000-000000000000"
MODELS = read_models(RESOURCES)

each = pytest.mark.parametrize("resource", RESOURCES, ids=lambda r: r.path)


def of_each(named: Callable[[Resource], list[str]]) -> pytest.MarkDecorator:
    """Over all resources and, of each, what the function names: fields, relations, …"""
    pairs = [(resource, item) for resource in RESOURCES for item in named(resource)]
    return pytest.mark.parametrize(
        ("resource", "name"), pairs, ids=[f"{resource.path}-{item}" for resource, item in pairs]
    )


def writable(resource: Resource) -> list[str]:
    return list(resource.fields.model_fields)


def changeable(resource: Resource) -> list[str]:
    return [name for name in writable(resource) if name not in EXAMPLES[resource.path].fixed]


@cache
def properties(resource: Resource) -> dict[str, Any]:
    """The JSON Schema of each field of a body."""
    schema: dict[str, Any] = resource.create.model_json_schema()["properties"]
    return schema


def nullable(resource: Resource) -> list[str]:
    """The fields that a body may hold null in."""
    schema = properties(resource)
    return [
        name for name in writable(resource) if {"type": "null"} in schema[name].get("anyOf", ())
    ]


def clearable(resource: Resource) -> list[str]:
    return [name for name in nullable(resource) if name in changeable(resource)]


def compulsory(resource: Resource) -> list[str]:
    return [name for name in writable(resource) if name not in nullable(resource)]


@dataclass(repr=False)
class Api:
    """The application as one client sees it, and what was stored there to look at."""

    client: httpx.AsyncClient
    examples: Examples
    kept: dict[tuple[str, str], Any] = field(default_factory=dict)

    async def get(self, address: str, **parameters: Any) -> Any:
        answer = await self.client.get(address, params=parameters)
        assert answer.status_code == 200, answer.text
        return jsontext.loads(answer.content)

    async def send(self, method: str, address: str, body: Any) -> httpx.Response:
        content = jsontext.dumps(body)
        return await self.client.request(method, address, content=content, headers=JSON)

    async def change(self, method: str, address: str, body: Any) -> Any:
        answer = await self.send(method, address, body)
        assert answer.status_code == 200, answer.text
        return jsontext.loads(answer.content)

    async def trash(self, address: str) -> None:
        assert (await self.client.delete(address)).status_code == 204

    async def history(self, address: str) -> list[Any]:
        changes: list[Any] = (await self.get(f"{address}/history"))["data"]
        return changes

    async def new(self, resource: Resource, **fields: Any) -> Body:
        """A record of the test's own, with all fields."""
        body = self.examples.full(resource.path, **fields)
        return await create(self.client, resource.path, body)

    async def full(self, resource: Resource) -> Body:
        """A record with all fields that no test changes."""
        return await self._keep(resource, "full", self.examples.full)

    async def other(self, resource: Resource) -> Body:
        """As `full`, with each field at another value."""
        return await self._keep(resource, "other", self.examples.other)

    async def several(self, resource: Resource) -> list[Body]:
        """Six records, in the order of their ids, that share a note which no others have."""
        found: list[Body] | None = self.kept.get((resource.path, "several"))
        if found is None:
            note = f"several {resource.path}"
            kinds = (self.examples.full, self.examples.minimal, self.examples.other)
            bodies = [kind(resource.path, note=note) for kind in kinds * 2]
            found = [await create(self.client, resource.path, body) for body in bodies]
            found.sort(key=lambda record: str(record["id"]))
            self.kept[resource.path, "several"] = found
        return found

    async def _keep(self, resource: Resource, name: str, body: Callable[[str], Body]) -> Body:
        record: Body | None = self.kept.get((resource.path, name))
        if record is None:
            record = await create(self.client, resource.path, body(resource.path))
            self.kept[resource.path, name] = record
        return record


@pytest.fixture(scope="session")
async def api(shared_app: FastAPI) -> AsyncIterator[Api]:
    async with client_of(shared_app) as client:
        yield Api(client, await Examples.on(client))


def at(resource: Resource, record: Body) -> str:
    return f"/{resource.path}/{record['id']}"


def problem(answer: httpx.Response, status: int) -> Any:
    """The problem document of an answer, after a look at its shape."""
    assert answer.status_code == status, answer.text
    told = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert list(told) == ["type", "title", "status", "detail", "instance", "request_id", "errors"]
    assert told["status"] == status
    assert told["request_id"] == answer.headers["x-request-id"]
    assert told["instance"] == answer.request.url.path
    for fault in told["errors"]:
        assert list(fault) == ["pointer", "parameter", "code", "detail"]
    return told


def pointers(answer: httpx.Response) -> list[str]:
    return [fault["pointer"] for fault in problem(answer, 422)["errors"]]


def fault(answer: httpx.Response, status: int = 400) -> Any:
    (only,) = problem(answer, status)["errors"]
    return only


def differences(before: Body | None, after: Body) -> Body:
    """`{field: [old, new]}`, stamps apart, as history tells it."""
    old = before or {}
    return {
        name: [old.get(name), value]
        for name, value in after.items()
        if old.get(name) != value and name not in ("id", *STAMPS[:3])
    }


# Anybody may do anything: access control comes later.


@each
async def test_anybody_lists(api: Api, resource: Resource) -> None:
    assert (await api.client.get(f"/{resource.path}")).status_code == 200


@each
async def test_anybody_creates_and_gets(api: Api, resource: Resource) -> None:
    record = await api.new(resource)
    assert await api.get(at(resource, record)) == record


@each
async def test_anybody_changes_replaces_trashes_restores_and_reads_history(
    api: Api, resource: Resource
) -> None:
    body = api.examples.full(resource.path)
    address = at(resource, await create(api.client, resource.path, body))
    await api.change("PATCH", address, {"note": "changed"})
    await api.change("PUT", address, body)
    await api.trash(address)
    assert (await api.client.post(f"{address}/restore")).status_code == 200
    assert len(await api.history(address)) == 5


# Create


@each
def test_examples_show_every_field(resource: Resource) -> None:
    example = EXAMPLES[resource.path]
    required = {n for n, info in resource.fields.model_fields.items() if info.is_required()}
    assert required <= set(example.minimal)
    assert set(example.full) == set(example.other) == set(writable(resource))
    assert {name for name, value in example.full.items() if value is None} == example.excluded
    same = {name for name, value in example.full.items() if example.other[name] == value}
    assert same - {"ref", "note"} == example.fixed


@each
async def test_create_needs_no_more_than_the_required_fields(api: Api, resource: Resource) -> None:
    body = api.examples.minimal(resource.path)
    record = await create(api.client, resource.path, body)
    assert list(record) == list(resource.shown)
    assert record["version"] == 1
    assert record["deleted_at"] is None
    assert record["created_at"] == record["updated_at"]
    for name, info in resource.fields.model_fields.items():
        default = None if name in body else info.get_default(call_default_factory=True)
        derived = EXAMPLES[resource.path].derived.get(name)
        assert record[name] in (body.get(name, default), derived)


@each
async def test_create_keeps_every_field_digit_for_digit(api: Api, resource: Resource) -> None:
    body = api.examples.full(resource.path)
    answer = await api.send("POST", f"/{resource.path}", body)
    record = jsontext.loads(answer.content)
    assert answer.status_code == 201
    assert {name: record[name] for name in body} == body
    assert answer.headers["location"] == at(resource, record)
    assert await api.get(answer.headers["location"]) == record


@each
async def test_create_needs_the_required_fields(api: Api, resource: Resource) -> None:
    answer = await api.send("POST", f"/{resource.path}", {})
    required = [f"/{n}" for n, info in resource.create.model_fields.items() if info.is_required()]
    assert pointers(answer) == required


@each
async def test_create_refuses_a_field_that_is_not_there(api: Api, resource: Resource) -> None:
    body = api.examples.full(resource.path, nota="x")
    answer = await api.send("POST", f"/{resource.path}", body)
    assert pointers(answer) == ["/nota"]
    assert "'note'" in answer.json()["detail"]


@each
async def test_create_refuses_what_the_server_sets(api: Api, resource: Resource) -> None:
    for name in ("id", *STAMPS):
        body = api.examples.full(resource.path, **{name: None})
        assert pointers(await api.send("POST", f"/{resource.path}", body)) == [f"/{name}"]


@each
async def test_create_refuses_a_ref_that_is_taken(api: Api, resource: Resource) -> None:
    taken = (await api.full(resource))["ref"]
    body = api.examples.full(resource.path, ref=taken)
    assert fault(await api.send("POST", f"/{resource.path}", body), 409)["pointer"] == "/ref"


@each
async def test_a_ref_stays_taken_in_the_trash(api: Api, resource: Resource) -> None:
    record = await api.new(resource)
    await api.trash(at(resource, record))
    body = api.examples.full(resource.path, ref=record["ref"])
    assert fault(await api.send("POST", f"/{resource.path}", body), 409)["pointer"] == "/ref"


@each
async def test_a_ref_that_looks_like_an_id_is_refused(api: Api, resource: Resource) -> None:
    body = api.examples.full(resource.path, ref=UNKNOWN)
    assert pointers(await api.send("POST", f"/{resource.path}", body)) == ["/ref"]


REFERENCES = [
    (resource, name)
    for resource in RESOURCES
    for name in writable(resource)
    if name.removesuffix("_id") in resource.one
]


@pytest.mark.parametrize(
    ("resource", "name"), REFERENCES, ids=[f"{r.path}-{name}" for r, name in REFERENCES]
)
async def test_a_reference_to_nothing_or_into_the_trash_is_refused(
    api: Api, resource: Resource, name: str
) -> None:
    target = resource.one[name.removesuffix("_id")]
    trashed = await create(api.client, target.path, api.examples.minimal(target.path))
    await api.trash(at(target, trashed))
    for nowhere in (UNKNOWN, trashed["id"]):
        body = api.examples.full(resource.path)
        body |= dict.fromkeys(EXAMPLES[resource.path].change_of(name))
        answer = await api.send("POST", f"/{resource.path}", body | {name: nowhere})
        assert f"/{name}" in pointers(answer)


# Get


@each
async def test_get_finds_by_id_and_by_ref(api: Api, resource: Resource) -> None:
    record = await api.full(resource)
    assert await api.get(at(resource, record)) == record
    assert await api.get(f"/{resource.path}/{record['id'].upper()}") == record
    assert await api.get(f"/{resource.path}/{record['ref']}") == record


NOWHERE = (UNKNOWN, "nowhere", "%D0%81", "%F0%9F%98%80", "%00", "a%00b", "-", "a" * 36, "x" * 5000)


@each
async def test_an_unknown_record_is_not_found(api: Api, resource: Resource) -> None:
    body = api.examples.full(resource.path)
    for key in NOWHERE:
        address = f"/{resource.path}/{key}"
        problem(await api.client.get(address), 404)
        problem(await api.client.get(f"{address}/history"), 404)
        problem(await api.send("PATCH", address, {}), 404)
        problem(await api.send("PUT", address, body), 404)
        problem(await api.client.delete(address), 404)
        problem(await api.client.post(f"{address}/restore"), 404)


# List


async def listed(api: Api, address: str, **parameters: Any) -> list[Body]:
    found: list[Body] = (await api.get(address, **parameters))["data"]
    return found


def as_parameter(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@each
async def test_a_list_holds_what_was_created(api: Api, resource: Resource) -> None:
    records = await api.several(resource)
    answer = await api.get(f"/{resource.path}", note=records[0]["note"])
    page = {"limit": 50, "offset": 0, "has_next": False, "total": None}
    assert answer == {"data": records, "page": page}


@of_each(filterable)
async def test_a_list_is_filtered_by_each_field(api: Api, resource: Resource, name: str) -> None:
    record = await api.full(resource)
    unlike = (await api.other(resource))[name]
    address, narrow = f"/{resource.path}", {"id": record["id"]}
    if record[name] is not None:
        value = as_parameter(record[name])
        assert await listed(api, address, **narrow | {name: value}) == [record]
    if unlike not in (None, record[name]):
        value = as_parameter(unlike)
        assert record not in await listed(api, address, **narrow | {name: value})


ODD = (
    "1" * 30,
    "-1",
    "1e400",
    "NaN",
    "Infinity",
    "",
    " ",
    "x" * 3000,
    "\ud7ff",
    "%00",
    "٣",
    "null",
)
ODD_TIMES = ("2016-01-01T00:00:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "0")


@each
async def test_an_odd_value_of_a_filter_is_no_failure(api: Api, resource: Resource) -> None:
    for name, value in product(filterable(resource), ODD + ODD_TIMES):
        answer = await api.client.get(f"/{resource.path}", params={name: value, "limit": 1})
        assert answer.status_code in (200, 400), (name, value, answer.text)


@of_each(filterable)
async def test_a_list_is_sorted_by_each_field(api: Api, resource: Resource, name: str) -> None:
    records = await api.several(resource)
    by_value = sorted((r for r in records if r[name] is not None), key=lambda r: (r[name], r["id"]))
    without = [record for record in records if record[name] is None]
    address, narrow = f"/{resource.path}", {"note": records[0]["note"]}
    assert await listed(api, address, **narrow, sort=name) == by_value + without
    turned = by_value[::-1] + without[::-1]
    assert await listed(api, address, **narrow, sort=f"-{name}") == turned


@each
async def test_a_list_is_sorted_by_several_fields(api: Api, resource: Resource) -> None:
    records = await api.several(resource)
    found = await listed(api, f"/{resource.path}", note=records[0]["note"], sort="note,-id")
    assert found == records[::-1]


@each
async def test_pages_follow_each_other_by_their_links(api: Api, resource: Resource) -> None:
    records = await api.several(resource)
    first = {"note": records[0]["note"], "limit": 2, "count": "exact", "sort": "id"}
    answer = await api.client.get(f"/{resource.path}", params=first)
    found = []
    for offset in (0, 2, 4):
        page = {"limit": 2, "offset": offset, "has_next": offset < 4, "total": 6}
        assert answer.json()["page"] == page
        assert (
            {*answer.links} == {"next"}
            if not offset
            else {"prev"}
            if offset == 4
            else {"next", "prev"}
        )
        found += jsontext.loads(answer.content)["data"]
        if offset < 4:
            answer = await api.client.get(answer.links["next"]["url"])
    assert found == records
    before = await api.client.get(answer.links["prev"]["url"])
    assert jsontext.loads(before.content)["data"] == records[2:4]


@each
async def test_a_page_has_at_most_1000_records(api: Api, resource: Resource) -> None:
    assert (await api.get(f"/{resource.path}", limit=1001))["page"]["limit"] == 1000
    assert (await api.get(f"/{resource.path}", limit=2**53, offset=2**53))["data"] == []


REFUSED = [
    ("limit=0", "limit"),
    ("limit=-1", "limit"),
    ("limit=x", "limit"),
    (f"limit={10**30}", "limit"),
    ("offset=-1", "offset"),
    (f"offset={10**30}", "offset"),
    ("count=many", "count"),
    ("deleted=maybe", "deleted"),
    ("sort=note,,id", "sort"),
    ("sort=nowhere", "sort"),
    ("sort=--note", "sort"),
    ("expand=nowhere", "expand"),
    ("expand=a.b.c.d", "expand"),
    ("nowhere=1", "nowhere"),
    ("note=1&note=2", "note"),
    ("note=%00", "note"),
]


@each
async def test_a_list_refuses_a_wrong_parameter(api: Api, resource: Resource) -> None:
    for query, parameter in REFUSED:
        answer = await api.client.get(f"/{resource.path}?{query}")
        assert fault(answer)["parameter"] == parameter, query


@each
async def test_a_parameter_that_is_not_there_is_told_the_nearest(
    api: Api, resource: Resource
) -> None:
    assert "'note'" in fault(await api.client.get(f"/{resource.path}?nota=1"))["detail"]
    assert "'note'" in fault(await api.client.get(f"/{resource.path}?sort=-nota"))["detail"]
    record = at(resource, await api.full(resource))
    assert "'expand'" in fault(await api.client.get(f"{record}?expnd=x"))["detail"]
    assert fault(await api.client.delete(f"{record}?nota=1"))["parameter"] == "nota"


@each
async def test_a_query_that_is_not_utf8_is_refused(api: Api, resource: Resource) -> None:
    for query in ("note=%FF", "note=%ED%A0%80", "%FF=1"):
        problem(await api.client.get(f"/{resource.path}?{query}"), 400)


# Change


@of_each(changeable)
async def test_a_patch_changes_only_the_field_it_names(
    api: Api, resource: Resource, name: str
) -> None:
    before = await api.new(resource)
    patch = api.examples.fill(EXAMPLES[resource.path].change_of(name))
    after = await api.change("PATCH", at(resource, before), patch)
    assert {each: after[each] for each in patch} == patch
    assert after["version"] == 2
    assert after["updated_at"] > before["updated_at"]
    bounds = {f"{each}_{end}" for each in patch for end in ("earliest", "latest")}
    ours = {*patch, *bounds, *resource.computed.model_fields}
    assert set(differences(before, after)) <= ours
    assert await api.get(at(resource, before)) == after


@of_each(compulsory)
async def test_a_patch_cannot_clear_a_field_that_is_never_null(
    api: Api, resource: Resource, name: str
) -> None:
    before = await api.full(resource)
    answer = await api.send("PATCH", at(resource, before), {"note": "new", name: None})
    assert pointers(answer)[0] == f"/{name}"
    assert await api.get(at(resource, before)) == before


@of_each(clearable)
async def test_a_patch_clears_a_field_with_null(api: Api, resource: Resource, name: str) -> None:
    example = EXAMPLES[resource.path]
    before = await api.new(resource)
    patch = {name: None, **example.cleared.get(name, {})}
    after = await api.change("PATCH", at(resource, before), patch)
    alone = name in example.derived and len(patch) == 1
    assert after[name] == (example.derived[name] if alone else None)
    assert (after.get(f"{name}_earliest"), after.get(f"{name}_latest")) == (None, None)


@each
async def test_a_patch_that_changes_nothing_leaves_no_trace(api: Api, resource: Resource) -> None:
    record = await api.full(resource)
    same = {name: record[name] for name in writable(resource)}
    address = at(resource, record)
    assert await api.change("PATCH", address, same) == record
    assert await api.change("PATCH", address, {}) == record
    assert len(await api.history(address)) == 1


@each
async def test_a_patch_refuses_what_is_not_there(api: Api, resource: Resource) -> None:
    before = await api.full(resource)
    for name in ("nota", "id", *STAMPS):
        answer = await api.send(
            "PATCH", at(resource, before), {"note": "new", name: before.get(name)}
        )
        assert pointers(answer) == [f"/{name}"]
    assert await api.get(at(resource, before)) == before


@each
async def test_a_patch_by_ref_can_change_the_ref(api: Api, resource: Resource) -> None:
    before = await api.new(resource)
    ref = f"renamed-{before['ref']}"
    after = await api.change("PATCH", f"/{resource.path}/{before['ref']}", {"ref": ref})
    assert await api.get(f"/{resource.path}/{ref}") == after
    problem(await api.client.get(f"/{resource.path}/{before['ref']}"), 404)


@each
async def test_a_patch_refuses_a_ref_that_is_taken(api: Api, resource: Resource) -> None:
    before = await api.other(resource)
    taken = (await api.full(resource))["ref"]
    answer = await api.send("PATCH", at(resource, before), {"ref": taken})
    assert fault(answer, 409)["pointer"] == "/ref"
    assert await api.get(at(resource, before)) == before


LISTS = [
    (r, n) for r in RESOURCES for n in writable(r) if isinstance(EXAMPLES[r.path].full[n], list)
]


@pytest.mark.parametrize(("resource", "name"), LISTS, ids=[f"{r.path}-{name}" for r, name in LISTS])
async def test_a_list_of_a_record_can_be_turned_round(
    api: Api, resource: Resource, name: str
) -> None:
    before = await api.new(resource)
    turned = before[name][::-1]
    after = await api.change("PATCH", at(resource, before), {name: turned})
    assert after[name] == turned != before[name]


@each
async def test_replace_sets_every_field(api: Api, resource: Resource) -> None:
    before = await api.new(resource)
    body = api.examples.other(resource.path)
    after = await api.change("PUT", at(resource, before), body)
    assert {name: after[name] for name in body} == body
    assert (after["id"], after["version"]) == (before["id"], 2)
    assert after["created_at"] == before["created_at"]


@each
async def test_replace_sets_what_is_left_out_to_its_default(api: Api, resource: Resource) -> None:
    before = await api.new(resource)
    fixed = {name: before[name] for name in EXAMPLES[resource.path].fixed}
    body = api.examples.minimal(resource.path) | fixed
    after = await api.change("PUT", at(resource, before), body)
    new = await create(api.client, resource.path, api.examples.minimal(resource.path) | fixed)
    assert set(differences(after, new)) <= {"provider"}


@each
@pytest.mark.parametrize("kind", ["minimal", "full", "other"])
async def test_replace_with_the_same_leaves_no_trace(
    api: Api, resource: Resource, kind: str
) -> None:
    body = getattr(api.examples, kind)(resource.path)
    record = await create(api.client, resource.path, body)
    assert await api.change("PUT", at(resource, record), body) == record
    assert len(await api.history(at(resource, record))) == 1


async def test_what_an_outcome_moved_stays_as_it_is(api: Api) -> None:
    outcome = await create(api.client, "outcomes", api.examples.full("outcomes"))
    for name, other in (
        ("agreement_id", api.examples.ids["agreements"][1]),
        ("status", "completed"),
    ):
        answer = await api.send("PATCH", f"/outcomes/{outcome['id']}", {name: other})
        assert fault(answer, 409)["pointer"] == f"/{name}"


async def test_an_amount_is_cleared_with_its_currency_alone(api: Api) -> None:
    body = api.examples.minimal("agreements", amount=5, currency="USD")
    agreement = await create(api.client, "agreements", body)
    assert agreement["amount_bound"] == "exact"
    patch = {"amount": None, "currency": None}
    after = await api.change("PATCH", f"/agreements/{agreement['id']}", patch)
    assert after["amount_bound"] is None


# The trash


@each
async def test_the_trash_holds_what_is_deleted(api: Api, resource: Resource) -> None:
    record = await api.new(resource)
    address, narrow = at(resource, record), {"id": record["id"]}
    answer = await api.client.delete(address)
    assert (answer.status_code, answer.content) == (204, b"")
    assert "deleted=include" in problem(await api.client.get(address), 404)["detail"]
    problem(await api.client.get(f"/{resource.path}/{record['ref']}"), 404)
    kept = await api.get(address, deleted="include")
    assert kept == record | {n: kept[n] for n in ("version", "updated_at", "deleted_at")}
    assert kept["version"] == 2
    assert record["updated_at"] < kept["deleted_at"] <= kept["updated_at"]
    assert await listed(api, f"/{resource.path}", **narrow) == []
    for deleted in ("include", "only"):
        assert await listed(api, f"/{resource.path}", **narrow, deleted=deleted) == [kept]


@each
async def test_a_record_in_the_trash_cannot_be_changed(api: Api, resource: Resource) -> None:
    record = await api.new(resource)
    address = at(resource, record)
    await api.trash(address)
    problem(await api.client.delete(address), 404)
    problem(await api.send("PATCH", address, {"note": "new"}), 404)
    problem(await api.send("PUT", address, api.examples.full(resource.path)), 404)
    assert (await api.get(address, deleted="include"))["version"] == 2


@each
async def test_restore_brings_a_record_back(api: Api, resource: Resource) -> None:
    record = await api.new(resource)
    address = at(resource, record)
    await api.trash(f"/{resource.path}/{record['ref']}")
    back = (await api.client.post(f"/{resource.path}/{record['ref']}/restore")).json()
    assert (back["version"], back["deleted_at"]) == (3, None)
    assert differences(record, await api.get(address)) == {}
    assert [r["id"] for r in await listed(api, f"/{resource.path}", id=record["id"])] == [
        record["id"]
    ]


@each
async def test_restore_leaves_a_live_record_as_it_is(api: Api, resource: Resource) -> None:
    record = await api.full(resource)
    answer = await api.client.post(f"{at(resource, record)}/restore")
    assert (answer.status_code, jsontext.loads(answer.content)) == (200, record)
    assert len(await api.history(at(resource, record))) == 1


@each
async def test_only_shows_nothing_but_the_trash(api: Api, resource: Resource) -> None:
    record = await api.full(resource)
    assert await listed(api, f"/{resource.path}", id=record["id"], deleted="only") == []
    assert await listed(api, f"/{resource.path}", id=record["id"], deleted="include") == [record]


# History


@each
async def test_each_write_leaves_one_entry_of_what_it_changed(api: Api, resource: Resource) -> None:
    states: list[Body] = [await api.new(resource)]
    address = at(resource, states[0])
    states.append(await api.change("PATCH", address, {"note": "changed"}))
    body = {
        name: value for name, value in api.examples.other(resource.path).items() if name != "ref"
    }
    states.append(await api.change("PUT", address, body))
    await api.trash(address)
    states.append(await api.get(address, deleted="include"))
    states.append((await api.client.post(f"{address}/restore")).json(parse_float=Decimal))
    entries = (await api.history(address))[::-1]
    assert [e["action"] for e in entries] == ["create", "update", "replace", "delete", "restore"]
    assert [e["version"] for e in entries] == [state["version"] for state in states]
    assert [e["at"] for e in entries] == sorted(e["at"] for e in entries)
    for entry, before, after in zip(entries, [None, *states], states, strict=False):
        told = differences(before, after)
        assert entry["changes"] == {n: told[n] for n in told if n not in resource.borrowed}
        assert (entry["kind"], entry["record_id"]) == (resource.kind, after["id"])
        assert entry["actor"] == "anonymous"
        assert list(entry) == [
            "seq",
            "at",
            "actor",
            "action",
            "kind",
            "record_id",
            "version",
            "changes",
        ]


@each
async def test_history_is_read_in_pages_newest_first(api: Api, resource: Resource) -> None:
    record = await api.new(resource)
    for note in "abc":
        await api.change("PATCH", at(resource, record), {"note": note})
    page = await api.get(f"/{resource.path}/{record['ref']}/history", limit=2, offset=1)
    assert [entry["version"] for entry in page["data"]] == [3, 2]
    assert page["page"] == {"limit": 2, "offset": 1, "has_next": True, "total": None}


@each
async def test_a_refused_write_leaves_no_entry(
    api: Api, resource: Resource, shared_app: FastAPI
) -> None:
    first, second = await api.full(resource), await api.other(resource)
    address = at(resource, second)
    before = await numbers(shared_app)
    problem(await api.send("PATCH", address, {"ref": first["ref"]}), 409)
    problem(
        await api.send(
            "POST", f"/{resource.path}", api.examples.full(resource.path, ref=first["ref"])
        ),
        409,
    )
    problem(await api.send("PATCH", address, {"ref": ""}), 422)
    problem(await api.send("PATCH", f"/{resource.path}/nowhere", {}), 404)
    assert await numbers(shared_app) == before


async def test_changes_are_numbered_without_gaps(api: Api, shared_app: FastAPI) -> None:
    await api.new(RESOURCES[0])
    found = await numbers(shared_app)
    assert found == list(range(1, len(found) + 1))


async def numbers(app: FastAPI) -> list[int]:
    database = app.state.database
    rows = await database.read(
        prepare(select(Change.seq).order_by(Change.seq), database.dialect), {}
    )
    return [row[0] for row in rows]


# Expansion


def expandable(resource: Resource) -> list[str]:
    return list(relations(resource))


async def shown(api: Api, resource: Resource) -> list[str]:
    """Addresses of two records that have something to expand: the article's and one of ours."""
    seeded = await listed(api, f"/{resource.path}", limit=1, sort="id")
    return [at(resource, record) for record in [*seeded, await api.full(resource)]]


async def looked_up(api: Api, resource: Resource, address: str, name: str, expand: str = "") -> Any:
    """What a relation of a record stands for, read at its own address."""
    inner = {"expand": expand} if expand else {}
    if name in resource.many:
        path = f"{address}/{resource.many[name].name}"
        return await listed(api, path, limit=1000, **inner)
    key = (await api.get(address))[f"{name}_id"]
    return key and await api.get(f"/{resource.one[name].path}/{key}", **inner)


@of_each(expandable)
async def test_each_relation_shows_what_it_stands_for(
    api: Api, resource: Resource, name: str
) -> None:
    for address in await shown(api, resource):
        plain, expanded = await api.get(address), await api.get(address, expand=name)
        if name in resource.parts:
            assert expanded == plain
        else:
            assert expanded == {**plain, name: await looked_up(api, resource, address, name)}
            assert list(expanded) == [*plain, name]


@each
async def test_all_relations_are_shown_together(api: Api, resource: Resource) -> None:
    names = expandable(resource)
    for address in await shown(api, resource):
        alone: Body = {}
        for name in names:
            alone |= await api.get(address, expand=name)
        assert await api.get(address, expand=",".join(names)) == alone


def two_steps(resource: Resource) -> list[str]:
    return [
        f"{name}.{inner}" for name, at in relations(resource).items() for inner in relations(at)
    ]


@of_each(two_steps)
async def test_a_relation_of_a_relation_shows_what_it_stands_for(
    api: Api, resource: Resource, name: str
) -> None:
    first, second = name.split(".")
    for address in await shown(api, resource):
        found = (await api.get(address, expand=name))[first]
        if first in resource.parts:
            target = resource.parts[first].one[second]
            for row in found:
                key = row[f"{second}_id"]
                assert row[second] == (key and await api.get(f"/{target.path}/{key}"))
        else:
            assert found == await looked_up(api, resource, address, first, second)


@each
async def test_an_expansion_of_a_list_is_that_of_each_record(api: Api, resource: Resource) -> None:
    expand = ",".join([*expandable(resource), *two_steps(resource)][:12])
    for record in await listed(api, f"/{resource.path}", limit=3, sort="id", expand=expand):
        assert record == await api.get(at(resource, record), expand=expand)


@each
async def test_an_expansion_goes_three_steps_deep(api: Api, resource: Resource) -> None:
    path = ["citations"] * 4
    address = at(resource, await api.full(resource))
    assert "citations" in await api.get(address, expand=".".join(path[:3]))
    assert fault(await api.client.get(f"{address}?expand={'.'.join(path)}"))["code"] == "too_deep"


@each
async def test_an_unknown_relation_is_told_the_nearest(api: Api, resource: Resource) -> None:
    address = at(resource, await api.full(resource))
    wrong = fault(await api.client.get(f"{address}?expand=citation"))
    assert (wrong["parameter"], "'citations'" in wrong["detail"]) == ("expand", True)


# Collections under a record

Tie = Callable[[Api, str], Awaitable[Body]]


def _tied(path: str, **fields: Any) -> Tie:
    """A child that one of its own fields ties to the parent, which is `PARENT` there."""

    async def make(api: Api, parent: str) -> Body:
        body = api.examples.full(
            path, **jsontext.loads(jsontext.dumps(fields).replace(b"PARENT", parent.encode()))
        )
        return await create(api.client, path, body)

    return make


async def _taking_part(api: Api, parent: str) -> Body:
    company = await create(api.client, "companies", api.examples.full("companies"))
    body = api.examples.minimal("participations", mission_id=parent, organization_id=company["id"])
    await create(api.client, "participations", body)
    return company


async def _come_of(api: Api, parent: str) -> Body:
    agreement = await _tied("agreements", mission_id="PARENT", event_id=None)(api, parent)
    body = api.examples.full("outcomes", agreement_id=agreement["id"])
    return await create(api.client, "outcomes", body)


_CONCLUDED = _tied("agreements", parties=[{"role": "buyer", "organization_id": "PARENT"}])
TIES: dict[tuple[str, str], Tie] = {
    ("missions", "agreements"): _tied("agreements", mission_id="PARENT", event_id=None),
    **{
        ("missions", name): _tied(name, mission_id="PARENT")
        for name in (
            "delegates",
            "participations",
            "events",
            "statements",
            "reported-totals",
        )
    },
    ("missions", "companies"): _taking_part,
    ("missions", "outcomes"): _come_of,
    ("people", "delegates"): _tied("delegates", person_id="PARENT"),
    ("companies", "agreements"): _CONCLUDED,
    ("organizations", "agreements"): _CONCLUDED,
    ("events", "agreements"): _tied("agreements", event_id="PARENT"),
    ("agreements", "outcomes"): _tied("outcomes", agreement_id="PARENT"),
    **{
        (r.path, "citations"): _tied(
            "citations", record_kind=r.kind, record_id="PARENT", field=None
        )
        for r in RESOURCES
    },
}
under_each = pytest.mark.parametrize(
    "collection", COLLECTIONS, ids=[f"{c.parent.path}-{c.name}" for c in COLLECTIONS]
)


@under_each
async def test_a_collection_lists_exactly_the_live_records_of_its_parent(
    api: Api, collection: Collection
) -> None:
    tie = TIES[collection.parent.path, collection.name]
    parent, elsewhere = await api.new(collection.parent), await api.new(collection.parent)
    live, trashed = await tie(api, parent["id"]), await tie(api, parent["id"])
    await tie(api, elsewhere["id"])
    await api.trash(at(collection.child, trashed))
    address = f"{at(collection.parent, parent)}/{collection.name}"
    found = await api.get(address, count="exact")
    assert [record["id"] for record in found["data"]] == [live["id"]]
    assert found["page"]["total"] == 1
    assert (await api.get(f"/{collection.parent.path}/{parent['ref']}/{collection.name}")) | {
        "page": 0
    } == found | {"page": 0}
    assert [r["id"] for r in await listed(api, address, deleted="only")] == [trashed["id"]]
    assert await listed(api, address, id=trashed["id"]) == []


@under_each
async def test_a_collection_needs_its_parent(api: Api, collection: Collection) -> None:
    parent = await api.new(collection.parent)
    await api.trash(at(collection.parent, parent))
    for key in (UNKNOWN, "nowhere", parent["id"]):
        problem(await api.client.get(f"/{collection.parent.path}/{key}/{collection.name}"), 404)


async def test_a_company_whose_participation_is_in_the_trash_takes_no_part(api: Api) -> None:
    mission = await create(api.client, "missions", api.examples.minimal("missions"))
    company = await _taking_part(api, mission["id"])
    address = f"/missions/{mission['id']}"
    (participation,) = await listed(api, f"{address}/participations")
    assert [c["id"] for c in await listed(api, f"{address}/companies")] == [company["id"]]
    await api.trash(f"/participations/{participation['id']}")
    assert await listed(api, f"{address}/companies") == []


async def test_a_company_whose_agreement_is_in_the_trash_takes_no_part(api: Api) -> None:
    mission = await create(api.client, "missions", api.examples.minimal("missions"))
    company = await create(api.client, "companies", api.examples.minimal("companies"))
    party = {"role": "buyer", "organization_id": company["id"]}
    body = api.examples.minimal("agreements", mission_id=mission["id"], parties=[party, party])
    agreement = await create(api.client, "agreements", body)
    address = f"/missions/{mission['id']}/companies"
    assert [c["id"] for c in await listed(api, address)] == [company["id"]]
    await api.trash(f"/agreements/{agreement['id']}")
    assert await listed(api, address) == []


# The number of statements


@pytest.fixture
def statements(shared_app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The SQL of every read since the test began."""
    seen: list[str] = []
    database = shared_app.state.database
    read = database.read

    async def noted(statement: Any, *arguments: Any) -> Any:
        seen.append(statement.sql)
        return await read(statement, *arguments)

    monkeypatch.setattr(database, "read", noted)
    return seen


@each
async def test_a_read_is_one_statement_whatever_it_shows(
    api: Api, resource: Resource, statements: list[str]
) -> None:
    record = at(resource, (await api.several(resource))[0])
    expand = ",".join([*expandable(resource), *two_steps(resource)][:12])
    for address, number in (
        (f"{record}?expand={expand}", 1),
        (f"/{resource.path}?limit=1&expand={expand}", 1),
        (f"/{resource.path}?limit=50&expand={expand}", 1),
        (f"/{resource.path}?limit=50&count=exact&expand={expand}", 2),
        (f"{record}/citations?limit=50&expand=source", 2),
        (f"{record}/history", 2),
    ):
        statements.clear()
        assert (await api.client.get(address)).status_code == 200
        assert len(statements) == number, address


# What is rendered is what the schema says


@each
async def test_an_answer_is_what_its_schema_would_write(api: Api, resource: Resource) -> None:
    expand = ",".join([*expandable(resource), *two_steps(resource)][:16])
    for address in await shown(api, resource):
        answer = await api.client.get(address, params={"expand": expand})
        read = MODELS[resource.name].model_validate(jsontext.loads(answer.content))
        written = read.model_dump(mode="json", exclude_unset=True)
        assert json.dumps(written) == json.dumps(answer.json())


@each
async def test_a_list_is_what_its_schema_would_write(api: Api, resource: Resource) -> None:
    answer = await api.client.get(f"/{resource.path}", params={"limit": 20, "count": "exact"})
    read = MODELS[f"{resource.name}List"].model_validate(jsontext.loads(answer.content))
    written = read.model_dump(mode="json", exclude_unset=True)
    assert json.dumps(written) == json.dumps(answer.json())


# HTTP


@each
async def test_head_answers_as_get_without_content(api: Api, resource: Resource) -> None:
    record = at(resource, await api.full(resource))
    for address in (
        record,
        f"/{resource.path}?limit=1",
        f"{record}/history",
        f"{record}/nowhere",
        f"{record}/citations",
    ):
        head, get = await api.client.head(address), await api.client.get(address)
        assert (head.status_code, head.content) == (get.status_code, b"")
        for headers in (head.headers, get.headers):
            headers.pop("x-request-id")
        assert head.headers == get.headers


@each
async def test_a_method_that_is_not_there_is_told_those_that_are(
    api: Api, resource: Resource
) -> None:
    record = at(resource, await api.full(resource))
    for address, method, allowed in (
        (f"/{resource.path}", "DELETE", "GET, HEAD, POST"),
        (record, "POST", "DELETE, GET, HEAD, PATCH, PUT"),
        (f"{record}/history", "PUT", "GET, HEAD"),
        (f"{record}/restore", "GET", "POST"),
        (f"{record}/restore", "HEAD", "POST"),
    ):
        answer = await api.client.request(method, address)
        assert (answer.status_code, answer.headers["allow"]) == (405, allowed)


@each
async def test_an_address_that_is_not_there_is_not_found(api: Api, resource: Resource) -> None:
    record = at(resource, await api.full(resource))
    for address in (
        f"{record}/nowhere",
        f"{record}/history/1",
        f"{record}/",
        f"/{resource.path}//history",
    ):
        problem(await api.client.get(address), 404)


@each
async def test_a_body_of_another_type_is_refused(api: Api, resource: Resource) -> None:
    record = at(resource, await api.full(resource))
    for method, address in (("POST", f"/{resource.path}"), ("PATCH", record), ("PUT", record)):
        for headers in ({}, {"content-type": "text/plain"}, {"content-type": "json"}):
            answer = await api.client.request(method, address, content=b"{}", headers=headers)
            problem(answer, 415)
            accepted = answer.headers["accept-patch"].split(", ")
            assert set(accepted) == {"application/merge-patch+json", "application/json"}


@each
async def test_a_merge_patch_is_json(api: Api, resource: Resource) -> None:
    record = await api.full(resource)
    for kind in ("application/merge-patch+json", "Application/JSON; charset=utf-8"):
        answer = await api.client.patch(
            at(resource, record), content=b"{}", headers={"content-type": kind}
        )
        assert answer.status_code == 200


BROKEN = {
    "nothing": b"",
    "half an object": b'{"note": "x"',
    "two values": b"{} {}",
    "a comma too many": b'{"note": "x",}',
    "single quotes": b"{'note': 1}",
    "not UTF-8": b'{"note": "\xff"}',
    "UTF-16": '{"note": "x"}'.encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf{}",
    "a name twice": b'{"note": "x", "note": "y"}',
    "a name twice below": b'{"note": {"a": 1, "a": 1}}',
    "deep lists": b"[" * 65 + b"]" * 65,
    "very deep lists": b"[" * 100_000 + b"]" * 100_000,
    "very deep objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "NaN": b'{"note": NaN}',
    "Infinity": b'{"note": -Infinity}',
    "a huge integer": b'{"note": ' + b"1" * 5000 + b"}",
    "a huge exponent": b'{"note": 1e999999999}',
    "a tiny exponent": b'{"note": 1e-999999999}',
    "an exponent beyond what Decimal reads": b'{"note": 1e-999999999999999999999}',
    "a NUL": b'{"note": "\x00"}',
}


@each
async def test_what_is_not_json_is_refused(api: Api, resource: Resource) -> None:
    record = at(resource, await api.full(resource))
    for method, address in (("POST", f"/{resource.path}"), ("PATCH", record), ("PUT", record)):
        for name, content in BROKEN.items():
            answer = await api.client.request(method, address, content=content, headers=JSON)
            assert answer.status_code == 400, (name, answer.text)
            problem(answer, 400)


@each
async def test_a_body_that_is_no_object_is_refused(api: Api, resource: Resource) -> None:
    record = at(resource, await api.full(resource))
    for method, address in (("POST", f"/{resource.path}"), ("PATCH", record), ("PUT", record)):
        for content in (b"null", b"[]", b'"x"', b"1", b"true"):
            answer = await api.client.request(method, address, content=content, headers=JSON)
            assert pointers(answer) == [""], content


#: JSON texts that no field takes, or only as plain text.
STRANGE = (
    r'"\u0000"', r'"a\u0000b"', r'"\ud800"', r'"\udc00\ud800"', '" "', r'"\u00a0\u2003"',
    "1" * 30, "-" + "9" * 25, "1e100", "-1e100", "1e-100", "0.00000000000001", "{}", "[[]]", "[{}]",
    '["\\ud800"]', '["\\u0000"]', '[null]', '{"\\ud800": 1}', "[" * 60 + "]" * 60,
)  # fmt: skip


@each
async def test_a_strange_value_is_refused(api: Api, resource: Resource) -> None:
    record = at(resource, await api.full(resource))
    for name, value in product(writable(resource), STRANGE):
        content = f'{{"{name}": {value}}}'
        answer = await api.client.patch(record, content=content, headers=JSON)
        assert answer.status_code == 422, (name, value, answer.text)
        assert all(pointer.startswith(f"/{name}") for pointer in pointers(answer)), (name, value)


@each
async def test_a_strange_name_is_refused(api: Api, resource: Resource) -> None:
    record = at(resource, await api.full(resource))
    for name in (r"\u0000", r"\ud800", "", "a/b~c", "x" * 10_000, "__class__", "😀"):
        answer = await api.client.patch(record, content=f'{{"{name}": 1}}', headers=JSON)
        problem(answer, 422)


KINDS = {
    "string": '"1"',
    "number": "1",
    "boolean": "true",
    "array": "[]",
    "object": "{}",
}


@of_each(writable)
async def test_a_value_of_another_json_type_is_refused(
    api: Api, resource: Resource, name: str
) -> None:
    schema = json.dumps(properties(resource)[name])
    # What is defined elsewhere is an enumeration of texts, or a part within an array.
    named = set(re.findall(r'"type": "(\w+)"', schema)) | (
        {"string"} if "$ref" in schema else set()
    )
    own = {"number" if kind == "integer" else kind for kind in named}
    record = at(resource, await api.full(resource))
    for kind in KINDS.keys() - own:
        content = f'{{"{name}": {KINDS[kind]}}}'
        answer = await api.client.patch(record, content=content, headers=JSON)
        assert pointers(answer) == [f"/{name}"], kind


# Exact amounts


def digits(whole: int, scale: int) -> st.SearchStrategy[Decimal]:
    """Decimals above zero, up to the greatest whole number of so many digits."""
    units = st.integers(1, (10**whole - 1) * 10**scale)
    return units.map(lambda n: Decimal(n).scaleb(-scale))


_often = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@_often
@given(value=digits(14, 4))
async def test_an_amount_comes_back_digit_for_digit(api: Api, value: Decimal) -> None:
    resource = next(r for r in RESOURCES if r.path == "agreements")
    record = at(resource, await exact_record(api, "agreements", currency="CLF"))
    after = await api.change("PATCH", record, {"amount": value})
    assert after["amount"] == value == (await api.get(record))["amount"]


@_often
@given(value=digits(10, 8))
async def test_a_rate_comes_back_digit_for_digit(api: Api, value: Decimal) -> None:
    resource = next(r for r in RESOURCES if r.path == "exchange-rates")
    record = at(resource, await exact_record(api, "exchange-rates"))
    after = await api.change("PATCH", record, {"rate": value})
    assert after["rate"] == value == (await api.get(record))["rate"]


async def exact_record(api: Api, path: str, **fields: Any) -> Body:
    record: Body | None = api.kept.get((path, "exact"))
    if record is None:
        record = await create(api.client, path, api.examples.full(path, **fields))
        api.kept[path, "exact"] = record
    return record
