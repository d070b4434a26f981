"""The list of missions with what came of each."""

from collections.abc import Sequence
from typing import Final

from app.core.loose_types import Value
from app.pages.context import PageContext
from app.pages.figures import CLASSES
from app.pages.filters import replaced
from app.pages.reading import Pairs
from app.pages.titles import Titles, titles_in_language
from app.resources.firmness import Firmness

MISSIONS_A_PAGE = 50
DEFAULT_SORT: Final = "-agreements"
_ALL: Final = ("limit", "10000")
#: What the list can be sorted by, with the words for it.
_SORTS: Final = (
    ("agreements", "column_deals"),
    ("signed_binding", "column_binding"),
    ("companies", "column_companies"),
)


async def missions_page(context: PageContext) -> dict[str, Value]:
    """What the template of the list takes."""
    sent = dict(context.pairs)
    asked = [("limit", str(MISSIONS_A_PAGE)), ("sort", sent.get("sort", DEFAULT_SORT))]
    asked += [pair for pair in context.pairs if pair[0] not in ("sort", "limit")]
    answer = await context.read("/insights/missions", tuple(asked))
    titles = await titles_in_language(context, "mission", [row["id"] for row in answer["data"]])
    hidden = await _with_withheld(context, answer["data"])
    parents, hosts = await _parents(context, answer["data"]), await _hosts(context, answer["data"])
    # All of them, where the list is not limited: a part is no mission more.
    is_whole = not {name for name, _ in context.pairs} - {"sort", "cursor"}
    legs = await _legs(context) if is_whole else 0
    ways = {name: answer["page"][f"{name}_cursor"] for name in ("prev", "next")}
    here = "/pages/missions"
    return {
        "rows": [
            _row(context, row | {"withheld": hidden.get(row["id"])}, titles)
            | {"parent": parents.get(row["parent_id"])}
            | ({} if row["host_country"] else {"host": hosts.get(row["id"])})
            for row in answer["data"]
        ],
        "total": (total := answer["page"]["total"]) and total - legs,
        "legs": legs,
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


async def _legs(context: PageContext) -> int:
    """How many missions are parts of others."""
    answer = await context.read("/missions/aggregate", (("parent_id__isnull", "false"),))
    return int(answer["data"][0]["count"]) if answer["data"] else 0


async def _with_withheld(context: PageContext, rows: Sequence[Value]) -> dict[str, Value]:
    """The names of the fields that are withheld of these missions, by id."""
    ids = ",".join(row["id"] for row in rows)
    if not ids:
        return {}
    asked = (("id__in", ids), ("withheld__isnull", "false"), ("fields", "id,withheld"))
    found = await context.rows("/missions", (*asked, ("limit", str(MISSIONS_A_PAGE))))
    return {row["id"]: row["withheld"] for row in found}


async def _parents(context: PageContext, rows: Sequence[Value]) -> dict[str, tuple[str, str]]:
    """The titles and pages of the missions that these are parts of, by id."""
    ids = ",".join({row["parent_id"]: None for row in rows if row["parent_id"]})
    if not ids:
        return {}
    asked = (("id__in", ids), ("fields", "id,title,title_en"), ("limit", str(MISSIONS_A_PAGE)))
    found = await context.rows("/missions", asked)
    return {row["id"]: (context.title(row), context.record("mission", row) or "") for row in found}


async def _hosts(context: PageContext, rows: Sequence[Value]) -> dict[str, str]:
    """The countries that the parts of missions went to, of those for which none is stated."""
    of = {row["id"]: row["id"] for row in rows if row["legs"] and not row["host_country"]}
    found: dict[str, dict[str, None]] = {}
    # Level by level: parts can have parts.
    while of:
        asked = (("parent_id__in", ",".join(of)), ("group_by", "id,parent_id,host_country"), _ALL)
        groups = (await context.read("/missions/aggregate", asked))["data"]
        for group in groups:
            if group["host_country"]:
                name = context.name("countries", group["host_country"])
                found.setdefault(of[group["parent_id"]], {})[name] = None
        of = {group["id"]: of[group["parent_id"]] for group in groups}
    return {key: ", ".join(names) for key, names in found.items()}


def _without_cursor(pairs: Pairs) -> Pairs:
    return [pair for pair in pairs if pair[0] != "cursor"]


def _of_file(pairs: Pairs) -> Pairs:
    return [pair for pair in _without_cursor(pairs) if pair[0] != "limit"]


def _row(context: PageContext, row: Value, titles: Titles) -> dict[str, Value]:
    here = f"/pages/missions/{row['ref'] or row['id']}"
    classes = [(key, row[key]) for key in CLASSES if row[key]]
    return {
        "id": row["id"],
        "record": row,
        "title": titles.get(("mission", row["id"]), row["title"]),
        "address": context.page(here),
        "binding_at": context.page(here, (("firmness", Firmness.signed_binding),), "#deals"),
        "companies_at": context.page(here, anchor="#went"),
        "kind": context.name("mission-kinds", row["kind"]),
        "dates": context.date(row["dates"]),
        "sending": row["sending_country"] and context.name("countries", row["sending_country"]),
        "host": row["host_country"] and context.name("countries", row["host_country"]),
        # What is withheld as a whole is in no class, nor among the deals of the mission's page.
        "deals": sum(count for _, count in classes),
        "binding": row["signed_binding"],
        "companies": row["companies"],
        "classes": classes,
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
