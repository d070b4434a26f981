"""What Prefer (RFC 7240) asks of the answer to a write."""

import pytest

from app.engine.resource import Resource
from app.resources.person import person
from tests.contract.api import Api, at, each
from tests.rest.calls import bulk, change, post, send, tag

MINIMAL = (
    "return=minimal",
    'return="minimal"',
    "RETURN=Minimal",
    "return = minimal",
    "respond-async, return=minimal",
    "return=minimal;foo=bar",
    "handling=lenient; x=y ,return=minimal , wait=10",
    "return=minimal, return=representation",
)
FULL = (
    "",
    "return",
    "return=",
    "return=representation",
    "return=representation, return=minimal",
    "minimal",
    "x-return=minimal",
    "return=minimalist",
    "x=1;return=minimal",
    "respond-async",
    ",,;=",
    "é=ü",
)


@each
async def test_a_new_record_is_told_by_its_address_alone(api: Api, resource: Resource) -> None:
    body = api.examples.full(resource.path)
    answer = await post(api, f"/{resource.path}", body, prefer="return=minimal")
    assert (answer.status_code, answer.content) == (201, b"")
    assert "content-type" not in answer.headers
    assert answer.headers["preference-applied"] == "return=minimal"
    record = await api.get(answer.headers["location"])
    assert record["ref"] == body["ref"]


@each
@pytest.mark.parametrize("how", ["PATCH", "PUT", "restore"])
async def test_a_change_is_told_by_its_status_alone(api: Api, resource: Resource, how: str) -> None:
    record = await api.new(resource)
    answer = await change(api, how, resource, record, prefer="return=minimal")
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["preference-applied"] == "return=minimal"
    assert answer.headers.get("location") is None
    if not resource.derived_elsewhere:
        assert answer.headers["etag"] == await tag(api, at(resource, record))


@pytest.mark.parametrize("preference", MINIMAL)
async def test_it_is_understood_however_it_is_written(api: Api, preference: str) -> None:
    record = await api.new(person)
    answer = await change(api, "PATCH", person, record, prefer=preference)
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["preference-applied"] == "return=minimal"


@pytest.mark.parametrize("preference", FULL)
async def test_what_is_not_known_is_passed_over(api: Api, preference: str) -> None:
    record = await api.new(person)
    answer = await api.client.patch(
        at(person, record), json={"note": "changed"}, headers=[(b"prefer", preference.encode())]
    )
    assert answer.status_code == 200
    assert answer.json()["note"] == "changed"
    assert "preference-applied" not in answer.headers


async def test_it_can_stand_in_a_header_of_its_own(api: Api) -> None:
    record = await api.new(person)
    headers = [("prefer", "wait=5"), ("prefer", "return=minimal")]
    answer = await api.client.patch(at(person, record), json={"note": "2"}, headers=headers)
    assert answer.status_code == 204


async def test_a_put_that_creates_tells_the_address(api: Api) -> None:
    headers = {"if_none_match": "*", "prefer": "return=minimal"}
    answer = await send(api.client, "PUT", "/people/put-minimal", {"full_name": "A"}, **headers)
    assert (answer.status_code, answer.content) == (201, b"")
    assert (await api.get(answer.headers["location"]))["ref"] == "put-minimal"


async def test_a_delete_answers_as_ever(api: Api) -> None:
    record = await api.new(person)
    answer = await change(api, "DELETE", person, record, prefer="return=minimal")
    assert (answer.status_code, answer.content) == (204, b"")


async def test_a_refusal_is_told_in_full(api: Api) -> None:
    answer = await post(api, "/people", {}, prefer="return=minimal")
    assert answer.status_code == 422
    assert answer.json()["errors"]


async def test_reading_takes_no_notice(api: Api) -> None:
    record = await api.new(person)
    answer = await send(api.client, "GET", at(person, record), prefer="return=minimal")
    assert answer.json() == record


async def test_a_repeat_can_ask_for_less(api: Api) -> None:
    body = {"full_name": "A"}
    first = await post(api, "/people", body, idempotency_key="prefer-1")
    again = await post(api, "/people", body, idempotency_key="prefer-1", prefer="return=minimal")
    assert (again.status_code, again.content) == (201, b"")
    assert again.headers["location"] == first.headers["location"]


@pytest.mark.parametrize("handling", ["", ", handling=lenient"])
async def test_a_list_of_operations_tells_how_many_alone(api: Api, handling: str) -> None:
    operations = [{"op": "create", "body": {"full_name": "A"}}] * 3
    answer = await bulk(api, "people", operations, prefer=f"return=minimal{handling}")
    assert answer.status_code == (207 if handling else 200)
    told = answer.json()
    assert told["summary"] == {"created": 3, "updated": 0, "deleted": 0, "failed": 0}
    assert not told.get("results")
    assert "return=minimal" in answer.headers["preference-applied"]
