"""The HTTP operations that read records, each a small function that can be used alone."""

from typing import Annotated

from fastapi import Path, Query, Request
from pydantic import BeforeValidator
from starlette.responses import Response

from app.core.errors import BadRequest, Invalid, NotFound
from app.core.http.dispatch import Endpoint, Route
from app.core.http.responses import problems
from app.core.loose_types import Json, Responses, Value
from app.core.validation import Model
from app.engine.query.filter_reader import bad_parameter
from app.engine.query.parameters import ItemQuery, ListQuery
from app.engine.query.values import parse_instant
from app.engine.resource import Resource, SubCollection
from app.engine.schemas import KEY_PATTERN, Timestamp
from app.rest.changes import ChangeList, HistoryQuery, answer_as_of, answer_changes
from app.rest.exports import FORMATS, ExportQuery, answer_accepted, answer_export, format_of
from app.rest.handlers import answer_item, answer_list, find_row

Models = dict[str, Model]
Key = Annotated[
    str,
    Path(
        description="The record's id (a UUID) or its ref.",
        json_schema_extra={"pattern": KEY_PATTERN},
    ),
]


Format = Annotated[
    str,
    Path(description="What the file is.", json_schema_extra={"enum": [*FORMATS]}),
]
_FILE = {"schema": {"type": "string", "format": "binary"}}
_FILES: Json = dict.fromkeys(FORMATS.values(), _FILE)
AS_FILE: Responses = {200: {"description": "Every record that matches.", "content": _FILES}}


def _moment(value: object) -> object:
    # Pydantic alone would take a number for seconds since 1970.
    return parse_instant(value) if isinstance(value, str) else value


Moment = Annotated[Timestamp, BeforeValidator(_moment)]


class PastQuery(ItemQuery):
    """Parameters of reading one record, now or as it was."""

    as_of: Moment | None = None
    """A moment (ISO 8601): the record as it was then, with all its fields and no relations."""


class ReadRoute(Route):
    """A route that shows records of a kind: the document tells what can be asked of them, and
    each filter of its fields when the route is `filtered`."""

    resource: Resource
    filtered: bool


def list_route(resource: Resource, models: Models) -> Route:
    """GET /missions"""

    async def endpoint(request: Request, query: Annotated[ListQuery, Query()]) -> Response:
        if file_format := format_of(request):
            return await answer_accepted(request, resource, query, file_format)
        return await answer_list(request, resource, query)

    return listing(
        resource,
        f"/{resource.path}",
        endpoint,
        operation_id=f"list_{snake(resource.path)}",
        summary=f"List {resource.plural}",
        description=f"{resource.about} Every field is a filter, `field__op=value`, and so is every"
        " field of a related record, shown here or not; see the [guide](guide#filters). As a file:"
        f" `/{resource.path}.csv`, or by `Accept`.",
        tags=[resource.path],
        response_model=models[f"{resource.name}List"],
        several_forms=True,
        responses=problems(BadRequest),
    )


def collection_route(collection: SubCollection, models: Models) -> Route:
    """GET /missions/{key}/delegates"""
    parent, child = collection.parent, collection.child

    async def endpoint(
        request: Request, key: Key, query: Annotated[ListQuery, Query()]
    ) -> Response:
        found = await find_row(request, parent, key)
        if file_format := format_of(request):
            under = (collection, found.id)
            return await answer_accepted(request, child, query, file_format, *under)
        return await answer_list(request, child, query, collection, found.id)

    return listing(
        child,
        f"/{parent.path}/{{key}}/{collection.name}",
        endpoint,
        operation_id=f"list_{snake(parent.singular)}_{snake(collection.name)}",
        summary=f"List the {collection.name.replace('-', ' ')} of one {parent.singular}",
        description=f"The {child.plural} of one {parent.singular} alone.",
        tags=[parent.path],
        response_model=models[f"{child.name}List"],
        several_forms=True,
        responses=problems(BadRequest, NotFound),
    )


def export_route(resource: Resource) -> Route:
    """GET /missions.csv"""

    async def endpoint(
        request: Request, format: Format, query: Annotated[ExportQuery, Query()]
    ) -> Response:
        return await answer_export(request, resource, query, format)

    return listing(
        resource,
        f"/{resource.path}.{{format}}",
        endpoint,
        operation_id=f"export_{snake(resource.path)}",
        summary=f"Export {resource.plural}",
        description=EXPORT,
        tags=[resource.path],
        response_class=Response,
        responses=AS_FILE | problems(BadRequest, NotFound, Invalid),
    )


def collection_export_route(collection: SubCollection) -> Route:
    """GET /missions/{key}/delegates.csv"""
    parent, child = collection.parent, collection.child

    async def endpoint(
        request: Request, key: Key, format: Format, query: Annotated[ExportQuery, Query()]
    ) -> Response:
        found = await find_row(request, parent, key)
        return await answer_export(request, child, query, format, collection, found.id)

    return listing(
        child,
        f"/{parent.path}/{{key}}/{collection.name}.{{format}}",
        endpoint,
        operation_id=f"export_{snake(parent.singular)}_{snake(collection.name)}",
        summary=f"Export the {collection.name.replace('-', ' ')} of one {parent.singular}",
        description=EXPORT,
        tags=[parent.path],
        response_class=Response,
        responses=AS_FILE | problems(BadRequest, NotFound, Invalid),
    )


EXPORT = "Every record that matches, streamed, a row a record; see the [guide](guide#formats)."


def listing(listed: Resource, path: str, endpoint: Endpoint, **options: Value) -> ReadRoute:
    """A route whose parameters include the filters of the resource."""
    route = ReadRoute(path, endpoint, **options)
    route.resource, route.filtered = listed, True
    return route


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
        return await answer_as_of(request, resource, found, query.as_of, trash)

    route = ReadRoute(
        f"/{resource.path}/{{key}}",
        endpoint,
        operation_id=f"get_{snake(resource.singular)}",
        summary=f"Get one {resource.singular}",
        description="By its id or ref; its ETag guards changes of it, sent as If-Match.",
        tags=[resource.path],
        response_model=models[resource.name],
        responses=problems(BadRequest, NotFound),
    )
    route.resource, route.filtered = resource, False
    return route


def history_route(resource: Resource) -> Route:
    """GET /missions/{key}/history"""

    async def endpoint(
        request: Request, key: Key, query: Annotated[HistoryQuery, Query()]
    ) -> Response:
        found = await find_row(request, resource, key, trash=True)
        parsed = {"kind": resource.record_type, "record_id": found.id}
        return await answer_changes(request, query, parsed, newest_first=True)

    return Route(
        f"/{resource.path}/{{key}}/history",
        endpoint,
        operation_id=f"list_{snake(resource.singular)}_history",
        summary=f"List the changes of one {resource.singular}",
        description="Newest first: who did what and when, each field with its old and new value.",
        tags=[resource.path],
        response_model=ChangeList,
        responses=problems(BadRequest, NotFound),
    )


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


def snake(text: str) -> str:
    """A name for programs: `reported totals` as `reported_totals`."""
    return text.replace("-", "_").replace(" ", "_")
