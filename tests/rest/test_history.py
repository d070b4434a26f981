"""Every change is told field by field, and an earlier version can be brought back."""

from typing import Any

import pytest

from app.engine.resource import Resource
from app.resources.agreement import agreement
from app.resources.organization import organization
from app.resources.person import person
from tests.contract.api import Api, at, differences, each, fault, pointers, problem
from tests.examples import EXAMPLES, Body, create
from tests.rest.calls import fields_of, send


async def restore(api: Api, address: str, version: Any) -> Any:
    return await send(api.client, "POST", f"{address}/restore?version={version}")


@each
async def test_history_tells_each_field_with_its_old_and_new_value(
    api: Api, resource: Resource
) -> None:
    states: list[Body] = [await api.new(resource)]
    address = at(resource, states[0])
    fixed = {name: states[0][name] for name in EXAMPLES[resource.path].fixed}
    states.append(await api.change("PATCH", address, {"note": "patched"}))
    body = api.examples.other(resource.path) | fixed
    states.append(await api.change("PUT", address, body))
    await api.trash(address)
    states.append(await api.get(address, deleted="include"))
    states.append((await send(api.client, "POST", f"{address}/restore")).json())
    history = await api.history(address)
    assert [entry["action"] for entry in history[::-1]] == [
        "create",
        "update",
        "replace",
        "delete",
        "restore",
    ]
    assert [entry["version"] for entry in history[::-1]] == [1, 2, 3, 4, 5]
    for before, after, entry in zip([None, *states], states, history[::-1], strict=False):
        told = differences(before, await api.get(address, as_of=entry["at"], deleted="include"))
        kept = {name: pair for name, pair in told.items() if name not in resource.derived_elsewhere}
        assert entry["changes"] == kept
        assert entry["at"] == after["updated_at"] or entry["at"] > after["updated_at"]
        assert (entry["kind"], entry["record_id"]) == (resource.record_type, after["id"])


@each
async def test_a_version_is_brought_back_as_a_new_change(api: Api, resource: Resource) -> None:
    first = await api.new(resource)
    address = at(resource, first)
    fixed = {name: first[name] for name in EXAMPLES[resource.path].fixed}
    body = api.examples.other(resource.path) | fixed
    if resource is agreement:
        body["status"] = first["status"]
    await api.change("PUT", address, body)
    answer = await restore(api, address, 1)
    assert answer.status_code == 200, answer.text
    after = await api.get(address)
    assert fields_of(resource, after) == fields_of(resource, first)
    assert after["version"] == 3
    newest = (await api.history(address))[0]
    assert (newest["action"], newest["version"]) == ("restore", 3)


async def test_any_version_can_be_brought_back_and_that_again(api: Api) -> None:
    record = await api.new(person, note="1")
    address = at(person, record)
    for note in "2345":
        await api.change("PATCH", address, {"note": note})
    for version, note in ((3, "3"), (1, "1"), (6, "3"), (5, "5")):
        assert (await restore(api, address, version)).json()["note"] == note
    assert (await api.get(address))["version"] == 9


async def test_bringing_back_what_it_is_changes_nothing(api: Api) -> None:
    record = await api.new(person)
    answer = await restore(api, at(person, record), 1)
    assert answer.json() == record
    assert len(await api.history(at(person, record))) == 1


@each
async def test_a_version_of_a_record_in_the_trash_brings_it_out(
    api: Api, resource: Resource
) -> None:
    record = await api.new(resource)
    address = at(resource, record)
    await api.change("PATCH", address, {"note": "later"})
    await api.trash(address)
    answer = await restore(api, address, 1)
    assert answer.status_code == 200, answer.text
    after = await api.get(address)
    assert (after["note"], after["deleted_at"]) == (record["note"], None)
    assert after["version"] == answer.json()["version"] > 3


async def test_a_version_in_which_it_was_in_the_trash_gives_its_values(api: Api) -> None:
    record = await api.new(person, note="1")
    address = at(person, record)
    await api.trash(address)
    await send(api.client, "POST", f"{address}/restore")
    await api.change("PATCH", address, {"note": "4"})
    after = (await restore(api, address, 2)).json()
    assert (after["note"], after["deleted_at"]) == ("1", None)


@pytest.mark.parametrize("version", [2, 3, 2**31 - 1])
async def test_a_version_that_never_was_is_not_found(api: Api, version: int) -> None:
    record = await api.new(person)
    problem(await restore(api, at(person, record), version), 404)


@pytest.mark.parametrize("version", ["0", "-1", "x", "", "1.5", "2147483648", "9" * 30])
async def test_a_version_is_a_whole_number(api: Api, version: str) -> None:
    record = await api.new(person)
    answer = await restore(api, at(person, record), version)
    assert fault(answer)["parameter"] == "version"


async def test_what_a_version_referred_to_must_still_be_there(api: Api) -> None:
    above = await api.new(organization)
    record = await api.new(organization, parent_id=above["id"])
    address = at(organization, record)
    changed = await api.change("PATCH", address, {"parent_id": None})
    await api.trash(at(organization, above))
    assert pointers(await restore(api, address, 1)) == ["/parent_id"]
    assert await api.get(address) == changed


async def test_what_was_unique_must_still_be_free(api: Api) -> None:
    first = await api.new(organization)
    await api.change("PATCH", at(organization, first), {"ref": None, "identifiers": []})
    await api.new(organization, ref=first["ref"])
    assert fault(await restore(api, at(organization, first), 1), 409)["pointer"] == "/ref"
    second = await api.new(organization, ref=None)
    await api.change("PATCH", at(organization, second), {"identifiers": []})
    await api.new(organization, identifiers=second["identifiers"])
    answer = await restore(api, at(organization, second), 1)
    assert fault(answer, 409)["pointer"] == "/identifiers"


async def test_a_status_is_not_turned_back(api: Api) -> None:
    record = await api.new(agreement, status="signed")
    moved = await api.change("PATCH", at(agreement, record), {"status": "completed"})
    problem(await restore(api, at(agreement, record), 1), 409)
    assert await api.get(at(agreement, record)) == moved


async def test_a_company_is_not_brought_back_to_another_kind(api: Api) -> None:
    """What it was as an organization, it cannot become at the address of companies."""
    record = await api.new(organization)
    await api.change("PATCH", at(organization, record), {"kind": "company"})
    problem(await restore(api, f"/companies/{record['id']}", 1), 409)
    answer = await restore(api, at(organization, record), 1)
    assert answer.json()["kind"] == record["kind"]
    problem(await api.client.get(f"/companies/{record['id']}"), 404)


async def test_a_circle_of_parents_is_not_brought_back(api: Api) -> None:
    top = await create(api.client, "organizations", {"kind": "unknown", "name": "T"})
    record = await api.new(organization, parent_id=top["id"])
    await api.change("PATCH", at(organization, record), {"parent_id": None})
    await api.change("PATCH", at(organization, top), {"parent_id": record["id"]})
    assert pointers(await restore(api, at(organization, record), 1)) == ["/parent_id"]


async def test_digits_and_letters_come_back_as_they_were(api: Api) -> None:
    record = await api.new(agreement)
    change: Body = {"amount": 1, "title": "x", "parties": [{"role": "buyer", "description": "y"}]}
    await api.change("PATCH", at(agreement, record), change)
    assert (await restore(api, at(agreement, record), 1)).status_code == 200
    after = await api.get(at(agreement, record))
    assert fields_of(agreement, after) == fields_of(agreement, record)
