"""The application as the contract sees it: one client, and a body of every kind of record."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import httpx
import pytest

from app.api import RESOURCES
from app.core import json_codec
from app.engine.paths import FieldType, fields_of
from app.engine.resource import Resource, read_models
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
    whole = resource.create.model_json_schema()
    found: dict[str, Any] = {}
    for name, schema in whole["properties"].items():
        of = whole.get("$defs", {}).get(schema.get("$ref", "").rpartition("/")[2], {})
        # A list that is defined once for all kinds.
        found[name] = {**schema, **of} if of.get("type") == "array" else schema
        if found[name] is not schema:
            del found[name]["$ref"]
    return found


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
        return json_codec.loads(answer.content)

    async def send(self, method: str, address: str, body: Any) -> httpx.Response:
        content = json_codec.dumps(body)
        return await self.client.request(method, address, content=content, headers=JSON)

    async def change(self, method: str, address: str, body: Any) -> Any:
        answer = await self.send(method, address, body)
        assert answer.status_code == 200, answer.text
        return json_codec.loads(answer.content)

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


async def listed(api: Api, address: str, **parameters: Any) -> list[Body]:
    found: list[Body] = (await api.get(address, **parameters))["data"]
    return found


def filterable(resource: Resource) -> list[str]:
    """The fields that have one value, which a filter can ask for."""
    return [
        name for name, leaf in fields_of(resource).items() if leaf.field_type is not FieldType.list
    ]


def as_parameter(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
