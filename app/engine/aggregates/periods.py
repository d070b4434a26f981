"""Years, quarters, months, weeks and days by their names: `2016-Q2`, `2016-W15`."""

from datetime import date

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
