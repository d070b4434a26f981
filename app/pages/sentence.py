"""The sentence at the top: what came of it, made of the figures."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from markupsafe import Markup

from app.charts.marks import CLASS_MARKS
from app.pages import formats
from app.pages.context import PageContext
from app.pages.figures import Figures, Sum
from app.resources.firmness import Firmness

#: Up to here numbers are words in a sentence.
_MAX_WORD = 9
_MAX_SUMS = 4

#: Makes a link: of what it says, where it leads, and what is counted.
Link = Callable[[str, str, str], Markup]


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the figures of a sentence lead."""

    missions: str
    companies: str
    deals: str
    money: str
    without_amount: str
    of_class: Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Told:
    """What the sentence tells besides the figures of agreements."""

    missions: int | None
    #: How many companies went, as a source says, where one figure can be told.
    companies: str | None
    is_filtered: bool


def sentence(context: PageContext, figures: Figures, told: Told, to: Addresses) -> list[Markup]:
    """The sentences: what there is, what of it binds for how much, and what is not known."""
    if not figures.total and not told.missions:
        return [Markup.escape(context.say("no_match" if told.is_filtered else "no_deals_yet"))]
    begun = _begun(context, figures, told, to)
    if not figures.total:
        none = context.say("no_match" if told.is_filtered else "no_deals_yet")
        return [_sentence([*begun]), Markup.escape(none)]
    classes = Markup(", ").join(
        context.words.html(
            f"class_{key}", figures.counts[key], n=_count(context, figures.counts[key], to, key)
        )
        for key in CLASS_MARKS
        if figures.counts[key]
    )
    return [_sentence([*begun], classes), *_money(context, figures, to)]


def _begun(context: PageContext, figures: Figures, told: Told, to: Addresses) -> Iterable[Markup]:
    words = context.words
    if told.missions:
        n = _figure(
            _first(spelt(context, told.missions)), to.missions, context.say("counts_missions")
        )
        yield words.html("missions", told.missions, n=n)
    if told.companies is not None:
        n = _figure(told.companies, to.companies, context.say("counts_companies"))
        digits = "".join(c for c in told.companies if c.isdigit())
        yield words.html("companies_reported", int(digits[-2:] or 0), n=n)
    if figures.total:
        total = spelt(context, figures.total)
        total = total if told.missions or told.companies else _first(total)
        n = _figure(total, to.deals, context.say("counts_deals"))
        yield words.html("deals", figures.total, n=n)


def _sentence(parts: list[Markup], rest: Markup | None = None) -> Markup:
    begun = Markup(", ").join(parts)
    return Markup("{}.").format(begun) if rest is None else Markup("{}: {}.").format(begun, rest)


def _count(context: PageContext, count: int, to: Addresses, key: str) -> Markup:
    return _figure(spelt(context, count), to.of_class(key), context.name("firmness", key))


def _figure(told: str, address: str, title: str) -> Markup:
    return Markup('<a class="fig" href="{}" title="{}">{}</a>').format(address, title, told)


def spelt(context: PageContext, count: int) -> str:
    """A small number as a word, of the gender that all nouns here have; else its digits."""
    if 0 < count <= _MAX_WORD:
        return context.say("numerals").split()[count - 1]
    return context.number(count)


def _money(context: PageContext, figures: Figures, to: Addresses) -> Iterable[Markup]:
    words, total = context.words, figures.total
    sums = [each for sums in figures.currencies.values() for each in sums]
    binding = [each for each in sums if each.firmness == Firmness.signed_binding]
    classes = [key for key, count in figures.counts.items() if count]
    if binding:
        yield _stated(context, "money_binding", binding, figures, to)
    elif sums and len(classes) == 1:
        yield _stated(context, "money_of_class", sums, figures, to)
    elif sums and figures.counts[Firmness.signed_binding]:
        yield words.html("money_none_binding")
    if figures.without_amount:
        n = _first(_share(context, figures.without_amount))
        link = _figure(n, to.without_amount, context.say("counts_without_amount"))
        of = _oblique(context, total)
        yield words.html("money_without", figures.without_amount, n=link, of=of)


def _stated(
    context: PageContext, key: str, sums: list[Sum], figures: Figures, to: Addresses
) -> Markup:
    """What the deals of a class come to in each currency, and how many of them say so."""
    words = context.words
    # Where one alone would be left, it is no longer than to say so.
    most = len(sums) if len(sums) <= _MAX_SUMS + 1 else _MAX_SUMS
    listed = Markup(", ").join(_sum(context, each, to) for each in sums[:most])
    if more := len({each.currency for each in sums[most:]}):
        listed += words.html("more_currencies", more, n=context.number(more))
    stated, of = sum(each.agreements for each in sums), figures.counts[sums[0].firmness]
    n, of_all = _share(context, stated), _oblique(context, of)
    return words.html(key, amounts=listed, n=n, of=of_all)


def _first(told: str) -> str:
    """The first word of a sentence."""
    return told[:1].upper() + told[1:]


def _oblique(context: PageContext, count: int) -> str:
    """A number where its word would be inflected: a word in English alone."""
    return spelt(context, count) if context.language == "en" else context.number(count)


def _share(context: PageContext, count: int) -> str:
    """Of how many of these something is true."""
    if context.language == "kk":
        return formats.share(count, "kk")
    return _oblique(context, count)


def _sum(context: PageContext, each: Sum, to: Addresses) -> Markup:
    told = _as_stated(context, each)
    if each.is_yearly:
        told = context.say("amount_per_year", amount=told)
    title = context.name("currencies", each.currency)
    return _figure(told, to.money, title)


def _as_stated(context: PageContext, each: Sum) -> str:
    """The sum, or between what it lies: a limit is no approximation."""
    low, high, language = each.at_least, each.at_most, context.language
    if not each.not_exact or (not low and high is None):
        value = each.value or 0
        amount = formats.large_number(formats.rounded(value), language)
        if each.not_exact or not formats.is_round(value):
            amount = context.say("amount_about", amount=amount)
        return context.say("money", amount=amount, currency=each.currency)
    if low and high is not None:
        amount = formats.large_range(low, high, language)
        if not (formats.is_round(low) and formats.is_round(high)):
            amount = context.say("amount_about", amount=amount)
        return context.say("money", amount=amount, currency=each.currency)
    key, limit = ("amount_at_least", low) if low else ("amount_at_most", high)
    amount = formats.limit_number(limit or 0, language)
    told = context.say("money", amount=amount, currency=each.currency)
    return context.say(key, amount=told)
