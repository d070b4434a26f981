"""Routes that FastAPI documents and that are served without its generic dependency solving."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from enum import Enum
from typing import Any, get_args
from urllib.parse import parse_qsl

from fastapi import Request
from fastapi.routing import APIRoute
from pydantic import BaseModel, PrivateAttr, ValidationError
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core import jsontext
from app.core.errors import (
    BadRequest,
    Fault,
    MethodNotAllowed,
    NotFound,
    TooLarge,
    UnsupportedMediaType,
    invalid_body,
    invalid_query,
)

JSON_TYPES = ("application/json", "application/merge-patch+json")
MAX_PARAMETERS = 200
MANY_BYTES = 256 * 1024

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class BodyMark(Enum):
    """Says of a body's annotation how it is read: `RAW` as parsed JSON, which the endpoint checks
    itself against the model that the document tells; `LARGE` up to the limit of imports."""

    RAW = "raw"
    LARGE = "large"


class Route(APIRoute):
    """A route whose endpoint takes the request, texts of the path, a query model and a body model.

    FastAPI's own handler resolves every declared filter of a list one by one at each request,
    which costs more than the database does; here only the parameters that were sent are looked at.
    """

    def get_route_handler(self) -> Handler:
        return lean_handler(self.endpoint)


def lean_handler(endpoint: Callable[..., Awaitable[Response]]) -> Handler:
    """A handler that reads what the endpoint's signature asks for and nothing else."""
    query: type[BaseModel] | None = None
    body: type[BaseModel] | None = None
    marks: Sequence[Any] = ()
    path: list[str] = []
    for parameter in inspect.signature(endpoint).parameters.values():
        if parameter.name == "query":
            query = get_args(parameter.annotation)[0]
        elif parameter.name == "body":
            body, *marks = get_args(parameter.annotation)
        elif parameter.name != "request":
            path.append(parameter.name)
    nothing = None
    if query is not None and not any(f.is_required() for f in query.model_fields.values()):
        nothing = query()

    async def handle(request: Request) -> Response:
        arguments: dict[str, Any] = {name: request.path_params[name] for name in path}
        sent = request.scope["query_string"]
        if query is None:
            if sent:
                raise _unexpected(sent)
        else:
            arguments["query"] = nothing if nothing and not sent else read_query(query, sent)
        if body is not None:
            check_type(request, JSON_TYPES)
            content = await read_content(request, large=BodyMark.LARGE in marks)
            request.scope["content"] = content
            if BodyMark.RAW not in marks:
                arguments["body"] = read_body(body, content)
            elif len(content) < MANY_BYTES:
                arguments["body"] = read_json(content)
            else:
                # The loop goes on serving others while a large body is parsed.
                arguments["body"] = await asyncio.to_thread(read_json, content)
        return await endpoint(request=request, **arguments)

    return handle


class OpenQuery(BaseModel):
    """A query model that keeps the parameters it does not declare, for the endpoint to judge."""

    _others: list[tuple[str, str]] = PrivateAttr(default_factory=list)

    @property
    def others(self) -> list[tuple[str, str]]:
        """Names and values of what was sent besides, in the order in which it was sent."""
        return self._others


def read_query(model: type[BaseModel], sent: bytes) -> BaseModel:
    """The query string as the model; BadRequest tells each wrong parameter."""
    pairs = _pairs(sent)
    others: list[tuple[str, str]] = []
    if issubclass(model, OpenQuery):
        others = [pair for pair in pairs if pair[0] not in model.model_fields]
        pairs = [pair for pair in pairs if pair[0] in model.model_fields]
    values = dict(pairs)
    if len(values) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        text = f"{twice!r} is given more than once."
        raise BadRequest(text, [Fault("repeated", text, parameter=twice)])
    try:
        query = model.model_validate(values)
    except ValidationError as error:
        raise invalid_query(error, model) from None
    if isinstance(query, OpenQuery):
        query._others = others
    return query


def _pairs(sent: bytes) -> list[tuple[str, str]]:
    try:
        text = sent.decode("ascii")
        pairs = parse_qsl(
            text, keep_blank_values=True, errors="strict", max_num_fields=MAX_PARAMETERS
        )
    except UnicodeDecodeError:
        raise BadRequest("The query string is not percent-encoded UTF-8.") from None
    except ValueError:
        # The one other thing that `parse_qsl` refuses.
        raise BadRequest(f"There are more than {MAX_PARAMETERS} parameters.") from None
    for name, value in pairs:
        if "\0" in name or "\0" in value:
            text = f"{name!r} holds a NUL character, which no record can hold."
            raise BadRequest(text, [Fault("nul", text, parameter=name)])
    return pairs


def _unexpected(sent: bytes) -> BadRequest:
    faults = [
        Fault("unknown", f"This address takes no parameter {name!r}.", parameter=name)
        for name, _ in _pairs(sent)
    ]
    return BadRequest("This address takes no parameters.", faults)


def check_type(request: Request, kinds: tuple[str, ...]) -> None:
    """Refuse (415) a body that is not of one of these types, or that is compressed."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    coding = request.headers.get("content-encoding", "identity").lower()
    told = ", ".join(reversed(kinds))
    allowed = {"Accept": told, "Accept-Patch": told, "Accept-Encoding": "identity"}
    if kind not in kinds:
        text = f"Send the body with Content-Type: {kinds[0]}; got {kind or 'none'}."
        raise UnsupportedMediaType(text, headers=allowed)
    if coding != "identity":
        raise UnsupportedMediaType(f"Send the body as it is, not as {coding}.", headers=allowed)


async def read_content(request: Request, large: bool = False) -> bytes:
    """The whole body; TooLarge (413) as soon as it is known to exceed the application's limit."""
    state = request.app.state
    limit: int = state.max_import if large else state.max_body
    told = request.headers.get("content-length", "0")
    content = bytearray()
    if not told.isdecimal() or int(told) <= limit:
        async for chunk in request.stream():
            content += chunk
            if len(content) > limit:
                break
        else:
            return bytes(content)
    raise TooLarge(f"The body is larger than {limit} bytes.", headers={"Connection": "close"})


def read_json(content: bytes) -> Any:
    """The body as JSON; 400 for what is not."""
    try:
        return jsontext.loads(content)
    except jsontext.JsonError as error:
        raise BadRequest(f"The body is not valid JSON: {error}.") from None


def read_body(model: type[BaseModel], content: bytes) -> BaseModel:
    """The JSON body as the model; 400 for what is not JSON, 422 for what breaks a rule."""
    return checked(model, read_json(content))


def checked(model: type[BaseModel], value: Any) -> BaseModel:
    """The value as the model; 422 for what breaks a rule."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise invalid_body(error, model) from None


class _Node:
    """A place in the tree of paths: literal steps first, then a parameter."""

    __slots__ = ("literal", "methods", "parameter", "suffixed")

    def __init__(self) -> None:
        self.literal: dict[str, _Node] = {}
        #: Steps such as `missions.{format}`, by what comes before the dot.
        self.suffixed: dict[str, tuple[str, _Node]] = {}
        self.parameter: tuple[str, _Node] | None = None
        self.methods: dict[str, Handler] = {}


class Dispatch:
    """ASGI middleware that finds a Route by walking its path's steps.

    Starlette tries one regular expression after another; with some two hundred routes that alone
    takes longer than answering. What is not found here goes on to the application.
    """

    def __init__(self, app: ASGIApp, routes: Iterable[Route]) -> None:
        self.app = app
        self.root = _Node()
        for route in routes:
            self._add(route)

    def _add(self, route: Route) -> None:
        node = self.root
        for step in route.path.strip("/").split("/"):
            if step.startswith("{"):
                name = step.strip("{}")
                node.parameter = node.parameter or (name, _Node())
                if node.parameter[0] != name:
                    raise ValueError(f"{route.path}: another route calls this step otherwise")
                node = node.parameter[1]
            elif ".{" in step:
                before, _, name = step.rstrip("}").partition(".{")
                node = node.suffixed.setdefault(before, (name, _Node()))[1]
            else:
                node = node.literal.setdefault(step, _Node())
        handler = lean_handler(route.endpoint)
        for method in route.methods or ():
            node.methods[method] = handler
        if "GET" in node.methods:
            node.methods.setdefault("HEAD", handler)

    def find(self, path: str) -> tuple[_Node, dict[str, str]] | None:
        """The node of a path and the texts of its parameters."""
        node, found = self.root, {}
        for step in path[1:].split("/"):
            inner = node.literal.get(step)
            before, dot, after = step.partition(".")
            if inner is None and dot and before in node.suffixed:
                name, inner = node.suffixed[before]
                found[name] = after
            elif inner is None:
                if node.parameter is None or not step:
                    return None
                found[node.parameter[0]] = step
                inner = node.parameter[1]
            node = inner
        return (node, found) if node.methods else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and "\0" in scope["path"]:
            raise NotFound("The address holds a NUL character, which nothing here has.")
        found = self.find(scope["path"]) if scope["type"] == "http" else None
        if found is None or scope.get("root_path"):
            await self.app(scope, receive, send)
            return
        node, scope["path_params"] = found
        handler = node.methods.get(scope["method"])
        if handler is None:
            raise not_allowed(scope["method"], node.methods)
        response = await handler(Request(scope, receive))
        await response(scope, receive, without_body(send) if scope["method"] == "HEAD" else send)


def not_allowed(method: str, methods: Iterable[str]) -> MethodNotAllowed:
    """The 405 that names the methods there are."""
    allowed = ", ".join(sorted(methods))
    return MethodNotAllowed(
        f"{method} is not possible here; possible: {allowed}.", headers={"Allow": allowed}
    )


def without_body(send: Send) -> Send:
    """A send for HEAD: the headers of GET, and no content (RFC 9110, 9.3.2)."""

    async def send_head(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return send_head
