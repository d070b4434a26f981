"""Many operations in one request: stored together, or each by itself."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from fastapi import FastAPI

from app.core.databases.db_errors import overloaded
from app.core.errors import Invalid
from app.engine.resource import Resource
from app.engine.writes.bulk_operations import read_operations
from app.main import create_app
from app.resources.agreement import agreement
from app.resources.person import person
from app.settings import Settings
from tests.conftest import client_of
from tests.contract.api import Api, at, each, fault, listed, pointers, problem
from tests.examples import JSON, Body, Examples
from tests.rest.calls import bulk, changes_after, contents, position

NOBODY = "0197c5a0-0000-7000-8000-000000000000"
LENIENT = {"prefer": "handling=lenient"}


def create(**fields: Any) -> Body:
    return {"op": "create", "body": {"full_name": "Somebody", **fields}}


async def done(api: Api, path: str, operations: list[Any], **headers: str) -> Any:
    answer = await bulk(api, path, operations, **headers)
    assert answer.status_code == (207 if headers else 200), answer.text
    told = answer.json()
    assert [one["op"] for one in told["results"]] == [one["op"] for one in operations]
    return told


@each
async def test_every_kind_is_created_changed_and_trashed(api: Api, resource: Resource) -> None:
    bodies = [api.examples.full(resource.path) for _ in range(3)]
    changed, replaced, gone = [body["ref"] for body in bodies]
    operations = [
        *({"op": "create", "body": body} for body in bodies),
        {"op": "update", "key": changed, "body": {"note": "updated"}},
        {"op": "upsert", "body": {**bodies[1], "note": "upserted"}},
        {"op": "delete", "key": gone},
    ]
    told = await done(api, resource.path, operations)
    assert told["summary"] == {"created": 3, "updated": 2, "deleted": 1, "failed": 0}
    assert [one["status"] for one in told["results"]] == [201, 201, 201, 200, 200, 200]
    assert [one["version"] for one in told["results"]] == [1, 1, 1, 2, 2, 2]
    for ref, note in ((changed, "updated"), (replaced, "upserted")):
        record = await api.get(f"/{resource.path}/{ref}")
        assert (record["note"], record["version"]) == (note, 2)
    problem(await api.client.get(f"/{resource.path}/{gone}"), 404)


async def test_results_name_the_records_by_id(api: Api) -> None:
    told = await done(api, "people", [create(note="a"), create(note="b")])
    notes = [(await api.get(f"/people/{one['id']}"))["note"] for one in told["results"]]
    assert notes == ["a", "b"]


async def test_later_operations_see_earlier_ones(api: Api) -> None:
    operations = [
        {"op": "create", "body": {"kind": "unknown", "name": "Above", "ref": "seen-above"}},
        {
            "op": "create",
            "body": {"kind": "unknown", "name": "Below", "parent": {"ref": "seen-above"}},
        },
        {"op": "update", "key": "seen-above", "version": 1, "body": {"ref": "seen-renamed"}},
        {"op": "upsert", "body": {"kind": "unknown", "name": "New", "ref": "seen-above"}},
        {"op": "delete", "key": "seen-renamed", "version": 2},
    ]
    told = await done(api, "organizations", operations)
    ids = [one["id"] for one in told["results"]]
    assert ids[0] == ids[2] == ids[4] != ids[3]
    assert (await api.get(f"/organizations/{ids[1]}"))["parent_id"] == ids[0]


async def test_of_many_upserts_at_once_one_creates_and_the_others_change(api: Api) -> None:
    refs = [f"at-once-{uuid4().hex}" for _ in range(5)]
    bodies = [{"ref": ref, "full_name": "A"} for ref in refs]
    answers = await asyncio.gather(
        *(
            bulk(api, "people", [{"op": "upsert", "body": body} for body in bodies])
            for _ in "123456"
        )
    )
    assert [answer.status_code for answer in answers] == [200] * 6, answers
    created = [answer.json()["summary"]["created"] for answer in answers]
    assert sorted(created) == [0] * 5 + [5]


async def test_an_upsert_creates_then_changes(api: Api) -> None:
    body = {"full_name": "A", "ref": "upserted-twice", "other_names": ["x"]}
    operations = [
        {"op": "upsert", "body": body},
        {"op": "upsert", "body": {"ref": "upserted-twice", "full_name": "B"}},
    ]
    told = await done(api, "people", operations)
    assert [one["status"] for one in told["results"]] == [201, 200]
    record = await api.get("/people/upserted-twice")
    assert (record["full_name"], record["other_names"]) == ("B", ["x"])


async def test_an_upsert_that_changes_nothing_leaves_the_version(api: Api) -> None:
    record = await api.new(person)
    body = {"ref": record["ref"], "full_name": record["full_name"]}
    told = await done(api, "people", [{"op": "upsert", "body": body}])
    assert told["results"][0]["version"] == 1


async def test_an_upsert_does_not_bring_back_what_is_in_the_trash(api: Api) -> None:
    record = await api.new(person)
    await api.trash(at(person, record))
    operations = [{"op": "upsert", "body": {"ref": record["ref"], "full_name": "B"}}]
    answer = await bulk(api, "people", operations)
    assert "trash" in fault(answer, 422)["detail"]
    (only,) = (await done(api, "people", operations, **LENIENT))["results"]
    assert only["status"] == 404


async def test_a_ref_can_be_given_once_alone(api: Api) -> None:
    operations = [create(ref="given-twice"), create(), create(ref="given-twice")]
    answer = await bulk(api, "people", operations)
    assert pointers(answer) == ["/operations/2/body/ref"]
    problem(await api.client.get("/people/given-twice"), 404)


async def test_nothing_is_stored_when_one_operation_fails(api: Api, writes_app: FastAPI) -> None:
    record = await api.new(person)
    before = await contents(writes_app)
    operations = [
        create(ref="not-kept"),
        {"op": "update", "key": record["ref"], "body": {"note": "not kept"}},
        {"op": "delete", "key": record["id"]},
        create(full_name=None),
    ]
    assert pointers(await bulk(api, "people", operations)) == ["/operations/3/body/full_name"]
    assert await contents(writes_app) == before


async def test_every_fault_is_told(api: Api) -> None:
    record = await api.new(person)
    operations: list[Any] = [
        create(full_name="", nota="x"),
        create(),
        {"op": "update", "key": "nobody-there", "body": {}},
        {"op": "update", "key": record["id"], "body": {"full_name": None, "note": 5}},
        create(ref=record["ref"]),
        {"op": "delete", "key": record["id"], "version": 7},
    ]
    answer = await bulk(api, "people", operations)
    assert sorted(pointers(answer)) == [
        "/operations/0/body/full_name",
        "/operations/0/body/nota",
        "/operations/2/key",
        "/operations/3/body/full_name",
        "/operations/3/body/note",
        "/operations/4/body/ref",
        "/operations/5/version",
    ]
    assert answer.json()["detail"].startswith("5 of 6 operations fail")


async def test_failures_are_looked_for_as_far_as_anybody_reads_on(api: Api) -> None:
    answer = await bulk(api, "people", [create(full_name="")] * 1500)
    assert len(pointers(answer)) == 100
    assert "At least 100 of 1500" in answer.json()["detail"]


async def test_what_needs_no_database_is_found_wrong_without_it(
    api: Api, writes_app: FastAPI
) -> None:
    """Whoever sends thousands of wrong operations keeps nobody from writing."""
    groups = writes_app.state.database.gauges().get("grouped_writes_total")
    operations = [create(full_name=""), {"op": "nothing"}, {"op": "update", "key": "x"}]
    read = read_operations(person, operations * 3000)
    assert all(isinstance(each.problem, Invalid) for each in read)
    assert writes_app.state.database.gauges().get("grouped_writes_total") == groups


async def test_others_write_between_the_parts_of_a_lenient_list(
    fresh_app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.rest.bulk_routes.PART_OPERATIONS", 2)
    database, transactions = fresh_app.state.database, 0
    write = database.write

    async def counted(work: Any) -> Any:
        nonlocal transactions
        transactions += 1
        if transactions == 3:
            raise overloaded()
        return await write(work)

    monkeypatch.setattr(database, "write", counted)
    operations = [create(ref=f"part-{n}") for n in range(7)]
    async with client_of(fresh_app) as client:
        answer = await client.post("/people/bulk", json={"operations": operations}, headers=LENIENT)
        assert answer.status_code == 207
        told = answer.json()
        assert [one["status"] for one in told["results"]] == [201] * 4 + [503] * 3
        assert told["summary"] == {"created": 4, "updated": 0, "deleted": 0, "failed": 3}
        found = (await client.get("/people?ref__startswith=part-")).json()
        assert len(found["data"]) == 4


async def test_a_body_of_many_small_parts_is_refused_before_it_is_read(api: Api) -> None:
    for small in ("{},", "[],", '"",', "0,"):
        content = f'{{"operations": [{small * 1_000_001}0]}}'
        answer = await api.client.post("/people/bulk", content=content, headers=JSON)
        told = problem(answer, 413)
        assert "send it in several parts" in told["detail"]


async def test_many_unknown_names_are_answered_briefly(api: Api) -> None:
    for count, status_code in ((900, 100), (5_000, 1)):
        body = {"full_name": "Somebody", **{f"unknown_{n}": n for n in range(count)}}
        for method, address in (("POST", "/people"), ("PATCH", f"/people/{NOBODY}")):
            answer = await api.send(method, address, body)
            assert answer.status_code == 422
            assert len(answer.json()["errors"]) == status_code
            assert len(answer.content) < 100_000


async def test_lenient_stores_what_is_right(api: Api, writes_app: FastAPI) -> None:
    record, before = await api.new(person), await position(writes_app)
    operations = [
        create(ref="lenient-kept"),
        create(ref="lenient-kept"),
        create(full_name=None),
        {"op": "update", "key": "lenient-kept", "body": {"note": "kept too"}},
        {"op": "delete", "key": record["id"], "version": 2},
        {"op": "upsert", "body": {"ref": "nobody-there"}},
        {"op": "delete", "key": record["id"], "version": 1},
    ]
    told = await done(api, "people", operations, **LENIENT)
    assert [one["status"] for one in told["results"]] == [201, 409, 422, 200, 409, 422, 200]
    assert told["summary"] == {"created": 1, "updated": 1, "deleted": 1, "failed": 4}
    assert (await api.get("/people/lenient-kept"))["note"] == "kept too"
    logged = await changes_after(writes_app, before)
    assert [entry[1] for entry in logged] == ["create", "update", "delete"]


async def test_lenient_tells_what_is_wrong_within_the_operation(api: Api) -> None:
    told = await done(api, "people", [create(nota="x"), create()], **LENIENT)
    failed, right = told["results"]
    assert [one["pointer"] for one in failed["problem"]["errors"]] == ["/body/nota"]
    assert "id" not in failed
    assert "problem" not in right


async def test_what_a_failed_operation_did_first_leaves_no_trace(
    api: Api, writes_app: FastAPI
) -> None:
    """Its new organization is undone with the agreement that fails afterwards."""
    before = await contents(writes_app)
    body = api.examples.minimal("agreements", amount=5)
    body["parties"] = [{"role": "buyer", "organization": {"kind": "unknown", "name": "Trace"}}]
    told = await done(api, "agreements", [{"op": "create", "body": body}], **LENIENT)
    assert told["results"][0]["status"] == 422
    assert await contents(writes_app) == before


async def test_an_agreement_moved_by_a_failed_operation_has_not_moved(
    api: Api, writes_app: FastAPI
) -> None:
    record, before = await api.new(agreement), await position(writes_app)
    nested = {"agreement_id": record["id"], "status": "completed"}
    operations = [
        {"op": "create", "body": {**nested, "jobs": -1}},
        {"op": "create", "body": {**nested, "actual_amount": 5}},
        {"op": "create", "body": {**nested, "status": "in_force"}},
        {"op": "create", "body": {**nested, "status": "signed"}},
    ]
    told = await done(api, "outcomes", operations, **LENIENT)
    assert [one["status"] for one in told["results"]] == [422, 422, 201, 409]
    moved = await api.get(at(agreement, record))
    assert (moved["status"], moved["version"]) == ("in_force", 2)
    logged = await changes_after(writes_app, before)
    assert sorted((entry[1], entry[2]) for entry in logged) == [
        ("create", "outcome"),
        ("update", "agreement"),
    ]


async def test_operations_without_any_effect_leave_no_change(api: Api, writes_app: FastAPI) -> None:
    record, before = await api.new(person), await position(writes_app)
    await done(api, "people", [{"op": "update", "key": record["id"], "body": {}}])
    assert await position(writes_app) == before


async def test_the_same_record_can_be_changed_over_and_over(api: Api) -> None:
    record = await api.new(person)
    operations = [
        {"op": "update", "key": record["id"], "version": n, "body": {"note": f"n {n}"}}
        for n in range(1, 21)
    ]
    told = await done(api, "people", operations)
    assert [one["version"] for one in told["results"]] == list(range(2, 22))
    history = await api.history(at(person, record))
    assert [entry["changes"].get("note") for entry in history[:2]] == [
        ["n 19", "n 20"],
        ["n 18", "n 19"],
    ]


async def test_ten_thousand_operations_are_one_block_of_the_log(
    api: Api, writes_app: FastAPI
) -> None:
    before = await position(writes_app)
    operations = [create(full_name=f"Somebody {n}") for n in range(10_000)]
    answer = await bulk(api, "people", operations, prefer="return=minimal")
    assert answer.json() == {
        "summary": {"created": 10_000, "updated": 0, "deleted": 0, "failed": 0}
    }
    logged = await changes_after(writes_app, before)
    assert [entry[0] for entry in logged] == list(range(before + 1, before + 10_001))
    found = await listed(api, "/people", full_name="Somebody 9999")
    assert found[0]["id"] == str(logged[-1][3])


async def test_a_body_beyond_the_limit_of_imports_is_refused(fresh_url: str) -> None:
    app = create_app(Settings(database_url=fresh_url, max_import=4096, max_body=1024))
    async with app.router.lifespan_context(app), client_of(app) as client:
        api = Api(client, Examples())
        small, large = [create(note="x" * 2000)], [create(note="x" * 5000)]
        assert (await bulk(api, "people", small)).status_code == 200
        problem(await bulk(api, "people", large), 413)


async def test_ten_thousand_and_one_are_too_many(api: Api) -> None:
    answer = await bulk(api, "people", [create()] * 10_001)
    assert pointers(answer) == ["/operations"]


@pytest.mark.parametrize("headers", [{}, LENIENT], ids=["whole", "lenient"])
async def test_a_stale_version_is_told(api: Api, headers: dict[str, str]) -> None:
    record = await api.new(person)
    for operation in (
        {"op": "update", "key": record["id"], "version": 2, "body": {"note": "x"}},
        {"op": "upsert", "version": 2, "body": {"ref": record["ref"], "note": "x"}},
        {"op": "delete", "key": record["ref"], "version": 2},
    ):
        answer = await bulk(api, "people", [operation], **headers)
        told = answer.json()
        errors = told["results"][0]["problem"]["errors"] if headers else told["errors"]
        (error,) = errors
        assert error["pointer"] == ("/version" if headers else "/operations/0/version")
        assert "version 1" in error["detail"]
    assert await api.get(at(person, record)) == record
