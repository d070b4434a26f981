"""Dates as people write them, and how ISO 8601 writes the same day."""

import re
from collections.abc import Iterator
from datetime import date
from typing import Final

_YEAR_FIRST: Final = re.compile(r"([0-9]{4})([-./ ])([0-9]{1,2})(?:\2([0-9]{1,2}))?\.?")
_YEAR_LAST: Final = re.compile(r"(?:([0-9]{1,2})([-./ ]))?([0-9]{1,2})[-./ ]([0-9]{4})(?: ?г\.?)?")
_NO_SIGNS: Final = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")
_DAY_AND_NAME: Final = re.compile(r"([0-9]{1,2})[ -]([^\W\d_]{3,})\.?,?[ -]([0-9]{4})(?: ?г\.?)?")
_NAME_AND_DAY: Final = re.compile(r"([^\W\d_]{3,})\.? ([0-9]{1,2}),? ([0-9]{4})")
_MAX_LENGTH: Final = 40

#: How the names of the months begin in English, Russian and Kazakh.
_MONTHS: Final = (
    ("jan", "янв", "қаң"),
    ("feb", "фев", "ақп"),
    ("mar", "мар", "нау"),
    ("apr", "апр", "сәу"),
    ("may", "май", "мая", "мам"),
    ("jun", "июн", "мау"),
    ("jul", "июл", "шіл"),
    ("aug", "авг", "там"),
    ("sep", "сен", "қыр"),
    ("oct", "окт", "қаз"),
    ("nov", "ноя", "қар"),
    ("dec", "дек", "жел"),
)


def iso_spelling(text: str) -> str:
    """`2016-04-12` for `12.04.2016`; `2016-04-12 or 2016-12-04` for `12/04/2016`, which means the
    one to some and the other to others; empty for a text that is no such date."""
    text = text.strip().lower()
    if len(text) > _MAX_LENGTH:
        return ""
    return " or ".join(found for found in dict.fromkeys(_readings(text)) if found != text)


def instead(text: str) -> str:
    """`: write 2016-04-12`, to end a refusal with, where the text is a date in another form."""
    right = iso_spelling(text)
    return f": write {right}" if right else ""


def _readings(text: str) -> Iterator[str]:
    if found := _YEAR_FIRST.fullmatch(text):
        yield from _written(found[1], found[3], found[4])
    elif found := _NO_SIGNS.fullmatch(text):
        yield from _written(*found.groups())
    elif found := _YEAR_LAST.fullmatch(text):
        day, sign, month, year = found.groups()
        yield from _written(year, month, day)
        if sign == "/":  # the month first, as in America
            yield from _written(year, day, month)
    elif found := _DAY_AND_NAME.fullmatch(text):
        yield from _written(found[3], _month(found[2]), found[1])
    elif found := _NAME_AND_DAY.fullmatch(text):
        yield from _written(found[3], _month(found[1]), found[2])


def _month(name: str) -> str:
    numbers = (at for at, begun in enumerate(_MONTHS, 1) if name.startswith(begun))
    return str(next(numbers, 0))


def _written(year: str, month: str, day: str | None) -> Iterator[str]:
    """The date, if it is in the calendar."""
    try:
        found = date(int(year), int(month), int(day or 1)).isoformat()
    except ValueError:
        return
    yield found if day else found[:7]
