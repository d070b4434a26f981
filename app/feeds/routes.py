"""GET /calendar.ics and GET /changes.atom: what calendars and feed readers subscribe to."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Final

from fastapi import Query, Request
from pydantic import Field
from starlette.responses import Response

from app.core.databases.types import now
from app.core.errors import BadRequest, NotFound
from app.core.http.conditional import is_known, not_modified
from app.core.http.dispatch import Route
from app.core.http.operation import Answer, Operation
from app.engine.labels import Language
from app.engine.schemas import Schema
from app.feeds.reading import FeedReader
from app.resources.code import CountryCode
from app.rest.audience import audience_tag
from app.rest.handlers import position_of
from app.rest.operations import IF_NONE_MATCH, NOT_MODIFIED, TAGGED

_CALENDAR: Final = "text/calendar"
_ATOM: Final = "application/atom+xml"


class FeedQuery(Schema):
    """Parameters of the feed."""

    lang: Language = "en"
    """The language of the texts."""


class CalendarQuery(FeedQuery):
    """Parameters of the calendar."""

    mission: str | None = Field(None, min_length=1, max_length=200)
    """Only what came out of this mission: its id or ref."""
    country: CountryCode | None = None
    """Only what came out of missions to this country: a code of ISO 3166-1."""


def feed_routes(routes: Sequence[Route]) -> tuple[Route, ...]:
    """GET /calendar.ics and GET /changes.atom, which tell what these routes answer."""
    reader = FeedReader(routes)

    async def get_calendar(request: Request, query: Annotated[CalendarQuery, Query()]) -> Response:
        """The days on which plans are due, and those 6, 12 and 24 months after agreements were
        signed, of all that stand and have not come true: for a calendar to subscribe to. What is
        dated by a month or year stands on its last day and says so; what has no date or no year is
        counted in the calendar's description. The latest 5,000 are told."""
        tag = await _tag(request, "ics")
        if is_known(request, tag):
            return not_modified(tag)
        made = await reader.calendar(request, query.lang, query.mission, query.country)
        return _answer(await asyncio.to_thread(made.text), tag, "calendar.ics", _CALENDAR)

    async def get_feed(request: Request, query: Annotated[FeedQuery, Query()]) -> Response:
        """The 50 agreements and outcomes that were entered last, newest first, for feed readers.
        A program that keeps a copy reads `/changes`."""
        tag = await _tag(request, "atom")
        if is_known(request, tag):
            return not_modified(tag)
        made = await reader.feed(request, query.lang, f"/changes.atom?lang={query.lang}")
        return _answer(made.xml(), tag, "changes.atom", _ATOM)

    return (
        _operation(
            path="/calendar.ics",
            name="get_calendar",
            summary="Subscribe to the days of agreements",
            answers=(_answered("The calendar (RFC 5545).", _CALENDAR), NOT_MODIFIED),
            refusals=(BadRequest, NotFound),
        ).route(get_calendar),
        _operation(
            path="/changes.atom",
            name="get_feed",
            summary="Subscribe to new agreements and outcomes",
            answers=(_answered("The feed (RFC 4287).", _ATOM), NOT_MODIFIED),
        ).route(get_feed),
    )


def _operation(
    path: str,
    name: str,
    summary: str,
    answers: tuple[Answer, ...],
    refusals: tuple[type[BadRequest] | type[NotFound], ...] = (BadRequest,),
) -> Operation:
    return Operation(
        path=path,
        name=name,
        summary=summary,
        tag="insights",
        parameters=(IF_NONE_MATCH,),
        answers=answers,
        refusals=refusals,
    )


def _answered(description: str, media: str) -> Answer:
    content = {media: {"schema": {"type": "string"}}}
    return Answer(
        description=description, content=content, headers=(*TAGGED, "Content-Disposition")
    )


async def _tag(request: Request, form: str) -> str:
    # A label of a code list is no change of a record: it is told by the next day at the latest.
    position = await position_of(request)
    return audience_tag(request, f'W/"{position}-{now():%Y%m%d}-{form}"')


def _answer(content: str | bytes, tag: str, file: str, media: str) -> Response:
    headers = {
        "ETag": tag,
        "Vary": "Accept, Accept-Encoding",
        "Content-Disposition": f'inline; filename="{file}"',
    }
    return Response(content, headers=headers, media_type=media)
