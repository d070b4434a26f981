"""Calendars as RFC 5545 writes them: lines that are folded, texts that are escaped."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

#: How many octets a line has at most, without its end (RFC 5545, 3.1).
MAX_LINE_OCTETS: Final = 75
_END: Final = "\r\n"
#: What stands in no text (RFC 5545, 3.3.11): all controls but the tab and the end of a line.
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_SPECIAL: Final = re.compile(r"[\\;,]")


@dataclass(frozen=True, slots=True)
class Event:
    """Something on one whole day."""

    #: The same whenever the calendar is read, and of no other event.
    uid: str
    day: date
    #: When what it tells of was changed.
    changed: datetime
    summary: str
    description: str
    url: str


@dataclass(frozen=True, slots=True)
class Calendar:
    """Events under a name."""

    name: str
    description: str
    events: Iterable[Event]

    def text(self) -> str:
        """The whole calendar."""
        return "".join(folded(line) + _END for line in self._lines())

    def _lines(self) -> Iterator[str]:
        yield "BEGIN:VCALENDAR"
        yield "VERSION:2.0"
        yield "PRODID:-//Trade-mission deals//Calendar//EN"
        yield "CALSCALE:GREGORIAN"
        # RFC 7986, and what programs read that do not know it.
        for names, text in (
            (("NAME", "X-WR-CALNAME"), self.name),
            (("DESCRIPTION", "X-WR-CALDESC"), self.description),
        ):
            yield from (f"{name}:{escaped(text)}" for name in names)
        for event in self.events:
            yield from _event(event)
        yield "END:VCALENDAR"


def _event(event: Event) -> Iterator[str]:
    changed = f"{event.changed.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    yield "BEGIN:VEVENT"
    yield f"UID:{event.uid}"
    yield f"DTSTAMP:{changed}"
    yield f"LAST-MODIFIED:{changed}"
    # Without an end it lasts that day (RFC 5545, 3.6.1).
    yield f"DTSTART;VALUE=DATE:{event.day.isoformat().replace('-', '')}"
    yield f"SUMMARY:{escaped(event.summary)}"
    yield f"DESCRIPTION:{escaped(event.description)}"
    yield f"URL:{event.url}"
    # Nobody is busy because of it.
    yield "TRANSP:TRANSPARENT"
    yield "END:VEVENT"


def escaped(text: str) -> str:
    """A value of the type TEXT."""
    plain = _CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    return _SPECIAL.sub(r"\\\g<0>", plain).replace("\n", "\\n")


def folded(line: str) -> str:
    """The line in pieces of 75 octets at most, no character cut in two."""
    octets = line.encode()
    if len(octets) <= MAX_LINE_OCTETS:
        return line
    pieces, at, room = [], 0, MAX_LINE_OCTETS
    while at < len(octets):
        end = at + room
        while end < len(octets) and octets[end] & 0xC0 == 0x80:
            end -= 1
        pieces.append(octets[at:end].decode())
        # The space before what goes on counts too.
        at, room = end, MAX_LINE_OCTETS - 1
    return f"{_END} ".join(pieces)
