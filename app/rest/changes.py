"""Reading the change log: the feed of all changes, a record's history, and what a record was."""

from dataclasses import replace
from datetime import datetime
from functools import cache
from uuid import UUID

from pydantic import Field
from sqlalchemy import Dialect, bindparam, func, select
from starlette.requests import Request
from starlette.responses import Response

from app.core import json_codec
from app.core.databases.interface import (
    CompiledQuery,
    Rows,
    compile_query,
    task_outside_request,
)
from app.core.databases.public_reads import is_public
from app.core.databases.types import Id, Instant, instant_text
from app.core.errors import NotFound
from app.core.http.responses import JsonResponse
from app.core.loose_types import Fields, Json
from app.engine.history.change_log import Action, Change, undo
from app.engine.history.feed import ChangeEntry, FeedShape, feed_statement
from app.engine.history.positions import Position, Since, read_position, refuse_gone
from app.engine.query.cursor import cursor_scope
from app.engine.query.filter_reader import bad_parameter
from app.engine.query.parameters import Cursor, Limit
from app.engine.registry import KindName, unknown_kind
from app.engine.resource import Resource
from app.engine.schemas import Page, Schema
from app.rest.audience import reading_dialect
from app.rest.decimals import wants_texts, with_texts
from app.rest.handlers import Found, database_of, newest_of
from app.rest.pages import answer_long_page, current_page

#: How many changes are read at a time, and after how many characters of them a page ends.
PIECE_ROWS, MAX_PAGE_CHARACTERS = 250, 4_000_000


class ChangeList(Schema):
    """A page of changes."""

    data: list[ChangeEntry]
    """The changes, in order."""
    page: Page
    """Where this page lies within all of them."""


class HistoryQuery(Schema):
    """Parameters of a record's history."""

    limit: Limit = 50
    """The most changes to answer with; more than 1000 is taken for 1000."""
    cursor: Cursor | None = None
    """`next_cursor` or `prev_cursor` of a page of the same history, to go on from there."""


class ChangesQuery(HistoryQuery):
    """Parameters of the feed of all changes."""

    since: Since = "0"
    """Only changes after this one: the `position` that you have read last, or its `seq` alone."""
    kind: KindName | None = Field(None, max_length=32)
    """Only changes of this kind of record: `agreement`, or `agreements` as in its address."""
    record_id: UUID | None = None
    """Only changes of this record."""
    actor: str | None = Field(None, max_length=120, min_length=1)
    """Only changes that somebody of this name made."""
    action: Action | None = None
    """Only changes of this sort."""


async def answer_changes(
    request: Request, query: HistoryQuery, values: Fields, newest_first: bool
) -> Response:
    """A page of the changes for which each named condition holds; a shorter one where they are
    long."""
    database = database_of(request)
    bound_to = cursor_scope("changes", newest_first, sorted((n, str(v)) for n, v in values.items()))
    at = await current_page(request, query.limit, query.cursor, bound_to)
    shape = FeedShape(tuple(sorted(values)), newest_first, at.backward, at.place is not None)
    if at.place is not None:
        values = {**values, "seek": at.place.key[0]}
    rows: Rows = []
    characters = 0
    while len(rows) <= at.limit:
        wanted = min(PIECE_ROWS, at.limit + 1 - len(rows))
        statement = feed_statement(shape, reading_dialect(request))
        piece = await database.read(statement, {**values, "limit": wanted})
        rows += piece
        characters += sum(len(row[0]) for row in piece)
        if len(piece) < wanted:
            break
        if characters > MAX_PAGE_CHARACTERS:
            at = replace(at, limit=min(at.limit, len(rows) - 1))
        shape = replace(shape, seek=True)
        values = {**values, "seek": json_codec.loads(piece[-1][1])[0]}
    return await answer_long_page(at, rows)


async def answer_feed(
    request: Request, query: ChangesQuery, kinds: tuple[Resource, ...]
) -> Response:
    """A page of the feed of all changes, in the order in which they were committed."""
    known = {resource.record_type for resource in kinds}
    if query.kind is not None and query.kind not in known:
        raise bad_parameter("kind", "unknown", unknown_kind(query.kind, known))
    since = read_position(query.since, "since")
    names = ("kind", "record_id", "actor", "action")
    values = {name: getattr(query, name) for name in names}
    values = {name: value for name, value in values.items() if value is not None}
    values["since"] = since.seq
    answer = await answer_changes(request, query, values, newest_first=False)
    # Afterwards, so that a restore meanwhile is not passed over.
    await _refuse_gone(request, since)
    return answer


async def _refuse_gone(request: Request, since: Position) -> None:
    """Gone for a position that is not in the log."""
    if since.gone(await newest_of(request)) is None:
        return
    # A copy of the database may only be behind.
    refuse_gone(since, await task_outside_request(newest_of(request)))


def _before_file(state: Json, as_of: str) -> None:
    """Put back what a file has done to a record that came by one: it is a change of them all, and
    no record has an entry of its own. A file only replaces records, which go to the trash."""
    if state["deleted_at"] is not None and state["deleted_at"] > as_of:
        created = {"version": 1, "updated_at": state["created_at"], "deleted_at": None}
        state.update(created)


async def is_told_in_part(
    request: Request, resource: Resource, found: Found, moment: datetime
) -> bool:
    """Whether the reader is told of later changes of a record without some of their fields, so that
    they cannot be undone one after another."""
    if not is_public(reading_dialect(request)):
        return False
    database = database_of(request)
    values = {"kind": resource.record_type, "record_id": found.id, "moment": moment}
    ((count,),) = await database.read(_told_in_part(database.whole_dialect), values)
    return bool(count)


@cache
def _told_in_part(dialect: Dialect) -> CompiledQuery:
    """Reads `(count,)` of the changes of a record after `:moment` of which fields are withheld."""
    statement = select(func.count()).where(
        Change.kind == bindparam("kind"),
        Change.record_id == bindparam("record_id", type_=Id()),
        Change.at > bindparam("moment", type_=Instant()),
        Change.hidden.is_not(None),
    )
    return compile_query(statement, dialect)


async def answer_as_of(
    request: Request, resource: Resource, found: Found, moment: datetime, trash: bool
) -> Response:
    """What a record was at a moment: its present state with every later change undone."""
    database = database_of(request)
    shape = FeedShape(("kind", "record_id"), newest_first=True)
    values = {"kind": resource.record_type, "record_id": found.id, "limit": 2**31}
    rows = await database.read(feed_statement(shape, reading_dialect(request)), values)
    state, as_of = json_codec.loads(found.body), instant_text(moment)
    for row in rows:
        change = json_codec.loads(row[0])
        if change["at"] <= as_of:
            state["version"], state["updated_at"] = change["version"], change["at"]
            break
        undo(state, change["changes"])
    else:
        if state["created_at"] > as_of:
            entered = f"The {resource.singular} was entered after {as_of}: {state['created_at']}."
            raise NotFound(entered)
        _before_file(state, as_of)
    if state["deleted_at"] is not None and not trash:
        raise NotFound(f"The {resource.singular} was in the trash at {as_of}. Add deleted=include.")
    body = json_codec.dumps(state).decode()
    if wants_texts(request):
        body = with_texts(resource, body)
    return JsonResponse(body.encode())
