"""Datasets over HTTP: the dictionary of all, and the rows of one as pages or as a file."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Annotated

from fastapi import Path, Query, Request
from pydantic import BeforeValidator
from starlette.responses import Response

from app.core import json_codec
from app.core.databases.interface import Rows
from app.core.errors import BadRequest, Gone, Invalid, NotFound, did_you_mean
from app.core.http.conditional import is_known, not_modified
from app.core.http.dispatch import Route
from app.core.http.operation import Answer, Operation
from app.core.http.responses import JsonResponse
from app.core.loose_types import Fields, Value
from app.core.sheets.sheet import CellKind, Column, Row
from app.datasets.columns import ALL_DATASETS, AnyDataset, DatasetColumn, by_name, columns
from app.datasets.computed import ComputedDataset
from app.datasets.conversion import (
    RowConverter,
    conversion_of,
    converted_columns,
    row_converter,
)
from app.datasets.rows import Labeller, as_objects, labeller
from app.datasets.statement import place_values, rows_statement
from app.engine.history.undo import PARAMETER
from app.engine.labels import Language
from app.engine.query.cursor import cursor_scope
from app.engine.query.filter_reader import bad_parameter
from app.engine.query.parameters import MAX_LIMIT, Cursor, Limit
from app.engine.query.values import parse_instant
from app.engine.schemas import Page, Schema
from app.rest.audience import audience_tag, reading_dialect
from app.rest.conversion import ConversionAsked, ConversionQuery, TargetCurrency
from app.rest.csv_form import CsvQuery, csv_form
from app.rest.exports import answer_table, check_format
from app.rest.handlers import database_of, position_of
from app.rest.operations import IF_NONE_MATCH, NOT_MODIFIED, TAGGED
from app.rest.pages import answer_long_page, current_page
from app.rest.past import is_of_past, with_past
from app.rest.read_routes import EXPORTED, Format

Name = Annotated[
    str,
    Path(
        description="What the dataset is called.",
        json_schema_extra={"enum": [dataset.name for dataset in ALL_DATASETS]},
    ),
]


class DatasetColumnEntry(Schema):
    """A column of a dataset."""

    name: str
    """What it is called: the same in every format and language."""
    type: CellKind
    """What it holds. A list of codes is a text with semicolons between them."""
    unit: str | None
    """What a number is counted in, or the column that says so of each row."""
    nullable: bool
    """Whether a row can be without it, if only since it is withheld."""
    meaning: str
    """What it says."""


class DatasetEntry(Schema):
    """A dataset."""

    name: str
    """What it is called in its address."""
    grain: str
    """What there is a row for."""
    columns: list[DatasetColumnEntry]
    """Its columns in order, also where it has no row."""
    converted_columns: list[DatasetColumnEntry]
    """Those that `convert_to` adds at the end; none where there are no amounts to convert."""


class DatasetList(Schema):
    """The datasets that there are."""

    data: list[DatasetEntry]
    """Each with its columns."""


def _moment(value: Value) -> Value:
    return parse_instant(value) if isinstance(value, str) else value


class DatasetPage(Schema):
    """A page of the rows of a dataset, in the order of the ids of their records."""

    data: list[Fields]
    """The rows, each with every column that `/datasets` tells."""
    page: Page


class DatasetQuery(ConversionQuery):
    """Parameters of a dataset."""

    convert_to: TargetCurrency | None = None
    """Adds columns with the amount of each row in this currency, by the exchange rate of its day;
    `/datasets` tells which."""

    limit: Limit | None = None
    """The most rows: of a page 1000, which more is taken for, and of a file all when left out."""
    cursor: Cursor | None = None
    """`next_cursor` or `prev_cursor` of a page of the same dataset, to go on from there."""
    lang: Language = "en"
    """The language of the columns of labels."""
    updated_since: Annotated[datetime | None, BeforeValidator(_moment)] = None
    """Only rows in which something can have changed at this time (ISO 8601) or later, of whichever
    records they show something; not for other labels of codes or rates. Of missions and companies
    these are all rows, once something that they count was changed. What is gone is not told of: see
    `/changes`."""


class DatasetFileQuery(CsvQuery, DatasetQuery):
    """Parameters of a dataset as a file."""


async def get_datasets(request: Request) -> Response:
    """The datasets that there are, each with its grain and its columns."""
    return JsonResponse(json_codec.dumps({"data": [_entry(each) for each in ALL_DATASETS]}))


def _entry(dataset: AnyDataset) -> Fields:
    return {
        "name": dataset.name,
        "grain": dataset.grain,
        "columns": [_column(column) for column in columns(dataset)],
        "converted_columns": [_column(column) for column in converted_columns(dataset)],
    }


def _column(column: DatasetColumn) -> Fields:
    return {
        "name": column.name,
        "type": column.kind,
        "unit": column.unit,
        "nullable": column.nullable,
        "meaning": column.about,
    }


def _find(name: str) -> AnyDataset:
    """The dataset of this name; NotFound without one."""
    found = by_name()
    if name not in found:
        near = did_you_mean(name, found)
        raise NotFound(f"There is no dataset {name[:100]!r}.{near} There are: {', '.join(found)}.")
    return found[name]


def _check_times(request: Request, dataset: AnyDataset, query: DatasetQuery) -> None:
    """BadRequest for what changed of rows that are worked out when they are read, and for what was
    there of those that stay as they are."""
    if not isinstance(dataset, ComputedDataset):
        return
    if dataset.since is None and query.updated_since is not None:
        text = f"The rows of {dataset.name} are sums of many records: leave it out, and read all."
        raise bad_parameter("updated_since", "sums", text)
    if dataset.since is not None and is_of_past(request):
        text = (
            f"The rows of {dataset.name} stay as they are: leave it out, and take those whose"
            f" {dataset.since!r} is not later."
        )
        raise bad_parameter(PARAMETER, "log", text)


async def _tag(
    request: Request,
    dataset: AnyDataset,
    query: DatasetQuery,
    asked: ConversionAsked | None,
    form: str,
) -> str:
    edition = f"{dataset.name}-{query.lang}-{form}"
    if asked is not None:
        edition += f"-{sha256(repr(asked).encode()).hexdigest()[:12]}"
    return audience_tag(request, f'W/"{await position_of(request)}-{edition}"')


async def get_dataset(
    request: Request, name: Name, query: Annotated[DatasetQuery, Query()]
) -> Response:
    """Flat rows with ids, names, codes and their labels, in pages; `/datasets` tells the columns,
    and `/datasets/agreements.csv` is all of them as a file."""
    dataset = _find(name)
    _check_times(request, dataset, query)
    asked = conversion_of(request, dataset, query)
    tag = await _tag(request, dataset, query, asked, "json")
    if is_known(request, tag):
        return not_modified(tag)
    return await _page(request, dataset, query, asked, tag)


async def get_dataset_file(
    request: Request, name: Name, format: Format, query: Annotated[DatasetFileQuery, Query()]
) -> Response:
    """Every row of a dataset, streamed: the columns are the same where there is no row."""
    if format == "json":
        return await get_dataset(request, name, query)
    dataset = _find(name)
    _check_times(request, dataset, query)
    check_format(format, "json")
    if query.cursor is not None:
        text = "A file has every row, without pages: leave it out."
        raise bad_parameter("cursor", "export", text)
    form = csv_form(query, format)
    asked = conversion_of(request, dataset, query)
    tag = await _tag(request, dataset, query, asked, format)
    if is_known(request, tag):
        return not_modified(tag)
    database = database_of(request)
    shown = await _shown(request, dataset, query, asked, is_file=True)
    headers = {
        "ETag": tag,
        "Vary": "Accept-Encoding",
        "Content-Disposition": f'attachment; filename="{dataset.name}.{format}"',
    }
    header = [Column(each.name, each.kind) for each in shown.columns]

    def rows() -> AsyncGenerator[Rows]:
        statement = rows_statement(
            dataset, query.updated_since is not None, False, False, reading_dialect(request)
        )
        found = database.stream(statement, _values(query, query.limit or 2**53))
        return _written(found, shown, format)

    return await answer_table(request, header, rows, format, form, headers)


@dataclass(frozen=True, slots=True)
class _Shown:
    """The rows as they are answered: with labels, and converted where that is asked for."""

    labels: Labeller
    columns: Sequence[DatasetColumn]
    converter: RowConverter | None

    async def rows(self, batch: Rows) -> list[Row]:
        # Many rows are long work, which keeps nobody waiting beside the loop.
        rows = await asyncio.to_thread(self.labels.rows, batch)
        return rows if self.converter is None else await self.converter.convert(rows)


async def _shown(
    request: Request,
    dataset: AnyDataset,
    query: DatasetQuery,
    asked: ConversionAsked | None,
    *,
    is_file: bool,
) -> _Shown:
    labels = await labeller(database_of(request), dataset, query.lang)
    if asked is None:
        return _Shown(labels, labels.columns, None)
    converter = await row_converter(request, dataset, asked, is_file=is_file)
    return _Shown(labels, (*labels.columns, *converted_columns(dataset)), converter)


async def _written(
    found: AsyncGenerator[Rows], shown: _Shown, file_format: str
) -> AsyncGenerator[Rows]:
    """Batches of rows of cells, or of lines of JSON."""
    async with aclosing(found) as batches:
        async for batch in batches:
            rows = await shown.rows(batch)
            if file_format == "ndjson":
                lines = await asyncio.to_thread(_json_of, shown.columns, rows)
                yield [(line,) for line in lines]
            else:
                yield rows


def _json_of(shown: Sequence[DatasetColumn], rows: Sequence[Row]) -> list[str]:
    """Each row as a JSON object."""
    return [json_codec.dumps(each).decode() for each in as_objects(shown, rows)]


def _values(query: DatasetQuery, limit: int) -> Fields:
    """The values of the statement's parameters."""
    since = query.updated_since
    return {"limit": limit} if since is None else {"limit": limit, "since": since}


async def _page(
    request: Request,
    dataset: AnyDataset,
    query: DatasetQuery,
    asked: ConversionAsked | None,
    tag: str,
) -> Response:
    """The page that the query asks for."""
    since = query.updated_since
    shown = await _shown(request, dataset, query, asked, is_file=False)
    scope = cursor_scope("datasets", dataset.name, since)
    at = await current_page(request, query.limit or MAX_LIMIT, query.cursor, scope)
    dialect = reading_dialect(request)
    seeks = at.place is not None
    statement = rows_statement(dataset, since is not None, seeks, at.backward, dialect)
    values = _values(query, at.limit + 1)
    if at.place is not None:
        values |= place_values(dataset, at.place)
    found = await database_of(request).read(statement, values)
    keys = [json_codec.dumps(list(row[shown.labels.width :])).decode() for row in found]
    lines = await asyncio.to_thread(_json_of, shown.columns, await shown.rows(found))
    rows = list(zip(lines, keys, strict=True))
    return await answer_long_page(at, rows, headers={"ETag": tag})


def dataset_routes() -> tuple[Route, ...]:
    """GET /datasets, /datasets/{name}.{format} and /datasets/{name}"""
    dictionary = Operation(
        path="/datasets",
        name="list_datasets",
        summary="Tell which datasets there are",
        tag="insights",
        answers=(Answer(model=DatasetList),),
    )
    file = Operation(
        path="/datasets/{name}.{format}",
        name="export_dataset",
        summary="Export a dataset",
        tag="insights",
        parameters=(IF_NONE_MATCH,),
        answers=(EXPORTED, NOT_MODIFIED),
        refusals=(BadRequest, NotFound, Gone, Invalid),
    )
    page = Operation(
        path="/datasets/{name}",
        name="get_dataset",
        summary="Read a dataset",
        tag="insights",
        parameters=(IF_NONE_MATCH,),
        answers=(Answer(model=DatasetPage, headers=(*TAGGED, "Link")), NOT_MODIFIED),
        refusals=(BadRequest, NotFound, Gone),
    )
    return (
        dictionary.route(get_datasets),
        with_past(page).route(get_dataset),
        with_past(file).route(get_dataset_file),
    )
