"""Money converted there and back by the API, by rates of every sort, beside exact fractions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import uuid4

import httpx
from hypothesis import example, given
from hypothesis import strategies as st

from app.core import json_codec
from tests.drawing import drawing
from tests.missions.ways import send_good

Body = dict[str, Any]
DAY = date(2019, 5, 1)
CURRENCIES = ("USD", "EUR", "RUB", "GBP")
PROVIDERS = ("first", "second")
MAX_AGE = 3
CENT = Decimal("0.01")


@dataclass(frozen=True)
class Quote:
    """A rate as a provider publishes it, `age` days before the day of the deals."""

    provider: str
    base: str
    quote: str
    rate: Decimal
    unit: int = 1
    age: int = 0

    @property
    def price(self) -> Fraction:
        return Fraction(self.rate) / self.unit


@dataclass(frozen=True)
class Sold:
    """An agreement over an amount."""

    amount: Decimal
    currency: str


_PAIRS = st.permutations(CURRENCIES).map(lambda several: tuple(several[:2]))


@st.composite
def quotes(draw: st.DrawFn) -> list[Quote]:
    """Up to one rate of each provider, age and pair of currencies, whichever way round."""
    found: dict[Any, Quote] = {}
    for _ in range(draw(st.integers(1, 7))):
        base, quote = draw(_PAIRS)
        made = Quote(
            draw(st.sampled_from(PROVIDERS)),
            base,
            quote,
            draw(st.decimals(Decimal("0.01"), Decimal(1000), places=4)),
            draw(st.sampled_from((1, 1, 100))),
            draw(st.sampled_from((0, 0, MAX_AGE, MAX_AGE + 1))),
        )
        found[made.provider, frozenset((base, quote)), made.age] = made
    return list(found.values())


_DEALS = st.lists(
    st.builds(Sold, st.decimals(0, 10**9, places=2), st.sampled_from(CURRENCIES)),
    min_size=1,
    max_size=6,
)


# The model


def price(rates: Sequence[Quote], currency: str, target: str) -> Fraction | None:
    """What one unit of the currency is in the target: of the first provider that has rates of both
    on a day that is near enough, straight or by way of one currency; None without such."""
    if currency == target:
        return Fraction(1)
    for provider in PROVIDERS:
        for age in range(MAX_AGE + 1):
            ways = {
                pair: factor
                for rate in rates
                if (rate.provider, rate.age) == (provider, age)
                for pair, factor in (
                    ((rate.base, rate.quote), rate.price),
                    ((rate.quote, rate.base), 1 / rate.price),
                )
            }
            if (currency, target) in ways:
                return ways[currency, target]
            for through in sorted({base for base, _ in ways}):
                if (currency, through) in ways and (through, target) in ways:
                    return ways[currency, through] * ways[through, target]
    return None


# By the API


async def stored(
    client: httpx.AsyncClient, name: str, rates: Sequence[Quote], of: list[Sold]
) -> None:
    bodies = {
        "exchange-rates": [
            {
                "base": rate.base,
                "quote": rate.quote,
                "unit": rate.unit,
                "rate": str(rate.rate),
                "provider": f"{name}-{rate.provider}",
                "date": (DAY - timedelta(rate.age)).isoformat(),
            }
            for rate in rates
        ],
        "agreements": [deal(name, at, sold) for at, sold in enumerate(of)],
    }
    for path, several in bodies.items():
        if not several:
            continue
        operations = [{"op": "create", "body": body} for body in several]
        await send_good(client, f"/{path}/bulk", json={"operations": operations})


def deal(name: str, at: int, sold: Sold) -> Body:
    return {
        "ref": f"{name}-{at}",
        "title": "A deal",
        "instrument": "supply_contract",
        "signed": DAY.isoformat(),
        "parties": [{"description": "A firm", "role": "signatory"}],
        "amount": str(sold.amount),
        "currency": sold.currency,
    }


async def converted(
    client: httpx.AsyncClient, name: str, target: str, rates: Sequence[Quote], **more: str
) -> Body:
    used = {f"{name}-{rate.provider}" for rate in rates}
    providers = ",".join(each for each in (f"{name}-{p}" for p in PROVIDERS) if each in used)
    asked = {
        "ref__startswith": f"{name}-",
        "metrics": "count,sum(amount)",
        "convert_to": target,
        "rate_provider": providers,
        "max_rate_age": str(MAX_AGE),
    }
    answer = await client.get("/agreements/aggregate", params=asked | more)
    assert answer.status_code == 200, answer.text
    found: Body = json_codec.loads(answer.content)
    return found


def within(found: Decimal, exact: Fraction) -> bool:
    """Whether it is the exact value, rounded to cents."""
    return abs(Fraction(found) - exact) <= Fraction(1, 200)


CROSSED = [
    Quote("first", "USD", "KZT", Decimal(380)),
    Quote("first", "RUB", "KZT", Decimal("590.5"), 100),
    Quote("second", "EUR", "USD", Decimal("1.12"), age=MAX_AGE),
    Quote("second", "GBP", "USD", Decimal("1.3"), age=MAX_AGE + 1),
]
ONE_OF_EACH = [Sold(Decimal("1000.01"), currency) for currency in CURRENCIES]


@drawing(2)
@example(CROSSED, ONE_OF_EACH, "USD")
@given(rates=quotes(), of=_DEALS, target=st.sampled_from(CURRENCIES))
async def test_money_that_is_converted_comes_back_and_adds_up(
    client: httpx.AsyncClient, rates: list[Quote], of: list[Sold], target: str
) -> None:
    name = f"conv{uuid4().hex[:12]}"
    await stored(client, name, rates, of)
    (whole,) = (await converted(client, name, target, rates))["data"]
    parts = (await converted(client, name, target, rates, group_by="currency"))["data"]
    exact = [(sold, price(rates, sold.currency, target)) for sold in of]
    there = [Fraction(sold.amount) * factor for sold, factor in exact if factor is not None]
    lost = {sold.currency for sold, factor in exact if factor is None}
    # What could not be converted is told and not in the sum.
    assert (whole["sum_amount"] is None) == (not there)
    assert not there or within(whole["sum_amount"], sum(there, Fraction()))
    assert {each["currency"] for each in whole["not_converted"]} == lost
    counts = [
        sum(each["records"] for each in whole[name]) for name in ("original", "not_converted")
    ]
    assert counts == [len(there), len(of) - len(there)]
    for told in (*whole["original"], *whole["not_converted"]):
        own = [sold.amount for sold in of if sold.currency == told["currency"]]
        assert (told["records"], told["sum_amount"]) == (len(own), sum(own))
    # Each part is rounded once.
    known: dict[str, Decimal | None] = {row["currency"]: row["sum_amount"] for row in parts}
    assert {currency for currency, amount in known.items() if amount is None} == lost
    added = sum((amount for amount in known.values() if amount is not None), Decimal())
    assert abs(added - (whole["sum_amount"] or 0)) <= CENT * len(known)
    for currency, amount in known.items():
        if amount is not None:
            before = sum((sold.amount for sold in of if sold.currency == currency), Decimal())
            await check_way_back(client, name, rates, (currency, target), (before, amount))


async def check_way_back(
    client: httpx.AsyncClient,
    name: str,
    rates: Sequence[Quote],
    pair: tuple[str, str],
    amounts: tuple[Decimal, Decimal],
) -> None:
    """What an amount came to is that amount again, but for a cent's half there and one here."""
    (currency, target), (amount, there) = pair, amounts
    back = f"{name}{currency.lower()}"
    await stored(client, back, (), [Sold(there, target)])
    asked = {"ref__startswith": f"{back}-"}
    (group,) = (await converted(client, name, currency, rates, **asked))["data"]
    factor = price(rates, target, currency)
    assert factor is not None
    assert within(group["sum_amount"], Fraction(there) * factor)
    assert abs(Fraction(group["sum_amount"]) - Fraction(amount)) <= (factor + 1) / 200
