"""Reads: from a request to finished JSON, asking the database once."""

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Select, select
from starlette.requests import Request
from starlette.responses import Response

from app.core import json_codec
from app.core.databases.interface import Database, compile_query
from app.core.http.conditional import is_known, not_modified
from app.core.http.responses import JsonResponse
from app.engine.codes import codes_with_names, meant_code
from app.engine.history.change_log import position_statement
from app.engine.keys import as_id, in_trash, missing
from app.engine.query.cursor import CursorPosition, cursor_scope
from app.engine.query.filter_reader import ParsedFilter, bad_parameter
from app.engine.query.hints import several_values
from app.engine.query.parameters import (
    MAX_LIMIT,
    FilterQuery,
    ItemQuery,
    Listing,
    ListQuery,
    Seek,
    View,
    read_listing,
    read_view,
)
from app.engine.query.statements import (
    SAMPLE_ROWS,
    count_statement,
    is_led_by_index,
    item_statement,
    key_statement,
    keys_of,
    list_statement,
    sample_statement,
    segments,
)
from app.engine.query.values import parse_value, round_to_column
from app.engine.resource import Resource, SubCollection
from app.engine.search.density import is_by_row, share_found
from app.engine.search.hits import with_query
from app.rest.decimals import dialect_of, tag_for
from app.rest.pages import PageRequest, answer_page, page_request


def database_of(request: Request) -> Database:
    """The application's database."""
    database: Database = request.app.state.database
    return database


@dataclass(frozen=True, slots=True)
class Found:
    """A record that was read, with what its entity tag is made of."""

    body: str
    #: As the driver gives it, which it takes again just so.
    id: Any
    version: int
    position: int


async def find_row(
    request: Request,
    resource: Resource,
    key: str,
    view: View = View(),  # noqa: B008 (it never changes)
    trash: bool = False,
) -> Found:
    """The record with this id or ref; NotFound without one."""
    database = database_of(request)
    record_id = as_id(key)
    by = "ref" if record_id is None else "id"
    statement = item_statement(resource, view, by, dialect_of(request))
    rows = await database.read(statement, {"key": record_id or key}, "quick")
    if not rows:
        raise missing(resource, key)
    body, deleted_at, found_id, version, position = rows[0]
    if deleted_at is not None and not trash:
        raise in_trash(resource, key)
    return Found(body, found_id, version, position)


def tag_of(resource: Resource, record_id: Any, version: int, position: int) -> str:
    """The strong entity tag of a record shown whole.

    It names the record too, because a ref can pass to another one; and the state of everything
    where the record shows what is stored elsewhere.
    """
    told = f"{version}-{str(record_id)[-12:]}"
    return f'"{told}-{position}"' if resource.derived_elsewhere else f'"{told}"'


async def answer_item(request: Request, resource: Resource, key: str, query: ItemQuery) -> Response:
    """One record, as much of it as the query asks for."""
    view = read_view(resource, query)
    found = await find_row(request, resource, key, view, query.deleted == "include")
    tag = tag_of(resource, found.id, found.version, found.position)
    if not view.whole:
        tag = f'W/"{found.version}-{str(found.id)[-12:]}-{found.position}"'
    tag = tag_for(request, tag)
    if is_known(request, tag):
        return not_modified(tag)
    return JsonResponse(found.body.encode(), headers={"ETag": tag})


async def answer_list(
    request: Request,
    resource: Resource,
    query: ListQuery,
    collection: SubCollection | None = None,
    parent: Any = None,
) -> Response:
    """A page of records, of all or of a collection under the parent with this id."""
    listing = read_listing(resource, query)
    values = await bind_values(request, listing, query, collection, parent)
    if query.cursor is not None and query.offset is not None:
        raise bad_parameter("offset", "both", "Give a cursor or an offset, not both.")
    at = page_request(request, query.limit, query.cursor, _bound(resource, listing, query, values))
    if "if-none-match" in request.headers:
        tag = tag_for(request, f'W/"{await position_of(request)}"')
        if is_known(request, tag):
            return not_modified(tag)
    listing, counted = await _ways(request, resource, listing, query, values)
    page = (request, resource, collection, listing, values, at, query.offset or 0)
    # A tag must not be newer than any part of the list: what is stored meanwhile would stay hidden.
    position = None if at.place is None else await position_of(request)
    rows = await _read_page(*page)
    if position is None and rows:
        position = rows[0][2]
    elif position is None:
        position = await position_of(request)
        rows = await _read_page(*page)
    total, estimated = await _count(request, resource, collection, counted, values, query.count)
    headers = {"ETag": tag_for(request, f'W/"{position}"')}
    return answer_page(at, rows, query.offset or 0, total, estimated, headers)


async def bind_values(
    request: Request,
    listing: Listing,
    query: FilterQuery,
    collection: SubCollection | None = None,
    parent: Any = None,
) -> dict[str, Any]:
    """All values of the list's statement; BadRequest when a filter names an unknown code."""
    await check_codes(request, listing.parsed)
    values = with_query(listing.parsed.values, query.q, database_of(request).dialect)
    if collection is not None:
        values["parent"] = parent
    return values


async def _ways(
    request: Request, resource: Resource, listing: Listing, query: ListQuery, values: dict[str, Any]
) -> tuple[Listing, Listing]:
    """The list, and what is counted of it, each the quicker way for what is searched."""
    shape = listing.shape
    if not shape.q:
        return listing, listing
    database = database_of(request)
    share = await share_found(database, resource, values)
    wanted = (query.offset or 0) + min(query.limit, MAX_LIMIT) + 1
    is_led = is_led_by_index(resource, shape, database.dialect)
    page = is_by_row(share, wanted if is_led else None)
    counted = replace(shape, by_row=is_by_row(share, None))
    return replace(listing, shape=replace(shape, by_row=page)), replace(listing, shape=counted)


def _bound(resource: Resource, listing: Listing, query: ListQuery, values: dict[str, Any]) -> bytes:
    shape = listing.shape
    chosen = (shape.condition, query.q, shape.deleted, shape.sort, sorted(values.items()))
    return cursor_scope(resource.path, *chosen)


async def _read_page(
    request: Request,
    resource: Resource,
    collection: SubCollection | None,
    listing: Listing,
    values: dict[str, Any],
    at: PageRequest,
    offset: int,
) -> list[Any]:
    """The rows of a page and one more, in the order of walking."""
    database = database_of(request)
    limits = {"limit": at.limit + 1, "offset": offset}
    if at.place is None:
        statement = list_statement(resource, collection, listing.shape, dialect_of(request))
        return list(await database.read(statement, {**values, **limits}))
    keys = keys_of(resource, listing.shape)
    place = await _whole_place(request, resource, listing, at.place, len(keys))
    values = values | _key_values(keys, place)
    seek = Seek(place.backward, tuple(value is None for value in place.key))
    rows: list[Any] = []
    for part in segments(seek, keys):
        statement = list_statement(
            resource, collection, listing.shape.after(part), dialect_of(request)
        )
        left = {"limit": at.limit + 1 - len(rows)}
        rows += await database.read(statement, {**values, **left})
        if len(rows) > at.limit:
            break
    return rows


async def _whole_place(
    request: Request, resource: Resource, listing: Listing, place: CursorPosition, parts: int
) -> CursorPosition:
    """The place with its whole key, which is looked up where the cursor holds the id alone."""
    if len(place.key) == parts:
        return place
    database = database_of(request)
    statement = key_statement(resource, listing.shape.sort, database.dialect)
    rows = await database.read(statement, {"id": UUID(place.key[0])}, "quick")
    if not rows:
        raise bad_parameter(
            "cursor", "cursor", "The record that this cursor is at is gone. Begin anew."
        )
    return CursorPosition(json_codec.loads(rows[0][0]), place.backward)


def _key_values(keys: list[Any], place: CursorPosition) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for at, (key, value) in enumerate(zip(keys, place.key, strict=True)):
        if value is not None:
            text = str(value).lower() if isinstance(value, bool) else str(value)
            read = parse_value(key.field, text)
            found[f"k{at}"] = (
                round_to_column(key.field, read, None) if isinstance(read, Decimal) else read
            )
    return found


async def _count(
    request: Request,
    resource: Resource,
    collection: SubCollection | None,
    listing: Listing,
    values: dict[str, Any],
    how: str,
) -> tuple[int | None, bool]:
    """How many records the list has, and whether that is an estimate."""
    if how == "none":
        return None, False
    database = database_of(request)
    asked = (resource, collection, listing.shape.after(None), database.dialect)
    limit = SAMPLE_ROWS + 1 if how == "estimated" and not database.counts_quickly else None
    ((count,),) = await database.read(count_statement(*asked, limit), values)
    if limit is None or count < limit:
        return count, False
    ((matching, looked_at, everything),) = await database.read(sample_statement(*asked), values)
    return max(count, round(everything * matching / looked_at)), True


async def position_of(request: Request) -> int:
    """How far the change log has come."""
    database = database_of(request)
    ((position,),) = await database.read(position_statement(database.dialect), {}, "quick")
    return int(position)


async def check_codes(request: Request, parsed: ParsedFilter) -> None:
    """Refuse (400) a filter by a code that is in no list: it is a mistake, not an empty answer."""
    known: dict[Column[Any], frozenset[str]] = request.app.state.codes
    for used in parsed.codes:
        if used.code in known.get(used.column, ()):
            continue
        # Codes can have been added since they were last read.
        known[used.column] = codes = await _codes(database_of(request), used.column)
        if used.code not in codes:
            what = used.column.table.name.replace("_", " ")
            rows = await _rows(database_of(request), codes_with_names(used.column))
            instead = several_values(used.parameter, used.code)
            instead = instead or meant_code(used.code, used.column, rows)
            raise bad_parameter(
                used.parameter, "code", f"{used.code!r} is not a {what} code.{instead}"
            )


async def _codes(database: Database, column: Column[Any]) -> frozenset[str]:
    return frozenset(row[0] for row in await _rows(database, select(column)))


async def _rows(database: Database, statement: Select[Any]) -> list[Any]:
    return list(await database.read(compile_query(statement, database.dialect), {}))
