"""Answers of the sets that are datasets: rows of plain columns, for tables and pivots."""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, get_args

import orjson
from starlette.requests import Request
from starlette.responses import Response

from app.core import json_codec
from app.core.databases.interface import Rows
from app.core.errors import BadRequest, NotFound, did_you_mean
from app.core.http.conditional import is_known, not_modified
from app.core.http.requests import edition_asked
from app.core.instance_secret import EPOCH_LENGTH
from app.core.loose_types import Fields, Value
from app.core.sheets.sheet import CellKind, Row
from app.datasets.columns import DatasetColumn, columns
from app.datasets.computed import ComputedDataset
from app.datasets.rows import Labeller, labeller
from app.datasets.statement import place_values
from app.engine.labels import Language
from app.engine.query.cursor import cursor_scope
from app.engine.query.nodes import ExpressionError
from app.engine.search.hits import with_query
from app.odata.addresses import context_of, next_link
from app.odata.errors import VERSION, NotSupported
from app.odata.filter.flat import flat_names, flat_reading, rows_read
from app.odata.filter.reading import read_filter
from app.odata.flat_rows import FlatShape, flat_count, flat_statement
from app.odata.forms import Form, answer, form_of
from app.odata.model import FlatSet
from app.odata.options import CHOOSING, PAGING, Options, bad_option, read_options, split
from app.odata.orders import orders_of
from app.odata.pages import page_size, preference_applied
from app.odata.sets import search_words, set_body
from app.rest.audience import audience_tag, reading_dialect
from app.rest.handlers import check_codes, database_of, position_of
from app.rest.pages import PageRequest, in_epoch, page_request

#: The language of labels, which is an option of our own.
_LANGUAGE: Final = "lang"
_SHOWING: Final = ("$select", "$format", _LANGUAGE)
_LISTING: Final = (*CHOOSING, *_SHOWING, *PAGING)
_KEY = re.compile(r"\s*(\w+)\s*=\s*('(?:[^']|'')*'|[^',()=\s]+)\s*")


@dataclass(frozen=True, slots=True)
class _Asked:
    """A read of a dataset: the shape of its statement and its values."""

    request: Request
    entities: FlatSet
    options: Options
    shape: FlatShape
    values: Mapping[str, Value]


async def answer_flat(
    request: Request, entities: FlatSet, key: str | None, rest: list[str]
) -> Response:
    """What an address leads to that begins with the set of a dataset."""
    if key is None and rest == ["$count"]:
        return await _answer_count(request, entities)
    if rest:
        text = f"{rest[0][:100]} after {entities.name} is not supported: ask for it with $select."
        raise NotSupported(text)
    if key is not None:
        return await _answer_row(request, entities, key)
    return await _answer_set(request, entities)


async def _answer_count(request: Request, entities: FlatSet) -> Response:
    options = read_options(request, (*CHOOSING, "$format"))
    total = await _count(await _asked(request, entities, options))
    return answer(str(total).encode(), "text/plain;charset=utf-8")


async def _count(asked: _Asked) -> int:
    shape = replace(asked.shape, order=())
    dialect = reading_dialect(asked.request)
    statement = await flat_count.beside_loop(asked.entities.dataset, shape, dialect)
    ((total,),) = await database_of(asked.request).read(statement, asked.values)
    return int(total)


async def _answer_set(request: Request, entities: FlatSet) -> Response:
    options = read_options(request, _LISTING)
    form = form_of(request, options.get("$format"))
    names = _selected(entities, options)
    asked = await _asked(request, entities, options)
    size = page_size(request)
    position = await position_of(request)
    language = _language(options)
    edition = f"{edition_asked(request)}-{form.tag}{size}-{language}"
    tag = audience_tag(request, f'W/"{position}-{edition}"')
    if is_known(request, tag):
        varied = "Accept, Accept-Encoding, Prefer"
        return not_modified(tag, {**dict([VERSION]), "Vary": varied})
    limit = size if options.top is None else min(size, options.top)
    total = await _count(asked) if options.counts else None
    rows, following = await _page(asked, position, limit)
    changed: Fields = {}
    if following is not None and (options.top is None or options.top > limit):
        changed["$skiptoken"] = following
        if options.top is not None:
            changed["$top"] = str(options.top - limit)
    fragment = entities.name + (f"({','.join(names)})" if names is not None else "")
    link = next_link(request, changed) if changed else None
    shown = await _objects(asked, rows, names, form)
    body = set_body(form, context_of(request, fragment), shown, total, link)
    return answer(body, form.media_type, {"ETag": tag, **preference_applied(request)})


async def _answer_row(request: Request, entities: FlatSet, key: str) -> Response:
    """The one row that a key finds: `(0197…)`, or `(id=0197…,parties_position=0)`."""
    options = read_options(request, _SHOWING)
    form = form_of(request, options.get("$format"))
    names = _selected(entities, options)
    found = Options({**options.sent, "$filter": _key_filter(entities, key)}, {})
    asked = await _asked(request, entities, found)
    rows, _ = await _page(asked, await position_of(request), 1)
    if not rows:
        raise NotFound(f"{entities.name} has no row with the key ({key[:200]}).")
    fragment = entities.name + (f"({','.join(names)})" if names is not None else "")
    context = json_codec.dumps(context_of(request, f"{fragment}/$entity")).decode()
    (row,) = await _objects(asked, rows, names, form)
    if form.has_context:
        row = f'{{"@odata.context":{context},{row[1:]}'
    return answer(row.encode(), form.media_type)


def _key_filter(entities: FlatSet, key: str) -> str:
    """The condition that a key stands for."""
    parts = [_KEY.fullmatch(part) for part in split("key", key, ",")]
    given = {part[1]: part[2] for part in parts if part is not None}
    if len(entities.key) == 1 and parts == [None]:
        given, parts = {entities.key[0]: key.strip()}, []
    if given.keys() != {*entities.key} or None in parts:
        right = ",".join(f"{name}=…" for name in entities.key)
        raise BadRequest(f"({key[:200]}) is no key of {entities.name}: write ({right}).")
    return " and ".join(f"{name} eq {value}" for name, value in given.items())


def _selected(entities: FlatSet, options: Options) -> tuple[str, ...] | None:
    text = options.get("$select")
    if text is None:
        return None
    names = tuple(dict.fromkeys(split("$select", text, ",")))
    known = [column.name for column in columns(entities.dataset)]
    for name in names:
        if name not in known and name != "*":
            near = did_you_mean(name, known) or f" Possible: {', '.join(known)}."
            raise bad_option("$select", f"There is no property {name[:100]!r}.{near}", "unknown")
    return None if "*" in names else names


def _language(options: Options) -> Language:
    text = options.get(_LANGUAGE) or "en"
    for known in get_args(Language):
        if known == text:
            return known  # type: ignore[no-any-return]
    raise bad_option(_LANGUAGE, f"Write {', '.join(get_args(Language))}, not {text[:50]!r}.")


async def _asked(request: Request, entities: FlatSet, options: Options) -> _Asked:
    dataset, search = entities.dataset, options.get("$search")
    if search is not None and isinstance(dataset, ComputedDataset):
        raise bad_option(
            "$search", f"{entities.name} has no texts that words are found in.", "kind"
        )
    names = flat_names(dataset)
    parsed = read_filter(rows_read(dataset), options, partial(flat_reading, dataset, names))
    await check_codes(request, parsed)
    order = tuple(orders_of(options.get("$orderby")))
    for name, _ in order:
        try:
            names.check(name, 0)
        except ExpressionError as error:
            raise bad_option("$orderby", error.detail, "unknown") from None
    shape = FlatShape(parsed.condition, order, search is not None)
    dialect = database_of(request).dialect
    values = with_query(parsed.values, search_words(search), dialect)
    return _Asked(request, entities, options, shape, values)


async def _page(asked: _Asked, position: str, limit: int) -> tuple[Rows, str | None]:
    """The rows of the page, and the cursor that leads on where there are more.

    In the order of their keys, which is how whole sets are read, each page begins after the key of
    the last; in another order after so many rows.
    """
    request, options, shape = asked.request, asked.options, asked.shape
    given = sorted(asked.values.items())
    scope = cursor_scope("odata", asked.entities.name, shape.condition, shape.order, given)
    at = page_request(request, max(limit, 1), options.get("$skiptoken"), scope)
    at = in_epoch(at, position[-EPOCH_LENGTH:])
    if limit == 0:
        return [], None
    passed = options.skip if at.place is None else 0
    values: Fields = {**asked.values, "limit": at.limit + 1}
    if at.place is not None and shape.order:
        passed = int(at.place.key[0])
    elif at.place is not None:
        shape = replace(shape, seeks=True)
        values |= place_values(asked.entities.dataset, at.place)
    values["offset"] = passed
    dialect = reading_dialect(request)
    statement = await flat_statement.beside_loop(asked.entities.dataset, shape, dialect)
    rows = list(await database_of(request).read(statement, values))
    following = None
    if len(rows) > at.limit:
        following = _following(at, asked, rows[at.limit - 1], passed)
    return rows[: at.limit], following


def _following(at: PageRequest, asked: _Asked, last: Row, passed: int) -> str:
    if asked.shape.order:
        return at.to(f"[{passed + at.limit}]")
    width = len(asked.entities.key)
    return at.to(json_codec.dumps(list(last[-width:])).decode())


async def _objects(
    asked: _Asked, rows: Rows, names: tuple[str, ...] | None, form: Form
) -> list[str]:
    """The rows as JSON, with labels."""
    dataset = asked.entities.dataset
    every = columns(dataset)
    wanted = [each for each in every if names is None or each.name in names]
    shown = Labeller(wanted, {}, len(every))
    if any(each.is_label for each in wanted):
        # Some of the lists of codes are long.
        found = await labeller(database_of(asked.request), dataset, _language(asked.options))
        shown = replace(found, columns=wanted)
    # Many rows are long work, which keeps nobody waiting beside the loop.
    return await asyncio.to_thread(_written, shown, rows, form)


def _written(shown: Labeller, rows: Rows, form: Form) -> list[str]:
    return [
        json_codec.dumps(
            {
                each.name: _json(each, cell, form)
                for each, cell in zip(shown.columns, row, strict=True)
            }
        ).decode()
        for row in shown.rows(list(rows))
    ]


def _json(column: DatasetColumn, value: Value, form: Form) -> Value:
    if value is None:
        return None
    if column.kind is CellKind.boolean and not column.is_label:
        return value == "true"
    if column.kind is CellKind.decimal and not form.texts:
        return orjson.Fragment(str(value))
    return value
