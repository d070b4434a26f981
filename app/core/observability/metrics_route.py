"""GET /metrics: what is counted and measured, as Prometheus reads it."""

import asyncio
import platform
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from fastapi import Request
from prometheus_client import Gauge
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.process_collector import ProcessCollector
from sqlalchemy import Dialect
from starlette.responses import Response

from app.core.auth.principals import Permission
from app.core.databases.interface import CompiledQuery, Database
from app.core.http.app_state import state_of
from app.core.http.dispatch import Route
from app.core.http.operation import Answer, Operation
from app.core.loose_types import Value
from app.core.observability.health import within_timeout
from app.core.observability.metrics import RequestMetrics
from app.core.observability.worker_metrics import filled, living, shared_folder

#: How many seconds lie between two notes of a process on its database, for the others to show.
CACHE_SECONDS = 5.0

Position = Callable[[Dialect], CompiledQuery]


def metrics_route(position: Position) -> Route:
    """GET /metrics, with the position of the log of changes, which the statement reads."""

    async def get_metrics(request: Request) -> Response:
        """Requests, their duration, the database and the process, in the text format of
        Prometheus; or as OpenMetrics where `Accept` asks for it. Several worker processes are told
        as one, but for what only each can tell, which is labelled with its `pid`."""
        state = state_of(request)
        others = [
            _build(state.database, request.app.version),
            *await _changes(state.database, position),
        ]
        scrape = _Scrape(state.metrics, state.database.gauges(), others)
        encode, media_type = _encoder(request.headers.get("accept", ""))
        # Thousands of lines take a while, in which the loop goes on serving others.
        content = await asyncio.to_thread(encode, scrape)
        return Response(content, headers={"Cache-Control": "no-store", "Content-Type": media_type})

    return Operation(
        path="/metrics",
        name="get_metrics",
        summary="Read what is counted and measured",
        tag="operation",
        answers=(Answer(description="The metrics.", content={"text/plain": _TEXT}),),
        needs=Permission.READ,
    ).route(get_metrics)


def _encoder(accept: str) -> tuple[Callable[[Value], bytes], str]:
    # The library trips over versions that are none, so it is told one that we know.
    is_open = "application/openmetrics-text" in accept
    return choose_encoder("application/openmetrics-text;version=1.0.0" if is_open else "")


_TEXT = {"schema": {"type": "string"}}


class _Scrape:
    """All that is told at one moment, as Prometheus's encoders want to walk it."""

    def __init__(
        self, metrics: RequestMetrics, gauges: Mapping[str, float], others: list[Metric]
    ) -> None:
        self._metrics, self._gauges, self._others = metrics, gauges, others

    def collect(self) -> Iterator[Metric]:
        """Every family once."""
        yield from self._others
        folder = shared_folder()
        if folder is None:
            yield from self._metrics.registry.collect()
            yield from families([({}, self._gauges)])
            yield from ProcessCollector(registry=None).collect()
        else:
            yield from together(folder)


def together(folder: Path) -> Iterator[Metric]:
    """What all processes have counted, and what each measured of its database and itself."""
    pids = living(folder)
    noted: dict[str, dict[str, float]] = {}
    counted: Iterable[Metric] = MultiProcessCollector.merge(filled(folder))  # type: ignore[no-untyped-call]
    for metric in counted:
        if metric.name != _NOTES:
            yield metric
            continue
        for sample in metric.samples:
            noted.setdefault(sample.labels["pid"], {})[sample.labels["name"]] = sample.value
    yield from families([({"pid": pid}, gauges) for pid, gauges in sorted(noted.items())])
    yield from _processes(pids)


def _processes(pids: list[int]) -> Iterator[Metric]:
    """Memory, processor time and files of each process, labelled with its pid."""
    found: dict[str, Metric] = {}
    for pid in pids:
        for metric in ProcessCollector(pid=lambda pid=pid: pid, registry=None).collect():  # type: ignore[misc]
            family = found.setdefault(
                metric.name, Metric(metric.name, metric.documentation, metric.type)
            )
            for sample in metric.samples:
                family.add_sample(sample.name, {**sample.labels, "pid": str(pid)}, sample.value)
    yield from found.values()


def families(measured: list[tuple[dict[str, str], Mapping[str, float]]]) -> Iterator[Metric]:
    """The gauges of databases by labels, as `trade_missions_database_NAME`."""
    found: dict[str, Metric] = {}
    for labels, gauges in measured:
        for name, value in gauges.items():
            full = f"trade_missions_database_{name}"
            about = f"Of the database: {name.removesuffix('_total').replace('_', ' ')}."
            kind = CounterMetricFamily if name.endswith("_total") else GaugeMetricFamily
            family = found.get(name) or found.setdefault(name, kind(full, about, labels=[*labels]))
            family.add_metric([*labels.values()], value)  # type: ignore[attr-defined]
    yield from found.values()


def _build(database: Database, version: str) -> Metric:
    family = GaugeMetricFamily(
        "trade_missions_build_info",
        "Always 1: the version, that of Python, and the kind of database.",
        labels=["version", "python", "database"],
    )
    family.add_metric([version, platform.python_version(), database.dialect.name], 1)
    return family


async def _changes(database: Database, position: Position) -> list[Metric]:
    """Whether the database answers, and how far its log of changes has come."""
    try:
        rows = await within_timeout(
            database.read(position(database.dialect), {}, point_lookup=True)
        )
    except Exception:
        # An operator wants the other metrics all the more while the database is away.
        rows = []
    up = GaugeMetricFamily(
        "trade_missions_database_up", "1 while the database answers, else 0.", value=bool(rows)
    )
    if not rows:
        return [up]
    about = "The position of the log of changes, which grows by one with every change of a record."
    return [up, CounterMetricFamily("trade_missions_changes", about, value=rows[0][0])]


_NOTES = "trade_missions_database_notes"


async def note_gauges(database: Database) -> None:
    """Note every few seconds what this process measures of its database, for the other processes
    to show; returns at once when there are none."""
    if shared_folder() is None:
        return
    notes = Gauge(_NOTES, "Of one process.", ("name",), multiprocess_mode="liveall", registry=None)
    while True:
        for name, value in database.gauges().items():
            notes.labels(name).set(value)
        await asyncio.sleep(CACHE_SECONDS)
