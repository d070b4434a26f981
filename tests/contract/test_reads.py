"""Every kind of record is read alike: alone, with relations, each time in one statement."""

import json
from itertools import product
from typing import Any

from app.core import json_codec
from app.engine.paths import relations_of
from app.engine.query.parameters import expandable
from app.engine.resource import Embedded, Resource
from tests.contract.api import MODELS, UNKNOWN, Api, at, each, fault, listed, of_each, problem
from tests.examples import Body, create

# Get


@each
async def test_get_finds_by_id_and_by_ref(api: Api, resource: Resource) -> None:
    record = await api.full(resource)
    assert await api.get(at(resource, record)) == record
    assert await api.get(f"/{resource.path}/{record['id'].upper()}") == record
    assert await api.get(f"/{resource.path}/{record['ref']}") == record


NOWHERE = (UNKNOWN, "nowhere", "%D0%81", "%F0%9F%98%80", "%00", "a%00b", "-", "a" * 36, "x" * 5000)


@each
async def test_an_unknown_record_is_not_found(api: Api, resource: Resource) -> None:
    body = api.examples.full(resource.path)
    for key in NOWHERE:
        address = f"/{resource.path}/{key}"
        problem(await api.client.get(address), 404)
        problem(await api.client.get(f"{address}/history"), 404)
        problem(await api.send("PATCH", address, {}), 404)
        problem(await api.send("PUT", address, body), 404)
        problem(await api.client.delete(address), 404)
        problem(await api.client.post(f"{address}/restore"), 404)


# Expansion


async def shown(api: Api, resource: Resource) -> list[str]:
    """Addresses of two records that have something to expand: the article's and one of ours."""
    seeded = await listed(api, f"/{resource.path}", limit=1, sort="id")
    return [at(resource, record) for record in [*seeded, await api.full(resource)]]


async def looked_up(api: Api, resource: Resource, address: str, name: str, expand: str = "") -> Any:
    """What a relation of a record stands for, read at its own address."""
    inner = {"expand": expand} if expand else {}
    if name not in resource.to_many:
        key = (await api.get(address))[f"{name}_id"]
        return key and await api.get(f"/{resource.to_one[name].path}/{key}", **inner)
    collection = resource.to_many[name]
    found = await listed(api, f"{address}/{collection.name}", limit=1000)
    if not expand:
        return found
    # One by one: what a kind of record expands to is compiled once, wherever it is listed.
    return [await api.get(at(collection.child, record), **inner) for record in found]


@of_each(expandable)
async def test_each_relation_shows_what_it_stands_for(
    api: Api, resource: Resource, name: str
) -> None:
    collection = resource.to_many.get(name)
    # What the list of a collection shows by itself is asked for here.
    asked = f"{name}.{collection.shows}" if collection and collection.shows else name
    for address in await shown(api, resource):
        plain, expanded = await api.get(address), await api.get(address, expand=asked)
        if name in resource.embedded:
            assert expanded == plain
        else:
            assert expanded == {**plain, name: await looked_up(api, resource, address, name)}
            assert list(expanded) == [*plain, name]


@each
async def test_all_relations_are_shown_together(api: Api, resource: Resource) -> None:
    names = expandable(resource)
    for address in await shown(api, resource):
        alone: Body = {}
        for name in names:
            alone |= await api.get(address, expand=name)
        assert await api.get(address, expand=",".join(names)) == alone


def inner_steps(resource: Resource, name: str) -> list[str]:
    """What can be expanded in what a relation leads to, as it is asked for there."""
    return expandable(relations_of(resource)[name].target)


def two_steps(resource: Resource) -> list[str]:
    return [
        f"{name}.{step}" for name in expandable(resource) for step in inner_steps(resource, name)
    ]


@each
async def test_relations_of_a_relation_show_what_they_stand_for(
    api: Api, resource: Resource
) -> None:
    """Those of one relation are asked for together, as each is shown apart from the others."""
    wrong: list[tuple[str, str, str]] = []
    for name, address in product(expandable(resource), await shown(api, resource)):
        inner = inner_steps(resource, name)
        if not inner:
            continue
        expand = ",".join(f"{name}.{step}" for step in inner)
        found = (await api.get(address, expand=expand))[name]
        if name in resource.embedded:
            wrong += await wrong_in_parts(api, resource.embedded[name], found, name)
            continue
        meant = await looked_up(api, resource, address, name, ",".join(inner))
        rows = product(found if isinstance(found, list) else [found], inner) if found else ()
        assert isinstance(found, list) == (name in resource.to_many)
        assert all(step in row for row, step in rows), (name, address)
        if found != meant:
            wrong.append((address, expand, f"{found} is not {meant}"))
    assert wrong == []


async def wrong_in_parts(
    api: Api, part: Embedded, rows: list[Body], name: str
) -> list[tuple[str, str, str]]:
    """What the parts of a record show of their relations, where it is not what is there."""
    wrong = []
    for row, (relation, target) in product(rows, part.to_one.items()):
        key = row[f"{relation}_id"]
        meant = key and await api.get(f"/{target.path}/{key}")
        if row[relation] != meant:
            wrong.append((name, relation, f"{row[relation]} is not {meant}"))
    return wrong


def many_at_once(resource: Resource) -> str:
    """Relations of both steps, as many as one statement takes: the same for each test, so that it
    is compiled once."""
    return ",".join([*expandable(resource), *two_steps(resource)][:12])


@each
async def test_an_expansion_of_a_list_is_that_of_each_record(api: Api, resource: Resource) -> None:
    expand = many_at_once(resource)
    for record in await listed(api, f"/{resource.path}", limit=3, sort="id", expand=expand):
        assert record == await api.get(at(resource, record), expand=expand)


@each
async def test_an_expansion_goes_three_steps_deep(api: Api, resource: Resource) -> None:
    path = ["citations"] * 4
    address = at(resource, await api.full(resource))
    assert "citations" in await api.get(address, expand=".".join(path[:3]))
    assert fault(await api.client.get(f"{address}?expand={'.'.join(path)}"))["code"] == "too_deep"


@each
async def test_an_unknown_relation_is_told_the_nearest(api: Api, resource: Resource) -> None:
    address = at(resource, await api.full(resource))
    wrong = fault(await api.client.get(f"{address}?expand=citation"))
    assert (wrong["parameter"], "'citations'" in wrong["detail"]) == ("expand", True)


@each
async def test_a_read_is_one_statement_whatever_it_shows(
    api: Api, resource: Resource, statements: list[str]
) -> None:
    shown = (await api.several(resource))[0]
    cited = {"record_kind": resource.record_type, "record_id": shown["id"]}
    await create(api.client, "citations", api.examples.minimal("citations", **cited))
    record = at(resource, shown)
    expand = many_at_once(resource)
    one = ",".join(resource.to_one) or "citations"
    # What shows records of other lists is counted first, by the ids of those that show them.
    alone = 1 if resource.to_one else 3
    for address, number in (
        (f"{record}?expand={one}", alone),
        (f"/{resource.path}?limit=50&expand={one}", alone),
        (f"{record}?expand={expand}", 3),
        (f"/{resource.path}?limit=1&expand={expand}", 3),
        (f"/{resource.path}?limit=50&expand={expand}", 3),
        (f"/{resource.path}?limit=50&count=exact&expand={expand}", 4),
        (f"{record}/citations?limit=50&expand=source", 2),
        (f"{record}/history", 2),
    ):
        statements.clear()
        assert (await api.client.get(address)).status_code == 200
        assert len(statements) == number, address


# What is rendered is what the schema says


@each
async def test_an_answer_is_what_its_schema_would_write(api: Api, resource: Resource) -> None:
    expand = many_at_once(resource)
    for address in await shown(api, resource):
        answer = await api.client.get(address, params={"expand": expand})
        read = MODELS[resource.name].model_validate(json_codec.loads(answer.content))
        written = read.model_dump(mode="json", exclude_unset=True)
        assert json.dumps(written) == json.dumps(answer.json())


@each
async def test_a_list_is_what_its_schema_would_write(api: Api, resource: Resource) -> None:
    answer = await api.client.get(f"/{resource.path}", params={"limit": 20, "count": "exact"})
    read = MODELS[f"{resource.name}List"].model_validate(json_codec.loads(answer.content))
    written = read.model_dump(mode="json", exclude_unset=True)
    assert json.dumps(written) == json.dumps(answer.json())
