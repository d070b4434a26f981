"""Stated dates: a small, strict part of EDTF (ISO 8601-2) and the calendar days it spans."""

import calendar
import re
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Final

from app.core.date_spellings import iso_spelling, not_in_calendar

# Written without look-around, so that the regex engines of JSON Schema validators (ECMA-262) and
# of Pydantic (Rust) read it alike. It cannot count leap years, nor compare the ends of an interval.
_YEAR: Final = r"(?:[0-9]{3}[1-9]|[0-9]{2}[1-9]0|[0-9][1-9]00|[1-9]000)"
_IN_YEAR: Final = (
    r"(?:(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12][0-9]|XX))?"
    r"|(?:0[13-9]|1[0-2])-30|(?:0[13578]|1[02])-31|2[1-4]|3[3-6])"
)
_DATED: Final = rf"(?:{_YEAR}(?:-(?:{_IN_YEAR}|XX(?:-XX)?))?|[1-9][0-9](?:XX|[0-9]X))[?~%]?"
_YEARLESS: Final = rf"XXXX-{_IN_YEAR}[?~%]?"
EDTF_PATTERN: Final[str] = (
    rf"^(?:{_DATED}(?:/(?:{_DATED}|\.\.))?|{_YEARLESS}(?:/(?:{_YEARLESS}|\.\.))?"
    rf"|\.\./(?:{_DATED}|{_YEARLESS}))$"
)
"""Matches every text that `parse_edtf` accepts, and few others: for `pattern` in JSON Schema."""

_MAX_LENGTH: Final = 64

# The parser does not use the pattern above: the tests hold one against the other.
_DATE: Final = re.compile(
    r"(?P<year>[0-9]{4}|XXXX|[1-9][0-9]XX|[1-9][0-9]{2}X)"
    r"(?:-(?P<month>[0-9]{2}|XX)(?:-(?P<day>[0-9]{2}|XX))?)?[?~%]?"
)
_OPEN: Final = ".."

# First and last month; 13 and 14 are January and February of the next year.
_PERIODS: Final[dict[int, tuple[int, int]]] = (
    {month: (month, month) for month in range(1, 13)}
    | {21: (3, 5), 22: (6, 8), 23: (9, 11), 24: (12, 14)}
    | {33: (1, 3), 34: (4, 6), 35: (7, 9), 36: (10, 12)}
)

# Stands for XXXX in comparisons. A leap year, since 29 February is possible when no year is stated.
_ANY_YEAR: Final = 2000

# The order matters: the first fault found is the one reported.
_TEXT_FAULTS: Final = (
    (r"\A\Z", "is empty: leave the date out (null), or write one such as 2016-04-12"),
    (r"[^\x00-\x7f]", "has a character outside ASCII: write plain digits, such as 2016-04-12"),
    (r"\s", "has white space in it: write a date without any, such as 2016-04-12"),
    (r"\A/|/\Z", "has an end that is empty: write .. where it is open, such as 2016-04-11/.."),
    (r"\A\.\.(?:/\.\.)?\Z", "states no date: an interval is open at one end, such as 2016-04/.."),
    (r"(?<=[0-9])[Tt]|:", "has a time: write the day alone, such as 2016-04-12"),
    (r"/.*/", "has more than two ends: write an interval such as 2016-04-11/2016-04-13"),
)
_DATE_FAULTS: Final = (
    (r"\A0000", "has the year 0000: years run from 0001 to 9999, such as 2016"),
    (
        r"\A(?!(?:[0-9]{4}|XXXX|[1-9][0-9]XX|[1-9][0-9]{2}X)(?![0-9X]))",
        "does not begin with a year of four digits, such as 2016-04-12,"
        " or with XXXX where the year is not stated, such as XXXX-04-11",
    ),
    (
        r"\A[0-9]+X+-",
        "has a month of a year that is not stated in full: write 20XX alone, or 2016-04",
    ),
    (
        r"\AXXXX(?:-XX(?:-XX)?)?[?~%]?\Z",
        "states neither year nor month: write at least the month, as in XXXX-04",
    ),
    (r"[?~%].", "has a qualifier before its end: put one of ? ~ % last, such as 2016-04~"),
    (r"-[0-9](?![0-9])", "has a one-digit month or day: write two digits, such as 2016-04-02"),
    (r"-XX-[0-9]", "has a day of a month that is not stated: write 2016-XX, or the month too"),
    (r"\A.{4}-(?:2[1-4]|3[3-6])-", "gives a season or quarter a day: write 2016-21 or 2016-05-12"),
)


class EdtfError(ValueError):
    """The text is not a date of our subset of EDTF; the message says why and shows a right one."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """The first and the last calendar day a stated date can mean; both null without a year, one
    of them where an interval is open."""

    earliest: date | None
    latest: date | None


@dataclass(frozen=True, slots=True)
class _Period:
    """One date as days, both ends included; placed in `_ANY_YEAR` when it states no year."""

    is_dated: bool
    earliest: date
    latest: date


@lru_cache(maxsize=4096)
def parse_edtf(text: str) -> Bounds:
    """Days spanned by a date in a subset of EDTF (ISO 8601-2), proleptic Gregorian calendar.

    - day, month, year: `2016-04-12`, `2016-04`, `2016`; years 0001 to 9999;
    - year not stated: `XXXX-04-11`, `XXXX-04`; bounds are then null;
    - not stated to the day: `2016-04-XX`, which spans the month, `2016-XX`, `201X`, `20XX`;
    - seasons of the northern hemisphere: `2016-21` spring (March to May), `2016-22` summer (June to
      August), `2016-23` autumn (September to November), `2016-24` winter (December of that year to
      the end of February of the next);
    - quarters `2016-33` to `2016-36`; seasons and quarters may be without a year too;
    - a qualifier at the end: `?` uncertain, `~` approximate, `%` both; bounds stay the same;
    - an interval `A/B` of two such dates, both with a year or both without; it is refused when B
      lies wholly before A, for dates without a year by month and day;
    - an interval that is open at one end, `2019-06/..` or `../2019-08`, whose bound there is null.

    Raises EdtfError for anything else, also for an empty text.
    """
    if len(text) > _MAX_LENGTH:
        raise EdtfError(f"a date has at most {_MAX_LENGTH} characters, such as 2016-04-12")
    try:
        return _parse(text)
    except EdtfError as error:
        if never := not_in_calendar(text):
            raise EdtfError(f"{text!r} is not in the calendar: {never}") from None
        right = iso_spelling(text, yearless=True)
        if not right:
            raise
        is_plain = "/" in text or not text.isascii()
        reason = f"{text!r} is not written as in ISO 8601" if is_plain else f"{error}"
        raise EdtfError(f"{reason}: write {right}") from None


def bounds(text: str | None) -> Bounds:
    """Like `parse_edtf`, for a date that may be absent: both bounds are then null."""
    return Bounds(None, None) if text is None else parse_edtf(text)


def _parse(text: str) -> Bounds:
    _refuse(text, _TEXT_FAULTS)
    ends = text.split("/")
    if _OPEN in ends and len(ends) > 1:
        return _parse_open(*ends)
    periods = [_parse_date(part) for part in ends]
    first, last = periods[0], periods[-1]
    if first.is_dated != last.is_dated:
        raise EdtfError(
            f"{text!r} has a year at one end only: write both with a year, such as "
            "2016-04-11/2016-04-13, or both without, such as XXXX-04-11/XXXX-04-13"
        )
    _refuse_backwards(text, first, last)
    return Bounds(first.earliest, last.latest) if first.is_dated else Bounds(None, None)


def _parse_open(first: str, last: str) -> Bounds:
    """The bounds of an interval that is open at one end."""
    stated = _parse_date(last if first == _OPEN else first)
    earliest, latest = (stated.earliest, None) if last == _OPEN else (None, stated.latest)
    return Bounds(earliest, latest) if stated.is_dated else Bounds(None, None)


def _refuse(text: str, faults: tuple[tuple[str, str], ...]) -> None:
    for pattern, reason in faults:
        if re.search(pattern, text):
            raise EdtfError(f"{text!r} {reason}")


def _refuse_backwards(text: str, first: _Period, last: _Period) -> None:
    if last.latest >= first.earliest:
        return
    if first.is_dated:
        hint = "write the earlier date first, such as 2016-04-11/2016-04-13"
    else:
        hint = (
            "write the earlier date first, such as XXXX-04-11/XXXX-04-13;"
            " across the new year both need a year, such as 2016-12-28/2017-01-05"
        )
    raise EdtfError(f"{text!r} ends before it begins: {hint}")


def _parse_date(text: str) -> _Period:
    _refuse(text, _DATE_FAULTS)
    match = _DATE.fullmatch(text)
    if match is None:
        raise EdtfError(
            f"{text!r} is not a date: write year, month and day as in 2016-04-12, 2016-04 or 2016"
        )
    is_dated = match["year"] != "XXXX"
    if is_dated and "X" in match["year"]:
        years = (int(match["year"].replace("X", digit)) for digit in "09")
        return _Period(is_dated, date(next(years), 1, 1), date(next(years), 12, 31))
    year = int(match["year"]) if is_dated else _ANY_YEAR
    if match["day"] not in (None, "XX"):
        day = _find_day(text, year, int(match["month"]), int(match["day"]))
        return _Period(is_dated, day, day)
    whole = match["month"] in (None, "XX")
    first_month, last_month = (1, 12) if whole else _find_months(text, match)
    return _Period(is_dated, date(year, first_month, 1), _last_day(text, year, last_month))


def _find_months(text: str, match: re.Match[str]) -> tuple[int, int]:
    months = _PERIODS.get(int(match["month"]))
    if months is None:
        raise EdtfError(
            f"{text!r} has no month {match['month']}: months are 01 to 12, such as 2016-04;"
            " seasons 21 to 24, such as 2016-21; quarters 33 to 36, such as 2016-33"
        )
    return months


def _find_day(text: str, year: int, month: int, day: int) -> date:
    if not 1 <= month <= 12:
        raise EdtfError(f"{text!r} has no month {month:02}: months are 01 to 12, as in 2016-04-12")
    length = calendar.monthrange(year, month)[1]
    if not 1 <= day <= length:
        raise EdtfError(
            f"{text!r} is not in the calendar: days of that month are 01 to {length},"
            f" such as {text[:4]}-{month:02}-{length}"
        )
    return date(year, month, day)


def _last_day(text: str, year: int, month: int) -> date:
    if month > 12:
        year, month = year + 1, month - 12
    if year > date.max.year:
        raise EdtfError(f"{text!r} ends after the year 9999: write an earlier one, such as 2016-24")
    return date(year, month, calendar.monthrange(year, month)[1])
