"""The first page: what came of all missions, or of those that the filters leave."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial

from markupsafe import Markup

from app.charts.numbers import number_text
from app.core.loose_types import Value
from app.pages import formats
from app.pages.bars import Part, money_bar, most_of, strip
from app.pages.context import PageContext
from app.pages.deals import deal_table
from app.pages.figures import ASKED, Figures, Sum, figures_of
from app.pages.filters import as_asked, chips, filters_in, replaced, selects
from app.pages.inline_charts import InlineCharts
from app.pages.reading import Pairs, page_position
from app.pages.sentence import Addresses, Told, sentence

#: From so many deals on, who deals with whom is drawn where it is asked for: it takes seconds.
MAX_DRAWN_AT_ONCE = 10_000
#: How many currencies have bars; the others are told.
MAX_CURRENCIES = 6
_CHART_WIDTH, _WIDE_CHART_WIDTH = 480, 760


@dataclass(frozen=True, slots=True)
class MoneyRow:
    """A sum with its bar."""

    firmness: str
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


async def overview(context: PageContext, charts: InlineCharts) -> dict[str, Value]:
    """What the template of the first page takes."""
    filters = filters_in(context.pairs)
    asked = as_asked(filters)
    figures = figures_of(await context.read("/agreements/aggregate", (*ASKED, *asked)))
    told, to = await _told(context, filters, asked), _addresses(context)
    return {
        "sentences": sentence(context, figures, told, to),
        "figures": figures,
        "strip": _strip(context, figures),
        "legend": _legend(context, figures),
        "money": money_of(context, figures),
        "more_currencies": max(0, len(figures.currencies) - MAX_CURRENCIES),
        "charts": await _charts(context, charts, figures, filters, asked),
        "deals": await deal_table(context),
        "chips": await chips(context, filters),
        "selects": await selects(context),
        "q": dict(filters).get("q", ""),
        "others": _others(context),
        "api": _api(context, asked),
        "position": (position := context.as_of or await page_position(context.request)),
        "permalink": context.permalink(position),
    }


async def _told(context: PageContext, filters: Pairs, asked: Pairs) -> Told:
    """How many missions the deals are of, and how many companies went, where one mission is."""
    mission = dict(filters).get("mission")
    if filters:
        metrics = ("metrics", "count_distinct(mission_id)")
        answer = await context.read("/agreements/aggregate", (metrics, *asked))
        missions = int(answer["data"][0]["count_distinct_mission_id"]) if answer["data"] else 0
    else:
        answer = await context.read("/missions/aggregate")
        missions = int(answer["data"][0]["count"]) if answer["data"] else 0
    if missions == 1 and mission is None and not filters:
        rows = await context.rows("/missions", (("fields", "id"), ("limit", "1")))
        mission = str(rows[0]["id"]) if rows else None
    companies = None if mission is None else await reported_companies(context, mission)
    return Told(missions, companies, bool(filters))


async def reported_companies(context: PageContext, mission: str) -> str | None:
    """How many companies a source says that went, where its claims agree."""
    summary = await context.read("/missions/{key}/summary", key=mission)
    found = [
        each
        for each in summary["reported"]
        if each["measure"] == "companies" and each["scope"] is None and each["part_of_id"] is None
    ]
    if len(found) != 1 or found[0]["value"] is None:
        return None
    return context.number(found[0]["value"])


def _addresses(context: PageContext) -> Addresses:
    here = partial(context.page, "/")
    return Addresses(
        missions=context.page("/pages/missions"),
        companies=context.api("/reported-totals", (("measure", "companies"),)),
        deals=here(replaced(context.pairs, "cursor", None), "#deals"),
        money="#money",
        without_amount=here(replaced(context.pairs, "amount__isnull", "true"), "#deals"),
        of_class=lambda key: here(replaced(context.pairs, "firmness", key), "#deals"),
    )


def _strip(context: PageContext, figures: Figures) -> Markup | None:
    if not figures.total:
        return None
    return strip(figures, partial(_part, context), context.say("strip_about"))


def _part(context: PageContext, key: str, count: int) -> Part:
    address = context.page("/", replaced(context.pairs, "firmness", key), "#deals")
    return Part(key, count, context.number(count), address, context.name("firmness", key))


def _legend(context: PageContext, figures: Figures) -> list[Part]:
    """All classes with their counts; what nothing was replaced by is not told of."""
    return [
        _part(context, key, count)
        for key, count in figures.counts.items()
        if count or key != "replaced"
    ]


def money_of(context: PageContext, figures: Figures, path: str = "/") -> list[Money]:
    """The sums of each currency, with their bars."""
    currencies = list(figures.currencies.items())[:MAX_CURRENCIES]
    return [_currency(context, code, sums, figures.total, path) for code, sums in currencies]


def _currency(context: PageContext, code: str, sums: Sequence[Sum], total: int, path: str) -> Money:
    most = most_of(sums)
    stated = sum(each.stated for each in sums)
    about = context.say("stated_by", stated, n=context.number(stated), of=context.number(total))
    rows = [_money_row(context, each, most, path) for each in sums]
    return Money(code, context.name("currencies", code), about, rows)


def _money_row(context: PageContext, each: Sum, most: Decimal, path: str) -> MoneyRow:
    pairs = replaced(replaced(context.pairs, "firmness", each.firmness), "currency", each.currency)
    return MoneyRow(
        firmness=each.firmness,
        class_name=context.name("firmness", each.firmness),
        bar=money_bar(each, most),
        amount=number_text(each.value or 0, context.language),
        limits=_limits(context, each),
        stated=context.say("deals_stating", each.stated, n=context.number(each.stated)),
        address=context.page(path, pairs, "#deals"),
    )


def _limits(context: PageContext, each: Sum) -> str | None:
    """What a sum is at least and at most, where it is not exact."""
    if not each.not_exact:
        return None
    told = []
    if each.at_least is not None:
        amount = formats.large_number(each.at_least, context.language)
        told.append(context.say("amount_at_least", amount=amount))
    if each.at_most is not None:
        amount = formats.large_number(each.at_most, context.language)
        told.append(context.say("amount_at_most", amount=amount))
    else:
        told.append(context.say("no_upper_limit"))
    return ", ".join(told)


async def _charts(
    context: PageContext, charts: InlineCharts, figures: Figures, filters: Pairs, asked: Pairs
) -> dict[str, Markup | None]:
    if not figures.total:
        return {"signings": None, "missions": None, "partners": None}
    language, request = context.language, context.request
    found: dict[str, Markup | None] = {"missions": None, "partners": None}
    found["signings"] = await charts.svg(request, "signings", asked, language, _CHART_WIDTH)
    if not filters:
        found["missions"] = await charts.svg(request, "missions", (), language, _CHART_WIDTH)
    if figures.total <= MAX_DRAWN_AT_ONCE:
        found["partners"] = await charts.svg(
            request, "partners", asked, language, _WIDE_CHART_WIDTH
        )
    return found


def _others(context: PageContext) -> Pairs:
    """What the form has no field for and keeps."""
    own = {"mission", "mission__host_country", "sectors__under", "firmness", "year", "q", "cursor"}
    return tuple(pair for pair in context.pairs if pair[0] not in own)


def _api(context: PageContext, asked: Pairs) -> dict[str, str]:
    """The reads that the page's figures are of, and files of the same records."""
    filters = dict.fromkeys(asked)
    sort = [pair for pair in context.pairs if pair[0] == "sort"]
    return {
        "figures": context.api("/agreements/aggregate", (*ASKED, *filters)),
        "list": context.api("/agreements", (*filters, *sort)),
        "csv": context.api("/agreements.csv", (*filters, *sort)),
        "xlsx": context.api("/agreements.xlsx", (*filters, *sort)),
        "partners": context.api("/charts/partners.svg", (*filters, ("lang", context.language))),
        "signings": context.api(
            "/agreements/aggregate", (("group_by", "month(signed),firmness"), *filters)
        ),
    }
