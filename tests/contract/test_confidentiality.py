"""What is withheld is shown to nobody but those who may write, whatever is asked, and however."""

import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count, islice
from random import Random
from typing import Any
from urllib.parse import quote, urlencode
from uuid import UUID

import httpx
import pytest
from sqlalchemy import Connection, Table, Text, select, update

from app.api import RESOURCES
from app.changes.entries import find_entries, find_for_all
from app.commands.connection import engine_run
from app.commands.reindex import reindex
from app.core import json_codec
from app.core.databases.interface import Base, table_of
from app.core.databases.places import reader
from app.core.databases.public_reads import ALL, HIDDEN
from app.core.databases.types import Exact, uuid7
from app.engine.history.change_log import Change
from app.engine.paths import FieldType, fields_of, relations_of
from app.engine.resource import Embedded, Resource
from app.engine.search.searched import searched
from app.engine.withholding import withholdable
from app.webhooks.due import Due, message_of
from tests.conftest import client_of, copy_of, serving
from tests.examples import Body, Examples, create

_numbers = count(71_000_001)
_WORD = "kanareika"
#: What shows no records, is for writers alone, or does not end.
_OTHERS = ("/codes", "/api-keys", "/webhooks", "/changes/stream")


@dataclass
class World:
    """A database in which of each kind one record is confidential and one has withheld fields."""

    app: Any = None
    writer: Any = None
    readers: dict[str, httpx.AsyncClient] = field(default_factory=dict)
    #: A client without a key of another database, in which other things are withheld.
    twin: Any = None
    confidential: dict[str, Body] = field(default_factory=dict)
    partly: dict[str, Body] = field(default_factory=dict)
    #: What nobody may see who does not write, and of what kind of record it is.
    canaries: dict[str, str] = field(default_factory=dict)

    def found_in(self, text: str) -> list[str]:
        return [f"{canary} of {what}" for canary, what in self.canaries.items() if canary in text]


def _marked(at: Resource | Embedded, body: Body, names: Any, mark: list[str]) -> Body:
    """The body with words and numbers of its own in those of its fields that are named."""
    marked = dict(body)
    texts = {*searched(at).names, *searched(at).others} if isinstance(at, Resource) else set()
    for name, value in body.items():
        if name not in names or name == "ref":
            continue
        if isinstance(value, str) and name in texts and "city" not in name:
            marked[name] = f"{_WORD}{next(_numbers)}"
            mark.append(marked[name])
        elif (
            isinstance(value, Decimal)
            and value > 1000
            and ("value" not in body or "value" in names)
        ):
            marked[name] = Decimal(next(_numbers))
            mark.append(str(marked[name]))
    return marked


async def _client(world_app: Any, key: str | None) -> httpx.AsyncClient:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    transport = httpx.ASGITransport(world_app)
    return httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers)


async def _key(client: httpx.AsyncClient, scope: str) -> str:
    body = {"name": f"conf-{scope}", "scope": scope}
    if scope == "sheet":
        body |= {"scope": "read", "path": "/agreements.csv"}
    made = await client.post("/api-keys", json=body)
    assert made.status_code == 201, made.text
    return str(made.json()["key"])


@pytest.fixture(scope="module")
async def world(
    template_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    """The world, and another that is the same but for what is withheld."""
    folder = tmp_path_factory.mktemp("confidential")
    made = World()
    async with copy_of(template_url, folder) as url:
        async with serving(url) as app, client_of(app) as admin:
            keys = {"read key": await _key(admin, "read"), "sheet": await _key(admin, "sheet")}
            key = await _key(admin, "write")
            made.writer = await _client(app, key)
            examples = await Examples.on(admin)
            for resource in RESOURCES:
                await _fill(made, examples, resource)
            await _fill_what_tells(made)
        async with copy_of(url, folder) as other_url:
            await engine_run(other_url, _change_what_is_withheld)
            async with serving(url) as app, serving(other_url) as other:
                made.app, made.writer = app, await _client(app, key)
                made.readers = {name: await _client(app, each) for name, each in keys.items()}
                made.readers["anonymous"] = await _client(app, None)
                made.twin = await _client(other, None)
                yield made


def _change_what_is_withheld(connection: Connection) -> None:
    """Give what is withheld other values, wherever it is stored."""
    for table in Base.metadata.sorted_tables:
        if HIDDEN in table.c and table.name not in ("change", "search_entry"):
            rows = connection.execute(select(table).where(table.c.hidden.is_not(None)))
            for row in rows.mappings().all():
                values = dict(_otherwise(table, row))
                key = [column == row[column.name] for column in table.primary_key]
                connection.execute(update(table).where(*key).values(values))
    log = table_of(Change)
    hidden = log.c.hidden.is_not(None)
    connection.execute(update(log).where(hidden).values(changes='{"note":[null,"anders"]}'))
    reindex(connection)


def _otherwise(table: Table, row: Any) -> Iterator[tuple[str, Any]]:
    hidden = row[HIDDEN]
    yield table.primary_key.columns[0].name, row[table.primary_key.columns[0].name]
    for column in table.c:
        value = row[column.name]
        if value is None or column.foreign_keys or column.primary_key or column.name == HIDDEN:
            continue
        if hidden == ALL or f",{column.name}," in hidden:
            if isinstance(column.type, Exact) and value < 10**12:
                yield column.name, value + 1
            elif type(column.type) is Text or column.name in ("ref", "url"):
                yield column.name, f"{value}-anders"
            elif column.name == "kind" and table.name == "organization":
                yield column.name, "bank" if value == "company" else "company"


async def _fill(world: World, examples: Examples, resource: Resource) -> None:
    mark: list[str] = []
    ref = f"{_WORD}-{next(_numbers)}"
    body = examples.full(resource.path, confidential=True, ref=ref)
    body = _marked(resource, body, body.keys(), mark)
    world.confidential[resource.path] = await create(world.writer, resource.path, body)
    found = world.confidential[resource.path]
    mark += [found["id"], found["ref"]]
    names = withholdable(resource)
    body = examples.full(resource.path, withheld=sorted(names))
    body = _marked(resource, body, names, mark)
    world.partly[resource.path] = await create(world.writer, resource.path, body)
    world.canaries |= dict.fromkeys(mark, resource.path)


async def _fill_what_tells(world: World) -> None:
    """Records that would tell what is withheld of others: titles that were made up of names, who
    signed for a party, what came of an amount, and passages."""
    company, signer = f"{_WORD}{next(_numbers)}", f"{_WORD}{next(_numbers)}"
    rows = f"document;supplier;buyer\nsupply_contract;{company};Plain\n"
    types = {"content-type": "text/csv"}
    address = "/agreements/import?create_missing=true"
    answer = await world.writer.post(address, content=rows, headers=types)
    assert answer.status_code == 200, answer.text
    found = await world.writer.get(f"/agreements?title__contains={company}")
    (deal,) = found.json()["data"]
    person = await create(world.writer, "people", {"full_name": signer})
    parties = [deal["parties"][0], {**deal["parties"][1], "signed_by_id": person["id"]}]
    money = {"amount": 5, "currency": "USD", "withheld": ["amount"]}
    answer = await world.writer.patch(f"/agreements/{deal['id']}", json={"parties": parties})
    assert answer.status_code == 200, answer.text
    of_deal = {"agreement_id": deal["id"], "currency": "USD"}
    paid = await create(world.writer, "outcomes", {**of_deal, "actual_amount": next(_numbers)})
    source = await create(world.writer, "sources", {"publisher": "A paper", "title": "News"})
    passage = {"source_id": source["id"], "start": 0, "end": 9}
    backed = {"record_kind": "agreement", "record_id": deal["id"]}
    noted = f"{_WORD}{next(_numbers)}"
    await create(world.writer, "citations", {**passage, **backed, "note": noted})
    organization = deal["parties"][0]["organization_id"]
    for path, key, body in (
        ("agreements", deal["id"], money),
        ("organizations", organization, {"confidential": True}),
        ("people", person["id"], {"confidential": True}),
    ):
        answer = await world.writer.patch(f"/{path}/{key}", json=body)
        assert answer.status_code == 200, answer.text
    world.canaries |= {
        company: "a title",
        signer: "who signed",
        str(paid["actual_amount"]): "an outcome",
        noted: "a passage",
    }


def _addresses(world: World, document: Any, *, first_of_lists: bool) -> Iterator[str]:
    """Every GET of the document, asked for as much as it shows. Each relation is shown by records
    or by their list, in turn: what makes their JSON is the same."""
    by_path = {resource.path: resource for resource in RESOURCES}
    for path, operations in document["paths"].items():
        if "get" not in operations or path.startswith(
            ("/codes", "/api-keys", "/webhooks", "/changes/stream")
        ):
            continue
        first = path.split("/")[1].partition(".")[0]
        resource = by_path.get(first)
        keys = [""]
        if "{key}" in path:
            keys = [world.partly[first]["id"], world.confidential[first]["ref"]]
        for key in keys:
            at = path.replace("{key}", key)
            if "{format}" in at:
                yield from (at.replace("{format}", each) for each in ("csv", "ndjson"))
            elif resource is not None and path in (f"/{first}", f"/{first}/{{key}}"):
                yield at
                # A page of several relations at a time would be too large a statement.
                for number, name in enumerate(relations_of(resource)):
                    if (number % 2 == 0) == ((not key) is first_of_lists):
                        yield f"{at}?expand={name}"
            else:
                yield at


def _probes(world: World) -> Iterator[tuple[str, str]]:
    """Guesses at what is withheld, and who would be found."""
    for resource in RESOURCES:
        hidden, partly = world.confidential[resource.path], world.partly[resource.path]
        for name, found in fields_of(resource).items():
            if name in resource.derived_elsewhere or found.field_type is FieldType.list:
                continue
            for record in (hidden, partly):
                if record is partly and name not in withholdable(resource):
                    continue
                value = record.get(name)
                if value is None or isinstance(value, bool):
                    continue
                query = urlencode({name: str(value), "limit": 1000})
                yield f"/{resource.path}?{query}", record["id"]
                if name not in ("id", "ref"):
                    yield f"/{resource.path}?{name}__isnull=false&id={record['id']}", record["id"]


async def _leaks(world: World, who: str, address: str) -> list[str]:
    """What of an answer nobody but writers may see, which was not in the question itself."""
    answer = await world.readers[who].get(address)
    told = answer.text + str(answer.headers)
    asked_for = [canary for canary in world.canaries if canary in address]
    leaks = [each for each in world.found_in(told) if each.split()[0] not in asked_for]
    if answer.status_code == 200 and asked_for:
        leaks.append("an answer")
    if answer.status_code >= 500:
        leaks.append(f"status {answer.status_code}")
    return [f"{who}: GET {address}: {leaks[:5]}"] if leaks else []


async def test_nothing_shows_what_is_withheld(world: World, database_kind: str) -> None:
    document = (await world.writer.get("/openapi.json")).json()
    # What is asked of lists on one of the databases is asked of records on the other.
    addresses = list(_addresses(world, document, first_of_lists=database_kind == "sqlite"))
    assert len(addresses) > 300
    wrong = []
    for address in addresses:
        wrong += await _leaks(world, "anonymous", address)
    for resource in RESOURCES:
        wrong += await _leaks(world, "read key", f"/{resource.path}?limit=1000")
        wrong += await _leaks(world, "read key", f"/{resource.path}.csv")
    wrong += await _leaks(world, "read key", "/changes?limit=1000")
    wrong += await _leaks(world, "sheet", "/agreements.csv")
    assert not wrong, "\n".join(wrong[:60])


async def test_no_guess_tells_what_is_withheld(world: World) -> None:
    """Filters, searches and aggregates answer as if there were no such value."""
    wrong, client = [], world.readers["anonymous"]
    for address, record_id in _probes(world):
        answer = await client.get(address)
        if answer.status_code == 200 and record_id in answer.text:
            wrong.append(f"{address} finds it")
    for canary in world.canaries:
        if canary.startswith(_WORD):
            for address in (f"/search?q={canary}", f"/search?q={canary[:12]}&limit=100"):
                found = (await client.get(address)).json()["data"]
                wrong += [f"{address}: {each}" for each in found if each["id"] in world.canaries]
                wrong += [f"{address}: {each}" for each in found if each["matches"]]
    assert not wrong, "\n".join(wrong[:40])


async def test_whoever_writes_sees_everything(world: World) -> None:
    wrong = []
    for resource in RESOURCES:
        for made in (world.confidential[resource.path], world.partly[resource.path]):
            answer = await world.writer.get(f"/{resource.path}/{made['id']}")
            if json_codec.loads(answer.content) != made:
                wrong.append(f"{resource.path}: {answer.text}")
        shown = (await world.readers["anonymous"].get(f"/{resource.path}/{made['id']}")).json()
        names = withholdable(resource)
        # Whether the parties are all is told by what is withheld of them: it is false then.
        if "parties_complete" in names:
            assert shown.pop("parties_complete") is False
        names &= shown.keys()
        wrong += [f"{resource.path}: {n} is shown" for n in names if shown[n] not in (None, [])]
        if (shown["confidential"], shown["withheld"]) != (False, made["withheld"]):
            wrong.append(f"{resource.path}: it is not said that fields are withheld")
    assert not wrong, "\n".join(wrong)


async def test_receipts_and_the_past_hold_what_is_public(world: World) -> None:
    wrong = []
    for path in ("agreements", "missions", "people"):
        asked = {"url": f"/{path}?limit=1000&sort=-id", "note": "Kept."}
        kept = await world.writer.post("/receipts", json=asked)
        assert kept.status_code == 201, kept.text
        address = f"/receipts/{kept.json()['id']}"
        wrong += [
            part
            for at in ("", "/compare")
            for part in await _leaks(world, "anonymous", address + at)
        ]
    for address in (
        "/receipts?limit=1000",
        "/agreements?as_of={}&limit=1000",
        "/people.csv?as_of={}",
    ):
        for record in (world.confidential["agreements"], world.partly["exchange-rates"]):
            wrong += await _leaks(world, "anonymous", address.format(record["created_at"]))
    assert not wrong, "\n".join(wrong)


async def test_changes_are_told_to_each_as_he_may_see_them(world: World) -> None:
    """The tail that streams share, and what webhooks are sent."""
    reader.set("")
    database = world.app.state.database
    newest = int((await world.writer.get("/missions?limit=1")).headers["etag"].split("-")[0][3:])
    entries = await find_for_all(database, newest - 60, 1000)
    assert any(entry.public is None for entry in entries)
    shown = b"".join(e.public.body for e in entries if e.public).decode()
    assert not world.found_in(shown)
    kinds = {resource.record_type: resource for resource in RESOURCES}
    for entry in await find_entries(database, newest - 60, 1000, {}, whole=True):
        due = Due(uuid7(), entry.seq, f"{entry.kind}.created", UUID(entry.record_id), 0, "")
        told = (await message_of(database, kinds, due)).decode()
        # Of what is withheld by now the id alone, so that it can be dropped.
        leaks = [each for each in world.found_in(told) if each.split()[0] != entry.record_id]
        assert not leaks, told
    everything = b"".join(e.body for e in entries).decode()
    assert len(world.found_in(everything)) > 20


def _questions(world: World, chance: Random) -> Iterator[str]:
    """Whatever can be asked of records, at random."""
    missions = [world.confidential["agreements"]["mission_id"], world.partly["missions"]["id"]]
    while True:
        resource = chance.choice(RESOURCES)
        names = [
            name
            for name, found in fields_of(resource).items()
            if name not in resource.derived_elsewhere
        ]
        first, second = chance.choice(names), chance.choice(names)
        record = chance.choice((world.confidential, world.partly))[resource.path]
        value = record.get(first)
        operators = chance.choice(("", "__ne", "__gt", "__lte", "__isnull", "__contains"))
        asked = "true" if operators == "__isnull" else value
        where = urlencode({f"{first}{operators}": asked})
        words = chance.choice([*world.canaries, "Ёлка", "anders", "note"])
        key = chance.choice((record["id"], record["ref"]))
        name = chance.choice([*relations_of(resource)])
        yield from (
            f"/{resource.path}?{where}&sort=-{second}&count=exact&limit=5&deleted=include",
            f"/{resource.path}?sort={first},-{second}&expand={name}&limit=1000",
            f"/{resource.path}?q={quote(words)}&sort={second}&count=estimated",
            f"/{resource.path}/{key}?expand={name}",
            f"/{resource.path}/{key}/history",
            f"/{resource.path}.csv?{where}&sort={second}",
            f"/{resource.path}/aggregate?group_by={first}&metrics=count,count_distinct({second})",
            f"/{resource.path}/aggregate?group_by={second}&metrics=count,max({first})&{where}",
            f"/{resource.path}/aggregate?group_by={first},{second}&{where}&empty_groups=true",
            f"/{resource.path}?filter={quote(f'{first} eq null or {second} ne null')}&limit=1000",
            f"/search?q={quote(words)}&limit=50",
            f"/missions/{chance.choice(missions)}/summary",
            chance.choice(("/insights/missions", "/insights/organizations")) + "?limit=1000",
            f"/changes?kind={resource.record_type}&limit=1000",
        )


async def test_what_differs_in_what_is_withheld_alone_answers_alike(
    world: World, long: bool
) -> None:
    chance, asked, wrong = Random(20261130), 0, []
    for address in islice(_questions(world, chance), 3000 if long else 250):
        one = await world.readers["anonymous"].get(address)
        two = await world.twin.get(address)
        asked += one.status_code == 200
        if (one.status_code, _told(one)) != (two.status_code, _told(two)):
            wrong.append(f"{address}\n  {_told(one)[:300]}\n  {_told(two)[:300]}")
    assert asked > 100
    assert not wrong, "\n".join(wrong[:10])


def _told(answer: httpx.Response) -> str:
    """The answer without what names the request."""
    names = ("x-request-id", "ratelimit", "date")
    headers = [pair for pair in answer.headers.items() if not pair[0].startswith(names)]
    return re.sub(r'"request_id":"[^"]*"', "", answer.text) + str(headers)
