"""One change of all records that a filter finds."""

from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
from fastapi import FastAPI

from app.engine.resource import Resource
from app.resources.person import person
from tests.contract.api import Api, at, each, fault, listed, pointers, problem
from tests.examples import Body, create
from tests.rest.calls import changes_after, contents, position, send

METHODS = ("PATCH", "DELETE")
each_method = pytest.mark.parametrize("method", METHODS)


async def affect(api: Api, method: str, address: str, **headers: str) -> Any:
    body = {"note": "affected"} if method == "PATCH" else None
    return await send(api.client, method, address, body, **headers)


async def several(api: Api, path: str, count: int = 3, **fields: Any) -> tuple[str, list[Body]]:
    """Records that share a note which no others have, and the note."""
    note = f"by-filter-{uuid4().hex}"
    bodies = [api.examples.full(path, **{"note": note, **fields}) for _ in range(count)]
    return note, [await create(api.client, path, body) for body in bodies]


@each
async def test_all_that_are_found_are_changed(api: Api, resource: Resource) -> None:
    note, records = await several(api, resource.path)
    address = f"/{resource.path}?note={note}&max_affected=3"
    answer = await affect(api, "PATCH", address)
    assert answer.status_code == 200, answer.text
    ids = sorted(record["id"] for record in records)
    assert answer.json() == {"matched": 3, "changed": 3, "ids": ids}
    for record in records:
        after = await api.get(at(resource, record))
        assert (after["note"], after["version"]) == ("affected", 2)


@each
async def test_all_that_are_found_go_to_the_trash(api: Api, resource: Resource) -> None:
    note, _ = await several(api, resource.path)
    answer = await affect(api, "DELETE", f"/{resource.path}?note={note}&max_affected=10")
    assert answer.status_code == 200, answer.text
    assert answer.json()["changed"] == 3
    assert await listed(api, f"/{resource.path}", note=note) == []
    assert len(await listed(api, f"/{resource.path}", note=note, deleted="only")) == 3


@each_method
async def test_a_filter_must_be_given(api: Api, writes_app: FastAPI, method: str) -> None:
    before = await contents(writes_app)
    answer = await affect(api, method, "/people?max_affected=10000")
    assert fault(answer)["parameter"] == "filter"
    assert await contents(writes_app) == before


@each_method
@pytest.mark.parametrize("most", ["", "&max_affected=", "&max_affected=0", "&max_affected=10001"])
async def test_the_most_that_may_be_meant_must_be_given(api: Api, method: str, most: str) -> None:
    note, _ = await several(api, "people", 1)
    answer = await affect(api, method, f"/people?note={note}{most}")
    assert fault(answer)["parameter"] == "max_affected"


@each_method
async def test_more_than_may_be_meant_are_left_as_they_are(
    api: Api, writes_app: FastAPI, method: str
) -> None:
    note, _ = await several(api, "people")
    before = await contents(writes_app)
    answer = await affect(api, method, f"/people?note={note}&max_affected=2")
    assert fault(answer, 409)["parameter"] == "max_affected"
    assert await contents(writes_app) == before


@each_method
async def test_none_found_is_no_fault(api: Api, method: str) -> None:
    answer = await affect(api, method, f"/people?note={uuid4().hex}&max_affected=1")
    assert answer.json() == {"matched": 0, "changed": 0, "ids": []}


async def test_those_that_are_so_already_are_told_apart(api: Api, writes_app: FastAPI) -> None:
    _, records = await several(api, "people", note="affected")
    await api.change("PATCH", at(person, records[0]), {"note": "other"})
    before = await position(writes_app)
    refs = ",".join(record["ref"] for record in records)
    answer = await affect(api, "PATCH", f"/people?ref__in={refs}&max_affected=9")
    assert (answer.json()["matched"], answer.json()["changed"]) == (3, 1)
    assert len(await changes_after(writes_app, before)) == 1


@each_method
async def test_the_trash_is_left_alone(api: Api, method: str) -> None:
    note, records = await several(api, "people")
    await api.trash(at(person, records[0]))
    answer = await affect(api, method, f"/people?note={note}&max_affected=9")
    assert answer.json()["matched"] == 2
    for deleted in ("include", "only"):
        answer = await affect(api, method, f"/people?note={note}&max_affected=9&deleted={deleted}")
        assert fault(answer)["parameter"] == "deleted"


@each_method
async def test_filters_reach_into_related_records(api: Api, method: str) -> None:
    title = f"mission {uuid4().hex}"
    mission = await create(api.client, "missions", api.examples.minimal("missions", title=title))
    inside = await several(api, "participations", 2, mission_id=mission["id"])
    await several(api, "participations", 1)
    found = f"/participations?mission__title={quote(title)}&max_affected=5"
    answer = await affect(api, method, found)
    assert answer.json()["ids"] == sorted(record["id"] for record in inside[1])


@each_method
async def test_an_expression_and_words_can_choose(api: Api, method: str) -> None:
    word = f"zyx{uuid4().hex[:12]}"
    names = [f"{word} one", f"{word} two", "three"]
    records = [await create(api.client, "people", {"full_name": name}) for name in names]
    expression = quote(f"full_name eq '{names[1]}' or full_name eq '{names[2]}'")
    address = f"/people?q={word}&filter={expression}&max_affected=1"
    assert (await affect(api, method, address)).json()["ids"] == [records[1]["id"]]
    answer = await affect(api, method, f"/people?q={word}&max_affected=2")
    left = 2 if method == "PATCH" else 1
    assert answer.json()["matched"] == left


@each_method
async def test_many_parties_of_one_agreement_count_once(api: Api, method: str) -> None:
    note, records = await several(api, "agreements", 2)
    found = f"/agreements?note={note}&parties__share_percent__gt=1&max_affected=2"
    answer = await affect(api, method, found)
    assert answer.json()["ids"] == sorted(record["id"] for record in records)


async def test_nothing_is_changed_when_one_record_breaks_a_rule(
    api: Api, writes_app: FastAPI
) -> None:
    note, records = await several(api, "agreements")
    last = max(records, key=lambda record: str(record["id"]))
    await api.change("PATCH", f"/agreements/{last['id']}", {"status": "cancelled"})
    before = await contents(writes_app)
    address = f"/agreements?note={note}&max_affected=9"
    answer = await send(api.client, "PATCH", address, {"status": "completed"})
    assert fault(answer, 409)["pointer"] == "/status"
    assert await contents(writes_app) == before


async def test_a_refusal_names_the_record(api: Api) -> None:
    note, records = await several(api, "agreements")
    last = max(records, key=lambda record: str(record["id"]))
    await api.change("PATCH", f"/agreements/{last['id']}", {"status": "cancelled"})
    address = f"/agreements?note={note}&max_affected=9"
    answer = await send(api.client, "PATCH", address, {"status": "completed"})
    assert last["id"] in problem(answer, 409)["detail"]


async def test_a_ref_cannot_be_given_to_many(api: Api, writes_app: FastAPI) -> None:
    note, _ = await several(api, "people")
    before = await contents(writes_app)
    address = f"/people?note={note}&max_affected=9"
    answer = await send(api.client, "PATCH", address, {"ref": "of-many"})
    assert fault(answer, 409)["pointer"] == "/ref"
    assert await contents(writes_app) == before


async def test_a_wrong_body_is_refused_though_nothing_is_found(api: Api) -> None:
    address = f"/people?note={uuid4().hex}&max_affected=1"
    answer = await send(api.client, "PATCH", address, {"full_name": None, "nota": 1})
    assert pointers(answer) == ["/full_name", "/nota"]


@each_method
@pytest.mark.parametrize(
    "wrong", ["nota=x", "note__like=x", "filter=nota", "sort=id", "limit=5", "fields=id"]
)
async def test_what_is_no_filter_is_refused(api: Api, method: str, wrong: str) -> None:
    answer = await affect(api, method, f"/people?note=x&max_affected=1&{wrong}")
    problem(answer, 400)


async def test_all_changes_of_one_request_stand_together(api: Api, writes_app: FastAPI) -> None:
    note, records = await several(api, "people", 5)
    before = await position(writes_app)
    await affect(api, "PATCH", f"/people?note={note}&max_affected=5")
    logged = await changes_after(writes_app, before)
    assert [entry[0] for entry in logged] == list(range(before + 1, before + 6))
    assert [str(entry[3]) for entry in logged] == sorted(record["id"] for record in records)
    assert len({entry[5] for entry in logged}) == 1
