"""The first page: what came of all missions, or of those that the filters leave."""

from collections.abc import Set
from functools import partial

from markupsafe import Markup

from app.core.loose_types import Value
from app.core.public_path import public_path
from app.pages.context import PageContext
from app.pages.converted import converted
from app.pages.deals import deal_files, deal_table
from app.pages.figures import ASKED, Figures, read_figures
from app.pages.filters import (
    MISSION,
    as_asked,
    check_parameters,
    chips,
    filters_in,
    replaced,
    selects,
)
from app.pages.firmness import class_parts, strip_of
from app.pages.inline_charts import InlineCharts
from app.pages.money_rows import MAX_CURRENCIES, money_of
from app.pages.parts_of_deals import part_notes
from app.pages.reading import Pairs
from app.pages.sentence import Addresses, Told, sentence

#: From so many deals on, who deals with whom is drawn where it is asked for: it takes seconds.
MAX_DRAWN_AT_ONCE = 10_000
#: A mission that is no part of another.
_WHOLE: Pairs = (("parent_id__isnull", "true"),)
_BY_MISSION: Pairs = (
    ("group_by", "mission_id,mission.parent_id"),
    ("metrics", "count"),
    ("limit", "10000"),
)
#: Legs that have legs, with the mission above each.
_LEGS_ABOVE: Pairs = (
    ("parent__parent_id__isnull", "false"),
    ("group_by", "parent_id,parent.parent_id"),
    ("limit", "10000"),
)
#: Up to so many missions are named in an address.
_MAX_LISTED = 100
_CHART_WIDTH, _WIDE_CHART_WIDTH = 480, 760


async def overview(context: PageContext, charts: InlineCharts) -> dict[str, Value]:
    """What the template of the first page takes."""
    check_parameters(context.pairs)
    filters = filters_in(context.pairs)
    asked = as_asked(filters)
    figures = await read_figures(context, asked)
    missions = await _missions_of(context, asked) if filters else None
    told = await _told(context, filters, missions)
    to = _addresses(context, _list_of(missions))
    return {
        "sentences": sentence(context, figures, told, to),
        "figures": figures,
        "strip": strip_of(context, figures, "/"),
        "legend": class_parts(context, figures, "/"),
        "money": money_of(context, figures, "/"),
        "converted": await converted(context, asked),
        "part_notes": await part_notes(context, figures, asked, here="/"),
        "more_currencies": max(0, len(figures.currencies) - MAX_CURRENCIES),
        "charts": await _charts(context, charts, figures, filters, asked),
        "deals": await deal_table(context),
        "chips": await chips(context, filters),
        "selects": await selects(context),
        "q": dict(filters).get("q", ""),
        "others": _others(context),
        "api": (api := _api(context, asked)),
        **await context.citing(
            api["figures"],
            (
                *deal_files(context, "/agreements"),
                (context.say("datasets"), f"{public_path('/guide')}#odata"),
            ),
        ),
    }


async def _told(context: PageContext, filters: Pairs, of: Set[str] | None) -> Told:
    """How many missions the deals are of, and how many companies went, where one mission is."""
    named = [value for name, value in filters if name == MISSION]
    mission = named[0] if len(named) == 1 else None
    if of is not None:
        missions = len(of)
    else:
        answer = await context.read("/missions/aggregate", _WHOLE)
        missions = int(answer["data"][0]["count"]) if answer["data"] else 0
    if missions == 1 and mission is None and not filters:
        rows = await context.rows("/missions", (*_WHOLE, ("fields", "id"), ("limit", "1")))
        mission = str(rows[0]["id"]) if rows else None
    companies = None if mission is None else await reported_companies(context, mission)
    return Told(missions, companies, bool(filters))


async def _missions_of(context: PageContext, asked: Pairs) -> set[str]:
    """The ids of the missions that these deals are of: a journey is one, whatever legs it has."""
    answer = await context.read("/agreements/aggregate", (*_BY_MISSION, *asked))
    found = {row["mission_parent_id"] or row["mission_id"] for row in answer["data"]} - {None}
    legs = (await context.read("/missions/aggregate", _LEGS_ABOVE))["data"]
    above = {leg["parent_id"]: leg["parent_parent_id"] for leg in legs}
    while found & above.keys():
        found = {above.get(each, each) for each in found}
    return found


def _list_of(missions: Set[str] | None) -> Pairs:
    """What leaves these missions in the list of them, and otherwise those that are no parts; of
    too many for an address all that are no parts."""
    if missions is None or len(missions) > _MAX_LISTED:
        return _WHOLE
    return (("id__in", ",".join(sorted(missions))),)


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


def _addresses(context: PageContext, missions: Pairs) -> Addresses:
    here = partial(context.page, "/")
    return Addresses(
        missions=context.page("/pages/missions", missions),
        companies=context.api("/reported-totals", (("measure", "companies"),)),
        deals=here(replaced(context.pairs, "cursor", None), "#deals"),
        money="#money",
        without_amount=here(replaced(context.pairs, "amount__isnull", "true"), "#deals"),
        of_class=lambda key: here(replaced(context.pairs, "firmness", key), "#deals"),
    )


async def _charts(
    context: PageContext, charts: InlineCharts, figures: Figures, filters: Pairs, asked: Pairs
) -> dict[str, Markup | None]:
    if not figures.total:
        return {"signings": None, "missions": None, "partners": None}
    language, request = context.language, context.request
    found: dict[str, Markup | None] = {"missions": None, "partners": None}
    wide = _WIDE_CHART_WIDTH if filters else _CHART_WIDTH
    found["signings"] = await charts.svg(request, "signings", asked, language, wide)
    if not filters:
        found["missions"] = await charts.svg(request, "missions", _WHOLE, language, _CHART_WIDTH)
    if figures.total <= MAX_DRAWN_AT_ONCE:
        found["partners"] = await charts.svg(
            request, "partners", asked, language, _WIDE_CHART_WIDTH
        )
    return found


def _others(context: PageContext) -> Pairs:
    """What the form has no field for and keeps."""
    own = {
        MISSION,
        "mission__host_country",
        "sectors__under",
        "firmness",
        "year",
        "q",
        "cursor",
    } | {"convert_to"}
    return tuple(pair for pair in context.pairs if pair[0] not in own)


def _api(context: PageContext, asked: Pairs) -> dict[str, str]:
    """The reads that the page's figures are of."""
    filters = dict.fromkeys(asked)
    return {
        "figures": context.api("/agreements/aggregate", (*ASKED, *filters)),
        "partners": context.api("/charts/partners.svg", (*filters, ("lang", context.language))),
        "signings": context.api("/charts/signings.svg", (*filters, ("lang", context.language))),
    }
