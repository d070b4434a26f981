"""The gate: what is told and logged of a request that fails in a way nobody foresaw."""

import logging
from contextlib import suppress

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from app.core.errors import BadRequest
from app.core.http.middleware import ErrorAndLogMiddleware
from app.core.observability.metrics import RequestMetrics


def asking(app: ErrorAndLogMiddleware) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")


async def fails(scope: Scope, receive: Receive, send: Send) -> None:
    raise ValueError("unforeseen")


async def breaks_off(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"half", "more_body": True})
    raise ValueError("unforeseen")


async def test_a_failure_is_answered_without_its_cause_and_logged_with_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with asking(ErrorAndLogMiddleware(fails)) as client:
        answer = await client.get("/missions?api_key=x", headers={"X-Request-ID": "r1"})
    assert (answer.status_code, answer.json()["request_id"]) == (500, "r1")
    assert "unforeseen" not in answer.text
    (record,) = [found for found in caplog.records if found.name == "trade_missions"]
    assert (record.getMessage(), record.levelno) == ("request failed", logging.ERROR)
    assert record.exc_info is not None
    assert vars(record).items() >= {"request_id": "r1", "path": "/missions"}.items()
    assert "api_key" not in str(vars(record)["path"])


async def test_problems_raised_from_each_other_in_a_circle_are_answered_and_let_go_of() -> None:
    first, second = BadRequest("first"), BadRequest("second")

    async def refuses(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            raise first from second
        except BadRequest:
            second.__cause__ = first
            raise second from first

    async with asking(ErrorAndLogMiddleware(refuses)) as client:
        assert (await client.get("/missions")).json()["detail"] == "second"
    assert (first.__traceback__, second.__traceback__) == (None, None)


async def test_an_answer_that_breaks_off_is_cut_and_named_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with asking(ErrorAndLogMiddleware(breaks_off)) as client:
        with pytest.raises(ValueError, match="unforeseen"):
            await client.get("/missions", headers={"X-Request-ID": "r2"})
    (record,) = [found for found in caplog.records if found.name == "trade_missions"]
    assert (record.getMessage(), vars(record)["request_id"]) == ("answer cut off", "r2")


async def test_whatever_happens_a_request_is_counted_and_no_longer_in_progress() -> None:
    metrics = RequestMetrics()
    for app, status in ((fails, "500"), (breaks_off, "200")):
        async with asking(ErrorAndLogMiddleware(app, metrics)) as client:
            with suppress(ValueError):
                await client.get("/missions")
        labels = {"method": "GET", "route": "unmatched", "status": status}
        told = metrics.registry.get_sample_value("http_request_duration_seconds_count", labels)
        assert told == 1
    assert metrics.registry.get_sample_value("http_requests_in_progress") == 0
