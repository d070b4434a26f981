"""The generate command: as much as was asked for, marked as synthetic, and as good as any other."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Connection, func, select

from app.commands import check, generate
from app.commands.connection import engine_run
from app.engine.history.change_log import Change, ChangeCounter
from app.resources.agreement import Agreement
from app.resources.mission import Mission
from app.resources.organization import Organization
from app.resources.party import AgreementParty
from tests.conftest import client_of, copy_of, serving
from tests.keys import ADMIN

MISSIONS, COMPANIES, AGREEMENTS = 5, 20, 100
ASKED = {"missions": MISSIONS, "organizations": COMPANIES, "agreements": AGREEMENTS}
TABLES: dict[str, Any] = {
    "missions": Mission,
    "organizations": Organization,
    "agreements": Agreement,
}


async def generated(url: str, random_seed: int = 1) -> str:
    """Run the command, which has an event loop of its own."""
    return await asyncio.to_thread(generate.run, url, MISSIONS, COMPANIES, AGREEMENTS, random_seed)


def counts(connection: Connection) -> dict[str, int]:
    return {
        name: connection.execute(select(func.count()).select_from(table)).scalar_one()
        for name, table in TABLES.items()
    }


def synthetic(connection: Connection) -> dict[str, list[dict[str, Any]]]:
    """The generated records, without what differs between runs, by their titles."""
    untold = {"id", "mission_id", "created_at", "updated_at"}
    found: dict[str, list[dict[str, Any]]] = {}
    for name, table in TABLES.items():
        columns = [c for c in table.__table__.c if c.name not in untold]
        title = table.name if name == "organizations" else table.title
        rows = connection.execute(
            select(*columns).where(table.note == generate.NOTE).order_by(title)
        )
        found[name] = [dict(row) for row in rows.mappings()]
    parties = connection.execute(
        select(Agreement.title, AgreementParty.role, Organization.name)
        .join_from(Agreement, AgreementParty, AgreementParty.agreement_id == Agreement.id)
        .join(Organization, AgreementParty.organization_id == Organization.id)
        .where(Agreement.note == generate.NOTE)
        .order_by(Agreement.title, AgreementParty.position)
    )
    found["parties"] = [dict(row) for row in parties.mappings()]
    return found


async def records(client: httpx.AsyncClient, path: str) -> list[dict[str, Any]]:
    """The generated records of a kind, as the API shows them."""
    answer = await client.get(f"/{path}?limit=1000")
    assert answer.status_code == 200, answer.text
    return [row for row in answer.json()["data"] if row["note"] == generate.NOTE]


async def test_there_is_as_much_more_as_was_asked_for(fresh_url: str) -> None:
    before = await engine_run(fresh_url, counts)
    told = await generated(fresh_url)
    assert told == "Made 5 missions, 20 companies and 100 agreements."
    after = await engine_run(fresh_url, counts)
    assert {name: after[name] - before[name] for name in TABLES} == ASKED


async def test_every_record_says_that_it_is_synthetic(fresh_url: str) -> None:
    await generated(fresh_url)
    assert "synthetic" in generate.NOTE.lower()
    async with serving(fresh_url) as app, client_of(app) as client:
        for path, asked in ASKED.items():
            made = await records(client, path)
            assert len(made) == asked
            for record in made:
                assert str(record.get("title") or record["name"]).startswith("Synthetic ")


async def test_the_database_is_consistent_afterwards(fresh_url: str) -> None:
    await generated(fresh_url)
    assert await check.run(fresh_url) == []


async def test_every_record_has_its_entry_in_a_change_log_without_gaps(fresh_url: str) -> None:
    def numbers(connection: Connection) -> tuple[list[int], int, int]:
        told = list(connection.scalars(select(Change.seq).order_by(Change.seq)))
        counter = connection.execute(select(ChangeCounter.seq)).scalar_one()
        entries = select(func.count()).where(Change.actor == "generate")
        return told, counter, connection.execute(entries).scalar_one()

    await generated(fresh_url)
    told, counter, entries = await engine_run(fresh_url, numbers)
    assert told == list(range(1, counter + 1))
    assert entries == sum(ASKED.values())


async def test_the_same_random_seed_makes_the_same_data(
    fresh_url: str, template_url: str, tmp_path: Path
) -> None:
    await generated(fresh_url, 7)
    async with copy_of(template_url, tmp_path) as other_url:
        await generated(other_url, 7)
        one = await engine_run(fresh_url, synthetic)
        assert one == await engine_run(other_url, synthetic)
        assert len(one["parties"]) == 2 * AGREEMENTS


async def test_another_random_seed_makes_other_data(
    fresh_url: str, template_url: str, tmp_path: Path
) -> None:
    await generated(fresh_url, 7)
    async with copy_of(template_url, tmp_path) as other_url:
        await generated(other_url, 8)
        assert await engine_run(fresh_url, synthetic) != await engine_run(other_url, synthetic)


async def test_generating_again_adds_as_much_again(fresh_url: str) -> None:
    await generated(fresh_url)
    before = await engine_run(fresh_url, counts)
    await generated(fresh_url)
    after = await engine_run(fresh_url, counts)
    assert {name: after[name] - before[name] for name in TABLES} == ASKED
    assert await check.run(fresh_url) == []


async def test_more_than_one_batch_is_made_whole(
    fresh_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generate, "BATCH", 7)
    before = await engine_run(fresh_url, counts)
    await generated(fresh_url)
    after = await engine_run(fresh_url, counts)
    assert {name: after[name] - before[name] for name in TABLES} == ASKED
    assert await check.run(fresh_url) == []


async def test_a_run_that_fails_leaves_nothing(
    fresh_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: generate.Generator, agreement: Any, instrument: Any) -> Any:
        raise LookupError("in the middle")

    before = await engine_run(fresh_url, counts)
    monkeypatch.setattr(generate.Generator, "_parties", broken)
    with pytest.raises(LookupError):
        await generated(fresh_url)
    assert await engine_run(fresh_url, counts) == before
    assert await check.run(fresh_url) == []


async def test_generated_records_are_read_and_changed_like_any(fresh_url: str) -> None:
    await generated(fresh_url)
    async with serving(fresh_url) as app, client_of(app) as client:
        for path in ASKED:
            for record in await records(client, path):
                await check_change(client, path, record)
    assert await check.run(fresh_url) == []


async def check_change(client: httpx.AsyncClient, path: str, record: dict[str, Any]) -> None:
    """Change a generated record, and find both in its history."""
    address, field = f"/{path}/{record['id']}", "name" if path == "organizations" else "title"
    assert (await client.get(address)).json() == record
    answer = await client.patch(address, json={field: "Renamed"})
    assert answer.status_code == 200, answer.text
    changed = answer.json()
    assert (changed[field], changed["version"]) == ("Renamed", 2)
    entries = (await client.get(f"{address}/history")).json()["data"]
    assert [entry["actor"] for entry in entries] == [ADMIN, "generate"]
    told = entries[1]["changes"]
    assert {name: record[name] for name in told} == {name: new for name, (_, new) in told.items()}
