"""Search across all kinds of records: what matched, and where."""

import asyncio
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Annotated
from uuid import UUID

from fastapi import Query, Request
from pydantic import Field
from sqlalchemy import Dialect, Text, bindparam, cast, func, select
from starlette.responses import Response

from app.core import json_codec
from app.core.databases.expressions import Expression
from app.core.databases.interface import CompiledQuery, Rows, compile_query, table_of
from app.core.databases.types import Id
from app.core.http.dispatch import Route
from app.core.http.operation import Answer, Operation
from app.core.loose_types import Json, Values
from app.core.public_path import public_path
from app.core.text.analyze import first_highlight, highlights
from app.engine.query.cursor import cursor_scope
from app.engine.query.filter_reader import bad_parameter, split_items
from app.engine.query.parameters import Cursor, Limit
from app.engine.query.render import record_json
from app.engine.registry import kind_named, unknown_kind
from app.engine.resource import Resource
from app.engine.schemas import Page, Schema
from app.engine.search.hits import query_value, search_statement
from app.engine.search.searched import LONGEST_TEXT, searched
from app.rest.audience import reading_dialect
from app.rest.export_columns import label_of
from app.rest.handlers import database_of
from app.rest.pages import answer_page, current_page, numbered, numbered_rows

MAX_HITS = 100
#: How many characters of long texts are looked at for the passages of a page of hits.
MOST_LOOKED_AT = 1_500_000


class SearchQuery(Schema):
    """Parameters of the search."""

    q: str = Field(min_length=1, max_length=500)
    """Words to be found in names and texts, whatever their endings and script; all of them must be
    there. A word of three letters or more also finds those that begin with it; words in quotes
    must follow each other."""
    kinds: str | None = Field(None, max_length=300)
    """Only these kinds of records, separated by commas: `agreement,organization`."""
    limit: Limit = 20
    """The most hits to answer with; more than 100 is taken for 100."""
    cursor: Cursor | None = None
    """`next_cursor` of a page of the same search, to go on from there."""


class Match(Schema):
    """A field in which the search was found."""

    field: str
    """The field, as a JSON Pointer into the record (RFC 6901); `/text` is a source's own."""
    text: str
    """The field's text, or the passage of it around what was found."""
    spans: list[tuple[int, int]]
    """Where the words stand in `text`: `[start, end]` in Unicode code points from 0."""


class Hit(Schema):
    """A record that was found."""

    kind: str
    """The kind of record."""
    id: UUID
    """Its id."""
    ref: str | None
    """Its ref."""
    name: str | None
    """What it is called."""
    url: str
    """Its address."""
    in_name: bool
    """True when its names alone match: such hits come first."""
    matches: list[Match]
    """Where the words were found in it."""


class Hits(Schema):
    """A page of what was found, best first: by name before by text, then newest first."""

    data: list[Hit]
    """The hits."""
    page: Page
    """Where this page lies within all hits."""


@lru_cache(maxsize=512)
def _records(resource: Resource, count: int, dialect: Dialect) -> CompiledQuery:
    """Reads `(id, json)` of the records `:r0, :r1, …`, and the long text that belongs to each."""
    ids = [bindparam(f"r{at}", type_=Id()) for at in range(count)]
    shown: list[Expression] = [cast(resource.table.id, Text), cast(record_json(resource), Text)]
    if held := resource.long_text:
        shown.append(func.substr(table_of(resource.table).c[held.column], 1, LONGEST_TEXT))
    return compile_query(select(*shown).where(resource.table.id.in_(ids)), dialect)


async def _read(
    request: Request, resource: Resource, ids: list[UUID]
) -> dict[str, tuple[Values, str | None]]:
    database = database_of(request)
    # As many as a power of two, so that there are few statements.
    padded = ids + [ids[-1]] * ((1 << (len(ids) - 1).bit_length()) - len(ids))
    statement = _records(resource, len(padded), reading_dialect(request))
    values = {f"r{at}": each for at, each in enumerate(padded)}
    rows = await database.read(statement, values)
    return {
        str(row[0]): (json_codec.loads(row[1]), row[2] if len(row) > 2 else None) for row in rows
    }


def _texts(resource: Resource, record: Values) -> Iterator[tuple[str, str]]:
    """Every text of the record that is searched, with its place in it."""
    fields = searched(resource)
    for name in (*fields.names, *fields.others):
        value = record[name]
        for at, text in enumerate(value) if isinstance(value, list) else ((None, value),):
            if text is not None:
                yield f"/{name}" if at is None else f"/{name}/{at}", text
    for part, names in fields.parts:
        for at, row in enumerate(record[part]):
            for name in names:
                if row[name] is not None:
                    yield f"/{part}/{at}/{name}", row[name]


def _hit(resource: Resource, record: Values, text: str | None, tier: int, q: str) -> Json:
    matches = highlights(dict(_texts(resource, record)), q)
    if text is not None and (found := first_highlight("/text", text, q)):
        matches.append(found)
    return {
        "kind": resource.record_type,
        "id": record["id"],
        "ref": record["ref"],
        "name": record[label_of(resource)],
        "url": public_path(f"/{resource.path}/{record['id']}"),
        "in_name": tier == 0,
        "matches": [
            {"field": found.field, "text": found.text, "spans": found.spans} for found in matches
        ],
    }


def search_route(resources: tuple[Resource, ...]) -> Route:
    """GET /search"""
    # A company is an organization too, and is found as one.
    by_kind = {
        resource.record_type: resource for resource in resources if resource.row_filter is None
    }

    async def search(request: Request, query: Annotated[SearchQuery, Query()]) -> Response:
        """Records of every kind in which all words of `q` are found. Russian, Kazakh and English
        endings do not matter, nor capitals, nor ё and е, nor Cyrillic or Latin letters:
        `Novosibirsk` finds «в Новосибирске»."""
        kinds = _kinds(query.kinds, by_kind)
        limit = min(query.limit, MAX_HITS)
        at = await current_page(
            request, limit, query.cursor, cursor_scope("search", query.q, kinds)
        )
        first, count = numbered_rows(at)
        database = database_of(request)
        words = query_value(query.q, database.dialect.name)
        asked = {"q": words, "limit": count, "offset": first}
        found = await database.read(search_statement(reading_dialect(request), kinds), asked)
        rows = await _shown(request, by_kind, found[:count], query.q)
        return answer_page(at, numbered(at, rows, first))

    return Operation(
        path="/search",
        name="search",
        summary="Search all records",
        tag="search",
        answers=(Answer(model=Hits, headers=("Link",)),),
    ).route(search)


def _kinds(text: str | None, known: Mapping[str, Resource]) -> tuple[str, ...]:
    names = split_items(text) if text is not None else []
    kinds = tuple(sorted({kind_named(name) for name in names}))
    for kind in kinds:
        if kind not in known:
            raise bad_parameter("kinds", "unknown", unknown_kind(kind, known))
    return kinds


async def _shown(
    request: Request, by_kind: Mapping[str, Resource], found: Rows, q: str
) -> list[str]:
    ids: dict[str, list[UUID]] = {}
    for kind, record_id, _ in found:
        ids.setdefault(kind, []).append(UUID(str(record_id)))
    records: dict[str, tuple[Values, str | None]] = {}
    for kind, of_kind in ids.items():
        records |= await _read(request, by_kind[kind], of_kind)
    return await asyncio.to_thread(_bodies, by_kind, found, records, q)


def _bodies(
    by_kind: Mapping[str, Resource],
    found: Rows,
    records: Mapping[str, tuple[Values, str | None]],
    q: str,
) -> list[str]:
    """The hits as JSON; long texts are looked at as far as that takes no long time in all."""
    left, bodies = MOST_LOOKED_AT, []
    for kind, record_id, tier in found:
        if str(record_id) not in records:
            # It was withheld, or purged, between the two reads.
            continue
        record, text = records[str(record_id)]
        text = text if text is None or len(text) <= left else None
        left -= len(text or "")
        bodies.append(json_codec.dumps(_hit(by_kind[kind], record, text, tier, q)).decode())
    return bodies
