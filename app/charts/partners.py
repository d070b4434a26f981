"""The chart of who deals with whom."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from starlette.requests import Request

from app.charts import words
from app.charts.drawing import Asked, Chart, Drawing
from app.charts.lines import draw_lines
from app.charts.marks import CLASS_MARKS
from app.charts.numbers import number_text
from app.charts.pictures import Deal, Party, Segment
from app.charts.vega import pairs as vega_pairs
from app.core import json_codec
from app.core.loose_types import Json
from app.insights.choice import ChoiceQuery, read_choice
from app.insights.partners import PartnersShape, partners_statement, unpaired_statement
from app.resources.agreement import agreement
from app.rest.audience import reading_dialect
from app.rest.handlers import database_of

MAX_PARTIES = 60
#: Among so many pairs there are as many parties as are drawn, however they deal.
_MAX_PAIRS = 400


async def read_partners(request: Request, query: ChoiceQuery) -> Json:
    """The pairs, how many there are in all, and how many agreements are in none."""
    choice, values, _ = await read_choice(request, agreement, query)
    shape, dialect, database = PartnersShape(choice), reading_dialect(request), database_of(request)
    asked = {**values, "limit": _MAX_PAIRS}
    rows = await database.read(await partners_statement.beside_loop(shape, dialect), asked)
    statement = await unpaired_statement.beside_loop(shape, dialect)
    ((records, alone),) = await database.read(statement, values)
    return {
        "data": [json_codec.loads_stored(row[0]) for row in rows],
        "in_all": rows[0][1] if rows else 0,
        "agreements": int(records),
        "alone": int(alone),
    }


def _partners(answer: Json, asked: Asked) -> Drawing:
    chosen = _drawn(answer["data"])
    organizations = {pair[side]["id"]: pair[side] for pair in chosen for side in _SIDES}
    names = {key: _name(each, asked) for key, each in organizations.items()}
    deals = [_deal(pair, asked) for pair in chosen]
    sides = _sides(chosen, organizations)
    parties = _ordered(deals, sides)
    shown = [
        Party(key, names[key], organizations[key]["country"] or "", sides[key]) for key in parties
    ]
    deals = [each if sides[each.left] else _turned(each) for each in deals]
    there = {s.mark for deal in deals for s in deal.segments}
    notes: list[str] = []
    if left := answer["in_all"] - len(chosen):
        told = {"parties": len(parties), "pairs": number_text(left, asked.language)}
        notes.append(asked.say(words.PARTNERS_CUT, **told))
    if answer["alone"]:
        alone = number_text(answer["alone"], asked.language)
        notes.append(asked.say(words.PARTNERS_ALONE, count=alone))
    return Drawing(
        draw=partial(draw_lines, shown, deals),
        marks=CLASS_MARKS,
        legend=[(key, asked.name("firmness", key)) for key in CLASS_MARKS if key in there],
        rows=[_row(deal, segment, names) for deal in deals for segment in deal.segments],
        vega=vega_pairs(),
        axis=words.AXIS,
        nothing=words.NO_PARTNERS,
        notes=notes,
        is_of_lines=True,
    )


_SIDES = ("one", "other")


def _drawn(pairs: Sequence[Json]) -> list[Json]:
    """The pairs that most agreements are between, as far as there is room for their parties."""
    there: set[str] = set()
    found: list[Json] = []
    for pair in pairs:
        both = {pair[side]["id"] for side in _SIDES}
        if len(there | both) <= MAX_PARTIES:
            there |= both
            found.append(pair)
    return found


def _name(organization: Json, asked: Asked) -> str:
    english = organization["name_en"] if asked.language == "en" else None
    return str(english or organization["name"])


def _deal(pair: Json, asked: Asked) -> Deal:
    both = " – ".join(_name(pair[side], asked) for side in _SIDES)
    segments = [
        Segment(key, pair[key], f"{both} · {asked.name('firmness', key)}")
        for key in CLASS_MARKS
        if pair[key]
    ]
    return Deal(pair["one"]["id"], pair["other"]["id"], segments)


def _turned(deal: Deal) -> Deal:
    return replace(deal, left=deal.right, right=deal.left)


def _sides(pairs: Sequence[Json], organizations: Mapping[str, Json]) -> dict[str, bool]:
    """Who is in the left column: of two that deal with each other one, and best who is of the
    country that most are of."""
    countries = [each["country"] for each in organizations.values() if each["country"]]
    home = max(sorted(set(countries)), key=countries.count, default=None)
    found: dict[str, bool] = {}
    for pair in pairs:
        one, other = (pair[side]["id"] for side in _SIDES)
        if one not in found and other not in found:
            is_home = [organizations[each]["country"] == home for each in (one, other)]
            found[one] = is_home[0] or not is_home[1]
        if one not in found:
            found[one] = not found[other]
        found.setdefault(other, not found[one])
    return found


def _ordered(deals: Sequence[Deal], sides: Mapping[str, bool]) -> list[str]:
    """The parties: in the left column those with most agreements first, in the right one each
    near to whom it deals with."""
    totals: dict[str, int] = dict.fromkeys(sides, 0)
    for deal in deals:
        for key in (deal.left, deal.right):
            totals[key] += deal.total
    left = sorted((key for key in sides if sides[key]), key=lambda key: -totals[key])
    places = {key: at for at, key in enumerate(left)}

    def near(key: str) -> float:
        met = [
            places[other]
            for deal in deals
            for own, other in ((deal.left, deal.right), (deal.right, deal.left))
            if own == key and other in places
        ]
        return sum(met) / len(met) if met else len(places)

    return [*left, *sorted((key for key in sides if not sides[key]), key=near)]


def _row(deal: Deal, segment: Segment, names: Mapping[str, str]) -> Json:
    return {
        "left": names[deal.left],
        "left_id": deal.left,
        "right": names[deal.right],
        "right_id": deal.right,
        "class": segment.label.rpartition(" · ")[2],
        "class_key": segment.mark,
        "value": segment.value,
    }


PARTNERS = Chart(
    "partners",
    agreement,
    "/agreements",
    lambda _: [],
    ("firmness",),
    _partners,
    read=read_partners,
)
