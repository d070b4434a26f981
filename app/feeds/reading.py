"""What the calendar and the feed tell, read as anybody reads it, in the same process."""

import asyncio
from collections.abc import Sequence
from itertools import chain
from typing import Final

from starlette.requests import Request

from app.charts.reading import FigureReader, field_labels
from app.core.errors import BadRequest
from app.core.http.dispatch import Route
from app.core.loose_types import Json
from app.core.public_path import public_path
from app.engine.labels import Language
from app.engine.query.filter_reader import bad_parameter
from app.engine.query.parameters import MAX_LIMIT
from app.feeds import words
from app.feeds.atom import Entry, Feed
from app.feeds.events import FOLLOW_UPS, Teller
from app.feeds.icalendar import Calendar, Event
from app.resources.agreement import agreement
from app.resources.firmness import Firmness
from app.resources.outcome import outcome

Pairs = list[tuple[str, str]]
#: How many events a calendar has, and a feed entries.
MAX_EVENTS: Final = 5_000
MAX_ENTRIES: Final = 50
_AGREEMENTS: Final = "/agreements"
_OF_MISSION: Final = "/missions/{key}/agreements"
_COUNTRY: Final = "mission__host_country"
_OUTCOMES: Final = "/outcomes"
_STANDING: Final = (Firmness.signed_binding, Firmness.signed_not_binding, Firmness.announced)
#: What stands, and has not come true.
_OPEN: Final = (("firmness__in", ",".join(_STANDING)), ("status__ne", "completed"))
_FIELDS: Final = (
    "id,title,title_en,signed,signed_latest,due,due_latest,firmness,amount,amount_max,amount_bound"
    ",amount_period,currency,withheld,updated_at"
)


class FeedReader:
    """Makes the calendar and the feed of what routes answer to the caller of a request."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self._reader = FigureReader(routes, {_AGREEMENTS, _OF_MISSION, _OUTCOMES})

    async def calendar(
        self, request: Request, language: Language, mission: str | None, country: str | None
    ) -> Calendar:
        """The days of the agreements, of a mission or of those to a country."""
        chosen = [(_COUNTRY, country)] if country is not None else []
        labels = await field_labels(request, agreement, ("firmness",), language)
        teller = Teller(language, labels["firmness"], root_of(request))
        due, dues = await self._latest(request, mission, chosen, "due")
        signed, signings = await self._latest(request, mission, chosen, "signed")
        nowhere = [("due_latest__isnull", "true"), ("signed_latest__isnull", "true")]
        undated = await self._page(request, mission, [*chosen, *nowhere, ("limit", "1")])

        def make() -> Calendar:
            of_due = chain.from_iterable(map(teller.due, due))
            of_signed = chain.from_iterable(map(teller.follow_ups, signed))
            events = sorted([*of_due, *of_signed], key=lambda each: (each.day, each.uid))
            total = dues + signings * len(FOLLOW_UPS)
            return _calendar(language, events, total, undated["page"]["total"])

        return await asyncio.to_thread(make)

    async def _latest(
        self, request: Request, mission: str | None, chosen: Pairs, name: str
    ) -> tuple[list[Json], int]:
        """The agreements with this date, the latest first, and how many there are in all."""
        dated = [(f"{name}_latest__isnull", "false"), ("sort", f"-{name}_latest")]
        asked = [*chosen, *dated, ("limit", str(MAX_LIMIT)), ("fields", _FIELDS)]
        page = await self._page(request, mission, asked)
        found, total = list(page["data"]), int(page["page"]["total"])
        while page["page"]["next_cursor"] is not None and len(found) < MAX_EVENTS:
            cursor = ("cursor", page["page"]["next_cursor"])
            page = await self._page(request, mission, [*asked, cursor])
            found += page["data"]
        return found, total

    async def _page(self, request: Request, mission: str | None, pairs: Pairs) -> Json:
        asked = [*_OPEN, *pairs, ("count", "exact")]
        try:
            if mission is None:
                return await self._reader.read(request, _AGREEMENTS, asked)
            return await self._reader.read(request, _OF_MISSION, asked, key=mission)
        except BadRequest as problem:
            faults = [fault for fault in problem.errors if fault.parameter == _COUNTRY]
            if not faults:
                raise
            # It is called otherwise here.
            raise bad_parameter("country", faults[0].code, faults[0].detail) from None

    async def feed(self, request: Request, language: Language, address: str) -> Feed:
        """The agreements and outcomes that were entered last."""
        newest = [("sort", "-created_at"), ("limit", str(MAX_ENTRIES))]
        agreements = await self._reader.read(request, _AGREEMENTS, newest)
        asked = [*newest, ("expand", "agreement")]
        outcomes = await self._reader.read(request, _OUTCOMES, asked)
        classes = (await field_labels(request, agreement, ("firmness",), language))["firmness"]
        statuses = (await field_labels(request, outcome, ("status",), language))["status"]
        root = root_of(request)
        entries = [
            *(_of_agreement(each, language, classes, root) for each in agreements["data"]),
            *(_of_outcome(each, language, statuses, root) for each in outcomes["data"]),
        ]
        entries.sort(key=lambda each: (each.created_at, each.id), reverse=True)
        home = f"{root}/?lang={language}"
        title, author = words.FEED[language], words.SERVICE[language]
        return Feed(title, author, language, root + address, home, entries[:MAX_ENTRIES])


def root_of(request: Request) -> str:
    """Where the service is, as whoever asks sees it, without a slash at its end."""
    return f"{request.url.scheme}://{request.url.netloc}{public_path('')}"


def _calendar(language: Language, events: list[Event], total: int, undated: int) -> Calendar:
    shown = events[-MAX_EVENTS:]
    about = words.CALENDAR_ABOUT[language].format(undated=undated)
    if total > len(shown):
        left_out = total - len(shown)
        about += " " + words.LEFT_OUT[language].format(shown=len(shown), left_out=left_out)
    return Calendar(words.CALENDAR[language], about, shown)


def _of_agreement(record: Json, language: Language, classes: dict[str, str], root: str) -> Entry:
    firmness = classes.get(record["firmness"], record["firmness"])
    lines = [
        words.CLASS[language].format(name=firmness),
        words.AMOUNT[language].format(amount=words.amount_or_why(record, language)),
    ]
    if record["signed"] is not None:
        lines.append(words.SIGNED[language].format(date=record["signed"]))
    title = words.title_of(record, language)
    page = f"{root}/pages/agreements/{record['id']}?lang={language}"
    return _entry(record, "agreement", title, lines, page, f"{root}{_AGREEMENTS}/{record['id']}")


def _of_outcome(record: Json, language: Language, statuses: dict[str, str], root: str) -> Entry:
    lines = []
    if record["status"] is not None:
        name = statuses.get(record["status"], record["status"])
        lines.append(words.STATUS[language].format(name=name))
    if record["date"] is not None:
        lines.append(words.DATE[language].format(date=record["date"]))
    if (amount := words.amount_of(record, "actual_amount", language)) is not None:
        lines.append(words.AMOUNT[language].format(amount=amount))
    title = words.OUTCOME[language].format(title=words.title_of(record["agreement"], language))
    page = f"{root}/pages/agreements/{record['agreement_id']}?lang={language}"
    return _entry(record, "outcome", title, lines, page, f"{root}{_OUTCOMES}/{record['id']}")


def _entry(record: Json, kind: str, title: str, lines: Sequence[str], page: str, api: str) -> Entry:
    return Entry(
        id=record["id"],
        kind=kind,
        title=title,
        summary="\n".join(lines),
        created_at=record["created_at"],
        updated_at=record["updated_at"],
        page=page,
        api=api,
    )
