"""The outermost ASGI middleware: names each request, logs it, and answers every error."""

import logging
import time
from collections.abc import Iterable

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.errors import (
    PROBLEM_TYPE,
    BadRequest,
    InsufficientStorage,
    InternalError,
    NotFound,
    Problem,
    TooLarge,
    not_allowed,
)
from app.core.http.app_state import state_of
from app.core.http.pretty import indented
from app.core.http.security_headers import protected
from app.core.observability.health import note_full
from app.core.observability.logs import AccessLog, told_of
from app.core.observability.metrics import RequestMetrics
from app.core.observability.request_info import request_id_of

log = logging.getLogger("trade_missions")

#: The status under which requests are counted whose client did not wait for the answer.
GONE = 499

#: Where a request keeps what makes of a problem its media type, body and more headers, where these
#: are not a problem document.
PROBLEM_FORM = "problem_form"

_BY_STATUS: dict[int, type[Problem]] = {404: NotFound, 413: TooLarge}


_READING = ("GET", "HEAD")


class ErrorAndLogMiddleware:
    """Names every answer by `X-Request-ID`, turns every exception into a problem document, adds
    the headers that protect, and counts; `access_log` writes a line for each request."""

    def __init__(
        self,
        app: ASGIApp,
        metrics: RequestMetrics | None = None,
        access_log: AccessLog | None = None,
        public_reading: bool = True,
    ) -> None:
        self.app, self.access_log = app, access_log
        self.metrics = metrics or RequestMetrics()
        self.public_reading = public_reading

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = scope["request_id"] = request_id_of(scope["headers"])
        status = sent = 0
        problem: Problem | None = None

        async def send_named(message: Message) -> None:
            nonlocal status, sent
            if message["type"] == "http.response.start":
                status = message["status"]
                # What is public is not all there is: so caches are told that it matters who asks.
                varied = scope["method"] in _READING and (
                    "caller" in scope or not self.public_reading
                )
                headers = protected(message.get("headers", ()), scope, status, varied=varied)
                headers.append((b"x-request-id", request_id.encode()))
                message["headers"] = headers
            elif message["type"] == "http.response.body":
                sent += len(message.get("body", b""))
            await send(message)

        began = time.perf_counter()
        self.metrics.running.inc()
        try:
            await self.app(scope, receive, send_named)
        except ClientDisconnect:
            status = GONE
        except Exception as error:
            # After the first byte nothing can be taken back; the server cuts the connection.
            if status:
                log.error("answer cut off", extra=told_of(scope))
                raise
            problem = as_problem(error, scope)
            if isinstance(problem, InsufficientStorage):
                note_full(state_of(Request(scope)).database, problem)
            await _answer(problem, scope, request_id, send_named)
            if problem is error:
                _forget_calls(error)
        finally:
            self.metrics.running.dec()
            took = time.perf_counter() - began
            self.metrics.count(scope, status or GONE, took)
            if self.access_log is not None:
                self.access_log(scope, status or GONE, took, sent, problem)


def _forget_calls(error: BaseException | None) -> None:
    """Let go of the calls that ended with the error, once it is answered. They hold all that a
    refused request had in memory, which can be hundreds of megabytes, and refer to the error: in a
    circle, which would stay until the interpreter looks for such."""
    seen = set[int]()
    # Each was raised from another one, and there are circles among these too.
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        error.__traceback__ = None
        error = error.__cause__ or error.__context__


async def hand_on(request: object, error: Exception) -> Response:
    """An exception handler that leaves the answer to the middleware."""
    raise error


def as_problem(error: Exception, scope: Scope) -> Problem:
    """The problem that an exception is told as; what we did not foresee is logged in full."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, HTTPException):
        if error.status_code == 405:
            methods = dict(error.headers or {}).get("Allow", "GET")
            return not_allowed(scope["method"], methods.split(", "))
        kind = _BY_STATUS.get(error.status_code, BadRequest)
        return kind(_detail(error), headers=error.headers)
    scope["error"] = error
    log.error("request failed", exc_info=error, extra=told_of(scope))
    return InternalError(
        "Something failed on our side; nothing was stored."
        f" Please report request {scope['request_id']}."
    )


def _detail(error: HTTPException) -> str:
    if error.status_code == 404:
        return "There is no such address. / leads to the documentation of all addresses."
    if error.status_code == 413:
        return "The body is larger than the service accepts."
    return str(error.detail)


async def _answer(problem: Problem, scope: Scope, request_id: str, send: Send) -> None:
    more: Iterable[tuple[str, str]] = ()
    if PROBLEM_FORM in scope:
        media_type, body, more = scope[PROBLEM_FORM](problem)
    else:
        media_type, body = PROBLEM_TYPE, problem.body(scope["path"], request_id)
    if "readable" in scope:
        body = indented(body)
    headers = [(b"content-type", media_type.encode()), (b"content-length", b"%d" % len(body))]
    headers += problem.header_lines()
    headers += [(name.lower().encode(), value.encode()) for name, value in more]
    await send({"type": "http.response.start", "status": problem.status, "headers": headers})
    content = b"" if scope["method"] == "HEAD" else body
    await send({"type": "http.response.body", "body": content})
