"""Every kind of record is created alike."""

import pytest

from app.api import RESOURCES
from app.core import json_codec
from app.engine.resource import Resource
from tests.contract.api import STAMPS, UNKNOWN, Api, at, each, fault, pointers, writable
from tests.examples import EXAMPLES, create

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
    assert list(record) == list(resource.read_fields)
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
    record = json_codec.loads(answer.content)
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
    for name in {"id", *STAMPS} - {"deleted_at"}:
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
    if name.removesuffix("_id") in resource.to_one
]


@pytest.mark.parametrize(
    ("resource", "name"), REFERENCES, ids=[f"{r.path}-{name}" for r, name in REFERENCES]
)
async def test_a_reference_to_nothing_or_into_the_trash_is_refused(
    api: Api, resource: Resource, name: str
) -> None:
    target = resource.to_one[name.removesuffix("_id")]
    trashed = await create(api.client, target.path, api.examples.minimal(target.path))
    await api.trash(at(target, trashed))
    for nowhere in (UNKNOWN, trashed["id"]):
        body = api.examples.full(resource.path)
        body |= dict.fromkeys(EXAMPLES[resource.path].change_of(name))
        answer = await api.send("POST", f"/{resource.path}", body | {name: nowhere})
        assert f"/{name}" in pointers(answer)
