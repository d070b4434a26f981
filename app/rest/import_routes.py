"""The HTTP operation that imports a file of records."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Annotated, Any, Literal

from fastapi import Query, Request
from pydantic import Field
from sqlalchemy.orm import Session
from starlette.responses import Response

from app.core import json_codec
from app.core.errors import BadRequest, Fault, TooLarge, UnsupportedMediaType
from app.core.http.app_state import state_of
from app.core.http.dispatch import Route
from app.core.http.operation import Answer, Operation
from app.core.http.requests import charset_of, check_charset, media_type
from app.core.loose_types import Json
from app.core.sheets.options import (
    CHARSETS,
    UNICODE,
    Delimiter,
    Encoding,
    OptionError,
    codec_of,
    read_options,
)
from app.core.sheets.tabular import ReadOptions
from app.engine.imports.columns import read_mapping
from app.engine.imports.import_file import ImportFile, known_date_format, with_headers
from app.engine.imports.import_job import import_file
from app.engine.imports.read_ahead import RowsAhead, reading_ahead
from app.engine.query.filter_reader import bad_parameter
from app.engine.resource import Resource
from app.engine.schemas import Flag, Schema
from app.rest.exports import FORMATS
from app.rest.operations import (
    IDEMPOTENCY_KEY,
    IMPORT_PREFER,
    REPEATABLE,
    WRONG_BODY,
    minimal_answer,
    snake,
)
from app.rest.transactions import WriteResult, actor_of
from app.rest.write_handlers import WriteQuery, answer_write, prefers

#: The media types of files that can be imported, with their formats.
_TYPES = {
    FORMATS["csv"]: "csv",
    "text/tab-separated-values": "tsv",
    FORMATS["xlsx"]: "xlsx",
    "application/vnd.oasis.opendocument.spreadsheet": "ods",
    FORMATS["ndjson"]: "ndjson",
}
_ANY = "application/octet-stream"
_TEXT_TYPES = (FORMATS["csv"], "text/tab-separated-values")
_FILE = {"schema": {"type": "string", "format": "binary"}}
_ABOUT = "The body is the file, whose headers are names of fields; see the [guide](guide#import)."


class ImportQuery(WriteQuery):
    """Parameters of an import."""

    format: Literal["csv", "tsv", "xlsx", "ods", "ndjson"] | None = None
    """What the file is, where Content-Type is application/octet-stream and does not say."""
    columns: str | None = Field(None, max_length=8000)
    """Which fields headers stand for: `Header=field,Заголовок=title`. A comma within a header goes
    into double quotes around the pair; `Header=` leaves a column out."""
    sheet: str | None = Field(None, max_length=255)
    """Which worksheet of XLSX; else the first, and those after it with its header."""
    delimiter: Delimiter | None = None
    """What separates the cells of CSV."""
    encoding: Encoding | None = None
    """What CSV is encoded in, where that is not Unicode."""
    date_format: str | None = Field(None, max_length=20)
    """How days in digits are written, such as `dd.mm.yyyy` or `mm/dd/yyyy`."""
    header_row: int | None = Field(None, ge=1, le=1000)
    """Which row has the names of the columns; else the first, or the one below titles."""
    skip_unknown: Flag = Field(False)
    """`true` passes over columns that nobody knows, and lists them in `left_out`."""
    create_missing: Flag = Field(False)
    """`true` creates organizations and people that are named and not there."""


class RowFault(Schema):
    """Why a row failed, or was left out."""

    sheet: str | None
    """The worksheet of a workbook."""
    row: int | None
    """The row as spreadsheets count, the header being 1; in NDJSON, the line."""
    column: str | None
    """The header of the column, as it stands in the file."""
    code: str
    """A short name of the fault that programs can rely on."""
    detail: str
    """What is wrong and what would be right."""


class TakenCell(Schema):
    """What a cell was taken for."""

    column: str
    """The header of the column."""
    cell: str | None
    """What the cell holds."""
    field: str | None
    """The field that it is of; null where it was passed over."""
    value: Any
    """The value that it became; null where it could not be read."""


class TakenRow(Schema):
    """What the cells of a row were taken for."""

    sheet: str | None
    row: int
    cells: list[TakenCell]


class Imported(Schema):
    """How many rows of a file came to what."""

    created: int
    """Rows that became new records."""
    updated: int
    """Rows that changed their records."""
    unchanged: int
    """Rows whose records were so already."""
    failed: int
    """Rows of which nothing was stored."""
    errors: list[RowFault]
    """What is wrong with them, as far as there is room."""
    sheets: list[str]
    """The worksheets that were read."""
    left_out: list[RowFault]
    """What was passed over: other worksheets, titles, columns, and rows of totals."""
    related: list[RowFault]
    """Records that were created because rows name them."""
    taken: list[TakenRow]
    """What cells were taken for, of a dry run's first 20 rows."""


def import_route(resource: Resource) -> Route:
    """POST /missions/import"""

    async def endpoint(request: Request, query: Annotated[ImportQuery, Query()]) -> Response:
        mapping = read_mapping(resource, query.columns)
        file_format = _format_of(request, query)
        options = with_headers(_options(request, query, file_format), resource, mapping)
        date_format = _date_format(query)
        lenient = prefers(request, "handling=lenient")
        async with _received(request) as path:
            file = ImportFile(
                path,
                file_format,
                mapping,
                lenient,
                options,
                date_format,
                query.skip_unknown,
                query.create_missing,
                is_traced=query.dry_run,
            )
            async with _read(file) as rows:

                def work(session: Session) -> WriteResult:
                    report = import_file(session, resource, rows, actor_of(request))
                    body = json_codec.dumps(report.to_dict()).decode()
                    return WriteResult(body, 207 if lenient else 200)

                return await answer_write(request, work, query)

    good_rows = "The good rows are stored."
    return Operation(
        method="POST",
        path=f"/{resource.path}/import",
        name=f"import_{snake(resource.path)}",
        summary=f"Import {resource.plural} from a file",
        description=_ABOUT,
        tag=resource.path,
        parameters=(IDEMPOTENCY_KEY, IMPORT_PREFER),
        body=_request_body(),
        answers=(
            Answer(model=Imported, headers=REPEATABLE),
            Answer(status=207, model=Imported, headers=REPEATABLE, description=good_rows),
            minimal_answer(REPEATABLE),
        ),
        refusals=WRONG_BODY,
    ).route(endpoint)


@asynccontextmanager
async def _read(file: ImportFile) -> AsyncIterator[RowsAhead]:
    """The rows of the file, read in a thread before the import waits for its turn to write."""
    reading = reading_ahead(file)
    rows = await asyncio.to_thread(reading.__enter__)
    try:
        yield rows
    finally:
        reading.__exit__(None, None, None)


def _request_body() -> Json:
    # As text, so that the page of the documentation has a box for it.
    files = {
        **dict.fromkeys((*_TYPES, _ANY), _FILE),
        FORMATS["csv"]: {"schema": {"type": "string"}},
    }
    return {"required": True, "content": files}


def _format_of(request: Request, query: ImportQuery) -> str:
    """What the file is, by its media type; UnsupportedMediaType (415) for others."""
    kind = media_type(request)
    coding = request.headers.get("content-encoding", "identity").lower()
    accepted = ", ".join((*_TYPES, _ANY))
    if coding != "identity":
        headers = {"Accept": accepted, "Accept-Encoding": "identity"}
        raise UnsupportedMediaType(f"Send the file as it is, not as {coding}.", headers=headers)
    if kind != _ANY and kind not in _TYPES:
        text = f"Send the file with one of the Content-Types {accepted}; got {kind or 'none'}."
        raise UnsupportedMediaType(text, headers={"Accept": accepted})
    known = _TYPES.get(kind)
    check_charset(request, {"Accept": accepted}, CHARSETS if kind in _TEXT_TYPES else UNICODE)
    if query.format is None and known is None:
        raise _wrong_format(f"{_ANY} does not say what the file is: give format.")
    if query.format not in (None, known) and known is not None:
        raise _wrong_format(f"Content-Type says {known}, format says {query.format}.")
    return query.format or str(known)


def _options(request: Request, query: ImportQuery, file_format: str) -> ReadOptions:
    """What is said of the file besides; BadRequest where that says nothing of such a file."""
    charset = charset_of(request)
    if charset and query.encoding and codec_of(charset) != codec_of(query.encoding):
        raise bad_parameter(
            "encoding", "both", f"Content-Type says {charset}, encoding says {query.encoding}."
        )
    try:
        return read_options(
            file_format,
            query.sheet,
            query.delimiter,
            query.encoding or charset or None,
            query.header_row,
        )
    except OptionError as error:
        raise bad_parameter(error.name, "format", str(error)) from None


def _date_format(query: ImportQuery) -> str | None:
    try:
        return known_date_format(query.date_format)
    except OptionError as error:
        raise bad_parameter(error.name, "format", str(error)) from None


def _wrong_format(text: str) -> BadRequest:
    return BadRequest(text, [Fault("format", text, parameter="format")])


@asynccontextmanager
async def _received(request: Request) -> AsyncIterator[Path]:
    """The body in a temporary file, which is gone at the end, also when the client goes away.

    TooLarge (413) as soon as it is known to exceed the limit of imports. An
    Idempotency-Key knows the file by its SHA-256.
    """
    limit: int = state_of(request).max_import
    declared = request.headers.get("content-length", "0")
    digest, size = sha256(), 0
    # Pieces of a body go to the system's memory of the file, which takes no time worth a thread.
    with NamedTemporaryFile(prefix="import-") as file:
        if not declared.isdecimal() or int(declared) <= limit:
            async for piece in request.stream():
                size += len(piece)
                if size > limit:
                    break
                digest.update(piece)
                file.write(piece)
            else:
                file.flush()
                request.scope["content"] = digest.digest()
                yield Path(file.name)
                return
    text = f"The file is larger than {limit} bytes."
    raise TooLarge(text, headers={"Connection": "close"})
