"""Aggregates over HTTP: `GET /agreements/aggregate`, as JSON or CSV."""

import csv
import io
from collections.abc import Callable
from decimal import Decimal
from typing import Annotated

from fastapi import Query, Request
from pydantic import Field
from starlette.responses import Response

from app.core import json_codec
from app.core.errors import BadRequest, Invalid
from app.core.http.accept import preferred
from app.core.http.conditional import is_known, not_modified
from app.core.http.dispatch import Route
from app.core.http.operation import Answer
from app.core.http.responses import JsonResponse
from app.core.loose_types import Json, JsonValue, Value
from app.core.sheets.sheet import CUT_SHORT, neutralise, with_decimal_sign
from app.engine.aggregates.empty_values import read_values
from app.engine.aggregates.query import MAX_LIMIT, AggregateQuery, read_aggregate
from app.engine.aggregates.shape import Function, Grouping, Metric, Output, output_field
from app.engine.aggregates.statement import aggregate_statement
from app.engine.paths import FieldType
from app.engine.resource import Resource
from app.engine.schemas import Schema
from app.engine.search.hits import with_query
from app.rest.audience import audience_tag, reading_dialect
from app.rest.csv_form import CsvForm, CsvQuery, csv_form
from app.rest.decimals import texts_of, wants_texts
from app.rest.handlers import check_codes, database_of, edition_of, position_of
from app.rest.operations import IF_NONE_MATCH, NOT_MODIFIED, TAGGED, RecordsOperation, snake
from app.rest.past import answered_at, with_past
from app.rest.withheld import WITHHELD_RECORDS, counts_told, withheld_header

_JSON, _CSV = "application/json", "text/csv"


#: How many groups there are, where the file has not all of them.
GROUPS_IN_ALL = "Groups-In-All"
#: What JSON tells under these names beside the groups.
_TOLD = {
    "missing": "Missing-Values",
    "withheld_values": "Withheld-Values",
    "left_out": "Left-Out",
}


class AggregateCsvQuery(CsvQuery, AggregateQuery):
    """Parameters of an aggregate as CSV."""


class Aggregate(Schema):
    """Figures of groups of records."""

    data: list[Json] = Field(
        description="The groups, in order: each group key and metric by its name, such as"
        " `mission_host_country`, `year_signed`, `count` and `sum_amount`. A figure of no values"
        " is null, and a date that belongs to no part is `undated`: it has no year, or is wider"
        " than the part. An interval counts by its first day."
    )
    groups: int
    """How many groups are shown."""
    groups_in_all: int
    """How many groups there are without the limit."""
    records: int
    """How many records match the filters: of all groups, also those that `having` leaves out."""
    missing: dict[str, int] = Field(
        description="Of these records, how many are without a value: one entry for each field that"
        " is grouped by or measured and can be null. A date as stated is missing when no day can"
        " be told, for want of its year; of a relation or list with any number of values, those"
        " records are counted that are in its group of null or `undated`."
    )
    left_out: dict[str, int] = Field(
        description="How many records are not in the sums, so that nothing is added twice: `parts`"
        " of what is added, what was `replaced` by it, amounts `per_year`, claims that say what"
        " another does (`repeated_claims`) or something else (`rival_claims`)."
    )
    withheld: int
    """How many records of the kind are withheld and in no figure: of the whole kind, whatever the
    filters, which would tell what is withheld of them; of companies all organizations."""
    withheld_values: dict[str, int] = Field(
        description="How many are shown without the value, which is withheld, as `count` counts"
        " them: of agreements as many as a record stands for."
    )


def aggregate_route(resource: Resource) -> Route:
    """GET /missions/aggregate"""

    async def endpoint(request: Request, query: Annotated[AggregateQuery, Query()]) -> Response:
        return await answer_aggregate(request, resource, query)

    return aggregate_operation(resource, Aggregate).route(endpoint)


def aggregate_operation(resource: Resource, answer: type[Aggregate]) -> RecordsOperation:
    """The operation that answers the aggregates of a kind."""
    return _operation(
        resource,
        Answer(model=answer, headers=TAGGED),
        path=f"/{resource.path}/aggregate",
        name=f"aggregate_{snake(resource.path)}",
        summary=f"Count and sum {resource.plural}",
        description=f"Figures of {resource.plural} by group; see the [guide](guide#aggregates).",
        several_forms=True,
    )


def aggregate_csv_route(
    resource: Resource, check: Callable[[Resource, set[str]], None] | None = None
) -> Route:
    """GET /missions/aggregate.csv; `check` sees the names of the filters."""

    async def endpoint(request: Request, query: Annotated[AggregateCsvQuery, Query()]) -> Response:
        if check is not None:
            check(resource, {name for name, _ in query.others})
        return await answer_aggregate(request, resource, query, _CSV)

    content = {_CSV: {"schema": {"type": "string"}}}
    headers = (*TAGGED, GROUPS_IN_ALL, *_TOLD.values(), WITHHELD_RECORDS)
    return _operation(
        resource,
        Answer(description="The groups.", content=content, headers=headers),
        path=f"/{resource.path}/aggregate.csv",
        name=f"export_aggregate_{snake(resource.path)}",
        summary=f"Count and sum {resource.plural}, as CSV",
        description=f"As GET /{resource.path}/aggregate.",
    ).route(endpoint)


def _operation(resource: Resource, answer: Answer, **also: Value) -> RecordsOperation:
    operation = RecordsOperation(
        resource=resource,
        tag=resource.path,
        parameters=(IF_NONE_MATCH,),
        answers=(answer, NOT_MODIFIED),
        refusals=(BadRequest, Invalid),
        **also,
    )
    return with_past(operation)


async def answer_aggregate(
    request: Request, resource: Resource, query: AggregateQuery, form: str | None = None
) -> Response:
    """The figures that the query asks for, by one statement; in this form or the accepted one."""
    aggregate = read_aggregate(resource, query, await answered_at(request))
    form = form or preferred(request.headers.get("accept", "*/*"), (_JSON, _CSV))
    await check_codes(request, aggregate.parsed)
    suffix = "-csv" if form == _CSV else ""
    if suffix == "" and wants_texts(request):
        suffix = "-text"
    suffix = edition_of(aggregate.parsed) + suffix
    if "if-none-match" in request.headers:
        tag = audience_tag(request, f'W/"{await position_of(request)}{suffix}"')
        if is_known(request, tag):
            return not_modified(tag)
    database = database_of(request)
    values = with_query(aggregate.parsed.values, query.q, database.dialect)
    # A file has no second page: it has all groups that there is room for, or as many as are wanted.
    is_wanted = "limit" in query.model_fields_set and query.limit <= MAX_LIMIT
    limit = query.limit if is_wanted or form == _JSON else MAX_LIMIT
    values["limit"] = min(limit, MAX_LIMIT)
    dialect, position = reading_dialect(request), None
    if aggregate.grouping.empty_groups:
        more, position = await read_values(database, dialect, resource, aggregate, values)
        values |= more
    statement = await aggregate_statement.beside_loop(resource, aggregate.grouping, dialect)
    ((body, newest),) = await database.read(statement, values)
    # What was read first is the older of two readings.
    position = position or newest
    headers = {"ETag": audience_tag(request, f'W/"{position}{suffix}"')}
    if form == _CSV:
        found = json_codec.loads(body)
        table = _table(aggregate.grouping, found["data"], csv_form(query, "csv"))
        headers |= {"Vary": "Accept, Accept-Encoding", **_told_headers(resource, found)}
        if found["groups"] < found["groups_in_all"]:
            headers[GROUPS_IN_ALL] = str(found["groups_in_all"])
            if not is_wanted:
                table += _cut_short(found["groups"], found["groups_in_all"])
        return Response(table, headers=headers, media_type=_CSV)
    if wants_texts(request):
        body = _with_texts(resource, aggregate.grouping, body)
    return JsonResponse(body.encode(), headers=headers)


def _told_headers(resource: Resource, found: Json) -> dict[str, str]:
    """What a file tells of its figures, where there is something to tell."""
    told = {header: counts_told(found[name]) for name, header in _TOLD.items()}
    shown = {header: text for header, text in told.items() if text}
    return shown | withheld_header({resource.path: found["withheld"]})


def _with_texts(resource: Resource, grouping: Grouping, body: str) -> str:
    """The figures with decimals as texts: averages, and what is made of fields of decimals."""
    names = [output.name for output in grouping.outputs if _is_decimal(resource, output)]
    answer = json_codec.loads(body)
    for group in answer["data"]:
        group |= texts_of(group, names)
    return json_codec.dumps(answer).decode()


_COUNTS = (Function.COUNT, Function.COUNT_DISTINCT, Function.NOT_EXACT)


def _is_decimal(resource: Resource, output: Output) -> bool:
    if isinstance(output, Metric) and output.function in _COUNTS:
        return False
    average = isinstance(output, Metric) and output.function is Function.AVG
    return average or output_field(resource, output).field_type is FieldType.decimal


def _table(grouping: Grouping, groups: list[Json], form: CsvForm) -> str:
    """The groups as CSV (RFC 4180) with a header; null is an empty cell."""
    names = [output.name for output in grouping.outputs]
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=form.delimiter)
    writer.writerow(names)
    for group in groups:
        writer.writerow([_cell(group[name], form) for name in names])
    return "\ufeff" * form.bom + file.getvalue()


def _cell(value: JsonValue, form: CsvForm) -> JsonValue:
    match value:
        case str():
            return neutralise(value)
        case bool():
            return "true" if value else "false"
        case Decimal():
            return with_decimal_sign(f"{value:f}", form.decimal)
    return value


def _cut_short(shown: int, groups: int) -> str:
    return f"{CUT_SHORT}{shown} of {groups} groups; narrow them by filters or `having`\r\n"
