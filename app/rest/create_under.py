"""The HTTP operations that create a record under another one, where it is listed too."""

from typing import Annotated

from fastapi import Body, Query, Request
from sqlalchemy.orm import Session
from starlette.responses import Response

from app.core.errors import NotFound
from app.core.http.dispatch import BodyMark, Route
from app.core.http.operation import Operation
from app.core.validation import Model
from app.engine.resource import Resource, SubCollection
from app.engine.writes import store
from app.engine.writes.nested import create_under
from app.engine.writes.nested_schemas import child_model, nested_in
from app.rest.handlers import epoch_of
from app.rest.operations import (
    IDEMPOTENCY_KEY,
    PREFER,
    WRONG_BODY,
    Key,
    Models,
    created_answer,
    snake,
)
from app.rest.transactions import WriteResult
from app.rest.write_handlers import WriteQuery, answer_write
from app.rest.write_routes import CREATED, created


def create_under_route(collection: SubCollection, models: Models) -> Route:
    """POST /missions/{key}/agreements"""
    parent, child = collection.parent, collection.child
    one = child.singular if collection.name == child.path else collection.name.removesuffix("s")

    def model() -> Model:
        return child_model(collection)

    async def endpoint(
        request: Request,
        key: Key,
        body: Annotated[model, Body(), BodyMark.RAW],  # type: ignore[valid-type]
        query: Annotated[WriteQuery, Query()],
    ) -> Response:
        epoch = await epoch_of(request)

        def work(session: Session) -> WriteResult:
            above = store.find_live(session, parent, key)
            return created(child, create_under(session, collection, above.id, body), epoch)

        return await answer_write(request, work, query, child)

    return Operation(
        method="POST",
        path=f"/{parent.path}/{{key}}/{collection.name}",
        name=f"create_{snake(parent.singular)}_{snake(one)}",
        summary=f"Create one {one} of one {parent.singular}",
        description=f"As `POST /{child.path}`.",
        tag=parent.path,
        parameters=(IDEMPOTENCY_KEY, PREFER),
        answers=(created_answer(models[child.name], *CREATED),),
        refusals=(*WRONG_BODY, NotFound),
    ).route(endpoint)


def create_under_routes(resource: Resource, models: Models) -> list[Route]:
    """One for each list under the resource's records whose members nothing else puts there."""
    return [create_under_route(each, models) for each in nested_in(resource).values()]
