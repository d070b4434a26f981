"""Money converted with exchange rates: exact sums over currencies and days, rounded once."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Final, NamedTuple

#: A converted figure is rounded to so many decimals, half away from zero, and only at the end.
DECIMALS: Final = 2


class Rate(NamedTuple):
    """`unit` units of `base` cost `rate` units of `quote`, as the provider published it."""

    provider: str
    date: date
    base: str
    quote: str
    rate: Decimal
    unit: int
    id: str = ""

    def factor(self, currency: str) -> Fraction:
        """What one unit of this currency, which is one of the two, is in the other."""
        value = Fraction(self.rate) / self.unit
        return value if currency == self.base else 1 / value

    def other(self, currency: str) -> str:
        return self.quote if currency == self.base else self.base


class Conversion(NamedTuple):
    """What one unit of a currency is in another: exact, and by which rates of one provider and one
    day; none where they are the same."""

    factor: Fraction
    rates: tuple[Rate, ...]


class Reason(StrEnum):
    """Why an amount is not converted."""

    undated = "undated"
    date_is_no_day = "date_is_no_day"
    no_rates_of_currency = "no_rates_of_currency"
    before_first_rate = "before_first_rate"
    rate_too_old = "rate_too_old"


class Span(NamedTuple):
    """From when to when a provider has rates of a currency."""

    first: date
    last: date


_Day = dict[str, dict[str, Rate]]


class RateTable:
    """The rates that conversions can use: of the `providers` in their order, each on the day or at
    most `max_age` days before it. `spans` tell from when to when each has rates of a currency,
    `others` which providers have rates of it that are not asked."""

    def __init__(
        self,
        rates: Iterable[Rate],
        providers: Sequence[str],
        max_age: int,
        spans: Mapping[tuple[str, str], Span] | None = None,
    ) -> None:
        self.providers, self.max_age, self.spans = providers, max_age, dict(spans or {})
        self.others: Mapping[str, Set[str]] = {}
        self._days: dict[tuple[str, date], _Day] = defaultdict(lambda: defaultdict(dict))
        for rate in rates:
            day = self._days[rate.provider, rate.date]
            day[rate.base][rate.quote] = day[rate.quote][rate.base] = rate
        self._dates: dict[str, list[date]] = defaultdict(list)
        for provider, day_of in sorted(self._days):
            self._dates[provider].append(day_of)
        self._found: dict[tuple[str, str, date], Conversion | None] = {}

    def find(self, currency: str, target: str, day: date) -> Conversion | None:
        """How the currency is converted on a day: by the first provider that has rates of both, of
        the nearest day on or before it."""
        key = (currency, target, day)
        if key not in self._found:
            found = (
                self._chain(self._days[provider, of], currency, target)
                for provider in self.providers
                for of in self._dates_before(provider, day)
            )
            self._found[key] = next(filter(None, found), None)
        return self._found[key]

    def _dates_before(self, provider: str, day: date) -> Iterator[date]:
        dates = self._dates.get(provider, [])
        at = bisect_right(dates, day)
        while at and (day - dates[at - 1]).days <= self.max_age:
            at -= 1
            yield dates[at]

    @staticmethod
    def _chain(day: _Day, currency: str, target: str) -> Conversion | None:
        """By one rate between the two, or else by one currency that both have a rate with."""
        ways, back = day.get(currency, {}), day.get(target, {})
        if (rate := ways.get(target)) is not None:
            return Conversion(rate.factor(currency), (rate,))
        for through in sorted(ways.keys() & back.keys()):
            first, second = ways[through], back[through]
            return Conversion(first.factor(currency) * second.factor(through), (first, second))
        return None

    def reason(self, currency: str, target: str, day: date) -> Reason:
        """Why there is no rate for a day."""
        spans = [
            Span(max(one.first, other.first), min(one.last, other.last))
            for provider in self.providers
            if (one := self.spans.get((provider, currency))) is not None
            and (other := self.spans.get((provider, target))) is not None
        ]
        if not spans:
            return Reason.no_rates_of_currency
        if all(day < span.first for span in spans):
            return Reason.before_first_rate
        return Reason.rate_too_old

    def not_converted(self, currency: str, target: str, day: date) -> "NotConverted":
        """Why there is no rate for a day, and who else has rates."""
        reason = self.reason(currency, target, day)
        others: Set[str] = frozenset()
        if reason is Reason.no_rates_of_currency:
            others = self.others.get(currency, others) & self.others.get(target, others)
        return NotConverted(currency, reason, tuple(sorted(others)))


Amounts = Mapping[str, Decimal | None]


class Money(NamedTuple):
    """Sums of what has one currency and one date, `first` and `last` being the days that it can
    mean; those that have no end are None. `key` is what they are added up by."""

    key: Hashable
    currency: str
    first: date | None
    last: date | None
    amounts: Amounts
    records: int


@dataclass(slots=True)
class Original:
    """What some records have in one currency, before it is converted."""

    amounts: dict[str, Decimal | None] = field(default_factory=dict)
    records: int = 0

    def add(self, money: Money) -> None:
        self.records += money.records
        for name, amount in money.amounts.items():
            held = self.amounts.get(name, Decimal(0))
            self.amounts[name] = None if held is None or amount is None else held + amount


class NotConverted(NamedTuple):
    """What is not converted, and why; `providers` have rates of it, and were not asked."""

    currency: str
    reason: Reason
    providers: tuple[str, ...] = ()


@dataclass(slots=True)
class Converted:
    """What is converted of one key: the sums, of how many records, what they were in each currency,
    and what is left out. `by_rate_date` of them had no day of their own."""

    amounts: dict[str, Decimal | None] = field(default_factory=dict)
    records: int = 0
    by_rate_date: int = 0
    original: dict[str, Original] = field(default_factory=dict)
    not_converted: dict[NotConverted, Original] = field(default_factory=dict)


@dataclass(slots=True)
class _Terms:
    """The terms of the sums of one key; a sum with a term that has no end has none."""

    by_name: dict[str, list[Fraction]] = field(default_factory=lambda: defaultdict(list))
    open: set[str] = field(default_factory=set)

    def add(self, amounts: Amounts, factor: Fraction) -> None:
        for name, amount in amounts.items():
            if amount is None:
                self.open.add(name)
            else:
                self.by_name[name].append(Fraction(amount) * factor)

    def sums(self) -> dict[str, Decimal | None]:
        names = dict.fromkeys((*self.by_name, *sorted(self.open)))
        return {
            name: None if name in self.open else rounded(exact_sum(self.by_name[name]))
            for name in names
        }


def day_of(money: Money, rate_date: date | None) -> date | Reason:
    """The day whose rate is used; why there is none, where no `rate_date` says one."""
    if money.first is not None and money.first == money.last:
        return money.first
    if rate_date is not None:
        return rate_date
    return Reason.undated if money.first is None else Reason.date_is_no_day


@dataclass(frozen=True, slots=True)
class Conversions:
    """Conversions into `target`, of what has no day of its own by the rates of `rate_date`."""

    target: str
    rate_date: date | None = None

    def wanted(self, several: Iterable[Money]) -> Iterator[tuple[str, date]]:
        """The currencies that rates are needed of, and the days."""
        for money in several:
            day = day_of(money, self.rate_date)
            if isinstance(day, date) and money.currency != self.target:
                yield money.currency, day

    def convert(
        self, several: Iterable[Money], table: RateTable
    ) -> tuple[dict[Hashable, Converted], list[Rate]]:
        """The sums by key, and each rate that was used, in order."""
        found: dict[Hashable, Converted] = defaultdict(Converted)
        terms: dict[Hashable, _Terms] = defaultdict(_Terms)
        used: dict[Rate, None] = {}
        for money in several:
            result = found[money.key]
            conversion = self.find(money, table)
            if isinstance(conversion, NotConverted):
                result.not_converted.setdefault(conversion, Original()).add(money)
                continue
            terms[money.key].add(money.amounts, conversion.factor)
            result.records += money.records
            result.original.setdefault(money.currency, Original()).add(money)
            if conversion.rates and isinstance(day_of(money, None), Reason):
                result.by_rate_date += money.records
            used.update(dict.fromkeys(conversion.rates))
        for key, result in found.items():
            result.amounts = terms[key].sums()
        return dict(found), sorted(used)

    def find(self, money: Money, table: RateTable) -> Conversion | NotConverted:
        """What it is converted with, or why it is not."""
        if money.currency == self.target:
            return Conversion(Fraction(1), ())
        day = day_of(money, self.rate_date)
        if isinstance(day, Reason):
            return NotConverted(money.currency, day)
        found = table.find(money.currency, self.target, day)
        return table.not_converted(money.currency, self.target, day) if found is None else found


def exact_sum(terms: Sequence[Fraction]) -> Fraction:
    """The sum of all terms. By halves: each of thousands of rates brings digits of its own to the
    denominator, and one after another every sum would be as long as the last."""
    if len(terms) <= 2:
        return sum(terms, Fraction(0))
    middle = len(terms) // 2
    return exact_sum(terms[:middle]) + exact_sum(terms[middle:])


def rounded(value: Fraction, decimals: int = DECIMALS) -> Decimal:
    """To so many decimals, half away from zero, without an intermediate step."""
    scaled = abs(value) * 10**decimals
    whole = (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)
    # Written out: calculated with, a long one would lose digits.
    return Decimal(f"{-whole if value < 0 else whole}E-{decimals}")


def ranges(days: Iterable[date], max_age: int, most: int = 40) -> list[tuple[date, date]]:
    """From when to when there can be rates of these days: at most so many ranges, which hold days
    that nobody asks for where there would be more."""
    windows = sorted({(day - timedelta(max_age), day) for day in _late_enough(days, max_age)})
    gap = 0
    while True:
        merged: list[tuple[date, date]] = []
        for first, last in windows:
            if merged and (first - merged[-1][1]).days <= gap + 1:
                merged[-1] = (merged[-1][0], last)
            else:
                merged.append((first, last))
        if len(merged) <= most:
            return merged
        gap = 2 * gap + 7


def _late_enough(days: Iterable[date], max_age: int) -> Iterator[date]:
    # The calendar has no day before the first of year 1.
    return (day for day in days if day.toordinal() > max_age)
