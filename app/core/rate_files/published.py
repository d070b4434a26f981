"""A rate of exchange as it is published, and the numbers and days that it is made of."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Final, NamedTuple

from app.core.date_spellings import not_in_calendar

#: As many as a column of rates holds: of what is published none has more than six decimals.
RATE_DIGITS: Final = 18
RATE_DECIMALS: Final = 8
MAX_UNIT: Final = 1_000_000

_NUMBER: Final = re.compile(r"([0-9]+)(?:[.,]([0-9]+))?", re.ASCII)
_CODE: Final = re.compile(r"[A-Z]{3}", re.ASCII)
_ISO: Final = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})", re.ASCII)
_DOTTED: Final = re.compile(r"([0-9]{1,2})[./]([0-9]{1,2})[./]([0-9]{4}|[0-9]{2})", re.ASCII)
_WORDED: Final = re.compile(r"([0-9]{1,2}) ([A-Za-z]{3,9}) ([0-9]{4})", re.ASCII)
_MONTHS: Final = (
    *("jan", "feb", "mar", "apr", "may", "jun"),
    *("jul", "aug", "sep", "oct", "nov", "dec"),
)
#: No bank of those that write two digits has rates of before.
_FIRST_OF_CENTURY: Final = 90
#: Nobody publishes rates of before; and none of later than the end of next year.
_FIRST_DAY: Final = date(1900, 1, 1)


class PublishedRate(NamedTuple):
    """On the day `unit` units of `base` cost `rate` units of `quote`; `row` is its line."""

    base: str
    quote: str
    day: date
    rate: Decimal
    unit: int
    row: int


class RateFileError(Exception):
    """A file of rates cannot be read: what is wrong, where, and what would be right."""

    def __init__(self, detail: str, row: int | None = None, column: str | None = None) -> None:
        super().__init__(detail)
        self.detail, self.row, self.column = detail, row, column


def rate_of(text: str, row: int, column: str) -> Decimal:
    """A rate, with a point or a comma before its decimals; zero is for the caller to judge."""
    found = _NUMBER.fullmatch(text.strip())
    if found is None:
        right = "a number such as 478.77, without blanks or signs"
        raise RateFileError(f"{_shown(text)} is no rate: it is {right}.", row, column)
    whole, decimals = found[1].lstrip("0"), (found[2] or "").rstrip("0")
    most = RATE_DIGITS - RATE_DECIMALS
    if len(whole) > most or len(decimals) > RATE_DECIMALS:
        text = f"{_shown(text)} has more than {most} digits and {RATE_DECIMALS} decimals"
        raise RateFileError(f"{text}: give the rate for another unit.", row, column)
    return Decimal(f"{whole or 0}.{decimals or 0}" if decimals else whole or 0)


def unit_of(text: str, row: int, column: str) -> int:
    """For how many units of the currency a rate is."""
    digits = text.strip()
    if not digits.isascii() or not digits.isdecimal() or not 1 <= int(digits[:9]) <= MAX_UNIT:
        right = f"a whole number from 1 to {MAX_UNIT:,}"
        raise RateFileError(f"{_shown(text)} is no unit: it is {right}.", row, column)
    return int(digits)


def currency_of(text: str, row: int, column: str) -> str:
    """A currency by its code."""
    code = text.strip().upper()
    if _CODE.fullmatch(code) is None:
        right = "three letters of ISO 4217, such as USD"
        raise RateFileError(f"{_shown(text)} is no currency: it is {right}.", row, column)
    return code


def day_of(text: str, row: int, column: str) -> date:
    """A day as 2016-04-12, 12.04.2016, 12/04/2016, 12.04.16 or 12 April 2016."""
    day = _day(text.strip())
    if day is None:
        if never := not_in_calendar(text.strip().replace("/", ".")):
            raise RateFileError(f"{_shown(text)} is no day: {never}.", row, column)
        right = "2016-04-12, 12.04.2016 or 12 April 2016"
        raise RateFileError(f"{_shown(text)} is no day: write it as {right}.", row, column)
    try:
        return published_day(day)
    except ValueError as error:
        raise RateFileError(
            f"{_shown(text)} is no day of a rate: it {error}.", row, column
        ) from None


def published_day(day: date) -> date:
    """The day, which a rate can be of; ValueError where none can."""
    last = date(datetime.now(UTC).year + 1, 12, 31)
    if not _FIRST_DAY <= day <= last:
        raise ValueError(f"must lie between {_FIRST_DAY} and {last}")
    return day


@lru_cache(maxsize=10_000)
def _day(text: str) -> date | None:
    if found := _ISO.fullmatch(text):
        year, month, day = found[1], found[2], found[3]
    elif found := _DOTTED.fullmatch(text):
        day, month, year = found[1], found[2], found[3]
    elif (found := _WORDED.fullmatch(text)) and found[2][:3].lower() in _MONTHS:
        day, month, year = found[1], str(_MONTHS.index(found[2][:3].lower()) + 1), found[3]
    else:
        return None
    number = int(year)
    if len(year) == 2:
        number += 1900 if number >= _FIRST_OF_CENTURY else 2000
    try:
        return date(number, int(month), int(day))
    except ValueError:
        return None


def _shown(text: str) -> str:
    return repr(text.strip()[:40])
