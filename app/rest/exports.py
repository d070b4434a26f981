"""Exports: every record that a list has, as a table or as lines of JSON, streamed."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from functools import partial
from typing import Final

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from app.core import json_codec
from app.core.databases.export_places import Delivery, delivery
from app.core.databases.interface import STREAM_BATCH_ROWS, Rows
from app.core.errors import Fault, Invalid, NotAcceptable, NotFound
from app.core.http.accept import preferred
from app.core.http.app_state import state_of
from app.core.http.conditional import is_known, not_modified
from app.core.http.finished_files import answer_file, range_of
from app.core.observability.logs import told_of
from app.core.server.protocol_limits import ABORT
from app.core.sheets.csv_lines import CsvLinesSheet
from app.core.sheets.sheet import Column, CsvSheet, MissingExtra, Row, Sheet, SheetLimit
from app.engine.labels import Language
from app.engine.query.fan_out import shown_long, shown_many
from app.engine.query.filter_reader import bad_parameter
from app.engine.query.parameters import (
    Limit,
    ListQuery,
    PartsQuery,
    RecordsQuery,
    View,
)
from app.engine.resource import Resource
from app.rest.audience import audience_tag, reading_dialect
from app.rest.client_watch import ClientWatch, watched
from app.rest.csv_form import CsvForm, CsvQuery, csv_form
from app.rest.export_columns import Cell, cells_of, export_statement, objects_statement
from app.rest.export_json import spaced_cells, whole_object, without_blanks
from app.rest.handlers import caller_name, database_of, position_of
from app.rest.labelled import Labelled, labels_for
from app.rest.lists import ListRequest, RecordSet, check_multiplied, list_request

#: The formats of exports, with their media types.
FORMATS: Mapping[str, str] = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "ndjson": "application/x-ndjson",
    "parquet": "application/vnd.apache.parquet",
}
#: How much is sent at a time: what a client is slow to take tells how quickly it reads.
PIECE_BYTES: Final = 64 * 1024
#: How many records are at hand at a time, each with any number of related ones.
MANY_RELATED_ROWS: Final = 20
#: And where they can have long texts: fewer, should they have them.
LONG_ROWS: Final = 250
log = logging.getLogger("trade_missions")
_MEDIA_TYPES: Mapping[str, str] = {**FORMATS, "csv": CsvSheet.media_type}


class ExportQuery(CsvQuery, RecordsQuery):
    """Parameters of an export: a list's, without its pages."""

    limit: Limit | None = None
    """The most records to write; all of them when left out."""
    labels: Language | None = None
    """Labels in this language as headers and in place of codes; an import takes them back."""


class ExportWithPartsQuery(PartsQuery, ExportQuery):
    """Parameters of an export under a record that others of its kind can be part of."""


def address_of(name: str) -> str:
    """What a list of a record is called in addresses: `based_on` as `based-on`."""
    return name.replace("_", "-")


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
    refuse_pages(query.model_fields_set)
    limit = query.limit if "limit" in query.model_fields_set else None
    return await answer_file_of(
        await list_request(request, records, query), query, file_format, limit
    )


def refuse_pages(names: set[str]) -> None:
    """BadRequest for the parameters of pages."""
    for name in sorted(names & {"cursor", "offset", "count"}):
        raise bad_parameter(
            name, "export", "An export has every record, without pages: leave it out."
        )


def check_format(file_format: str, *others: str) -> None:
    """NotFound for a format that is not known; `others` are those that the address has besides."""
    if file_format not in FORMATS:
        known = ", ".join((*others, *FORMATS))
        raise NotFound(f"There is no format {file_format!r}: write one of {known}.")


async def answer_export(
    request: Request, records: RecordSet, query: ExportQuery, file_format: str
) -> Response:
    """Every record that matches, as a file of the format; NotFound for one that is not known."""
    check_format(file_format)
    refuse_pages({name for name, _ in query.others})
    asked = await list_request(request, records, query)
    return await answer_file_of(asked, query, file_format, query.limit)


async def answer_file_of(
    asked: ListRequest,
    query: RecordsQuery,
    file_format: str,
    limit: int | None,
    row_of: str | None = None,
) -> Response:
    """The records, or with `row_of` the rows of this list of each of them, as a file."""
    request, records, shape = asked.request, asked.records, asked.listing.shape
    form = csv_form(query, file_format)
    edition = f"{asked.edition}-{file_format}"
    tag = audience_tag(request, f'W/"{await position_of(request)}{edition}"')
    if is_known(request, tag):
        return not_modified(tag)
    resource, collection = records.resource, records.collection
    is_table, cells = file_format != "ndjson", None
    if is_table or row_of is not None:
        cells = tuple(cells_of(resource, shape.view, query.fields, row_of))
    if cells is None:
        await check_multiplied(asked, limit or 2**53)
    database = database_of(request)
    spaced = spaced_cells(cells or ()) if database.dialect.name == "postgresql" else []
    labels = await _labels(asked, query, file_format, cells)
    lines = file_format == "csv" and form.is_plain and not spaced and labels is None
    if row_of is not None and cells is not None and not is_table:
        dialect = reading_dialect(request)
        statement = await objects_statement.beside_loop(resource, shape, cells, dialect, row_of)
    else:
        chosen = (resource, collection, shape, cells, reading_dialect(request))
        statement = await export_statement.beside_loop(*chosen, lines, row_of)

    batch_rows = _batch_rows(resource, shape.view)

    def pieces() -> AsyncGenerator[bytes]:
        values = {**asked.values, "limit": limit or 2**53}
        rows = database.stream(statement, values, batch_rows)
        if cells is None or not is_table:
            return _lines(rows)
        names = labels.headers if labels else [cell.name for cell in cells]
        columns = [Column(name, cell.kind) for name, cell in zip(names, cells, strict=True)]

        def changed(batch: Rows) -> Sequence[Row]:
            found = without_blanks(batch, spaced) if spaced else batch
            return labels.rows(found) if labels else found

        return _written(_sheet(file_format, columns, form, lines), rows, changed)

    name = resource.path if row_of is None else f"{resource.path}-{address_of(row_of)}"
    headers = {
        "ETag": tag,
        "Vary": "Accept, Accept-Encoding",
        "Content-Disposition": f'attachment; filename="{name}.{file_format}"',
    }
    return await _send(request, pieces, file_format, headers)


def _batch_rows(resource: Resource, view: View) -> int:
    """How many records are read at a time, unless they are long."""
    if shown_many(resource, view):
        return MANY_RELATED_ROWS
    return LONG_ROWS if shown_long(resource, view) else STREAM_BATCH_ROWS


async def answer_table(
    request: Request,
    columns: Sequence[Column],
    rows: Callable[[], AsyncGenerator[Rows]],
    file_format: str,
    form: CsvForm,
    headers: Mapping[str, str],
) -> Response:
    """Rows of cells, or of the one JSON text of a line, as a file of the format."""

    def pieces() -> AsyncGenerator[bytes]:
        if file_format == "ndjson":
            return _lines(rows())
        return _written(_sheet(file_format, columns, form, lines=False), rows())

    return await _send(request, pieces, file_format, headers)


async def _labels(
    asked: ListRequest, query: RecordsQuery, file_format: str, cells: tuple[Cell, ...] | None
) -> Labelled | None:
    """The labels of a table, where the query asks for any."""
    language = query.labels if isinstance(query, ExportQuery) else None
    if language is None:
        return None
    if cells is None or file_format == "ndjson":
        text = f"labels is of tables: leave it out of {file_format}, which programs read."
        raise bad_parameter("labels", "format", text)
    database, resource = database_of(asked.request), asked.records.resource
    are_texts = file_format == "csv"
    return await labels_for(
        database, resource, cells, language, are_texts=are_texts, are_entered=True
    )


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
    return await _stream(request, pieces(), media_type, headers)


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
    request: Request, pieces: AsyncGenerator[bytes], media_type: str, headers: Mapping[str, str]
) -> Response:
    """The pieces as an answer, once the first one is there: until then a problem can be told."""
    by = Delivery(partial(_cut_off, request))
    # A server that cannot end a connection, such as that of most tests, ends no export either.
    before = delivery.set(by if ABORT in request.scope else None)
    try:
        with _told_limits():
            first = await anext(pieces)
    finally:
        delivery.reset(before)

    async def send() -> AsyncIterator[bytes]:
        async with aclosing(pieces):
            piece: bytes | None = first
            while piece is not None:
                for at in range(0, len(piece), PIECE_BYTES):
                    part = piece[at : at + PIECE_BYTES]
                    with by.waiting(len(part)):
                        yield part
                    # Where a client takes all at once, nothing else makes room for others.
                    await asyncio.sleep(0)
                piece = await anext(pieces, None)

    return StreamingResponse(send(), media_type=media_type, headers=dict(headers))


def _cut_off(request: Request) -> None:
    log.warning(
        "export cut off: its client reads it slowly, and others wait",
        extra=told_of(request.scope),
    )
    request.scope[ABORT]()


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
                yield b"".join([f"{whole_object(row)}\n".encode() for row in batch])
        if not begun:
            yield b""
    except Exception:
        if begun:
            yield json_codec.dumps({"FILE CUT SHORT": "something failed on our side"}) + b"\n"
        raise
