"""Which records an insight is of: the filters of their list, a search, and never the trash."""

from dataclasses import dataclass

from fastapi import Request
from pydantic import Field
from sqlalchemy import ColumnElement

from app.core.databases.expressions import AnyTable
from app.core.loose_types import Fields
from app.core.query_models import OpenQuery
from app.engine.query.conditions import Condition, columns_of, sql_of
from app.engine.query.filter_reader import Pairs, read_filters
from app.engine.resource import Resource
from app.engine.schemas import Schema
from app.engine.search.hits import matches, with_query
from app.rest.handlers import check_codes, database_of, edition_of
from app.rest.past import answered_at


class ChoiceQuery(OpenQuery, Schema):
    """Parameters that choose the records that are counted, besides the filters of their fields."""

    q: str | None = Field(None, min_length=1, max_length=500)
    """Words to be found in the record's names and texts, whatever their endings and script; words
    in quotes must follow each other."""
    filter: str | None = Field(None, min_length=1, max_length=2000)
    """A condition in the grammar of OData's `$filter`, AND-ed with all other filters. Example:
    `status eq 'signed' or mission/host_country eq 'RU'`."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Which records are counted, without the values that they are compared with."""

    condition: Condition | None = None
    q: bool = False

    def conditions(self, resource: Resource) -> list[ColumnElement[bool]]:
        """What a record of the resource's table must meet."""
        table: AnyTable = resource.table
        found: list[ColumnElement[bool]] = [table.deleted_at.is_(None)]
        if resource.row_filter is not None:
            found.append(resource.row_filter(table))
        if self.condition is not None:
            found.append(sql_of(self.condition, resource, columns_of(table)))
        if self.q:
            found.append(matches(resource))
        return found


async def read_choice(
    request: Request, resource: Resource, query: ChoiceQuery, pairs: Pairs | None = None
) -> tuple[Choice, Fields, str]:
    """The records that the query chooses, by its other parameters or these, the values of the
    statement's parameters, and what a tag tells of relative dates; BadRequest for what does not
    exist."""
    others = query.others if pairs is None else pairs
    known, asked_at = type(query).model_fields, await answered_at(request)
    parsed = read_filters(resource, others, query.filter, known, asked_at=asked_at)
    await check_codes(request, parsed)
    values = with_query(parsed.values, query.q, database_of(request).dialect)
    return Choice(parsed.condition, query.q is not None), values, edition_of(parsed)
