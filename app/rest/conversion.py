"""What a request says of money that is to be converted, and who converts it."""

from collections.abc import Awaitable, Callable, Set
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, Final
from uuid import UUID

from fastapi import Query, Request
from pydantic import Field, StringConstraints
from starlette.responses import Response

from app.core.http.app_state import state_of
from app.core.http.dispatch import Route
from app.core.rate_files.providers import known_provider
from app.core.validation import Example
from app.engine.aggregates.query import AggregateQuery
from app.engine.query.filter_reader import bad_parameter
from app.engine.query.parameters import listed
from app.engine.resource import Resource
from app.engine.schemas import Day, Digits, Schema, absent
from app.rest.aggregate_routes import Aggregate, aggregate_operation, answer_aggregate

#: How many days a rate may be older than the amount that is converted with it.
MAX_RATE_AGE: Final = 10


TargetCurrency = Annotated[str, StringConstraints(pattern="^[A-Z]{3}$"), Example("USD")]


class ConversionQuery(Schema):
    """Parameters of figures whose money can be converted."""

    convert_to: TargetCurrency | None = None
    """Converts sums into this currency, by the exchange rates of their days."""
    rate_date: Day | None = None
    """The day whose rates are used for what has no day of its own, but a month, a year or none."""
    rate_provider: str | None = Field(None, min_length=1, max_length=500)
    """Whose exchange rates are used, the first that has them: `ECB,NBK`."""
    max_rate_age: Annotated[int, Field(ge=0, le=366)] | None = None
    """How many days a rate may be older; 10 when left out."""


@dataclass(frozen=True, slots=True)
class ConversionAsked:
    """What money is converted into, and with which rates."""

    currency: str
    rate_date: date | None
    providers: tuple[str, ...]
    max_age: int


class RateUsed(Schema):
    """A rate that something was converted with."""

    provider: str
    """Who published it."""
    date: Day
    """Of which day."""
    base: str
    """The currency that is priced."""
    quote: str
    """The currency it is priced in."""
    rate: Annotated[Decimal, Digits(18, 8)]
    """How many units of `quote` so many of `base` as `unit` says cost."""
    unit: int
    """For how many units of `base` it is."""
    id: UUID
    """The rate's record."""


class ConversionTold(Schema):
    """What sums were converted into, and how."""

    currency: str
    """ISO 4217."""
    rate_date: Day | None
    """The day whose rates were used for what has no day of its own."""
    max_rate_age: int
    """How many days a rate could be older."""
    providers: list[str]
    """Whose rates were used, the first that had them."""
    rates: list[RateUsed]
    """The rates that were used, the first 200."""
    rates_in_all: int
    """How many there were."""


class ConvertedAggregate(Aggregate):
    """Figures of groups of records, their sums in one currency where that is asked for."""

    conversion: ConversionTold = Field(default_factory=absent)  # type: ignore[assignment]
    """With `convert_to` alone. Each group then has `original`, its sums before conversion by
    currency, and `not_converted`, those left out of its sums by currency and reason: `undated`,
    `date_is_no_day`, `no_rates_of_currency`, `before_first_rate` or `rate_too_old`, and
    the `providers` that have rates of it and were not asked; `by_rate_date` counts the records that
    were converted by `rate_date`. Sums are rounded once, to 2 decimals, half away from zero."""


class ConvertingQuery(ConversionQuery, AggregateQuery):
    """Parameters of an aggregate whose money can be converted."""


#: Answers an aggregate whose money is converted.
Converter = Callable[[Request, Resource, ConvertingQuery, ConversionAsked], Awaitable[Response]]


def read_conversion(request: Request, query: ConversionQuery) -> ConversionAsked | None:
    """The conversion that is asked for, if any; BadRequest for one that cannot be."""
    if query.convert_to is None:
        for name in ("rate_date", "rate_provider", "max_rate_age"):
            if getattr(query, name) is not None:
                text = f"{name} is of money that is converted: say convert_to, too."
                raise bad_parameter(name, "alone", text)
        return None
    providers = state_of(request).rate_providers
    if query.rate_provider is not None:
        providers = tuple(map(known_provider, listed("rate_provider", query.rate_provider)))
    age = MAX_RATE_AGE if query.max_rate_age is None else query.max_rate_age
    return ConversionAsked(query.convert_to, query.rate_date, tuple(dict.fromkeys(providers)), age)


def refuse_in_files(resource: Resource, names: Set[str]) -> None:
    """BadRequest for a conversion of the sums of a file, which could not tell how it was made."""
    for name in ConversionQuery.model_fields:
        if name in names:
            text = (
                "A file of groups has no place for the rates that sums are converted with, nor for"
                f" what could not be: ask /{resource.path}/aggregate for JSON. Files of /datasets"
                " have the rate of each row."
            )
            raise bad_parameter(name, "form", text)


def converting_aggregate_route(resource: Resource, convert: Converter) -> Route:
    """GET /agreements/aggregate of a kind whose amounts can be converted."""

    async def endpoint(request: Request, query: Annotated[ConvertingQuery, Query()]) -> Response:
        asked = read_conversion(request, query)
        if asked is None:
            return await answer_aggregate(request, resource, query)
        return await convert(request, resource, query, asked)

    return aggregate_operation(resource, ConvertedAggregate).route(endpoint)
