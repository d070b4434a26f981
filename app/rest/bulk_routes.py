"""The HTTP operation that writes many records, each in its own way."""

import asyncio
import time
from functools import cache, partial
from typing import Annotated, Literal, Union
from uuid import UUID

from fastapi import Body, Query, Request
from pydantic import Field
from sqlalchemy.orm import Session
from starlette.responses import Response

from app.core.errors import Invalid, Problem
from app.core.http.dispatch import BodyMark, Route
from app.core.http.operation import Answer, Operation
from app.core.http.requests import idempotency_key
from app.core.loose_types import Fields, Json, JsonValue, TypeForm
from app.core.validation import Model
from app.engine.resource import Resource
from app.engine.schemas import Schema, derived_schema
from app.engine.writes.bulk import (
    MAX_OPERATIONS,
    as_sent,
    refused,
    results_json,
    run_all,
)
from app.engine.writes.bulk_operations import (
    MAX_FAILURES,
    Done,
    ReadOperation,
    read_operations,
)
from app.engine.writes.bulk_order import BulkOrder
from app.engine.writes.nested_schemas import nested_model, patch_model
from app.rest.client_watch import ClientWatch, watched
from app.rest.operations import (
    BULK_PREFER,
    IDEMPOTENCY_KEY,
    REPEATABLE,
    WRONG_BODY,
    minimal_answer,
    snake,
)
from app.rest.transactions import WriteResult, write
from app.rest.write_handlers import WriteQuery, answer_write, prefers

#: How many operations that are each by themselves are stored before others may write, and about
#: for how many seconds.
PART_OPERATIONS, PART_SECONDS = 100, 0.2


class Counts(Schema):
    """How many operations came to what."""

    created: int
    updated: int
    deleted: int
    failed: int


class OperationProblem(Schema):
    """Why one operation failed."""

    title: str
    detail: str
    errors: list[Json]


class Result(Schema):
    """What one operation came to."""

    op: str
    """The operation."""
    status: int
    """The HTTP status that it would have had alone."""
    id: UUID | None = None
    """The record."""
    version: int | None = None
    """Its version now."""
    parts: dict[str, int] | None = None
    """How many records that are part of it went to the trash with it, by kind."""
    problem: OperationProblem | None = None
    """Why it failed; its pointers are within the operation."""


class BulkAnswer(Schema):
    """What a list of operations came to."""

    summary: Counts
    results: list[Result] = []
    """One entry an operation, in their order."""


Key = Annotated[str, Field(max_length=120, description="The record's id or ref.")]
Version = Annotated[int | None, Field(ge=1, description="409 unless the record is at it.")]


class DeleteOperation(Schema):
    """Delete one record."""

    op: Literal["delete"]
    key: Key
    version: Version = None


@cache
def operations_model(resource: Resource) -> Model:
    """The body of a bulk write, as the document tells it."""
    kinds: list[TypeForm] = []
    shapes: dict[str, Fields] = {
        "create": {"body": (nested_model(resource), ...)},
        "update": {
            "key": (Key, ...),
            "body": (patch_model(resource), ...),
            "version": (Version, None),
        },
        "upsert": {"body": (nested_model(resource), ...), "version": (Version, None)},
    }
    for op, fields in shapes.items():
        name = f"{resource.name}{op.title()}Operation"
        doc = f"{op.title()} one {resource.singular}."
        typed: Fields = {"op": (Literal[op], ...), **fields}
        kinds.append(derived_schema(name, doc, typed))
    kinds.append(DeleteOperation)
    one: TypeForm = Annotated[Union[tuple(kinds)], Field(discriminator="op")]  # noqa: UP007
    items = (list[one], Field(min_length=1, max_length=MAX_OPERATIONS))
    doc = f"Operations on {resource.plural}, done in their order in one transaction."
    return derived_schema(f"{resource.name}Operations", doc, {"operations": items})


def bulk_route(resource: Resource) -> Route:
    """POST /missions/bulk"""

    def model() -> Model:
        return operations_model(resource)

    async def endpoint(
        request: Request,
        body: Annotated[model, Body(), BodyMark.RAW, BodyMark.LARGE],  # type: ignore[valid-type]
        query: Annotated[WriteQuery, Query()],
    ) -> Response:
        items = _items(body)
        results = not prefers(request, "return=minimal")
        lenient = prefers(request, "handling=lenient")
        preferred = ["return=minimal"] * (not results) + ["handling=lenient"] * lenient
        applied = {"Preference-Applied": ", ".join(preferred)} if preferred else {}

        def result(done: list[Done]) -> WriteResult:
            body = results_json(done, results=results)
            return WriteResult(body, 207 if lenient else 200, applied)

        async with watched(request) as client:
            # Before it waits for its turn to write, and beside the loop.
            read = await asyncio.to_thread(read_operations, resource, items, lenient=lenient)
            if len(read) < len(items):
                wrong = [Done(each.op, Invalid.status, problem=each.problem) for each in read]
                raise refused(wrong, len(items))

            def work(session: Session) -> WriteResult:
                return result(
                    run_all(session, resource, read, isolated=lenient, check=client.check)
                )

            if lenient and not query.dry_run and idempotency_key(request) is None:
                done = await _in_parts(request, resource, read, client)
                return (await asyncio.to_thread(result, done)).response()
            try:
                return await answer_write(request, work, query)
            except Problem as problem:
                places = (fault.pointer or "" for fault in problem.errors)
                if lenient or not any(place.startswith("/operations/") for place in places):
                    raise
                raise await _all_faults(request, resource, read, client) or problem from None

    return Operation(
        method="POST",
        path=f"/{resource.path}/bulk",
        name=f"bulk_{snake(resource.path)}",
        summary=f"Write many {resource.plural}",
        description=f"Up to {MAX_OPERATIONS} operations in one transaction: create, update, upsert"
        " (by `ref`) and delete. All are stored or none; `Prefer: handling=lenient` stores what is"
        " right and tells of each what it came to.",
        tag=resource.path,
        parameters=(IDEMPOTENCY_KEY, BULK_PREFER),
        answers=(
            Answer(model=BulkAnswer, headers=REPEATABLE),
            Answer(status=207, model=BulkAnswer, headers=REPEATABLE, description="Each by itself."),
            minimal_answer(REPEATABLE),
        ),
        refusals=WRONG_BODY,
    ).route(endpoint)


def _items(body: JsonValue) -> list[JsonValue]:
    if not isinstance(body, dict) or body.keys() != {"operations"}:
        raise Invalid.at("", "operations", 'Send an object {"operations": […]} and nothing else.')
    items = body["operations"]
    if not isinstance(items, list) or not 1 <= len(items) <= MAX_OPERATIONS:
        raise Invalid.at("/operations", "length", f"Send a list of 1 to {MAX_OPERATIONS}.")
    return items


async def _in_parts(
    request: Request, resource: Resource, read: list[ReadOperation], client: ClientWatch
) -> list[Done]:
    """Do operations of which each is by itself; between parts of them others write."""
    order = BulkOrder(resource, read)
    if not order.is_as_sent:
        await write(request, order.settle, dry_run=True)
    read = [order.read[place] for place in order.places]
    done: list[Done] = []
    size = PART_OPERATIONS
    while len(done) < len(read):
        client.check()
        part = read[len(done) : len(done) + size]
        try:
            stored, seconds = await write(request, partial(_each, resource, part))
            done += stored
            size = max(1, min(PART_OPERATIONS, int(len(part) * PART_SECONDS / max(seconds, 1e-3))))
        except Problem as problem:
            if not done:
                raise
            # What is stored is stored, and told.
            problem.alone()
            done += [Done(each.op, problem.status, problem=problem) for each in read[len(done) :]]
    return done if order.is_as_sent else as_sent(done, order.places)


def _each(
    resource: Resource, part: list[ReadOperation], session: Session
) -> tuple[list[Done], float]:
    """What the operations came to, and for how many seconds others could not write meanwhile."""
    began = time.monotonic()
    return run_all(session, resource, part, isolated=True), time.monotonic() - began


async def _all_faults(
    request: Request, resource: Resource, read: list[ReadOperation], client: ClientWatch
) -> Invalid | None:
    """Every fault of a list that was refused at its first, found by trying each apart, as far as
    anybody reads on; None when there is none any more."""

    def work(session: Session) -> list[Done]:
        return run_all(
            session,
            resource,
            read,
            isolated=True,
            most_failures=MAX_FAILURES,
            check=client.check,
        )

    done = await write(request, work, dry_run=True)
    return refused(done, len(read)) if any(one.problem for one in done) else None
