"""What operations on records have in common, as they are declared: headers, answers, problems."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Protocol

from fastapi import Path

from app.core.errors import (
    BadRequest,
    Conflict,
    Invalid,
    NotFound,
    PreconditionFailed,
    PreconditionRequired,
    TooLarge,
    UnsupportedMediaType,
)
from app.core.http.dispatch import Route
from app.core.http.operation import Answer, Json, Operation
from app.core.loose_types import Value
from app.core.validation import Model
from app.engine.resource import Resource, read_models
from app.engine.schemas import KEY_PATTERN

Key = Annotated[
    str,
    Path(
        description="The record's id (a UUID) or its ref.",
        json_schema_extra={"pattern": KEY_PATTERN},
    ),
]
WRONG_BODY = (BadRequest, Conflict, TooLarge, UnsupportedMediaType, Invalid)
WRONG_CHANGE = (BadRequest, NotFound, PreconditionFailed, PreconditionRequired)
WRONG_WRITE = (*WRONG_BODY, *WRONG_CHANGE)


class Models(Protocol):
    """The schemas of records as read and of their lists, by name, or what makes them."""

    def __getitem__(self, name: str, /) -> Model | Callable[[], Model]: ...


class DocumentedModels:
    """Makes them together when the document first asks for one: nothing else needs them."""

    def __init__(self, resources: tuple[Resource, ...]) -> None:
        self._resources = resources

    @cached_property
    def _made(self) -> dict[str, Model]:
        return read_models(self._resources)

    def __getitem__(self, name: str, /) -> Callable[[], Model]:
        return lambda: self._made[name]


class ReadRoute(Route):
    """A route that shows records of a kind: the document tells what can be asked of them, and
    each filter of its fields when the route is `filtered`."""

    resource: Resource
    filtered: bool


@dataclass(frozen=True, kw_only=True)
class RecordsOperation(Operation):
    """An operation that shows records of a kind, by default those that its filters find."""

    resource: Resource
    filtered: bool = True

    def _route(self, endpoint: Callable[..., Value], **options: Value) -> ReadRoute:
        route = ReadRoute(self.path, endpoint, **options)
        route.resource, route.filtered = self.resource, self.filtered
        return route


def snake(text: str) -> str:
    """A name for programs: `reported totals` as `reported_totals`."""
    return text.replace("-", "_").replace(" ", "_")


def _header(name: str, description: str, **schema: Value) -> Json:
    schema = {"type": "string", **schema}
    return {"name": name, "in": "header", "schema": schema, "description": description}


IDEMPOTENCY_KEY = _header(
    "Idempotency-Key",
    "Names this request, so that sending it again within 24 hours stores nothing"
    " twice but gives the first answer again. Best a new UUID.",
    pattern=r"^[\x20-\x7e]*[\x21-\x7e]$",
    maxLength=255,
)
_TAG = '(W/)?"[!#-~]*"'
_TAGS = rf"^(\*|{_TAG}([ \t]*,[ \t]*{_TAG})*,?)$"
IF_MATCH = _header(
    "If-Match",
    "The ETag of the record as you have read it: 412 when it has changed since.",
    pattern=_TAGS,
)
IF_NONE_MATCH = _header(
    "If-None-Match",
    "The ETag of an answer that you have: 304 without content when it still holds.",
    pattern=_TAGS,
)
CREATE_ONLY = {
    **IF_NONE_MATCH,
    "description": "`*` creates the record: 412 when there is one already.",
}
PREFER = _header("Prefer", "`return=minimal` leaves the record out of the answer (RFC 7240).")
BULK_PREFER = _header(
    "Prefer",
    "`handling=lenient` stores what is right and tells what is not (207);"
    " `return=minimal` leaves out the result of each operation (RFC 7240).",
)
IMPORT_PREFER = _header(
    "Prefer",
    "`handling=lenient` stores the good rows and tells what is wrong with the"
    " others (207); `return=minimal` leaves out the answer's body (RFC 7240).",
    maxLength=200,
)

#: Headers of answers that can be asked for again with If-None-Match.
TAGGED = ("ETag", "Vary")
NOT_MODIFIED = Answer(
    status=304,
    headers=TAGGED,
    description="Not modified: the answer is the one that you have.",
)
#: Headers of what a write answers, and of a record as it has left it.
DONE = ("Dry-Run", "Preference-Applied")
WRITTEN = (*DONE, "ETag")
#: How many records of which kinds went to the trash, or came back, with the one that was meant.
AFFECTED_PARTS = "Affected-Parts"
#: Headers of an answer that is given again to the same Idempotency-Key.
REPEATABLE = (*DONE, "Idempotency-Replayed")


def created_answer(model: Model | Callable[[], Model], *headers: str) -> Answer:
    """201 with a record of the model."""
    return Answer(
        status=201,
        model=model,
        headers=headers,
        description="Created. With `Prefer: return=minimal` without content.",
    )


def minimal_answer(headers: tuple[str, ...]) -> Answer:
    """204, in place of a 200 with these headers."""
    text = "Done; `Prefer: return=minimal` asked for no more."
    return Answer(status=204, headers=headers, description=text)
