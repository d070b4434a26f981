"""The chart of amounts: sums by currency and class, with their limits."""

from functools import partial

from app.charts import words
from app.charts.counts import AGGREGATE
from app.charts.drawing import Asked, Chart, Drawing, Pairs
from app.charts.marks import CLASS_MARKS
from app.charts.money_panels import draw_money
from app.charts.numbers import number_text
from app.charts.pictures import Amount, Currency
from app.charts.vega import amounts
from app.core.loose_types import Json
from app.resources.agreement import agreement
from app.resources.firmness import Firmness

_METRICS = "count,sum(amount),at_least(amount),at_most(amount),not_exact(amount)"
_FIRM = (Firmness.signed_binding, Firmness.accomplished)
MAX_CURRENCIES = 8


def _pairs(asked: Asked) -> Pairs:
    return [("group_by", "currency,firmness"), ("metrics", _METRICS), ("limit", "10000")]


def _amount(group: Json, asked: Asked) -> Amount:
    value, low, high = (group[f"{name}_amount"] for name in ("sum", "at_least", "at_most"))
    if not group["not_exact_amount"]:
        low = high = value
    return Amount(
        mark=group["firmness"],
        label=asked.name("firmness", group["firmness"]),
        value=value,
        at_least=low,
        at_most=high,
        is_firm=group["firmness"] in _FIRM,
        about=_told(group, asked),
    )


def _told(group: Json, asked: Asked) -> str:
    """The sum in words, with its limits where it is not exact."""
    value, low, high = (group[f"{name}_amount"] for name in ("sum", "at_least", "at_most"))
    told = [number_text(value, asked.language)]
    if group["not_exact_amount"]:
        if low is not None and low != value:
            told.append(asked.say(words.AT_LEAST, amount=number_text(low, asked.language)))
        if high is not None and high != value:
            told.append(asked.say(words.AT_MOST, amount=number_text(high, asked.language)))
        if high is None:
            told[0] = f"≥ {told[0]}" if low == value else f"≈ {told[0]}"
    return ", ".join(told)


def _currency(code: str, groups: list[Json], in_all: int, asked: Asked) -> Currency:
    order = list(CLASS_MARKS)
    groups = sorted(groups, key=lambda group: order.index(group["firmness"]))
    stated = number_text(sum(group["count"] for group in groups), asked.language)
    count = number_text(in_all, asked.language)
    about = asked.say(words.WITH_AMOUNT, stated=stated, count=count)
    added = [_amount(group, asked) for group in groups if group["sum_amount"] is not None]
    return Currency(code, asked.name("currency", code), about, added)


def _money(answer: Json, asked: Asked) -> Drawing:
    found: dict[str, list[Json]] = {}
    without, in_all = 0, sum(group["count"] for group in answer["data"])
    for group in answer["data"]:
        if group["currency"] is None:
            without += group["count"]
        else:
            found.setdefault(group["currency"], []).append(group)
    currencies = [_currency(code, groups, in_all, asked) for code, groups in found.items()]
    # Those that most agreements are in come first: amounts in them cannot be compared.
    counts = {code: sum(group["count"] for group in groups) for code, groups in found.items()}
    currencies = [each for each in currencies if each.amounts]
    currencies.sort(key=lambda each: (-counts[each.code], each.code))
    notes = [asked.say(words.AMOUNT_READING)] if currencies else []
    if rest := currencies[MAX_CURRENCIES:]:
        count = number_text(sum(counts[each.code] for each in rest), asked.language)
        groups = number_text(len(rest), asked.language)
        notes.append(asked.say(words.CUT, groups=groups, count=count))
    withheld = answer["withheld_values"]["amount"]
    if without := without - withheld:
        notes.append(asked.say(words.NO_AMOUNT, count=number_text(without, asked.language)))
    if withheld:
        notes.append(asked.say(words.WITHHELD, count=number_text(withheld, asked.language)))
    left = {
        name: number_text(answer["left_out"].get(name, 0), asked.language)
        for name in ("parts", "replaced", "per_year")
    }
    if any(answer["left_out"].values()):
        notes.append(asked.say(words.MONEY_LEFT_OUT, **left))
    drawn = currencies[:MAX_CURRENCIES]
    there = {amount.mark for currency in drawn for amount in currency.amounts}
    return Drawing(
        draw=partial(draw_money, drawn),
        marks=CLASS_MARKS,
        legend=[(key, asked.name("firmness", key)) for key in CLASS_MARKS if key in there],
        rows=[_row(currency, amount) for currency in drawn for amount in currency.amounts],
        vega=amounts(),
        axis=words.AXIS,
        nothing=words.NO_AMOUNTS,
        notes=notes,
    )


def _row(currency: Currency, amount: Amount) -> Json:
    return {
        "currency": currency.code,
        "class": amount.label,
        "class_key": amount.mark,
        "value": amount.value,
        "at_least": amount.at_least,
        "at_most": amount.at_most,
    }


MONEY = Chart("money", agreement, AGGREGATE, _pairs, ("currency", "firmness"), _money)
