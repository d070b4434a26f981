"""Days and moments told from the present one: `today`, `-12mo`, `now-2h`."""

import calendar
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Final

#: What is counted: minutes and hours by the clock, the others by the calendar.
_HOURS: Final = {"min": timedelta(minutes=1), "h": timedelta(hours=1)}
_DAYS: Final = {"d": 1, "w": 7}
_MONTHS: Final = {"mo": 1, "q": 3, "y": 12}
_WORDS: Final = {"yesterday": -1, "today": 0, "tomorrow": 1}
_UNIT: Final = "|".join((*_HOURS, *_MONTHS, *_DAYS))
_OFFSET: Final = rf"[+-][0-9]{{1,4}}(?:{_UNIT})"
#: As expressions write it: a word with or without offsets, or offsets alone.
RELATIVE_PATTERN: Final = rf"(?:(?:now|{'|'.join(_WORDS)})(?:{_OFFSET})*|(?:{_OFFSET})+)"
#: What is told in documents, so that all that it allows lies within the calendar.
DAY_PATTERN: Final = r"^(today|yesterday|tomorrow|[+-][0-9]{1,3}(mo|d|w|q|y))$"
MOMENT_PATTERN: Final = r"^(now|today|yesterday|tomorrow|[+-][0-9]{1,3}(mo|min|h|d|w|q|y))$"
HINT: Final = (
    " From today on dates are counted so: today, -7d, +2w, -12mo, -1q, +1y; moments also: now,"
    " -2h, now-30min."
)
_RELATIVE: Final = re.compile(RELATIVE_PATTERN)
_BY_CLOCK: Final = re.compile(rf"\bnow\b|[0-9](?:{'|'.join(_HOURS)})\b")
_PARTS: Final = re.compile(rf"([+-])([0-9]+)({_UNIT})")
#: What was meant for one: `30d`, `-6months`, `- 7 d`, `NOW`, `today()`.
_ALIKE: Final = re.compile(
    r"[+-]?\s*[0-9]{1,4}\s*(?:m|min|mins|minutes?|h|hours?|d|days?|w|weeks?|mo|months?|q|quarters?"
    r"|y|years?)(?:\s+ago)?|P[0-9]+[DWMY]|(?:now|today|yesterday|tomorrow)\b.*",
    re.IGNORECASE,
)


def as_iso(text: str, now: datetime, zone: tzinfo = UTC, *, of_days: bool = False) -> str | None:
    """The day or the moment that a relative date comes to, as ISO 8601 writes it; None for a text
    that is none.

    `today` and what is counted in days or more is a day of the zone; `now` and what is counted in
    hours or minutes is a moment. Months end on their last day: a month after January 31 is February
    28 or 29. ValueError beyond the calendar, and for a moment where `of_days` asks for days.
    """
    # In a query `+` means a space.
    text = text.replace(" ", "+")
    if not _RELATIVE.fullmatch(text):
        return None
    word = re.match("[a-z]*", text)[0]  # type: ignore[index]
    steps = [(int(f"{sign}{count}"), unit) for sign, count, unit in _PARTS.findall(text)]
    by_clock = any(unit in _HOURS for _, unit in steps)
    if word in _WORDS and by_clock:
        raise ValueError(f"counts hours from {word}, which is a day: write now instead")
    is_moment = word == "now" or by_clock
    if is_moment and of_days:
        raise ValueError(f"is a day, and {text!r} is a moment: write today, -7d or -12mo")
    try:
        if is_moment:
            return _moment(now, steps, zone).isoformat().replace("+00:00", "Z")
        day = now.astimezone(zone).date() + timedelta(_WORDS.get(word, 0))
        return _moved(day, steps).isoformat()
    except (OverflowError, ValueError):
        raise ValueError(f"must lie in the years 0001 to 9999, which {text!r} leaves") from None


def changes_within_a_day(pairs: Iterable[tuple[str, str]]) -> bool:
    """Whether a query can ask for something else later on the same day (UTC): for what is counted
    by the clock, or for days of another zone."""
    return any(name == "timezone" or _BY_CLOCK.search(value) for name, value in pairs)


def edition(pairs: Sequence[tuple[str, str]], now: datetime) -> str:
    """What a tag tells of when a query was asked, which may have relative dates in it."""
    return f"{now:%Y%m%d%H%M%S%f}" if changes_within_a_day(pairs) else f"{now:%Y%m%d}"


def instead(text: str) -> str:
    """How relative dates are written, where the text was meant for one; or nothing."""
    return HINT if _ALIKE.fullmatch(text.strip()) else ""


def _moment(now: datetime, steps: list[tuple[int, str]], zone: tzinfo) -> datetime:
    """The moment so far from now: days and more by the calendar and clock of the zone."""
    moment = now
    for count, unit in steps:
        if unit in _HOURS:
            moment += count * _HOURS[unit]
        else:
            local = moment.astimezone(zone)
            day = _moved(local.date(), [(count, unit)])
            moment = datetime.combine(day, local.timetz()).astimezone(UTC)
    return moment.astimezone(UTC)


def _moved(day: date, steps: list[tuple[int, str]]) -> date:
    for count, unit in steps:
        if unit in _DAYS:
            day += timedelta(count * _DAYS[unit])
        else:
            year, month = divmod(day.year * 12 + day.month - 1 + count * _MONTHS[unit], 12)
            last = calendar.monthrange(year, month + 1)[1] if 1 <= year <= 9999 else 0
            day = date(year, month + 1, min(day.day, last))
    return day
