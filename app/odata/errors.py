"""Errors as OData 4.0 writes them (JSON Format, 19), for everything below its address."""

from collections.abc import Awaitable

from starlette.types import ASGIApp, Receive, Scope, Send

from app.core import json_codec
from app.core.errors import Fault, Problem
from app.core.http.middleware import PROBLEM_FORM
from app.core.loose_types import Fields

#: Where OData is served.
ROOT = "/odata"
VERSION = ("OData-Version", "4.0")
_MEDIA_TYPE = "application/json;odata.metadata=minimal;charset=utf-8"
#: What OData calls the parameters of lists.
_OPTIONS = {
    "filter": "$filter",
    "q": "$search",
    "sort": "$orderby",
    "fields": "$select",
    "expand": "$expand",
    "cursor": "$skiptoken",
    "offset": "$skip",
    "limit": "$top",
}


class NotSupported(Problem):
    """What OData can ask for and this service does not answer; its name stands in the message."""

    status, title = 501, "Not implemented"
    about = "OData allows it, and this service has it not; `message` tells what to ask instead."


def answer_form(problem: Problem) -> tuple[str, bytes, tuple[tuple[str, str], ...]]:
    """The media type, the body and more headers of a problem."""
    error: Fields = {"code": problem.slug(), "message": in_options(problem)}
    details = [_detail(fault) for fault in problem.errors]
    if details:
        error["target"] = details[0]["target"]
        error["details"] = details
    return _MEDIA_TYPE, json_codec.dumps({"error": error}), (VERSION,)


def in_options(problem: Problem) -> str:
    """The detail, which names parameters as lists call them, with the options' names."""
    parameter = problem.errors[0].parameter if problem.errors else None
    option = _OPTIONS.get(parameter or "")
    return problem.detail.replace(f"{parameter}: ", f"{option}: ", 1) if option else problem.detail


def _detail(fault: Fault) -> Fields:
    parameter = fault.parameter or fault.pointer or ""
    return {
        "code": fault.code,
        "message": fault.detail,
        "target": _OPTIONS.get(parameter, parameter),
    }


class ODataErrors:
    """ASGI middleware that has problems below `/odata` told as OData does, and refuses batches."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    # No coroutine of its own: most requests pass here with nothing to be done.
    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] == "http" and f"{scope['path']}/".startswith(f"{ROOT}/"):
            scope[PROBLEM_FORM] = answer_form
            if scope["path"] == f"{ROOT}/$batch":
                raise NotSupported(
                    "$batch is not supported: send each request by itself (in UI5, the model's"
                    " groupId '$direct')."
                )
        return self.app(scope, receive, send)
