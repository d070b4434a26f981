"""PUT with If-None-Match: * creates a record at an address of the client's choice."""

import asyncio
from uuid import UUID, uuid4

import httpx
import pytest

from app.core.databases.types import uuid7
from app.engine.resource import Resource
from app.resources.organization import company, organization
from app.resources.person import person
from tests.contract.api import Api, at, each, pointers, problem
from tests.examples import Body
from tests.rest.calls import change, send

LAST = "ffffffff-ffff-7fff-bfff-ffffffffffff"


async def put(api: Api, address: str, body: Body, **headers: str) -> httpx.Response:
    return await send(api.client, "PUT", address, body, **{"if_none_match": "*", **headers})


def new_ref() -> str:
    return f"at-{uuid4().hex}"


@each
async def test_a_record_is_created_at_an_id(api: Api, resource: Resource) -> None:
    chosen = str(uuid7())
    body = api.examples.full(resource.path)
    answer = await put(api, f"/{resource.path}/{chosen}", body)
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == f"/{resource.path}/{chosen}"
    record = await api.get(f"/{resource.path}/{chosen}")
    assert answer.json()["id"] == record["id"] == chosen
    assert (record["version"], {name: record[name] for name in body}) == (1, body)


@each
async def test_a_record_is_created_at_a_ref(api: Api, resource: Resource) -> None:
    ref = new_ref()
    body = api.examples.full(resource.path)
    del body["ref"]
    answer = await put(api, f"/{resource.path}/{ref}", body)
    assert answer.status_code == 201, answer.text
    record = await api.get(answer.headers["location"])
    assert {name: record[name] for name in body} == body
    assert (record["ref"], UUID(record["id"]).version) == (ref, 7)


async def test_the_body_can_name_the_ref_too(api: Api) -> None:
    ref = new_ref()
    answer = await put(api, f"/people/{ref}", {"full_name": "A", "ref": ref})
    assert answer.json()["ref"] == ref


async def test_the_body_names_no_other_ref(api: Api) -> None:
    answer = await put(api, f"/people/{new_ref()}", {"full_name": "A", "ref": new_ref()})
    assert pointers(answer) == ["/ref"]


async def test_a_record_at_an_id_can_have_a_ref(api: Api) -> None:
    chosen, ref = uuid7(), new_ref()
    await put(api, f"/people/{chosen}", {"full_name": "A", "ref": ref})
    assert (await api.get(f"/people/{ref}"))["id"] == str(chosen)


@each
@pytest.mark.parametrize("trashed", [False, True], ids=["there", "in the trash"])
@pytest.mark.parametrize("by", ["id", "ref"])
async def test_what_is_there_stays(api: Api, resource: Resource, trashed: bool, by: str) -> None:
    record = await api.new(resource)
    if trashed:
        await api.trash(at(resource, record))
    before = await api.get(at(resource, record), deleted="include")
    body = api.examples.full(resource.path, ref=record["ref"])
    problem(await put(api, f"/{resource.path}/{record[by]}", body), 412)
    assert await api.get(at(resource, record), deleted="include") == before


async def test_a_company_does_not_take_the_id_of_another_organization(api: Api) -> None:
    record = await api.new(organization)
    problem(await api.client.get(f"/companies/{record['id']}"), 404)
    for key in (record["id"], record["ref"]):
        problem(await put(api, f"/companies/{key}", {"name": "A"}), 412)
    assert await api.get(at(organization, record)) == record


async def test_a_company_created_at_an_id_is_an_organization(api: Api) -> None:
    chosen = uuid7()
    answer = await put(api, f"/companies/{chosen}", {"name": "A"})
    assert answer.headers["location"] == f"/companies/{chosen}"
    assert (await api.get(f"/organizations/{chosen}"))["kind"] == "company"


@pytest.mark.parametrize("key", ["Upper", "two_words", "-a", "a" * 121, "ёж", "bulk", "a%20b"])
async def test_the_address_must_be_a_ref(api: Api, key: str) -> None:
    answer = await put(api, f"/people/{key}", {"full_name": "A"})
    if key == "bulk":  # Stands for something else in addresses.
        problem(answer, 405)
    else:
        assert pointers(answer) == ["/ref"]


async def test_an_id_can_be_written_in_capitals(api: Api) -> None:
    chosen = str(uuid7())
    answer = await put(api, f"/people/{chosen.upper()}", {"full_name": "A"})
    assert answer.json()["id"] == chosen
    problem(await put(api, f"/people/{chosen}", {"full_name": "A"}), 412)


async def test_a_ref_with_four_hyphens_is_no_id(api: Api) -> None:
    ref = "aaaaaaaa-aaaaaaaa-aaaaaaaa-aaaaaaa-a"
    answer = await put(api, f"/people/{ref}", {"full_name": "A"})
    assert answer.json()["ref"] == ref
    assert (await api.get(f"/people/{ref}"))["ref"] == ref


@pytest.mark.parametrize("key", ["00000000-0000-0000-0000-000000000000", LAST])
async def test_two_kinds_can_have_the_same_id(api: Api, key: str) -> None:
    """Even the first and the last of all ids."""
    bodies = {"people": {"full_name": "A"}, "organizations": {"kind": "unknown", "name": "A"}}
    for path, body in bodies.items():
        answer = await put(api, f"/{path}/{key}", body)
        assert answer.status_code == 201, answer.text
        assert (await api.get(f"/{path}", q="A", id=key))["data"][0]["id"] == key


async def test_of_many_at_once_one_creates_the_record(api: Api) -> None:
    for key in (str(uuid7()), new_ref()):
        answers = await asyncio.gather(
            *(put(api, f"/people/{key}", {"full_name": f"n {n}"}) for n in range(24))
        )
        made = [answer for answer in answers if answer.status_code == 201]
        assert len(made) == 1
        assert {answer.status_code for answer in answers} == {201, 412}
        assert (await api.get(f"/people/{key}")) == made[0].json()
        assert len(await api.history(f"/people/{key}")) == 1


async def test_without_the_header_nothing_is_created(api: Api) -> None:
    for key in (uuid7(), new_ref()):
        problem(await send(api.client, "PUT", f"/people/{key}", {"full_name": "A"}), 404)


async def test_a_tag_that_it_has_keeps_a_record_from_being_replaced(api: Api) -> None:
    """RFC 9110, 13.1.2: with a tag, If-None-Match asks that the record is not in that state."""
    record = await api.new(person)
    known = (await api.client.get(at(person, record))).headers["etag"]
    problem(await change(api, "PUT", person, record, if_none_match=known), 412)
    answer = await change(api, "PUT", person, record, if_none_match='"0-x"')
    assert answer.status_code == 200


async def test_wrong_bodies_are_refused_as_ever(api: Api) -> None:
    address = f"/companies/{new_ref()}"
    assert pointers(await put(api, address, {})) == ["/name"]
    assert pointers(await put(api, address, {"name": "A", "kind": "ministry"})) == ["/kind"]
    assert pointers(await put(api, address, {"name": "A", "parent_id": str(uuid7())})) == [
        "/parent_id"
    ]
    problem(await api.client.get(address), 404)


async def test_a_record_created_so_has_a_history(api: Api) -> None:
    ref = new_ref()
    await put(api, f"/companies/{ref}", {"name": "A"})
    (entry,) = await api.history(at(company, await api.get(f"/companies/{ref}")))
    assert (entry["action"], entry["changes"]["name"]) == ("create", [None, "A"])
