"""Dates as people write them, and how ISO 8601 writes the same day."""

import re
from collections.abc import Iterator
from datetime import date
from functools import cache
from typing import Final

_YEAR_FIRST: Final = re.compile(r"([0-9]{4})([-./ ])([0-9]{1,2})(?:\2([0-9]{1,2}))?\.?")
_YEAR_LAST: Final = re.compile(
    r"(?:([0-9]{1,2})([-./ ]))?([0-9]{1,2})[-./ ]([0-9]{4})(?: ?(?:г|года|ж)\.?)?"
)
_NO_SIGNS: Final = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")
_DAY_AND_NAME: Final = re.compile(
    r"([0-9]{1,2})[ -]([^\W\d_]{3,})\.?,?[ -]([0-9]{4})(?: ?(?:г|года|ж)\.?)?"
)
_NAME_AND_DAY: Final = re.compile(r"([^\W\d_]{3,})\.? ([0-9]{1,2}),? ([0-9]{4})")
_NAME_AND_YEAR: Final = re.compile(r"([^\W\d_]{3,})\.?,? ([0-9]{4})(?: ?(?:г|года|ж)\.?)?")
_QUARTER: Final = re.compile(
    r"(?:([1-4]|i|ii|iii|iv)(?:-?(?:й|ый|ой|ий))? ?(?:квартал|кв\.?|тоқсан) |q([1-4]) ?/?)"
    r"([0-9]{4})(?: ?(?:г|года|ж)\.?)?"
)
_YEAR_ALONE: Final = re.compile(r"([0-9]{4}) ?(?:г|год|года|ж|жыл)\.?")
_YEAR: Final = re.compile("[0-9]{4}")
_INTERVAL: Final = re.compile(
    r"(?:с |from )?(.+?)(?: ?[–—] ?| - | по | to | until |(?<=[0-9.])-(?=[0-9]))(.+)"
)
_MAX_LENGTH: Final = 40
_DAY_AND_MONTH: Final = "(?:[dD]{1,2}[-./ ][mM]{1,2}|[mM]{1,2}[-./ ][dD]{1,2})"
#: A format of days in digits: `dd.mm.yyyy`, `m/d/yy`, `yyyy-mm-dd`.
FORMAT_PATTERN: Final = (
    f"^(?:{_DAY_AND_MONTH}[-./ ](?:[yY]{{2}}){{1,2}}|(?:[yY]{{2}}){{1,2}}[-./ ]{_DAY_AND_MONTH})$"
)
#: Years of two digits from here on are of the last century, as POSIX has it.
_LAST_CENTURY: Final = 69

#: The months in English, Russian (with the case that days have) and Kazakh.
_MONTHS: Final = tuple(
    tuple(names.split())
    for names in (
        "january январь января қаңтар",
        "february февраль февраля ақпан",
        "march март марта наурыз",
        "april апрель апреля сәуір",
        "may май мая мамыр",
        "june июнь июня маусым",
        "july июль июля шілде",
        "august август августа тамыз",
        "september сентябрь сентября қыркүйек",
        "october октябрь октября қазан",
        "november ноябрь ноября қараша",
        "december декабрь декабря желтоқсан",
    )
)
_MOST_OF_AN_ENDING: Final = 3
_ROMAN: Final = {"i": 1, "ii": 2, "iii": 3, "iv": 4}


def iso_spelling(text: str) -> str:
    """`2016-04-12` for `12.04.2016`; `2016-04-12 or 2016-12-04` for `12/04/2016`, which means the
    one to some and the other to others; empty for a text that is no such date."""
    return " or ".join(found for found in iso_readings(text) if found != text.strip().lower())


def iso_readings(text: str) -> list[str]:
    """The days, months, quarters or years that a text can mean, as ISO 8601-2 writes them."""
    text = " ".join(text.lower().split())
    return list(dict.fromkeys(_readings(text))) if len(text) <= _MAX_LENGTH else []


def is_date_format(text: str) -> bool:
    """Whether a text is a format such as `dd.mm.yyyy` or `m/d/yy`."""
    return re.fullmatch(FORMAT_PATTERN, text) is not None


@cache
def _by_format(date_format: str) -> tuple[re.Pattern[str], list[str]]:
    """What days in a format match, and of which part of a day each group is."""
    if not is_date_format(date_format):
        raise ValueError(date_format)
    words = re.findall("[a-z]+|[-./ ]", date_format.lower())
    widths = {"yyyy": "([0-9]{4})", "yy": "([0-9]{2})"}
    pattern = "".join(
        widths.get(word, "([0-9]{1,2})") if word.isalpha() else re.escape(word) for word in words
    )
    return re.compile(pattern), [word[0] for word in words[::2]]


def iso_by_format(text: str, date_format: str) -> str | None:
    """The day that a text means in a format (`is_date_format`), None where it has another one.

    Years of two digits are 1969 to 2068.
    """
    pattern, names = _by_format(date_format)
    match = pattern.fullmatch(text)
    if match is None:
        return None
    parts = dict(zip(names, match.groups(), strict=True))
    year = int(parts["y"])
    if len(parts["y"]) <= 2:
        year += 1900 if year >= _LAST_CENTURY else 2000
    return next(_written(str(year), parts["m"], parts["d"]), None)


def ends_of_interval(text: str) -> tuple[str, str] | None:
    """Both ends of `12–14 апреля 2026`, each with the month and year that it shares with the other;
    None for what is no interval."""
    found = _INTERVAL.fullmatch(" ".join(text.lower().split())[: 2 * _MAX_LENGTH])
    if found is None:
        return None
    first, second = found.groups()
    _, _, month_and_year = second.partition(" ")
    years = _YEAR.findall(second)
    for shared in ("", f" {month_and_year}", *(f" {year}" for year in years[-1:])):
        if iso_readings(first + shared) or _YEAR.fullmatch(first):
            return first + shared, second
    return None


def instead(text: str) -> str:
    """`: write 2016-04-12`, to end a refusal with, where the text is a date in another form."""
    right = iso_spelling(text)
    return f": write {right}" if right else ""


def _readings(text: str) -> Iterator[str]:
    if found := _QUARTER.fullmatch(text):
        quarter = _ROMAN.get(found[1] or found[2]) or int(found[1] or found[2])
        yield f"{found[3]}-{32 + quarter}"
    elif found := _YEAR_FIRST.fullmatch(text):
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
    elif found := _NAME_AND_YEAR.fullmatch(text):
        yield from _written(found[2], _month(found[1]), None)
    elif found := _YEAR_ALONE.fullmatch(text):
        yield from (each[:4] for each in _written(found[1], "1", None))


def _month(name: str) -> str:
    """The number of the month with this name, cut short or with an ending; 0 of others."""
    numbers = (
        at for at, names in enumerate(_MONTHS, 1) if any(_is_form(name, full) for full in names)
    )
    return str(next(numbers, 0))


def _is_form(name: str, full: str) -> bool:
    is_longer = name.startswith(full) and len(name) - len(full) <= _MOST_OF_AN_ENDING
    return full.startswith(name) or is_longer


def _written(year: str, month: str, day: str | None) -> Iterator[str]:
    """The date, if it is in the calendar."""
    try:
        found = date(int(year), int(month), int(day or 1)).isoformat()
    except ValueError:
        return
    yield found if day else found[:7]
