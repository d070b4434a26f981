"""The totals of a summary in one currency, class by class."""

from collections import Counter
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from starlette.requests import Request

from app.core.loose_types import Json, JsonValue
from app.engine.query.filter_reader import ParsedFilter
from app.engine.schemas import Digits, Schema
from app.insights.converted_figures import (
    currency_used,
    origin_told,
    refuse_unknown_providers,
    shown_to,
    told,
)
from app.insights.converted_money import Conversions, Money, Reason
from app.insights.rates_of_days import find_rates
from app.insights.summary_statement import DAYS
from app.resources.firmness import Firmness
from app.rest.audience import reading_dialect
from app.rest.conversion import ConversionAsked, ConversionTold
from app.rest.handlers import check_codes, database_of

_SUMS = ("amount", "at_least", "at_most")
_Sum = Annotated[Decimal, Digits(18, 4)]


class OriginalTotal(Schema):
    """Amounts in one currency before they are converted."""

    currency: str
    """ISO 4217."""
    agreements: int
    """How many agreements are in the sum; a record counts for as many as it stands for."""
    amount: _Sum | None
    """The sum of what is stated."""
    at_least: _Sum | None
    """What it is at least."""
    at_most: _Sum | None
    """What it is at most."""


class NotConvertedTotal(OriginalTotal):
    """Amounts that are in no converted sum."""

    reason: Reason
    """Why: there is no date, or none that is a day (see `rate_date`), or no rate."""
    providers: list[str]
    """Who has rates of it and was not asked: say so in `rate_provider`."""


class ConvertedTotal(Schema):
    """The amounts of one class in one currency, whatever they were in."""

    firmness: Firmness
    """The class: what binds is never added to what does not."""
    per: Literal["year"] | None
    """`year` for amounts of each year, which are no part of a total."""
    amount: _Sum | None
    """The sum of what could be converted, rounded once, to 2 decimals; null of nothing."""
    at_least: _Sum | None
    """What it is at least; null where nothing is certain."""
    at_most: _Sum | None
    """What it is at most; null where one amount has no upper limit."""
    agreements: int
    """How many agreements are in the sum."""
    left_out: int
    """How many records of the class are in no sum here: another one has their amount in it, in
    whichever currency, and whether that could be converted or not."""
    by_rate_date: int
    """How many of these were converted by `rate_date`, having no day of their own."""
    original: list[OriginalTotal]
    """What was converted, by its currency."""
    not_converted: list[NotConvertedTotal]
    """What was not, and why."""


class ConvertedTotals(ConversionTold):
    """The totals in one currency, with the rates of the days of signing."""

    totals: list[ConvertedTotal]
    """One entry a class."""


async def converted_totals(request: Request, asked: ConversionAsked, days: list[Json]) -> Json:
    """The totals of some days in one currency, shape `ConvertedTotals`."""
    await check_codes(request, ParsedFilter(codes=[currency_used(asked.currency)]))
    await refuse_unknown_providers(request, asked)
    shown = shown_to(request)
    several = [_money(each) for each in days if each["agreements"]]
    left_out = Counter[object]()
    for each in days:
        left_out[_class_of(each)] += each["left_out"]
    conversions = Conversions(asked.currency, asked.rate_date)
    table = await find_rates(
        database_of(request),
        reading_dialect(request),
        conversions.wanted(several),
        asked.currency,
        asked.providers,
        asked.max_age,
    )
    found, used = conversions.convert(several, table)

    def totals() -> Iterator[Json]:
        for key, result in found.items():
            assert isinstance(key, tuple)
            firmness, per = key
            sums = {name: result.amounts.get(name) for name in _SUMS}
            origin = origin_told(result, shown)
            origin |= {
                name: list(map(_in_agreements, origin[name]))
                for name in ("original", "not_converted")
            }
            yield {
                "firmness": firmness,
                "per": per,
                **{name: None if sum_ is None else shown(sum_) for name, sum_ in sums.items()},
                "agreements": result.records,
                "left_out": left_out[key],
                **origin,
            }

    return {**told(asked, used, shown), "totals": list(totals())}


def _in_agreements(told: Json) -> Json:
    """What is told of a currency with all its sums. Days are summed up by how many agreements
    their records stand for, and not by how many records they are."""
    named = {"agreements" if name == "records" else name: value for name, value in told.items()}
    return named | {name: told.get(name) for name in _SUMS}


def _class_of(total: Json) -> tuple[JsonValue, JsonValue]:
    return total["firmness"], total["per"]


def _money(total: Json) -> Money:
    first, last = (None if total[n] is None else date.fromisoformat(total[n]) for n in DAYS)
    sums = {name: total[name] for name in _SUMS}
    amounts = {
        name: None if value is None else Decimal(value)
        for name, value in sums.items()
        # Of what is certain there may be nothing; what has no end is told so.
        if value is not None or name == "at_most"
    }
    return Money(_class_of(total), total["currency"], first, last, amounts, total["agreements"])
