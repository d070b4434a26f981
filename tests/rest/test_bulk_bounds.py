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
