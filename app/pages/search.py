"""The search over everything, as a page."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from app.api import RESOURCES
from app.core.loose_types import Value
from app.pages.context import PATHS, PageContext
from app.pages.filters import replaced
from app.pages.titles import Titles, cited_titles

_HITS_A_PAGE = "20"


@dataclass(frozen=True, slots=True)
class Hit:
    """A record that was found."""

    kind: str
    name: str
    address: str
    texts: list[Markup]


async def search_page(context: PageContext) -> dict[str, Value]:
    """What the template of the search takes."""
    sent = dict(context.pairs)
    q = sent.get("q", "").strip()
    values: dict[str, Value] = {"q": q, "hits": [], "ways": {}, "api": None}
    if q:
        given = (("limit", _HITS_A_PAGE), ("kinds", _kinds()))
        asked = (*context.pairs, *(pair for pair in given if pair[0] not in sent))
        answer = await context.read("/search", asked)
        titles = await _titles(context, answer["data"])
        values["hits"] = [_hit(context, row, titles) for row in answer["data"]]
        values["ways"] = {
            name: context.page("/pages/search", replaced(context.pairs, "cursor", cursor))
            for name in ("prev", "next")
            if (cursor := answer["page"][f"{name}_cursor"])
        }
        values["api"] = context.api("/search", (("q", q), ("kinds", sent.get("kinds", _kinds()))))
    return values


def _kinds() -> str:
    """What is looked for: not citations, whose words are those of sources and of what they back."""
    kinds = {each.record_type: None for each in RESOURCES if each.row_filter is None}
    return ",".join(kind for kind in kinds if kind != "citation")


async def _titles(context: PageContext, rows: Sequence[Value]) -> Titles:
    """What is found by the names that it has in the page's language."""
    found = [{"record_kind": row["kind"], "record_id": row["id"]} for row in rows]
    return await cited_titles(context, found)


def _hit(context: PageContext, row: Value, titles: Titles) -> Hit:
    kind = row["kind"]
    address = context.api(f"/{row['url'].lstrip('/')}")
    if kind in PATHS:
        address = context.page(f"/pages/{PATHS[kind]}/{row['ref'] or row['id']}")
    texts = [_marked(match) for match in row["matches"] if match["field"] != "/ref"]
    name = titles.get((kind, row["id"])) or _name(row)
    return Hit(context.name("record-kinds", kind), name, address, texts[:3])


def _name(row: Value) -> str:
    """What it is called; of what has no name the text that was found."""
    if row["name"] and row["name"] != row["ref"]:
        return str(row["name"])
    texts = [match["text"] for match in row["matches"] if match["field"] != "/ref"]
    return str(max(texts, key=len, default=row["name"] or row["ref"] or row["id"]))[:200]


def _marked(match: Value) -> Markup:
    return Markup("").join(_pieces(match["text"], match["spans"]))


def _pieces(text: str, spans: list[tuple[int, int]]) -> Iterator[Markup]:
    at = 0
    for start, end in sorted(tuple(span) for span in spans):
        if start < at:
            continue
        yield Markup.escape(text[at:start])
        yield Markup("<mark>{}</mark>").format(text[start:end])
        at = end
    yield Markup.escape(text[at:])
