"""Calendars read back, by the rules of RFC 5545 alone."""

import re

Properties = dict[str, str]
_TEXTS = ("NAME", "X-WR-CALNAME", "DESCRIPTION", "X-WR-CALDESC", "SUMMARY")


def parsed(text: str) -> tuple[Properties, list[Properties]]:
    """The properties of the calendar, and those of each event."""
    calendar: Properties = {}
    events: list[Properties] = []
    within = calendar
    for line in text.replace("\r\n ", "").removesuffix("\r\n").split("\r\n"):
        name, colon, value = line.partition(":")
        assert colon, line
        if line == "BEGIN:VEVENT":
            within = {}
            events.append(within)
        elif line == "END:VEVENT":
            within = calendar
        else:
            assert name in ("BEGIN", "END") or name not in within, line
            within[name] = _unescaped(value) if name in _TEXTS else value
    return calendar, events


def _unescaped(value: str) -> str:
    assert not re.search(r"(?<!\\)(?:\\\\)*[;,]", value), value
    return re.sub(r"\\(.)", lambda found: "\n" if found[1] in "nN" else found[1], value)
