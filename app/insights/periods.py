"""Periods that are asked for by their first and last day."""

from datetime import date, datetime

from pydantic import Field

from app.core.loose_types import Value
from app.core.relative_dates import as_iso
from app.engine.paths import fields_of
from app.engine.query.filter_reader import bad_parameter
from app.engine.query.values import parse_limit, sentence
from app.engine.schemas import Schema, derived_schema
from app.resources.mission import mission

_DAY = "a day, a month or a year, such as 2016-04-12, 2016-04, 2016 or -12mo."


def with_period(name: str, doc: str, base: type[Schema]) -> type[Schema]:
    """The query model with the parameters `from` and `to`; the one is a word of Python's own, and
    so cannot stand in a class."""
    fields = {
        word: (
            str | None,
            Field(None, max_length=40, description=f"The {end} day of the period: {_DAY}"),
        )
        for word, end in (("from", "first"), ("to", "last"))
    }
    return derived_schema(name, doc, fields, base)


def period_of(query: Value, asked_at: datetime) -> tuple[date | None, date | None] | None:
    """The first and the last day that the query asks for, None where it names none; BadRequest
    where the period ends before it begins. What is counted from now is from when it was asked."""
    first, last = (_bound(query, name, asked_at) for name in ("from", "to"))
    if first is not None and last is not None and first > last:
        raise bad_parameter("to", "order", "The period ends before it begins.")
    return None if first is None and last is None else (first, last)


def _bound(query: Value, name: str, asked_at: datetime) -> date | None:
    return read_day(name, getattr(query, name), asked_at, at_end=name == "to")


def read_day(name: str, text: str | None, asked_at: datetime, *, at_end: bool) -> date | None:
    """The first or the last day of what the parameter says; BadRequest where that is none."""
    if text is None:
        return None
    # As filters of dates are written.
    days = fields_of(mission)["dates_earliest"]
    try:
        counted = as_iso(text, asked_at, of_days=True)
        return parse_limit(days, counted or text, at_end=at_end)
    except ValueError as error:
        raise bad_parameter(name, "value", sentence(error)) from None
