"""Every kind of record goes to the trash and back alike, and keeps its history."""

from decimal import Decimal

from fastapi import FastAPI
from sqlalchemy import select

from app.api import RESOURCES
from app.core import json_codec
from app.core.databases.interface import compile_query
from app.engine.history.change_log import Change
from app.engine.resource import Resource
from tests.contract.api import Api, at, differences, each, listed, problem
from tests.examples import Body
from tests.keys import ADMIN

# The trash


@each
async def test_the_trash_holds_what_is_deleted(api: Api, resource: Resource) -> None:
    record = await api.new(resource)
    address, narrow = at(resource, record), {"id": record["id"]}
    answer = await api.client.delete(address)
    assert (answer.status_code, answer.content) == (204, b"")
    assert "deleted=include" in problem(await api.client.get(address), 404)["detail"]
    problem(await api.client.get(f"/{resource.path}/{record['ref']}"), 404)
    kept = await api.get(address, deleted="include")
    assert kept == record | {n: kept[n] for n in ("version", "updated_at", "deleted_at")}
    assert kept["version"] == 2
    assert record["updated_at"] < kept["deleted_at"] <= kept["updated_at"]
    assert await listed(api, f"/{resource.path}", **narrow) == []
    for deleted in ("include", "only"):
        assert await listed(api, f"/{resource.path}", **narrow, deleted=deleted) == [kept]


@each
async def test_a_record_in_the_trash_cannot_be_changed(api: Api, resource: Resource) -> None:
    record = await api.new(resource)
    address = at(resource, record)
    await api.trash(address)
    problem(await api.client.delete(address), 404)
    problem(await api.send("PATCH", address, {"note": "new"}), 404)
    problem(await api.send("PUT", address, api.examples.full(resource.path)), 404)
    assert (await api.get(address, deleted="include"))["version"] == 2


@each
async def test_restore_brings_a_record_back(api: Api, resource: Resource) -> None:
    record = await api.new(resource)
    address = at(resource, record)
    await api.trash(f"/{resource.path}/{record['ref']}")
    back = (await api.client.post(f"/{resource.path}/{record['ref']}/restore")).json()
    assert (back["version"], back["deleted_at"]) == (3, None)
    assert differences(record, await api.get(address)) == {}
    assert [r["id"] for r in await listed(api, f"/{resource.path}", id=record["id"])] == [
        record["id"]
    ]


@each
async def test_restore_leaves_a_live_record_as_it_is(api: Api, resource: Resource) -> None:
    record = await api.full(resource)
    answer = await api.client.post(f"{at(resource, record)}/restore")
    assert (answer.status_code, json_codec.loads(answer.content)) == (200, record)
    assert len(await api.history(at(resource, record))) == 1


@each
async def test_only_shows_nothing_but_the_trash(api: Api, resource: Resource) -> None:
    record = await api.full(resource)
    assert await listed(api, f"/{resource.path}", id=record["id"], deleted="only") == []
    assert await listed(api, f"/{resource.path}", id=record["id"], deleted="include") == [record]


# History


@each
async def test_each_write_leaves_one_entry_of_what_it_changed(api: Api, resource: Resource) -> None:
    states: list[Body] = [await api.new(resource)]
    address = at(resource, states[0])
    states.append(await api.change("PATCH", address, {"note": "changed"}))
    body = {
        name: value for name, value in api.examples.other(resource.path).items() if name != "ref"
    }
    states.append(await api.change("PUT", address, body))
    await api.trash(address)
    states.append(await api.get(address, deleted="include"))
    states.append((await api.client.post(f"{address}/restore")).json(parse_float=Decimal))
    entries = (await api.history(address))[::-1]
    assert [e["action"] for e in entries] == ["create", "update", "replace", "delete", "restore"]
    assert [e["version"] for e in entries] == [state["version"] for state in states]
    assert [e["at"] for e in entries] == sorted(e["at"] for e in entries)
    for entry, before, after in zip(entries, [None, *states], states, strict=False):
        told = differences(before, after)
        assert entry["changes"] == {n: told[n] for n in told if n not in resource.derived_elsewhere}
        assert (entry["kind"], entry["record_id"]) == (resource.record_type, after["id"])
        assert entry["actor"] == ADMIN
        assert list(entry) == [
            "seq",
            "position",
            "at",
            "actor",
            "action",
            "kind",
            "record_id",
            "version",
            "changes",
        ]


@each
async def test_history_is_read_in_pages_newest_first(api: Api, resource: Resource) -> None:
    record = await api.new(resource)
    for note in "abc":
        await api.change("PATCH", at(resource, record), {"note": note})
    address, cursor = f"/{resource.path}/{record['ref']}/history", None
    for versions in ([4, 3], [2, 1]):
        page = await api.get(address, limit=2, **({"cursor": cursor} if cursor else {}))
        assert [entry["version"] for entry in page["data"]] == versions
        assert (page["page"]["limit"], page["page"]["total"]) == (2, None)
        cursor = page["page"]["next_cursor"]
    assert cursor is None
    back = await api.get(address, limit=2, cursor=page["page"]["prev_cursor"])
    assert [entry["version"] for entry in back["data"]] == [4, 3]


@each
async def test_a_refused_write_leaves_no_entry(
    api: Api, resource: Resource, shared_app: FastAPI
) -> None:
    first, second = await api.full(resource), await api.other(resource)
    address = at(resource, second)
    before = await numbers(shared_app)
    problem(await api.send("PATCH", address, {"ref": first["ref"]}), 409)
    problem(
        await api.send(
            "POST", f"/{resource.path}", api.examples.full(resource.path, ref=first["ref"])
        ),
        409,
    )
    problem(await api.send("PATCH", address, {"ref": ""}), 422)
    problem(await api.send("PATCH", f"/{resource.path}/nowhere", {}), 404)
    assert await numbers(shared_app) == before


async def test_changes_are_numbered_without_gaps(api: Api, shared_app: FastAPI) -> None:
    await api.new(RESOURCES[0])
    found = await numbers(shared_app)
    assert found == list(range(1, len(found) + 1))


async def numbers(app: FastAPI) -> list[int]:
    database = app.state.database
    rows = await database.read(
        compile_query(select(Change.seq).order_by(Change.seq), database.whole_dialect), {}
    )
    return [row[0] for row in rows]
