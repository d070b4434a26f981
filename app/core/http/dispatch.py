"""Routes that FastAPI documents and that are served without it."""

import asyncio
import inspect
import re
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from enum import Enum
from functools import partial
from typing import Self, get_args

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route as PathRoute
from starlette.routing import compile_path, request_response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.auth.principals import Permission
from app.core.errors import BadRequest, Fault, NotFound, Problem, not_allowed
from app.core.http.accept import check_accept
from app.core.http.app_state import state_of
from app.core.http.moved import located
from app.core.http.nearest_addresses import Known, Tree, misspelt, suggestion, tree_of
from app.core.http.requests import (
    JSON_TYPES,
    check_type,
    idempotency_key,
    read_body,
    read_content,
    read_json,
    read_query,
    unexpected,
)
from app.core.loose_types import Fields
from app.core.public_path import public_root
from app.core.validation import Model

#: From how many bytes on a body is parsed in a thread.
MANY_BYTES = 256 * 1024
_READING = ("GET", "HEAD")
_PARAMETER = re.compile(r"\{\w+(:path)?\}")

Handler = Callable[[Request], Coroutine[object, object, Response]]
Endpoint = Callable[..., Awaitable[Response]]
#: Answers by means of the handler that it is given.
Around = Callable[[Handler, Request], Coroutine[object, object, Response]]


class BodyMark(Enum):
    """Says of a body's annotation how it is read: `RAW` as parsed JSON, which the endpoint checks
    itself, so that in the model's place can stand what makes it for the document; `LARGE` up to
    the limit of imports."""

    RAW = "raw"
    LARGE = "large"


class Route(PathRoute):
    """A route whose endpoint takes the request, texts of the path, a query model and a body model.

    FastAPI's own handler resolves every declared filter of a list one by one at each request,
    which costs more than the database does; here only the parameters that were sent are looked at.
    """

    #: Makes what FastAPI makes of it, for the document alone: with the models of all answers it
    #: would take 0.2 s and 16 MB of each process at its start.
    documented: Callable[[], APIRoute]
    operation_id = ""
    tags: Sequence[str] = ()
    #: Answers without reading the request further, where that can be told; else None.
    early: Callable[[Request], Awaitable[Response | None]] | None = None
    #: Why it takes no Idempotency-Key, where it does not.
    not_repeated: str | None = None
    #: Answers by means of what the endpoint answers.
    around: Around | None = None

    #: Routes are made once in a process, and what is made of them is remembered by them.
    __hash__ = object.__hash__

    def __init__(
        self,
        path: str,
        endpoint: Endpoint,
        *,
        methods: Sequence[str] = ("GET",),
        needs: Permission | None = None,
        several_forms: bool = False,
    ) -> None:
        super().__init__(path, endpoint)
        # HEAD comes with GET, and is told of nowhere.
        self.methods = {*methods}
        #: Texts that are known to stand in its parameters, for whoever misspells them.
        self.known: Known = {}
        #: Whether its last parameter is all the rest of the path.
        self.has_slashes = False
        #: The headers that its answers can have, by status; for the document.
        self.answer_headers: dict[str, tuple[str, ...]] = {}
        reads = self.methods == {"GET"}
        #: Whether it reads and answers with JSON alone: else it looks at Accept by itself.
        self.is_json = reads and not several_forms and needs is not Permission.PUBLIC
        #: What it asks of a caller; by default reading of GET, and the scope `write` of the rest.
        self.needs = needs or (Permission.READ_OR_PUBLIC if reads else Permission.WRITE)
        self.app = request_response(self.get_route_handler())

    def take_slashes(self) -> Self:
        """Let the last parameter of the path hold slashes too."""
        self.has_slashes = True
        path = f"{self.path.removesuffix('}')}:path}}"
        self.path_regex, self.path_format, self.param_convertors = compile_path(path)
        return self

    def get_route_handler(self) -> Handler:
        """What answers the route, whoever calls it: the authorizer is asked in here."""
        answer = lean_handler(self.endpoint)
        if self.around is not None:
            answer = partial(self.around, answer)
        # Files are fetched by programs that cannot send headers.
        is_file = self.path.endswith((".{format}", ".csv", ".ics", ".atom", "/{file}"))

        async def handle(request: Request) -> Response:
            request.scope["route_path"] = self.path
            authorizer = state_of(request).authorizer
            headers = await authorizer.authorize(request.scope, self.needs, is_file)
            try:
                check_accept(request.scope["headers"], is_json=self.is_json)
                if request.method not in _READING:
                    self._check_idempotency_key(request)
                early = None if self.early is None else await self.early(request)
                response = early or await answer(request)
            except Problem as error:
                problem = located(request, self.path, error)
                problem.headers |= {name.decode(): value.decode() for name, value in headers}
                raise problem from None
            response.raw_headers += headers
            return response

        return handle

    def _check_idempotency_key(self, request: Request) -> None:
        """Refuse a key that is none, or that would not do what whoever sends it relies on."""
        if idempotency_key(request) is not None and self.not_repeated is not None:
            text = f"This takes no Idempotency-Key: {self.not_repeated}"
            raise BadRequest(text, [Fault("idempotency_key", text, parameter="Idempotency-Key")])


def lean_handler(endpoint: Endpoint) -> Handler:
    """A handler that reads what the endpoint's signature asks for and nothing else."""
    query: Model | None = None
    body: Model | None = None
    options: Sequence[object] = ()
    path: list[str] = []
    for parameter in inspect.signature(endpoint).parameters.values():
        if parameter.name == "query":
            query = get_args(parameter.annotation)[0]
        elif parameter.name == "body":
            body, *options = get_args(parameter.annotation)
        elif parameter.name != "request":
            path.append(parameter.name)
    nothing = None
    if query is not None and not any(f.is_required() for f in query.model_fields.values()):
        nothing = query()

    async def handle(request: Request) -> Response:
        arguments: Fields = {name: request.path_params[name] for name in path}
        # What stands around it has read some of the query.
        sent = request.scope.get("query_left", request.scope["query_string"])
        if query is None:
            if sent:
                raise unexpected(sent)
        else:
            also = request.scope.get("also_read", ())
            arguments["query"] = nothing if nothing and not sent else read_query(query, sent, also)
        if body is not None:
            check_type(request, JSON_TYPES)
            content = await read_content(request, large=BodyMark.LARGE in options)
            request.scope["content"] = content
            read = read_json if BodyMark.RAW in options else partial(read_body, body)
            if len(content) < MANY_BYTES:
                arguments["body"] = read(content)
            else:
                # The loop goes on serving others while a large body is parsed.
                arguments["body"] = await asyncio.to_thread(read, content)
        return await endpoint(request=request, **arguments)

    return handle


def most_literal(routes: Iterable[Route], path: str) -> tuple[Route, dict[str, str]] | None:
    """The route that the path is of, and the texts of its parameters: of several the one of which
    most stands in the path as it is, before what any key could be."""
    matches = ((route, route.path_regex.match(path)) for route in routes)
    found = [(route, match.groupdict()) for route, match in matches if match]
    return max(found, key=lambda each: len(_PARAMETER.sub("", each[0].path)), default=None)


class _Node:
    """A place in the tree of paths: literal steps first, then a parameter."""

    __slots__ = ("dotted", "has_slashes", "literal", "methods", "parameter", "suffixed")

    def __init__(self) -> None:
        self.literal: dict[str, _Node] = {}
        #: Steps such as `missions.{format}`, by what comes before the dot.
        self.suffixed: dict[str, tuple[str, _Node]] = {}
        #: A step `{name}.{format}`, which goes before one that is a parameter alone.
        self.dotted: tuple[str, str, _Node] | None = None
        self.parameter: tuple[str, _Node] | None = None
        self.methods: dict[str, Handler] = {}
        self.has_slashes = False


#: Another answer to whoever asks for an address that is not there; None without one.
Unknown = Callable[[Request, NotFound], Response | None]


class Dispatch:
    """ASGI middleware that finds a Route by walking its path's steps.

    Starlette tries one regular expression after another; with some two hundred routes that alone
    takes longer than answering. What is not found here goes on to the application: its pages.
    """

    def __init__(
        self, app: ASGIApp, routes: Iterable[Route], unknown: Unknown | None = None
    ) -> None:
        self.app, self._unknown = app, unknown
        self.root = _Node()
        #: All addresses there are, pages too: made when one is asked for that is not there.
        self._tree: Tree | None = None
        for route in routes:
            self._add(route)

    def _add(self, route: Route) -> None:
        node = self.root
        for step in route.path.strip("/").split("/"):
            if "}.{" in step:
                before, _, name = step.strip("{}").partition("}.{")
                node.dotted = node.dotted or (before, name, _Node())
                if node.dotted[:2] != (before, name):
                    raise ValueError(f"{route.path}: another route calls this step otherwise")
                node = node.dotted[2]
            elif step.startswith("{"):
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
        handler = route.get_route_handler()
        node.has_slashes = route.has_slashes
        for method in route.methods or ():
            node.methods[method] = handler
        if "GET" in node.methods:
            node.methods.setdefault("HEAD", node.methods["GET"])

    def find(self, path: str) -> tuple[_Node, dict[str, str]] | None:
        """The node of a path and the texts of its parameters."""
        node, found = self.root, {}
        steps = path[1:].split("/")
        for at, step in enumerate(steps):
            inner = node.literal.get(step)
            before, dot, after = step.partition(".")
            if inner is None and dot and before in node.suffixed:
                name, inner = node.suffixed[before]
                found[name] = after
            elif inner is None and dot and node.dotted is not None:
                name, other, inner = node.dotted
                found |= {name: before, other: after}
            elif inner is None:
                if node.parameter is None:
                    return None
                name, inner = node.parameter
                if inner.has_slashes and len(steps) > at + 1:
                    return inner, {**found, name: "/".join(steps[at:])}
                if not step and not inner.has_slashes:
                    return None
                found[name] = step
            node = inner
        return (node, found) if node.methods else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and "\0" in scope["path"]:
            raise NotFound("The address holds a NUL character, which nothing here has.")
        found = self.find(scope["path"]) if scope["type"] == "http" else None
        if found is None:
            try:
                await self.app(scope, receive, send)
            except HTTPException as error:
                problem = self._with_nearest(error, scope)
                if (response := self._told(problem, Request(scope))) is None:
                    raise problem from None
                await response(scope, receive, send)
            return
        node, scope["path_params"] = found
        handler = node.methods.get(scope["method"])
        if handler is None:
            raise not_allowed(scope["method"], node.methods)
        try:
            response = await handler(Request(scope, receive))
        except NotFound as problem:
            # A misspelt `/missions/aggregate` asks for a record with that key.
            problem.detail += misspelt(self._addresses(scope), scope["path"], public_root())
            raise
        await response(scope, receive, without_body(send) if scope["method"] == "HEAD" else send)

    def _told(self, problem: Exception, request: Request) -> Response | None:
        """How an address that is not there is told otherwise than by the problem; None where it is
        not."""
        if self._unknown is None or not isinstance(problem, NotFound):
            return None
        return self._unknown(request, problem)

    def _addresses(self, scope: Scope) -> Tree:
        if self._tree is None:
            self._tree = tree_of(scope["app"].router.routes)
        return self._tree

    def _with_nearest(self, error: HTTPException, scope: Scope) -> Exception:
        """The 404 of an address that is not there, with the nearest that are."""
        if error.status_code != 404:
            return error
        near = suggestion(self._addresses(scope), scope["path"], public_root())
        return NotFound(f"There is no such address. {near}", headers=error.headers)


def without_body(send: Send) -> Send:
    """A send for HEAD: the headers of GET, and no content (RFC 9110, 9.3.2)."""

    async def send_head(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return send_head
