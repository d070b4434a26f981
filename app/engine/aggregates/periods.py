"""Years, quarters, months, weeks and days by their names: `2016-Q2`, `2016-W15`."""

from collections.abc import Iterator
from datetime import date, timedelta

from app.engine.aggregates.shape import DatePart


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


def first_day(part: DatePart, name: str) -> date:
    """The day that the period of this name begins with."""
    year = int(name[:4])
    match part:
        case DatePart.quarter:
            return date(year, 3 * int(name[-1]) - 2, 1)
        case DatePart.month:
            return date(year, int(name[-2:]), 1)
        case DatePart.week:
            return date.fromisocalendar(year, int(name[-2:]), 1)
        case DatePart.day:
            return date.fromisoformat(name)
    return date(year, 1, 1)


#: More days than any period of this part has, and fewer than two of them.
_STEPS = {
    DatePart.year: 366,
    DatePart.quarter: 93,
    DatePart.month: 31,
    DatePart.week: 7,
    DatePart.day: 1,
}


def periods_between(part: DatePart, first: date, last: date) -> Iterator[str]:
    """The names of all periods from that of the first day to that of the last one."""
    day, end = first_day(part, period_of(part, first)), period_of(part, last)
    while (name := period_of(part, day)) < end:
        yield name
        day = first_day(part, period_of(part, day + timedelta(_STEPS[part])))
    if name == end:
        yield name
