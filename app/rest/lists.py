"""Lists: from a request to a page of finished JSON, asking the database once where that will do."""

from dataclasses import dataclass, replace
from decimal import Decimal
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from app.core import json_codec
from app.core.databases.interface import CompiledQuery
from app.core.http.app_state import state_of
from app.core.http.conditional import is_known, not_modified
from app.core.instance_secret import EPOCH_LENGTH
from app.core.loose_types import Fields, Value
from app.engine.query.cursor import CursorPosition, cursor_scope, read_asked_at
from app.engine.query.fan_out import multiplied, multiplied_statement
from app.engine.query.filter_reader import bad_parameter
from app.engine.query.parameters import (
    MAX_LIMIT,
    Listing,
    ListQuery,
    PartsQuery,
    RecordsQuery,
    Seek,
    read_listing,
)
from app.engine.query.statements import (
    SAMPLE_ROWS,
    count_statement,
    is_led_by_index,
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
from app.rest.audience import reading_dialect
from app.rest.decimals import dialect_of, tag_for
from app.rest.handlers import check_codes, database_of, edition_of, find_row, position_of
from app.rest.pages import PageRequest, Total, answer_long_page, in_epoch, page_request
from app.rest.past import answered_at
from app.rest.related import ID_ALONE, check_related, needs_count, refuse_many

#: How many addresses of lists are remembered, and up to what length: some megabytes in all.
MAX_ANSWERED_LISTS = 4096
MAX_ADDRESS_LENGTH = 1000


@dataclass(slots=True)
class RecordSet:
    """The records that a list shows: all of a kind, or those of a collection under one parent."""

    resource: Resource
    collection: SubCollection | None = None
    #: The parent's id, as the driver gives it.
    parent: Value = None


async def records_under(
    request: Request, collection: SubCollection, key: str, query: RecordsQuery
) -> RecordSet:
    """The records of the collection under the parent with this id or ref, and under those that are
    part of it unless the query leaves these out; NotFound without one."""
    together = collection.with_parts
    if isinstance(query, PartsQuery) and query.parts == "exclude":
        together = None
    tells_parts = together is not None
    found = await find_row(request, collection.parent, key, ID_ALONE, tells_parts=tells_parts)
    shown = collection if together is None or not found.has_parts else together
    return RecordSet(collection.child, shown, found.id)


@dataclass(slots=True)
class ListRequest:
    """A list as it was asked for: which records, which of them, and how they are shown."""

    request: Request
    records: RecordSet
    listing: Listing
    #: The values of its statements' parameters.
    values: Fields

    @property
    def edition(self) -> str:
        """What a tag tells of a list besides the state of the database: the days that its relative
        dates come to now."""
        return edition_of(self.listing.parsed)

    async def read(self, statement: CompiledQuery, **values: Value) -> list[Value]:
        """The rows of the statement, with the list's values and these."""
        database = database_of(self.request)
        return list(await database.read(statement, {**self.values, **values}))


async def list_request(request: Request, records: RecordSet, query: RecordsQuery) -> ListRequest:
    """The list that the query asks for; BadRequest when a filter names an unknown code."""
    cursor = query.cursor if isinstance(query, ListQuery) else None
    asked_at = read_asked_at(cursor, state_of(request).secret) if cursor is not None else None
    asked_at = asked_at or await answered_at(request)
    listing = read_listing(records.resource, query, asked_at)
    await check_codes(request, listing.parsed)
    values = with_query(listing.parsed.values, query.q, database_of(request).dialect)
    if records.collection is not None:
        values["parent"] = records.parent
    return ListRequest(request, records, listing, values)


async def answer_list(request: Request, records: RecordSet, query: ListQuery) -> Response:
    """A page of the records."""
    asked = await list_request(request, records, query)
    if query.cursor is not None and query.offset is not None:
        raise bad_parameter("offset", "both", "Give a cursor or an offset, not both.")
    at = page_request(request, query.limit, query.cursor, _scope_of(asked, query))
    if asked.edition:
        at = replace(at, asked_at=asked.listing.parsed.asked_at.isoformat())
    # One that was answered before has been asked for that already.
    if not _was_answered(request) and (unchanged := await _unchanged(request, asked.edition)):
        return unchanged
    offset = query.offset or 0
    asked, counted = await by_ways(asked, offset + min(query.limit, MAX_LIMIT) + 1)
    # A tag must not be newer than any part of the list: what is stored meanwhile would stay hidden.
    position = None if at.place is None else await position_of(request)
    if position is not None:
        at = in_epoch(at, position[-EPOCH_LENGTH:])
    await check_page(asked, at, offset)
    rows = await read_page(asked, at, offset)
    if position is None and rows:
        position = rows[0][2]
    elif position is None:
        position = await position_of(request)
        rows = await read_page(asked, at, offset)
    total = await count_records(counted, query.count)
    headers = {"ETag": tag_for(request, f'W/"{position}{asked.edition}"')}
    at = in_epoch(at, position[-EPOCH_LENGTH:])
    answer = await answer_long_page(at, rows, offset, total, headers)
    if not asked.edition:
        _remember(request)
    return answer


async def check_page(asked: ListRequest, at: PageRequest, offset: int) -> None:
    """Refuse (400) a page that would show too many related records, or too much text."""
    resource, view = asked.records.resource, asked.listing.shape.view
    if needs_count(resource, view, at.limit):
        shape = replace(asked.listing.shape, view=ID_ALONE)
        alone = replace(asked, listing=replace(asked.listing, shape=shape))
        rows = (await read_page(alone, at, offset))[: at.limit]
        ids = [json_codec.loads_stored(row[0])["id"] for row in rows]
        await check_related(asked.request, resource, view, ids, asked.values)


async def check_multiplied(asked: ListRequest, limit: int) -> None:
    """Refuse (400) to show so many records of a list, each with others that many of them share: a
    file of them would have no end."""
    resource, shape = asked.records.resource, asked.listing.shape
    if paths := multiplied(resource, shape.view):
        dialect = reading_dialect(asked.request)
        collection = asked.records.collection
        statement = await multiplied_statement.beside_loop(resource, collection, shape, dialect)
        (counts,) = await asked.read(statement, limit=limit)
        refuse_many(resource, paths, counts)


def _remember(request: Request) -> None:
    """Note that a list has this address, to tell so without reading it."""
    address, known = _address(request), state_of(request).answered_lists
    if len(known) >= MAX_ANSWERED_LISTS:
        known.clear()
    if len(address[0]) + len(address[1]) <= MAX_ADDRESS_LENGTH:
        known.add(address)


def _address(request: Request) -> tuple[str, bytes]:
    return request.scope["path"], request.scope["query_string"]


def _was_answered(request: Request) -> bool:
    return _address(request) in state_of(request).answered_lists


async def unchanged_list(request: Request) -> Response | None:
    """304 for a list that was answered before and has not changed since; None for any other."""
    return await _unchanged(request) if _was_answered(request) else None


async def _unchanged(request: Request, edition: str = "") -> Response | None:
    """304 where the client has the list as it is; None where it has not."""
    if "if-none-match" not in request.headers:
        return None
    tag = tag_for(request, f'W/"{await position_of(request)}{edition}"')
    return not_modified(tag) if is_known(request, tag) else None


async def by_ways(asked: ListRequest, wanted: int) -> tuple[ListRequest, ListRequest]:
    """The list, of which so many records are read, and what is counted of it, each the quicker way
    for what is searched."""
    shape, resource = asked.listing.shape, asked.records.resource
    if not shape.q:
        return asked, asked
    database = database_of(asked.request)
    share = await share_found(database, resource, asked.values, reading_dialect(asked.request))
    is_led = is_led_by_index(resource, shape, database.dialect)
    page = replace(shape, by_row=is_by_row(share, wanted if is_led else None))
    counted = replace(shape, by_row=is_by_row(share, None))
    return (
        replace(asked, listing=replace(asked.listing, shape=page)),
        replace(asked, listing=replace(asked.listing, shape=counted)),
    )


def _scope_of(asked: ListRequest, query: ListQuery) -> bytes:
    shape = asked.listing.shape
    chosen = [shape.condition, query.q, shape.deleted, shape.sort, sorted(asked.values.items())]
    if isinstance(query, PartsQuery) and query.parts == "exclude":
        chosen.append(query.parts)
    return cursor_scope(asked.records.resource.path, *chosen)


async def read_page(asked: ListRequest, at: PageRequest, offset: int) -> list[Value]:
    """The rows of a page and one more, in the order of walking."""
    records, shape = asked.records, asked.listing.shape
    resource, collection, dialect = records.resource, records.collection, dialect_of(asked.request)
    if at.place is None:
        statement = await list_statement.beside_loop(resource, collection, shape, dialect)
        return await asked.read(statement, limit=at.limit + 1, offset=offset)
    keys = keys_of(resource, shape)
    place = await _whole_place(asked, at.place, len(keys))
    values = _key_values(keys, place)
    seek = Seek(place.backward, tuple(value is None for value in place.key))
    rows: list[Value] = []
    for segment in segments(seek, keys):
        following = shape.after(segment)
        statement = await list_statement.beside_loop(resource, collection, following, dialect)
        rows += await asked.read(statement, limit=at.limit + 1 - len(rows), **values)
        if len(rows) > at.limit:
            break
    return rows


async def _whole_place(asked: ListRequest, place: CursorPosition, parts: int) -> CursorPosition:
    """The place with its whole key, which is looked up where the cursor holds the id alone."""
    if len(place.key) == parts:
        return place
    database = database_of(asked.request)
    resource, sort = asked.records.resource, asked.listing.shape.sort
    statement = await key_statement.beside_loop(resource, sort, reading_dialect(asked.request))
    rows = await database.read(statement, {"id": UUID(place.key[0])}, point_lookup=True)
    if not rows:
        raise bad_parameter(
            "cursor", "cursor", "The record that this cursor is at is gone. Begin anew."
        )
    return CursorPosition(json_codec.loads(rows[0][0]), place.backward)


def _key_values(keys: list[Value], place: CursorPosition) -> Fields:
    found: Fields = {}
    for at, (key, value) in enumerate(zip(keys, place.key, strict=True)):
        if value is not None:
            text = str(value).lower() if isinstance(value, bool) else str(value)
            read = parse_value(key.field, text)
            found[f"k{at}"] = (
                round_to_column(key.field, read, None) if isinstance(read, Decimal) else read
            )
    return found


async def count_records(asked: ListRequest, how: str) -> Total:
    """How many records the list has, exactly or by an estimate."""
    if how == "none":
        return Total()
    database, records = database_of(asked.request), asked.records
    shape = asked.listing.shape.after(None)
    counted = (records.resource, records.collection, shape, reading_dialect(asked.request))
    limit = SAMPLE_ROWS + 1 if how == "estimated" and not database.counts_quickly else None
    ((count,),) = await asked.read(await count_statement.beside_loop(*counted, limit))
    if limit is None or count < limit:
        return Total(count)
    statement = await sample_statement.beside_loop(*counted)
    ((matching, looked_at, everything),) = await asked.read(statement)
    return Total(max(count, round(everything * matching / looked_at)), is_estimate=True)
