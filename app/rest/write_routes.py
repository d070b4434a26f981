"""The HTTP operations that write one record, each a small function that can be used alone."""

from typing import Annotated

from fastapi import Body, Query, Request
from pydantic import BaseModel
from sqlalchemy.orm import Session
from starlette.responses import Response

from app.core.auth.principals import Permission, Principal
from app.core.errors import Conflict
from app.core.http.conditional import tags_in
from app.core.http.dispatch import BodyMark, Route
from app.core.http.operation import Answer, Operation
from app.core.validation import Model
from app.engine.history.change_log import Action
from app.engine.query.parameters import VersionNumber
from app.engine.resource import Resource
from app.engine.schemas import Flag
from app.engine.writes import store
from app.engine.writes.nested import change_at, create_nested, read_flat
from app.engine.writes.nested_schemas import nested_model, patch_model, whole_model
from app.engine.writes.parts import has_parts
from app.engine.writes.purge import purge
from app.engine.writes.store import Stored
from app.rest.handlers import epoch_of
from app.rest.idempotency import forget_answers
from app.rest.merge_routes import merge_routes
from app.rest.operations import (
    AFFECTED_PARTS,
    CREATE_ONLY,
    IDEMPOTENCY_KEY,
    IF_MATCH,
    PREFER,
    WRITTEN,
    WRONG_BODY,
    WRONG_CHANGE,
    WRONG_WRITE,
    Key,
    Models,
    created_answer,
    minimal_answer,
    snake,
)
from app.rest.preconditions import guard_of, headers_of
from app.rest.transactions import WriteResult
from app.rest.write_handlers import WriteQuery, answer_write


class RestoreQuery(WriteQuery):
    """Parameters of bringing a record back."""

    version: VersionNumber | None = None
    """An earlier version of the record, whose values it is given again, as a new change."""


class DeleteQuery(WriteQuery):
    """Parameters of a deletion."""

    purge: Flag = False
    """`true` deletes for good, which needs the scope `admin` and a record that nothing refers to:
    the log of changes keeps that there was one, and nothing of what it said."""


#: Headers of a new record.
CREATED = ("Dry-Run", "Location", "Preference-Applied", "Idempotency-Replayed", "ETag")


def create_route(resource: Resource, models: Models) -> Route:
    """POST /missions"""

    def model() -> Model:
        return nested_model(resource)

    async def endpoint(
        request: Request,
        body: Annotated[model, Body(), BodyMark.RAW],  # type: ignore[valid-type]
        query: Annotated[WriteQuery, Query()],
    ) -> Response:
        # Read before it waits for its turn to write.
        flat = read_flat(resource, body)
        epoch = await epoch_of(request)

        def work(session: Session) -> WriteResult:
            if flat is None:
                return created(resource, create_nested(session, resource, body), epoch)
            return created(resource, store.create(session, resource, flat), epoch)

        return await answer_write(request, work, query, resource)

    return Operation(
        method="POST",
        path=f"/{resource.path}",
        name=f"create_{snake(resource.singular)}",
        summary=f"Create one {resource.singular}",
        description="Answers with the record as stored; Location is its address. What lies under"
        " it can be created with it, and in place of an `x_id` an object `x` can stand: a new"
        " record, or the `ref` of one.",
        tag=resource.path,
        parameters=(IDEMPOTENCY_KEY, PREFER),
        answers=(created_answer(models[resource.name], *CREATED),),
        refusals=WRONG_BODY,
    ).route(endpoint)


def created(resource: Resource, stored: Stored, epoch: str) -> WriteResult:
    """201 with the new record and its address."""
    headers = {"Location": f"/{resource.path}/{stored.id}", **headers_of(resource, stored, epoch)}
    return WriteResult(stored.body, 201, headers)


def changed(resource: Resource, stored: Stored, epoch: str) -> WriteResult:
    """200 with the record as it is now."""
    return WriteResult(
        stored.body, 200, {**headers_of(resource, stored, epoch), **parts_header(stored)}
    )


def parts_header(stored: Stored) -> dict[str, str]:
    """How many records went with this one (a dictionary of RFC 9651): `agreements=6, events=2`."""
    parts = (stored.parts or {}).items()
    return {AFFECTED_PARTS: ", ".join(f"{path}={count}" for path, count in parts)} if parts else {}


def update_route(resource: Resource, models: Models) -> Route:
    """PATCH /missions/{key}"""

    def model() -> Model:
        return patch_model(resource)

    async def endpoint(
        request: Request,
        key: Key,
        body: Annotated[model, Body(), BodyMark.RAW],  # type: ignore[valid-type]
        query: Annotated[WriteQuery, Query()],
    ) -> Response:
        flat, guard = read_flat(resource, body, resource.patch), guard_of(request, resource)
        epoch = await epoch_of(request)

        def work(session: Session) -> WriteResult:
            if flat is None:
                stored = change_at(session, resource, key, body, Action.UPDATE, guard(session))
            else:
                stored = store.update(session, resource, key, flat, guard(session))
            return changed(resource, stored, epoch)

        return await answer_write(request, work, query, resource)

    return Operation(
        method="PATCH",
        path=f"/{resource.path}/{{key}}",
        name=f"update_{snake(resource.singular)}",
        summary=f"Change one {resource.singular}",
        description="A JSON merge patch (RFC 7396): a field that is absent keeps its value, null"
        " clears it, a list replaces the whole list.",
        tag=resource.path,
        parameters=(IF_MATCH, PREFER),
        answers=_changed_answers(resource, models),
        refusals=WRONG_WRITE,
    ).route(endpoint)


def replace_route(resource: Resource, models: Models) -> Route:
    """PUT /missions/{key}"""

    def model() -> Model:
        return whole_model(resource)

    async def endpoint(
        request: Request,
        key: Key,
        body: Annotated[model, Body(), BodyMark.RAW],  # type: ignore[valid-type]
        query: Annotated[WriteQuery, Query()],
    ) -> Response:
        flat, epoch = read_flat(resource, body), await epoch_of(request)

        def create(session: Session, resource: Resource, new: BaseModel) -> Stored:
            return store.create_at(session, resource, key, new)

        if tags_in(request, "if-none-match") == ["*"]:
            return await answer_write(
                request,
                lambda session: created(
                    resource,
                    create_nested(session, resource, body, create)
                    if flat is None
                    else create(session, resource, flat),
                    epoch,
                ),
                query,
                resource,
            )
        guard = guard_of(request, resource)

        def work(session: Session) -> WriteResult:
            if flat is None:
                stored = change_at(session, resource, key, body, Action.REPLACE, guard(session))
            else:
                stored = store.replace(session, resource, key, flat, guard(session))
            return changed(resource, stored, epoch)

        return await answer_write(request, work, query, resource)

    changed_answer, without_body = _changed_answers(resource, models)
    headers = ("Dry-Run", "Location", "Preference-Applied", "ETag")
    return Operation(
        method="PUT",
        path=f"/{resource.path}/{{key}}",
        name=f"replace_{snake(resource.singular)}",
        summary=f"Replace one {resource.singular}",
        description="Sets every field: those that the body does not name get their defaults. With"
        " `If-None-Match: *` it creates the record, at an id or ref of your own.",
        tag=resource.path,
        parameters=(IF_MATCH, CREATE_ONLY, PREFER),
        answers=(changed_answer, created_answer(models[resource.name], *headers), without_body),
        refusals=WRONG_WRITE,
    ).route(endpoint)


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
            if query.purge:
                forget_answers(session, purge(session, resource, key, guard(session)))
                return WriteResult(status=204)
            stored = store.delete(session, resource, key, guard(session))
            return WriteResult(status=204, headers=parts_header(stored))

        return await answer_write(request, work, query, resource)

    return Operation(
        method="DELETE",
        path=f"/{resource.path}/{{key}}",
        name=f"delete_{snake(resource.singular)}",
        summary=f"Move one {resource.singular} to the trash",
        description="Nothing is lost: what refers to the record still does; it can be restored."
        f"{_PARTS if has_parts(resource) else ''}"
        " With `purge=true` an admin deletes for good what nothing refers to.",
        tag=resource.path,
        parameters=(IF_MATCH,),
        answers=(Answer(status=204, headers=("Dry-Run", *_parts_headers(resource))),),
        refusals=(*WRONG_CHANGE, Conflict),
    ).route(endpoint)


def restore_route(resource: Resource, models: Models) -> Route:
    """POST /missions/{key}/restore"""

    async def endpoint(
        request: Request, key: Key, query: Annotated[RestoreQuery, Query()]
    ) -> Response:
        guard, epoch = guard_of(request, resource), await epoch_of(request)
        version = query.version

        def work(session: Session) -> WriteResult:
            if version is None:
                stored = store.restore(session, resource, key, guard(session))
            else:
                stored = store.restore_version(session, resource, key, version, guard(session))
            return changed(resource, stored, epoch)

        return await answer_write(request, work, query, resource)

    return Operation(
        method="POST",
        path=f"/{resource.path}/{{key}}/restore",
        name=f"restore_{snake(resource.singular)}",
        summary=f"Bring one {resource.singular} back from the trash, or back to an earlier version",
        description="One that is not in the trash stays as it is.",
        tag=resource.path,
        parameters=(IF_MATCH, PREFER),
        answers=_changed_answers(resource, models, *_parts_headers(resource)),
        refusals=WRONG_WRITE,
    ).route(endpoint)


def write_routes(resource: Resource, models: Models) -> list[Route]:
    """Every operation that writes one record of the resource."""
    return [
        create_route(resource, models),
        update_route(resource, models),
        replace_route(resource, models),
        delete_route(resource),
        restore_route(resource, models),
        *(merge_routes(resource, models) if resource.is_mergeable else ()),
    ]


def _changed_answers(resource: Resource, models: Models, *also: str) -> tuple[Answer, Answer]:
    """200 with the record as it is now, and 204 in its place; `also` are more headers of both."""
    headers = (*WRITTEN, *also)
    return Answer(model=models[resource.name], headers=headers), minimal_answer(headers)


_PARTS = " What is part of it goes and comes back with it."


def _parts_headers(resource: Resource) -> tuple[str, ...]:
    return (AFFECTED_PARTS,) if has_parts(resource) else ()
