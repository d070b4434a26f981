"""Lists of figures over HTTP: what is asked of them, as pages of JSON and as CSV."""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal

from fastapi import Request
from starlette.responses import Response

from app.core import json_codec
from app.core.errors import BadRequest, did_you_mean
from app.core.http.conditional import is_known, not_modified
from app.core.http.operation import Answer
from app.core.loose_types import Fields, JsonValue, Value
from app.core.sheets.sheet import CsvSheet, neutralise, with_decimal_sign
from app.engine.aggregates.having import SUM_PART
from app.engine.paths import fields_of, relations_of
from app.engine.query.cursor import cursor_scope
from app.engine.query.filter_reader import Pairs, bad_parameter
from app.engine.query.parameters import MAX_SORT, Cursor, Limit, Names, listed
from app.engine.resource import Resource
from app.engine.schemas import Schema
from app.insights.choice import ChoiceQuery, read_choice
from app.insights.figure_lists import (
    OPERATORS,
    FigureGroup,
    FigureList,
    FigureShape,
    figures_statement,
)
from app.rest.csv_form import CsvForm, CsvQuery, csv_form
from app.rest.decimals import dialect_of, tag_for, texts_of, wants_texts
from app.rest.exports import refuse_pages
from app.rest.handlers import database_of, position_of
from app.rest.operations import IF_NONE_MATCH, NOT_MODIFIED, TAGGED, RecordsOperation
from app.rest.pages import Total, answer_page, current_page, numbered, numbered_rows
from app.rest.past import with_past
from app.rest.withheld import WITHHELD_RECORDS, withheld_header, withheld_records

_CSV = "text/csv"
MAX_ROWS = 1000
MAX_FILE_ROWS = 100_000
_DECIMALS = 4
_NUMBER = re.compile(r"-?[0-9]{1,18}(?:\.([0-9]+))?")


class FigureListQuery(ChoiceQuery):
    """Parameters of a list of figures, besides the filters of its records."""

    sort: Names = None
    """What to sort by, separated by commas, `-` first for descending: any field of a row. Missing
    values come last."""


class FigurePageQuery(FigureListQuery):
    """Parameters of a page of a list of figures."""

    limit: Limit = 50
    """The most rows to answer with; more than 1000 is taken for 1000."""
    cursor: Cursor | None = None
    """`next_cursor` or `prev_cursor` of a page of the same list, to go on from there."""


class FigureFileQuery(CsvQuery, FigureListQuery):
    """Parameters of a list of figures as CSV."""

    limit: Limit | None = None
    """The most rows to write; all of them when left out, up to 100000."""


def list_operation(
    resource: Resource, path: str, name: str, summary: str, about: str | None, model: type[Schema]
) -> RecordsOperation:
    """The operation that answers pages of a list of figures."""
    answer = Answer(model=model, headers=(*TAGGED, "Link"))
    return _operation(resource, path, f"list_{name}", summary, about, answer)


def file_operation(resource: Resource, path: str, name: str, summary: str) -> RecordsOperation:
    """The operation that answers all of a list of figures as CSV."""
    content = {_CSV: {"schema": {"type": "string"}}}
    headers = (*TAGGED, "Content-Disposition", WITHHELD_RECORDS)
    answer = Answer(description=f"The {resource.plural}.", content=content, headers=headers)
    about = f"As GET {path}, all of them."
    return _operation(
        resource, f"{path}.csv", f"export_{name}", f"{summary}, as CSV", about, answer
    )


def _operation(
    resource: Resource, path: str, name: str, summary: str, about: str | None, answer: Answer
) -> RecordsOperation:
    return with_past(
        RecordsOperation(
            resource=resource,
            path=path,
            name=name,
            summary=summary,
            description=about,
            tag="insights",
            parameters=(IF_NONE_MATCH,),
            answers=(answer, NOT_MODIFIED),
        )
    )


async def _read_shape(
    request: Request,
    of: FigureList,
    query: FigureListQuery,
    options: tuple[Value, ...],
    given: Mapping[str, Value],
    also: Pairs,
) -> tuple[FigureShape, Fields, str]:
    """The list that the query asks for, the values of its statement, and what its tag tells of
    relative dates; BadRequest for what does not exist."""
    figures = of.figures
    own: list[tuple[str, str]] = []
    others: list[tuple[str, str]] = []
    for pair in query.others:
        (own if _is_figure(of, pair[0]) else others).append(pair)
    choice, values, edition = await read_choice(request, of.resource, query, others)
    is_split = database_of(request).dialect.name == "sqlite"
    limits: list[tuple[str, str]] = []
    for name, text in sorted([*own, *also]):
        figure, _, operator = name.partition("__")
        _check_given(name, figures[figure], given)
        limits.append((figure, _operator(name, operator)))
        is_sum = figure in figures[figure].sums
        number = _number(name, text, decimals=_DECIMALS if is_sum else 0)
        parts = _parts(number) if is_sum and is_split else [number if is_sum else int(number)]
        values |= {f"figure{len(limits) - 1}_{at}": part for at, part in enumerate(parts)}
    sort = _sort(of, query.sort or of.sort)
    for name, _ in sort:
        if name in figures:
            _check_given("sort", figures[name], given)
    shape = FigureShape(choice, sort, tuple(limits), options, frozenset(given))
    return shape, {**values, **given}, edition


def _is_figure(of: FigureList, name: str) -> bool:
    """Whether the parameter compares a figure; `agreements__status` asks for what has the name of
    one among the record's relations."""
    figure, _, rest = name.partition("__")
    relation = relations_of(of.resource).get(figure)
    if figure not in of.figures or relation is None:
        return figure in of.figures
    known = {"isnull", *fields_of(relation.target), *relations_of(relation.target)}
    return rest.partition("__")[0] not in known


def _parts(number: Decimal) -> list[int]:
    """A sum as SQLite keeps it: in two parts of the same sign."""
    units = int(number.scaleb(_DECIMALS))
    sign = 1 if units >= 0 else -1
    return [sign * part for part in divmod(abs(units), SUM_PART)]


def _check_given(parameter: str, group: FigureGroup, given: Mapping[str, Value]) -> None:
    if group.option is not None and group.option not in given:
        text = f"Amounts are of one currency: give {group.option}, such as {group.option}=USD."
        raise bad_parameter(parameter, "units", text)


def _operator(name: str, operator: str) -> str:
    operator = operator or "eq"
    if operator not in OPERATORS:
        near = did_you_mean(operator, OPERATORS)
        text = f"There is no operator {operator!r} for figures.{near}"
        raise bad_parameter(name, "operator", f"{text} Possible: {', '.join(OPERATORS)}.")
    return operator


def _number(name: str, text: str, decimals: int) -> Decimal:
    found = _NUMBER.fullmatch(text)
    if found is None or len(found[1] or "") > decimals:
        right = "a whole number of at most 18 digits"
        if decimals:
            right = f"a number of at most 18 digits, and {decimals} decimals, such as 2.5"
        raise bad_parameter(name, "value", f"Must be {right}; got {text[:50]!r}.")
    return Decimal(text)


def _sort(of: FigureList, text: str) -> tuple[tuple[str, bool], ...]:
    found: dict[str, bool] = {}
    for word in listed("sort", text):
        name = word.removeprefix("-")
        if name not in of.row.model_fields or name in found:
            near = did_you_mean(name, of.row.model_fields)
            wrong = f"{name} is given more than once." if name in found else ""
            wrong = wrong or f"There is no {name!r} to sort by.{near}"
            raise bad_parameter("sort", "unknown", wrong)
        found[name] = word.startswith("-")
    if len(found) > MAX_SORT:
        raise bad_parameter("sort", "too_many", f"At most {MAX_SORT} fields can be sorted by.")
    return tuple(found.items())


async def answer_figures(
    request: Request,
    of: FigureList,
    query: FigurePageQuery,
    options: tuple[Value, ...] = (),
    given: Mapping[str, Value] | None = None,
    also: Pairs = (),
) -> Response:
    """A page of the list; `given` are the options of its groups, by name, and `also` are filters
    besides those of the query."""
    shape, values, edition = await _read_shape(request, of, query, options, given or {}, also)
    if "if-none-match" in request.headers:
        tag = tag_for(request, f'W/"{await position_of(request)}{edition}"')
        if is_known(request, tag):
            return not_modified(tag)
    limit = min(query.limit, MAX_ROWS)
    scope = cursor_scope(of.name, shape, sorted(values.items()))
    at = await current_page(request, limit, query.cursor, scope)
    first, count = numbered_rows(at)
    database = database_of(request)
    asked = {**values, "limit": count, "offset": first}
    statement = await figures_statement.beside_loop(of, shape, dialect_of(request))
    found = await database.read(statement, asked)
    total = Total(found[0][1]) if found else Total(0 if first == 0 else None)
    position = found[0][2] if found else await position_of(request)
    headers = {"ETag": tag_for(request, f'W/"{position}{edition}"')}
    rows = [row[0] for row in found]
    if wants_texts(request):
        rows = [_with_texts(of, row) for row in rows]
    beside: Fields = {"withheld": await withheld_records(request, *of.withholding)}
    page = numbered(at, rows, first)
    return answer_page(at, page, total=total, headers=headers, also=beside)


def _with_texts(of: FigureList, row: str) -> str:
    """A row with its sums as texts."""
    shown = json_codec.loads_stored(row)
    shown |= texts_of(shown, (name for group in of.groups for name in group.sums))
    return json_codec.dumps(shown).decode()


async def answer_figures_file(
    request: Request,
    of: FigureList,
    query: FigureFileQuery,
    options: tuple[Value, ...] = (),
    given: Mapping[str, Value] | None = None,
    also: Pairs = (),
) -> Response:
    """All rows of the list as CSV (RFC 4180) with a header; null is an empty cell."""
    refuse_pages({name for name, _ in query.others})
    shape, values, edition = await _read_shape(request, of, query, options, given or {}, also)
    tag = tag_for(request, f'W/"{await position_of(request)}{edition}-csv"')
    if is_known(request, tag):
        return not_modified(tag)
    database = database_of(request)
    one_more = MAX_FILE_ROWS + 1
    limit = one_more if query.limit is None else min(query.limit, one_more)
    asked = {**values, "limit": limit, "offset": 0}
    statement = await figures_statement.beside_loop(of, shape, dialect_of(request))
    found = await database.read(statement, asked)
    if len(found) > MAX_FILE_ROWS:
        text = f"A file has at most {MAX_FILE_ROWS} rows, and there are more: leave some out by"
        raise BadRequest(
            f"{text} filters, say limit={MAX_FILE_ROWS} for the first, or ask for pages."
        )
    rows = (json_codec.loads_stored(row[0]).values() for row in found)
    headers = {
        "ETag": tag,
        "Vary": "Accept, Accept-Encoding",
        "Content-Disposition": f'attachment; filename="{of.name}.csv"',
        **withheld_header(await withheld_records(request, *of.withholding)),
    }
    table = _table(list(of.row.model_fields), rows, csv_form(query, "csv"))
    return Response(table, headers=headers, media_type=CsvSheet.media_type)


def _table(names: Sequence[str], rows: Value, form: CsvForm) -> str:
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=form.delimiter)
    writer.writerow(names)
    for row in rows:
        writer.writerow([_cell(value, form) for value in row])
    return "\ufeff" * form.bom + file.getvalue()


def _cell(value: JsonValue, form: CsvForm) -> JsonValue:
    match value:
        case str():
            return neutralise(value)
        case list():
            return ";".join(str(_cell(item, form)) for item in value)
        case dict():
            return neutralise(json_codec.dumps(value).decode())
        case Decimal():
            return with_decimal_sign(f"{value:f}", form.decimal)
    return value
