"""Reads of one record: from a request to finished JSON, asking the database once."""

from dataclasses import dataclass
from hashlib import sha256

from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import Response

from app.core.auth.principals import ANONYMOUS, Principal
from app.core.databases.expressions import Selection, TableColumn
from app.core.databases.interface import Database, Rows, compile_query
from app.core.errors import Moved, Problem
from app.core.http.app_state import state_of
from app.core.http.conditional import is_known, not_modified
from app.core.http.responses import JsonResponse
from app.core.instance_secret import EPOCH_LENGTH
from app.core.loose_types import Value, Values
from app.engine.codes import codes_with_names, meant_code
from app.engine.history.positions import Position, position_statement, read_stored
from app.engine.keys import as_id, in_trash, missing
from app.engine.query.filter_reader import ParsedFilter, bad_parameter
from app.engine.query.hints import several_values
from app.engine.query.parameters import ItemQuery, View, read_view
from app.engine.query.statements import item_statement, successor_statement
from app.engine.registry import RECORD_TYPES
from app.engine.resource import Resource
from app.rest.decimals import dialect_of, tag_for
from app.rest.related import ID_ALONE, NO_VALUES, check_related, needs_count

#: Where a request keeps the database as it was at the moment that it names.
PAST_DATABASE = "past_database"
#: And the moment that it was asked at, where it is asked again for somebody.
ASKED_AT = "asked_at"


def database_of(request: Request) -> Database:
    """The application's database, as it was then where the request names a moment."""
    past: Database | None = request.scope.get(PAST_DATABASE)
    return past or state_of(request).database


def caller_name(request: Request) -> str:
    """Who makes the request, as history names them."""
    caller: Principal = request.scope.get("caller", ANONYMOUS)
    return caller.name


async def epoch_of(request: Request) -> str:
    """The database's epoch, as it was a second ago at most."""
    return await state_of(request).epoch.get()


@dataclass(frozen=True, slots=True)
class Found:
    """A record that was read, with what its entity tag is made of."""

    body: str
    #: As the driver gives it, which it takes again just so.
    id: Value
    version: int
    #: How far the change log had come.
    position: str
    #: Whether others of its kind are part of it, where that was asked.
    has_parts: bool = False


async def find_row(
    request: Request,
    resource: Resource,
    key: str,
    view: View = View(),  # noqa: B008 (it never changes)
    trash: bool = False,
    *,
    tells_parts: bool = False,
    values: Values = NO_VALUES,
) -> Found:
    """The record with this id or ref; NotFound without one. `values` are those of the view."""
    database = database_of(request)
    record_id = as_id(key)
    by = "ref" if record_id is None else "id"
    shown = (resource, view, by, dialect_of(request), tells_parts)
    statement = await item_statement.beside_loop(*shown)
    known = {**values, "key": record_id or key}
    # Which related records are shown can take long to find.
    rows = await database.read(statement, known, point_lookup=not view.related)
    if not rows:
        raise missing(resource, key)
    body, deleted_at, found_id, version, position, *has_parts = rows[0]
    if deleted_at is not None and not trash:
        raise await _gone(request, resource, key, found_id)
    return Found(body, found_id, version, position, any(has_parts))


async def _gone(request: Request, resource: Resource, key: str, record_id: Value) -> Problem:
    """The problem of a record in the trash: that it stands elsewhere, where it was merged."""
    if resource.is_mergeable:
        statement = await successor_statement.beside_loop(resource, dialect_of(request))
        values = {"id": record_id}
        for successor, is_kind in await database_of(request).read(statement, values):
            of = resource if is_kind else RECORD_TYPES[resource.record_type]
            text = f"The {resource.singular} {key!r} was merged into {successor}."
            return Moved(text, key, str(successor), (resource.path, of.path))
    return in_trash(resource, key)


def tag_of(resource: Resource, record_id: Value, version: int, position: str) -> str:
    """The strong entity tag of a record shown whole.

    It names the record too, because a ref can pass to another one; the epoch, because versions of
    before a restore are given out again; and the state of everything where the record shows what
    is stored elsewhere.
    """
    if not resource.derived_elsewhere:
        position = position[-EPOCH_LENGTH:]
    return f'"{version}-{str(record_id)[-12:]}-{position}"'


async def answer_item(request: Request, resource: Resource, key: str, query: ItemQuery) -> Response:
    """One record, as much of it as the query asks for."""
    view = read_view(resource, query)
    if needs_count(resource, view, 1):
        alone = await find_row(request, resource, key, ID_ALONE, query.deleted == "include")
        await check_related(request, resource, view, [str(alone.id)])
    found = await find_row(request, resource, key, view, query.deleted == "include")
    tag = tag_of(resource, found.id, found.version, found.position)
    if not view.whole:
        tag = f'W/"{found.version}-{str(found.id)[-12:]}-{found.position}"'
    tag = tag_for(request, tag)
    if is_known(request, tag):
        return not_modified(tag)
    return JsonResponse(found.body.encode(), headers={"ETag": tag})


async def position_of(request: Request) -> str:
    """How far the change log has come, as tags tell it."""
    database = state_of(request).database
    ((position,),) = await database.read(
        position_statement(database.dialect), {}, point_lookup=True
    )
    return str(position)


def edition_of(parsed: ParsedFilter) -> str:
    """What tags add where dates are counted from now: an answer that was right yesterday is not
    today, though nothing was written. Nothing where none are."""
    if not parsed.relative:
        return ""
    return "-" + sha256(" ".join(parsed.relative).encode()).hexdigest()[:8]


async def newest_of(request: Request) -> Position:
    """How far the change log has come."""
    return read_stored(await position_of(request))


async def check_codes(request: Request, parsed: ParsedFilter) -> None:
    """Refuse (400) a filter by a code that is in no list: it is a mistake, not an empty answer."""
    known = state_of(request).codes
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


async def _codes(database: Database, column: TableColumn) -> frozenset[str]:
    return frozenset(row[0] for row in await _rows(database, select(column)))


async def _rows(database: Database, statement: Selection) -> Rows:
    return list(await database.read(compile_query(statement, database.dialect), {}))
