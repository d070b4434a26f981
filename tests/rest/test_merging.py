"""Merging: an organization turns out to be another one, which all that named it names; and back."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import count
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from app.core.databases.interface import Base, table_of
from app.engine.record import MERGED_INTO
from app.engine.registry import RECORD_TYPES
from app.engine.resource import Resource
from app.engine.writes.pointing import pointing_to
from app.resources.organization import Organization, organization
from tests.conftest import client_of
from tests.contract.api import STAMPS, Api, problem
from tests.rest.public import Public

_numbers = count(1)
UNTOLD = {name for name in STAMPS if name != "deleted_at"}


@dataclass(frozen=True)
class Place:
    """A column in which a record names an organization, of its own or of a row of a part."""

    resource: Resource
    part: str | None
    column: str

    def body(self, api: Api, key: str) -> Any:
        """A record that names it there."""
        # Of a rule that ties fields none is about another than what is cleared here.
        body = api.examples.full(self.resource.path)
        if self.column == "claimed_by_id":
            body["claimed_by_person_id"] = None
        rows = [body] if self.part is None else body[self.part]
        rows[0][self.column] = key
        return body

    def named(self, record: Any) -> Any:
        rows = [record] if self.part is None else record[self.part]
        return rows[0][self.column]


def columns() -> set[tuple[str, str]]:
    """Every column of the database that names an organization, but for whose part a row is."""
    own = table_of(Organization).c.id
    owners = {(table_of(p.table).name, p.owner) for p in organization.embedded.values()}
    found = {
        (table.name, column.name)
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if any(key.column is own for key in column.foreign_keys)
    }
    return found - owners


def places() -> Iterator[Place]:
    for each in pointing_to(organization):
        for name in each.own:
            if name != MERGED_INTO:
                yield Place(each.child, None, name)
        for part, names in each.parts.items():
            for name in names:
                yield Place(each.child, part, name)


class Office:
    """A client with the organizations and what names them."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def new(self, name: str = "Alina", **more: Any) -> Any:
        body = {"kind": "company", "name": name, "ref": f"merging-{next(_numbers)}", **more}
        return await self.create("organizations", **body)

    async def create(self, path: str, **body: Any) -> Any:
        answer = await self.client.post(f"/{path}", json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def read(self, path: str, key: str, **parameters: Any) -> Any:
        answer = await self.client.get(f"/{path}/{key}", params=parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def part_in(self, of: Any, mission: str = "novosibirsk-april") -> Any:
        known = await self.read("missions", mission)
        body = {"mission_id": known["id"], "organization_id": of["id"], "role": "sponsor"}
        return await self.create("participations", **body)

    async def try_merge(self, one: Any, into: str, **options: Any) -> httpx.Response:
        address = f"/organizations/{one['id']}/merge"
        return await self.client.post(address, json={"into": into}, **options)

    async def merge(self, one: Any, into: Any, **options: Any) -> Any:
        answer = await self.try_merge(one, into["id"], **options)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def try_unmerge(self, one: Any) -> httpx.Response:
        return await self.client.post(f"/organizations/{one['id']}/unmerge")

    async def unmerge(self, one: Any) -> Any:
        answer = await self.try_unmerge(one)
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture
def office(client: httpx.AsyncClient) -> Office:
    return Office(client)


@pytest.fixture
async def own(writes_app: FastAPI) -> AsyncIterator[Office]:
    """Of an application whose figures no other test looks at."""
    async with client_of(writes_app) as client:
        yield Office(client)


def content(record: Any) -> Any:
    """A record without what every change of it changes."""
    return {name: value for name, value in record.items() if name not in UNTOLD}


# What names it


def test_no_column_that_names_an_organization_is_forgotten() -> None:
    known = {(table_of(p.table()).name, p.column) for p in map(_Found, places())}
    assert known | {("organization", MERGED_INTO)} == columns()


class _Found:
    def __init__(self, place: Place) -> None:
        self.place, self.column = place, place.column

    def table(self) -> type[Base]:
        of = self.place
        return of.resource.table if of.part is None else of.resource.embedded[of.part].table


async def test_all_that_names_it_names_its_successor_and_after_unmerge_it_again(
    api: Api, own: Office
) -> None:
    one, other = await own.new("Alina"), await own.new("Alina Group")
    made = []
    for place in places():
        for in_trash in (False, True):
            record = await api.new(place.resource, **place.body(api, one["id"]))
            address = f"/{place.resource.path}/{record['id']}"
            if in_trash:
                await api.trash(address)
            before = await api.get(address, deleted="include")
            made.append((place, address, before))
    done = await own.merge(one, other)
    told: dict[str, int] = {}
    for place, _, _ in made:
        told[place.resource.path] = told.get(place.resource.path, 0) + 1
    assert done["moved"] == told
    for place, address, before in made:
        after = await api.get(address, deleted="include")
        assert place.named(after) == other["id"], address
        assert after["version"] == before["version"] + 1
        entry = (await api.history(address))[0]
        assert (entry["action"], entry["version"]) == ("update", after["version"])
        then = await api.get(address, deleted="include", as_of=before["updated_at"])
        assert place.named(then) == one["id"], address
    back = await own.unmerge(one)
    assert (back["moved"], back["left"]) == (told, [])
    for _, address, before in made:
        assert content(await api.get(address, deleted="include")) == content(before), address
    for each in (one, other):
        assert content(await own.read("organizations", each["id"])) == content(each)
