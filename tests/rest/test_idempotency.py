"""A request with an Idempotency-Key is done once, however often it is sent."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import update
from sqlalchemy.orm import Session

from app.core.databases.types import now
from app.core.http.dispatch import Route
from app.engine.resource import Resource
from app.resources.agreement import agreement
from app.resources.person import person
from app.rest.idempotency import StoredResponse
from tests.conftest import client_of, serving
from tests.contract.api import Api, at, each, fault, listed, pointers, problem
from tests.examples import Body, Examples
from tests.rest.calls import position, post, send


def new_key() -> str:
    return uuid4().hex


def somebody() -> Body:
    """A body that a list can find by its note."""
    return {"full_name": "Somebody", "note": f"only {uuid4().hex}"}


async def stored(api: Api, body: Body) -> list[Body]:
    return await listed(api, "/people", note=body["note"])


def told(answer: httpx.Response) -> Any:
    """All of an answer that a repeat must give again."""
    headers = {name: answer.headers.get(name) for name in ("location", "etag", "content-type")}
    return answer.status_code, headers, answer.content


async def ages(app: FastAPI, key: str, by: timedelta) -> None:
    """Make the kept answer of the key older."""

    def work(session: Session) -> None:
        session.execute(
            update(StoredResponse).where(StoredResponse.key == key).values(created_at=now() - by)
        )

    await app.state.database.write(work)


@each
async def test_a_repeat_gives_the_first_answer_again(
    api: Api, writes_app: FastAPI, resource: Resource
) -> None:
    body, key = api.examples.full(resource.path), new_key()
    first = await post(api, f"/{resource.path}", body, idempotency_key=key)
    assert first.status_code == 201, first.text
    assert "idempotency-replayed" not in first.headers
    before = await position(writes_app)
    again = await post(api, f"/{resource.path}", body, idempotency_key=key)
    assert told(again) == told(first)
    assert again.headers["idempotency-replayed"] == "true"
    assert await position(writes_app) == before


async def test_the_first_answer_is_given_though_the_record_has_changed(api: Api) -> None:
    body, key = somebody(), new_key()
    first = await post(api, "/people", body, idempotency_key=key)
    address = first.headers["location"]
    await api.change("PATCH", address, {"full_name": "Another"})
    await api.trash(address)
    assert told(await post(api, "/people", body, idempotency_key=key)) == told(first)


@pytest.mark.parametrize(
    ("address", "extra"),
    [("/people", {"full_name_en": "B"}), ("/people?dry_run=false", {}), ("/people/bulk", {})],
    ids=["body", "query", "path"],
)
async def test_a_key_belongs_to_one_request(api: Api, address: str, extra: Body) -> None:
    body, key = somebody(), new_key()
    await post(api, "/people", body, idempotency_key=key)
    sent: Any = {**body, **extra}
    if address.endswith("bulk"):
        sent = {"operations": [{"op": "create", "body": body}]}
    answer = await post(api, address, sent, idempotency_key=key)
    assert "another request" in problem(answer, 422)["detail"]
    assert len(await stored(api, body)) == 1


async def test_each_key_is_a_request_of_its_own(api: Api) -> None:
    body = somebody()
    for _ in range(2):
        await post(api, "/people", body, idempotency_key=new_key())
    assert len(await stored(api, body)) == 2


async def test_restoring_can_be_repeated(api: Api) -> None:
    record, key = await api.new(person), new_key()
    await api.trash(at(person, record))
    address = f"{at(person, record)}/restore"
    first, again = [await send(api.client, "POST", address, idempotency_key=key) for _ in range(2)]
    assert first.json()["version"] == 3
    assert told(again) == told(first)
    assert len(await api.history(at(person, record))) == 3


async def test_a_list_of_operations_can_be_repeated(api: Api) -> None:
    body, key = somebody(), new_key()
    sent = {"operations": [{"op": "create", "body": body}] * 3}
    first, again = [await post(api, "/people/bulk", sent, idempotency_key=key) for _ in range(2)]
    assert first.status_code == 200, first.text
    assert told(again) == told(first)
    assert len(await stored(api, body)) == 3


async def test_what_lies_under_a_record_is_not_stored_twice(api: Api) -> None:
    body = {"title": "M", "kind": "trade_fair", "events": [{"kind": "meeting", "title": "E"}]}
    key = new_key()
    first, again = [await post(api, "/missions", body, idempotency_key=key) for _ in range(2)]
    assert told(again) == told(first)
    assert len(await listed(api, f"{first.headers['location']}/events")) == 1


async def test_a_request_that_failed_can_be_put_right(api: Api) -> None:
    body, key = somebody(), new_key()
    wrong = await post(api, "/people", {**body, "full_name": None}, idempotency_key=key)
    assert pointers(wrong) == ["/full_name"]
    assert (await post(api, "/people", body, idempotency_key=key)).status_code == 201


async def test_a_request_that_broke_a_rule_of_the_records_can_be_sent_again(api: Api) -> None:
    taken, key = await api.new(agreement), new_key()
    body = api.examples.full("agreements", ref=taken["ref"])
    problem(await post(api, "/agreements", body, idempotency_key=key), 409)
    await api.change("PATCH", at(agreement, taken), {"ref": None})
    answer = await post(api, "/agreements", body, idempotency_key=key)
    assert answer.status_code == 201
    assert "idempotency-replayed" not in answer.headers


async def test_a_dry_run_takes_no_key_and_says_why(api: Api) -> None:
    body, key = somebody(), new_key()
    answer = await post(api, "/people?dry_run=true", body, idempotency_key=key)
    assert "dry run stores nothing" in problem(answer, 400)["detail"]
    assert (await post(api, "/people", body, idempotency_key=key)).status_code == 201


@pytest.mark.parametrize(("hours", "records"), [(23, 1), (25, 2)])
async def test_an_answer_is_kept_for_a_day(
    api: Api, writes_app: FastAPI, hours: int, records: int
) -> None:
    body, key = somebody(), new_key()
    await post(api, "/people", body, idempotency_key=key)
    await ages(writes_app, key, timedelta(hours=hours))
    answer = await post(api, "/people", body, idempotency_key=key)
    assert answer.status_code == 201
    assert ("idempotency-replayed" in answer.headers) is (records == 1)
    assert len(await stored(api, body)) == records


@pytest.mark.parametrize("key", ["", " ", "x" * 256, "schlüssel", "ключ", "a\tb", "\x7f"])
async def test_a_key_is_made_of_printable_letters(api: Api, key: str) -> None:
    body = somebody()
    answer = await api.client.post(
        "/people", json=body, headers=[(b"idempotency-key", key.encode())]
    )
    assert fault(answer)["code"] == "idempotency_key"
    assert await stored(api, body) == []


@pytest.mark.parametrize("key", ["x", "x" * 255, '"quoted"', "two words", "~!@#$%^&*()"])
async def test_a_key_can_be_any_short_text(api: Api, key: str) -> None:
    body, key = somebody(), f"{key[:200]}{new_key()}" if len(key) < 200 else key
    for _ in range(2):
        assert (await post(api, "/people", body, idempotency_key=key)).status_code == 201
    assert len(await stored(api, body)) == 1


async def test_every_way_to_change_a_record_can_be_repeated(api: Api) -> None:
    record = await api.new(person)
    address = at(person, record)
    for method, body in (("PATCH", {"note": "a"}), ("PUT", somebody()), ("DELETE", None)):
        key = new_key()
        first = await send(api.client, method, address, body, idempotency_key=key)
        again = await send(api.client, method, address, body, idempotency_key=key)
        assert told(again) == told(first), method
        assert first.status_code in (200, 204), method
        assert again.headers["idempotency-replayed"] == "true", method
        other = await send(api.client, "PATCH", address, {"note": "c"}, idempotency_key=key)
        assert other.status_code == 422, method
    assert (await api.get(address, deleted="include"))["version"] == record["version"] + 3


async def test_reads_take_no_notice_of_a_key(api: Api) -> None:
    address, key = at(person, await api.new(person)), new_key()
    answers = [await send(api.client, "GET", address, idempotency_key=key) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert "idempotency-replayed" not in answers[1].headers


async def test_every_operation_that_writes_honours_a_key_or_refuses_it_with_the_reason(
    api: Api, writes_app: FastAPI
) -> None:
    wrong = []
    for route in writes_app.router.routes:
        if not isinstance(route, Route) or not route.methods or route.methods == {"GET"}:
            continue
        method = min(route.methods)
        target = re.sub(r"\{\w+\}", "nothing", route.path)
        lines = [("Idempotency-Key", "one"), ("Idempotency-Key", "two")]
        answer = await api.client.request(method, target, headers=lines)
        if answer.status_code != 400 or "several Idempotency-Keys" not in answer.text:
            wrong.append((method, target, "two keys", answer.text))
        if route.not_repeated is None:
            continue
        answer = await api.client.request(method, target, headers={"Idempotency-Key": "x"})
        if answer.status_code != 400 or route.not_repeated not in answer.json()["detail"]:
            wrong.append((method, target, "refused", answer.text))
    assert wrong == []


async def _until_done(client: httpx.AsyncClient, body: Body, key: str) -> httpx.Response:
    for _ in range(1000):
        answer = await send(client, "POST", "/people", body, idempotency_key=key)
        if answer.status_code != 409:
            return answer
        assert answer.headers["retry-after"] == "1"
        await asyncio.sleep(0.01)
    raise AssertionError("never done")


def _one_answer(answers: list[httpx.Response]) -> None:
    assert {answer.status_code for answer in answers} == {201}
    assert len({str(told(answer)) for answer in answers}) == 1
    assert sum("idempotency-replayed" not in answer.headers for answer in answers) == 1


async def test_fifty_at_once_store_one_record(api: Api) -> None:
    body, key = somebody(), new_key()
    answers = await asyncio.gather(*(_until_done(api.client, body, key) for _ in range(50)))
    _one_answer(list(answers))
    assert len(await stored(api, body)) == 1


async def test_one_that_is_still_worked_on_is_told_so(api: Api) -> None:
    body, key = somebody(), new_key()
    answers = await asyncio.gather(
        *(post(api, "/people", body, idempotency_key=key) for _ in range(50))
    )
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert 201 in {answer.status_code for answer in answers}


@pytest.fixture
async def pair(fresh_url: str) -> AsyncIterator[list[Api]]:
    """Two applications on one database, as two processes would be."""
    async with (
        serving(fresh_url) as one,
        serving(fresh_url) as two,
        client_of(one) as first,
        client_of(two) as second,
    ):
        yield [Api(first, Examples()), Api(second, Examples())]


async def test_two_processes_store_one_record(pair: list[Api]) -> None:
    for _ in range(3):
        body, key = somebody(), new_key()
        answers = await asyncio.gather(
            *(_until_done(pair[n % 2].client, body, key) for n in range(16))
        )
        _one_answer(list(answers))
        assert len(await stored(pair[0], body)) == 1


async def test_two_processes_go_on_after_a_failure(pair: list[Api]) -> None:
    """The one that waits for the other's transaction does the work when that comes to nothing."""
    body, key = {**somebody(), "ref": "taken"}, new_key()
    await post(pair[0], "/people", {"full_name": "X", "ref": "taken"})
    answers = await asyncio.gather(
        *(post(one, "/people", body, idempotency_key=key) for one in pair * 5)
    )
    assert {answer.status_code for answer in answers} == {409}
    right = await post(pair[1], "/people", {**body, "ref": "free"}, idempotency_key=key)
    assert right.status_code == 201
