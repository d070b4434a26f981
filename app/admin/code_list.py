"""The code lists as they are served: read-only, with labels in three languages."""

import asyncio
from datetime import date
from functools import cache
from typing import Annotated

from fastapi import Path, Query, Request
from pydantic import Field
from sqlalchemy import Dialect, func, literal, null, select, union_all
from starlette.responses import Response

from app.admin.code_search import beyond, codes_found
from app.core import json_codec
from app.core.databases.expressions import AnyTable
from app.core.databases.interface import CompiledQuery, compile_query
from app.core.errors import BadRequest, Fault, NotFound, did_you_mean
from app.core.http.dispatch import Endpoint, Route
from app.core.http.operation import Answer, Operation
from app.core.http.responses import JsonResponse
from app.core.loose_types import Fields, Value
from app.core.public_path import public_path
from app.engine.query.cursor import cursor_scope
from app.engine.query.parameters import MAX_LIMIT, Cursor, Limit
from app.engine.query.render import as_json, object_of
from app.engine.schemas import Page, Schema
from app.resources.code import (
    CodeRow,
    Country,
    Currency,
    Language,
    LegalForm,
    Region,
    Sector,
    Term,
    canonical_region,
    term_lists,
)
from app.rest.handlers import database_of
from app.rest.pages import answer_page, current_page
from app.rest.table_lists import TableList, find_rows, read_page

#: The lists with tables of their own, by their name in addresses; any other list is of terms.
LISTS: dict[str, type[CodeRow]] = {
    "countries": Country,
    "regions": Region,
    "currencies": Currency,
    "sectors": Sector,
    "legal-forms": LegalForm,
    "languages": Language,
}

#: More than the longest list has.
MAX_CODES = 10_000
#: The list that the codes of a list belong to.
PARENTS = {"regions": "countries", "sectors": "sectors", "legal-forms": "countries"}


class Labels(Schema):
    en: str
    """In English."""
    ru: str | None
    """In Russian, or null when not known."""
    kk: str | None
    """In Kazakh, or null when not known."""


class Code(Schema):
    """A code with its labels."""

    code: str
    """The code."""
    labels: Labels
    """What it is called, in three languages."""
    parent: str | None
    """What it belongs to: a region's or a legal form's country, a sector's wider sector."""
    decimals: int | None
    """Of a currency: the decimals of its smallest unit."""
    valid_until: date | None
    """Of a code withdrawn: its last day. Records dated no later have it."""
    successor: str | None
    """Of a code withdrawn: the one that came after it, or several with `;` between them."""
    elf: str | None
    """Of a legal form: its code in ISO 20275."""
    aliases: list[str]
    """Other codes or printed forms that stand for it."""
    retired: bool
    """True when it may no longer be used for new records."""


class CodePage(Schema):
    """A page of a code list."""

    data: list[Code]
    """The codes, in their order."""
    page: Page
    """Where this page lies within the list."""


class CodeListEntry(Schema):
    """A code list."""

    name: str
    """Its name in the address `/codes/{list}`."""
    codes: int
    """How many codes it holds."""


class CodeLists(Schema):
    """All code lists."""

    data: list[CodeListEntry]
    """The lists, by name."""


class CodeQuery(Schema):
    """Parameters of a code list."""

    parent: str | None = Field(None, max_length=32)
    """Only codes that belong to this one: a country's regions, a sector's parts."""
    q: str | None = Field(None, min_length=1, max_length=500)
    """Words of the labels, aliases or code, in any script; the likeliest come first."""
    limit: Limit = MAX_LIMIT
    """The most codes to answer with; more than 1000 is taken for 1000."""
    cursor: Cursor | None = None
    """`next_cursor` or `prev_cursor` of a page of the same list, to go on from there."""


def _fields(table: AnyTable) -> Fields:
    labels = {name: as_json(getattr(table, name)) for name in Labels.model_fields}
    return {
        "code": as_json(table.code),
        "labels": object_of(labels),
        "parent": as_json(table.parent),
        "decimals": getattr(table, "decimals", null()),
        "valid_until": table.valid_until,
        "successor": table.successor,
        "elf": getattr(table, "elf", null()),
        "aliases": as_json(table.aliases),
        "retired": as_json(table.retired),
    }


def _chosen(name: str, values: dict[str, str]) -> tuple[TableList, dict[str, str]]:
    """The table with the codes of this list, and the values that they have in it."""
    table = LISTS.get(name, Term)
    return TableList(table, _fields, key="code"), {
        "list": name,
        **values,
    } if table is Term else values


async def _codes(request: Request, name: str, limit: int, **values: str) -> list[Value]:
    """Rows of `(json, key)`."""
    return await find_rows(database_of(request), *_chosen(name, values), limit)


@cache
def _lists_statement(dialect: Dialect) -> CompiledQuery:
    """Reads `(name, codes)` of every list."""
    counts = [
        select(literal(name).label("name"), func.count().label("codes")).select_from(table)
        for name, table in LISTS.items()
    ]
    terms = select(Term.list.label("name"), func.count().label("codes")).group_by(Term.list)
    return compile_query(union_all(*counts, terms).order_by("name"), dialect)


async def _lists(request: Request) -> list[tuple[str, int]]:
    database = database_of(request)
    return [tuple(row) for row in await database.read(_lists_statement(database.dialect), {})]


async def _no_list(request: Request, name: str) -> NotFound:
    names = [known for known, _ in await _lists(request)]
    near = did_you_mean(name, names)
    return NotFound(f"There is no code list {name!r}.{near} See {public_path('/codes')}.")


ListName = Annotated[str, Path(description="The name of a code list, as /codes gives it.")]
CodeKey = Annotated[str, Path(description="A code of the list.")]


async def list_code_lists(request: Request) -> Response:
    """The names of all code lists, to be read at `/codes/{list}`."""
    data = [{"name": name, "codes": codes} for name, codes in await _lists(request)]
    return JsonResponse(json_codec.dumps({"data": data}))


async def list_codes(
    request: Request, list: ListName, query: Annotated[CodeQuery, Query()]
) -> Response:
    """The codes of one list, in their order; those that `q` finds, the likeliest first."""
    values = {} if query.parent is None else {"parent": query.parent}
    scope = cursor_scope("codes", list, query.parent, query.q)
    at = await current_page(request, query.limit, query.cursor, scope)
    if query.q is None:
        rows = await read_page(at, *_chosen(list, values))
    else:
        every = await _codes(request, list, MAX_CODES, **values)
        found = await asyncio.to_thread(codes_found, list, every, query.q)
        rows = beyond(found, at.place, at.limit + 1)
    if not rows and list not in dict(await _lists(request)):
        raise await _no_list(request, list)
    if not rows and query.parent is not None:
        await _check_parent(request, list, query.parent)
    return answer_page(at, rows)


async def _check_parent(request: Request, name: str, parent: str) -> None:
    """Refuse (400) a parent that is no code of the list that this one's codes belong to."""
    above = PARENTS.get(name)
    if above is None:
        text = f"The codes of {name} belong to no other code."
    elif not await _codes(request, above, 1, code=parent):
        text = f"{parent!r} is not a code of {above}."
    else:
        return
    raise BadRequest(text, [Fault("unknown", text, parameter="parent")])


async def get_code(request: Request, list: ListName, code: CodeKey) -> Response:
    """One code with its labels in English, Russian and Kazakh."""
    wanted = canonical_region(code) if list == "regions" else code
    rows = await _codes(request, list, 1, code=wanted)
    if not rows:
        if list not in dict(await _lists(request)):
            raise await _no_list(request, list)
        known = [json_codec.loads(row[0])["code"] for row in await _codes(request, list, MAX_CODES)]
        raise NotFound(f"There is no code {code!r} in {list}.{did_you_mean(code, known)}")
    return JsonResponse(rows[0][0].encode())


def code_routes() -> list[Route]:
    """The read-only operations on code lists."""
    lists, one_list = Answer(model=CodeLists), Answer(model=CodePage, headers=("Link",))
    return [
        _route("/codes", list_code_lists, "List the code lists", lists),
        _route("/codes/{list}", list_codes, "List the codes of one list", one_list),
        _route("/codes/{list}/{code}", get_code, "Get one code", Answer(model=Code)),
    ]


def _route(path: str, endpoint: Endpoint, summary: str, answer: Answer) -> Route:
    route = Operation(
        path=path,
        name=endpoint.__name__,
        summary=summary,
        tag="codes",
        answers=(answer,),
        refusals=(BadRequest, NotFound),
    ).route(endpoint)
    route.known = {"list": (*LISTS, *term_lists())}
    return route
