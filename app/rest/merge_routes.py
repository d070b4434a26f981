"""POST …/merge and …/unmerge: one record turns out to be another of its kind, and the way back."""

from collections.abc import Callable
from typing import Annotated
from uuid import UUID

from fastapi import Body, Query, Request
from pydantic import Field, StringConstraints
from sqlalchemy.orm import Session
from starlette.responses import Response

from app.core import json_codec
from app.core.http.dispatch import Route
from app.core.http.operation import Answer, Operation
from app.core.loose_types import Fields, TypeForm
from app.core.validation import Model
from app.engine.registry import RECORD_TYPES, RecordKind
from app.engine.resource import Resource
from app.engine.schemas import KEY_PATTERN, Schema, derived_schema
from app.engine.writes.merge import Left, Merge, merge
from app.engine.writes.unmerge import unmerge
from app.rest.handlers import epoch_of
from app.rest.operations import (
    IDEMPOTENCY_KEY,
    IF_MATCH,
    PREFER,
    REPEATABLE,
    WRONG_WRITE,
    Key,
    Models,
    minimal_answer,
    snake,
)
from app.rest.preconditions import guard_of, headers_of
from app.rest.transactions import WriteResult
from app.rest.write_handlers import WriteQuery, answer_write


class MergeFields(Schema):
    """What a record turned out to be."""

    into: Annotated[str, StringConstraints(min_length=1, max_length=120)] = Field(
        json_schema_extra={"pattern": KEY_PATTERN}
    )
    """The id or the ref of the one that stays."""


class LeftField(Schema):
    """A field that was moved by the merge and has been changed since."""

    kind: RecordKind
    """The kind of the record."""
    id: UUID
    """Its id."""
    field: str
    """The field; of a row of a list its place then: `parties/0/organization_id`."""


def merge_routes(resource: Resource, models: Models) -> list[Route]:
    """The operations that merge one record into another, and take it out again."""
    return [merge_route(resource, models), unmerge_route(resource, models)]


def merge_route(resource: Resource, models: Models) -> Route:
    """POST /organizations/{key}/merge"""

    async def endpoint(
        request: Request,
        key: Key,
        body: Annotated[MergeFields, Body()],
        query: Annotated[WriteQuery, Query()],
    ) -> Response:
        guard, epoch = guard_of(request, resource), await epoch_of(request)

        def work(session: Session) -> WriteResult:
            return _answer(
                resource, merge(session, resource, key, body.into, guard(session)), epoch
            )

        return await answer_write(request, work, query)

    one = resource.singular
    return _operation(
        resource,
        models,
        "merge",
        f"Merge one {one} into another, which it turned out to be",
        "Every record that names it names the other one from then on, which gets its names among"
        " `other_names`. It keeps its own fields, goes to the trash, and its address leads to the"
        " other one (308). All or nothing; `unmerge` takes it back. See the"
        " [guide](guide#merging).",
    ).route(endpoint)


def unmerge_route(resource: Resource, models: Models) -> Route:
    """POST /organizations/{key}/unmerge"""

    async def endpoint(
        request: Request, key: Key, query: Annotated[WriteQuery, Query()]
    ) -> Response:
        guard, epoch = guard_of(request, resource), await epoch_of(request)

        def work(session: Session) -> WriteResult:
            return _answer(resource, unmerge(session, resource, key, guard(session)), epoch)

        return await answer_write(request, work, query)

    return _operation(
        resource,
        models,
        "unmerge",
        f"Take one {resource.singular} out of the one that it was merged into",
        "What the merge moved, and what still names the one that stayed, names it again; `left`"
        " tells what has been changed since, which stays as it is.",
    ).route(endpoint)


def _operation(
    resource: Resource, models: Models, action: str, summary: str, description: str
) -> Operation:
    headers = (*REPEATABLE, "ETag")
    return Operation(
        method="POST",
        path=f"/{resource.path}/{{key}}/{action}",
        name=f"{action}_{snake(resource.singular)}",
        summary=summary,
        description=description,
        tag=resource.path,
        parameters=(IDEMPOTENCY_KEY, IF_MATCH, PREFER),
        answers=(
            Answer(model=_model(resource, models), headers=headers),
            minimal_answer(headers),
        ),
        refusals=WRONG_WRITE,
    )


_CAME_TO = "What a merge came to: `record` was merged, `successor` stays."


def _model(resource: Resource, models: Models) -> Callable[[], Model]:
    """What both answer with."""

    def made() -> Model:
        whole = RECORD_TYPES[resource.record_type]
        fields: Fields = {
            "record": (_shown(models, resource), ...),
            "successor": (_shown(models, whole), ...),
            "moved": (
                dict[str, int],
                Field(description="How many records name the other one now, by kind."),
            ),
            "left": (
                list[LeftField],
                Field(description="What was changed since the merge, and stays as it is."),
            ),
        }
        return derived_schema(f"{resource.name}Merge", _CAME_TO, fields)

    return made


def _shown(models: Models, resource: Resource) -> TypeForm:
    return Answer(model=models[resource.name]).made_model()


def _answer(resource: Resource, done: Merge, epoch: str) -> WriteResult:
    moved = json_codec.dumps(dict(sorted(done.moved.items()))).decode()
    left = json_codec.dumps([_told(each) for each in done.left]).decode()
    body = (
        f'{{"record":{done.record.body},"successor":{done.successor.body},'
        f'"moved":{moved},"left":{left}}}'
    )
    return WriteResult(body, 200, headers_of(resource, done.record, epoch))


def _told(left: Left) -> Fields:
    return {"kind": left.kind, "id": str(left.id), "field": left.field}
