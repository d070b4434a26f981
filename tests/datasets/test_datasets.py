"""Datasets: flat tables whose columns are the same in every format and language."""

import csv
import io
import re
from typing import Any

import httpx
import pyarrow.parquet as parquet
import pytest
from fastapi import FastAPI

from app.core import json_codec
from app.datasets.columns import ALL_DATASETS, columns
from tests.examples import create

OF_AGREEMENTS = ("agreements", "agreement_parties", "targets")
#: All of which it can be asked what they were.
OF_PAST = [dataset.name for dataset in ALL_DATASETS if dataset.name != "changes"]
PATCH = {"Content-Type": "application/merge-patch+json"}

Client = httpx.AsyncClient


async def _get(client: Client, address: str, **query: Any) -> httpx.Response:
    answer = await client.get(f"/datasets{address}", params=query)
    assert answer.status_code == 200, (address, query, answer.text)
    return answer


def _shown(content: bytes) -> bytes:
    """What is answered, without what leads on and back, which is of the moment of the answer."""
    return re.sub(rb'"(next|prev)_cursor":"[^"]*"', b"", content)


async def _file_columns(client: Client, name: str) -> dict[str, list[str]]:
    """The columns of a dataset in each format that has a header."""
    text = (await _get(client, f"/{name}.csv")).content.decode()
    table = parquet.read_table(io.BytesIO((await _get(client, f"/{name}.parquet")).content))
    return {"csv": next(csv.reader(io.StringIO(text))), "parquet": table.column_names}


async def test_every_dataset_has_the_columns_of_the_dictionary_even_without_a_row(
    client: Client,
) -> None:
    told = {each["name"]: each for each in (await _get(client, "")).json()["data"]}
    assert [*told] == [dataset.name for dataset in ALL_DATASETS]
    wrong: list[tuple[str, str, object]] = []
    for dataset in ALL_DATASETS:
        names = [column["name"] for column in told[dataset.name]["columns"]]
        if len(set(names)) != len(names):
            wrong.append((dataset.name, "repeats a column", names))
        for form, found in (await _file_columns(client, dataset.name)).items():
            if found != names:
                wrong.append((dataset.name, form, found))
        units = {column.unit for column in columns(dataset)} - {None, *names}
        if any(unit and unit.endswith(("currency", "_unit")) for unit in units):
            wrong.append((dataset.name, "names a column that is not there", units))
    assert not wrong


@pytest.fixture
async def made(client: Client) -> dict[str, Any]:
    """A mission with what can come of one, and a mission that nothing came of."""
    mission = await create(client, "missions", {"title": "A visit", "kind": "trade_fair"})
    alone = await create(client, "missions", {"title": "Nothing", "kind": "trade_fair"})
    company = await create(
        client, "companies", {"name": "Алина", "country": "KZ", "kind": "company"}
    )
    agreement = await create(
        client,
        "agreements",
        {
            "mission_id": mission["id"],
            "title": "A deal",
            "instrument": "supply_contract",
            "amount": "1000000000000.25",
            "currency": "USD",
            "parties": [
                {"organization_id": company["id"], "role": "supplier"},
                {"description": "A buyer", "role": "buyer"},
            ],
            "targets": [{"measure": "jobs", "quantity": "120.5"}],
        },
    )
    outcome = await create(client, "outcomes", {"agreement_id": agreement["id"], "jobs": 3})
    return {
        "mission": mission,
        "alone": alone,
        "company": company,
        "agreement": agreement,
        "outcome": outcome,
    }


async def _rows(client: Client, name: str, record: Any, **query: Any) -> list[dict[str, Any]]:
    """The rows of a record, from the lines of the whole dataset."""
    content = (await _get(client, f"/{name}.ndjson", **query)).content
    rows = [json_codec.loads(line) for line in content.splitlines()]
    return [row for row in rows if row["id"] == record["id"]]


async def test_rows_say_what_the_records_say_with_names_labels_and_counts(
    client: Client, made: dict[str, Any]
) -> None:
    expected: dict[tuple[str, str], list[dict[str, Any]]] = {
        ("agreements", "agreement"): [
            {
                "mission_title": "A visit",
                "instrument": "supply_contract",
                "instrument_label": "Supply contract",
                "amount": "1000000000000.25",
                "was_signed": made["agreement"]["was_signed"],
            }
        ],
        ("agreement_parties", "agreement"): [
            {"parties_position": 0, "parties_organization_name": "Алина", "title": "A deal"},
            {"parties_position": 1, "parties_organization_name": None, "parties_role": "buyer"},
        ],
        ("targets", "agreement"): [{"targets_measure": "jobs", "targets_quantity": "120.5"}],
        ("missions", "mission"): [
            {"agreements_count": 1, "companies_count": 1, "outcomes_count": 1, "delegates_count": 0}
        ],
        ("missions", "alone"): [{"agreements_count": 0, "companies_count": 0}],
        ("mission_stops", "alone"): [],
        ("companies", "company"): [
            {"missions_count": 1, "missions": "A visit", "country_label": "Kazakhstan"}
        ],
        ("outcomes", "outcome"): [{"agreement_title": "A deal", "jobs": 3}],
    }
    wrong = []
    for (name, of), rows in expected.items():
        found = await _rows(client, name, made[of])
        shown = [
            {key: row.get(key) for key in want} for row, want in zip(found, rows, strict=False)
        ]
        if shown != rows or len(found) != len(rows):
            wrong.append((name, of, shown, len(found)))
    assert not wrong
    (row,) = await _rows(client, "companies", made["company"], lang="ru")
    assert row["country_label"] == "Казахстан"


async def test_pages_walk_a_dataset_forth_and_back(client: Client, made: dict[str, Any]) -> None:
    whole = (await _get(client, "/agreement_parties")).json()["data"]
    walked, back, cursor = [], [], None
    while True:
        query: dict[str, Any] = {"cursor": cursor} if cursor else {}
        page = (await _get(client, "/agreement_parties.json", limit=1, **query)).json()
        walked += page["data"]
        if not page["page"]["next_cursor"]:
            break
        cursor = page["page"]["next_cursor"]
    cursor = page["page"]["prev_cursor"]
    while cursor:
        page = (await _get(client, "/agreement_parties", limit=1, cursor=cursor)).json()
        back += page["data"]
        cursor = page["page"]["prev_cursor"]
    assert (walked, back) == (whole, whole[-2::-1])


async def test_only_what_changed_since_a_time_is_asked_for(
    client: Client, made: dict[str, Any]
) -> None:
    since = made["company"]["updated_at"]
    asked = {
        "since": [len(await _rows(client, "companies", made["company"], updated_since=since))],
        "before": [len(await _rows(client, "missions", made["mission"], updated_since=since))],
    }
    assert asked == {"since": [1], "before": [0]}


async def test_what_is_withheld_or_in_the_trash_is_in_no_dataset(
    client: Client, made: dict[str, Any], shared_app: FastAPI
) -> None:
    address = f"/agreements/{made['agreement']['id']}"
    withheld = await client.patch(address, json={"withheld": ["amount"]}, headers=PATCH)
    assert withheld.status_code == 200, withheld.text
    transport = httpx.ASGITransport(shared_app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as anybody:
        (row,) = await _rows(anybody, "agreements", made["agreement"])
        await client.patch(address, json={"confidential": True}, headers=PATCH)
        told = [await _rows(anybody, name, made["agreement"]) for name in OF_AGREEMENTS]
        told.append(await _rows(anybody, "outcomes", made["outcome"]))
        (seen,) = await _rows(anybody, "missions", made["mission"])
    assert row["amount"] is None
    assert told == [[]] * 4
    assert (seen["agreements_count"], seen["outcomes_count"]) == (0, 0)
    (whole,) = await _rows(client, "missions", made["mission"])
    assert (whole["agreements_count"], whole["outcomes_count"]) == (1, 1)
    assert (await client.delete(address)).status_code in (200, 204)
    gone = [name for name in OF_AGREEMENTS if await _rows(client, name, made["agreement"])]
    (mission,) = await _rows(client, "missions", made["mission"])
    assert (gone, mission["agreements_count"]) == ([], 0)


async def test_a_dataset_is_answered_as_it_was_then(fresh: Client) -> None:
    """In pages and in files, also of what was there and is gone, and of what was changed when."""
    forms = ("", ".ndjson", ".csv")
    addresses = [f"/{name}{form}" for name in OF_PAST for form in forms]
    then = {address: (await _get(fresh, address)).content for address in addresses}
    position = (await _get(fresh, "/agreements")).headers["ETag"].split('"')[1]
    moment = "-".join(position.split("-")[:2])
    agreements = json_codec.loads((await fresh.get("/agreements?sort=id")).content)["data"]
    since = agreements[0]["updated_at"]
    changed = then["/agreements.ndjson"]
    address = f"/agreements/{agreements[0]['id']}"
    await fresh.patch(address, json={"title": "Zhuldyz", "sectors": []}, headers=PATCH)
    assert (await fresh.delete(f"/agreements/{agreements[1]['id']}")).is_success
    await fresh.patch("/missions/novosibirsk-april", json={"title": "Z"}, headers=PATCH)
    await create(fresh, "companies", {"name": "Алина", "country": "KZ", "kind": "company"})
    now = {address: (await _get(fresh, address)).content for address in addresses}
    again = {a: (await _get(fresh, a, as_of=moment)).content for a in addresses}
    assert [a for a in addresses if _shown(again[a]) != _shown(then[a])] == []
    assert {a.partition(".")[0] for a in addresses if now[a] != then[a]} >= {
        "/agreements",
        "/missions",
        "/companies",
        "/mission_totals",
    }
    walked: list[Any] = []
    cursor = None
    while cursor is not None or not walked:
        query: dict[str, Any] = {"cursor": cursor} if cursor else {}
        page = await _get(fresh, "/agreements", as_of=moment, limit=2, **query)
        walked += page.json()["data"]
        cursor = page.json()["page"]["next_cursor"]
    assert walked == [json_codec.loads(line) for line in changed.splitlines()]
    asked = {"as_of": moment, "updated_since": since}
    assert (await _get(fresh, "/agreements.ndjson", **asked)).content == changed


async def test_a_dataset_that_is_known_is_not_sent_again_and_mistakes_are_told(
    client: Client,
) -> None:
    wrong: list[tuple[str, int, str]] = []
    for suffix in ("", ".json", ".csv", ".ndjson", ".parquet", ".xlsx"):
        answer = await _get(client, f"/companies{suffix}")
        known = {"If-None-Match": answer.headers["ETag"]}
        again = await client.get(f"/datasets/companies{suffix}", headers=known)
        if again.status_code != 304:
            wrong.append((suffix, again.status_code, again.text))
    for address, status, text in (
        ("/company", 404, "companies"),
        ("/companies.pdf", 404, "parquet"),
        ("/companies?lang=de", 400, "lang"),
        ("/companies?cursor=x", 400, "cursor"),
        ("/companies.csv?cursor=x", 400, "cursor"),
        ("/companies?updated_since=yesterday-ish", 400, "updated_since"),
        ("/companies?limt=1", 400, "limit"),
        ("/companies?as_of=lately", 400, "as_of"),
        ("/companies.csv?as_of=9-000000", 410, "restored"),
        ("/changes.csv?as_of=now", 400, "'at' is not later"),
        ("/companies.xlsx?decimal=,", 400, "CSV"),
    ):
        answer = await client.get(f"/datasets{address}")
        if answer.status_code != status or text not in answer.text:
            wrong.append((address, answer.status_code, answer.text))
    assert not wrong
