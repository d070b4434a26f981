"""Exports: every record that a list has, as a table or as lines of JSON, streamed."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import BigInteger, Dialect, Text, bindparam, cast, select
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from app.core import json_codec
from app.core.databases.expressions import Expression
from app.core.databases.interface import CompiledQuery, Rows, compile_query
from app.core.errors import Fault, Invalid, NotAcceptable, NotFound
from app.core.http.accept import preferred
from app.core.http.conditional import is_known, not_modified
from app.core.sheets.csv_lines import CsvLinesSheet
from app.core.sheets.sheet import CellKind, Column, MissingExtra, Sheet, SheetLimit
from app.engine.keys import names_of
from app.engine.paths import FieldType, fields_of, find_field, leads_to_many, relations_of
from app.engine.query.conditions import Path, columns_of, value_at
from app.engine.query.csv_lines import csv_cell, csv_json_cell, line_of
from app.engine.query.filter_reader import bad_parameter
from app.engine.query.parameters import (
    Limit,
    ListQuery,
    QueryShape,
    RecordsQuery,
    View,
)
from app.engine.query.render import as_csv_value, embedded_json, record_json
from app.engine.query.statements import keys_of, narrowed
from app.engine.resource import Embedded, Resource, SubCollection
from app.engine.schemas import Flag
from app.rest.handlers import database_of, position_of
from app.rest.lists import ListRequest, RecordSet, list_request

#: The formats of exports, with their media types.
FORMATS: Mapping[str, str] = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "ndjson": "application/x-ndjson",
    "parquet": "application/vnd.apache.parquet",
}
#: Makes of a column what stands in a file.
Form = Callable[[Expression], Expression]
_CELLS: Mapping[FieldType, CellKind] = {
    FieldType.integer: CellKind.integer,
    FieldType.decimal: CellKind.decimal,
    FieldType.boolean: CellKind.boolean,
    FieldType.date: CellKind.date,
    FieldType.instant: CellKind.instant,
}


class ExportQuery(RecordsQuery):
    """Parameters of an export: a list's, without its pages."""

    limit: Limit | None = None
    """The most records to write; all of them when left out."""
    bom: Flag = False
    """`true` begins a CSV file with a byte order mark, without which Excel misreads Cyrillic."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A column of an export and where its values come from."""

    path: Path
    kind: CellKind
    part: Embedded | None = None


def cells_of(resource: Resource, view: View, named: str | None) -> list[Cell]:
    """The columns of an export: the record's fields, and beside each id what it points to.

    `named` is the query's `fields`, whose order is the columns'; `expand` adds all fields of a
    related record. BadRequest for a relation that leads to any number of records.
    """
    paths = _all_paths(resource)
    if named is not None:
        paths = [tuple(name.strip().split(".")) for name in named.split(",")]
    for relation in view.expand:
        target = _target(resource, relation, "expand")
        paths += [(*relation, name) for name in fields_of(target)]
    return [_cell(resource, path) for path in dict.fromkeys(paths)]


def _all_paths(resource: Resource) -> list[Path]:
    paths: list[Path] = []
    for name in resource.read_fields:
        paths.append((name,))
        relation = name.removesuffix("_id")
        if name != relation and relation in resource.to_one:
            paths.append((relation, label_of(resource.to_one[relation])))
    return paths


def label_of(resource: Resource) -> str:
    """The field that says in an export which record is meant: its name, or its ref without one."""
    return next(iter(names_of(resource)), "ref")


def _target(resource: Resource, path: Path, parameter: str = "fields") -> Resource | Embedded:
    at: Resource | Embedded = resource
    for name in path:
        found = relations_of(at)[name]
        if found.is_to_many:
            text = f"{'.'.join(path)} leads to any number of records: export those by themselves."
            raise bad_parameter(parameter, "many", text)
        at = found.target
    return at


def _cell(resource: Resource, path: Path) -> Cell:
    name = path[0]
    if path == (name,) and name in resource.embedded:
        return Cell(path, CellKind.text, resource.embedded[name])
    if path == (name,) and name in resource.derived_elsewhere:
        integer = resource.table.__mapper__.columns[name].type.python_type is int
        return Cell(path, CellKind.integer if integer else CellKind.text)
    if path[-1] in relations_of(_target(resource, path[:-1])):
        path = (*path, label_of(_target(resource, path)))  # type: ignore[arg-type]
    if leads_to_many(resource, path) is not None:
        text = f"{'.'.join(path)} has any number of values: name its relation alone, or none of it."
        raise bad_parameter("fields", "many", text)
    return Cell(path, _CELLS.get(find_field(resource, path).field_type, CellKind.text))


@lru_cache(maxsize=128)
def export_statement(
    resource: Resource,
    collection: SubCollection | None,
    shape: QueryShape,
    cells: tuple[Cell, ...] | None,
    dialect: Dialect,
    lines: bool = False,
) -> CompiledQuery:
    """Reads a row of cells for each record, or with `lines` its line of a CSV file, `(line,)`;
    or, without cells, `(json,)`."""
    if cells is None:
        columns: list[Expression] = [cast(record_json(resource, shape.view), Text)]
    elif lines:
        columns = [line_of(_values(resource, cells, csv_cell, csv_json_cell))]
    else:
        columns = _values(resource, cells, as_csv_value, as_csv_value)
    statement = narrowed(select(*columns), resource, collection, shape)
    for key in keys_of(resource, shape):
        order = key.column.desc() if key.descending else key.column.asc()
        statement = statement.order_by(order.nulls_last() if key.nullable else order)
    return compile_query(statement.limit(bindparam("limit", type_=BigInteger)), dialect)


def _values(
    resource: Resource, cells: Iterable[Cell], form: Form, list_form: Form
) -> list[Expression]:
    """The values of the cells in a form, those that are lists of objects in one of their own."""
    get = columns_of(resource.table)
    return [
        list_form(embedded_json(cell.part, get))
        if cell.part
        else value_at(resource, cell.path, get, form)
        for cell in cells
    ]


def format_of(request: Request) -> str | None:
    """The format that the Accept header asks for, None for JSON; NotAcceptable (406) for others."""
    accept = request.headers.get("accept", "*/*")
    if accept == "*/*":
        return None
    chosen = preferred(accept, _OFFERED)
    return next((name for name, media_type in FORMATS.items() if media_type == chosen), None)


_OFFERED = ("application/json", *FORMATS.values())


async def answer_accepted(
    request: Request, records: RecordSet, query: ListQuery, file_format: str
) -> Response:
    """A list that Accept asks for in another format: the same as by the suffix of the address."""
    _refuse_pages(query.model_fields_set)
    limit = query.limit if "limit" in query.model_fields_set else None
    return await _answer(await list_request(request, records, query), query, file_format, limit)


def _refuse_pages(names: set[str]) -> None:
    for name in sorted(names & {"cursor", "offset", "count"}):
        raise bad_parameter(
            name, "export", "An export has every record, without pages: leave it out."
        )


async def answer_export(
    request: Request, records: RecordSet, query: ExportQuery, file_format: str
) -> Response:
    """Every record that matches, as a file of the format; NotFound for one that is not known."""
    if file_format not in FORMATS:
        raise NotFound(f"There is no format {file_format!r}: write one of {', '.join(FORMATS)}.")
    _refuse_pages({name for name, _ in query.others})
    asked = await list_request(request, records, query)
    return await _answer(asked, query, file_format, query.limit)


async def _answer(
    asked: ListRequest, query: RecordsQuery, file_format: str, limit: int | None
) -> Response:
    request, records, shape = asked.request, asked.records, asked.listing.shape
    tag = f'W/"{await position_of(request)}-{file_format}"'
    if is_known(request, tag):
        return not_modified(tag)
    resource, collection = records.resource, records.collection
    cells = None
    if file_format != "ndjson":
        cells = tuple(cells_of(resource, shape.view, query.fields))
    database = database_of(request)
    lines = file_format == "csv"
    statement = export_statement(resource, collection, shape, cells, database.dialect, lines)
    headers = {
        "ETag": tag,
        "Vary": "Accept",
        "Content-Disposition": f'attachment; filename="{resource.path}.{file_format}"',
    }
    if request.method == "HEAD":
        head = Response(headers=headers, media_type=FORMATS[file_format])
        # How long the file would be nobody knows before it is written (RFC 9110, 8.6).
        del head.headers["content-length"]
        return head
    rows = database.stream(statement, {**asked.values, "limit": limit or 2**53})
    if cells is None:
        return await _send(_lines(rows), FORMATS[file_format], headers)
    bom = isinstance(query, ExportQuery) and query.bom
    sheet = _sheet(file_format, cells, bom)
    return await _send(_written(sheet, rows), sheet.media_type, headers)


def _sheet(file_format: str, cells: tuple[Cell, ...], bom: bool) -> Sheet:
    columns = [Column(".".join(cell.path), cell.kind) for cell in cells]
    if file_format == "csv":
        return CsvLinesSheet(columns, bom)
    # Imported when first needed: at start-up they would only cost time.
    if file_format == "xlsx":
        from app.core.sheets.xlsx_sheet import XlsxSheet

        return XlsxSheet(columns)
    from app.core.sheets.parquet_sheet import ParquetSheet

    try:
        return ParquetSheet(columns)
    except MissingExtra as error:
        raise NotAcceptable(str(error)) from None


async def _send(
    pieces: AsyncGenerator[bytes], media_type: str, headers: Mapping[str, str]
) -> Response:
    """The pieces as an answer, once the first one is there: until then a problem can be told."""
    try:
        first = await anext(pieces)
    except SheetLimit as limit:
        raise Invalid(
            f"The format cannot hold this: {limit}.", [Fault("limit", str(limit))]
        ) from None

    async def send() -> AsyncIterator[bytes]:
        async with aclosing(pieces):
            yield first
            async for piece in pieces:
                yield piece

    return StreamingResponse(send(), media_type=media_type, headers=dict(headers))


async def _written(sheet: Sheet, rows: AsyncGenerator[Rows]) -> AsyncGenerator[bytes]:
    """The bytes of a table, not empty, as rows come in; one cut short says so in its last line."""
    begun = False
    try:
        piece = sheet.begin()
        async with aclosing(rows):
            async for batch in rows:
                piece += await asyncio.to_thread(sheet.rows, batch)
                if piece:
                    begun = True
                    yield piece
                piece = b""
        yield piece + await asyncio.to_thread(_next, ends := sheet.end())
        while last := await asyncio.to_thread(_next, ends):
            yield last
    except Exception:
        if begun:
            yield sheet.fail("something failed on our side; what is above is not all there is")
        raise
    finally:
        sheet.close()


def _next(pieces: Iterator[bytes]) -> bytes:
    return next(pieces, b"")


async def _lines(rows: AsyncGenerator[Rows]) -> AsyncGenerator[bytes]:
    """Lines of JSON, one a record; the last line of a file cut short is an object that says so."""
    begun = False
    try:
        async with aclosing(rows):
            async for batch in rows:
                begun = True
                yield "".join([row[0] + "\n" for row in batch]).encode()
        if not begun:
            yield b""
    except Exception:
        if begun:
            yield json_codec.dumps({"FILE CUT SHORT": "something failed on our side"}) + b"\n"
        raise
