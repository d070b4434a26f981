"""Dates as people write them, and how ISO 8601 writes the same day."""

import calendar
import re
from collections.abc import Iterator
from datetime import date
from functools import cache
from typing import Final

_YEAR_FIRST: Final = re.compile(r"([0-9]{4})([-./ ])([0-9]{1,2})(?:\2([0-9]{1,2}))?\.?")
_YEAR_LAST: Final = re.compile(
    r"(?:([0-9]{1,2})([-./ ])(?=[0-9]{1,2}\2))?([0-9]{1,2})[-./ ]([0-9]{4})"
    r"(?: ?(?:г|года|ж)\.?)?"
)
_NO_SIGNS: Final = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")
_DAY_AND_NAME: Final = re.compile(
    r"([0-9]{1,2})[ -]([^\W\d_]{3,})\.?,?[ -]([0-9]{4})(?: ?(?:г|года|ж)\.?)?"
)
_DAY_AND_NAME_ALONE: Final = re.compile(
    r"([0-9]{1,2})(?:-?го|-?е|th|st|nd|rd)?[ -]([^\W\d_]{3,})\.?"
)
_NAME_AND_DAY_ALONE: Final = re.compile(r"([^\W\d_]{3,})\.? ([0-9]{1,2})(?:th|st|nd|rd)?")
_DIGITS_ALONE: Final = re.compile(r"([0-9]{1,2})([./])([0-9]{1,2})")
_NAME_AND_DAY: Final = re.compile(r"([^\W\d_]{3,})\.? ([0-9]{1,2}),? ([0-9]{4})")
_NAME_AND_YEAR: Final = re.compile(r"([^\W\d_]{3,})\.?,? ([0-9]{4})(?: ?(?:г|года|ж)\.?)?")
_QUARTER: Final = re.compile(
    r"(?:([1-4]|i|ii|iii|iv)(?:-?(?:й|ый|ой|ий))? ?(?:квартал|кв\.?|тоқсан) |q([1-4]) ?/?)"
    r"([0-9]{4})(?: ?(?:г|года|ж)\.?)?"
)
_SEASON: Final = re.compile(
    r"(?:весн[аы]|весной|spring|(лето|лета|летом|summer)|(осень|осени|осенью|autumn|fall)),? "
    r"([0-9]{4})(?: ?(?:г|года|ж)\.?)?"
)
_YEAR_ALONE: Final = re.compile(r"([0-9]{4}) ?(?:г|год|года|ж|жыл)\.?")
_YEAR: Final = re.compile("[0-9]{4}")
#: The year first, as in Kazakh: `2016 жылғы 12 сәуір`.
_YEAR_BEFORE: Final = re.compile(r"([0-9]{4}) ?(?:жылғы|жылдың|жылы|жыл|ж\.),? (?=.*[^\W\d_])(.+)")
#: What stands between the ends of an interval, the surest first: a hyphen is a sign of dates, too.
_BETWEEN: Final = tuple(
    map(re.compile, (" [-–—] | по | to | until ", " ?[–—] ?", "(?<=[0-9.])-(?=[0-9])"))
)
_FROM: Final = re.compile("^(?:с|from) ")
#: The numbers that a date of digits begins with, each but the first with the sign before it.
_DIGITS: Final = re.compile(r"[0-9]+(?:[-./][0-9]+)*")
_NUMBERS: Final = re.compile("[-./]?[0-9]+")
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
_MONTH_NAMES: Final = frozenset(name for names in _MONTHS for name in names)
#: A date without a year, as EDTF writes it; whether a day is in the calendar a leap year tells.
_NO_YEAR: Final = "XXXX"
_LEAP_YEAR: Final = 2000
_ROMAN: Final = {"i": 1, "ii": 2, "iii": 3, "iv": 4}


def _folded(text: str) -> str:
    """In small letters, with one blank where there are some, and the year at the end."""
    return _YEAR_BEFORE.sub(r"\2 \1", " ".join(text.lower().split()))


def iso_spelling(text: str, *, yearless: bool = False) -> str:
    """`2016-04-12` for `12.04.2016`; `2016-04-12 or 2016-12-04` for `12/04/2016`, which means the
    one to some and the other to others; empty for a text that is no such date.

    With `yearless`, for stated dates, `XXXX-04-12` for `12 апреля`, and intervals of both.
    """
    folded = _folded(text)
    readings = iso_readings(folded, yearless=yearless)
    if yearless and not readings and len(folded) <= 2 * _MAX_LENGTH:
        readings = [*_in_digits_alone(folded), *_intervals(folded)]
    return " or ".join(found for found in dict.fromkeys(readings) if found.lower() != folded)


def iso_readings(text: str, *, yearless: bool = False) -> list[str]:
    """The days, months, quarters or years that a text can mean, as ISO 8601-2 writes them; those
    without a year where `yearless`."""
    text = _folded(text)
    if len(text) > _MAX_LENGTH:
        return []
    possible = [*_possible(text), *(_without_year(text) if yearless else ())]
    if yearless and text in _MONTH_NAMES:
        return [f"{_NO_YEAR}-{int(_month(text)):02}"]
    return list(dict.fromkeys(found for parts in possible for found in _written(*parts)))


def not_in_calendar(text: str) -> str:
    """`there is no 31 February 2024: days of that month are 01 to 29, such as 2024-02-29` of a day
    that is in no calendar, in whatever form; empty for others."""
    text = _folded(text)
    if len(text) > _MAX_LENGTH or iso_readings(text, yearless=True):
        return ""
    for year, month, day in (*_possible(text), *_without_year(text)):
        if day is None or not 1 <= int(month) <= 12 or year == "0000":
            continue
        name = _MONTHS[int(month) - 1][0].capitalize()
        stated = "" if year == _NO_YEAR else f" {year}"
        length = calendar.monthrange(_year(year), int(month))[1]
        known = f"days of that month are 01 to {length}, such as {year}-{int(month):02}-{length}"
        return f"there is no {int(day)} {name}{stated}: {known}"
    return ""


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


def ends_of_interval(text: str, *, yearless: bool = False) -> tuple[str, str] | None:
    """Both ends of `12–14 апреля 2026`, each with the month and year that it shares with the other;
    None for what is no interval."""
    text = _FROM.sub("", _folded(text)[: 2 * _MAX_LENGTH])
    for sign in _BETWEEN:
        for found in sign.finditer(text):
            first, second = text[: found.start()], text[found.end() :]
            # Without a year only where the other end has none.
            is_yearless = yearless and not _YEAR.search(second)
            if not _is_date(second, is_yearless):
                continue
            for whole in _completed(first.rstrip("."), second):
                if _is_date(whole, is_yearless):
                    return whole, second
    return None


def _is_date(text: str, is_yearless: bool) -> bool:
    return bool(iso_readings(text, yearless=is_yearless) or _YEAR.fullmatch(text))


def _completed(first: str, second: str) -> Iterator[str]:
    """The first end of an interval as it stands, and with what it may share with the second."""
    yield first
    digits = _DIGITS.match(second)
    numbers = _NUMBERS.findall(digits.group()) if digits else []
    if len(numbers) > 1 and _DIGITS.fullmatch(first):
        # `11–13.04.2016` lacks a month and a year, `11.04–13.04.2016` a year.
        yield first + "".join(numbers[len(_NUMBERS.findall(first)) :])
        return
    yield f"{first} {second.partition(' ')[2]}"
    yield from (f"{first} {year}" for year in _YEAR.findall(second)[-1:])


def _intervals(text: str) -> Iterator[str]:
    """The interval that a text means, where both ends can mean one day alone."""
    ends = ends_of_interval(text, yearless=True)
    both = [iso_readings(end, yearless=True) for end in ends or ()]
    if both and all(len(readings) == 1 for readings in both):
        yield "/".join(reading for readings in both for reading in readings)


def instead(text: str) -> str:
    """`: write 2016-04-12`, to end a refusal with, where the text is a date in another form, or
    that it is in no calendar."""
    if right := iso_spelling(text):
        return f": write {right}"
    never = not_in_calendar(text)
    return f": {never}" if never else ""


_Parts = tuple[str, str, str | None]


def _possible(text: str) -> Iterator[_Parts]:
    """Year, month and day that a text can mean, be they in the calendar or not."""
    if found := _QUARTER.fullmatch(text):
        quarter = _ROMAN.get(found[1] or found[2]) or int(found[1] or found[2])
        yield found[3], str(32 + quarter), None
    elif found := _SEASON.fullmatch(text):
        yield found[3], "22" if found[1] else "23" if found[2] else "21", None
    elif found := _YEAR_FIRST.fullmatch(text):
        yield from _of_months(found[1], found[3], found[4])
    elif found := _NO_SIGNS.fullmatch(text):
        yield found[1], found[2], found[3]
    elif found := _YEAR_LAST.fullmatch(text):
        day, sign, month, year = found.groups()
        yield from _of_months(year, month, day)
        if sign == "/":  # the month first, as in America
            yield from _of_months(year, day, month)
    elif found := _DAY_AND_NAME.fullmatch(text):
        yield found[3], _month(found[2]), found[1]
    elif found := _NAME_AND_DAY.fullmatch(text):
        yield found[3], _month(found[1]), found[2]
    elif found := _NAME_AND_YEAR.fullmatch(text):
        yield found[2], _month(found[1]), None
    elif found := _YEAR_ALONE.fullmatch(text):
        yield found[1], "", None


def _of_months(year: str, month: str, day: str | None) -> Iterator[_Parts]:
    """Where numbers above those of months are no seasons and quarters."""
    if day is not None or int(month) <= 12:
        yield year, month, day


def _without_year(text: str) -> Iterator[_Parts]:
    """The same of a day whose year is not stated, with the name of its month."""
    if found := _DAY_AND_NAME_ALONE.fullmatch(text):
        yield _NO_YEAR, _month(found[2]), found[1]
    elif found := _NAME_AND_DAY_ALONE.fullmatch(text):
        yield _NO_YEAR, _month(found[1]), found[2]


def _in_digits_alone(text: str) -> Iterator[str]:
    """What `14.03` can mean, of which it is not certain that it is a day at all."""
    if found := _DIGITS_ALONE.fullmatch(text):
        day, sign, month = found.groups()
        yield from _written(_NO_YEAR, month, day)
        if sign == "/":
            yield from _written(_NO_YEAR, day, month)


def _month(name: str) -> str:
    """The number of the month with this name, cut short or with an ending; 0 of others."""
    numbers = (
        at for at, names in enumerate(_MONTHS, 1) if any(_is_form(name, full) for full in names)
    )
    return str(next(numbers, 0))


def _is_form(name: str, full: str) -> bool:
    is_longer = name.startswith(full) and len(name) - len(full) <= _MOST_OF_AN_ENDING
    return full.startswith(name) or is_longer


def _year(year: str) -> int:
    return _LEAP_YEAR if year == _NO_YEAR else int(year)


def _written(year: str, month: str, day: str | None) -> Iterator[str]:
    """The date as ISO 8601-2 has it, if it is in the calendar."""
    number = int(month or 1)
    is_period = day is None and (21 <= number <= 24 or 33 <= number <= 36)
    try:
        date(_year(year), 1 if is_period else number, int(day or 1))
    except ValueError:
        return
    parts = [year, month and f"{number:02}", day and f"{int(day):02}"]
    yield "-".join(part for part in parts if part)
