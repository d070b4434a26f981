"""Days as numbers in which months can be counted, alike on both databases."""

from datetime import date

from sqlalchemy import BigInteger, case, func

from app.core.databases.expressions import Expression
from app.engine.aggregates.sql import Sql

#: More days than a month has: months are multiples of it, so that the 31st of a month and four
#: months is no later than the last day of the fourth.
MONTH = 32
#: Before and after every day.
NEVER_BEFORE, NEVER_AFTER = 0, 10_000 * 13 * MONTH

_NUMBERS = {
    "sqlite": f"(substr({{0}}, 1, 4) * 12 + substr({{0}}, 6, 2)) * {MONTH} + substr({{0}}, 9, 2)",
    "postgresql": "CAST((extract(year from {0}) * 12 + extract(month from {0}))"
    f" * {MONTH} + extract(day from {{0}}) AS bigint)",
}


def day_number(day: date) -> int:
    """The number of a day: `MONTH` more is the same day of the next month."""
    return (day.year * 12 + day.month) * MONTH + day.day


def number_of(column: Expression, dialect: str) -> Expression:
    """The number of the day in a column; null of none."""
    return Sql(_NUMBERS[dialect], column, kind=BigInteger())


def bounds_of(
    earliest: Expression, latest: Expression, dialect: str
) -> tuple[Expression, Expression]:
    """The numbers of the first and the last day that a date can mean. One that is open at an end
    can mean any day there; both are null where no day can be told."""
    has_day = earliest.is_not(None) | latest.is_not(None)
    first = func.coalesce(number_of(earliest, dialect), NEVER_BEFORE)
    last = func.coalesce(number_of(latest, dialect), NEVER_AFTER)
    return case((has_day, first)), case((has_day, last))


def year_of(number: Expression) -> Expression:
    """The year of a day's number."""
    return Sql(f"(({{0}} / {MONTH} - 1) / 12)", number)
