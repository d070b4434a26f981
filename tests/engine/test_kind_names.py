"""A kind of record is named in one way wherever one is named: by its address or its name."""

from dataclasses import replace

import httpx
import pytest

from app.api import RESOURCES
from app.engine.registry import RECORD_TYPES, register
from app.resources.delegate import delegate

SPELLINGS = ("reported_total", "reported-totals", "Reported Totals", " REPORTED-TOTAL ")


async def test_lists_take_every_name_of_a_kind(client: httpx.AsyncClient) -> None:
    answers: dict[str, set[str]] = {}
    for name in SPELLINGS:
        asked: dict[str, dict[str, str]] = {
            "/changes": {"kind": name, "limit": "1"},
            "/search": {"kinds": f"{name},missions", "q": "Казахстан", "limit": "3"},
            "/citations": {"record_kind": name, "limit": "1", "sort": "id"},
            "/citations?": {"filter": f"record_kind in ('{name}')", "limit": "1", "sort": "id"},
        }
        for path, parameters in asked.items():
            answer = await client.get(path, params=parameters)
            assert answer.status_code == 200, answer.text
            answers.setdefault(path, set()).add(answer.text)
    assert {path: len(texts) for path, texts in answers.items()} == dict.fromkeys(answers, 1)
    assert all('"reported_total"' in text for text in answers["/changes"] | answers["/citations"])


async def test_a_record_holds_the_name_of_the_kind(client: httpx.AsyncClient) -> None:
    (cited,) = (await client.get("/citations", params={"limit": "1"})).json()["data"]
    kind = cited["record_kind"]
    made = await client.patch(
        f"/citations/{cited['id']}", json={"record_kind": RECORD_TYPES[kind].path}
    )
    assert (made.status_code, made.json()["record_kind"]) == (200, kind), made.text
    assert made.json()["version"] == cited["version"]


async def test_a_webhook_holds_the_names_of_its_kinds(client: httpx.AsyncClient) -> None:
    body = {"name": "A", "url": "https://example.com/", "kinds": ["agreements", "Reported Totals"]}
    made = await client.post("/webhooks", json=body)
    assert made.status_code == 201, made.text
    assert made.json()["kinds"] == ["agreement", "reported_total"]
    await client.delete(f"/webhooks/{made.json()['id']}")
    twice = await client.post("/webhooks", json=body | {"kinds": ["agreements", "agreement"]})
    assert twice.status_code == 422


async def test_what_is_no_kind_is_told_with_the_nearest(client: httpx.AsyncClient) -> None:
    wrong = []
    for name, near in (
        ("agreemnts", "agreement"),
        ("Agreemnt", "agreement"),
        ("companies", "organization"),
    ):
        answers = [
            await client.get("/changes", params={"kind": name}),
            await client.get("/changes/stream", params={"kind": name}),
            await client.get("/search", params={"kinds": name, "q": "a"}),
            await client.get("/citations", params={"record_kind": name}),
            await client.post(
                "/webhooks", json={"name": "A", "url": "https://example.com/", "kinds": [name]}
            ),
        ]
        wrong += [
            (str(answer.url), answer.text)
            for answer in answers
            if answer.status_code not in (400, 422) or near not in answer.json()["detail"]
        ]
    assert wrong == []


def test_a_kind_whose_relation_is_not_declared_is_named_at_the_start() -> None:
    without = {name: of for name, of in delegate.to_one.items() if name != "person"}
    with pytest.raises(ValueError, match="person_id refers to person: add 'person' to its to_one"):
        register([*RESOURCES, replace(delegate, to_one=without)])
    assert RECORD_TYPES["delegate"] is delegate
