"""The HTTP operation that imports exchange rates: a bank's file, or a sheet of records."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import Query, Request
from pydantic import StringConstraints
from sqlalchemy.orm import Session
from starlette.responses import Response

from app.core import json_codec
from app.core.http.dispatch import Route
from app.core.loose_types import Json
from app.core.rate_files.published import RateFileError
from app.core.rate_files.rate_file import (
    UNKNOWN,
    RateFile,
    RateFormat,
    RateOptions,
    opened_rates,
)
from app.core.validation import Example
from app.engine.imports.columns import read_mapping
from app.engine.imports.report import Report
from app.engine.query.filter_reader import bad_parameter
from app.resources.exchange_rate import Provider, exchange_rate
from app.resources.exchange_rate_file import (
    RatesReport,
    count_rates,
    left_out_of,
    refused,
    store_rates,
)
from app.rest.client_watch import watched
from app.rest.import_routes import Imported, answer_import, import_operation, request_body
from app.rest.import_uploads import ANY, TYPES, ImportQuery, Upload
from app.rest.transactions import WriteResult
from app.rest.write_handlers import answer_write

_ABOUT = (
    "The body is a file of rates as the ECB, the National Bank of Kazakhstan or the Bank of Russia"
    " publish them, or CSV with the columns currency,date,rate and perhaps unit and quote: what it"
    " is is found by itself, and told. All of its rates are **one** entry in the feed of changes,"
    " whose record_id is the `import_id` of each; none where all were there already. A rate that is"
    " corrected goes to the trash, and the one in its place is a new record. Any other table is"
    " read as with other kinds, a column a field; see the [guide](guide#exchange-rates)."
)
#: What files of rates are sent as, beside tables.
_TYPES: Final = {
    **TYPES,
    "application/xml": "xml",
    "text/xml": "xml",
    "application/zip": "zip",
    ANY: "file",
}
_Code = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$"), Example("KZT")]


class RateImportQuery(ImportQuery):
    """Parameters of an import of rates."""

    provider: Provider | None = None
    """Whose rates they are: of a bank's own file the bank, unless this says otherwise."""
    quote: _Code | None = None
    """What the rates of a table `currency,date,rate` are in."""
    currency: _Code | None = None
    """The currency of a file of the Bank of Russia that has its number alone."""


class ImportedRates(Imported):
    """What a file of rates has come to; `created` are those that were added, `updated` those that
    were corrected, of which the former one is in the trash."""

    format: RateFormat | str
    """What the file was found to be; `records` of a table with a column a field."""
    provider: str | None
    """Whose rates they are."""
    import_id: UUID | None
    """The `record_id` of the change, `import_id` of its rates; null where nothing changed."""
    first_date: date | None
    """The first day that there is a rate of."""
    last_date: date | None
    """The last one."""


_OF_RECORDS: Final = (
    "quote is of CSV with the columns currency,date,rate (Валюта, Дата, Курс). This file is read as"
    " records, a column a field: give it the columns base, quote, rate, date and provider."
)
_NO_FILE: Final[Json] = {
    "format": "records",
    **dict.fromkeys(("provider", "import_id", "first_date", "last_date")),
}


def answer_of(report: RatesReport) -> Json:
    """A report of rates as an import answers it, shape `ImportedRates`."""
    told = Report(created=report.added, updated=report.corrected, unchanged=report.unchanged)
    told.left_out = list(left_out_of(report))
    values: dict[str, Any] = {**report.to_dict(), "import_id": report.import_id}
    return {**told.to_dict(), **{name: values[name] for name in _NO_FILE}}


def rates_import_route() -> Route:
    """POST /exchange-rates/import"""

    async def endpoint(request: Request, query: Annotated[RateImportQuery, Query()]) -> Response:
        read_mapping(exchange_rate, query.columns)
        upload = Upload(request, query, _TYPES)
        async with upload.received() as path:
            options = RateOptions(query.provider, query.quote, query.currency, upload.options)
            return await _answer(request, query, upload, path, options)

    return import_operation(exchange_rate, _ABOUT, ImportedRates, request_body(_TYPES)).route(
        endpoint
    )


async def _answer(
    request: Request, query: RateImportQuery, upload: Upload, path: Path, options: RateOptions
) -> Response:
    async with _opened(path, options) as file:
        if file is not None:
            return await _answer_rates(request, query, file)
        if upload.format not in TYPES.values():
            raise RateFileError(UNKNOWN)
        if query.quote is not None:
            raise bad_parameter("quote", "format", _OF_RECORDS)
    return await answer_import(request, exchange_rate, query, upload, path, _NO_FILE)


@asynccontextmanager
async def _opened(path: Path, options: RateOptions) -> AsyncIterator[RateFile | None]:
    """The file of rates, unpacked in a thread."""
    opening = opened_rates(path, options)
    with refused():
        file = await asyncio.to_thread(opening.__enter__)
        try:
            yield file
        finally:
            opening.__exit__(None, None, None)


async def _answer_rates(request: Request, query: RateImportQuery, file: RateFile) -> Response:
    await asyncio.to_thread(count_rates, file)
    async with watched(request) as client:

        def work(session: Session) -> WriteResult:
            report = store_rates(session, file, client.check)
            return WriteResult(json_codec.dumps(answer_of(report)).decode())

        return await answer_write(request, work, query)
