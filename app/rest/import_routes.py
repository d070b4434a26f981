"""The HTTP operation that imports a file of records."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from fastapi import Query, Request
from sqlalchemy.orm import Session
from starlette.responses import Response

from app.core import json_codec
from app.core.http.dispatch import Route
from app.core.http.form_file import FORM_TYPE
from app.core.http.operation import Answer, Operation
from app.core.http.requests import idempotency_key
from app.core.loose_types import Json, Values
from app.core.validation import Model
from app.engine.imports.columns import read_mapping
from app.engine.imports.import_file import ImportFile, with_headers
from app.engine.imports.import_job import import_file
from app.engine.imports.lenient_import import goes_in_parts, import_in_parts
from app.engine.imports.read_ahead import RowsAhead, reading_ahead
from app.engine.imports.report import Report
from app.engine.resource import Resource
from app.engine.schemas import Schema
from app.rest.client_watch import ClientWatch, watched
from app.rest.exports import FORMATS
from app.rest.import_uploads import ANY, TYPES, ImportQuery, Upload
from app.rest.operations import (
    IDEMPOTENCY_KEY,
    IMPORT_PREFER,
    REPEATABLE,
    WRONG_BODY,
    minimal_answer,
    snake,
)
from app.rest.transactions import WriteResult, actor_of, write
from app.rest.write_handlers import answer_write, prefers

_FILE = {"schema": {"type": "string", "format": "binary"}}
_ABOUT = "The body is the file, whose headers are names of fields; see the [guide](guide#import)."
NOTHING_BESIDE: Values = {}


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
    similar: list[RowFault]
    """Rows that became new records, and look like ones that are there or like rows before."""
    taken: list[TakenRow]
    """What cells were taken for, of a dry run's first 20 rows."""


def import_route(resource: Resource) -> Route:
    """POST /missions/import"""

    async def endpoint(request: Request, query: Annotated[ImportQuery, Query()]) -> Response:
        read_mapping(resource, query.columns)
        upload = Upload(request, query)
        async with upload.received() as path:
            return await answer_import(request, resource, query, upload, path)

    return import_operation(resource, _ABOUT, Imported, request_body(TYPES)).route(endpoint)


def import_operation(resource: Resource, about: str, answer: Model, body: Json) -> Operation:
    """The operation that imports files of a kind."""
    good_rows = "The good rows are stored."
    return Operation(
        method="POST",
        path=f"/{resource.path}/import",
        name=f"import_{snake(resource.path)}",
        summary=f"Import {resource.plural} from a file",
        description=about,
        tag=resource.path,
        parameters=(IDEMPOTENCY_KEY, IMPORT_PREFER),
        body=body,
        answers=(
            Answer(model=answer, headers=REPEATABLE),
            Answer(status=207, model=answer, headers=REPEATABLE, description=good_rows),
            minimal_answer(REPEATABLE),
        ),
        refusals=WRONG_BODY,
    )


async def answer_import(
    request: Request,
    resource: Resource,
    query: ImportQuery,
    upload: Upload,
    path: Path,
    beside: Values = NOTHING_BESIDE,
) -> Response:
    """Store the rows of the file at the path, and answer what came of it, and what is `beside`."""
    mapping = read_mapping(resource, query.columns)
    lenient = prefers(request, "handling=lenient")
    file = ImportFile(
        path,
        upload.format,
        mapping,
        lenient,
        with_headers(upload.options, resource, mapping),
        upload.date_format,
        query.skip_unknown,
        query.create_missing,
        is_traced=query.dry_run,
    )

    def result(report: Report) -> WriteResult:
        body = json_codec.dumps({**report.to_dict(), **beside}).decode()
        return WriteResult(body, 207 if lenient else 200)

    async with watched(request) as client, _read(file, client) as rows:

        def work(session: Session) -> WriteResult:
            return result(import_file(session, resource, rows, actor_of(request), client.check))

        if goes_in_parts(rows) and not query.dry_run and idempotency_key(request) is None:
            report = await import_in_parts(partial(write, request), resource, rows, client.check)
            if report is not None:
                return (await asyncio.to_thread(result, report)).response()
        return await answer_write(request, work, query)


@asynccontextmanager
async def _read(file: ImportFile, client: ClientWatch) -> AsyncIterator[RowsAhead]:
    """The rows of the file, read in a thread before the import waits for its turn to write."""
    reading = reading_ahead(file, client.check)
    rows = await asyncio.to_thread(reading.__enter__)
    try:
        yield rows
    finally:
        reading.__exit__(None, None, None)


def request_body(types: Iterable[str]) -> Json:
    """What the document says of a body that is a file of one of these media types."""
    # As text, so that the page of the documentation has a box for it.
    files = {
        **dict.fromkeys((*types, ANY), _FILE),
        FORMATS["csv"]: {"schema": {"type": "string"}},
        FORM_TYPE: {"schema": {"type": "object", "properties": {"file": _FILE["schema"]}}},
    }
    return {"required": True, "content": files}
