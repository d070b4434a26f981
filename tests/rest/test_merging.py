"""Merging: an organization turns out to be another one, which all that named it names; and back."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from itertools import count
from random import Random
from typing import Any

import asyncpg
import httpx
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st

from app.core.databases.addresses import PostgresAddress
from app.core.databases.interface import Base, table_of
from app.engine.record import MERGED_INTO
from app.engine.resource import Resource
from app.engine.writes.pointing import pointing_to
from app.resources.organization import Organization, organization
from tests.conftest import client_of
from tests.contract.api import STAMPS, Api, problem
from tests.drawing import drawing
from tests.held_writer import held_writer
from tests.rest.public import Public
from tests.waiting import PATIENCE_SECONDS

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
        self._mission: Any = None

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

    async def send_table(
        self, text: str, path: str = "participations", **parameters: str
    ) -> httpx.Response:
        headers = {"Content-Type": "text/csv"}
        address = f"/{path}/import"
        sent: Any = {"content": text.encode(), "headers": headers, "params": parameters}
        return await self.client.post(address, **sent)

    async def part_in(self, of: Any) -> Any:
        body = {"mission_id": (await self.mission())["id"], "organization_id": of["id"]}
        return await self.create("participations", **body, role="sponsor")

    async def mission(self) -> Any:
        """A mission of the test's own."""
        if self._mission is None:
            body = {"title": "Merging", "kind": "trade_fair", "ref": f"merging-{next(_numbers)}"}
            self._mission = await self.create("missions", **body)
        return self._mission

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


async def test_what_is_told_of_it_is_told_of_its_successor(office: Office) -> None:
    """A passage backs a field where both have it alike, and else the successor as a whole."""
    one = await office.new("Alina", city="Astana", country="KZ")
    other = await office.new("Alina Group", city="Astana")
    source = await office.create("sources", publisher="Us", title="Page")
    cited = []
    for field in (None, "/city", "/country", "/name"):
        body = {"source_id": source["id"], "start": 0, "end": 4, "field": field}
        body |= {"record_kind": "organization", "record_id": one["id"], "assertion": "stated"}
        cited.append(await office.create("citations", **body, note=f"of {field}", checked=None))
    await office.client.delete(f"/citations/{cited[3]['id']}")
    assert (await office.try_merge(one, other["id"])).status_code == 409
    await office.client.delete(f"/citations/{cited[2]['id']}")
    done = await office.merge(one, other)
    assert done["moved"] == {"citations": 4}
    parameters = {"fields": "record_id,field", "deleted": "include"}
    after = [await office.read("citations", each["id"], **parameters) for each in cited]
    assert [each["record_id"] for each in after] == [other["id"]] * 4
    assert [each["field"] for each in after] == [None, "/city", None, None]
    assert (await office.unmerge(one))["moved"] == {"citations": 4}
    after = [await office.read("citations", each["id"], **parameters) for each in cited]
    assert [(a["record_id"], a["field"]) for a in after] == [
        (each["record_id"], each["field"]) for each in cited
    ]


async def test_a_chain_of_merges_leads_to_its_end_and_is_taken_back_from_there(
    office: Office,
) -> None:
    first, second, third = [await office.new(name) for name in ("Asia", "Asia 2", "Asia 3")]
    part = await office.part_in(first)
    await office.merge(first, second)
    await office.merge(second, third)
    assert (await office.read("participations", part["id"]))["organization_id"] == third["id"]
    for key in (first["id"], second["ref"]):
        answer = await office.client.get(f"/organizations/{key}")
        assert answer.headers["location"] == f"/organizations/{third['id']}"
    detail = problem(await office.try_unmerge(first), 409)["detail"]
    assert f"/organizations/{second['id']}/unmerge first" in detail
    await office.unmerge(second)
    assert (await office.read("participations", part["id"]))["organization_id"] == second["id"]
    await office.unmerge(first)
    assert (await office.read("participations", part["id"]))["organization_id"] == first["id"]
    for each in (first, second, third):
        assert content(await office.read("organizations", each["id"])) == content(each)


async def test_a_chain_is_taken_back_though_its_middle_was_purged(office: Office) -> None:
    first, second, third = [await office.new(name) for name in ("Ural", "Ural 2", "Ural 3")]
    parties = [{"organization_id": first["id"], "role": "buyer"}]
    body = {"title": "Ural", "instrument": "supply_contract", "parties": parties}
    agreement = await office.create("agreements", **body)
    await office.merge(first, second)
    await office.merge(second, third)
    gone = await office.client.delete(f"/organizations/{second['id']}?purge=true")
    assert gone.status_code == 204
    assert (await office.unmerge(first))["moved"] == {"agreements": 1}
    assert (await office.read("agreements", agreement["id"]))["parties"] == agreement["parties"]


async def test_what_was_changed_since_stays_and_is_told(office: Office) -> None:
    one, other, third = [await office.new(name) for name in ("Ob", "Ob 2", "Ob 3")]
    row = {"role": "buyer", "share_percent": 10}
    sold = {"role": "supplier", "share_percent": 20}
    parties = [row | {"organization_id": one["id"]}, sold | {"organization_id": one["id"]}]
    body = {"title": "Ob", "instrument": "supply_contract", "parties": parties}
    agreements = [await office.create("agreements", **body) for _ in range(4)]
    part = await office.part_in(one)
    await office.merge(one, other)
    mine, its = {"organization_id": other["id"]}, {"organization_id": third["id"]}
    changes = (
        # In another order, beside one that was not there; another share; another organization.
        [sold | mine, {"role": "lender"} | mine, row | mine],
        [row | mine | {"share_percent": 11}, sold | mine],
        [row | its, sold | mine],
    )
    for agreement, parties in zip(agreements, changes, strict=False):
        address = f"/agreements/{agreement['id']}"
        assert (await office.client.patch(address, json={"parties": parties})).status_code == 200
    changed = {"organization_id": third["id"]}
    await office.client.patch(f"/participations/{part['id']}", json=changed)
    back = await office.unmerge(one)
    assert back["moved"] == {"agreements": 4}
    assert [(left["kind"], left["id"], left["field"]) for left in back["left"]] == [
        ("participation", part["id"], "organization_id"),
        ("agreement", agreements[2]["id"], "parties/0/organization_id"),
    ]
    named = [
        [
            party["organization_id"]
            for party in (await office.read("agreements", a["id"]))["parties"]
        ]
        for a in agreements
    ]
    a, b, c = one["id"], other["id"], third["id"]
    assert named == [[a, b, a], [a, a], [c, a], [a, a]]


async def test_a_party_that_its_successor_was_before_stays_its_own(office: Office) -> None:
    one, other = await office.new("Tom"), await office.new("Tom 2")
    parties = [
        {"organization_id": one["id"], "role": "founder"},
        {"organization_id": other["id"], "role": "investor"},
    ]
    body = {"title": "Tom", "instrument": "supply_contract", "parties": parties}
    agreement = await office.create("agreements", **body)
    await office.merge(one, other)
    # Of the two that name the successor the one that was moved is taken out.
    left = [{"organization_id": other["id"], "role": "investor"}]
    await office.client.patch(f"/agreements/{agreement['id']}", json={"parties": left})
    back = await office.unmerge(one)
    assert (back["moved"], len(back["left"])) == ({}, 1)
    (party,) = (await office.read("agreements", agreement["id"]))["parties"]
    assert party["organization_id"] == other["id"]


# The merged one


async def test_its_address_leads_to_its_successor(office: Office) -> None:
    one, other = await office.new("Irtysh"), await office.new("Irtysh Group")
    await office.merge(one, other)
    told = {}
    for path in (
        *("", "?fields=name&expand=parent", "/agreements", "/agreements.csv?bom=true"),
        *("/citations", "/missions?limit=1"),
    ):
        for key in (one["id"], one["ref"]):
            for root in ("/organizations/", "/companies/"):
                answer = await office.client.get(f"{root}{key}{path}")
                told[root, key, path] = answer.status_code, answer.headers.get("location")
    assert told == {
        (root, key, path): (308, f"{root}{other['id']}{path}") for root, key, path in told
    }
    # It can be taken out again: nobody is to remember where it led.
    assert answer.headers["cache-control"] == "private, no-cache"
    page = await office.client.get(f"/pages/organizations/{one['ref']}?lang=kk")
    assert page.status_code == 308
    assert page.headers["location"] == f"/pages/organizations/{other['id']}?lang=kk"
    compared = await office.client.get(f"/pages/organizations/{other['id']}/compare/{one['id']}")
    assert compared.headers["location"].endswith(f"/{other['id']}/compare/{other['id']}")
    for path in (
        "organizations/{}/agreements.%0D%0Ax: y",
        "pages/organizations/{}/compare/%0D%0Ax",
    ):
        answer = await office.client.get(f"/{path.format(one['ref'])}")
        assert "%0D%0Ax" in answer.headers["location"], path
    assert (await office.client.head(f"/organizations/{one['id']}")).status_code == 308
    assert (await office.client.get(f"/odata/organizations({one['id']})")).status_code == 404


async def test_a_company_leads_to_what_it_was_merged_into_where_that_is_no_company(
    office: Office,
) -> None:
    one, other = await office.new("Baikal"), await office.new("Bank Baikal", kind="bank")
    answer = await office.client.post(f"/companies/{one['ref']}/merge", json={"into": other["ref"]})
    assert answer.json()["successor"]["id"] == other["id"]
    answer = await office.client.get(f"/companies/{one['id']}/agreements")
    assert answer.headers["location"] == f"/organizations/{other['id']}/agreements"


async def test_it_is_read_with_what_lies_in_the_trash_and_has_its_own_history(
    office: Office,
) -> None:
    one, other = await office.new("Angara"), await office.new("Angara Group")
    done = await office.merge(one, other)
    assert done["record"] == await office.read("organizations", one["id"], deleted="include")
    stamps = ("merged_into_id", "deleted_at", "version")
    assert content(done["record"]) == content(one) | {n: done["record"][n] for n in stamps[:2]}
    assert done["record"]["merged_into_id"] == other["id"]
    (entry, *_) = (await office.read("organizations", f"{one['id']}/history"))["data"]
    assert entry["action"] == "delete"
    assert entry["changes"]["merged_into_id"] == [None, other["id"]]
    then = await office.read("organizations", one["id"], as_of=one["updated_at"])
    assert then == one


async def test_no_list_search_or_figure_has_it(office: Office) -> None:
    one, other = await office.new("Kolyvan"), await office.new("Kolyvanstroy")
    await office.part_in(one)
    await office.merge(one, other)
    for address in (
        *("/organizations?limit=1000", "/search?q=Kolyvan", "/organizations?q=Kolyvan"),
        *("/datasets/companies?limit=1000", "/insights/organizations?limit=1000&min_missions=1"),
        *("/insights/duplicates/organizations?q=Kolyvan", "/odata/organizations?$top=1000"),
        *("/organizations/aggregate?group_by=id", "/companies?deleted=exclude&limit=1000"),
    ):
        answer = await office.client.get(address)
        assert answer.status_code == 200, answer.text
        assert one["id"] not in answer.text, address


async def test_its_names_lead_to_its_successor_until_it_is_taken_out(office: Office) -> None:
    one = await office.new("Yenisei", name_en="Yenisey", other_names=["Енисей", "Enisei LLP"])
    other = await office.new("Enisei", other_names=["Енисей"])
    done = await office.merge(one, other)
    assert done["successor"]["other_names"] == ["Енисей", "Yenisei", "Yenisey", "Enisei LLP"]
    found = (await office.client.get("/organizations?q=Yenisey")).json()["data"]
    assert [each["id"] for each in found] == [other["id"]]
    mission = (await office.mission())["ref"]
    table = f"mission_id,organization,role\n{mission},Yenisei,sponsor\n"
    assert (await office.send_table(table)).status_code == 200
    named = (await office.client.get(f"/organizations/{other['id']}/participations")).json()
    assert len(named["data"]) == 1
    # What was added since stays.
    names = [*done["successor"]["other_names"], "ENISEI"]
    await office.client.patch(f"/organizations/{other['id']}", json={"other_names": names})
    back = await office.unmerge(one)
    assert back["successor"]["other_names"] == ["Енисей", "ENISEI"]


async def test_its_number_is_free_and_it_stays_merged_while_another_has_it(
    office: Office,
) -> None:
    number = {"identifiers": [{"scheme": "lei", "value": "5493001KJTIIGC8Y1R12"}]}
    one, other = await office.new("Numbered", **number), await office.new("Numbered too")
    await office.merge(one, other)
    address = f"/organizations/{other['id']}"
    assert (await office.client.patch(address, json=number)).status_code == 200
    problem(await office.try_unmerge(one), 409)
    assert (await office.client.patch(address, json={"identifiers": []})).status_code == 200
    assert (await office.unmerge(one))["record"]["identifiers"] == one["identifiers"]


async def test_writes_to_it_are_refused_and_name_its_successor(office: Office) -> None:
    one, other = await office.new("Selenga"), await office.new("Selenga Group")
    await office.merge(one, other)
    at = f"/organizations/{one['id']}"
    operation = {"op": "update", "key": one["ref"], "body": {"note": "x"}}
    for method, address, body in (
        ("PATCH", at, {"note": "x"}),
        ("PUT", at, {"kind": "company", "name": "x"}),
        ("DELETE", at, None),
        ("POST", f"{at}/restore", None),
        ("POST", f"{at}/restore?version=1", None),
        ("POST", f"{at}/merge", {"into": other["id"]}),
        ("POST", "/organizations/bulk", {"operations": [operation]}),
    ):
        answer = await office.client.request(method, address, json=body)
        assert answer.status_code in (409, 422), (method, address, answer.text)
        assert repr(other["ref"]) in answer.json()["detail"], (method, address)
    assert (await office.read("organizations", one["id"], deleted="include"))["version"] == 2


async def test_who_names_it_anew_is_told_what_it_was_merged_into(office: Office) -> None:
    one, other = await office.new("Lena"), await office.new("Lena Group")
    await office.merge(one, other)
    ref = (await office.mission())["ref"]
    mission = {"mission": {"ref": ref}, "role": "sponsor"}
    table = f"mission_id,organization_id,role\n{ref},{one['ref']},sponsor\n"
    create = {"op": "create", "body": mission | {"organization": {"ref": one["ref"]}}}
    source = await office.create("sources", publisher="Us", title="Page")
    passage = {"source_id": source["id"], "start": 0, "end": 4}
    passage |= {"record_kind": "organization", "record_id": one["id"]}
    for answer in (
        await office.client.post("/participations", json=mission | {"organization_id": one["id"]}),
        await office.client.post(
            "/participations", json=mission | {"organization": {"ref": one["ref"]}}
        ),
        await office.client.post("/participations/bulk", json={"operations": [create] * 2}),
        await office.send_table(table),
        await office.send_table(table, create_missing="true"),
        await office.client.patch(f"/organizations/{other['id']}", json={"parent_id": one["id"]}),
        await office.client.post("/citations", json=passage),
        await office.send_table(f"ref,name\n{one['ref']},x\n", "organizations"),
    ):
        told = problem_text(answer)
        assert f"It was merged into {other['ref']!r}: name that." in told


def problem_text(answer: httpx.Response) -> str:
    assert answer.status_code == 422, answer.text
    return str(answer.json()["errors"])


async def test_it_is_purged_like_any_other_and_its_successor_while_it_is_there_is_not(
    office: Office,
) -> None:
    one, other = await office.new("Katun"), await office.new("Katun Group")
    await office.merge(one, other)
    gone = await office.client.delete(f"/organizations/{other['id']}?purge=true")
    assert "organization (merged_into_id)" in problem(gone, 409)["detail"]
    gone = await office.client.delete(f"/organizations/{one['id']}?purge=true")
    assert gone.status_code == 204
    problem(await office.client.get(f"/organizations/{one['id']}"), 404)
    gone = await office.client.delete(f"/organizations/{other['id']}?purge=true")
    assert gone.status_code == 204


# What is refused


async def test_what_it_cannot_be_merged_into_is_told(office: Office) -> None:
    one, merged, other, trashed = [
        await office.new(name) for name in ("Chu", "Chu 2", "Chu 3", "Chu 4")
    ]
    await office.merge(merged, other)
    await office.client.delete(f"/organizations/{trashed['id']}")
    unknown = "0190b1de-0000-7000-8000-000000000000"
    for into, code, words in (
        (one["id"], "itself", "into itself"),
        (one["ref"], "itself", "into itself"),
        (trashed["ref"], "reference", "in the trash"),
        (merged["id"], "reference", f"merged into {other['ref']!r}"),
        (unknown, "reference", "There is no organization"),
        ("nobody-at-all", "reference", "There is no organization"),
        ("\0", "reference", "There is no organization"),
    ):
        (fault,) = problem(await office.try_merge(one, into), 422)["errors"]
        assert (fault["pointer"], fault["code"]) == ("/into", code), into
        assert words in fault["detail"]
    assert (await office.read("organizations", one["id"])) == one
    problem(await office.client.post("/organizations/nobody/merge", json={"into": "x"}), 404)
    problem(
        await office.client.post(f"/organizations/{trashed['ref']}/merge", json={"into": "x"}), 404
    )
    problem(await office.try_unmerge(one), 409)


async def test_records_that_would_say_the_same_stand_in_the_way(office: Office) -> None:
    one, other = await office.new("Biya"), await office.new("Biya Group")
    parts = [await office.part_in(each) for each in (one, other)]
    rows = [{"organization_id": each["id"], "role": "buyer"} for each in (one, other)]
    rows += [{"description": "somebody", "role": "buyer"}] * 2
    body = {"title": "Biya", "instrument": "supply_contract", "parties": rows}
    agreement = await office.create("agreements", **body)
    told = problem(await office.try_merge(one, other["ref"]), 409)
    first, second = (fault["detail"] for fault in told["errors"])
    assert first.startswith(
        f"The participation {parts[0]['id']}: The participation {parts[1]['id']}"
    )
    assert second.startswith(f"The agreement {agreement['id']}: /parties/1 would say")
    assert [fault["pointer"] for fault in told["errors"]] == ["/into"] * 2
    for path, before in (("participations", parts[0]), ("agreements", agreement)):
        assert await office.read(path, before["id"]) == before
    assert await office.read("organizations", one["id"]) == one
    await office.client.delete(f"/participations/{parts[1]['id']}")
    await office.client.patch(f"/agreements/{agreement['id']}", json={"parties": rows[1:]})
    assert (await office.merge(one, other))["moved"] == {"participations": 1}


async def test_what_would_stand_above_itself_stands_in_the_way(office: Office) -> None:
    one = await office.new("Volga")
    other = await office.new("Volga Group", parent_id=one["id"])
    (fault,) = problem(await office.try_merge(one, other["id"]), 409)["errors"]
    assert f"{other['id']}: The record would stand above itself" in fault["detail"]
    # The other way round it keeps what it is a part of.
    done = await office.merge(other, one)
    assert done["record"]["parent_id"] == one["id"]


async def test_one_that_is_confidential_is_merged_with_another_such_alone(public: Public) -> None:
    office = Office(public.writer)
    secret = [await office.new("Secret", confidential=True) for _ in range(2)]
    open_one = await office.new("Open")
    for one, other in ((secret[0], open_one), (open_one, secret[0])):
        (fault,) = problem(await office.try_merge(one, other["id"]), 409)["errors"]
        assert (fault["pointer"], fault["code"]) == ("/into", "confidential")
    await office.part_in(secret[0])
    await office.merge(*secret)
    for each in secret:
        answer = await public.reader.get(f"/organizations/{each['id']}")
        assert (answer.status_code, "location" in answer.headers) == (404, False)
        assert await public.log(each) == []


async def test_the_public_is_not_led_to_what_was_made_confidential_since(public: Public) -> None:
    office = Office(public.writer)
    one, other = await office.new("Shown"), await office.new("Hidden since")
    await office.merge(one, other)
    assert (await public.reader.get(f"/organizations/{one['id']}")).status_code == 308
    await public.change("organizations", other, confidential=True)
    answer = await public.reader.get(f"/organizations/{one['id']}")
    assert (answer.status_code, other["id"] in answer.text) == (404, False)
    shown = await public.reader.get(f"/organizations/{one['id']}?deleted=include")
    assert shown.json()["merged_into_id"] is None
    assert other["id"] not in str(await public.log(one))


async def test_names_that_are_withheld_are_not_told_by_its_successor(public: Public) -> None:
    office = Office(public.writer)
    withheld = {"name_en": "Inner name", "withheld": ["name_en"]}
    for confidential in (False, True):
        one = await office.new("Outer name", **withheld, confidential=confidential)
        other = await office.new("Outer", confidential=confidential)
        done = await office.merge(one, other)
        assert done["successor"]["other_names"] == ["Outer name"]


async def test_a_merge_shows_the_public_nothing_that_was_withheld(public: Public) -> None:
    office = Office(public.writer)
    one, other = await office.new("Seat", city="Aktau", withheld=["city"]), await office.new("Sea")
    source = await office.create("sources", publisher="Us", title="Page")
    body = {"source_id": source["id"], "start": 0, "end": 4, "assertion": "stated"}
    body |= {"record_kind": "organization", "record_id": one["id"], "field": "/city"}
    passage = await office.create("citations", **body)
    for city in (None, "Aktau"):
        other = await public.change("organizations", other, city=city)
        for _ in range(2):
            (fault,) = problem(await office.try_merge(one, other["id"]), 409)["errors"]
            assert f"The citation {passage['id']}: The public would see" in fault["detail"]
            assert await public.shown("citations", passage) is None
            # What lies in the trash is shown to who asks for it.
            await public.writer.delete(f"/citations/{passage['id']}")
        await public.writer.post(f"/citations/{passage['id']}/restore")
    await public.change("citations", passage, confidential=True)
    assert (await office.merge(one, other))["moved"] == {"citations": 1}
    assert await public.shown("citations", passage) is None


async def test_taking_one_out_shows_the_public_nothing_that_was_withheld_since(
    public: Public,
) -> None:
    office = Office(public.writer)
    one, other, secret = [await office.new("Since") for _ in range(3)]
    part = await office.part_in(one)
    parties = [{"organization_id": each["id"], "role": "signatory"} for each in (one, secret)]
    body = {"title": "Since", "instrument": "other", "parties": parties}
    deal = await office.create("agreements", **body)
    await public.change("organizations", secret, confidential=True)
    await office.merge(one, other)
    await public.change("organizations", other, confidential=True)
    faults = problem(await office.try_unmerge(one), 409)["errors"]
    told = " ".join(each["detail"] for each in faults)
    assert (len(faults), part["id"] in told, deal["id"] in told) == (2, True, True)
    assert await public.shown("participations", part) is None
    await public.change("participations", part, confidential=True)
    await public.change("agreements", deal, withheld=["parties"])
    assert (await office.unmerge(one))["left"] == []
    assert await public.shown("participations", part) is None
    assert (await public.shown("agreements", deal))["parties"] == []


async def test_who_may_not_write_may_not_merge(office: Office, public: Public) -> None:
    one, other = await office.new("Kept"), await office.new("Kept too")
    for action in ("merge", "unmerge"):
        answer = await public.reader.post(
            f"/organizations/{one['id']}/{action}", json={"into": other["id"]}
        )
        problem(answer, 401)


# As other writes


async def test_merging_is_guarded_tried_and_repeated_like_other_writes(office: Office) -> None:
    one, other = await office.new("Ishim"), await office.new("Ishim Group")
    part = await office.part_in(one)
    stale = await office.try_merge(one, other["id"], headers={"If-Match": '"9-9"'})
    problem(stale, 412)
    tried = await office.merge(one, other, params={"dry_run": "true"})
    assert tried["moved"] == {"participations": 1}
    assert await office.read("organizations", one["id"]) == one
    assert await office.read("participations", part["id"]) == part
    tag = (await office.client.get(f"/organizations/{one['id']}")).headers["etag"]
    headers = {"If-Match": tag, "Idempotency-Key": f"merge-{one['id']}"}
    done = await office.try_merge(one, other["id"], headers=headers)
    again = await office.try_merge(one, other["id"], headers=headers)
    assert done.content == again.content
    assert again.headers["idempotency-replayed"] == "true"
    deleted = await office.client.get(f"/organizations/{one['id']}?deleted=include")
    assert done.headers["etag"] == deleted.headers["etag"]
    minimal = {"Prefer": "return=minimal"}
    back = await office.client.post(f"/organizations/{one['id']}/unmerge", headers=minimal)
    assert (back.status_code, back.content) == (204, b"")


async def test_figures_are_of_the_successor_and_as_of_before_of_both(own: Office) -> None:
    mission = await own.create("missions", title="Merging", kind="trade_fair", status="held")
    one, other = await own.new("Chulym"), await own.new("Chulym Group")
    agreements: list[Any] = []
    for each, amount in ((one, 5), (other, 7)):
        party = {"organization_id": each["id"], "role": "buyer"}
        body: dict[str, Any] = {
            "title": "Chulym",
            "instrument": "supply_contract",
            "parties": [party],
        }
        body |= {"amount": amount, "currency": "USD", "mission_id": mission["id"]}
        agreements.append(await own.create("agreements", **body))
    asked = {
        "group_by": "parties.organization_id",
        "metrics": "sum(amount)",
        "currency": "USD",
        "mission_id": mission["id"],
    }
    address = "/agreements/aggregate"

    async def sums(**more: Any) -> dict[str, Decimal]:
        answer = await own.client.get(address, params=asked | more)
        assert answer.status_code == 200, answer.text
        rows = answer.json()["data"]
        return {row["parties_organization_id"]: row["sum_amount"] for row in rows}

    before = await sums()
    assert before == {one["id"]: 5, other["id"]: 7}
    url = f"{address}?mission_id={mission['id']}&group_by=parties.organization_id"
    receipts = [
        await own.create("receipts", url=each)
        for each in (url, f"/organizations/{one['id']}/agreements")
    ]
    await own.merge(one, other)
    assert await sums() == {other["id"]: 12}
    assert await sums(as_of=agreements[1]["updated_at"]) == before
    figure, listed = [await own.read("receipts", each["id"]) for each in receipts]
    (changed,) = figure["differences"]
    assert changed["id"] == agreements[0]["id"]
    assert changed["changes"].keys() == {"parties"}
    assert listed["problem"] == f"The organization {one['id']!r} was merged into {other['id']}."
    figures = (await own.client.get("/insights/organizations?q=Chulym&min_missions=1")).json()[
        "data"
    ]
    assert [(row["id"], row["agreements"]) for row in figures] == [(other["id"], 2)]


# Whatever is done


NAMES = ("Amur", "Amur Group", "Амур", "Zeya")
#: What is drawn: who names whom in what, then who is merged into whom, by their places in the list.
RECORDS = st.lists(
    st.tuples(
        st.sampled_from(["participations", "agreements", "statements", "organizations"]),
        st.lists(st.integers(0, 3), min_size=1, max_size=3),
        st.booleans(),
    ),
    max_size=8,
)
MERGES = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=6)


def drawn_body(kind: str, ids: list[str], mission: str, n: int) -> Any:
    first = ids[0]
    if kind == "participations":
        return {"mission_id": mission, "organization_id": first, "role": "sponsor"}
    if kind == "organizations":
        return {"kind": "unknown", "name": f"Part {n}", "parent_id": first}
    if kind == "statements":
        named = dict(zip(("subject_id", "object_id", "on_behalf_of_id"), ids, strict=False))
        return {"predicate": "plans", "paraphrase": f"{n}", "modality": "fact", **named}
    rows = [
        {"organization_id": each, "role": "buyer", "share_percent": 1 + at}
        for at, each in enumerate(ids)
    ]
    return {"title": f"{n}", "instrument": "supply_contract", "parties": rows}


def named_in(record: Any) -> set[str]:
    """The ids of all that a record names."""
    return {value for value in _texts(record) if value != record["id"]}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from _texts(each)
    elif isinstance(value, str):
        yield value


@drawing(6)
@given(records=RECORDS, merges=MERGES)
async def test_merges_taken_back_leave_what_was_there(
    own: Office, records: list[Any], merges: list[Any]
) -> None:
    organizations = [await own.new(name) for name in NAMES]
    mission = (await own.create("missions", title="Amur", kind="trade_fair"))["id"]
    made = [(f"/organizations/{each['id']}", each) for each in organizations]
    for n, (kind, places, in_trash) in enumerate(records):
        ids = [organizations[at]["id"] for at in places]
        record = await own.create(kind, **drawn_body(kind, ids, mission, n))
        if in_trash:
            await own.client.delete(f"/{kind}/{record['id']}")
            record = await own.read(kind, record["id"], deleted="include")
        made.append((f"/{kind}/{record['id']}", record))
    done = []
    for one, other in merges:
        answer = await own.try_merge(organizations[one], organizations[other]["id"])
        assert answer.status_code in (200, 409, 422), answer.text
        if answer.status_code == 200:
            done.append(organizations[one])
    gone = {each["id"] for each in done}
    for address, before in made:
        if before["id"] not in gone:
            shown = await own.client.get(address, params={"deleted": "include"})
            assert not named_in(shown.json()) & gone, address
    for each in reversed(done):
        assert (await own.unmerge(each))["left"] == []
    for address, before in made:
        after = (await own.client.get(address, params={"deleted": "include"})).json()
        assert content(after) == content(before), address


@asynccontextmanager
async def held(app: FastAPI, url: str, key: str) -> AsyncIterator[Callable[[int], Any]]:
    """Within, who is to write waits: on PostgreSQL for the record with this id alone. Lets one wait
    until so many do."""
    if url.startswith("sqlite"):
        async with held_writer(app.state.database):
            yield lambda count: asyncio.sleep(0.05)
        return
    connection = await asyncpg.connect(PostgresAddress.read(url).dsn())

    async def waiting(count: int) -> None:
        # What a transaction has seen of others it sees until it says that it would look anew.
        found = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        here = " AND datname = current_database()"
        async with asyncio.timeout(PATIENCE_SECONDS):
            while await connection.fetchval(found + here) < count:
                await connection.execute("SELECT pg_stat_clear_snapshot()")

    try:
        async with connection.transaction():
            await connection.execute("SELECT FROM organization WHERE id = $1 FOR UPDATE", key)
            yield waiting
    finally:
        await connection.close()


async def test_what_names_it_while_it_is_merged_is_refused_or_moved(
    fresh_app: FastAPI, fresh_url: str, fresh: httpx.AsyncClient
) -> None:
    office = Office(fresh)
    one, other = await office.new("Meanwhile"), await office.new("Meanwhile 2")
    last = await office.new("Part of it", parent_id=one["id"])
    answers = []
    async with held(fresh_app, fresh_url, last["id"]) as waiting:
        merging = asyncio.ensure_future(office.merge(one, other))
        await waiting(1)
        row = {"organization_id": one["id"], "role": "buyer"}
        deal = {"title": "x", "instrument": "supply_contract", "parties": [row]}
        create = {"op": "create", "body": deal}
        part = {"mission": {"ref": "novosibirsk-april"}, "role": "sponsor"}
        for path, body in (
            ("participations", part | {"organization_id": one["id"]}),
            ("participations", part | {"organization": {"ref": one["ref"]}}),
            ("agreements", deal),
            ("agreements/bulk", {"operations": [create, create]}),
        ):
            answers.append(asyncio.ensure_future(fresh.post(f"/{path}", json=body)))
        await waiting(1 + len(answers))
    assert (await merging)["moved"] == {"organizations": 1}
    for answer in answers:
        assert f"It was merged into {other['ref']!r}: name that." in problem_text(await answer)


async def test_merges_at_once_lose_no_reference(fresh: httpx.AsyncClient) -> None:
    office, drawn = Office(fresh), Random(1)
    organizations = [await office.new(f"Many {n}", kind="unknown") for n in range(8)]
    mission = (await office.create("missions", title="Many", kind="trade_fair"))["id"]
    rows = [{"organization_id": each["id"], "role": "buyer"} for each in organizations]
    made = [("missions", mission)]
    for n, each in enumerate(organizations):
        body = {"title": f"{n}", "instrument": "supply_contract", "parties": [rows[n - 1], rows[n]]}
        made.append(("agreements", (await office.create("agreements", **body))["id"]))
        body = {"predicate": "plans", "paraphrase": f"{n}", "modality": "fact"}
        statement = await office.create("statements", **body, subject_id=each["id"])
        made.append(("statements", statement["id"]))
        child = await office.new(f"Child {n}", parent_id=each["id"])
        made.append(("organizations", child["id"]))

    async def merge_some() -> httpx.Response:
        one, other = drawn.sample(organizations, 2)
        return await office.try_merge(one, other["id"])

    async def name_some(n: int) -> httpx.Response:
        row = rows[n % len(rows)] | {"share_percent": n}
        body = {"title": "x", "instrument": "supply_contract", "parties": [row]}
        answer = await fresh.post("/agreements", json=body)
        if answer.status_code == 201:
            made.append(("agreements", answer.json()["id"]))
        return answer

    async def change_some(n: int) -> httpx.Response:
        row = rows[-n % len(rows)] | {"share_percent": n}
        return await fresh.patch(f"/agreements/{made[1][1]}", json={"parties": [row]})

    answers = await asyncio.gather(
        *(merge_some() for _ in range(20)),
        *(office.try_unmerge(drawn.choice(organizations)) for _ in range(10)),
        *(name_some(n) for n in range(20)),
        *(change_some(n) for n in range(5)),
    )
    told = Counter(answer.status_code for answer in answers)
    assert told.keys() <= {200, 201, 409, 422}, told
    assert told[200] > 1, [answer.text for answer in answers]
    listed = await fresh.get("/organizations?deleted=only&limit=1000")
    gone = {each["id"] for each in listed.json()["data"] if each["merged_into_id"]}
    assert gone
    for path, key in made:
        assert not named_in(await office.read(path, key)) & gone, path


async def test_more_names_than_its_successor_can_have_stand_in_the_way(office: Office) -> None:
    one = await office.new("One name too many")
    other = await office.new("Full", other_names=[f"Name {n}" for n in range(50)])
    (fault,) = problem(await office.try_merge(one, other["id"]), 409)["errors"]
    assert fault["detail"].startswith(f"The organization {other['id']}: /other_names: ")


async def test_one_that_very_many_name_is_not_merged(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.engine.writes.merge.MAX_MOVED", 1)
    one, other = await office.new("Named"), await office.new("Named too")
    for _ in range(2):
        await office.new("Part", parent_id=one["id"])
    (fault,) = problem(await office.try_merge(one, other["id"]), 409)["errors"]
    assert (fault["pointer"], fault["code"]) == ("/into", "too_many")
    assert fault["detail"].startswith("2 records name the organization, and a merge moves 1 at")
    assert (await office.merge(other, one))["moved"] == {}
