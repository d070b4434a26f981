"""What the cells of an Office Open XML worksheet hold (ECMA-376 part 1, 18.3 and 18.8.30)."""

import math
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final

from app.core.databases.types import instant_text
from app.core.sheets.sheet import Scalar

_ESCAPE: Final = re.compile(r"_x([0-9A-Fa-f]{4})_")
_DAY: Final = 86_400_000  # milliseconds
_EPOCH: Final = datetime(1899, 12, 30, tzinfo=UTC)
_LAST_DAY: Final = 2_958_465  # 9999-12-31


class CellFault(ValueError):
    """What a cell holds cannot be read; `str` of it is a sentence for its writer."""


class NumberForm(StrEnum):
    """What a number means in a cell of some style."""

    number = "number"
    day = "day"
    month = "month"
    year = "year"
    instant = "instant"
    time = "time"


def form_of(format_id: int, code: str | None) -> NumberForm:
    """What numbers mean under a number format, by its code or the number of a built-in one."""
    if code is not None:
        return _form_of_code(code)
    if format_id == 22:
        return NumberForm.instant
    if format_id == 17:
        return NumberForm.month
    if 18 <= format_id <= 21 or format_id in (45, 47):
        return NumberForm.time
    # 27 to 36 and 50 to 58 are the dates of East Asian editions.
    is_day = 14 <= format_id <= 16 or 27 <= format_id <= 36 or 50 <= format_id <= 58
    return NumberForm.day if is_day else NumberForm.number


#: How much of a day is shown, in characters of ISO 8601, and how it goes on where it is the first.
_SHOWN: Final = {NumberForm.month: (7, "-01"), NumberForm.year: (4, "-01-01")}
# Literal text, escaped and padding characters, colours and locales; none of them is a date.
_LITERAL: Final = re.compile(r'"[^"]*"|\\.|[_*].|\[[^\]]*\]')
_ELAPSED: Final = re.compile(r"\[(?:h+|m+|s+)\]", re.IGNORECASE)


def _form_of_code(code: str) -> NumberForm:
    if _ELAPSED.search(code):
        return NumberForm.number  # A length of time, in days.
    shown = _LITERAL.sub("", code.split(";")[0]).lower()
    if shown.strip() == "general":
        return NumberForm.number
    has_time = "h" in shown or "s" in shown
    is_date = "d" in shown or "y" in shown or ("m" in shown and not has_time)
    if is_date and not has_time:
        return date_form(has_day="d" in shown, has_month="m" in shown)
    return NumberForm.instant if is_date else NumberForm.time if has_time else NumberForm.number


def date_form(*, has_day: bool, has_month: bool) -> NumberForm:
    """What dates mean where these parts of them are shown."""
    return NumberForm.day if has_day else NumberForm.month if has_month else NumberForm.year


def unescape(text: str) -> str:
    """The text that `_xHHHH_` (ECMA-376 part 1, 22.9.2.19) was written for."""
    return _ESCAPE.sub(_character, text) if "_x" in text else text


def _character(match: re.Match[str]) -> str:
    code = int(match[1], 16)
    if code == 0:
        raise CellFault("It holds the character NUL, which no text here can have.")
    return match[0] if 0xD800 <= code <= 0xDFFF else chr(code)


def number_of(text: str) -> int | Decimal:
    """A stored number: whole ones as int, others by the 15 significant digits that spreadsheets
    keep: a sum that they computed and show as 435 may be stored as 434.99999999999994."""
    if text.isdecimal() and text.isascii() and len(text) <= 100:
        return int(text)
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise CellFault(f"{text[:40]!r} is not a number.")
    shown = Decimal(f"{number:.15g}")
    return int(shown) if shown == shown.to_integral_value() else shown


def styled(number: int | Decimal, form: NumberForm, starts_1904: bool = False) -> Scalar:
    """The number, or the canonical text of the day, instant (in UTC) or time that it stands for."""
    if form is NumberForm.number:
        return number
    days, milliseconds = divmod(round(number * _DAY), _DAY)
    if form is NumberForm.time and days == 0:
        return _text(0, milliseconds)[11:19]
    if starts_1904:
        days += 1462 if days >= 0 else 0
    elif days < 60:
        days += 1  # Excel counts a 29 February 1900, which is its day 60.
    elif days == 60:
        days = 0
    if not 2 <= days <= _LAST_DAY:
        raise CellFault(f"{number} is formatted as a date, but there is no such date.")
    text = _text(days, milliseconds)
    return text if form is NumberForm.instant or milliseconds else as_shown(text[:10], form)


def as_shown(day: str, form: NumberForm | None) -> str:
    """A day, or the month or year alone where no more is shown: of `Apr 2016` spreadsheets store
    the first day, which nobody stated. Any other day was entered as one; a moment stays."""
    length, first = _SHOWN.get(form or NumberForm.day, (10, ""))
    return day[:length] if day[length:] == first else day


def _text(days: int, milliseconds: int) -> str:
    return instant_text(_EPOCH + timedelta(days=days, milliseconds=milliseconds))


def dated(text: str) -> str:
    """The canonical text of a cell that stores its date as ISO 8601 text."""
    try:
        if len(text) == 10:
            return date.fromisoformat(text).isoformat()
        moment = datetime.fromisoformat(text)
        return instant_text(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        raise CellFault(f"{text[:40]!r} is not a date.") from None
