"""What another agreement that stands replaces counts as replaced, everywhere and at once."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from tests.missions.ways import send_good

Body = dict[str, Any]
PARTIES = [{"description": "A firm", "role": "signatory"}]


@pytest.fixture
async def public(shared_app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(shared_app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as reader:
        yield reader


def deal(ref: str, mission: str, **also: Any) -> Body:
    body = {"ref": ref, "title": ref, "instrument": "supply_contract", "parties": PARTIES}
    return body | {"mission": {"ref": mission}, "signed": "2016-05", "amount": 5} | also


def replaces(ref: str) -> list[Body]:
    return [{"agreement": {"ref": ref}, "relation": "replaces"}]


async def made(client: httpx.AsyncClient, name: str, **also: Any) -> tuple[str, str]:
    """A mission with an agreement and another that replaces it; the ref of each."""
    old, new = f"{name}-old", f"{name}-new"
    body = {"ref": name, "title": name, "kind": "forum"}
    await send_good(client, "/missions", json=body)
    await send_good(client, "/agreements", json=deal(old, name, currency="USD"))
    signed = None if also.get("status") == "negotiated" else "2017-05"
    body = deal(new, name, currency="USD", related=replaces(old), signed=signed, **also)
    await send_good(client, "/agreements", json=body)
    return old, new


async def told(client: httpx.AsyncClient, name: str) -> dict[str, Any]:
    """Whether the older agreement of the mission is told as replaced, wherever that is told."""
    old, only = f"{name}-old", f"mission__ref={name}"

    async def get(address: str) -> Any:
        answer = await client.get(address)
        assert answer.status_code == 200, answer.text
        return answer.json()

    listed = await get(f"/agreements?{only}&firmness=replaced&fields=ref")
    grouped = await get(f"/agreements/aggregate?{only}&group_by=firmness")
    summary = await get(f"/missions/{name}/summary")
    (figures,) = (await get(f"/insights/missions?ref={name}"))["data"]
    asked = f"/insights/conversion?ref={old}&months=24&today=2026-01-01"
    signed = [c for c in (await get(asked))["total"] if c["stage"] == "signed"]
    return {
        "record": (await get(f"/agreements/{old}"))["firmness"] == "replaced",
        "list": [each["ref"] for each in listed["data"]] == [old],
        "aggregate": {g["firmness"]: g["count"] for g in grouped["data"]}.get("replaced", 0) == 1,
        "summary": summary["by_firmness"]["replaced"] == 1,
        "mission": figures["replaced"] == 1,
        "conversion": signed[0]["after"][0]["replaced"] == 1,
    }


async def test_what_is_replaced_is_so_everywhere_until_what_replaces_it_is_gone(
    client: httpx.AsyncClient,
) -> None:
    old, new = await made(client, "replacing", status="negotiated")
    ways: dict[str, tuple[Callable[[], Awaitable[httpx.Response]], bool]] = {
        "is a plan": (lambda: client.patch(f"/agreements/{new}", json={"note": "Soon."}), False),
        "is signed": (
            lambda: client.patch(
                f"/agreements/{new}", json={"status": "signed", "signed": "2017-05"}
            ),
            True,
        ),
        "is trashed": (lambda: client.delete(f"/agreements/{new}"), False),
        "is restored": (lambda: client.post(f"/agreements/{new}/restore"), True),
        "says nothing": (lambda: client.patch(f"/agreements/{new}", json={"related": []}), False),
        "says so": (
            lambda: client.patch(f"/agreements/{new}", json={"related": replaces(old)}),
            True,
        ),
        "the old one is changed": (
            lambda: client.patch(f"/agreements/{old}", json={"status": "in_force"}),
            True,
        ),
        "goes with its mission": (lambda: client.delete("/missions/replacing"), True),
        "comes back with it": (lambda: client.post("/missions/replacing/restore"), True),
        "is cancelled": (
            lambda: client.patch(f"/agreements/{new}", json={"status": "cancelled"}),
            False,
        ),
    }
    wrong = []
    for way, (change, expected) in ways.items():
        answer = await change()
        assert answer.is_success, (way, answer.text)
        if way.startswith("goes"):
            continue
        found = await told(client, "replacing")
        wrong += [(way, name) for name, is_so in found.items() if is_so is not expected]
    assert not wrong
    history = (await client.get(f"/agreements/{old}/history")).json()["data"]
    assert sum("firmness" in entry["changes"] for entry in history) == 9
    again = deal("replacing-again", "replacing", related=replaces(old), currency="USD")
    await send_good(client, "/agreements", json=again)
    assert all((await told(client, "replacing")).values())
    assert (await client.delete("/agreements/replacing-again?purge=true")).status_code == 204
    assert not any((await told(client, "replacing")).values())


async def test_the_public_is_told_of_what_it_sees_alone(
    client: httpx.AsyncClient, public: httpx.AsyncClient
) -> None:
    old, new = await made(client, "replacing-veiled", confidential=True)
    ways: dict[str, tuple[Body, bool, bool]] = {
        "is confidential": ({"note": "x"}, True, False),
        "is shown": ({"confidential": False}, True, True),
        "withholds what it replaces": ({"withheld": ["related"]}, True, False),
        "is confidential and cancelled": (
            {"confidential": True, "withheld": [], "status": "cancelled"},
            False,
            False,
        ),
    }
    wrong = []
    for way, (change, *expected) in ways.items():
        answer = await client.patch(f"/agreements/{new}", json=change)
        assert answer.is_success, answer.text
        for who, is_replaced in zip((client, public), expected, strict=True):
            found = await told(who, "replacing-veiled")
            wrong += [(way, name) for name, is_so in found.items() if is_so is not is_replaced]
            if way == "is confidential" and who is public:
                log = (await public.get(f"/agreements/{old}/history")).text
                wrong += [(way, "history")] if "replaced" in log else []
    assert not wrong


async def test_many_at_once_and_files_settle_what_they_replace(client: httpx.AsyncClient) -> None:
    old, new = await made(client, "replacing-many", status="negotiated")
    assert not any((await told(client, "replacing-many")).values())
    body = deal(f"{new}-2", "replacing-many", currency="USD", related=replaces(old))
    operations = [{"op": "create", "body": body}]
    await send_good(client, "/agreements/bulk", json={"operations": operations})
    assert all((await told(client, "replacing-many")).values())
