"""Exports of the many side: a row for each part in a list of each record, such as its parties."""

from typing import Annotated

from fastapi import Query, Request
from starlette.responses import Response

from app.core.errors import BadRequest, Invalid, NotFound
from app.core.http.dispatch import Route
from app.engine.resource import Resource
from app.rest.export_columns import POSITION
from app.rest.exports import (
    ExportQuery,
    address_of,
    answer_file_of,
    check_format,
    refuse_pages,
)
from app.rest.lists import RecordSet, list_request
from app.rest.operations import IF_NONE_MATCH, NOT_MODIFIED, RecordsOperation, snake
from app.rest.past import with_past
from app.rest.read_routes import EXPORTED, Format


async def answer_export_of_parts(
    request: Request, resource: Resource, name: str, query: ExportQuery, file_format: str
) -> Response:
    """A row for each part in this list of every record that matches, as a file of the format."""
    check_format(file_format)
    refuse_pages({name for name, _ in query.others})
    asked = await list_request(request, RecordSet(resource), _without_position(query, name))
    return await answer_file_of(asked, query, file_format, query.limit, name)


def _without_position(query: ExportQuery, name: str) -> ExportQuery:
    """The query without the column that lists do not show."""
    if query.fields is None:
        return query
    named = [each.strip() for each in query.fields.split(",")]
    shown = [each for each in named if each != f"{name}.{POSITION}"]
    return query.model_copy(update={"fields": ",".join(shown) if shown else None})


def part_export_routes(resource: Resource) -> list[Route]:
    """GET /agreements/parties.csv, and so for every list that is part of a record."""
    return [_route(resource, name) for name in resource.embedded]


def _route(resource: Resource, name: str) -> Route:
    async def endpoint(
        request: Request, format: Format, query: Annotated[ExportQuery, Query()]
    ) -> Response:
        return await answer_export_of_parts(request, resource, name, query, format)

    words = name.replace("_", " ")
    operation = RecordsOperation(
        resource=resource,
        path=f"/{resource.path}/{address_of(name)}.{{format}}",
        name=f"export_{snake(resource.path)}_{name}",
        summary=f"Export the {words} of {resource.plural}",
        description=f"A row for each of the `{name}` of each {resource.singular}.",
        tag=resource.path,
        parameters=(IF_NONE_MATCH,),
        answers=(EXPORTED, NOT_MODIFIED),
        refusals=(BadRequest, NotFound, Invalid),
    )
    return with_past(operation).route(endpoint)
