"""The outermost ASGI middleware: names each request, logs it, and answers every error."""

import logging
import time
from uuid import uuid4

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.errors import (
    PROBLEM_TYPE,
    BadRequest,
    InternalError,
    MethodNotAllowed,
    NotFound,
    Problem,
    TooLarge,
)

log = logging.getLogger("trade_missions")

_BY_STATUS: dict[int, type[Problem]] = {404: NotFound, 405: MethodNotAllowed, 413: TooLarge}


class Gate:
    """Adds `X-Request-ID` to every answer and turns every exception into a problem document."""

    def __init__(self, app: ASGIApp, access_log: bool = False) -> None:
        self.app = app
        self.access_log = access_log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = uuid4().hex
        scope["request_id"] = request_id
        status = 0

        async def send_named(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [
                    *message.get("headers", ()),
                    (b"x-request-id", request_id.encode()),
                ]
            await send(message)

        began = time.perf_counter()
        try:
            await self.app(scope, receive, send_named)
        except ClientDisconnect:
            status = 499
        except Exception as error:
            # After the first byte nothing can be taken back; the server cuts the connection.
            if status:
                raise
            await _answer(as_problem(error, request_id), scope, request_id, send_named)
        if self.access_log:
            took = (time.perf_counter() - began) * 1000
            log.info("%s %s %s %.1f ms", scope["method"], scope["path"], status, took)


async def hand_on(request: object, error: Exception) -> Response:
    """An exception handler that leaves the answer to the Gate."""
    raise error


def as_problem(error: Exception, request_id: str) -> Problem:
    """The problem that an exception is told as; what we did not foresee is logged in full."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, HTTPException):
        kind = _BY_STATUS.get(error.status_code, BadRequest)
        return kind(_detail(error), headers=error.headers)
    log.error("request %s failed", request_id, exc_info=error)
    return InternalError(
        f"Something failed on our side; nothing was stored. Please report request {request_id}."
    )


def _detail(error: HTTPException) -> str:
    if error.status_code == 404:
        return "There is no such address. / leads to the documentation of all addresses."
    if error.status_code == 413:
        return "The body is larger than the service accepts."
    if error.status_code == 405:
        return f"Only {dict(error.headers or {}).get('Allow', 'GET')} is possible here."
    return str(error.detail)


async def _answer(problem: Problem, scope: Scope, request_id: str, send: Send) -> None:
    body = problem.body(scope["path"], request_id)
    headers = [(b"content-type", PROBLEM_TYPE.encode()), (b"content-length", b"%d" % len(body))]
    headers += [(name.lower().encode(), value.encode()) for name, value in problem.headers.items()]
    await send({"type": "http.response.start", "status": problem.status, "headers": headers})
    content = b"" if scope["method"] == "HEAD" else body
    await send({"type": "http.response.body", "body": content})
