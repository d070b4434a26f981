"""Years, quarters, months, weeks and days by their names: `2016-Q2`, `2016-W15`."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

from app.engine.aggregates.shape import DatePart

#: How many days the longest period has.
_MAX_DAYS: Final = {
    DatePart.year: 366,
    DatePart.quarter: 92,
    DatePart.month: 31,
    DatePart.week: 7,
    DatePart.day: 1,
}


def period_of(part: DatePart, day: date) -> str:
    """The name of the period that the day lies in, as groups are called."""
    match part:
        case DatePart.year:
            return f"{day.year:04}"
        case DatePart.quarter:
            return f"{day.year:04}-Q{(day.month + 2) // 3}"
        case DatePart.month:
            return f"{day.year:04}-{day.month:02}"
        case DatePart.week:
            year, week, _ = day.isocalendar()
            return f"{year:04}-W{week:02}"
        case DatePart.day:
            return day.isoformat()


def day_in(part: DatePart, name: str) -> date:
    """The first day of the period of this name."""
    match part:
        case DatePart.year:
            return date(int(name), 1, 1)
        case DatePart.quarter:
            return date(int(name[:4]), 3 * int(name[-1]) - 2, 1)
        case DatePart.month:
            return date.fromisoformat(f"{name}-01")
    return date.fromisoformat(name)


def periods_between(part: DatePart, first: date, last: date) -> Iterator[str]:
    """The names of all periods from that of the first day to that of the last one."""
    day = first
    while day <= last:
        yield period_of(part, day)
        try:
            # The day after the longest period lies in the next one of any length.
            day = _start(part, _start(part, day) + timedelta(_MAX_DAYS[part]))
        except OverflowError:
            return


def _start(part: DatePart, day: date) -> date:
    return day_in(part, period_of(part, day))
