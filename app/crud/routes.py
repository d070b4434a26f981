"""The HTTP operations of a resource, each a small function that can be used alone."""

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from fastapi import Body, Path, Query, Request
from pydantic import BaseModel
from sqlalchemy.orm import Session
from starlette.responses import Response

from app.core import jsontext
from app.core.answers import Json, page_of, problems
from app.core.database import Database
from app.core.errors import BadRequest, Conflict, Invalid, NotFound, TooLarge, UnsupportedMediaType
from app.core.routing import Route
from app.crud import history, store
from app.crud.filters import (
    MAX_LIMIT,
    ItemQuery,
    ListQuery,
    expand_paths,
    item_query,
    list_query,
    shape_of,
)
from app.crud.render import count_statement, item_statement, list_statement
from app.crud.resource import Collection, Resource

T = TypeVar("T")
Models = dict[str, type[BaseModel]]
Key = Annotated[str, Path(description="The record's id (a UUID) or its ref.")]

WRONG_WRITE = (BadRequest, NotFound, Conflict, TooLarge, UnsupportedMediaType, Invalid)


def database_of(request: Request) -> Database:
    """The application's database."""
    database: Database = request.app.state.database
    return database


async def write(request: Request, work: Callable[[Session], T]) -> T:
    """Run the work in a transaction that ends with its changes in the log."""

    def logged(session: Session) -> T:
        result = work(session)
        history.log_changes(session, request.scope.get("actor", "anonymous"))
        return result

    return await database_of(request).write(logged)


async def find_row(
    request: Request, resource: Resource, key: str, paths: tuple[str, ...] = (), trash: bool = False
) -> tuple[str, Any]:
    """The JSON and the id of the record with this id or ref; NotFound without one."""
    database = database_of(request)
    record_id = store.as_id(key)
    by = "ref" if record_id is None else "id"
    statement = item_statement(resource, paths, by, database.dialect)
    rows = await database.read(statement, {"key": record_id or key}, "quick")
    if not rows:
        raise store.missing(resource, key)
    body, deleted_at, found_id = rows[0]
    if deleted_at is not None and not trash:
        raise store.in_trash(resource, key)
    return body, store.as_id(str(found_id))


async def answer_list(
    request: Request,
    resource: Resource,
    query: ListQuery,
    collection: Collection | None = None,
    parent: Any = None,
) -> Response:
    """A page of records, of all or of a collection under the parent with this id."""
    database = database_of(request)
    shape, values = shape_of(resource, query)
    limit = min(query.limit, MAX_LIMIT)
    if collection is not None:
        values["parent"] = parent
    statement = list_statement(resource, collection, shape, database.dialect)
    paging = {"limit": limit + 1, "offset": query.offset}
    rows = [row[0] for row in await database.read(statement, {**values, **paging})]
    total = None
    if query.count == "exact":
        counted = count_statement(resource, collection, shape, database.dialect)
        total = (await database.read(counted, values))[0][0]
    return page_of(request, rows, limit, query.offset, total)


def list_route(resource: Resource, models: Models) -> Route:
    """GET /missions"""
    model = list_query(resource)

    async def endpoint(request: Request, query: Annotated[model, Query()]) -> Response:  # type: ignore[valid-type]
        return await answer_list(request, resource, query)

    return Route(
        f"/{resource.path}",
        endpoint,
        operation_id=f"list_{_snake(resource.path)}",
        summary=f"List {resource.plural}",
        description=f"{resource.about} Every field that holds one value is a filter.",
        tags=[resource.path],
        response_model=models[f"{resource.name}List"],
        responses=problems(BadRequest),
    )


def get_route(resource: Resource, models: Models) -> Route:
    """GET /missions/{key}"""
    model = item_query(resource)

    async def endpoint(request: Request, key: Key, query: Annotated[model, Query()]) -> Response:  # type: ignore[valid-type]
        asked: ItemQuery = query
        paths = expand_paths(resource, asked.expand)
        body, _ = await find_row(request, resource, key, paths, asked.deleted == "include")
        return Json(body.encode())

    return _one(resource, endpoint, models, "get", "GET", "Get one {}", "By its id or ref.")


def create_route(resource: Resource, models: Models) -> Route:
    """POST /missions"""
    model = resource.create

    async def endpoint(request: Request, body: Annotated[model, Body()]) -> Response:  # type: ignore[valid-type]
        stored = await write(request, lambda session: store.create(session, resource, body))
        record_id = jsontext.loads(stored)["id"]
        return Json(stored.encode(), 201, {"Location": f"/{resource.path}/{record_id}"})

    return Route(
        f"/{resource.path}",
        endpoint,
        methods=["POST"],
        status_code=201,
        operation_id=f"create_{_snake(resource.singular)}",
        summary=f"Create one {resource.singular}",
        description="Answers with the record as stored; Location is its address.",
        tags=[resource.path],
        response_model=models[resource.name],
        responses=problems(BadRequest, Conflict, TooLarge, UnsupportedMediaType, Invalid),
    )


def update_route(resource: Resource, models: Models) -> Route:
    """PATCH /missions/{key}"""
    model = resource.patch

    async def endpoint(request: Request, key: Key, body: Annotated[model, Body()]) -> Response:  # type: ignore[valid-type]
        stored = await write(request, lambda session: store.update(session, resource, key, body))
        return Json(stored.encode())

    text = (
        "A JSON merge patch (RFC 7396): a field that is absent keeps its value, null clears it, a"
        " list replaces the whole list. A patch that changes nothing leaves the version."
    )
    return _one(resource, endpoint, models, "update", "PATCH", "Change one {}", text)


def replace_route(resource: Resource, models: Models) -> Route:
    """PUT /missions/{key}"""
    model = resource.create

    async def endpoint(request: Request, key: Key, body: Annotated[model, Body()]) -> Response:  # type: ignore[valid-type]
        stored = await write(request, lambda session: store.replace(session, resource, key, body))
        return Json(stored.encode())

    text = "Sets every field: those that the body does not name get their defaults."
    return _one(resource, endpoint, models, "replace", "PUT", "Replace one {}", text)


def delete_route(resource: Resource) -> Route:
    """DELETE /missions/{key}"""

    async def endpoint(request: Request, key: Key) -> Response:
        await write(request, lambda session: store.delete(session, resource, key))
        return Response(status_code=204)

    return Route(
        f"/{resource.path}/{{key}}",
        endpoint,
        methods=["DELETE"],
        status_code=204,
        operation_id=f"delete_{_snake(resource.singular)}",
        summary=f"Move one {resource.singular} to the trash",
        description="Nothing is lost: what refers to the record still does; it can be restored.",
        tags=[resource.path],
        responses=problems(BadRequest, NotFound),
    )


def restore_route(resource: Resource, models: Models) -> Route:
    """POST /missions/{key}/restore"""

    async def endpoint(request: Request, key: Key) -> Response:
        stored = await write(request, lambda session: store.restore(session, resource, key))
        return Json(stored.encode())

    summary, text = "Bring one {} back from the trash", "One that is not in the trash stays as is."
    return _one(resource, endpoint, models, "restore", "POST", summary, text, "/restore")


def history_route(resource: Resource) -> Route:
    """GET /missions/{key}/history"""

    async def endpoint(
        request: Request, key: Key, query: Annotated[history.HistoryQuery, Query()]
    ) -> Response:
        database = database_of(request)
        _, record_id = await find_row(request, resource, key, trash=True)
        limit = min(query.limit, MAX_LIMIT)
        statement = history.history_statement(database.dialect)
        sought = {"kind": resource.kind, "record": record_id}
        paging = {"limit": limit + 1, "offset": query.offset}
        rows = [row[0] for row in await database.read(statement, {**sought, **paging})]
        return page_of(request, rows, limit, query.offset)

    return Route(
        f"/{resource.path}/{{key}}/history",
        endpoint,
        operation_id=f"list_{_snake(resource.singular)}_history",
        summary=f"List the changes of one {resource.singular}",
        description="Newest first: who did what and when, each field with its old and new value.",
        tags=[resource.path],
        response_model=history.ChangeList,
        responses=problems(BadRequest, NotFound),
    )


def collection_route(collection: Collection, models: Models) -> Route:
    """GET /missions/{key}/delegates"""
    parent, child = collection.parent, collection.child
    model = list_query(child)

    async def endpoint(request: Request, key: Key, query: Annotated[model, Query()]) -> Response:  # type: ignore[valid-type]
        _, parent_id = await find_row(request, parent, key)
        return await answer_list(request, child, query, collection, parent_id)

    return Route(
        f"/{parent.path}/{{key}}/{collection.name}",
        endpoint,
        operation_id=f"list_{_snake(parent.singular)}_{_snake(collection.name)}",
        summary=f"List the {collection.name.replace('-', ' ')} of one {parent.singular}",
        description=f"As GET /{child.path}, of one {parent.singular} alone.",
        tags=[parent.path],
        response_model=models[f"{child.name}List"],
        responses=problems(BadRequest, NotFound),
    )


def crud_routes(resource: Resource, models: Models) -> list[Route]:
    """Every operation on the records themselves."""
    return [
        list_route(resource, models),
        create_route(resource, models),
        get_route(resource, models),
        update_route(resource, models),
        replace_route(resource, models),
        delete_route(resource),
        restore_route(resource, models),
        *(collection_route(c, models) for c in resource.many.values()),
        history_route(resource),
    ]


def _one(
    resource: Resource,
    endpoint: Callable[..., Any],
    models: Models,
    verb: str,
    method: str,
    summary: str,
    description: str,
    suffix: str = "",
) -> Route:
    """An operation on one record that answers with the record."""
    kinds = (BadRequest, NotFound) if method == "GET" else WRONG_WRITE
    return Route(
        f"/{resource.path}/{{key}}{suffix}",
        endpoint,
        methods=[method],
        operation_id=f"{verb}_{_snake(resource.singular)}",
        summary=summary.format(resource.singular),
        description=description,
        tags=[resource.path],
        response_model=models[resource.name],
        responses=problems(*kinds),
    )


def _snake(text: str) -> str:
    return text.replace("-", "_").replace(" ", "_")
