"""How much of an export is at hand at a time: it does not grow with what its records show."""

import httpx
import pytest
from fastapi import FastAPI

from app.core.databases import interface
from app.core.databases.interface import STREAM_BATCH_ROWS, first_batch, next_batch
from tests.keys import BEARER

SHOWN = "/missions.ndjson?expand=agreements.parties,delegates.person"


def test_the_longer_the_rows_are_the_fewer_are_read_at_a_time() -> None:
    most = 20
    room = interface.STREAM_BATCH_CHARACTERS
    sizes = [next_batch([("x" * (room // n),)], most) for n in (1000, 20, 10, 2, 1)]
    assert (first_batch(most), sizes) == (1, [20, 20, 10, 2, 1])
    assert next_batch([("x" * 2 * room,)], most) == 1
    assert first_batch(STREAM_BATCH_ROWS) == STREAM_BATCH_ROWS
    assert next_batch([("x" * room,)], STREAM_BATCH_ROWS) == STREAM_BATCH_ROWS


async def test_an_export_is_the_same_however_many_records_are_read_at_a_time(
    client: httpx.AsyncClient, shared_app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = (await client.get(SHOWN)).content
    monkeypatch.setattr(interface, "STREAM_BATCH_CHARACTERS", 1)
    sizes: list[int] = []
    stream = shared_app.state.database.stream

    async def noted(*arguments):  # type: ignore[no-untyped-def]
        async for rows in stream(*arguments):
            sizes.append(len(rows))
            yield rows

    monkeypatch.setattr(shared_app.state.database, "stream", noted)
    assert (await client.get(SHOWN)).content == expected
    assert set(sizes) == {1}


async def test_of_records_that_can_have_long_texts_few_are_read_at_a_time_where_they_have(
    fresh: httpx.AsyncClient, fresh_app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    note = "ж" * 20_000
    for n in range(4):
        told = {"name": f"Fat {n}", "kind": "company", "country": "TV", "note": note}
        assert (await fresh.post("/organizations", json=told)).status_code == 201
    monkeypatch.setattr(interface, "STREAM_BATCH_CHARACTERS", 2 * len(note))
    sizes: list[int] = []
    stream = fresh_app.state.database.stream

    async def noted(*arguments):  # type: ignore[no-untyped-def]
        async for rows in stream(*arguments):
            sizes.append(len(rows))
            yield rows

    monkeypatch.setattr(fresh_app.state.database, "stream", noted)
    for file in ("csv", "csv?decimal=,", "csv?labels=ru", "ndjson"):
        sizes.clear()
        answer = await fresh.get(f"/organizations.{file}", params={"country": "TV"})
        assert answer.text.count(note) == 4
        assert max(sizes) <= 2, (file, sizes)


async def test_a_file_is_not_written_to_its_end_for_a_client_that_has_gone(
    shared_app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interface, "STREAM_BATCH_CHARACTERS", 1)
    read = 0
    stream = shared_app.state.database.stream

    async def noted(*arguments):  # type: ignore[no-untyped-def]
        nonlocal read
        async for rows in stream(*arguments):
            read += len(rows)
            yield rows

    monkeypatch.setattr(shared_app.state.database, "stream", noted)
    messages = [{"type": "http.request", "body": b"", "more_body": False}]
    answered: list[object] = []

    async def receive() -> dict[str, object]:
        return messages.pop() if messages else {"type": "http.disconnect"}

    async def send(message: object) -> None:
        answered.append(message)

    scope = {
        "type": "http",
        "method": "HEAD",
        "path": SHOWN.partition("?")[0],
        "query_string": f"{SHOWN.partition('?')[2]}&sort=title".encode(),
        "client": ("127.0.0.1", 1),
        "headers": [(name.lower().encode(), value.encode()) for name, value in BEARER.items()],
    }
    await shared_app(scope, receive, send)
    assert answered == []
    assert read <= 2
