"""Answers of sets of records: a page with its count and the address of the next, or a count."""

import re
from dataclasses import dataclass, replace
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from app.core.errors import BadRequest
from app.core.http.conditional import is_known, not_modified
from app.core.http.requests import edition_asked
from app.core.http.responses import joined, put_together
from app.core.instance_secret import EPOCH_LENGTH
from app.core.loose_types import Fields, Value
from app.engine.query.cursor import cursor_scope
from app.engine.query.parameters import Listing, QueryShape
from app.engine.search.hits import with_query
from app.odata.addresses import as_json_text, context_of, next_link
from app.odata.errors import VERSION, NotSupported
from app.odata.filter.reading import read_filter
from app.odata.forms import Form, answer, form_of
from app.odata.model import Model
from app.odata.options import CHOOSING, LISTING, Options, bad_option, read_options
from app.odata.orders import read_order
from app.odata.pages import page_size, preference_applied
from app.odata.shown import Shown, read_shown, select_list, view_of
from app.rest.decimals import ask_for_texts, tag_for
from app.rest.handlers import check_codes, database_of, position_of
from app.rest.lists import (
    ListRequest,
    RecordSet,
    by_ways,
    check_page,
    count_records,
    read_page,
)
from app.rest.pages import PageRequest, in_epoch, page_request

#: The words of a search, and what stands in quotes.
_SEARCHED = re.compile(r'"[^"]*"|[^\s"()]+|"')
#: By how much fewer entities a page has whose entities would show too many others.
_FEWER = 4


@dataclass(frozen=True, slots=True)
class Page:
    """What was read of a set: entities as JSON, and how many there are where that was asked."""

    rows: list[str]
    position: str
    total: int | None = None
    #: The cursor that leads on, where there are more.
    following: str | None = None


async def answer_set(request: Request, model: Model, records: RecordSet) -> Response:
    """A page of the entities that the options ask for."""
    options = read_options(request, LISTING)
    form = form_of(request, options.get("$format"))
    ask_for_texts(request, form.texts)
    asked, shown = await _asked(request, records, options)
    size = page_size(request)
    if "if-none-match" in request.headers:
        tag = _tag(request, await position_of(request), form, size)
        if is_known(request, tag):
            return _unchanged(tag)
    limit = size if options.top is None else min(size, options.top)
    page, limit = await _read(asked, options, limit)
    changed: Fields = {}
    if page.following and (options.top is None or options.top > limit):
        changed["$skiptoken"] = page.following
        if options.top is not None:
            changed["$top"] = str(options.top - limit)
    name = model.record_sets[records.resource].name
    context = context_of(request, f"{name}{select_list(shown)}")
    following = next_link(request, changed) if changed else None
    work = partial(set_body, form, context, page.rows, page.total, following)
    body = await put_together(page.rows, work)
    tag = _tag(request, page.position, form, size)
    return answer(body, form.media_type, {"ETag": tag, **preference_applied(request)})


def set_body(
    form: Form, context: str, rows: list[str], total: int | None, following: str | None
) -> bytes:
    """The JSON of a page of a set (JSON Format, 12)."""
    head = f'"@odata.context":{as_json_text(context)},' if form.has_context else ""
    if total is not None:
        head += f'"@odata.count":"{total}",' if form.texts else f'"@odata.count":{total},'
    link = f',"@odata.nextLink":{as_json_text(following)}' if following else ""
    return b'{%b"value":[%b]%b}' % (head.encode(), joined(rows), link.encode())


def _tag(request: Request, position: str, form: Form, size: int) -> str:
    # `now()` is another moment each time.
    return tag_for(request, f'W/"{position}-{edition_asked(request)}-{form.tag}{size}"')


def _unchanged(tag: str) -> Response:
    name, version = VERSION
    return not_modified(tag, {name: version, "Vary": "Accept, Accept-Encoding, Prefer"})


async def answer_count(request: Request, records: RecordSet) -> Response:
    """How many entities the options ask for, as plain text."""
    options = read_options(request, (*CHOOSING, "$format"))
    asked, _ = await _asked(request, records, options)
    _, counted = await by_ways(asked, 1)
    total = await count_records(counted, "exact")
    return answer(str(total.records).encode(), "text/plain;charset=utf-8")


async def _asked(
    request: Request, records: RecordSet, options: Options
) -> tuple[ListRequest, Shown]:
    """The list that the options ask for, and what of each entity is shown."""
    resource, search = records.resource, options.get("$search")
    parsed = read_filter(resource, options)
    shown = read_shown(resource, options, parsed)
    await check_codes(request, parsed)
    shape = QueryShape(
        condition=parsed.condition,
        q=search is not None,
        sort=read_order(resource, options.get("$orderby")),
        nulls_are_least=True,
        view=view_of(resource, shown),
        offset=bool(options.skip) and options.get("$skiptoken") is None,
    )
    values = with_query(parsed.values, search_words(search), database_of(request).dialect)
    if records.collection is not None:
        values["parent"] = records.parent
    return ListRequest(request, records, Listing(shape, parsed), values), shown


def search_words(text: str | None) -> str | None:
    """What `$search` looks for, all words of it; BadRequest for nothing, and 501 for OR and NOT."""
    if text is None:
        return None
    found = _SEARCHED.findall(text)
    for operator in ("OR", "NOT"):
        if operator in found:
            said = f"{operator} in $search is not supported: write words, all of which are found,"
            raise NotSupported(f"{said} or {operator} in quotes for the word.")
    words = " ".join(each for each in found if each != "AND")
    if not words.strip():
        raise bad_option("$search", "Is empty: write words, or leave it out.", "empty")
    return words


async def _read(asked: ListRequest, options: Options, limit: int) -> tuple[Page, int]:
    """The page, and how many entities it has at most: fewer than `limit` where they would show too
    many others."""
    shape = asked.listing.shape
    scope = cursor_scope(
        "odata", asked.records.resource.path, shape.condition, shape.sort, _sorted(asked.values)
    )
    at = page_request(asked.request, max(limit, 1), options.get("$skiptoken"), scope)
    offset = 0 if at.place else options.skip
    asked, counted = await by_ways(asked, offset + at.limit + 1)
    total = (await count_records(counted, "exact")).records if options.counts else None
    position = await position_of(asked.request)
    at = in_epoch(at, position[-EPOCH_LENGTH:])
    if limit == 0:
        return Page([], position, total), 0
    at = await _fitting(asked, at, offset)
    rows = await read_page(asked, at, offset)
    following = at.to(rows[at.limit - 1][1]) if len(rows) > at.limit else None
    return Page([row[0] for row in rows[: at.limit]], position, total, following), at.limit


def _sorted(values: Fields) -> list[tuple[str, Value]]:
    return sorted(values.items())


async def _fitting(asked: ListRequest, at: PageRequest, offset: int) -> PageRequest:
    """The page, made shorter until what its entities show of others may be shown."""
    while True:
        try:
            await check_page(asked, at, offset)
        except BadRequest:
            if at.limit == 1:
                raise
            at = replace(at, limit=max(1, at.limit // _FEWER))
        else:
            return at
