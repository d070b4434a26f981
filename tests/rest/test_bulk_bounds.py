"""What one list of operations may cost others meanwhile; counted, not timed."""

from typing import Any

import httpx
import pytest

from app.core import validation
from app.engine.writes.bulk import results_json, run_all
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


@pytest.fixture
def explained(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The faults that were put into words."""
    found: list[Any] = []
    explain = validation.explain

    def noted(item: Any, model: validation.Model) -> tuple[str, str]:
        found.append(item["loc"])
        return explain(item, model)

    monkeypatch.setattr(validation, "explain", noted)
    return found


PARTIES_WRONG = {"title": "A", "instrument": "other", "parties": [{}] * 50}


async def test_a_list_that_is_refused_is_read_as_far_as_its_failures_are_told(
    client: Client, explained: list[Any]
) -> None:
    operations = [{"op": "create", "body": {}}] * 150
    answer = await client.post("/people/bulk", json={"operations": operations})
    assert answer.json()["detail"].startswith("At least 100 of 150 operations fail")
    assert len(explained) == 100


async def test_after_a_thousand_faults_of_a_list_each_operation_tells_its_first(
    client: Client, explained: list[Any]
) -> None:
    operations = [{"op": "create", "body": PARTIES_WRONG}] * 25
    content = {"operations": operations}
    answer = await client.post("/agreements/bulk", json=content, headers=LENIENT)
    told = [len(result["problem"]["errors"]) for result in answer.json()["results"]]
    assert told == [50] * 20 + [1] * 5
    assert len(explained) == sum(told)


async def test_of_a_tree_of_records_no_more_is_looked_at_than_is_told(
    client: Client, explained: list[Any]
) -> None:
    tree = {"title": "B", "kind": "trade_fair", "agreements": [PARTIES_WRONG] * 20}
    wrong = {}
    for method, path in (("POST", "/missions"), ("PATCH", "/missions/novosibirsk-april")):
        explained.clear()
        answer = await client.request(method, path, json=tree)
        errors = answer.json()["errors"]
        if len(explained) > 300 or not 50 <= len(errors) <= 100:
            wrong[method] = len(explained), answer.text
    assert wrong == {}


async def test_operations_that_take_long_let_others_write_between_fewer_of_them(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.rest.bulk_routes.PART_OPERATIONS", 3)
    sizes: list[int] = []

    def noted(session: Any, resource: Any, part: Any, **options: Any) -> list[Done]:
        sizes.append(len(part))
        return run_all(session, resource, part, **options)

    monkeypatch.setattr("app.rest.bulk_routes.run_all", noted)
    operations = [{"op": "delete", "key": f"nobody-{n}"} for n in range(7)]
    for seconds, expected in ((100.0, [3, 3, 1]), (0.0, [3, 1, 1, 1, 1])):
        monkeypatch.setattr("app.rest.bulk_routes.PART_SECONDS", seconds)
        sizes.clear()
        answer = await client.post("/people/bulk", json={"operations": operations}, headers=LENIENT)
        assert answer.json()["summary"]["failed"] == len(operations)
        assert sizes == expected
