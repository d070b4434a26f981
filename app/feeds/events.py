"""The days of agreements: when a plan is due, and when to ask what became of what was signed."""

import calendar
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from app.core.loose_types import Json
from app.engine.labels import Language, Told
from app.feeds import words
from app.feeds.icalendar import Event

#: How long after it was signed an agreement is asked after, in months.
FOLLOW_UPS: Final = (6, 12, 24)


@dataclass(frozen=True, slots=True)
class Teller:
    """Makes events of agreements, in one language."""

    language: Language
    #: What the classes are called.
    classes: Mapping[str, str]
    #: Where the service is, as whoever asks sees it.
    root: str

    def due(self, record: Json) -> Iterator[Event]:
        """The day until which a plan is to come true."""
        day = date.fromisoformat(record["due_latest"])
        said = self._unless_exact(words.DUE_NOT_TO_THE_DAY, record["due"])
        yield self._event(record, "due", day, words.DUE[self.language], said)

    def follow_ups(self, record: Json) -> Iterator[Event]:
        """The days on which to ask what became of it."""
        signed = date.fromisoformat(record["signed_latest"])
        said = self._unless_exact(words.SIGNED_NOT_TO_THE_DAY, record["signed"])
        for months in FOLLOW_UPS:
            day = months_after(signed, months)
            if day is not None:
                told = words.FOLLOW_UP[self.language].replace("{months}", str(months))
                yield self._event(record, f"signed-{months}-months", day, told, said)

    def _unless_exact(self, told: Told, stated: str) -> str | None:
        """That the day is not the stated one, with what is stated."""
        try:
            date.fromisoformat(stated)
        except ValueError:
            return told[self.language].format(date=stated)
        return None

    def _event(self, record: Json, what: str, day: date, told: str, said: str | None) -> Event:
        firmness = self.classes.get(record["firmness"], record["firmness"])
        lines = (
            said,
            words.CLASS[self.language].format(name=firmness),
            words.AMOUNT[self.language].format(amount=words.amount_or_why(record, self.language)),
        )
        stated = record["due"] if what == "due" else record["signed"]
        summary = told.format(title=words.title_of(record, self.language))
        return Event(
            uid=f"{record['id']}-{what}",
            day=day,
            changed=datetime.fromisoformat(record["updated_at"]),
            # A day of a calendar looks exact where it is seen among others.
            summary=summary if said is None else f"{summary} ({stated})",
            description="\n".join(line for line in lines if line),
            url=f"{self.root}/pages/agreements/{record['id']}?lang={self.language}",
        )


def months_after(day: date, months: int) -> date | None:
    """The same day so many months later, or the last one of a month that is too short; None after
    the year 9999."""
    years, month = divmod(day.month - 1 + months, 12)
    year = day.year + years
    if year > date.max.year:
        return None
    length = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day.day, length))
