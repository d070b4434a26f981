"""The form that makes a receipt: its key stands in the form, so that no other page can send it."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import Message

from app.core import json_codec
from app.core.auth.principals import Permission
from app.core.errors import BadRequest, Problem
from app.core.http.dispatch import Handler, Route
from app.core.http.requests import check_type, parameters, read_content
from app.core.public_path import public_path

PATH = "/pages/receipts"
_FORM = ("application/x-www-form-urlencoded",)
_FIELDS = ("url", "note")
_SEE_OTHER = 303


class ReceiptFormRoute(Route):
    """POST /pages/receipts: makes the receipt that a form asks for, and leads to its page."""

    def __init__(self, routes: Sequence[Route]) -> None:
        found = (each for each in routes if each.path == "/receipts" and each.methods == {"POST"})
        self._create = next(found).get_route_handler()
        super().__init__(PATH, self._make, methods=("POST",), needs=Permission.WRITE)

    def get_route_handler(self) -> Handler:
        async def handle(request: Request) -> Response:
            request.scope["route_path"] = self.path
            try:
                return await self._make(request)
            except Problem as problem:
                from app.pages.shell import problem_page

                return problem_page(request, problem)

        return handle

    async def _make(self, request: Request) -> Response:
        check_type(request, _FORM)
        sent = _fields(await read_content(request))
        body = {name: sent[name] for name in _FIELDS if sent.get(name)}
        made = await self._create(_as_json(request, sent.get("key", "").strip(), body))
        key = json_codec.loads(bytes(made.body))["id"]
        query = f"?{text}" if (text := request.scope["query_string"].decode("ascii")) else ""
        return RedirectResponse(public_path(f"{PATH}/{key}") + query, _SEE_OTHER)


def _fields(content: bytes) -> dict[str, str]:
    try:
        return dict(parameters(content))
    except BadRequest:
        raise BadRequest("The form is not percent-encoded UTF-8 without NUL characters.") from None


def _as_json(request: Request, key: str, body: dict[str, str]) -> Request:
    """The request of whoever has the key. What the browser sends of its own accord, with any
    page's form, opens nothing."""
    headers = [
        (b"accept", b"application/json"),
        (b"content-type", b"application/json"),
        # Of a script no browser asks for a password of its own.
        (b"sec-fetch-mode", b"cors"),
    ]
    headers += [(b"authorization", b"Bearer " + key.encode())] if key else []
    scope = {**request.scope, "path": "/receipts", "query_string": b"", "headers": headers}
    content = json_codec.dumps(body)

    async def receive() -> Message:
        return {"type": "http.request", "body": content, "more_body": False}

    return Request(scope, receive)
