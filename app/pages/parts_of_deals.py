"""Deals that are parts of others: what stands in its whole, and what stands beside it."""

from collections.abc import Iterator, Sequence
from typing import Final

from markupsafe import Markup

from app.core.loose_types import Value
from app.pages import formats
from app.pages.context import PageContext
from app.pages.figures import Figures
from app.pages.filters import replaced
from app.pages.reading import Pairs
from app.resources.related import AgreementRelationship

#: So many parts are looked at: there are few.
_MAX_PARTS: Final = 200
PART_OF: Final = AgreementRelationship.part_of.value
#: The filter that leaves parts alone.
PARTS_ALONE: Final = ("related__relation", PART_OF)
_SHOWN: Final = (
    (
        "fields",
        "id,amount,currency,firmness,related.relation,related.agreement.id,related.agreement.amount,"
        "related.agreement.currency,related.agreement.firmness",
    ),
    ("expand", "related.agreement"),
    ("limit", str(_MAX_PARTS)),
)


async def part_notes(
    context: PageContext,
    figures: Figures,
    asked: Pairs,
    *,
    here: str,
    path: str = "/agreements",
    **steps: str,
) -> list[Markup]:
    """What of the deals that are counted is a part of others that are: in their sums, or beside
    these where the whole is of another currency or class."""
    counts = {
        "parts_within": figures.left_out["parts"],
        **await _beside(context, path, asked, steps),
    }
    address = context.page(here, replaced(context.pairs, *PARTS_ALONE), "#deals")
    return [
        context.words.html(key, count, n=_figure(context, count, address))
        for key, count in counts.items()
        if count
    ]


def _figure(context: PageContext, count: int, address: str) -> Markup:
    return Markup('<a class="fig" href="{}" title="{}">{}</a>').format(
        address, context.say("counts_parts"), context.number(count)
    )


async def _beside(
    context: PageContext, path: str, asked: Pairs, steps: dict[str, str]
) -> dict[str, int]:
    """How many parts are in another sum than their whole, by what tells the two sums apart."""
    rows = await context.rows(path, (*_limited(asked, PARTS_ALONE), *_SHOWN), **steps)
    stated = [row for row in rows if row.get("amount") is not None]
    pairs = [(row, whole) for row in stated for whole in wholes_of(row)]
    ids = ",".join(dict.fromkeys(whole["id"] for _, whole in pairs))
    if not ids:
        return {}
    named = (*_limited(asked, ("id__in", ids)), ("fields", "id"), ("limit", str(_MAX_PARTS)))
    counted = {row["id"] for row in await context.rows(path, named, **steps)}
    apart = {row["id"]: _apart(row, whole) for row, whole in pairs if whole["id"] in counted}
    keys = ("parts_in_currency", "parts_in_class")
    return {key: sum(found == key for found in apart.values()) for key in keys}


def _limited(asked: Pairs, pair: tuple[str, str]) -> Pairs:
    """The filters and another one, which is left to us where there is one of its name."""
    return asked if pair[0] in dict(asked) else (*asked, pair)


def wholes_of(row: Value) -> Iterator[Value]:
    """The deals that one is a part of, as far as they are to be seen."""
    for each in row.get("related") or ():
        if each["relation"] == PART_OF and each.get("agreement"):
            yield each["agreement"]


def _apart(part: Value, whole: Value) -> str | None:
    if whole.get("amount") is None:
        return None
    if whole["currency"] != part["currency"]:
        return "parts_in_currency"
    return "parts_in_class" if whole["firmness"] != part["firmness"] else None


def whole_notes(context: PageContext, record: Value) -> list[Markup]:
    """For an agreement that is a part: of what, and where its amount stands."""
    return [_of_whole(context, record, whole) for whole in wholes_of(record)]


def _of_whole(context: PageContext, record: Value, whole: Value) -> Markup:
    link = Markup('<a href="{}"><bdi>{}</bdi></a>').format(
        context.record("agreement", whole), context.title(whole)
    )
    key = "part_of_whole"
    if record.get("amount") is None:
        key = "part_of_only"
    elif _apart(record, whole) == "parts_in_currency":
        key = "part_of_other_currency"
    return context.words.html(key, whole=link, currency=whole.get("currency") or "")


async def parts_of(context: PageContext, record: Value) -> Sequence[dict[str, Value]]:
    """The parts of an agreement."""
    condition = f"related/any(x: x/agreement_id eq '{record['id']}' and x/relation eq '{PART_OF}')"
    rows = await context.rows(
        "/agreements", (("filter", condition), ("sort", "signed_earliest"), ("limit", "100"))
    )
    return [
        {
            "title": context.title(row),
            "address": context.record("agreement", row),
            "firmness": row["firmness"],
            "class_name": context.name("firmness", row["firmness"]),
            "amount": formats.amount(row, context.words),
            "currency": row["currency"],
            "record": row,
            "is_apart": row["amount"] is not None and _apart(row, record) == "parts_in_currency",
        }
        for row in rows
    ]
