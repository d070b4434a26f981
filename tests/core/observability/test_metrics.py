"""Metrics: what Prometheus reads, by one process and by several that serve as one."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as read_open_metrics,
)
from prometheus_client.parser import text_string_to_metric_families

from app.core.observability.metrics_route import together
from tests.conftest import client_of
from tests.keys import BEARER
from tests.servers import Server, running, running_server
from tests.waiting import wait_until

COUNT, BUCKET = "http_request_duration_seconds_count", "http_request_duration_seconds_bucket"


class Read(dict[str, Metric]):
    """The families of a scrape by name."""

    def __init__(self, text: str) -> None:
        super().__init__((family.name, family) for family in text_string_to_metric_families(text))

    def value(self, sample: str, **labels: str) -> float:
        """The sum of the samples of this name that have these labels."""
        return sum(
            found.value
            for family in self.values()
            for found in family.samples
            if found.name == sample and found.labels.items() >= labels.items()
        )

    def labels(self, sample: str, name: str) -> set[str]:
        """The values of a label."""
        families = self.values()
        samples = [found for family in families for found in family.samples]
        return {found.labels[name] for found in samples if found.name == sample}


async def read(client: httpx.AsyncClient) -> Read:
    answer = await client.get("/metrics", headers=BEARER)
    assert answer.status_code == 200, answer.text
    return Read(answer.text)


async def test_a_key_is_needed(fresh_app: FastAPI) -> None:
    transport = httpx.ASGITransport(fresh_app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as stranger:
        assert (await stranger.get("/metrics")).status_code == 401


async def test_requests_are_counted_by_route_method_and_status(fresh: httpx.AsyncClient) -> None:
    for path in ("novosibirsk-april", "nowhere", "neither"):
        await fresh.get(f"/missions/{path}")
    await fresh.head("/missions/novosibirsk-april")
    found = await read(fresh)
    one = {"route": "/missions/{key}", "method": "GET"}
    assert found.value(COUNT, **one, status="200") == 1
    assert found.value(COUNT, **one, status="404") == 2
    assert found.value(COUNT, route="/missions/{key}", method="HEAD", status="200") == 1


async def test_durations_are_told_in_buckets(fresh: httpx.AsyncClient) -> None:
    await fresh.get("/missions")
    found = await read(fresh)
    all_of_them = found.value(BUCKET, route="/missions", le="+Inf")
    assert all_of_them == found.value(COUNT, route="/missions") == 1
    assert 0 < found.value("http_request_duration_seconds_sum", route="/missions") < 60


async def test_what_a_client_invents_makes_no_new_series(fresh: httpx.AsyncClient) -> None:
    for number in range(20):
        await fresh.get(f"/invented/{number}")
        await fresh.get(f"/missions/{number}?invented={number}")
        await fresh.request(f"INVENTED{number}", "/missions")
        await fresh.get(f"/problems/{number}")
    found = await read(fresh)
    routes = {"unmatched", "/missions", "/missions/{key}", "/problems/{slug}"}
    assert found.labels(COUNT, "route") <= routes
    assert found.labels(COUNT, "method") == {"GET", "OTHER"}


async def test_every_page_is_counted_by_its_own_name(fresh: httpx.AsyncClient) -> None:
    pages = ("/", "/docs", "/guide", "/problems")
    for page in (*pages, "/docs/assets/swagger-ui.css", "/problems/not-found"):
        await fresh.get(page)
    found = await read(fresh)
    assert found.labels(COUNT, "route") == {*pages, "/docs/assets/{file}", "/problems/{slug}"}


async def test_a_request_is_in_progress_until_it_is_answered(fresh: httpx.AsyncClient) -> None:
    found = await read(fresh)
    # The one that reads the metrics.
    assert found.value("http_requests_in_progress") == 1


async def test_a_refused_caller_can_be_seen(fresh_app: FastAPI) -> None:
    async with client_of(fresh_app) as client:
        await client.get("/missions", headers={"Authorization": "Bearer tmd_no_such_key"})
        found = await read(client)
    assert found.value(COUNT, status="401") == 1


async def test_the_log_of_changes_and_the_build_are_told(
    fresh: httpx.AsyncClient, database_kind: str
) -> None:
    changes = (await fresh.get("/changes?limit=1000")).json()["data"]
    before = await read(fresh)
    assert before.value("trade_missions_changes_total") >= len(changes) > 0
    await fresh.post("/people", json={"full_name": "Counted"}, headers=BEARER)
    after = await read(fresh)
    grown = after.value("trade_missions_changes_total")
    assert grown == before.value("trade_missions_changes_total") + 1
    assert after.value("trade_missions_build_info", database=database_kind) == 1
    assert after.value("trade_missions_database_up") == 1


async def test_the_database_and_the_process_are_measured(
    fresh: httpx.AsyncClient, fresh_app: FastAPI
) -> None:
    found = await read(fresh)
    for name in fresh_app.state.database.gauges():
        family = found[f"trade_missions_database_{name}".removesuffix("_total")]
        assert family.type == ("counter" if name.endswith("_total") else "gauge")
    assert found.value("process_resident_memory_bytes") > 0
    assert found.value("process_cpu_seconds_total") > 0


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("application/openmetrics-text;version=1.0.0,text/plain;q=0.5", "application/openmetrics"),
        ("text/plain;version=0.0.4", "text/plain"),
        ("application/openmetrics-text;version=nonsense", "application/openmetrics"),
        ("*/*", "text/plain"),
    ],
)
async def test_either_form_of_prometheus_can_be_had(
    fresh: httpx.AsyncClient, accept: str, kind: str
) -> None:
    answer = await fresh.get("/metrics", headers=BEARER | {"Accept": accept})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith(kind)
    assert answer.headers["cache-control"] == "no-store"
    reading = read_open_metrics if "openmetrics" in kind else text_string_to_metric_families
    assert len(list(reading(answer.text))) > 10


@pytest.fixture(scope="module")
def several(
    file_in: Callable[[Path], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """Three processes that serve as one."""
    folder = tmp_path_factory.mktemp("several")
    with running_server(file_in(folder), folder, workers=3) as server:
        yield server


def scrape(server: Server) -> Read:
    with server.client() as client:
        return Read(client.get("/metrics").text)


def test_a_process_that_is_just_making_its_files_is_no_failure(tmp_path: Path) -> None:
    for kind in ("counter", "histogram", "gauge_livesum"):
        (tmp_path / f"{kind}_{os.getpid()}.db").touch()
    assert [family.name for family in together(tmp_path) if family.samples]


def test_several_processes_are_counted_together(several: Server) -> None:
    before = scrape(several).value(COUNT, route="/outcomes")
    for _ in range(30):
        # A connection each, so that all processes get some.
        with several.client() as client:
            assert client.get("/outcomes").status_code == 200
    # The end of what is answered is counted after its last byte.
    wait_until(lambda: scrape(several).value(COUNT, route="/outcomes") - before == 30)
    assert len({scrape(several).value(COUNT, route="/outcomes") for _ in range(6)}) == 1


def pids(server: Server) -> set[int]:
    found = scrape(server).labels("process_resident_memory_bytes", "pid")
    return {int(pid) for pid in found}


def assert_one_is_in_progress(server: Server) -> None:
    """The one that reads the metrics; a process may yet count the end of what it has answered."""
    wait_until(lambda: scrape(server).value("http_requests_in_progress") == 1)


def test_each_of_several_processes_is_measured(several: Server) -> None:
    wait_until(lambda: len(pids(several)) == 3)
    found = scrape(several)
    assert found.labels("trade_missions_database_writes_waiting", "pid") == {
        str(pid) for pid in pids(several)
    }
    assert_one_is_in_progress(several)


def test_what_a_dead_process_counted_stays_and_what_it_did_is_gone(several: Server) -> None:
    asked = scrape(several).value(COUNT, route="/events") + 10
    for _ in range(10):
        with several.client() as client:
            client.get("/events")
    wait_until(lambda: scrape(several).value(COUNT, route="/events") == asked)
    before = pids(several)
    os.kill(min(before), signal.SIGKILL)
    wait_until(lambda: _is_replaced(min(before), several, len(before)))
    found = scrape(several)
    assert found.value(COUNT, route="/events") == asked
    assert str(min(before)) not in found.labels("trade_missions_database_writes_waiting", "pid")
    assert_one_is_in_progress(several)


def _is_replaced(pid: int, server: Server, processes: int) -> bool:
    try:
        now = pids(server)
    except httpx.TransportError:
        return False
    return pid not in now and len(now) == processes


def test_nothing_is_left_behind_when_it_stops(
    file_in: Callable[[Path], str], tmp_path: Path
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    variables = {"TMPDIR": str(temporary)}
    server = Server(file_in(tmp_path), tmp_path / "log", ("--workers", "2"), variables=variables)
    with running(server):
        wait_until(lambda: scrape(server).value(COUNT) > 0)
        assert len(list(temporary.glob("*metrics*"))) == 1
        assert server.stop() == 0
    assert list(temporary.glob("*metrics*")) == []
