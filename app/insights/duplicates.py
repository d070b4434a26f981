"""Records that may be of the same organization or person, two and two, for whoever may write."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Annotated, Final
from uuid import UUID

from fastapi import Query, Request
from sqlalchemy import BigInteger, Dialect, bindparam, select
from starlette.responses import Response

from app.core import json_codec
from app.core.auth.principals import Permission
from app.core.databases.expressions import AnyTable
from app.core.databases.interface import CompiledQuery, compile_query
from app.core.errors import BadRequest, Fault, Invalid
from app.core.http.dispatch import Route
from app.core.http.operation import Answer
from app.core.loose_types import Json
from app.core.text.alike_names import Likeness, Name
from app.core.text.name_index import NameIndex
from app.engine.query.cursor import cursor_scope
from app.engine.query.parameters import Cursor, Limit
from app.engine.query.render import as_json, object_of
from app.engine.resource import Resource, Similarity
from app.engine.schemas import Page, Schema
from app.insights.choice import Choice, ChoiceQuery, read_choice
from app.resources.organization import organization
from app.resources.person import person
from app.rest.audience import reading_dialect
from app.rest.handlers import database_of
from app.rest.operations import RecordsOperation
from app.rest.pages import answer_page, current_page, numbered, numbered_rows

#: So many names of a record are looked at.
MAX_NAMES: Final = 5
#: How many records are compared, how often two names are, and how many pairs are told of at most.
MAX_RECORDS, MAX_COMPARED, MAX_PAIRS = 20_000, 1_000_000, 20_000


class DuplicatesQuery(ChoiceQuery):
    """Parameters of the possible duplicates, besides the filters of their records."""

    limit: Limit = 50
    """The most pairs to answer with; more than 1000 is taken for 1000."""
    cursor: Cursor | None = None
    """`next_cursor` or `prev_cursor` of a page of the same list, to go on from there."""


class AlikeRecord(Schema):
    """One of two records that may be of the same."""

    id: UUID
    """Its id."""
    ref: str | None
    """Its ref."""
    name: str
    """Which of its names is like one of the other's, as printed."""


class PossibleDuplicate(Schema):
    """Two records that may be of the same, and why."""

    one: AlikeRecord
    """The record that was entered first."""
    other: AlikeRecord
    """The record that was entered later."""
    likeness: Likeness
    """What their names have in common: `same_words`, in any order, script and ending, or
    `words_within`, all words of one being words of the other. Legal forms are no words."""
    differs: list[str]
    """Fields that both state, and otherwise: `country` of organizations."""


class PossibleDuplicates(Schema):
    """A page of pairs: first those with the same words, and of these what differs in nothing."""

    data: list[PossibleDuplicate]
    """The pairs."""
    page: Page
    """Where this page lies within all of them."""


@lru_cache(maxsize=64)
def _statement(resource: Resource, choice: Choice, dialect: Dialect) -> CompiledQuery:
    """Reads `(json,)` of the records that are chosen, oldest first, `:limit` at most: their names
    and what tells them apart."""
    table: AnyTable = resource.table
    of = _similarity(resource)
    names = dict.fromkeys(("id", "ref", *of.names, *of.unless))
    known = object_of({name: as_json(getattr(table, name)) for name in names})
    statement = select(known).where(*choice.conditions(resource)).order_by(table.id)
    return compile_query(statement.limit(bindparam("limit", type_=BigInteger)), dialect)


def _similarity(resource: Resource) -> Similarity:
    assert resource.similarity is not None
    return resource.similarity


def pairs_of(records: Sequence[Json], of: Similarity) -> list[Json]:
    """The pairs of records that may be of the same, shape `PossibleDuplicate`; Invalid (422) where
    there are too many."""
    named = [
        (at, name) for at, each in enumerate(records) for name in of.names_of(each)[:MAX_NAMES]
    ]
    found: dict[tuple[int, int], tuple[Likeness, str, str]] = {}
    compared = NameIndex([Name.read(name) for _, name in named]).compared()
    for count, (one, other, likeness) in enumerate(compared):
        if count > MAX_COMPARED or len(found) > MAX_PAIRS:
            raise _too_many("names are alike")
        (first, name), (second, other_name) = sorted((named[one], named[other]))
        if likeness is None or first == second:
            continue
        known = found.get((first, second))
        if known is None or (likeness, name, other_name) < known:
            found[first, second] = likeness, name, other_name
    return sorted(_told(records, of, found), key=_rank)


def _told(
    records: Sequence[Json],
    of: Similarity,
    found: Mapping[tuple[int, int], tuple[Likeness, str, str]],
) -> Iterable[Json]:
    for (first, second), (likeness, *names) in found.items():
        pair = (records[first], records[second])
        one, other = (
            {"id": each["id"], "ref": each["ref"], "name": name}
            for each, name in zip(pair, names, strict=True)
        )
        stated = [(field, *(each[field] for each in pair)) for field in of.unless]
        differs = [field for field, a, b in stated if a is not None and b is not None and a != b]
        yield {"one": one, "other": other, "likeness": likeness, "differs": differs}


def _rank(pair: Json) -> tuple[Likeness, bool, str, str]:
    return pair["likeness"], bool(pair["differs"]), pair["one"]["id"], pair["other"]["id"]


def _too_many(what: str) -> Invalid:
    text = f"Too many {what}: narrow the records by filters, such as country=KZ or q=."
    return Invalid(text, [Fault("too_many", text, parameter="filter")])


async def _answer(request: Request, resource: Resource, query: DuplicatesQuery) -> Response:
    scope = cursor_scope("duplicates", resource.path, query.q, query.filter, sorted(query.others))
    at = await current_page(request, query.limit, query.cursor, scope)
    choice, values, _ = await read_choice(request, resource, query)
    statement = _statement(resource, choice, reading_dialect(request))
    rows = await database_of(request).read(statement, {**values, "limit": MAX_RECORDS + 1})
    if len(rows) > MAX_RECORDS:
        raise _too_many(f"{resource.plural} are chosen, more than {MAX_RECORDS:,}")
    first, count = numbered_rows(at)

    def page() -> list[str]:
        pairs = pairs_of([json_codec.loads(row[0]) for row in rows], _similarity(resource))
        return [json_codec.dumps(each).decode() for each in pairs[first : first + count]]

    return answer_page(at, numbered(at, await asyncio.to_thread(page), first))


def duplicates_routes() -> tuple[Route, ...]:
    """GET /insights/duplicates/organizations and /insights/duplicates/people"""

    async def list_alike_organizations(
        request: Request, query: Annotated[DuplicatesQuery, Query()]
    ) -> Response:
        return await _answer(request, organization, query)

    async def list_alike_people(
        request: Request, query: Annotated[DuplicatesQuery, Query()]
    ) -> Response:
        return await _answer(request, person, query)

    return (
        _operation(organization).route(list_alike_organizations),
        _operation(person).route(list_alike_people),
    )


def _operation(resource: Resource) -> RecordsOperation:
    return RecordsOperation(
        resource=resource,
        path=f"/insights/duplicates/{resource.path}",
        name=f"list_duplicate_{resource.path}",
        summary=f"List {resource.plural} that may be there twice",
        description=(
            f"Two and two the {resource.plural} whose names have the same words, in any script, or"
            " all words of one in the other. No operation puts two records together: let what names"
            " one of them name the other, by PATCH, and delete it."
        ),
        tag="insights",
        needs=Permission.WRITE,
        answers=(Answer(model=PossibleDuplicates, headers=("Link",)),),
        refusals=(BadRequest, Invalid),
    )
