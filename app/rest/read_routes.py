"""The HTTP operations that read records, each a small function that can be used alone."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Path, Query, Request
from pydantic import Field
from starlette.responses import Response

from app.core.errors import BadRequest, Gone, Invalid, Moved, NotFound, Problem
from app.core.http.dispatch import Route
from app.core.http.operation import Answer, Operation
from app.core.http.responses import JsonResponse
from app.core.loose_types import Value
from app.engine.query.filter_reader import bad_parameter
from app.engine.query.parameters import ItemQuery, ListQuery, ListWithPartsQuery
from app.engine.resource import Resource, SubCollection
from app.rest.changes import (
    ChangeList,
    HistoryQuery,
    answer_as_of,
    answer_changes,
    is_told_in_part,
)
from app.rest.exports import (
    FORMATS,
    ExportQuery,
    ExportWithPartsQuery,
    answer_accepted,
    answer_export,
    format_of,
)
from app.rest.handlers import answer_item, find_row
from app.rest.lists import RecordSet, answer_list, records_under, unchanged_list
from app.rest.operations import (
    IF_NONE_MATCH,
    NOT_MODIFIED,
    TAGGED,
    Key,
    Models,
    RecordsOperation,
    snake,
)
from app.rest.past import moment_of, read_as_of, reading_past, with_past

Format = Annotated[
    str,
    Path(description="What the file is.", json_schema_extra={"enum": [*FORMATS]}),
]
_FILE = {"schema": {"type": "string", "format": "binary"}}
EXPORTED = Answer(
    description="Every record that matches.",
    content=dict.fromkeys(FORMATS.values(), _FILE),
    headers=(*TAGGED, "Content-Disposition"),
)


class PastQuery(ItemQuery):
    """Parameters of reading one record, now or as it was."""

    as_of: str | None = Field(None, json_schema_extra={"format": "date-time"})
    """A moment (ISO 8601, or counted from now: `-7d`), or the `position` of a change with its
    epoch: the record as it was then, with all its fields and no relations."""


@dataclass(frozen=True)
class ListAddress:
    """Where records are listed and exported: all of a kind, or those under one parent."""

    resource: Resource
    path: str
    #: What is listed, as operations and as people call it, and in which section of the docs.
    name: str
    title: str
    tag: str


def _all_of(resource: Resource) -> ListAddress:
    plural = resource.plural
    return ListAddress(resource, f"/{resource.path}", resource.path, plural, resource.path)


def _under(collection: SubCollection) -> ListAddress:
    parent, name = collection.parent, collection.name
    return ListAddress(
        collection.child,
        f"/{parent.path}/{{key}}/{name}",
        f"{parent.singular}_{name}",
        f"the {name.replace('-', ' ')} of one {parent.singular}",
        parent.path,
    )


def list_route(resource: Resource, models: Models) -> Route:
    """GET /missions"""

    async def endpoint(request: Request, query: Annotated[ListQuery, Query()]) -> Response:
        return await _answer_list(request, RecordSet(resource), query)

    text = (
        f"{resource.about} Every field is a filter, `field__op=value`, and so is every"
        " field of a related record; see the [guide](guide#filters). As a file:"
        f" `/{resource.path}.csv`."
    )
    operation = _list(_all_of(resource), models, text, refusals=(BadRequest,))
    return with_past(operation).route(endpoint)


def collection_route(collection: SubCollection, models: Models) -> Route:
    """GET /missions/{key}/delegates"""
    asked = ListWithPartsQuery if collection.with_parts else ListQuery

    async def endpoint(
        request: Request,
        key: Key,
        query: Annotated[asked, Query()],  # type: ignore[valid-type]
    ) -> Response:
        records = await records_under(request, collection, key, query)
        return await _answer_list(request, records, _with_shown(collection, query))

    children, parent = collection.child.plural, collection.parent.singular
    text = f"The {children} of one {parent} alone."
    if collection.with_parts:
        text = f"The {children} of one {parent} and of those that are part of it."
    text = collection.about or text
    refusals = (*moved(collection.parent), BadRequest, NotFound)
    operation = _list(_under(collection), models, text, refusals=refusals)
    return with_past(operation).route(endpoint)


def _with_shown(collection: SubCollection, query: ListQuery) -> ListQuery:
    """The query with what a list expands where it is asked for nothing else."""
    if collection.shows is None or query.fields is not None or query.expand is not None:
        return query
    return query.model_copy(update={"expand": collection.shows})


async def _unchanged(request: Request) -> Response | None:
    """304 for a list that is polled and has not changed, before its address is read once more."""
    if "if-none-match" not in request.headers or format_of(request):
        return None
    return await unchanged_list(request)


async def _answer_list(request: Request, records: RecordSet, query: ListQuery) -> Response:
    if file_format := format_of(request):
        return await answer_accepted(request, records, query, file_format)
    return await answer_list(request, records, query)


def _list(at: ListAddress, models: Models, text: str, **also: Value) -> Operation:
    return RecordsOperation(
        resource=at.resource,
        path=at.path,
        name=f"list_{snake(at.name)}",
        summary=f"List {at.title}",
        description=text,
        tag=at.tag,
        several_forms=True,
        early=_unchanged,
        parameters=(IF_NONE_MATCH,),
        answers=(
            Answer(model=models[f"{at.resource.name}List"], headers=(*TAGGED, "Link")),
            NOT_MODIFIED,
        ),
        **also,
    )


def export_route(resource: Resource) -> Route:
    """GET /missions.csv"""

    async def endpoint(
        request: Request, format: Format, query: Annotated[ExportQuery, Query()]
    ) -> Response:
        return await answer_export(request, RecordSet(resource), query, format)

    return with_past(_export(_all_of(resource))).route(endpoint)


def collection_export_route(collection: SubCollection) -> Route:
    """GET /missions/{key}/delegates.csv"""
    asked = ExportWithPartsQuery if collection.with_parts else ExportQuery

    async def endpoint(
        request: Request,
        key: Key,
        format: Format,
        query: Annotated[asked, Query()],  # type: ignore[valid-type]
    ) -> Response:
        records = await records_under(request, collection, key, query)
        return await answer_export(request, records, query, format)

    return with_past(_export(_under(collection), moved(collection.parent))).route(endpoint)


def _export(at: ListAddress, refusals: tuple[type[Problem], ...] = ()) -> Operation:
    return RecordsOperation(
        resource=at.resource,
        path=f"{at.path}.{{format}}",
        name=f"export_{snake(at.name)}",
        summary=f"Export {at.title}",
        description="See the [guide](guide#formats).",
        tag=at.tag,
        parameters=(IF_NONE_MATCH,),
        answers=(EXPORTED, NOT_MODIFIED),
        refusals=(*refusals, BadRequest, NotFound, Invalid),
    )


def moved(resource: Resource) -> tuple[type[Problem], ...]:
    """How reads of one record are led to another, of kinds whose records can be merged."""
    return (Moved,) if resource.is_mergeable else ()


def get_route(resource: Resource, models: Models) -> Route:
    """GET /missions/{key}"""

    async def endpoint(
        request: Request, key: Key, query: Annotated[PastQuery, Query()]
    ) -> Response:
        if query.as_of is None:
            return await answer_item(request, resource, key, query)
        if query.fields is not None or query.expand is not None:
            text = "A record as it was is shown whole and alone: leave out fields and expand."
            raise bad_parameter("as_of", "both", text)
        found = await find_row(request, resource, key, trash=True)
        trash = query.deleted == "include"
        moment = await moment_of(request, query.as_of)
        if await is_told_in_part(request, resource, found, moment):
            async with reading_past(request, read_as_of(query.as_of)):
                then = await find_row(request, resource, str(found.id), trash=trash)
            return JsonResponse(then.body.encode())
        return await answer_as_of(request, resource, found, moment, trash)

    return RecordsOperation(
        resource=resource,
        filtered=False,
        path=f"/{resource.path}/{{key}}",
        name=f"get_{snake(resource.singular)}",
        summary=f"Get one {resource.singular}",
        description="By its id or ref; its ETag guards changes of it, sent as If-Match.",
        tag=resource.path,
        parameters=(IF_NONE_MATCH,),
        answers=(Answer(model=models[resource.name], headers=TAGGED), NOT_MODIFIED),
        refusals=(*moved(resource), BadRequest, NotFound, Gone),
    ).route(endpoint)


def history_route(resource: Resource) -> Route:
    """GET /missions/{key}/history"""

    async def endpoint(
        request: Request, key: Key, query: Annotated[HistoryQuery, Query()]
    ) -> Response:
        found = await find_row(request, resource, key, trash=True)
        parsed = {"kind": resource.record_type, "record_id": found.id}
        return await answer_changes(request, query, parsed, newest_first=True)

    return Operation(
        path=f"/{resource.path}/{{key}}/history",
        name=f"list_{snake(resource.singular)}_history",
        summary=f"List the changes of one {resource.singular}",
        description="Newest first: who did what and when, with old and new values.",
        tag=resource.path,
        answers=(Answer(model=ChangeList, headers=("Link",)),),
        refusals=(BadRequest, NotFound),
    ).route(endpoint)


def read_routes(resource: Resource, models: Models) -> list[Route]:
    """Every operation that reads records of the resource."""
    return [
        list_route(resource, models),
        get_route(resource, models),
        export_route(resource),
        *(collection_route(c, models) for c in resource.to_many.values()),
        *(collection_export_route(c) for c in resource.to_many.values()),
        history_route(resource),
    ]
