"""The list of missions with what came of each."""

from typing import Final

from app.core.loose_types import Value
from app.pages.context import PageContext
from app.pages.figures import CLASSES
from app.pages.filters import replaced
from app.pages.reading import Pairs
from app.pages.titles import Titles, titles_in_language
from app.resources.firmness import Firmness

_MISSIONS_A_PAGE = 50
DEFAULT_SORT: Final = "-agreements"
#: What the list can be sorted by, with the words for it.
_SORTS: Final = (
    ("agreements", "column_deals"),
    ("signed_binding", "column_binding"),
    ("companies", "column_companies"),
)


async def missions_page(context: PageContext) -> dict[str, Value]:
    """What the template of the list takes."""
    sent = dict(context.pairs)
    asked = [("limit", str(_MISSIONS_A_PAGE)), ("sort", sent.get("sort", DEFAULT_SORT))]
    asked += [pair for pair in context.pairs if pair[0] not in ("sort", "limit")]
    answer = await context.read("/insights/missions", tuple(asked))
    titles = await titles_in_language(context, "mission", [row["id"] for row in answer["data"]])
    ways = {name: answer["page"][f"{name}_cursor"] for name in ("prev", "next")}
    here = "/pages/missions"
    return {
        "rows": [_row(context, row, titles) for row in answer["data"]],
        "total": answer["page"]["total"],
        "sorts": [_sort(context, name, words) for name, words in _SORTS],
        "ways": {
            name: context.page(here, replaced(context.pairs, "cursor", cursor))
            for name, cursor in ways.items()
            if cursor
        },
        "api": {"list": (listed := context.api("/insights/missions", _without_cursor(asked)))},
        **await context.citing(
            listed,
            (("CSV", context.api("/insights/missions.csv", _of_file(asked))), ("JSON", listed)),
        ),
    }


def _without_cursor(pairs: Pairs) -> Pairs:
    return [pair for pair in pairs if pair[0] != "cursor"]


def _of_file(pairs: Pairs) -> Pairs:
    return [pair for pair in _without_cursor(pairs) if pair[0] != "limit"]


def _row(context: PageContext, row: Value, titles: Titles) -> dict[str, Value]:
    here = f"/pages/missions/{row['ref'] or row['id']}"
    return {
        "id": row["id"],
        "title": titles.get(("mission", row["id"]), row["title"]),
        "address": context.page(here),
        "binding_at": context.page(here, (("firmness", Firmness.signed_binding),), "#deals"),
        "companies_at": context.page(here, anchor="#went"),
        "kind": context.name("mission-kinds", row["kind"]),
        "dates": context.date(row["dates"]),
        "sending": row["sending_country"] and context.name("countries", row["sending_country"]),
        "host": row["host_country"] and context.name("countries", row["host_country"]),
        "deals": row["agreements"],
        "binding": row["signed_binding"],
        "companies": row["companies"],
        "classes": [(key, row[key]) for key in CLASSES if row[key]],
    }


def _sort(context: PageContext, name: str, words: str) -> dict[str, Value]:
    now = dict(context.pairs).get("sort", DEFAULT_SORT)
    direction = {name: "ascending", f"-{name}": "descending"}.get(now)
    wanted = name if now == f"-{name}" else f"-{name}"
    return {
        "told": context.say(words),
        "direction": direction,
        "address": context.page("/pages/missions", replaced(context.pairs, "sort", wanted)),
    }
