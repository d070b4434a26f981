"""Records that may be of the same organization or person, found by their names across scripts:
for whoever may write."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from app.core.loose_types import Value
from app.core.text.alike_names import Name, likeness
from app.insights.duplicates import MAX_NAMES
from app.pages.context import PageContext, path_of
from app.pages.places import place
from app.resources.organization import organization
from app.resources.person import person
from app.rest.audience import sees_withheld

#: Of a name the longest words are looked for alone: what has fewer words has one of them.
_WORDS_ALONE: Final = 2
_FOUND: Final = ("limit", "50")
MAX_SHOWN: Final = 10
_KINDS: Final = {each.record_type: each for each in (organization, person)}


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A record that may be of the same."""

    name: str
    address: str
    names: Sequence[str]
    place: str | None
    compare: str


def names_of(kind: str, record: Value) -> list[str]:
    """All that it is called, as printed."""
    similarity = _KINDS[kind].similarity
    return [] if similarity is None else similarity.names_of(record)


async def possible_duplicates(
    context: PageContext, kind: str, record: Value
) -> list[Duplicate] | None:
    """The records with the same words in a name, or with all words of one name in the other; None
    for whom they are not shown to."""
    if not sees_withheld(context.request) or context.as_of is not None:
        return None
    own = [Name.read(name) for name in names_of(kind, record)[:MAX_NAMES]]
    found: dict[str, Value] = {}
    for query in dict.fromkeys(query for each in own for query in _queries(each)):
        rows = await context.rows(f"/{path_of(kind)}", (("q", query), _FOUND))
        found |= {row["id"]: row for row in rows if _is_alike(own, kind, row)}
    found.pop(record["id"], None)
    return [_duplicate(context, kind, record, row) for row in [*found.values()][:MAX_SHOWN]]


def _duplicate(context: PageContext, kind: str, record: Value, row: Value) -> Duplicate:
    first, *others = names_of(kind, row)
    pages = f"/pages/{path_of(kind)}"
    return Duplicate(
        first,
        context.page(f"{pages}/{row['ref'] or row['id']}"),
        others,
        place(context, row) if kind == "organization" else None,
        context.page(f"{pages}/{record['ref'] or record['id']}/compare/{row['ref'] or row['id']}"),
    )


def _queries(name: Name) -> Iterator[str]:
    """What finds names that have all of these words, and names that have fewer."""
    texts = name.texts
    if texts:
        yield " ".join(texts)
    if len(texts) > 1:
        yield from sorted(texts, key=len, reverse=True)[:_WORDS_ALONE]


def _is_alike(own: Sequence[Name], kind: str, row: Value) -> bool:
    others = [Name.read(name) for name in names_of(kind, row)[:MAX_NAMES]]
    return any(likeness(a, b) is not None for a in own for b in others)
