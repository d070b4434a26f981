"""Purging: what nothing refers to goes for good; the log keeps that it was, and not what it was."""

import pytest
from fastapi import FastAPI

from app.api import RESOURCES
from app.core import json_codec
from app.engine.resource import Resource
from app.resources.person import person
from tests.conftest import client_of
from tests.contract.api import Api, at, each, problem
from tests.rest.calls import change, contents

WORDS = "Zyxwvut Qponmlk"


async def test_a_record_of_each_kind_is_gone_for_good(api: Api, writes_app: FastAPI) -> None:
    wrong = []
    for resource in RESOURCES:
        record = await api.new(resource, note=f"{WORDS} {resource.path}")
        address = at(resource, record)
        await api.change("PATCH", address, {"note": f"{WORDS} {resource.path} again"})
        gone = [await api.client.delete(address, params={"purge": "true"})]
        gone.append(await api.client.get(address, params={"deleted": "include"}))
        gone.append(await api.client.get(f"{address}/history"))
        told = [(answer.status_code, answer.headers.get("content-type")) for answer in gone]
        not_found = (404, "application/problem+json")
        if told != [(204, None), not_found, not_found] or gone[0].content:
            wrong.append((resource.path, [answer.text for answer in gone]))
    assert wrong == []
    # The answers that are kept for a day, for requests that are sent again, are apart.
    rows = await contents(writes_app, without=("kept_answer", "search_words_known"))
    assert [row for table in rows.values() for row in table if WORDS in row] == []


async def test_no_answer_that_was_kept_to_be_repeated_keeps_it(
    api: Api, writes_app: FastAPI
) -> None:
    once = {"Idempotency-Key": "purged", "Content-Type": "application/json"}
    body = json_codec.dumps({"full_name": WORDS, "ref": "purged-answers"})
    made = await api.client.post("/people", content=body, headers=once)
    assert made.status_code == 201
    gone = await api.client.delete("/people/purged-answers", params={"purge": "true"})
    assert gone.status_code == 204
    rows = await contents(writes_app, without=("search_words_known",))
    assert not [row for row in rows["kept_answer"] if WORDS in row]
    again = await api.client.post("/people", content=body, headers=once)
    assert again.json()["id"] != made.json()["id"]
    await api.client.delete("/people/purged-answers", params={"purge": "true"})


@each
async def test_the_log_keeps_who_and_when(api: Api, resource: Resource) -> None:
    record = await api.new(resource)
    await api.trash(at(resource, record))
    assert (
        await api.client.delete(at(resource, record), params={"purge": "true"})
    ).status_code == 204
    log = (await api.get("/changes", record_id=record["id"]))["data"]
    assert [entry["action"] for entry in log] == ["create", "delete", "purge"]
    assert [entry["version"] for entry in log] == [1, 2, 3]
    assert all(entry["changes"] == {} for entry in log)


async def test_what_is_referred_to_stays_and_the_answer_names_by_what(api: Api) -> None:
    somebody = api.examples.ids["people"][0]
    told = problem(await api.client.delete(f"/people/{somebody}", params={"purge": "true"}), 409)
    assert "delegate" in told["detail"]
    assert (await api.get(f"/people/{somebody}"))["deleted_at"] is None


async def test_a_citation_of_a_record_keeps_it(api: Api) -> None:
    citation = (await api.get("/citations", record_kind="statement", limit=1))["data"][0]
    address = f"/statements/{citation['record_id']}"
    told = problem(await api.client.delete(address, params={"purge": "true"}), 409)
    assert "citations" in told["detail"]


async def test_a_ref_is_free_again(api: Api) -> None:
    body = api.examples.full("people", ref="purged-and-back")
    for _ in range(2):
        answer = await api.send("POST", "/people", body)
        assert answer.status_code == 201
        gone = await api.client.delete("/people/purged-and-back", params={"purge": "true"})
        assert gone.status_code == 204


async def test_what_refers_to_a_record_is_told_once(api: Api) -> None:
    address = "/missions/novosibirsk-april"
    told = problem(await api.client.delete(address, params={"purge": "true"}), 409)["detail"]
    _, _, referrers = told.partition("referred to by ")
    names = [name.partition(" (")[0] for name in referrers.partition(".")[0].split(", ")]
    assert names == [*dict.fromkeys(names)]
    assert not [name for name in names if f"{name}s" in names]
    assert {"delegate", "agreement", "citations"} <= set(names)
    assert "companies" not in names


async def test_a_purge_is_guarded_by_if_match(api: Api) -> None:
    address = f"/people/{(await api.send('POST', '/people', {'full_name': 'A'})).json()['id']}"
    stale = (await api.client.get(address)).headers["etag"]
    await api.change("PATCH", address, {"note": "newer"})
    answer = await api.client.delete(address, params={"purge": "true"}, headers={"If-Match": stale})
    problem(answer, 412)
    assert (await api.get(address))["note"] == "newer"


async def test_a_dry_run_purges_nothing(api: Api) -> None:
    address = f"/people/{(await api.send('POST', '/people', {'full_name': 'B'})).json()['id']}"
    answer = await api.client.delete(address, params={"purge": "true", "dry_run": "true"})
    assert answer.status_code == 204
    assert len(await api.history(address)) == 1


async def test_a_purge_takes_the_scope_admin(api: Api, writes_app: FastAPI) -> None:
    made = await api.send("POST", "/api-keys", {"name": "writer of purges", "scope": "write"})
    address = f"/people/{(await api.send('POST', '/people', {'full_name': 'C'})).json()['id']}"
    async with client_of(writes_app) as writer:
        writer.headers["Authorization"] = f"Bearer {made.json()['key']}"
        told = problem(await writer.delete(address, params={"purge": "true"}), 403)
        assert "'admin'" in told["detail"]
        assert (await writer.delete(address)).status_code == 204
    assert (await api.get(address, deleted="include"))["deleted_at"] is not None


@pytest.mark.parametrize("how", ["PATCH", "restore"])
async def test_what_was_purged_cannot_be_changed(api: Api, how: str) -> None:
    record = (await api.send("POST", "/people", {"full_name": "D"})).json()
    await api.client.delete(at(person, record), params={"purge": "true"})
    record = {**dict.fromkeys(person.fields.model_fields), **record}
    problem(await change(api, how, person, record), 404)
