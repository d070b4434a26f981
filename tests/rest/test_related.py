"""Answers show a bounded number of related records, which is known before they are made."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
from fastapi import FastAPI

from app.api import RESOURCES
from app.core import json_codec
from app.engine.query.conditions import Path
from app.engine.query.fan_out import MAX_RELATED, fan_out_statement, shown_long, shown_many
from app.engine.query.parameters import ItemQuery, read_view
from tests.conftest import client_of

PARTY = {"description": "a company that is not named", "role": "signatory"}
LONG = ("note", "subject", "subject_en", "readings", "summary", "paraphrase")
VIEWS = {
    "missions": "agreements.parties.organization,delegates.person,events",
    "agreements": "mission.agreements.parties,parties.organization,outcomes",
    "organizations": "agreements.mission.delegates",
    "people": "delegates.mission",
}


def shown(values: Any, path: Path) -> Iterator[Any]:
    """The records that are shown at the end of a path."""
    if isinstance(values, list):
        for each in values:
            yield from shown(each, path)
    elif isinstance(values, dict) and path:
        yield from shown(values[path[0]], path[1:])
    elif isinstance(values, dict):
        yield values


async def test_what_is_counted_is_what_is_shown(fresh_app: FastAPI) -> None:
    database, wrong = fresh_app.state.database, []
    async with client_of(fresh_app) as client:
        for kind, expand in VIEWS.items():
            resource = next(each for each in RESOURCES if each.path == kind)
            view = read_view(resource, ItemQuery(expand=expand))
            answer = await client.get(f"/{kind}", params={"limit": 1000, "expand": expand})
            assert answer.status_code == 200, answer.text
            records = answer.json()["data"]
            ids = json_codec.dumps([record["id"] for record in records]).decode()
            statement = fan_out_statement(resource, view, database.dialect)
            (row,) = await database.read(statement, {"ids": ids})
            many, long = shown_many(resource, view), shown_long(resource, view)
            found = [len(list(shown(records, path))) for path in many]
            is_spaced = database.dialect.name == "postgresql"
            found += [
                sum(long_bytes(each, is_spaced=is_spaced) for each in shown(records, path))
                for path in long
            ]
            wrong += [
                (kind, path, count, real)
                for path, count, real in zip((*many, *long), row, found, strict=True)
                if count != real
            ]
    assert not wrong


def long_bytes(record: Any, *, is_spaced: bool) -> int:
    """The bytes of the long texts of a record, lists of them as the database writes JSON."""
    texts = (record[name] for name in LONG if record.get(name) is not None)
    between = (", ", ": ") if is_spaced else (",", ":")
    listed = (
        each if isinstance(each, str) else json.dumps(each, ensure_ascii=False, separators=between)
        for each in texts
    )
    return sum(len(text.encode()) for text in listed)


async def test_what_would_show_too_many_is_refused_with_what_to_ask_instead(
    fresh: httpx.AsyncClient,
) -> None:
    mission = (await fresh.get("/missions?limit=1")).json()["data"][0]["id"]
    body = {"instrument": "supply_contract", "mission_id": mission, "parties": [PARTY]}
    operations = [{"op": "create", "body": {"title": f"Deal {n}", **body}} for n in range(150)]
    answer = await fresh.post("/agreements/bulk", json={"operations": operations})
    assert answer.status_code == 200, answer.text
    asked = {"mission_id": mission, "limit": "1000", "expand": "mission.agreements"}
    told = (await fresh.get("/agreements", params=asked)).json()
    assert told["status"] == 400
    assert told["errors"][0] == {
        "code": "too_many",
        "pointer": None,
        "parameter": "expand",
        "detail": f"mission.agreements would show more than {MAX_RELATED} related records; an"
        f" answer has at most {MAX_RELATED} of them in all. Ask for fewer records with limit, or"
        " leave it out and read them page by page from /agreements.",
    }
    file = {**asked, "limit": "1000"}
    refused = (await fresh.get("/agreements.ndjson", params=file)).json()
    assert refused["errors"] == told["errors"]
    few = await fresh.get("/agreements.ndjson", params={**file, "limit": "100"})
    assert few.text.count("\n") == 100
    fewer = await fresh.get("/agreements", params={**asked, "limit": "100"})
    assert fewer.status_code == 200
    one = await fresh.get(f"/missions/{mission}", params={"expand": "agreements.parties"})
    assert len(one.json()["agreements"]) > 150
