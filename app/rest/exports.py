"""Exports: every record that a list has, as a table or as lines of JSON, streamed."""

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from functools import partial
from typing import Final

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from app.core import json_codec
from app.core.databases.interface import STREAM_BATCH_ROWS, Rows
from app.core.errors import Fault, Invalid, NotAcceptable, NotFound
from app.core.http.accept import preferred
from app.core.http.app_state import state_of
from app.core.http.conditional import is_known, not_modified
from app.core.http.finished_files import answer_file, range_of
from app.core.sheets.csv_lines import CsvLinesSheet
from app.core.sheets.sheet import Column, CsvSheet, MissingExtra, Row, Sheet, SheetLimit
from app.engine.labels import Language
from app.engine.query.fan_out import shown_many
from app.engine.query.filter_reader import bad_parameter
from app.engine.query.parameters import (
    Limit,
    ListQuery,
    RecordsQuery,
)
from app.rest.client_watch import ClientWatch, watched
from app.rest.csv_form import CsvForm, CsvQuery, csv_form
from app.rest.export_columns import Cell, cells_of, export_statement
from app.rest.handlers import caller_name, database_of, position_of
from app.rest.labelled import Labelled, labels_for
from app.rest.lists import ListRequest, RecordSet, list_request

#: The formats of exports, with their media types.
FORMATS: Mapping[str, str] = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "ndjson": "application/x-ndjson",
    "parquet": "application/vnd.apache.parquet",
}
#: How many records are at hand at a time, each with any number of related ones.
MANY_RELATED_ROWS: Final = 20
_MEDIA_TYPES: Mapping[str, str] = {**FORMATS, "csv": CsvSheet.media_type}


class ExportQuery(CsvQuery, RecordsQuery):
    """Parameters of an export: a list's, without its pages."""

    limit: Limit | None = None
    """The most records to write; all of them when left out."""
    labels: Language | None = None
    """Labels in this language as headers and in place of codes; an import takes them back."""


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
    form = csv_form(query, file_format)
    tag = f'W/"{await position_of(request)}-{file_format}"'
    if is_known(request, tag):
        return not_modified(tag)
    resource, collection = records.resource, records.collection
    cells = None
    if file_format != "ndjson":
        cells = tuple(cells_of(resource, shape.view, query.fields))
    database = database_of(request)
    spaced = _spaced_cells(cells or ()) if database.dialect.name == "postgresql" else []
    labels = await _labels(asked, query, file_format, cells)
    lines = file_format == "csv" and form.is_plain and not spaced and labels is None
    statement = export_statement(resource, collection, shape, cells, database.dialect, lines)

    batch_rows = MANY_RELATED_ROWS if shown_many(resource, shape.view) else STREAM_BATCH_ROWS

    def pieces() -> AsyncGenerator[bytes]:
        values = {**asked.values, "limit": limit or 2**53}
        rows = database.stream(statement, values, batch_rows)
        if cells is None:
            return _lines(rows)
        names = labels.headers if labels else [".".join(cell.path) for cell in cells]
        columns = [Column(name, cell.kind) for name, cell in zip(names, cells, strict=True)]

        def changed(batch: Rows) -> Sequence[Row]:
            found = _without_blanks(batch, spaced) if spaced else batch
            return labels.rows(found) if labels else found

        return _written(_sheet(file_format, columns, form, lines), rows, changed)

    headers = {
        "ETag": tag,
        "Vary": "Accept, Accept-Encoding",
        "Content-Disposition": f'attachment; filename="{resource.path}.{file_format}"',
    }
    return await _send(request, pieces, file_format, headers)


#: A text of JSON, or what stands between blanks outside of one.
_JSON_TOKEN: Final = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[^\s"]+')


def _spaced_cells(cells: tuple[Cell, ...]) -> list[int]:
    """The columns of JSON, which PostgreSQL writes with blanks and SQLite without."""
    return [at for at, cell in enumerate(cells) if cell.is_json]


def _without_blanks(batch: Rows, columns: Sequence[int]) -> Sequence[Row]:
    rows = [list(row) for row in batch]
    for row in rows:
        for at in columns:
            if row[at] is not None:
                row[at] = _compact(row[at])
    return rows


def _compact(text: str) -> str:
    """The JSON without blanks between its tokens."""
    if "\\" in text:
        return "".join(_JSON_TOKEN.findall(text))
    # Every other piece is within quotes: three times as fast as looking for tokens.
    pieces = text.split('"')
    pieces[::2] = ["".join(piece.split()) for piece in pieces[::2]]
    return '"'.join(pieces)


async def _labels(
    asked: ListRequest, query: RecordsQuery, file_format: str, cells: tuple[Cell, ...] | None
) -> Labelled | None:
    """The labels of a table, where the query asks for any."""
    language = query.labels if isinstance(query, ExportQuery) else None
    if language is None:
        return None
    if cells is None:
        text = f"labels is of tables: leave it out of {file_format}, which programs read."
        raise bad_parameter("labels", "format", text)
    database, resource = database_of(asked.request), asked.records.resource
    are_texts = file_format == "csv"
    return await labels_for(database, resource, cells, language, are_texts=are_texts)


def _sheet(file_format: str, columns: Sequence[Column], form: CsvForm, lines: bool) -> Sheet:
    if lines:
        return CsvLinesSheet(columns, form.bom)
    if file_format == "csv":
        return CsvSheet(columns, form.bom, form.delimiter, form.decimal)
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
    request: Request,
    pieces: Callable[[], AsyncGenerator[bytes]],
    file_format: str,
    headers: Mapping[str, str],
) -> Response:
    """The export as an answer: streamed, or its length alone, or the range that is asked for."""
    media_type = _MEDIA_TYPES[file_format]
    asked = range_of(request)
    # A workbook has in it when it was written, so that parts of two would not fit together.
    if (request.method == "HEAD" or asked) and file_format != "xlsx":
        headers = {**headers, "Accept-Ranges": "bytes"}
        key = (caller_name(request), request.url.path, request.url.query, file_format)
        goes_on = asked is not None and asked.goes_on
        with _told_limits():
            async with watched(request) as client:
                finished = await state_of(request).finished_files.get(
                    key, headers["ETag"], partial(_wanted, pieces, client), goes_on=goes_on
                )
        if finished is not None:
            return answer_file(finished, asked, media_type, headers)
    if request.method == "HEAD":
        head = Response(headers=dict(headers), media_type=media_type)
        # How long the file would be nobody knows before it is written (RFC 9110, 8.6).
        del head.headers["content-length"]
        return head
    return await _stream(pieces(), media_type, headers)


async def _wanted(
    pieces: Callable[[], AsyncGenerator[bytes]], client: ClientWatch
) -> AsyncGenerator[bytes]:
    """The pieces, as long as the client waits for them."""
    async with aclosing(pieces()) as found:
        async for piece in found:
            client.check()
            yield piece


@contextmanager
def _told_limits() -> Iterator[None]:
    try:
        yield
    except SheetLimit as limit:
        raise Invalid(
            f"The format cannot hold this: {limit}.", [Fault("limit", str(limit))]
        ) from None


async def _stream(
    pieces: AsyncGenerator[bytes], media_type: str, headers: Mapping[str, str]
) -> Response:
    """The pieces as an answer, once the first one is there: until then a problem can be told."""
    with _told_limits():
        first = await anext(pieces)

    async def send() -> AsyncIterator[bytes]:
        async with aclosing(pieces):
            yield first
            async for piece in pieces:
                yield piece

    return StreamingResponse(send(), media_type=media_type, headers=dict(headers))


async def _written(
    sheet: Sheet,
    rows: AsyncGenerator[Rows],
    changed: Callable[[Rows], Sequence[Row]] = lambda batch: batch,
) -> AsyncGenerator[bytes]:
    """The bytes of a table, not empty, as rows come in; one cut short says so in its last line."""
    begun = False
    try:
        piece = sheet.begin()
        async with aclosing(rows):
            async for batch in rows:
                piece += await asyncio.to_thread(_rows, sheet, batch, changed)
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


def _rows(sheet: Sheet, batch: Rows, changed: Callable[[Rows], Sequence[Row]]) -> bytes:
    return sheet.rows(changed(batch))


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
