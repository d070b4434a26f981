"""Every kind of record is changed and replaced alike."""

import pytest

from app.api import RESOURCES
from app.engine.resource import Resource
from tests.contract.api import (
    STAMPS,
    UNKNOWN,
    Api,
    at,
    changeable,
    clearable,
    compulsory,
    differences,
    each,
    fault,
    of_each,
    pointers,
    problem,
    writable,
)
from tests.examples import EXAMPLES, create


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
    ours = {*patch, *bounds, *resource.read_only.model_fields}
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
    wrong = {"nota": None, "id": UNKNOWN, **dict.fromkeys(STAMPS, "2001-01-01T00:00:00.000000Z")}
    for name, value in {**wrong, "version": 99}.items():
        answer = await api.send("PATCH", at(resource, before), {"note": "new", name: value})
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
    (r, n)
    for r in RESOURCES
    for n in writable(r)
    if isinstance(EXAMPLES[r.path].full[n], list) and EXAMPLES[r.path].full[n]
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


@each
async def test_replace_twice_is_the_same_whatever_is_left_out(api: Api, resource: Resource) -> None:
    record = await create(api.client, resource.path, api.examples.full(resource.path))
    address, faults = at(resource, record), []
    for name in writable(resource):
        body = api.examples.full(resource.path)
        del body[name]
        first, second = [await api.send("PUT", address, body) for _ in range(2)]
        is_same = not first.is_success or first.text == second.text
        if first.status_code != second.status_code or not is_same:
            faults.append((name, first.text, second.text))
    assert not faults


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
