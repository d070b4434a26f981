"""Money by currency: a bar for each class, never a grand total."""

from collections.abc import Sequence, Set
from dataclasses import dataclass
from decimal import Decimal

from markupsafe import Markup

from app.charts.numbers import number_text
from app.pages import formats
from app.pages.bars import money_bar, most_of
from app.pages.context import PageContext
from app.pages.figures import Amount, Figures, Sum
from app.pages.filters import replaced
from app.resources.money import AmountPeriod

#: How many currencies have bars; the others are told.
MAX_CURRENCIES = 6


@dataclass(frozen=True, slots=True)
class MoneyRow:
    """A sum with its bar."""

    firmness: str
    #: Which it is of all sums of the page.
    key: str
    class_name: str
    bar: Markup
    amount: str
    limits: str | None
    stated: str
    address: str


@dataclass(frozen=True, slots=True)
class Money:
    """The sums in one currency."""

    code: str
    name: str
    about: str
    rows: Sequence[MoneyRow]


def money_of(context: PageContext, figures: Figures, path: str) -> list[Money]:
    """The sums of each currency, with their bars."""
    currencies = list(figures.currencies.items())[:MAX_CURRENCIES]
    return [_currency(context, code, sums, figures.total, path) for code, sums in currencies]


def _currency(context: PageContext, code: str, sums: Sequence[Sum], total: int, path: str) -> Money:
    most = most_of([each for each in sums if not each.is_yearly])
    stated = sum(each.agreements for each in sums)
    about = context.say("stated_by", n=context.share(stated), of=context.of_deals(total))
    yearly = {each.firmness for each in sums if each.is_yearly}
    rows = [_money_row(context, each, most, path, yearly) for each in sums]
    return Money(code, context.name("currencies", code), about, rows)


def _money_row(
    context: PageContext, each: Sum, most: Decimal, path: str, yearly: Set[str]
) -> MoneyRow:
    pairs = replaced(replaced(context.pairs, "firmness", each.firmness), "currency", each.currency)
    if each.firmness in yearly:
        period = "amount_period" if each.is_yearly else "amount_period__ne"
        pairs = replaced(pairs, period, AmountPeriod.per_year)
    amount = number_text(each.value or 0, context.language)
    return MoneyRow(
        firmness=each.firmness,
        key=f"{each.currency}-{each.firmness}{'-year' if each.is_yearly else ''}",
        class_name=context.name("firmness", each.firmness),
        # What comes each year has no length beside what comes once.
        bar=Markup("") if each.is_yearly else money_bar(each, most),
        amount=context.say("amount_per_year", amount=amount) if each.is_yearly else amount,
        limits=limits_of(context, each.at_least, each.at_most) if each.not_exact else None,
        stated=context.say("deals_stating", each.agreements, n=context.number(each.agreements)),
        address=context.page(path, pairs, "#deals"),
    )


def limits_of(context: PageContext, least: Amount | None, most: Amount | None) -> str:
    """What a sum is at least and at most that is not exact."""
    if least is None and most is None:
        return context.say("only_about")
    told = []
    if least is not None:
        amount = formats.limit_number(least, context.language)
        told.append(context.say("amount_at_least", amount=amount))
    if most is None:
        return ", ".join([*told, context.say("no_upper_limit")])
    amount = formats.limit_number(most, context.language)
    return ", ".join([*told, context.say("amount_at_most", amount=amount)])
