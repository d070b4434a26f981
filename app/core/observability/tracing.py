"""Traces for OpenTelemetry: a span for each request and for each call of the database.

Nothing of this is imported unless it is configured. FastAPI's own telemetry does not know the
routes that we dispatch ourselves, and would send off the query of an address, where a key can be.
"""

import asyncio
import os
from collections.abc import Callable
from functools import partial
from traceback import format_exception
from typing import TypeVar
from urllib.parse import urlsplit

from opentelemetry import propagate, trace
from sqlalchemy.orm import Session
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.databases.interface import CompiledQuery, Database, Rows
from app.core.loose_types import Fields, Values
from app.core.observability.redaction import redacted
from app.core.observability.request_info import method_of, route_of

try:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
except ImportError as missing:
    raise RuntimeError(
        "A telemetry endpoint is set, but the packages that traces need are not installed."
        " Install them with: pip install 'trade-missions[telemetry]', or take away"
        " TRADE_MISSIONS_TELEMETRY_ENDPOINT and OTEL_EXPORTER_OTLP_ENDPOINT."
    ) from missing

T = TypeVar("T")


def tracer_provider(endpoint: str, version: str) -> TracerProvider:
    """Spans go to the collector at the endpoint, by OTLP over HTTP at `/v1/traces` under it.

    The SDK reads everything else from OTEL_… variables: headers, name of the service, sampling.
    """
    if urlsplit(endpoint).scheme not in ("http", "https"):
        raise RuntimeError(f"The telemetry endpoint {endpoint!r} is not an http(s) address.")
    # What the environment names goes before; without a name the SDK says unknown_service.
    names = {"service.version": version}
    if "OTEL_SERVICE_NAME" not in os.environ:
        names["service.name"] = "trade-missions"
    provider = TracerProvider(resource=Resource.create(names), shutdown_on_exit=False)
    address = f"{endpoint.rstrip('/')}/v1/traces"
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=address)))
    return provider


class Tracing:
    """ASGI middleware: a server span for each request (semantic conventions for HTTP).

    `scope["trace_id"]` names the trace in the logs. The spans are sent when the service stops.
    """

    def __init__(self, app: ASGIApp, provider: TracerProvider) -> None:
        self.app, self.provider = app, provider
        self.tracer = provider.get_tracer("trade_missions")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, self._finishing(send))
        elif scope["type"] == "http":
            await self._traced(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def _finishing(self, send: Send) -> Send:
        """A send that lets what waits be sent before it tells the server that all has ended."""

        async def send_last(message: Message) -> None:
            if message["type"].startswith("lifespan.shutdown"):
                await asyncio.to_thread(self.provider.shutdown)
            await send(message)

        return send_last

    async def _traced(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }
        method = method_of(scope)
        with self.tracer.start_as_current_span(
            method,
            context=propagate.extract(headers),
            kind=trace.SpanKind.SERVER,
            attributes=_asked(scope, method),
            # What an exception says can hold a secret; see _note.
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            scope["trace_id"] = f"{span.get_span_context().trace_id:032x}"

            async def send_noted(message: Message) -> None:
                if message["type"] == "http.response.start":
                    _answered(span, scope, method, message["status"])
                await send(message)

            try:
                await self.app(scope, receive, send_noted)
            except Exception as error:
                _note(span, error)
                raise


def _asked(scope: Scope, method: str) -> Fields:
    server, client = scope.get("server"), scope.get("client")
    attributes = {
        "http.request.method": method,
        "url.scheme": scope.get("scheme", "http"),
        # Without the query, where a key can be.
        "url.path": scope["path"],
        "network.protocol.version": scope.get("http_version", "1.1"),
    }
    if server:
        attributes |= {"server.address": server[0], "server.port": server[1] or 0}
    if client:
        attributes["client.address"] = client[0]
    return attributes


def _answered(span: trace.Span, scope: Scope, method: str, status: int) -> None:
    route = route_of(scope)
    if route != "unmatched":
        span.update_name(f"{method} {route}")
        span.set_attribute("http.route", route)
    span.set_attribute("http.response.status_code", status)
    if "request_id" in scope:
        span.set_attribute("trade_missions.request_id", scope["request_id"])
    # A mistake of the caller is no error of the server.
    if status >= 500:
        span.set_attribute("error.type", str(status))
        span.set_status(trace.StatusCode.ERROR)
        if (error := scope.get("error")) is not None:
            _note(span, error)


def _note(span: trace.Span, error: Exception) -> None:
    """Add the exception to the span, without the secrets that its words can hold."""
    trail = "".join(format_exception(error))
    attributes = {
        "exception.message": redacted(str(error).encode()).decode(),
        "exception.stacktrace": redacted(trail.encode()).decode(),
    }
    span.set_attribute("error.type", type(error).__name__)
    span.set_status(trace.StatusCode.ERROR)
    span.record_exception(error, attributes)


def trace_database(database: Database, provider: TracerProvider) -> None:
    """Give each read and write of the database a span of its own, inside that of its request."""
    span = partial(
        provider.get_tracer("trade_missions").start_as_current_span,
        kind=trace.SpanKind.CLIENT,
        record_exception=False,
        set_status_on_exception=False,
    )
    system, read, write = database.dialect.name, database.read, database.write

    async def traced_read(
        statement: CompiledQuery, values: Values, *, point_lookup: bool = False
    ) -> Rows:
        # The statement without its values, which are the users' data.
        attributes = {"db.system.name": system, "db.query.text": statement.sql}
        with span("read", attributes=attributes):
            return await read(statement, values, point_lookup=point_lookup)

    async def traced_write(work: Callable[[Session], T]) -> T:
        attributes = {"db.system.name": system, "db.operation.name": "transaction"}
        with span("write", attributes=attributes):
            return await write(work)

    # The database is whichever of the two; only these two of its methods are seen through.
    vars(database).update(read=traced_read, write=traced_write)
