"""The filters of the first page: in the address, in a form, and in words."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from app.core.http.requests import parameters
from app.core.loose_types import Value
from app.engine.labels import label
from app.engine.query.filter_reader import bad_parameter, read_filters
from app.pages.context import AS_OF, LANG, PageContext
from app.pages.converted import CONVERTING, OFFERED
from app.pages.reading import Pairs
from app.resources.agreement import agreement

#: What says how the deals are shown, and not which.
SHOWING: Final = ("sort", "cursor", *CONVERTING)
#: The filters that are the page's own: all others are those of `/agreements`. What came of the
#: parts of a mission came of it.
YEAR, NO_YEAR = "year", "none"
MISSION, UNDER_MISSION = "mission", "mission__under"
_YEAR = re.compile(r"^[12]\d{3}$")
#: How many missions can be chosen from a list: of more the search finds one sooner.
MAX_MISSIONS = 30
#: What a page takes besides the filters of agreements. What their list and their aggregate take
#: more, such as `limit`, the page says itself.
_PARAMETERS: Final = ("q", "filter", MISSION, YEAR, *SHOWING, LANG, AS_OF)
#: The filters of the form, with the words for each and the list that its codes are in.
FORM: Final = (
    (MISSION, "filter_mission", None),
    ("mission__host_country", "filter_country", "countries"),
    ("sectors__under", "filter_sector", "sectors"),
    ("firmness", "filter_class", "firmness"),
    (YEAR, "filter_year", None),
)
_WITH_CODES = {name: codes for name, _, codes in FORM if codes} | {
    "related__relation": "agreement-relationships"
}
_FIELD_WORDS = {name: words for name, words, _ in FORM} | {
    UNDER_MISSION: "filter_mission",
    "q": "filter_text",
    "amount__isnull": "filter_amount",
    "related__relation": "filter_related",
}


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter in words, with where the page is without it."""

    name: str
    value: str
    without: str


@dataclass(frozen=True, slots=True)
class Choice:
    """An option of the form."""

    value: str
    told: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Select:
    """A field of the form."""

    name: str
    told: str
    options: Sequence[Choice]
    #: What is said of no choice.
    none: str


def sent_pairs(query_string: bytes) -> tuple[Pairs, Pairs]:
    """What stands in the address: what is asked, without what a form left empty; and what links
    to other pages keep."""
    pairs = [(name, value) for name, value in parameters(query_string) if value != ""]
    kept = tuple(pair for pair in pairs if pair[0] in (LANG, AS_OF))
    return tuple(pair for pair in pairs if pair[0] not in (LANG, AS_OF)), kept


def filters_in(pairs: Pairs) -> Pairs:
    """The filters among the pairs of an address."""
    return tuple(pair for pair in pairs if pair[0] not in SHOWING)


def as_asked(pairs: Pairs) -> Pairs:
    """The filters as the lists of the service take them; BadRequest for a year that is none."""
    found: list[tuple[str, str]] = []
    for name, value in pairs:
        if name == MISSION:
            found.append((UNDER_MISSION, value))
        elif name != YEAR:
            found.append((name, value))
        elif value == NO_YEAR:
            found.append(("signed_earliest__isnull", "true"))
        elif _YEAR.match(value):
            found += [("signed_earliest__gte", f"{value}-01-01")]
            found += [("signed_earliest__lte", f"{value}-12-31")]
        else:
            raise bad_parameter(YEAR, "value", f"Write a year such as 2026, or {NO_YEAR!r}.")
    return tuple(found)


def check_parameters(pairs: Pairs) -> None:
    """BadRequest for what a page with deals does not take, in words of the page: each read behind
    it takes other parameters."""
    names = [name for name, _ in pairs if name in _PARAMETERS and name != MISSION]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise bad_parameter(twice, "repeated", "It is given more than once.")
    filters = [pair for pair in pairs if pair[0] not in _PARAMETERS or pair[0] in (MISSION, YEAR)]
    read_filters(agreement, as_asked(filters), others=_PARAMETERS)


def replaced(pairs: Pairs, name: str, value: str | None) -> Pairs:
    """The pairs with another value of one, from the first page of deals on."""
    kept = [pair for pair in pairs if pair[0] not in (name, "cursor")]
    return tuple(kept if value is None else [*kept, (name, value)])


async def chips(context: PageContext, filters: Pairs, here: str = "/") -> list[Chip]:
    """What is shown, in words."""
    found = []
    for name, value in filters:
        without = context.page(here, [pair for pair in context.pairs if pair != (name, value)])
        found.append(Chip(_field(context, name), await _told(context, name, value), without))
    return found


def _field(context: PageContext, name: str) -> str:
    if name in _FIELD_WORDS:
        return context.say(_FIELD_WORDS[name])
    path, _, operator = name.partition("__")
    try:
        told = label(agreement, (path,), context.language)
    except KeyError:
        return name
    return f"{told} ({operator})" if operator else told


async def _told(context: PageContext, name: str, value: str) -> str:
    if name in (MISSION, UNDER_MISSION):
        return context.title(await context.read("/missions/{key}", key=value))
    if name == YEAR and value == NO_YEAR:
        return context.say("no_year")
    if name == "amount__isnull" and value in ("true", "false"):
        return context.say("not_stated" if value == "true" else "stated")
    if name in _WITH_CODES:
        return ", ".join(context.name(_WITH_CODES[name], code) for code in value.split(","))
    return context.say("in_quotes", text=value) if name == "q" else value


async def selects(context: PageContext) -> list[Select]:
    """The fields of the form with what can be chosen."""
    options = {
        MISSION: await _missions(context),
        "mission__host_country": await _countries(context),
        "sectors__under": await _sectors(context),
        "firmness": _classes(context),
        YEAR: await _years(context),
    }
    sent = dict(context.pairs)
    fields = [
        Select(
            name, context.say(words), _choices(options[name], sent.get(name)), context.say("any")
        )
        for name, words, _ in FORM
    ]
    currencies = [(code, f"{code} – {context.name('currencies', code)}") for code in OFFERED]
    chosen = _choices(currencies, sent.get("convert_to"))
    none = context.say("do_not_convert")
    return [*fields, Select("convert_to", context.say("convert_to"), chosen, none)]


def _choices(options: Sequence[tuple[str, str]], chosen: str | None) -> list[Choice]:
    found = [Choice(value, told, value == chosen) for value, told in options]
    if chosen is not None and not any(each.is_chosen for each in found):
        found.insert(0, Choice(chosen, chosen, is_chosen=True))
    return found


async def _missions(context: PageContext) -> list[tuple[str, str]]:
    asked = (("sort", "-dates_earliest"), ("limit", str(MAX_MISSIONS)))
    fields = ("fields", "id,ref,title,title_en")
    rows = await context.rows("/missions", (*asked, fields))
    return [(row["ref"] or row["id"], context.title(row)[:80]) for row in rows]


async def _countries(context: PageContext) -> list[tuple[str, str]]:
    found = await context.read("/missions/aggregate", (("group_by", "host_country"),))
    codes = [row["host_country"] for row in found["data"] if row["host_country"]]
    return sorted(((c, context.name("countries", c)) for c in codes), key=lambda each: each[1])


async def _sectors(context: PageContext) -> list[tuple[str, str]]:
    asked = (("group_by", "sector(sectors,section)"),)
    found = await context.read("/agreements/aggregate", asked)
    codes: list[Value] = [row["sectors_section"] for row in found["data"]]
    return [(code, context.name("sectors", code)) for code in sorted(c for c in codes if c)]


def _classes(context: PageContext) -> list[tuple[str, str]]:
    from app.pages.figures import CLASSES

    return [(key, context.name("firmness", key)) for key in CLASSES]


async def _years(context: PageContext) -> list[tuple[str, str]]:
    found = await context.read("/agreements/aggregate", (("group_by", "year(signed)"),))
    years = {str(row["year_signed"]) for row in found["data"]}
    stated = sorted((year for year in years if _YEAR.match(year)), reverse=True)
    return [*((year, year) for year in stated), (NO_YEAR, context.say("no_year"))]
