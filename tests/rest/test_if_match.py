"""A change is made only of the version that its sender has read."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI

from app.api import RESOURCES
from app.engine.resource import Resource
from app.main import create_app
from app.resources.person import person
from app.settings import Settings
from tests.conftest import client_of
from tests.contract.api import Api, at, each, problem
from tests.examples import Examples
from tests.rest.calls import CHANGES, change, fields_of, send, tag

each_change = pytest.mark.parametrize("how", CHANGES)


@each
@each_change
async def test_the_present_tag_lets_a_change_pass(api: Api, resource: Resource, how: str) -> None:
    record = await api.new(resource)
    answer = await change(api, how, resource, record, if_match=await tag(api, at(resource, record)))
    assert answer.status_code == (204 if how == "DELETE" else 200), answer.text


@each
@each_change
async def test_a_stale_tag_keeps_the_record_as_it_is(
    api: Api, resource: Resource, how: str
) -> None:
    record = await api.new(resource)
    stale = await tag(api, at(resource, record))
    changed = await api.change("PATCH", at(resource, record), {"note": "by another"})
    answer = await change(api, how, resource, record, if_match=stale)
    assert "version 2" in problem(answer, 412)["detail"]
    assert await api.get(at(resource, record)) == changed


@each
async def test_a_refusal_tells_the_present_tag(api: Api, resource: Resource) -> None:
    record = await api.new(resource)
    answer = await change(api, "PATCH", resource, record, if_match='"0-0"')
    # Where others' fields are shown, the tag is told by a read alone.
    told = None if resource.derived_elsewhere else await tag(api, at(resource, record))
    assert answer.headers.get("etag") == told
    assert problem(answer, 412)


async def test_a_tag_of_something_else_is_no_sign_of_a_change(api: Api) -> None:
    record, other = await api.new(person), await api.new(person)
    path = at(person, record)
    own = await tag(api, path)
    asked = {
        await tag(api, at(person, other)): "has no tag of this person",
        await tag(api, "/people?limit=1"): "has no tag of this person",
        f'{own[:-4]}0000"': "was restored since",
        f'"0{own[2:]}': "has changed since",
    }
    for sent, words in asked.items():
        answer = await change(api, "PATCH", person, record, if_match=sent)
        detail = problem(answer, 412)["detail"]
        assert words in detail, sent
        assert "version 1" in detail, sent


@each
async def test_the_tag_of_a_write_guards_the_next_one(api: Api, resource: Resource) -> None:
    record = await api.new(resource)
    first = await change(api, "PATCH", resource, record)
    known = first.headers.get("etag") or await tag(api, at(resource, record))
    answer = await send(api.client, "PATCH", at(resource, record), {"note": "2"}, if_match=known)
    assert answer.status_code == 200
    if not resource.derived_elsewhere:
        assert answer.headers["etag"] == await tag(api, at(resource, record))


@pytest.mark.parametrize(
    "resource", [r for r in RESOURCES if r.derived_elsewhere], ids=lambda r: r.path
)
async def test_writes_elsewhere_do_not_make_a_tag_stale(api: Api, resource: Resource) -> None:
    record = await api.new(resource)
    known = await tag(api, at(resource, record))
    await api.new(person)
    assert await tag(api, at(resource, record)) != known
    assert (await change(api, "PATCH", resource, record, if_match=known)).status_code == 200


@each_change
@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ("{0}", 200),
        ('"0-x", {0}', 200),
        ('{0},"0-x"', 200),
        ("*", 200),
        (" * ", 200),
        ("W/{0}", 412),
        (',"0-x",,{0},', 200),
        ('"0-x"', 412),
        ('"0-x", "1-x"', 412),
        ('""', 412),
        ("", 400),
        (",", 400),
        ("1", 400),
        ("*, {0}", 400),
        ("{0} {0}", 400),
        ('"open', 400),
        ("{0};q=1", 400),
        ("w/{0}", 400),
    ],
)
async def test_if_match_takes_tags_and_nothing_else(
    api: Api, how: str, sent: str, status: int
) -> None:
    record = await api.new(person)
    known = await tag(api, at(person, record))
    answer = await change(api, how, person, record, if_match=sent.format(known))
    if status == 200:
        assert answer.status_code in (200, 204)
        return
    problem(answer, status)
    assert await api.get(at(person, record)) == record


async def test_a_tag_that_goes_on_longer_is_another(api: Api) -> None:
    record = await api.new(person)
    known = await tag(api, at(person, record))
    answer = await change(api, "PATCH", person, record, if_match=f'{known[:-1]}-9"')
    problem(answer, 412)


async def test_the_tag_of_another_record_matches_nothing(api: Api) -> None:
    record, other = await api.new(person), await api.new(person)
    answer = await change(api, "PATCH", person, record, if_match=await tag(api, at(person, other)))
    problem(answer, 412)


async def test_a_star_matches_no_record_that_is_not_there(api: Api) -> None:
    answer = await send(api.client, "PATCH", "/people/nobody-there", {"note": "x"}, if_match="*")
    problem(answer, 404)


@each
async def test_a_record_in_the_trash_is_restored_by_its_tag(api: Api, resource: Resource) -> None:
    record = await api.new(resource)
    live = await tag(api, at(resource, record))
    await api.trash(at(resource, record))
    problem(await change(api, "restore", resource, record, if_match=live), 412)
    trashed = await tag(api, at(resource, record))
    answer = await change(api, "restore", resource, record, if_match=trashed)
    assert answer.status_code == 200


@pytest.fixture
async def strict(fresh_url: str) -> AsyncIterator[Api]:
    """An application that asks for If-Match."""
    app = create_app(Settings(database_url=fresh_url, require_if_match=True))
    async with app.router.lifespan_context(app), client_of(app) as client:
        yield Api(client, Examples())


async def test_a_service_can_ask_for_if_match(strict: Api) -> None:
    record = await strict.new(person)
    for how in CHANGES:
        problem(await change(strict, how, person, record), 428)
        known = await tag(strict, at(person, record))
        answer = await change(strict, how, person, record, if_match=known)
        assert answer.status_code in (200, 204)


async def test_a_service_that_asks_for_if_match_lets_records_be_created(strict: Api) -> None:
    await strict.new(person)
    answer = await send(
        strict.client, "PUT", "/people/by-ref", {"full_name": "A"}, if_none_match="*"
    )
    assert answer.status_code == 201


async def _append(app: FastAPI, address: str, name: str) -> int:
    """Add a line to the note, reading it again until nobody came between; how often it took."""
    async with client_of(app) as client:
        for attempt in range(1, 1000):
            read = await client.get(address)
            patch = {"note": f"{read.json()['note']}\n{name}"}
            answer = await send(client, "PATCH", address, patch, if_match=read.headers["etag"])
            if answer.status_code == 200:
                assert answer.json()["note"] == patch["note"]
                return attempt
            assert answer.status_code == 412, answer.text
    raise AssertionError("others always came between")


async def test_of_64_writers_none_is_lost(api: Api, writes_app: FastAPI) -> None:
    record = await api.new(person, note="begun")
    address, names = at(person, record), [f"writer {n}" for n in range(64)]
    await asyncio.gather(*(_append(writes_app, address, name) for name in names))
    after = await api.get(address)
    first, *lines = after["note"].split("\n")
    assert (first, sorted(lines)) == ("begun", sorted(names))
    assert after["version"] == 65
    history = await api.get(f"{address}/history", limit=100)
    notes = [entry["changes"]["note"] for entry in history["data"]]
    assert [new for _, new in notes[1:]] == [old for old, _ in notes[:-1]]


async def test_writers_without_if_match_do_not_mix_their_records(
    api: Api, writes_app: FastAPI
) -> None:
    """Each writes two fields; whoever comes last, both are of the same one."""
    record = await api.new(person)
    bodies = [{"note": f"n {n}", "other_names": [f"n {n}"]} for n in range(32)]
    answers = await asyncio.gather(
        *(send(api.client, "PATCH", at(person, record), body) for body in bodies)
    )
    assert {answer.status_code for answer in answers} == {200}
    assert sorted(answer.json()["version"] for answer in answers) == list(range(2, 34))
    after = await api.get(at(person, record))
    assert after["other_names"] == [after["note"]]
    assert {**fields_of(person, record), **bodies[int(after["note"][2:])]} == fields_of(
        person, after
    )
