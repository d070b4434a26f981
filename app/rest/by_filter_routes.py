"""The HTTP operations that write all records that a filter finds."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Body, Query, Request
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session
from starlette.responses import Response

from app.core import json_codec
from app.core.errors import Invalid, Problem
from app.core.http.dispatch import BodyMark, Route
from app.core.http.operation import Answer, Operation
from app.core.loose_types import Json, Value
from app.core.validation import Model
from app.engine.query.filter_reader import ParsedFilter, bad_parameter
from app.engine.query.parameters import FilterQuery, read_conditions
from app.engine.resource import Resource
from app.engine.schemas import Schema
from app.engine.writes import store
from app.engine.writes.bulk import MAX_OPERATIONS
from app.engine.writes.by_filter import chosen
from app.engine.writes.linked import Links, checked
from app.engine.writes.nested import read_flat
from app.engine.writes.nested_schemas import nested_in
from app.rest.handlers import check_codes
from app.rest.operations import (
    DONE,
    PREFER,
    WRONG_BODY,
    RecordsOperation,
    minimal_answer,
    snake,
)
from app.rest.transactions import WriteResult
from app.rest.write_handlers import WriteQuery, answer_write


class AffectedQuery(FilterQuery, WriteQuery):
    """Parameters of a write to all records that a filter finds."""

    deleted: Literal["exclude"] = "exclude"
    """Records in the trash are never changed in this way."""
    max_affected: int = Field(ge=1, le=MAX_OPERATIONS)
    """The most records that may be meant: 409 when the filter finds more."""


class Affected(Schema):
    """What a write by filter came to."""

    matched: int
    """How many records the filter found."""
    changed: int
    """How many of them were not so already."""
    ids: list[UUID]
    """The records that were found."""
    parts: dict[str, int] = {}
    """How many more that are part of them went to the trash with them, by kind."""


def update_many_route(resource: Resource) -> Route:
    """PATCH /missions"""

    def model() -> Model:
        return resource.patch

    async def endpoint(
        request: Request,
        body: Annotated[model, Body(), BodyMark.RAW],  # type: ignore[valid-type]
        query: Annotated[AffectedQuery, Query()],
    ) -> Response:
        flat = read_flat(resource, body, resource.patch)
        parsed = await _conditions(request, resource, query)

        def work(session: Session) -> WriteResult:
            found = chosen(session, resource, parsed, query.q, query.max_affected)
            data, changed = store.patched(flat or _linked(session, resource, body)), 0
            for record_id in found:
                with _naming(resource, record_id):
                    record = store.find(session, resource, str(record_id))
                    version = record.version
                    changed += store.change(session, resource, record, data).version != version
            return _affected(found, changed)

        return await answer_write(request, work, query)

    return _by_filter(
        resource,
        method="PATCH",
        name=f"update_many_{snake(resource.path)}",
        summary=f"Change many {resource.plural}",
        description="A JSON merge patch (RFC 7396) of every record that the filters find, in one"
        f" transaction. {_BOUNDED}",
    ).route(endpoint)


def delete_many_route(resource: Resource) -> Route:
    """DELETE /missions"""

    async def endpoint(request: Request, query: Annotated[AffectedQuery, Query()]) -> Response:
        parsed = await _conditions(request, resource, query)

        def work(session: Session) -> WriteResult:
            found = chosen(session, resource, parsed, query.q, query.max_affected)
            parts: Counter[str] = Counter()
            for record_id in found:
                with _naming(resource, record_id):
                    record = store.find(session, resource, str(record_id))
                    if record.deleted_at is None:
                        parts.update(store.trash(session, resource, record).parts)
                    else:
                        # It is part of another one that was found, and went with it.
                        parts[resource.path] -= 1
            return _affected(found, len(found), +parts)

        return await answer_write(request, work, query)

    return _by_filter(
        resource,
        method="DELETE",
        name=f"delete_many_{snake(resource.path)}",
        summary=f"Move many {resource.plural} to the trash",
        description="Every record that the filters find goes to the trash, in one transaction."
        f" {_BOUNDED}",
    ).route(endpoint)


def _linked(session: Session, resource: Resource, body: Json) -> BaseModel:
    """The change with ids in place of the records that stand for them."""
    for name in body.keys() & nested_in(resource).keys():
        text = f"Many {resource.plural} are meant: put {name} under each of them by itself."
        raise Invalid.at(f"/{name}", "nested", text)
    linked = Links(session, is_repeatable=True).resolved(resource, body, {})
    return checked(resource.patch, resource, linked)


_BOUNDED = "At least one filter is needed."


def _by_filter(resource: Resource, **also: Value) -> Operation:
    return RecordsOperation(
        resource=resource,
        path=f"/{resource.path}",
        tag=resource.path,
        parameters=(PREFER,),
        answers=(Answer(model=Affected, headers=DONE), minimal_answer(DONE)),
        refusals=WRONG_BODY,
        **also,
    )


async def _conditions(request: Request, resource: Resource, query: AffectedQuery) -> ParsedFilter:
    parsed = read_conditions(resource, query)
    if parsed.condition is None and query.q is None:
        raise bad_parameter(
            "filter", "missing", "Say which records are meant: give at least one filter."
        )
    await check_codes(request, parsed)
    return parsed


@contextmanager
def _naming(resource: Resource, record_id: UUID) -> Iterator[None]:
    """Problems from inside say which record has them."""
    try:
        yield
    except Problem as problem:
        problem.detail = f"The {resource.singular} {record_id}: {problem.detail}"
        raise


def _affected(
    ids: list[UUID], changed: int, parts: Mapping[str, int] = MappingProxyType({})
) -> WriteResult:
    found: Json = {"matched": len(ids), "changed": changed, "ids": [str(each) for each in ids]}
    if parts:
        found["parts"] = dict(sorted(parts.items()))
    return WriteResult(json_codec.dumps(found).decode())
