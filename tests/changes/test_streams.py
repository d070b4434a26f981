"""Streams of changes over real connections: every change once and in order, whatever happens."""

import asyncio
import json
import signal
import socket
import time
from collections import Counter
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from app.changes import tail
from app.changes.entries import find_for_all
from app.changes.stream import MAX_CATCHING_UP, StreamRules
from app.changes.tail import MAX_KEPT_CHANGES, ChangeLogTail
from app.core.databases.places import reader
from tests.changes.events import Events, listening
from tests.conftest import client_of
from tests.keys import BEARER
from tests.servers import calling
from tests.webhooks.servers import Running, add_person, eventually, newest, running

WRITERS, EACH = 16, 6


async def feed(client: httpx.AsyncClient, since: int, **wanted: Any) -> list[Any]:
    """What GET /changes tells after a number, all pages of it."""
    found: list[Any] = []
    while page := (
        await client.get("/changes", params={"limit": 1000, "since": since, **wanted})
    ).json()["data"]:
        found += page
        since = page[-1]["seq"]
    return found


# What is sent


async def test_a_change_is_sent_as_the_list_of_changes_tells_it(server: Running) -> None:
    async with listening(server.client) as events:
        begin = events.last_seq
        await add_person(server.client, "Абай Кунанбаев")
        (change,) = await events.take(1)
        assert change["changes"]["full_name"] == [None, "Абай Кунанбаев"]
        assert [change] == await feed(server.client, begin)
        headers = events.response.headers
        assert headers["content-type"] == "text/event-stream"
        assert (headers["cache-control"], headers["x-accel-buffering"]) == ("no-store", "no")


async def test_a_stream_without_a_beginning_starts_with_the_next_change(server: Running) -> None:
    await add_person(server.client, "Before")
    async with listening(server.client) as events:
        assert events.last_seq == await newest(server.client)
        await add_person(server.client, "After")
        (change,) = await events.take(1)
        assert change["changes"]["full_name"] == [None, "After"]


async def test_since_0_tells_all_there_was_and_goes_on(server: Running) -> None:
    before = await feed(server.client, 0)
    async with listening(server.client, since=0) as events:
        told = await events.take(len(before))
        await add_person(server.client, "The next")
        told += await events.take(1)
    assert told == await feed(server.client, 0)


async def test_a_stream_ends_within_a_second_when_its_key_is_revoked(
    server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    # It is told, and does not only ask from time to time.
    monkeypatch.setattr("app.changes.stream.AUTHORIZATION_CHECK_SECONDS", 60)
    made = await server.client.post("/api-keys", json={"name": "Listener"})
    headers = {"Authorization": f"Bearer {made.json()['key']}"}
    async with (
        calling(server.address, headers) as listener,
        listening(listener) as events,
    ):
        await add_person(server.client, "Still heard")
        await events.take(1)
        assert (await server.client.delete("/api-keys/Listener")).status_code == 204
        async with asyncio.timeout(1):
            assert [kind async for kind, _ in events.blocks() if kind] == []


async def test_a_stream_ends_soon_after_its_key_is_revoked_through_another_process(
    server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.core.auth.authorizer.PRINCIPAL_CACHE_SECONDS", 0.1)
    monkeypatch.setattr("app.changes.stream.AUTHORIZATION_CHECK_SECONDS", 0.1)
    made = await server.client.post("/api-keys", json={"name": "Listener elsewhere"})
    headers = {"Authorization": f"Bearer {made.json()['key']}"}
    async with calling(server.address, headers) as listener, listening(listener) as events:
        monkeypatch.setattr("app.core.auth.authorizer.Authorizer.forget", lambda _: None)
        assert (await server.client.delete("/api-keys/Listener elsewhere")).status_code == 204
        async with asyncio.timeout(1):
            assert [kind async for kind, _ in events.blocks() if kind] == []


async def test_last_event_id_goes_before_since(server: Running) -> None:
    end = await newest(server.client)
    async with listening(server.client, last_id=end - 2, since=0) as events:
        assert [change["seq"] for change in await events.take(2)] == [end - 1, end]


@pytest.mark.parametrize("begin", ["now", "0"])
async def test_filters_choose_as_those_of_the_list_do(server: Running, begin: str) -> None:
    since = await newest(server.client) if begin == "now" else 0
    one = await add_person(server.client, "One")
    for wanted in ({"kind": "person"}, {"record_id": one["id"]}, {"action": "update"}):
        async with listening(server.client, since=since, **wanted) as events:
            await server.client.patch(f"/people/{one['id']}", json={"note": f"{begin} {wanted}"})
            await add_person(server.client, "Other")
            await server.client.patch(f"/people/{one['id']}", json={"note": "last"})
            expected = await feed(server.client, since, **wanted)
            assert await events.take(len(expected)) == expected


async def test_a_filtered_stream_that_is_cut_off_resumes_at_its_place(server: Running) -> None:
    """Its heart-beat tells how far it has read, though nothing was for it."""
    async with listening(server.client, kind="mission") as events:
        begin = events.last_seq
        for number in range(3):
            await add_person(server.client, f"Not for it {number}")
        async for _ in events.blocks():
            if events.last_seq == begin + 3:
                break


async def test_a_stream_shows_that_it_is_alive(server: Running) -> None:
    async with listening(server.client) as events:
        async for kind, _ in events.blocks():
            assert kind == ""
            if events.comments == 3:
                break
        assert events.retry is not None
        assert 2000 <= events.retry <= 5000


# Many at once


async def write_many(client: httpx.AsyncClient, number: int) -> None:
    for at in range(EACH):
        made = await add_person(client, f"Writer {number}, person {at}")
        await client.patch(f"/people/{made['id']}", json={"note": "changed"})


async def follow(
    client: httpx.AsyncClient, since: int, until: asyncio.Event, cuts: int
) -> list[Any]:
    """The changes up to the last, read by a stream that is cut off several times."""
    found: list[Any] = []
    place: int | str = since
    while True:
        async with listening(client, last_id=place) as events:
            async for change in events.changes():
                found.append(change)
                if cuts and len(found) % 25 == 0:
                    cuts -= 1
                    break
                if until.is_set() and change["seq"] == await newest(client):
                    return found
            place = events.last_id


async def test_16_writers_are_followed_by_all_without_gap_or_repetition(server: Running) -> None:
    begin, done = await newest(server.client), asyncio.Event()
    async with calling(server.address) as client:
        readers = [
            asyncio.create_task(follow(client, begin, done, cuts)) for cuts in (0, 0, 0, 1, 3)
        ]
        await asyncio.gather(*(write_many(server.client, number) for number in range(WRITERS)))
        done.set()
        await add_person(server.client, "The last")
        told = await asyncio.gather(*readers)
    expected = await feed(server.client, begin)
    assert len(expected) == WRITERS * EACH * 2 + 1
    for found in told:
        assert found == expected


async def test_writes_of_another_process_arrive(server: Running) -> None:
    async with running(server.url) as other, listening(server.client) as events:
        made = await add_person(other.client, "From the other process")
        (change,) = await events.take(1)
        assert change["record_id"] == made["id"]


async def test_more_changes_than_are_kept_arrive_with_one_write(server: Running) -> None:
    lines = [
        json.dumps({"full_name": f"Imported {number}"}) for number in range(MAX_KEPT_CHANGES + 200)
    ]
    async with listening(server.client, kind="person") as events:
        begin = events.last_seq
        answer = await server.client.post(
            "/people/import",
            content="\n".join(lines),
            headers={"Content-Type": "application/x-ndjson"},
        )
        assert answer.status_code == 200, answer.text
        told = await events.take(len(lines))
    assert [change["seq"] for change in told] == list(range(begin + 1, begin + 1 + len(lines)))


# Slow clients


async def open_slowly(address: str, since: int) -> socket.socket:
    """A connection that has asked for a stream and reads nothing of it."""
    host, _, port = address.removeprefix("http://").partition(":")
    slow = socket.socket()
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    slow.setblocking(False)
    await asyncio.get_running_loop().sock_connect(slow, (host, int(port)))
    request = f"GET /changes/stream?since={since} HTTP/1.1\r\nHost: {host}\r\n"
    request += f"Authorization: {BEARER['Authorization']}\r\n\r\n"
    await asyncio.get_running_loop().sock_sendall(slow, request.encode())
    return slow


async def read_to_the_end(slow: socket.socket) -> list[int]:
    """The ids of the events that the connection still holds, when its server has let go of it."""
    loop, content = asyncio.get_running_loop(), b""
    async with asyncio.timeout(60):
        while piece := await loop.sock_recv(slow, 65536):
            content += piece
    *whole, _ = content.split(b"\n\n")
    ids = [block.partition(b"id: ")[2].split()[0] for block in whole if b"event: " in block]
    return [int(each.partition(b"-")[0]) for each in ids]


async def write_much(client: httpx.AsyncClient, times: int) -> None:
    """Changes of some 100 KB each."""
    made = await add_person(client, "Much")
    for number in range(times):
        note = {"note": f"{number} " + "ә" * 19_000}
        answer = await client.patch(f"/people/{made['id']}", json=note)
        assert answer.status_code == 200, answer.text


async def test_a_client_that_reads_nothing_is_let_go_and_resumes(fresh_url: str) -> None:
    async with running(fresh_url, {"send_timeout": 0.5, "heartbeat": 0.2}) as server:
        begin = await newest(server.client)
        slow = await open_slowly(server.address, begin)
        await write_much(server.client, 120)
        end = await newest(server.client)
        await asyncio.sleep(1)
        seen = await read_to_the_end(slow)
        slow.close()
        assert seen == list(range(begin + 1, begin + 1 + len(seen)))
        assert len(seen) < end - begin
        async with listening(server.client, last_id=begin + len(seen)) as events:
            told = await events.take(end - begin - len(seen))
        assert told == await feed(server.client, begin + len(seen))


async def test_clients_that_read_nothing_take_no_memory(fresh_url: str) -> None:
    async with running(fresh_url, {"send_timeout": 60}) as server:
        await write_much(server.client, 20)
        before, begin = server.server.memory(), await newest(server.client)
        slow = [await open_slowly(server.address, begin) for _ in range(20)]
        await write_much(server.client, 150)
        grown = server.server.memory() - before
        for connection in slow:
            connection.close()
        # Fifteen megabytes for each of them would be three hundred.
        assert grown < 60 * 2**20, f"{grown} bytes"


# The end of streams


async def test_as_many_streams_are_served_as_the_setting_says(fresh_url: str) -> None:
    async with running(fresh_url, {"most": 1, "heartbeat": 0.1}) as server:
        async with listening(server.client):
            answer = await server.client.get("/changes/stream")
            assert answer.status_code == 503
            assert answer.headers["retry-after"] == "30"
            assert "As many streams are open as this process serves: 1." in answer.json()["detail"]
        await eventually(lambda: open_or_not(server.client), lambda status: status == 200)


async def open_or_not(client: httpx.AsyncClient) -> int:
    async with client.stream("GET", "/changes/stream") as response:
        return response.status_code


async def test_one_address_has_a_quarter_of_the_streams_and_others_the_rest(
    fresh_url: str,
) -> None:
    async with running(fresh_url, {"most": 4, "heartbeat": 0.1}) as server:
        one, two = ({"X-Forwarded-For": f"192.0.2.{n}"} for n in (1, 2))
        async with (
            calling(server.address, one) as greedy,
            calling(server.address, two) as other,
            listening(greedy),
        ):
            refused = await greedy.get("/changes/stream")
            assert (refused.status_code, refused.headers["retry-after"]) == (429, "30")
            async with listening(other):
                pass


async def test_what_streams_read_is_counted_as_their_clients_and_few_read_at_a_time(
    fresh_app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    database, streams = fresh_app.state.database, fresh_app.state.streams
    monkeypatch.setattr(streams, "rules", StreamRules(lifetime=0.5))
    read, under_way, seen = database.read, Counter[str](), list[Counter[str]]()

    async def counted(*asked: Any, point_lookup: bool = False) -> Any:
        if point_lookup:
            return await read(*asked, point_lookup=True)
        under_way[reader.get()] += 1
        seen.append(under_way.copy())
        try:
            await asyncio.sleep(0.01)
            return await read(*asked)
        finally:
            under_way[reader.get()] -= 1

    monkeypatch.setattr(database, "read", counted)

    async def follow_from(address: str) -> str:
        passage = httpx.ASGITransport(fresh_app, client=(address, 1))
        async with httpx.AsyncClient(transport=passage, base_url="http://test") as client:
            return (await client.get("/changes/stream?since=0")).text

    callers = [f"192.0.2.{n}" for n in (1, 1, 1, 2, 2, 3)]
    told = await asyncio.gather(*map(follow_from, callers))
    assert all("event: change" in each for each in told)
    assert set().union(*seen) == set(callers)
    assert max(max(each.values()) for each in seen) == 1
    assert max(each.total() for each in seen) == MAX_CATCHING_UP


async def test_a_stream_ends_in_order_after_its_time(fresh_url: str) -> None:
    async with running(fresh_url, {"lifetime": 0.5}) as server, listening(server.client) as events:
        assert [kind async for kind, _ in events.blocks()] == []


async def test_streams_end_in_order_when_the_server_stops(fresh_url: str) -> None:
    async with running(fresh_url) as server, listening(server.client) as events:
        await add_person(server.client, "The last")
        await events.take(1)
        began = time.monotonic()
        server.server.tell(signal.SIGTERM)
        assert [kind async for kind, _ in events.blocks()] == []
        code = await asyncio.to_thread(server.server.wait)
        assert code in (0, -15)
        # It does not wait for streams as it does for requests, thirty seconds.
        assert time.monotonic() - began < 15


# What is refused


@pytest.mark.parametrize(
    ("params", "told"),
    [
        ({"kind": "agrement"}, "Did you mean 'agreement'?"),
        ({"action": "updated"}, "Did you mean 'update'?"),
        ({"since": "-1"}, "since"),
        ({"since": "5-xyz"}, "the position of a change"),
        ({"limit": "5"}, "limit"),
        ({"cursor": "x"}, "cursor"),
    ],
)
async def test_a_wrong_parameter_is_told(
    client: httpx.AsyncClient, params: dict[str, str], told: str
) -> None:
    answer = await client.get("/changes/stream", params=params)
    assert answer.status_code == 400
    assert told in answer.text


@pytest.mark.parametrize("last_id", ["x", "-1", "1.5", "9" * 16, "5-xyz", "٣"])
async def test_a_last_event_id_that_is_none_of_ours_is_told(
    client: httpx.AsyncClient, last_id: str
) -> None:
    answer = await client.get("/changes/stream", headers=[(b"Last-Event-ID", last_id.encode())])
    assert answer.status_code == 400
    assert "Last-Event-ID" in answer.text


async def test_who_wants_no_events_is_told_what_there_is(client: httpx.AsyncClient) -> None:
    answer = await client.get("/changes/stream", headers={"Accept": "application/json"})
    assert answer.status_code == 406
    assert "text/event-stream" in answer.json()["detail"]


async def test_head_answers_at_once(client: httpx.AsyncClient) -> None:
    answer = await client.head("/changes/stream")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"] == "text/event-stream"


# The watch


async def test_nothing_is_watched_while_nobody_listens(fresh_app: FastAPI) -> None:
    watch, moved = ChangeLogTail(fresh_app.state.database, pace=0.01), asyncio.Event()
    async with client_of(fresh_app) as client:
        async with watch.listening(moved):
            position = watch.position
            await add_person(client, "Seen")
            await asyncio.wait_for(moved.wait(), 30)
            found = watch.after(position, 10)
            assert found is not None
            assert [entry.seq for entry in found] == [position + 1]
        await add_person(client, "Not seen")
        await asyncio.sleep(0.1)
        assert watch.position == position + 1
        assert watch.after(position, 10) is None


async def test_what_is_kept_is_bounded_and_what_is_older_is_read_from_the_log(
    fresh_app: FastAPI,
) -> None:
    watch, moved = ChangeLogTail(fresh_app.state.database, pace=0.01), asyncio.Event()
    async with client_of(fresh_app) as client, watch.listening(moved):
        position = watch.position
        await write_much(client, 20)
        while watch.position < position + 21:
            moved.clear()
            await asyncio.wait_for(moved.wait(), 30)
        assert watch.after(position, 5) is None
        newest = watch.after(position + 20, 5)
        assert newest is not None
        assert [entry.seq for entry in newest] == [position + 21]


async def test_the_watch_goes_on_after_an_error_that_nobody_foresaw(
    fresh_app: FastAPI, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    watch, moved = ChangeLogTail(fresh_app.state.database, pace=0.01), asyncio.Event()
    left = [RuntimeError("once"), RuntimeError("twice")]

    async def broken(*arguments: Any) -> Any:
        if left:
            raise left.pop()
        return await find_for_all(*arguments)

    monkeypatch.setattr(tail, "find_for_all", broken)
    async with client_of(fresh_app) as client, watch.listening(moved):
        position = watch.position
        await add_person(client, "Seen all the same")
        while watch.position == position:
            moved.clear()
            await asyncio.wait_for(moved.wait(), 30)
    assert not left
    assert caplog.text.count("the log of changes could not be read") == 2


async def test_an_event_stream_is_read_as_the_standard_says() -> None:
    """The reader of these tests is judged too."""
    text = b":\nid: 1\n\nevent: change\ndata: a\ndata:b\nid: 2\n\n: x\n\ndata\n\n"
    events = Events(httpx.Response(200, content=text))
    assert [block async for block in events.blocks()] == [
        ("", ""),
        ("change", "a\nb"),
        ("", ""),
        ("message", ""),
    ]
    assert (events.last_id, events.comments) == ("2", 2)
