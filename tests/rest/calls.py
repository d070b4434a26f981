"""Requests with headers of their own, and looks at the whole database."""

from collections.abc import Iterable
from typing import Any

import httpx
from fastapi import FastAPI
from sqlalchemy import inspect, text
from sqlalchemy.orm import Session

from app.core import json_codec
from app.engine.resource import Resource
from tests.contract.api import Api, at, writable
from tests.examples import JSON, Body

Contents = dict[str, list[str]]


async def send(
    client: httpx.AsyncClient, method: str, address: str, body: Any = None, **headers: str
) -> httpx.Response:
    """A request, with a JSON body if one is given; `if_match=…` is the header If-Match."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if body is None:
        return await client.request(method, address, headers=named)
    content = json_codec.dumps(body)
    return await client.request(method, address, content=content, headers={**JSON, **named})


async def post(api: Api, address: str, body: Any, **headers: str) -> httpx.Response:
    return await send(api.client, "POST", address, body, **headers)


async def bulk(api: Api, path: str, operations: Any, **headers: str) -> httpx.Response:
    return await post(api, f"/{path}/bulk", {"operations": operations}, **headers)


def fields_of(resource: Resource, record: Body) -> Body:
    """What a body that replaces the record by itself holds."""
    return {name: record[name] for name in writable(resource)}


#: The ways to change one record that is there.
CHANGES = ("PATCH", "PUT", "DELETE", "restore")


async def change(
    api: Api, how: str, resource: Resource, record: Body, **headers: str
) -> httpx.Response:
    """Change the record in one of these ways."""
    address = at(resource, record)
    if how == "restore":
        return await send(api.client, "POST", f"{address}/restore", **headers)
    if how == "DELETE":
        return await send(api.client, how, address, **headers)
    body = {"note": "changed"} if how == "PATCH" else fields_of(resource, record)
    return await send(api.client, how, address, {**body, "note": "changed"}, **headers)


#: For whoever compares the entity tag of a write with that of a read: compressed it is another.
UNCOMPRESSED = {"Accept-Encoding": "identity"}


async def tag(api: Api, address: str) -> str:
    answer = await api.client.get(address, params={"deleted": "include"}, headers=UNCOMPRESSED)
    assert answer.status_code == 200, answer.text
    return answer.headers["etag"]


async def contents(app: FastAPI, without: Iterable[str] = ()) -> Contents:
    """Every row of every table, as texts; but for keys, whose last use is noted in passing."""

    def read(session: Session) -> Contents:
        connection = session.connection()
        rows = "CAST(t.* AS text)" if connection.dialect.name == "postgresql" else "t.*"
        found: Contents = {}
        for name in sorted({*inspect(connection).get_table_names()} - {*without, "api_key"}):
            query = text(f'SELECT {rows} FROM "{name}" t')
            found[name] = sorted(str(tuple(row)) for row in connection.execute(query))
        return found

    result: Contents = await app.state.database.write(read)
    return result


async def position(app: FastAPI) -> int:
    """The number of the newest change."""

    def read(session: Session) -> int:
        return int(session.scalar(text("SELECT seq FROM change_counter")) or 0)

    result: int = await app.state.database.write(read)
    return result


async def changes_after(app: FastAPI, seq: int) -> list[Any]:
    """The changes with a greater number, in order: `(seq, action, kind, record_id, version)`."""
    query = text(
        "SELECT seq, action, kind, record_id, version, at FROM change WHERE seq > :seq ORDER BY seq"
    )

    def read(session: Session) -> list[Any]:
        return [tuple(row) for row in session.execute(query, {"seq": seq})]

    result: list[Any] = await app.state.database.write(read)
    return result
