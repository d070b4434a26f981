"""After a restore nothing of before is taken for what is there now."""

import asyncio
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any
from uuid import uuid4

from fastapi import FastAPI

from app.commands.backup import backup
from app.commands.restore import restore
from app.core.instance_secret import EPOCH_CACHE_SECONDS
from app.webhooks.tables import delivery_id
from tests.conftest import client_of, serving
from tests.keys import BEARER

PERSON = "/people/nikolai-dychko"


async def streamed(app: FastAPI, last_id: str) -> str:
    """What a stream sends to who was at this place, until it has said that it is gone."""
    sent, told = bytearray(), asyncio.Event()

    async def receive() -> MutableMapping[str, Any]:
        await asyncio.wait_for(told.wait(), 20)
        return {"type": "http.disconnect"}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.extend(message.get("body", b""))
        if b"event: gone" in sent:
            told.set()

    headers = [(name.lower().encode(), value.encode()) for name, value in BEARER.items()]
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/changes/stream",
        "raw_path": b"/changes/stream",
        "query_string": b"",
        "headers": [(b"host", b"test"), (b"last-event-id", last_id.encode()), *headers],
        "http_version": "1.1",
        "scheme": "http",
        "root_path": "",
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
    await app(scope, receive, send)
    return sent.decode()


async def test_what_is_of_before_a_restore_is_refused_or_read_anew(
    fresh_url: str, tmp_path: Path
) -> None:
    lists = "/people?limit=2", "/changes?limit=2", "/search?q=Novosibirsk&limit=2"
    async with serving(fresh_url) as app, client_of(app) as client:
        await backup(fresh_url, tmp_path / "backup")
        start = (await client.get("/changes?limit=1000")).json()["data"][-1]
        for note in ("one", "two"):
            changed = await client.patch(PERSON, json={"note": note})
        tags = {path: (await client.get(path)).headers["etag"] for path in (PERSON, "/people")}
        assert changed.headers["etag"] == tags[PERSON]
        cursors = {p: (await client.get(p)).json()["page"]["next_cursor"] for p in lists}
        last = (await client.get(f"/changes?since={start['position']}")).json()["data"][-1]
        if fresh_url.startswith("postgresql"):
            # Under the service that goes on.
            await restore(fresh_url, tmp_path / "backup", force=True)
            await asyncio.sleep(EPOCH_CACHE_SECONDS + 0.1)
            await judge(app, start, last, tags, cursors)
    await restore(fresh_url, tmp_path / "backup", force=True)
    async with serving(fresh_url) as app:
        await judge(app, start, last, tags, cursors)


async def judge(
    app: FastAPI,
    start: dict[str, Any],
    last: dict[str, Any],
    tags: dict[str, str],
    cursors: dict[str, str],
) -> None:
    """Each thing of before the restore, sent to the restored database."""
    async with client_of(app) as client:
        for note in ("three", "four"):
            # The same version and the same number as before, of other content.
            answer = await client.patch(PERSON, json={"note": note})
        assert answer.headers["etag"].split("-")[0] == tags[PERSON].split("-")[0]
        for path, tag in tags.items():
            assert (await client.get(path, headers={"If-None-Match": tag})).status_code == 200
        stale = await client.patch(PERSON, json={"note": "x"}, headers={"If-Match": tags[PERSON]})
        assert stale.status_code == 412
        known = {"If-Match": answer.headers["etag"]}
        assert (await client.patch(PERSON, json={"note": "five"}, headers=known)).status_code == 200
        for path, cursor in cursors.items():
            assert (await client.get(f"{path}&cursor={cursor}")).status_code == 410, path
        for since in (last["position"], start["position"], "99999"):
            gone = await client.get(f"/changes?since={since}")
            assert gone.status_code == 410, since
            assert "/changes?since=" in gone.json()["detail"]
            sent = await streamed(app, since)
            assert "retry: " in sent
            assert "/problems/gone" in sent
        # A number alone cannot tell of which database it is.
        plain = await client.get(f"/changes?since={start['seq']}")
        assert [change["changes"]["note"][1] for change in plain.json()["data"]][:2] == [
            "three",
            "four",
        ]
        newest = plain.json()["data"][-1]["position"]
        assert (await client.get(f"/changes?since={newest}")).json()["data"] == []
        assert newest[-6:] != last["position"][-6:]


def test_a_message_of_a_change_has_another_id_after_a_restore() -> None:
    webhook = uuid4()
    assert delivery_id(webhook, 5, "9fa0c1") == delivery_id(webhook, 5, "9fa0c1")
    assert delivery_id(webhook, 5, "9fa0c1") != delivery_id(webhook, 5, "9fa0c2")
