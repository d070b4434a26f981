"""Lists whose rows are figures: what is counted of each, to be filtered, sorted and paged by."""

import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from fastapi import Request
from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Dialect,
    FromClause,
    Numeric,
    bindparam,
    func,
    null,
    select,
    tuple_,
)
from starlette.responses import Response

from app.core import json_codec
from app.core.databases.expressions import AnyTable, Expression
from app.core.databases.interface import CompiledQuery, compile_query
from app.core.errors import did_you_mean
from app.core.http.conditional import is_known, not_modified
from app.core.loose_types import Fields, JsonValue, Value
from app.core.sheets.sheet import CsvSheet, neutralise, with_decimal_sign
from app.engine.aggregates.having import SUM_PART
from app.engine.history.positions import newest_position
from app.engine.query.cursor import cursor_scope
from app.engine.query.filter_reader import Pairs, bad_parameter
from app.engine.query.parameters import MAX_SORT, Cursor, Limit, Names, listed
from app.engine.query.render import as_json, object_of
from app.engine.record import bound_names
from app.engine.resource import Resource
from app.engine.schemas import Schema
from app.insights.choice import Choice, ChoiceQuery, read_choice
from app.rest.csv_form import CsvForm, CsvQuery, csv_form
from app.rest.decimals import tag_for, texts_of, wants_texts
from app.rest.handlers import database_of, position_of
from app.rest.pages import Total, answer_page, current_page, numbered, numbered_rows

MAX_ROWS = 1000
MAX_FILE_ROWS = 100_000
#: What figures are counted from, by name.
Parts = Mapping[str, FromClause]
_OPERATORS = {"eq": "=", "ne": "<>", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
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


@dataclass(frozen=True, slots=True)
class FigureShape:
    """What makes two lists the same statement, without values."""

    choice: Choice
    #: Names of columns, with "descending?".
    sort: tuple[tuple[str, bool], ...]
    #: Figures with the operators that they are compared by; the values are `figure0, figure1, …`.
    limits: tuple[tuple[str, str], ...]
    #: What else the rows are made by.
    options: tuple[Value, ...] = ()
    #: The options of groups that are given.
    given: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, eq=False)
class FigureGroup:
    """Columns that are counted together.

    `count(parts, shape, dialect)` makes a row for each record that has any: its id as `record_id`,
    and the columns. A record without a row has 0 of each, or null of those that are `nullable`.
    """

    names: tuple[str, ...]
    count: Callable[[Parts, FigureShape, str], FromClause]
    nullable: bool = False
    #: Those that are sums of decimals: finished JSON, beside which their parts stand as `<name>_0`
    #: and, where there are two, `<name>_1`.
    sums: tuple[str, ...] = ()
    #: The parameter without which they are not counted: all are null then.
    option: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class FigureList:
    """A list of figures: a row for each record of a kind.

    What a row is filtered and sorted by is counted for all records, and the rest for those of the
    page alone.
    """

    name: str
    resource: Resource
    #: What a row shows: fields of the record, and columns of the groups.
    row: type[Schema]
    groups: tuple[FigureGroup, ...]
    #: Of the records with these ids, what the groups are counted from.
    parts: Callable[[CTE, FigureShape], Parts]
    sort: str

    @property
    def figures(self) -> Mapping[str, FigureGroup]:
        """The columns that are counted, by which rows can be filtered, with their groups."""
        return {name: group for group in self.groups for name in group.names}


@lru_cache(maxsize=256)
def _statement(of: FigureList, shape: FigureShape, dialect: Dialect) -> CompiledQuery:
    """Reads `(json, rows in all, position)` of the rows from `:offset` on, `:limit` at most."""
    table: AnyTable = of.resource.table
    chosen = select(table.id).where(*shape.choice.conditions(of.resource)).cte("chosen")
    asked = {name for name, _ in (*shape.sort, *shape.limits)}
    groups = [group for group in of.groups if group.option is None or group.option in shape.given]
    first = [group for group in groups if asked & set(group.names)]
    page = _page(of, shape, chosen, first, dialect.name)
    rest = [group for group in groups if group not in first]
    source, found = _joined(of, shape, page, rest, dialect.name)
    found |= {name: page.c[name] for group in first for name in group.names}
    found |= {name: null() for name in of.figures if name not in found}
    values = {
        n: as_json(found[n] if n in found else getattr(table, n)) for n in of.row.model_fields
    }
    statement = (
        select(object_of(values), page.c.in_all, newest_position())
        .select_from(source.join(table, table.id == page.c.id))
        .order_by(page.c.place)
    )
    return compile_query(statement, dialect)


def _page(
    of: FigureList, shape: FigureShape, chosen: CTE, groups: Sequence[FigureGroup], dialect: str
) -> CTE:
    """The ids of the rows of the page, each with its place, how many there are in all, and the
    columns of these groups."""
    table: AnyTable = of.resource.table
    source, found = _joined(of, shape, chosen, groups, dialect)
    order: list[Expression] = []
    for name, descending in (*shape.sort, ("id", False)):
        columns = _parts_of(found, name) or [_sorted_by(of.resource, name)]
        order += [(c.desc() if descending else c.asc()).nulls_last() for c in columns]
    place = func.row_number().over(order_by=order)
    counted = (found[name].label(name) for group in groups for name in group.names)
    return (
        select(chosen.c.id, place.label("place"), func.count().over().label("in_all"), *counted)
        .select_from(source.join(table, table.id == chosen.c.id))
        .where(*_limits(found, shape))
        .order_by(place)
        .limit(bindparam("limit", type_=BigInteger))
        .offset(bindparam("offset", type_=BigInteger))
        .cte("page")
        .prefix_with("MATERIALIZED")
    )


def _parts_of(found: Mapping[str, Expression], name: str) -> list[Expression]:
    """What the column of a figure is sorted and compared by: of a sum its parts."""
    parts = [found[part] for part in (f"{name}_0", f"{name}_1") if part in found]
    return parts or ([found[name]] if name in found else [])


def _sorted_by(resource: Resource, name: str) -> Expression:
    """What rows are sorted by: of a date as stated the earliest day that it can mean."""
    column = bound_names(name)[0] if name in resource.edtf_dates else name
    found: Expression = getattr(resource.table, column)
    return found


def _joined(
    of: FigureList, shape: FigureShape, keys: CTE, groups: Sequence[FigureGroup], dialect: str
) -> tuple[FromClause, dict[str, Expression]]:
    """The records with these ids, beside the rows of the groups, and the columns of those."""
    source: FromClause = keys
    found: dict[str, Expression] = {}
    parts = of.parts(keys, shape)
    for group in groups:
        rows = group.count(parts, shape, dialect)
        source = source.outerjoin(rows, rows.c.record_id == keys.c.id)
        for name in group.names:
            found[name] = rows.c[name] if group.nullable else func.coalesce(rows.c[name], 0)
        found |= {c.key: c for c in rows.c if c.key[:-2] in group.sums}
    return source, found


def _limits(found: Mapping[str, Expression], shape: FigureShape) -> list[ColumnElement[bool]]:
    met: list[ColumnElement[bool]] = []
    for at, (name, operator) in enumerate(shape.limits):
        parts = _parts_of(found, name)
        kind = BigInteger() if len(parts) == 2 or f"{name}_0" not in found else Numeric()
        values = [bindparam(f"figure{at}_{n}", type_=kind) for n in range(len(parts))]
        left, right = (tuple_(*each) if len(parts) > 1 else each[0] for each in (parts, values))
        met.append(left.op(_OPERATORS[operator], is_comparison=True)(right))
    return met


async def _read_shape(
    request: Request,
    of: FigureList,
    query: FigureListQuery,
    options: tuple[Value, ...],
    given: Mapping[str, Value],
    also: Pairs,
) -> tuple[FigureShape, Fields]:
    """The list that the query asks for, and the values of its statement; BadRequest for what does
    not exist."""
    figures = of.figures
    own: list[tuple[str, str]] = []
    others: list[tuple[str, str]] = []
    for pair in query.others:
        (own if pair[0].partition("__")[0] in figures else others).append(pair)
    choice, values = await read_choice(request, of.resource, query, others)
    limits: list[tuple[str, str]] = []
    is_split = database_of(request).dialect.name == "sqlite"
    for name, text in sorted([*own, *also]):
        figure, _, operator = name.partition("__")
        group = figures[figure]
        _check_given(name, group, given)
        number = _number(name, text, decimals=4 if figure in group.sums else 0)
        at = len(limits)
        if figure in group.sums and is_split:
            # As sums are kept there: in two parts of the same sign.
            units = int(number.scaleb(4))
            values[f"figure{at}_0"] = abs(units) // SUM_PART * (1 if units >= 0 else -1)
            values[f"figure{at}_1"] = abs(units) % SUM_PART * (1 if units >= 0 else -1)
        else:
            values[f"figure{at}_0"] = number if figure in group.sums else int(number)
        limits.append((figure, _operator(name, operator)))
    sort = _sort(of, query.sort or of.sort)
    for name, _ in sort:
        if name in figures:
            _check_given("sort", figures[name], given)
    shape = FigureShape(choice, sort, tuple(limits), options, frozenset(given))
    return shape, {**values, **given}


def _check_given(parameter: str, group: FigureGroup, given: Mapping[str, Value]) -> None:
    if group.option is not None and group.option not in given:
        text = f"Amounts are of one currency: give {group.option}, such as {group.option}=USD."
        raise bad_parameter(parameter, "units", text)


def _operator(name: str, operator: str) -> str:
    operator = operator or "eq"
    if operator not in _OPERATORS:
        near = did_you_mean(operator, _OPERATORS)
        text = f"There is no operator {operator!r} for figures.{near}"
        raise bad_parameter(name, "operator", f"{text} Possible: {', '.join(_OPERATORS)}.")
    return operator


def _number(name: str, text: str, decimals: int) -> Decimal:
    found = _NUMBER.fullmatch(text)
    if found is None or len(found[1] or "") > decimals:
        right = "a number with up to 4 decimals, such as 2.5" if decimals else "a whole number"
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
    tag = tag_for(request, f'W/"{await position_of(request)}"')
    if is_known(request, tag):
        return not_modified(tag)
    shape, values = await _read_shape(request, of, query, options, given or {}, also)
    limit = min(query.limit, MAX_ROWS)
    scope = cursor_scope(of.name, shape, sorted(values.items()))
    at = await current_page(request, limit, query.cursor, scope)
    first, count = numbered_rows(at)
    database = database_of(request)
    asked = {**values, "limit": count, "offset": first}
    found = await database.read(_statement(of, shape, database.dialect), asked)
    total = Total(found[0][1]) if found else Total(0 if first == 0 else None)
    headers = {"ETag": tag_for(request, f'W/"{found[0][2]}"') if found else tag}
    rows = [row[0] for row in found]
    if wants_texts(request):
        rows = [_with_texts(of, row) for row in rows]
    return answer_page(at, numbered(at, rows, first), total=total, headers=headers)


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
    tag = f'W/"{await position_of(request)}-csv"'
    if is_known(request, tag):
        return not_modified(tag)
    shape, values = await _read_shape(request, of, query, options, given or {}, also)
    database = database_of(request)
    asked = {**values, "limit": MAX_FILE_ROWS, "offset": 0}
    found = await database.read(_statement(of, shape, database.dialect), asked)
    rows = (json_codec.loads_stored(row[0]).values() for row in found)
    headers = {
        "ETag": tag,
        "Vary": "Accept, Accept-Encoding",
        "Content-Disposition": f'attachment; filename="{of.name}.csv"',
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
