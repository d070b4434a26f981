"""Below a path of a proxy, all addresses that answers tell lead there: whether the proxy takes the
path away or passes it on."""

import asyncio
import csv
import io
import re
from collections.abc import AsyncIterator, Iterator
from html import unescape
from urllib.parse import urljoin
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from starlette.types import Message, Receive, Scope, Send

from tests.keys import BEARER

ROOT = "/trade/missions"
#: An address in HTML, and one in a sentence.
_IN_PAGE = re.compile(r'(?:href|src|url)(?:=|: )"([^"#]+)')
_IN_TEXT = re.compile(r"(?<![\w.])(/[a-z][^\s,?]*[a-z0-9])")


class Proxied:
    """The application as uvicorn calls it behind a proxy, which takes the path away or does not."""

    def __init__(self, app: FastAPI, takes_away: bool) -> None:
        self.app, self.takes_away = app, takes_away

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["path"] == ROOT or scope["path"].startswith(ROOT + "/"), scope["path"]
        path = scope["path"].removeprefix(ROOT) if self.takes_away else scope["path"]
        await self.app({**scope, "root_path": ROOT, "path": ROOT + path}, receive, send)


@pytest.fixture(params=["a proxy takes it away", "a proxy passes it on"])
async def proxied(
    request: pytest.FixtureRequest, shared_app: FastAPI
) -> AsyncIterator[httpx.AsyncClient]:
    app = Proxied(shared_app, takes_away="away" in request.param)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://test", headers=BEARER
    ) as client:
        yield client


async def told(client: httpx.AsyncClient) -> AsyncIterator[tuple[str, str]]:
    """Every kind of address that answers tell, with where it stands."""
    page = await client.get(f"{ROOT}/people?limit=1&sort=ref")
    yield "Link", page.links["next"]["url"]
    yield "Link, back", (await client.get(page.links["next"]["url"])).links["prev"]["url"]
    nested = await client.get(f"{ROOT}/missions/novosibirsk-april/delegates?limit=1")
    yield "Link of a part", nested.links["next"]["url"]
    person = await client.post(f"{ROOT}/people", json={"full_name": "Below"})
    yield "Location", person.headers["location"]
    key = await client.post(f"{ROOT}/api-keys", json={"name": uuid4().hex, "scope": "read"})
    hook = {"name": "below", "url": "https://example.com"}
    for name, made in (("key", key), ("hook", await client.post(f"{ROOT}/webhooks", json=hook))):
        assert made.status_code == 201, made.text
        yield f"Location of a {name}", made.headers["location"]
    for start in (ROOT, f"{ROOT}/"):
        redirect = await client.get(start)
        yield f"Location of {start}", urljoin(start, redirect.headers["location"])
    document = (await client.get(f"{ROOT}/openapi.json")).json()
    yield "servers", document["servers"][0]["url"] + "/missions"
    for name in ("docs", "guide", "problems", "problems/not-found"):
        html = (await client.get(f"{ROOT}/{name}")).text
        for address in sorted(set(_IN_PAGE.findall(html)))[:4]:
            yield f"the page {name}", urljoin(f"{ROOT}/{name}", unescape(address))


#: What of the document has an address in `url`: elsewhere, as something sent, and of this service.
ELSEWHERE = re.compile("Source|Webhook")
SENT = {"QuestionFields", "QuestionUpdate", "ReceiptFields"}
OWN = {"Hit", "Question", "QuestionEntry", "QuestionVersion", "Receipt", "ReceiptEntry"}


def urls_in(value: object) -> Iterator[str]:
    """All members named `url`, however deep."""
    if isinstance(value, dict):
        yield from (str(each) for name, each in value.items() if name == "url")
    for each in (
        value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    ):
        if isinstance(each, dict | list):
            yield from urls_in(each)


async def told_as_url(client: httpx.AsyncClient) -> AsyncIterator[tuple[str, str]]:
    """Every address of this service that stands in a member `url`."""
    name = f"below-{uuid4().hex}"
    for root, ref in ((ROOT, name), ("", f"{name}-2")):
        body = {"url": f"{root}/people?limit=1", "name": ref}
        question = await client.post(f"{ROOT}/questions", json=body)
        body = {"url": f"{root}/missions/novosibirsk-april/summary"}
        receipt = await client.post(f"{ROOT}/receipts", json=body)
        for made in (question, receipt):
            assert made.status_code == 201, made.text
            yield f"url, made: {root}", made.json()["url"]
        changed = {"url": f"{root}/people?limit=2"}
        for answer in (
            await client.put(f"{ROOT}/questions/{ref}", json=changed),
            await client.get(f"{ROOT}/questions/{ref}"),
            await client.get(f"{ROOT}/receipts/{receipt.json()['id']}"),
            await client.get(f"{ROOT}/questions?limit=1000"),
            await client.get(f"{ROOT}/receipts?limit=1000"),
            await client.get(f"{ROOT}/search?q=novosibirsk"),
        ):
            found = list(urls_in(answer.json()))
            assert found, answer.text
            for url in found:
                # Facts name their sources, which are elsewhere.
                if not url.startswith("http"):
                    yield f"url of {answer.request.url.path}", url
        row = next(
            iter(csv.DictReader(io.StringIO((await client.get(f"{ROOT}/receipts.csv")).text)))
        )
        yield "url in a file", row["url"]


async def test_each_member_that_is_an_address_of_the_service_is_known_here(
    client: httpx.AsyncClient,
) -> None:
    schemas = (await client.get("/openapi.json")).json()["components"]["schemas"]
    having = {name for name, schema in schemas.items() if "url" in schema.get("properties", {})}
    assert {name for name in having if not ELSEWHERE.match(name)} == OWN | SENT


async def told_of_faults(client: httpx.AsyncClient) -> AsyncIterator[tuple[str, str]]:
    """The addresses that problems tell, with where they stand."""
    dropped = (await client.post(f"{ROOT}/people", json={"full_name": "Dropped"})).headers[
        "location"
    ]
    assert (await client.delete(dropped)).status_code == 204
    for address in (
        "/agrements",
        "/codes/nowhere/near",
        "/missions/agregate",
        "/changes?since=9999999999",
        dropped.removeprefix(ROOT),
    ):
        problem = (await client.get(ROOT + address)).json()
        yield "type", problem["type"]
        assert problem["instance"] == ROOT + address.partition("?")[0]
        for each in _IN_TEXT.findall(problem["detail"]):
            yield f"the detail of {address}: {problem['detail']}", each
    code = {"name": "Below", "kind": "company", "country": "ZZ"}
    detail = (await client.post(f"{ROOT}/organizations", json=code)).json()["detail"]
    yield f"a code: {detail}", _IN_TEXT.findall(detail)[-1]


async def first_event(app: Proxied) -> str:
    """What a stream says first to whoever begins after a change that there is not."""
    seen, gone = "", asyncio.Event()

    async def receive() -> Message:
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        nonlocal seen
        seen += message.get("body", b"").decode()
        if "event: gone" in seen:
            gone.set()

    path, query = f"{ROOT}/changes/stream", b"since=9999999999"
    scope = {"type": "http", "method": "GET", "path": path, "query_string": query, "headers": []}
    async with asyncio.timeout(10):
        await app(scope, receive, send)
    return seen


async def test_an_event_tells_such_addresses_too(shared_app: FastAPI) -> None:
    event = await first_event(Proxied(shared_app, takes_away=True))
    assert _IN_TEXT.findall(event) == [f"{ROOT}/problems/gone", f"{ROOT}/changes"]


async def test_all_addresses_that_answers_tell_lead_there(proxied: httpx.AsyncClient) -> None:
    faults, kinds = [], set()
    for several in (told(proxied), told_as_url(proxied), told_of_faults(proxied)):
        async for where, address in several:
            kinds.add(where.partition(":")[0])
            if not address.startswith(f"{ROOT}/"):
                faults.append(f"{where}: {address}")
                continue
            # A record in the trash, whose restoring is told, is there all the same.
            answer = await proxied.request("OPTIONS" if "restore" in address else "GET", address)
            if answer.status_code == 404:
                faults.append(f"{where}: {address}: {answer.text[:200]}")
    assert not faults, "\n".join(faults)
    assert len(kinds) > 15, kinds
