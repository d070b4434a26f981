"""What one list of operations may cost others meanwhile; counted, not timed."""

from typing import Any

import httpx
import pytest

from app.engine.writes.bulk import results_json
from app.engine.writes.bulk_operations import Done

Client = httpx.AsyncClient
LENIENT = {"prefer": "handling=lenient"}


async def test_what_is_kept_of_operations_that_fail_holds_nothing_of_the_calls_that_led_there(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[Done] = []

    def noted(done: list[Done], **options: Any) -> str:
        kept.extend(done)
        return results_json(done, **options)

    monkeypatch.setattr("app.rest.bulk_routes.results_json", noted)
    person = (await client.post("/people", json={"full_name": "Somebody"})).json()
    operations = [
        {"op": "create", "body": {}},
        {"op": "create", "body": {"full_name": "A", "ref": "mars"}},
        {"op": "create", "body": {"full_name": "B", "ref": "mars"}},
        {"op": "update", "key": person["id"], "body": {"full_name": None}},
        {"op": "update", "key": person["id"], "version": 99, "body": {"full_name": "C"}},
        {"op": "upsert", "body": {}},
        {"op": "delete", "key": "nobody"},
        {"op": "nothing"},
        7,
    ]
    answer = await client.post("/people/bulk", json={"operations": operations}, headers=LENIENT)
    assert answer.json()["summary"]["failed"] == len(operations) - 1
    problems = [one.problem for one in kept if one.problem is not None]
    held = [p for p in problems if p.__traceback__ or p.__context__ or p.__cause__]
    assert len(problems) == len(operations) - 1
    assert held == []


async def test_the_records_within_others_of_one_request_are_counted_before_the_writer(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.engine.writes.nested_size.MAX_NESTED_RECORDS", 5)
    new = {"name": "A", "kind": "company"}
    delegate = {"person": {"full_name": "B"}, "organization": new}
    mission = {"title": "C", "kind": "outward_mission", "delegates": [delegate]}  # Three within it.
    create = {"op": "create", "body": mission}
    linked = {"op": "update", "key": "x", "body": {"parent": {"ref": "y"}}}
    bodies = {
        "six in a list": ("/missions/bulk", {"operations": [create, linked, create]}),
        "six in one": ("/missions", {**mission, "delegates": [delegate] * 2}),
        "six in rows": (
            "/agreements",
            {"title": "D", "kind": "other", "parties": [{"organization": new}] * 6},
        ),
    }
    wrong = {}
    for name, (path, body) in bodies.items():
        for prefer in ("", LENIENT["prefer"]):
            answer = await client.post(path, json=body, headers={"prefer": prefer})
            if answer.status_code != 422 or "6 records stand within others" not in answer.text:
                wrong[f"{name} {prefer}"] = answer.text
    assert wrong == {}
    answer = await client.post("/missions/bulk?dry_run=true", json={"operations": [linked, create]})
    assert "stand within" not in answer.text
