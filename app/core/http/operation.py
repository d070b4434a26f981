"""How an operation is declared: once, for what serves it and for the document."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from types import FunctionType
from typing import Annotated, get_args

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from app.core.auth.principals import Permission
from app.core.errors import BadRequest, Problem
from app.core.http.dispatch import Around, Route
from app.core.http.responses import problems
from app.core.loose_types import Fields, Value
from app.core.validation import Model

Json = Fields
Responses = dict[int | str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer of an operation: what it holds and the headers that it can have.

    Those that nearly every answer has are added by `core/http/documented_headers`.
    """

    status: int = 200
    #: Or what makes it, when the document is made.
    model: Model | Callable[[], Model] | None = None
    headers: tuple[str, ...] = ()
    description: str = ""
    #: What it holds by media type, as OpenAPI says it, where that is not JSON of the model.
    content: Mapping[str, Json] | None = None

    def made_model(self) -> Model | None:
        """The model itself."""
        return self.model if self.model is None or isinstance(self.model, type) else self.model()

    def documented(self) -> Json:
        """The answer as FastAPI takes it."""
        model = self.made_model()
        said = {"description": self.description, "content": self.content, "model": model}
        return {name: value for name, value in said.items() if value}


@dataclass(frozen=True, kw_only=True)
class Operation:
    """An operation: where it is found, what it takes and what it answers.

    Without a description it is described by the docstring of its endpoint.
    """

    method: str = "GET"
    path: str
    name: str
    summary: str
    tag: str
    description: str | None = None
    #: The first is what is answered when all is well.
    answers: tuple[Answer, ...]
    #: The problems that it can answer with, beside those that any operation can have.
    refusals: tuple[type[Problem], ...] = (BadRequest,)
    #: The headers that it understands, as OpenAPI describes parameters.
    parameters: tuple[Json, ...] = ()
    #: What OpenAPI says of the body beyond its model.
    body: Json | None = None
    needs: Permission | None = None
    several_forms: bool = False
    #: Why it takes no Idempotency-Key, where it does not.
    not_repeated: str | None = None
    #: Answers without reading the request further, where that can be told; else None.
    early: Callable[[Request], Awaitable[Response | None]] | None = None
    #: Answers by means of what the endpoint answers.
    around: Around | None = None

    def route(self, endpoint: Callable[..., Value]) -> Route:
        """The route on which the endpoint answers the operation."""
        route = self._route(
            endpoint,
            methods=[self.method],
            needs=self.needs,
            several_forms=self.several_forms or self.answers[0].content is not None,
        )
        route.documented = partial(self._documented, endpoint)
        route.operation_id, route.tags = self.name, [self.tag]
        route.early, route.not_repeated = self.early, self.not_repeated
        route.around = self.around
        route.answer_headers = {str(each.status): each.headers for each in self.answers}
        return route

    def _route(self, endpoint: Callable[..., Value], **options: Value) -> Route:
        return Route(self.path, endpoint, **options)

    def _documented(self, endpoint: Callable[..., Value]) -> APIRoute:
        """The operation as FastAPI describes it."""
        first = self.answers[0]
        options: Fields = {
            "methods": [self.method],
            "status_code": first.status,
            "operation_id": self.name,
            "summary": self.summary,
            "description": self.description,
            "tags": [self.tag],
            "response_model": first.made_model(),
            "response_description": first.description or HTTPStatus(first.status).phrase,
            "responses": self._responses(),
            "openapi_extra": self._extra(),
        }
        if first.content is not None:
            options["response_class"] = Response
        _make_models(endpoint)
        return APIRoute(self.path, endpoint, **options)

    def _responses(self) -> Responses:
        """The answers beside the first one, those without a body last, as one looks for them."""
        others = self.answers if self.answers[0].content is not None else self.answers[1:]
        with_body, empty = Responses(), Responses()
        for each in others:
            documented = each.documented()
            (with_body if documented.keys() & _BODY else empty)[each.status] = documented
        return with_body | problems(*self.refusals) | empty

    def _extra(self) -> Json | None:
        extra: Json = {}
        if self.parameters:
            extra["parameters"] = list(self.parameters)
        if self.body is not None:
            extra["requestBody"] = self.body
        return extra or None


_BODY = {"content", "model"}


def _make_models(endpoint: Callable[..., Value]) -> None:
    """Put the models of the endpoint's parameters in the place of what makes them."""
    for name, annotation in endpoint.__annotations__.items():
        model, *options = get_args(annotation) or (None,)
        if isinstance(model, FunctionType):
            endpoint.__annotations__[name] = Annotated[(model(), *options)]


def with_example(example: Value) -> Json:
    """What OpenAPI says of a body of JSON by way of an example."""
    return {"content": {"application/json": {"example": example}}}
