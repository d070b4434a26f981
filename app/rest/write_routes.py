"""The HTTP operations that write one record, each a small function that can be used alone."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import Body, Query, Request
from sqlalchemy.orm import Session
from starlette.responses import Response

from app.core.auth.principals import Permission, Principal
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
from app.core.http.conditional import tags_in
from app.core.http.dispatch import BodyMark, Endpoint, Route
from app.core.http.responses import problems
from app.core.loose_types import Json, Responses
from app.engine.query.parameters import VersionNumber
from app.engine.resource import Resource
from app.engine.schemas import Flag
from app.engine.writes import store
from app.engine.writes.nested import create_nested, nested_model
from app.engine.writes.purge import purge
from app.engine.writes.store import Stored
from app.rest.preconditions import guard_of, headers_of
from app.rest.read_routes import Key, Models, snake
from app.rest.transactions import WriteResult
from app.rest.write_handlers import WriteQuery, answer_write

WRONG_BODY = (BadRequest, Conflict, TooLarge, UnsupportedMediaType, Invalid)
WRONG_CHANGE = (BadRequest, NotFound, PreconditionFailed, PreconditionRequired)
WRONG_WRITE = (*WRONG_BODY, *WRONG_CHANGE)
#: Headers that an operation understands, for its document.
IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "schema": {"type": "string", "pattern": r"^[\x20-\x7e]*[\x21-\x7e]$", "maxLength": 255},
    "description": "Names this request, so that sending it again within 24 hours stores nothing"
    " twice but gives the first answer again. Best a new UUID.",
}
_TAG = '(W/)?"[!#-~]*"'
_TAGS = rf"^(\*|{_TAG}([ \t]*,[ \t]*{_TAG})*,?)$"
IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "schema": {"type": "string", "pattern": _TAGS},
    "description": "The ETag of the record as you have read it: 412 when it has changed since.",
}
IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "schema": {"type": "string", "pattern": _TAGS},
    "description": "The ETag of an answer that you have: 304 without content when it still holds.",
}
CREATE_ONLY = {
    **IF_NONE_MATCH,
    "description": "`*` creates the record: 412 when there is one already.",
}
PREFER = {
    "name": "Prefer",
    "in": "header",
    "schema": {"type": "string"},
    "description": "`return=minimal` leaves the record out of the answer (RFC 7240).",
}


class RestoreQuery(WriteQuery):
    """Parameters of bringing a record back."""

    version: VersionNumber | None = None
    """An earlier version of the record, whose values it is given again, as a new change."""


class DeleteQuery(WriteQuery):
    """Parameters of a deletion."""

    purge: Flag = False
    """`true` deletes for good, which needs the scope `admin` and a record that nothing refers to:
    the log of changes keeps that there was one, and nothing of what it said."""


def create_route(resource: Resource, models: Models) -> Route:
    """POST /missions"""
    model = nested_model(resource)

    async def endpoint(
        request: Request,
        body: Annotated[model, Body(), BodyMark.RAW],  # type: ignore[valid-type]
        query: Annotated[WriteQuery, Query()],
    ) -> Response:
        def work(session: Session) -> WriteResult:
            return created(resource, create_nested(session, resource, body))

        return await answer_write(request, work, query, resource)

    return Route(
        f"/{resource.path}",
        endpoint,
        methods=["POST"],
        status_code=201,
        operation_id=f"create_{snake(resource.singular)}",
        summary=f"Create one {resource.singular}",
        description="Answers with the record as stored; Location is its address. What lies under"
        " it can be created with it, and in place of an `x_id` an object `x` can stand: a new"
        " record, or the `ref` of one.",
        tags=[resource.path],
        response_model=models[resource.name],
        openapi_extra={"parameters": [IDEMPOTENCY_KEY, PREFER]},
        responses=problems(*WRONG_BODY),
    )


def created(resource: Resource, stored: Stored) -> WriteResult:
    """201 with the new record and its address."""
    headers = {"Location": f"/{resource.path}/{stored.id}", **headers_of(resource, stored)}
    return WriteResult(stored.body, 201, headers)


def changed(resource: Resource, stored: Stored) -> WriteResult:
    """200 with the record as it is now."""
    return WriteResult(stored.body, 200, headers_of(resource, stored))


def update_route(resource: Resource, models: Models) -> Route:
    """PATCH /missions/{key}"""
    model = resource.patch

    async def endpoint(
        request: Request,
        key: Key,
        body: Annotated[model, Body()],  # type: ignore[valid-type]
        query: Annotated[WriteQuery, Query()],
    ) -> Response:
        guard = guard_of(request, resource)

        def work(session: Session) -> WriteResult:
            return changed(resource, store.update(session, resource, key, body, guard))

        return await answer_write(request, work, query, resource)

    text = (
        "A JSON merge patch (RFC 7396): a field that is absent keeps its value, null clears it, a"
        " list replaces the whole list. A patch that changes nothing leaves the version."
    )
    return _one(resource, endpoint, models, "update", "PATCH", "Change one {}", text)


def replace_route(resource: Resource, models: Models) -> Route:
    """PUT /missions/{key}"""
    model = resource.create

    async def endpoint(
        request: Request,
        key: Key,
        body: Annotated[model, Body()],  # type: ignore[valid-type]
        query: Annotated[WriteQuery, Query()],
    ) -> Response:
        if tags_in(request, "if-none-match") == ["*"]:
            return await answer_write(
                request,
                lambda session: created(resource, store.create_at(session, resource, key, body)),
                query,
                resource,
            )
        guard = guard_of(request, resource)

        def work(session: Session) -> WriteResult:
            return changed(resource, store.replace(session, resource, key, body, guard))

        return await answer_write(request, work, query, resource)

    text = (
        "Sets every field: those that the body does not name get their defaults. With"
        " `If-None-Match: *` it creates the record, at an id or ref of your own; 412 when there is"
        " one already."
    )
    created_too: Responses = {201: {"description": "Created.", "model": models[resource.name]}}
    headers = [IF_MATCH, CREATE_ONLY, PREFER]
    names = ("replace", "PUT", "Replace one {}", text)
    return _one(resource, endpoint, models, *names, also=created_too, headers=headers)


def delete_route(resource: Resource) -> Route:
    """DELETE /missions/{key}"""

    async def endpoint(
        request: Request, key: Key, query: Annotated[DeleteQuery, Query()]
    ) -> Response:
        if query.purge:
            caller: Principal = request.scope["caller"]
            caller.check(Permission.ADMIN)
        guard = guard_of(request, resource)

        def work(session: Session) -> WriteResult:
            (purge if query.purge else store.delete)(session, resource, key, guard)
            return WriteResult(status=204)

        return await answer_write(request, work, query, resource)

    return Route(
        f"/{resource.path}/{{key}}",
        endpoint,
        methods=["DELETE"],
        status_code=204,
        operation_id=f"delete_{snake(resource.singular)}",
        summary=f"Move one {resource.singular} to the trash",
        description="Nothing is lost: what refers to the record still does; it can be restored."
        " With `purge=true` an admin deletes for good what nothing refers to.",
        tags=[resource.path],
        openapi_extra={"parameters": [IF_MATCH]},
        responses=problems(*WRONG_CHANGE, Conflict),
    )


def restore_route(resource: Resource, models: Models) -> Route:
    """POST /missions/{key}/restore"""

    async def endpoint(
        request: Request, key: Key, query: Annotated[RestoreQuery, Query()]
    ) -> Response:
        guard = guard_of(request, resource)
        version = query.version

        def work(session: Session) -> WriteResult:
            if version is None:
                return changed(resource, store.restore(session, resource, key, guard))
            stored = store.restore_version(session, resource, key, version, guard)
            return changed(resource, stored)

        return await answer_write(request, work, query, resource)

    summary = "Bring one {} back from the trash, or back to an earlier version"
    text = (
        "Without `version`, one that is not in the trash stays as it is. With it, the record gets"
        " the values of that version, as a new change that today's rules must allow."
    )
    return _one(resource, endpoint, models, "restore", "POST", summary, text, "/restore")


def write_routes(resource: Resource, models: Models) -> list[Route]:
    """Every operation that writes one record of the resource."""
    return [
        create_route(resource, models),
        update_route(resource, models),
        replace_route(resource, models),
        delete_route(resource),
        restore_route(resource, models),
    ]


def _one(
    resource: Resource,
    endpoint: Endpoint,
    models: Models,
    verb: str,
    method: str,
    summary: str,
    description: str,
    suffix: str = "",
    also: Responses = {},  # noqa: B006 (it never changes)
    headers: Sequence[Json] = (IF_MATCH, PREFER),
) -> Route:
    """An operation on one record that answers with the record."""
    return Route(
        f"/{resource.path}/{{key}}{suffix}",
        endpoint,
        methods=[method],
        operation_id=f"{verb}_{snake(resource.singular)}",
        summary=summary.format(resource.singular),
        description=description,
        tags=[resource.path],
        response_model=models[resource.name],
        openapi_extra={"parameters": list(headers)},
        responses={**also, **problems(*WRONG_WRITE)},
    )
