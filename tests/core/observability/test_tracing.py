"""Traces: what a collector for OpenTelemetry receives, which the test itself is."""

import asyncio
import gzip
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from starlette.types import Message

from app.main import create_app
from app.settings import Settings
from tests.conftest import client_of
from tests.keys import ADMIN_KEY
from tests.loaded import ROOT
from tests.servers import Server, running

pytest.importorskip("opentelemetry.exporter.otlp.proto.http")

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@dataclass
class Collector:
    """An OpenTelemetry collector: what it was sent by OTLP over HTTP."""

    address: str
    paths: list[str] = field(default_factory=list)
    resources: list[dict[str, Any]] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    raw: bytes = b""

    def take(self, path: str, body: bytes) -> None:
        self.paths.append(path)
        self.raw += body
        request = ExportTraceServiceRequest.FromString(body)
        for group in request.resource_spans:
            self.resources.append(read(group.resource.attributes))
            for scope in group.scope_spans:
                self.spans += scope.spans

    def named(self, name: str) -> list[Span]:
        return [span for span in self.spans if span.name == name]


def read(attributes: Any) -> dict[str, Any]:
    """Attributes as a dictionary."""
    return {
        found.key: getattr(found.value, str(found.value.WhichOneof("value")))
        for found in attributes
    }


@contextmanager
def collecting() -> Iterator[Collector]:
    class Taking(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            collector.take(self.path, body)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Taking)
    collector = Collector(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield collector
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@asynccontextmanager
async def started(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """The application, started and stopped through all its middleware, as a server does."""
    told: asyncio.Queue[Message] = asyncio.Queue()
    said: asyncio.Queue[Message] = asyncio.Queue()
    scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}
    life = asyncio.create_task(app(scope, told.get, said.put))
    await told.put({"type": "lifespan.startup"})
    assert (await said.get())["type"] == "lifespan.startup.complete"
    async with client_of(app) as client:
        yield client
    await told.put({"type": "lifespan.shutdown"})
    assert (await said.get())["type"] == "lifespan.shutdown.complete"
    await life


Ask = Callable[..., Awaitable[Collector]]


@pytest.fixture
def traced(fresh_url: str) -> Iterator[Ask]:
    """Makes requests of a traced application, and gives what was collected once it has stopped."""
    with collecting() as collector:

        async def ask(*requests: tuple[str, str, dict[str, Any]]) -> Collector:
            settings = Settings(database_url=fresh_url, telemetry_endpoint=collector.address)
            async with started(create_app(settings)) as client:
                for method, path, options in requests:
                    await client.request(method, path, **options)
            return collector

        yield ask


def attributes(span: Span) -> dict[str, Any]:
    return read(span.attributes)


async def test_a_request_is_a_span_named_by_its_route(traced: Ask) -> None:
    collector = await traced(("GET", "/missions/novosibirsk-april?fields=id", {}))
    (span,) = collector.named("GET /missions/{key}")
    assert collector.paths == ["/v1/traces"]
    assert span.kind == Span.SPAN_KIND_SERVER
    told = attributes(span)
    assert (
        told.items()
        >= {
            "http.request.method": "GET",
            "http.route": "/missions/{key}",
            "http.response.status_code": 200,
            "url.path": "/missions/novosibirsk-april",
            "url.scheme": "http",
        }.items()
    )
    assert span.status.code == Status.STATUS_CODE_UNSET
    assert span.end_time_unix_nano > span.start_time_unix_nano
    assert collector.resources[0]["service.name"] == "trade-missions"


async def test_a_span_belongs_to_the_trace_of_the_caller(traced: Ask) -> None:
    headers = {"traceparent": f"00-{TRACE}-{PARENT}-01"}
    collector = await traced(("GET", "/missions", {"headers": headers}))
    (span,) = collector.named("GET /missions")
    assert (span.trace_id.hex(), span.parent_span_id.hex()) == (TRACE, PARENT)


async def test_reads_and_writes_of_the_database_are_spans_of_the_request(
    traced: Ask, database_kind: str
) -> None:
    body = {"full_name": "Айгерим Сарсенова"}
    collector = await traced(("GET", "/missions", {}), ("POST", "/people", {"json": body}))
    (listed,), (created,) = collector.named("GET /missions"), collector.named("POST /people")
    reads = [s for s in collector.named("read") if s.parent_span_id == listed.span_id]
    (write,) = [s for s in collector.named("write") if s.parent_span_id == created.span_id]
    assert reads
    told = attributes(reads[0])
    assert told["db.system.name"] == database_kind
    assert told["db.query.text"].startswith("SELECT")
    assert write.trace_id == created.trace_id
    # Values are the users' data.
    assert "Айгерим".encode() not in collector.raw


async def test_a_mistake_of_the_caller_is_no_error(traced: Ask) -> None:
    collector = await traced(("GET", "/missions/nowhere", {}), ("GET", "/nowhere", {}))
    (missing,) = collector.named("GET /missions/{key}")
    (unmatched,) = collector.named("GET")
    for span in (missing, unmatched):
        assert attributes(span)["http.response.status_code"] == 404
        assert span.status.code == Status.STATUS_CODE_UNSET
    assert "http.route" not in attributes(unmatched)


async def test_a_failure_is_an_error_with_its_traceback(fresh_url: str) -> None:
    with collecting() as collector:
        app = create_app(Settings(database_url=fresh_url, telemetry_endpoint=collector.address))
        async with started(app) as client:
            # Something that nobody foresaw.
            del app.state.secret
            answer = await client.get("/missions?limit=1&cursor=none")
        assert answer.status_code == 500
        (span,) = collector.named("GET /missions")
        assert span.status.code == Status.STATUS_CODE_ERROR
        (event,) = span.events
        told = read(event.attributes)
        assert told["exception.type"] == "AttributeError"
        assert "secret" in told["exception.message"]
        assert "Traceback (most recent call last)" in told["exception.stacktrace"]
        assert attributes(span)["trade_missions.request_id"] == answer.headers["x-request-id"]


async def test_no_key_is_ever_sent(traced: Ask) -> None:
    collector = await traced(
        ("GET", f"/missions.csv?api_key={ADMIN_KEY}", {}),
        ("GET", "/missions", {"headers": {"Authorization": f"Bearer {ADMIN_KEY}"}}),
    )
    assert collector.spans
    assert ADMIN_KEY[-43:].encode() not in collector.raw


def test_the_standard_variables_are_heard(file_in: Callable[[Path], str], tmp_path: Path) -> None:
    with collecting() as collector:
        environment = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.address,
            "OTEL_SERVICE_NAME": "missions-of-ours",
        }
        server = Server(
            file_in(tmp_path),
            tmp_path / "server.log",
            settings={"access_log": True},
            variables=environment,
        )
        with running(server):
            with server.client() as client:
                client.get("/missions", headers={"X-Request-ID": "r1"})
            line = server.line(request_id="r1")
            assert server.stop() == 0
        (span,) = collector.named("GET /missions")
        assert line["trace_id"] == span.trace_id.hex()
        assert collector.resources[0]["service.name"] == "missions-of-ours"


def run(program: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", program]
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


def test_without_the_setting_nothing_of_it_is_loaded() -> None:
    program = "import sys, app.main; app.main.create_app(app.main.Settings())\n"
    done = run(program + "print('opentelemetry.sdk' in sys.modules)", {})
    assert (done.stdout, done.stderr) == ("False\n", "")


def test_missing_packages_are_told_before_anything_is_served() -> None:
    program = """
import sys
sys.modules["opentelemetry.sdk.trace"] = None
from app.__main__ import main
sys.argv = ["trade-missions", "serve", "--port", "0"]
main()
"""
    done = run(program, {"TRADE_MISSIONS_TELEMETRY_ENDPOINT": "http://127.0.0.1:4318"})
    assert done.returncode == 2
    assert "trade-missions[telemetry]" in done.stderr
    assert "Traceback" not in done.stderr
