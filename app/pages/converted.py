"""Money in one currency, where the address asks for that: second to what is stated."""

from typing import Final

from app.core.loose_types import Value
from app.pages.context import PageContext
from app.pages.figures import CLASSES
from app.pages.reading import Pairs

#: What converts the sums and chooses no deals.
CONVERTING: Final = ("convert_to", "rate_date", "max_rate_age")
#: What the form offers; the address takes every currency.
OFFERED: Final = ("USD", "EUR", "KZT", "RUB", "CNY")
_REASONS: Final = {
    "undated": "why_undated",
    "date_is_no_day": "why_no_day",
    "no_rates_of_currency": "why_no_rates",
    "before_first_rate": "why_before",
    "rate_too_old": "why_too_old",
}
_ASKED: Final = (("group_by", "firmness"), ("metrics", "sum(amount)"))


async def converted(context: PageContext, asked: Pairs) -> dict[str, Value] | None:
    """The sums of each class in one currency, with what could not be converted; None where nobody
    asks for it."""
    converting = [pair for pair in context.pairs if pair[0] in CONVERTING]
    if not converting:
        return None
    pairs = (*_ASKED, *asked, *converting)
    answer = await context.read("/agreements/aggregate", pairs)
    rows = [row for row in answer["data"] if _sums(row, "original") or _sums(row, "not_converted")]
    rows.sort(key=lambda row: CLASSES.index(row["firmness"]))
    return {
        "currency": answer["conversion"]["currency"],
        "rows": [_row(context, row) for row in rows],
        "address": context.api("/agreements/aggregate", pairs),
    }


def _row(context: PageContext, row: Value) -> dict[str, Value]:
    amount = row["sum_amount"]
    return {
        "firmness": row["firmness"],
        "class_name": context.name("firmness", row["firmness"]),
        "amount": None if amount is None else context.number(amount),
        "of": [_sum(context, each) for each in _sums(row, "original")],
        "left": [_left(context, each) for each in _sums(row, "not_converted")],
    }


def _left(context: PageContext, each: Value) -> str:
    """A sum that is not converted, and why."""
    why = context.say(_REASONS[each["reason"]])
    if each["providers"]:
        why = context.say("why_other_rates", providers=", ".join(each["providers"]))
    return f"{_sum(context, each)} ({why})"


def _sums(row: Value, name: str) -> list[Value]:
    """The sums by currency: there is none where all that would be added stands in a whole."""
    return [each for each in row[name] if each.get("sum_amount") is not None]


def _sum(context: PageContext, each: Value) -> str:
    amount = context.number(each["sum_amount"])
    return context.say("money", amount=amount, currency=each["currency"])
