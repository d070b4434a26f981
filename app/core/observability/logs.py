"""Logs: one line an event, as JSON or for reading, all of them in one form and without secrets."""

import logging
import sys
import threading
from collections.abc import Callable, MutableMapping
from enum import StrEnum
from io import StringIO
from types import TracebackType
from typing import TYPE_CHECKING, TextIO

import orjson
from starlette.types import Scope

from app.core.errors import Problem
from app.core.loose_types import Fields, Value
from app.core.observability.redaction import redacted_fields, redacted_value
from app.core.observability.request_info import route_of, trace_id_of

if TYPE_CHECKING:
    from structlog.typing import ExcInfo, Processor

Line = MutableMapping[str, Value]
#: Takes the scope, status, seconds, bytes sent, and the problem if it is one.
AccessLog = Callable[[Scope, int, float, int, Problem | None], None]

#: What our own log calls may add to a line by `extra`.
_EXTRA = ("request_id", "trace_id", "method", "path", "route")
#: Servers that bring handlers of their own; theirs are taken away.
_SERVER = ("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi")


class LogFormat(StrEnum):
    """How a line is written."""

    #: `text` on a terminal, `json` everywhere else.
    AUTO = "auto"
    JSON = "json"
    TEXT = "text"


def configure_logs(form: LogFormat) -> None:
    """Write whatever this process logs to standard error in one form: the server's lines too,
    warnings, and exceptions that nobody caught."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_formatter(form))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("trade_missions").setLevel(logging.INFO)
    for name in _SERVER:
        logging.getLogger(name).handlers = []
        # Its own lines of access would show the query, where a key can stand.
        logging.getLogger(name).propagate = name != "uvicorn.access"
    logging.captureWarnings(True)
    sys.excepthook = _uncaught
    threading.excepthook = lambda thrown: _uncaught(
        thrown.exc_type, thrown.exc_value or thrown.exc_type(), thrown.exc_traceback
    )


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if not issubclass(kind, Exception):
        sys.__excepthook__(kind, error, trace)
        return
    logging.getLogger("trade_missions").critical("uncaught", exc_info=(kind, error, trace))


def access_log(form: LogFormat) -> AccessLog:
    """Writes a line for each request, to standard error."""
    _load_structlog()
    import structlog

    logger = structlog.wrap_logger(
        structlog.BytesLogger(sys.stderr.buffer),
        processors=[structlog.processors.add_log_level, *_finish(form)],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
    ).bind()

    def write(scope: Scope, status: int, took: float, sent: int, problem: Problem | None) -> None:
        line = told_of(scope)
        line |= {"status": status, "duration_ms": round(took * 1000, 3), "bytes": sent}
        if (caller := scope.get("caller")) is not None:
            line["caller"] = caller.name
        if (client := scope.get("client")) is not None:
            line["client"] = client[0]
        if problem is not None:
            line["problem"] = f"/problems/{problem.slug()}"
        (logger.error if status >= 500 else logger.info)("request", **line)

    return write


def told_of(scope: Scope) -> Fields:
    """What a line says of the request that it is about; never the query, which may hold a key."""
    line = {
        "request_id": scope["request_id"],
        "method": scope["method"],
        "path": scope["path"],
        "route": route_of(scope),
    }
    if (trace := trace_id_of(scope)) is not None:
        line["trace_id"] = trace
    return line


def _load_structlog() -> None:
    """Import structlog without rich, which it takes along where it finds it: for tracebacks in
    colours, which nothing here shows, at 4 MB and 30 ms of each start."""
    if "structlog" in sys.modules or "rich" in sys.modules:
        return
    # What the import system takes for a module that is not there.
    sys.modules["rich"] = None  # type: ignore[assignment]
    try:
        import structlog  # noqa: F401
    finally:
        del sys.modules["rich"]


def _formatter(form: LogFormat) -> logging.Formatter:
    _load_structlog()
    import structlog

    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.ExtraAdder(_EXTRA),
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        ],
        processors=[*_finish(form), _text],
    )


def _finish(form: LogFormat) -> list["Processor"]:
    """The last steps of every line: its time, the secrets out of its values, its form; bytes."""
    import structlog

    time = structlog.processors.TimeStamper("iso", utc=True, key="time")
    if form is LogFormat.JSON or (form is LogFormat.AUTO and not sys.stderr.isatty()):
        # Without the values of variables, which a traceback has no business to show.
        frames = structlog.tracebacks.ExceptionDictTransformer(show_locals=False, max_frames=40)
        return [time, structlog.processors.ExceptionRenderer(frames), _redact, _json]
    shown = structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(),
        # Quoted, so that no text from outside can pretend to be a line of its own.
        repr_native_str=True,
        exception_formatter=_redacted_traceback,
        sort_keys=False,
        timestamp_key="time",
        pad_event_to=0,
    )
    return [time, _redact, lambda logger, name, line: shown(logger, name, line).encode()]


def _redact(logger: object, name: str, line: Line) -> Line:
    """What is written of a line; an exception that is yet to be shown is left as it is."""
    exception = {name: line.pop(name) for name in ("exc_info",) if name in line}
    return redacted_fields(line) | exception


def _redacted_traceback(sio: TextIO, exc_info: "ExcInfo") -> None:
    import structlog

    text = StringIO()
    structlog.dev.plain_traceback(text, exc_info)
    sio.write(str(redacted_value(text.getvalue())))


def _json(logger: object, name: str, line: Line) -> bytes:
    first = {"time": line.pop("time"), "level": line.pop("level"), "event": line.pop("event")}
    return orjson.dumps({**first, **line}, default=repr)


def _text(logger: object, name: str, line: Line) -> str:
    assert isinstance(line, bytes)
    return line.decode()
