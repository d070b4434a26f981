"""What the documentation page has filled in works: every operation, in the order of the page."""

import re
import socket
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from app.changes.stream import StreamRules
from tests.test_openapi_document import operations

Json = dict[str, Any]

#: What only the server can name: a reader takes it from the answer that has just shown it.
MADE = {"/receipts": "id", "/webhooks": "id", "/webhooks/{id}/test": "delivery"}
#: What the page cannot have an example of: the text of an article belongs to its publisher.
WITHOUT = ("attach_source_text", "get_source_text")


class Reader:
    """Goes through the page and executes each operation as it is filled in."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client
        #: Ids that answers have shown, by the parameter that takes them.
        self.shown: dict[str, str] = {}

    async def execute(self, name: str, operation: Json) -> httpx.Response:
        method, path = name.split()
        filled = {p["name"]: p for p in operation["parameters"] if _value(p) is not None}
        query = [pair for p in filled.values() if p["in"] == "query" for pair in _pairs(p)]
        headers = {p["name"]: str(_value(p)) for p in filled.values() if p["in"] == "header"}
        places = {p["name"]: _value(p) for p in filled.values() if p["in"] == "path"}
        content = operation.get("requestBody", {}).get("content", {})
        sent: Json = {"params": query, "headers": headers}
        for media, about in list(content.items())[:1]:
            headers["Content-Type"] = media
            sent["json" if media == "application/json" else "content"] = about["example"]
        # What was never shown stays as it stands in the document.
        known = {name: f"{{{name}}}" for name in re.findall(r"{(\w+)}", path)}
        address = path.format(**(known | self.shown | places))
        answer = await self.client.request(method, address, **sent)
        if path in MADE and answer.is_success and method == "POST":
            self.shown[MADE[path]] = answer.json()["id"]
        return answer


def _value(parameter: Json) -> Any:
    return parameter.get("example", parameter["schema"].get("default"))


def _pairs(parameter: Json) -> Iterator[tuple[str, Any]]:
    value = _value(parameter)
    told = str(value).lower() if isinstance(value, bool) else value
    yield parameter["name"], told


async def test_what_is_filled_in_works_from_the_first_operation_to_the_last(
    fresh_app: FastAPI, fresh: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = socket.getaddrinfo

    def nobody(host: Any, *others: Any, **options: Any) -> Any:
        """Nobody is asked where the webhook of the example is."""
        if "register.invalid" in str(host):
            raise socket.gaierror(f"{host} is an example")
        return ask(host, *others, **options)

    monkeypatch.setattr(socket, "getaddrinfo", nobody)
    fresh_app.state.streams.rules = StreamRules(lifetime=0.1)
    reader, faults = Reader(fresh), []
    for name, operation in operations().items():
        if operation["operationId"] in WITHOUT:
            continue
        answer = await reader.execute(name, operation)
        done = min(int(status) for status in operation["responses"] if int(status) < 300)
        if answer.status_code != done:
            faults.append(f"{name}: {answer.status_code} for {done}: {answer.text[:300]}")
        if name == "DELETE /webhooks/{id}":
            # It is gone for good: a reader who goes on makes another one.
            await reader.execute("POST /webhooks", operations()["POST /webhooks"])
    assert not faults, "\n".join(faults)
