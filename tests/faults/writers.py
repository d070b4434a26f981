"""Writers that know of each write whether it was acknowledged, and what is stored if it was."""

import asyncio
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar
from uuid import uuid4

import httpx

from tests.servers import calling

MISSION = {
    "kind": "outward_mission",
    "status": "held",
    "sending_country": "KZ",
    "host_country": "RU",
}


@dataclass
class Known:
    """A record as it must be, from the acknowledgements of its writer."""

    path: str
    ref: str
    note: str | None
    version: int = 1
    in_trash: bool = False
    id: str = ""

    #: The end of all entity tags of records, as the first that is read has it.
    epoch: ClassVar[str] = ""

    @property
    def tag(self) -> str:
        return f'"{self.version}-{self.id[-12:]}-{self.epoch}"'

    def told(self) -> tuple[str | None, int, bool]:
        return self.note, self.version, self.in_trash


@dataclass
class Request:
    """One write, which can be sent again as it is."""

    method: str
    address: str
    body: Any
    #: What holds once it is stored.
    effect: Callable[[httpx.Response], None]
    headers: dict[str, str] = field(default_factory=dict)
    #: The records that it makes: all of them or none.
    makes: list[Known] = field(default_factory=list)
    #: What a repeat may be answered besides success, when the first one was stored.
    repeated: tuple[int, ...] = ()


@dataclass
class Tally:
    """How many writes came to what."""

    acknowledged: int = 0
    unknown: int = 0
    #: Of the unknown ones, those that had been stored all the same.
    stored: int = 0


class Writer:
    """Writes records of its own, one request after the other."""

    def __init__(self, name: str, random_seed: int) -> None:
        self.name = name
        self.random = random.Random(random_seed)
        self.records: dict[str, Known] = {}
        #: The request whose answer has not come.
        self.open: Request | None = None
        self.tally = Tally()
        self.made = 0

    async def write_until_lost(self, client: httpx.AsyncClient) -> None:
        """Write until the connection is lost."""
        try:
            while True:
                await self._write(client)
        except httpx.TransportError:
            return

    async def _write(self, client: httpx.AsyncClient) -> None:
        self.open = self._next()
        # Until an answer says something else.
        self.tally.unknown += 1
        answer = await self._send(client, self.open)
        if answer.status_code == 503:
            # Perhaps stored, perhaps not: the database went away.
            await self.settle(client)
            return
        assert answer.status_code in (200, 201, 204), answer.text
        self.tally.unknown -= 1
        self._acknowledged(self.open, answer)

    async def settle(self, client: httpx.AsyncClient) -> None:
        """Find the write with an unknown end whole or absent, and send it again until it is told
        to be stored; a connection that is lost leaves it open."""
        request = self.open
        if request is None:
            return
        there = [known.ref for known in request.makes if await _is_there(client, known)]
        assert len(there) in (0, len(request.makes)), f"half done: {there} of {request}"
        while True:
            answer = await self._send(client, request)
            if answer.status_code != 503:
                break
        right = answer.status_code in (200, 201, 204, *request.repeated)
        assert right, f"{request}: {answer.status_code} {answer.text}"
        replayed = "idempotency-replayed" in answer.headers
        # A first one that was still being written when the repeat came may have ended since.
        assert replayed or not there, f"stored twice: {request}"
        self.tally.stored += replayed or answer.status_code in request.repeated
        self._acknowledged(request, answer)

    async def _send(self, client: httpx.AsyncClient, request: Request) -> httpx.Response:
        while True:
            answer = await client.request(
                request.method, request.address, json=request.body, headers=request.headers
            )
            # The first one is still at work, as its connection was lost and not its process.
            if answer.status_code != 409 or "retry-after" not in answer.headers:
                return answer

    def _acknowledged(self, request: Request, answer: httpx.Response) -> None:
        request.effect(answer)
        if "etag" in answer.headers:
            Known.epoch = answer.headers["etag"].strip('"').rpartition("-")[2]
        for known in request.makes:
            self.records[known.ref] = known
        self.open = None
        self.tally.acknowledged += 1

    def _next(self) -> Request:
        people = [known for known in self.records.values() if known.path == "people" and known.id]
        if len(people) < 2 or self.random.random() < 0.4:
            return self._creation()
        known = self.random.choice(people)
        if known.in_trash:
            return self._restoring(known)
        chosen = self.random.random()
        if chosen < 0.2:
            return self._deletion(known)
        return self._bulk(known) if chosen < 0.4 else self._change(known)

    def _new(self, path: str) -> Known:
        self.made += 1
        return Known(path, f"{self.name}-{self.made}", f"made {self.made}")

    def _creation(self) -> Request:
        if self.random.random() < 0.3:
            return self._mission()
        known = self._new("people")

        def effect(answer: httpx.Response) -> None:
            known.id = answer.json()["id"]

        body = _body(known, full_name=known.ref)
        return Request("POST", "/people", body, effect, _key(), [known])

    def _mission(self) -> Request:
        mission, *events = (self._new(path) for path in ("missions", "events", "events"))
        told = [_body(event, title=event.ref, kind="meeting") for event in events]
        body = _body(mission, title=mission.ref, events=told, **MISSION)
        return Request("POST", "/missions", body, _nothing, _key(), [mission, *events])

    def _bulk(self, known: Known) -> Request:
        new = [self._new("people") for _ in range(4)]
        operations: list[Any] = [
            {"op": "create", "body": _body(one, full_name=one.ref)} for one in new
        ]
        note = f"bulk {uuid4().hex}"
        operations.insert(2, {"op": "update", "key": known.ref, "body": {"note": note}})
        effect = _changing(known, note=note)
        return Request("POST", "/people/bulk", {"operations": operations}, effect, _key(), new)

    def _change(self, known: Known) -> Request:
        note = f"note {uuid4().hex}"
        effect, guard = _changing(known, note=note), {"If-Match": known.tag}
        return Request("PATCH", f"/people/{known.ref}", {"note": note}, effect, guard, [], (412,))

    def _deletion(self, known: Known) -> Request:
        effect, guard = _changing(known, in_trash=True), {"If-Match": known.tag}
        return Request("DELETE", f"/people/{known.ref}", None, effect, guard, [], (404,))

    def _restoring(self, known: Known) -> Request:
        effect = _changing(known, in_trash=False)
        return Request("POST", f"/people/{known.ref}/restore", None, effect, _key())


def _nothing(answer: httpx.Response) -> None:
    """The effect of a creation is what it makes."""


def _key() -> dict[str, str]:
    return {"Idempotency-Key": uuid4().hex}


def _body(known: Known, **fields: Any) -> dict[str, Any]:
    return {"ref": known.ref, "note": known.note, **fields}


def _changing(known: Known, **fields: Any) -> Callable[[httpx.Response], None]:
    def effect(answer: httpx.Response) -> None:
        for name, value in fields.items():
            setattr(known, name, value)
        known.version += 1

    return effect


async def _is_there(client: httpx.AsyncClient, known: Known) -> bool:
    while True:
        answer = await client.get(f"/{known.path}/{known.ref}", params={"deleted": "include"})
        if answer.status_code != 503:
            assert answer.status_code in (200, 404), answer.text
            return answer.status_code == 200


def all_records(writers: list[Writer]) -> Iterator[Known]:
    """Every record that was acknowledged to one of the writers."""
    for writer in writers:
        yield from writer.records.values()


async def settle(address: str, writers: list[Writer]) -> None:
    """Every writer sends again what it does not know the end of."""
    async with calling(address) as client:
        await asyncio.gather(*(writer.settle(client) for writer in writers))


async def compare(address: str, writers: list[Writer], prefix: str) -> None:
    """Hold that the records whose refs begin so are those that the writers know, as they know
    them."""
    expected: dict[str, dict[str, Known]] = {"people": {}, "missions": {}, "events": {}}
    for known in all_records(writers):
        expected[known.path][known.ref] = known
    async with calling(address) as client:
        for path, records in expected.items():
            stored = await _stored(client, path, prefix)
            assert stored == {ref: known.told() for ref, known in records.items()}


async def _stored(
    client: httpx.AsyncClient, path: str, prefix: str
) -> dict[str, tuple[str | None, int, bool]]:
    told = {"deleted": "include", "fields": "ref,note,version,deleted_at"}
    answer = await client.get(f"/{path}.ndjson", params={**told, "ref__startswith": prefix})
    assert answer.status_code == 200, answer.text
    rows = [json.loads(line) for line in answer.text.splitlines()]
    assert len(rows) == len({row["ref"] for row in rows})
    return {row["ref"]: (row["note"], row["version"], bool(row["deleted_at"])) for row in rows}
