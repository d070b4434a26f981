"""What is no list of operations is refused, and told where."""

from typing import Any

import pytest
from fastapi import FastAPI

from app.resources.person import person
from tests.contract.api import Api, at, problem
from tests.rest.calls import bulk, contents, post

RIGHT: Any = {"op": "create", "body": {"full_name": "A"}}
NOBODY = {"op": "update", "key": "nobody", "body": {}}
DELETE = {"op": "delete", "key": "nobody"}

BODIES: list[tuple[Any, str]] = [
    ({}, ""),
    ([], ""),
    ([RIGHT], ""),
    ("operations", ""),
    (None, ""),
    (5, ""),
    ({"operations": [RIGHT], "more": 1}, ""),
    ({"operation": [RIGHT]}, ""),
    ({"operations": []}, "/operations"),
    ({"operations": None}, "/operations"),
    ({"operations": {}}, "/operations"),
    ({"operations": "create"}, "/operations"),
]

NO_OBJECTS: list[Any] = [None, [], "x", 5, True]
NO_KEYS: list[Any] = [None, 5, True, [], {}]
NO_VERSIONS: list[Any] = [True, "1", 1.5, [], {}, 0, -1]
UNKNOWN = ("", "nobody", "\0", "a b", "x" * 5000, "ё", "%00", "0" * 36)

OPERATIONS: list[tuple[Any, str]] = [
    *(({"op": "create", "body": body}, "/body") for body in NO_OBJECTS),
    *(({**NOBODY, "body": body}, "/body") for body in NO_OBJECTS),
    *(({**DELETE, "key": key}, "/key") for key in NO_KEYS),
    *(({**NOBODY, "key": key}, "/key") for key in NO_KEYS),
    *(({**DELETE, "key": key}, "/key") for key in UNKNOWN),
    *(({**NOBODY, "key": key}, "/key") for key in UNKNOWN),
    *(({**DELETE, "version": version}, "/version") for version in NO_VERSIONS),
    (None, ""),
    (5, ""),
    ("create", ""),
    ([], ""),
    ({}, "/op"),
    ({"op": None}, "/op"),
    ({"op": []}, "/op"),
    ({"op": {}}, "/op"),
    ({"op": 5}, "/op"),
    ({"op": True}, "/op"),
    ({"op": "CREATE", "body": {}}, "/op"),
    ({"op": "craete", "body": {}}, "/op"),
    ({"op": "a/b~c"}, "/op"),
    ({**RIGHT, "key": "x"}, "/key"),
    ({**RIGHT, "bdoy": {}}, "/bdoy"),
    ({**RIGHT, "a/b~c": {}}, "/a~1b~0c"),
    ({**RIGHT, "version": 1}, "/version"),
    ({"op": "create"}, "/body"),
    ({"op": "update", "key": "x"}, "/body"),
    ({"op": "update", "body": {}}, "/key"),
    ({"op": "delete"}, "/key"),
    ({**DELETE, "body": {}}, "/body"),
    ({"op": "upsert", "key": "x", "body": {"ref": "x"}}, "/key"),
    ({"op": "upsert", "body": {"full_name": "A"}}, "/body/ref"),
    ({"op": "upsert", "body": {"full_name": "A", "ref": None}}, "/body/ref"),
    ({"op": "upsert", "body": {"full_name": "A", "ref": 5}}, "/body/ref"),
    ({"op": "upsert", "body": {"full_name": "A", "ref": ""}}, "/body/ref"),
    ({"op": "upsert", "body": {"full_name": "A", "ref": "\0"}}, "/body/ref"),
    ({"op": "upsert", "body": {"full_name": "A", "ref": "Not A Ref"}}, "/body/ref"),
    ({"op": "upsert", "body": None}, "/body"),
    ({"op": "upsert", "body": []}, "/body"),
    ({"op": "upsert", "version": 1, "body": {"full_name": "A", "ref": "new"}}, "/version"),
    ({"op": "update", "key": "nobody", "version": "1", "body": {}}, "/version"),
]


@pytest.mark.parametrize(("body", "pointer"), BODIES, ids=str)
async def test_a_body_is_an_object_with_a_list(api: Api, body: Any, pointer: str) -> None:
    answer = await post(api, "/people/bulk", body) if body is not None else None
    if answer is None:
        headers = {"content-type": "application/json"}
        answer = await api.client.post("/people/bulk", content="null", headers=headers)
    assert [one["pointer"] for one in problem(answer, 422)["errors"]] == [pointer]


@pytest.mark.parametrize("lenient", [False, True], ids=["whole", "lenient"])
@pytest.mark.parametrize(("operation", "pointer"), OPERATIONS, ids=lambda v: str(v)[:60])
async def test_an_operation_says_what_is_wrong_with_it(
    api: Api, writes_app: FastAPI, operation: Any, pointer: str, lenient: bool
) -> None:
    headers = {"prefer": "handling=lenient"} if lenient else {}
    answer = await bulk(api, "people", [operation], **headers)
    if lenient:
        assert answer.status_code == 207, answer.text
        (only,) = answer.json()["results"]
        assert only["status"] in (404, 409, 422)
        told = [one["pointer"] for one in only["problem"]["errors"]] or [""]
        assert told[0] == pointer
    else:
        errors = problem(answer, 422)["errors"]
        assert errors[0]["pointer"] == f"/operations/0{pointer}"


@pytest.mark.parametrize(
    ("operation", "near"),
    [
        ({"op": "craete", "body": {}}, "'create'"),
        ({"op": "DELETE", "key": "x"}, "'delete'"),
        ({**RIGHT, "bdoy": {}}, "'body'"),
        ({**NOBODY, "keys": "x"}, "'key'"),
        ({**NOBODY, "vresion": 1}, "'version'"),
        ({"op": "create", "body": {"fullname": "A"}}, "'full_name'"),
    ],
    ids=str,
)
async def test_a_misspelt_name_is_told_the_nearest(api: Api, operation: Any, near: str) -> None:
    errors = problem(await bulk(api, "people", [operation]), 422)["errors"]
    assert any(f"Did you mean {near}?" in error["detail"] for error in errors)


async def test_all_that_is_wrong_with_an_operation_is_told_at_once(api: Api) -> None:
    wrong = {"op": "update", "bdoy": {}, "vresion": 1}
    errors = problem(await bulk(api, "people", [wrong, {"op": "delete"}]), 422)["errors"]
    names = ("0/bdoy", "0/vresion", "0/body", "0/key", "1/key")
    assert [each["pointer"] for each in errors] == [f"/operations/{name}" for name in names]


async def test_a_fault_of_shape_keeps_all_others_from_being_stored(
    api: Api, writes_app: FastAPI
) -> None:
    before = await contents(writes_app)
    problem(await bulk(api, "people", [RIGHT, 5, RIGHT]), 422)
    assert await contents(writes_app) == before


@pytest.mark.parametrize("version", [1, None])
async def test_a_version_that_is_right_lets_pass(api: Api, version: int | None) -> None:
    record = await api.new(person)
    operation = {"op": "update", "key": record["id"], "version": version, "body": {"note": "x"}}
    assert (await bulk(api, "people", [operation])).status_code == 200
    assert (await api.get(at(person, record)))["version"] == 2


async def test_half_a_character_is_no_text(api: Api) -> None:
    """A lone surrogate can stand in JSON, and in no text that can be stored or answered with."""
    headers = {"content-type": "application/json"}
    for text in (
        '[{"op": "create", "body": {"full_name": "A"}, "\\ud800": 1}]',
        '[{"op": "delete", "key": "\\udc00"}]',
        '[{"op": "upsert", "body": {"ref": "\\ud800"}}]',
        '[{"op": "create", "body": {"full_name": "\\ud800"}}]',
        '[{"op": "create", "body": {"\\ud800": "A"}}]',
        '[{"op": "\\ud800"}]',
        '{"\\ud800": 1}',
    ):
        body = f'{{"operations": {text}}}'
        answer = await api.client.post("/people/bulk", content=body, headers=headers)
        assert answer.status_code in (400, 422), answer.text
    for path in ("people", "missions"):
        answer = await api.client.post(f"/{path}", content='{"\\ud800": 1}', headers=headers)
        assert answer.status_code in (400, 422), answer.text
