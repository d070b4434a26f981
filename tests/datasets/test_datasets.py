"""Datasets: flat tables whose columns are the same in every format and language."""

import csv
import io
import re
from datetime import UTC, datetime
from typing import Any

import httpx
import pyarrow.parquet as parquet
import pytest
from fastapi import FastAPI

from app.core import json_codec
from app.datasets.columns import ALL_DATASETS, columns
from app.datasets.declared import DATASETS
from app.datasets.statement import rows_statement
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
    late = "2999-01-01T00:00:00Z"
    found = {
        (name, moment): len(await _rows(client, name, made[of], updated_since=moment))
        for name, of in (("companies", "company"), ("missions", "mission"), ("outcomes", "outcome"))
        for moment in (since, late)
    }
    assert {key: count for key, count in found.items() if count} == dict.fromkeys(
        [("companies", since), ("missions", since), ("outcomes", since)], 1
    )


BUYER = {"description": "A buyer", "role": "buyer"}
DEAL = {
    "title": "A deal",
    "instrument": "supply_contract",
    "amount": "5",
    "currency": "USD",
    "parties": [BUYER],
}
AS_GUEST = {"side": "delegation", "capacity": "delegate"}
#: What is made for that, and where it is.
PATHS = {
    **dict.fromkeys(("mission", "alone"), "missions"),
    **dict.fromkeys(("agreement", "other", "superseded", "newer"), "agreements"),
    "company": "companies",
    "person": "people",
    "delegate": "delegates",
}


@pytest.fixture
async def made_fresh(fresh: Client) -> dict[str, Any]:
    """A record of each kind that datasets show, one tied to another in each way."""
    places = {"stops": [{"country": "AT"}]}
    visit = {"title": "A visit", "kind": "forum"}
    found = {name: await create(fresh, "missions", visit | places) for name in ("mission", "alone")}
    company = {"name": "Алина", "country": "KZ", "kind": "company"}
    found["company"] = await create(fresh, "companies", company)
    found["person"] = await create(fresh, "people", {"full_name": "Somebody"})
    mission = {"mission_id": found["mission"]["id"]}
    there = {"person_id": found["person"]["id"], "organization_id": found["company"]["id"]}
    found["delegate"] = await create(fresh, "delegates", mission | there | AS_GUEST)
    party = {"organization_id": found["company"]["id"], "role": "supplier"}
    of = {"parties": [party], "targets": [{"measure": "jobs", "quantity": "1"}]}
    found["agreement"] = await create(fresh, "agreements", DEAL | mission | of)
    found["other"] = await create(fresh, "agreements", DEAL | mission)
    found["superseded"] = await create(fresh, "agreements", DEAL | {"status": "superseded"})
    replaces = {"agreement_id": found["superseded"]["id"], "relation": "replaces"}
    found["newer"] = await create(fresh, "agreements", DEAL | {"related": [replaces]})
    await create(fresh, "outcomes", {"agreement_id": found["agreement"]["id"], "jobs": 3})
    claim = {"measure": "companies", "value": 3, "claimed_by_id": found["company"]["id"]}
    await create(fresh, "reported-totals", mission | claim)
    return found


async def _all(app: FastAPI, since: datetime | None = None) -> dict[tuple[str, bool], set[Any]]:
    """The rows of all datasets of records without their labels, for those who see all and for the
    public; those that can have changed since then."""
    database = app.state.database
    values = {"limit": 1000} | ({"since": since} if since else {})
    found: dict[tuple[str, bool], set[Any]] = {}
    for is_public, dialect in enumerate((database.whole_dialect, database.dialect)):
        for dataset in DATASETS:
            statement = rows_statement(dataset, since is not None, False, False, dialect)
            rows = await database.read(statement, values)
            found[dataset.name, bool(is_public)] = {tuple(row) for row in rows}
    return found


async def test_no_row_that_shows_something_else_is_missing_from_those_that_can_have_changed(
    fresh: Client, fresh_app: FastAPI, made_fresh: dict[str, Any]
) -> None:
    """Whatever was written, and of whichever record the row shows it."""
    of = {name: f"/{path}/{made_fresh[name]['id']}" for name, path in PATHS.items()}
    ids = {name: each["id"] for name, each in made_fresh.items()}
    part = {"agreement_id": ids["agreement"], "relation": "part_of"}
    steps: list[tuple[str, str, Any]] = [
        ("PATCH", of["mission"], {"title": "Another visit"}),
        ("PATCH", of["company"], {"name": "Алмаз"}),
        ("PATCH", of["person"], {"full_name": "Somebody Else"}),
        ("POST", "/agreements", {**DEAL, "mission_id": ids["mission"], "stands_for": 4}),
        (
            "POST",
            "/delegates",
            {"mission_id": ids["alone"], "person_id": ids["person"], **AS_GUEST},
        ),
        ("PATCH", of["delegate"], {"mission_id": ids["alone"]}),
        ("PATCH", of["other"], {"related": [part]}),
        ("PATCH", of["agreement"], {"amount": None, "currency": None}),
        ("PATCH", of["agreement"], {"amount": "3", "currency": "USD"}),
        ("PATCH", of["agreement"], {"mission_id": ids["alone"], "parties": [BUYER]}),
        ("PATCH", of["superseded"], {"related": []}),
        ("PATCH", of["newer"], {"related": []}),
        ("PATCH", of["alone"], {"parent_id": ids["mission"]}),
        ("PATCH", of["company"], {"confidential": True}),
        ("PATCH", of["company"], {"confidential": False}),
        ("PATCH", of["mission"], {"confidential": True}),
        ("PATCH", of["mission"], {"confidential": False}),
        ("PATCH", of["agreement"], {"title": "Renamed"}),
        ("DELETE", of["agreement"], None),
        ("POST", f"{of['agreement']}/restore", None),
        ("DELETE", of["mission"], None),
    ]
    wrong: list[object] = []
    differing: set[str] = set()
    before = await _all(fresh_app)
    for method, address, body in steps:
        since = datetime.now(UTC)
        kind = PATCH if method == "PATCH" else {}
        answer = await fresh.request(method, address, json=body, headers=kind)
        assert answer.is_success, (method, address, body, answer.text)
        now, told = await _all(fresh_app), await _all(fresh_app, since)
        for key, rows in now.items():
            differing |= {key[0]} if rows - before[key] else set()
            if missing := rows - before[key] - told[key]:
                wrong.append((method, address, body, key, missing))
        before = now
    assert wrong == []
    assert differing == {each.name for each in DATASETS}


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
        ("/companies.pdf", 404, "json, csv"),
        ("/companies?zzz=1", 400, "as_of"),
        ("/companies?as_off=1", 400, "'as_of'"),
        ("/companies?lang=de", 400, "lang"),
        ("/companies?cursor=x", 400, "cursor"),
        ("/companies.csv?cursor=x", 400, "cursor"),
        ("/companies?updated_since=yesterday-ish", 400, "updated_since"),
        # No other form is named that is refused as well.
        ("/companies?updated_since=-7d", 400, "not '-7d'.\","),
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
