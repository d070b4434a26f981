"""The headers that the document names of an answer to a write are those that it has."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

#: Those that depend on what was asked for, or stand with every answer.
SOMETIMES = {"Dry-Run", "Preference-Applied", "Idempotency-Replayed", "X-Request-ID", "Vary"}
SOMETIMES |= {"RateLimit", "RateLimit-Policy"}
CSV = {"content-type": "text/csv"}


@pytest.mark.parametrize(
    ("method", "path", "documented", "sent"),
    [
        ("POST", "/people", "/people", {"json": {"full_name": "A"}}),
        ("PATCH", "/people/{ref}", "/people/{key}", {"json": {"full_name": "B"}}),
        ("PUT", "/people/{ref}", "/people/{key}", {"json": {"full_name": "B"}}),
        ("PATCH", "/people?ref={ref}&max_affected=1", "/people", {"json": {"full_name": "C"}}),
        ("DELETE", "/people?ref={ref}&max_affected=1", "/people", {}),
        ("DELETE", "/people/{ref}", "/people/{key}", {}),
        (
            "POST",
            "/people/import",
            "/people/import",
            {"content": b"full_name\nD\n", "headers": CSV},
        ),
        (
            "POST",
            "/people/bulk",
            "/people/bulk",
            {"json": {"operations": [{"op": "create", "body": {"full_name": "E"}}]}},
        ),
    ],
)
async def test_a_write_has_the_headers_that_the_document_names(
    client: httpx.AsyncClient, method: str, path: str, documented: str, sent: dict[str, Any]
) -> None:
    ref = f"headers-{uuid4().hex}"
    await client.post("/people", json={"ref": ref, "full_name": "Somebody"})
    answer = await client.request(method, path.replace("{ref}", ref), **sent)
    assert answer.is_success, answer.text
    document = (await client.get("/openapi.json")).json()
    told = document["paths"][documented][method.lower()]["responses"][str(answer.status_code)]
    if "$ref" in told:
        told = document["components"]["responses"][told["$ref"].rpartition("/")[2]]
    named = told["headers"].keys() - SOMETIMES
    assert {name for name in named if name.lower() not in answer.headers} == set()
