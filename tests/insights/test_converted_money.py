"""Conversion by itself: exact whatever the rates are, and by none but those that may be used."""

import time
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from app.insights.converted_money import (
    Conversions,
    Money,
    Rate,
    RateTable,
    Reason,
    Span,
    exact_sum,
    ranges,
    rounded,
)

DAY = date(2022, 3, 1)
AMOUNTS = st.decimals(0, 10**14, places=4)
RATES = st.decimals(Decimal("0.0001"), Decimal(10**6), places=8)
UNITS = st.sampled_from([1, 10, 100, 1000])


def money(currency: str, amount: Decimal, day: date = DAY) -> Money:
    return Money("all", currency, day, day, {"sum": amount}, 1)


def converted(several: list[Money], target: str, rates: list[Rate]) -> Decimal | None:
    table = RateTable(rates, ["A"], 10)
    found, _ = Conversions(target).convert(several, table)
    return found["all"].amounts.get("sum")


@settings(max_examples=100)
@given(AMOUNTS, RATES, RATES, UNITS, UNITS)
def test_money_comes_back_as_it_went_within_rounding(
    amount: Decimal, one: Decimal, other: Decimal, unit: int, other_unit: int
) -> None:
    rates = [
        Rate("A", DAY, "USD", "KZT", one, unit),
        Rate("A", DAY, "RUB", "KZT", other, other_unit),
    ]
    there = converted([money("USD", amount)], "RUB", rates)
    assert there is not None
    back = converted([money("RUB", there)], "USD", rates)
    assert back is not None
    # Half a cent there is worth so much here, and half a cent is lost here.
    price = Fraction(other) / other_unit / (Fraction(one) / unit)
    assert abs(Fraction(back) - Fraction(amount)) <= Fraction(1, 200) * (price + 1)


@settings(max_examples=50)
@given(st.lists(st.tuples(AMOUNTS, RATES, UNITS), min_size=1, max_size=40))
def test_a_sum_is_that_of_exact_fractions_rounded_once(
    terms: list[tuple[Decimal, Decimal, int]],
) -> None:
    rates, several, exact = [], [], Fraction(0)
    for n, (amount, rate, unit) in enumerate(terms):
        day = DAY + timedelta(n)
        rates.append(Rate("A", day, "EUR", "USD", rate, unit))
        several.append(money("USD", amount, day))
        exact += Fraction(amount) * unit / Fraction(rate)
    found = converted(several, "EUR", rates)
    assert found == rounded(exact)
    assert exact_sum([Fraction(1, n) for n in range(1, 50)]) == sum(
        Fraction(1, n) for n in range(1, 50)
    )


def test_rounding_is_half_away_from_zero() -> None:
    cases = {"0.005": "0.01", "-0.005": "-0.01", "0.00499999": "0", "2.675": "2.68"}
    found = {text: rounded(Fraction(text)) for text in cases}
    assert found == {text: Decimal(right) for text, right in cases.items()}


def test_every_reason_for_which_money_is_not_converted() -> None:
    rates = [Rate("A", DAY, "EUR", "USD", Decimal("1.1"), 1)]
    spans = {
        ("A", "EUR"): Span(DAY, DAY),
        ("A", "USD"): Span(DAY, DAY),
        ("B", "EUR"): Span(DAY, DAY),
    }
    table = RateTable(rates, ["A", "B"], 10, spans)
    day, late, early = DAY, DAY + timedelta(11), DAY - timedelta(1)
    cases: list[tuple[str, date | None, date | None, Reason | None]] = [
        ("USD", day, day, None),
        ("USD", DAY + timedelta(10), DAY + timedelta(10), None),
        ("USD", late, late, Reason.rate_too_old),
        ("USD", early, early, Reason.before_first_rate),
        ("KZT", day, day, Reason.no_rates_of_currency),
        ("USD", date(2022, 3, 1), date(2022, 3, 31), Reason.date_is_no_day),
        ("USD", None, None, Reason.undated),
        # What is in the currency already needs neither a day nor a rate.
        ("EUR", None, None, None),
    ]
    wrong = []
    for currency, first, last, expected in cases:
        one = Money("all", currency, first, last, {"sum": Decimal(1)}, 1)
        result = Conversions("EUR").convert([one], table)[0]["all"]
        found = next((why.reason for why in result.not_converted), None)
        if found is not expected:
            wrong.append((currency, first, expected, found))
    assert wrong == []


def test_two_rates_are_put_together_only_of_one_provider_and_one_day() -> None:
    before = DAY - timedelta(1)

    def rates(provider: str, day: date) -> list[Rate]:
        return [
            Rate("A", DAY, "EUR", "USD", Decimal("1.1"), 1),
            Rate(provider, day, "EUR", "RUB", Decimal(110), 1),
        ]

    for provider, day, expected in (("A", DAY, "0.01"), ("B", DAY, None), ("A", before, None)):
        table = RateTable(rates(provider, day), ["A", "B"], 10)
        found = table.find("RUB", "USD", DAY)
        factor = None if expected is None else Fraction(expected)
        assert (None if found is None else found.factor) == factor, (provider, day)


def test_an_older_day_with_both_rates_is_taken_before_a_newer_with_one() -> None:
    whole = [
        Rate("A", DAY - timedelta(3), "EUR", code, Decimal(n), 1)
        for n, code in ((2, "USD"), (4, "RUB"))
    ]
    table = RateTable([*whole, Rate("A", DAY, "EUR", "USD", Decimal(9), 1)], ["A"], 10)
    found = table.find("RUB", "USD", DAY)
    assert found is not None
    assert {rate.date for rate in found.rates} == {DAY - timedelta(3)}
    assert found.factor == Fraction(1, 2)


def test_an_open_limit_stays_open() -> None:
    several = [
        Money("all", "EUR", DAY, DAY, {"at_most": Decimal(1)}, 1),
        Money("all", "EUR", DAY, DAY, {"at_most": None}, 1),
    ]
    found, _ = Conversions("EUR").convert(several, RateTable([], [], 10))
    assert found["all"].amounts == {"at_most": None}


@settings(max_examples=50)
@given(st.lists(st.dates(), max_size=200), st.integers(0, 366))
def test_ranges_of_days_are_few_and_hold_every_day_that_a_rate_may_have(
    days: list[date], age: int
) -> None:
    found = ranges(days, age)
    assert len(found) <= 40
    for day in days:
        if day.toordinal() > age:
            assert any(first <= day - timedelta(age) and day <= last for first, last in found)


def _seconds_of(count: int) -> float:
    """How long this thread takes to convert money of so many days."""
    days = [date(1960, 1, 1) + timedelta(n) for n in range(count)]
    rates = [
        Rate("A", day, "EUR", code, Decimal(10_000 + n * 7).scaleb(-4), 1)
        for n, day in enumerate(days)
        for code in ("USD", "RUB")
    ]
    several = [money("RUB", Decimal(n), day) for n, day in enumerate(days)]
    begin = time.thread_time()
    assert converted(several, "USD", rates) is not None
    return time.thread_time() - begin


def test_money_of_ten_times_as_many_days_takes_some_ten_times_as_long() -> None:
    few, many = (min(_seconds_of(count) for _ in range(3)) for count in (400, 4000))
    # One by one, the fractions grow with each: that took a hundred times as long.
    assert many < 40 * few
