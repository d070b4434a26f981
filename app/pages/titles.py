"""What records are called that an answer tells of by their printed titles alone: by the names that
they have in the page's language, and what has no name by whom it is of."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from app.core.loose_types import Value
from app.pages.context import PageContext

#: So many records are asked for at once.
_AT_ONCE: Final = 100
Titles = Mapping[tuple[str, str], str]


@dataclass(frozen=True, slots=True)
class _Read:
    """Where records of a kind are read, with what they are called by."""

    path: str
    fields: str
    title: Callable[[PageContext, Value], str | None]
    expand: str | None = None
    #: Whether it is told anyway, but for the language.
    is_translated: bool = True


def _own(name: str) -> Callable[[PageContext, Value], str | None]:
    return lambda context, row: context.title(row, name) if row.get(name) else None


def _of(relation: str, name: str) -> Callable[[PageContext, Value], str | None]:
    def title(context: PageContext, row: Value) -> str | None:
        related = row.get(relation)
        return context.title(related, name) if related else row.get("description")

    return title


def _delegate(context: PageContext, row: Value) -> str | None:
    """Who has no name is called what they are."""
    named = _of("person", "full_name")(context, row)
    return named or (context.title(row, "position") if row.get("position") else None)


_READS: Final[Mapping[str, _Read]] = {
    "mission": _Read("/missions", "title,title_en", _own("title")),
    "agreement": _Read("/agreements", "title,title_en", _own("title")),
    "organization": _Read("/organizations", "name,name_en", _own("name")),
    "person": _Read("/people", "full_name,full_name_en", _own("full_name")),
    "event": _Read("/events", "title,title_en", _own("title")),
    "participation": _Read(
        "/participations",
        "organization.name,organization.name_en",
        _of("organization", "name"),
        "organization",
        is_translated=False,
    ),
    "reported_total": _Read(
        "/reported-totals",
        "measure",
        lambda context, row: context.name("measures", row["measure"]),
        is_translated=False,
    ),
    "delegate": _Read(
        "/delegates",
        "description,position,position_en,person.full_name,person.full_name_en",
        _delegate,
        "person",
        is_translated=False,
    ),
}


async def cited_titles(context: PageContext, rows: Sequence[Value]) -> Titles:
    """The titles by kind and id, of the records that citations are of; of others there is none."""
    ids: dict[str, dict[str, None]] = {}
    for row in rows:
        ids.setdefault(row["record_kind"], {})[row["record_id"]] = None
    found: dict[tuple[str, str], str] = {}
    for kind, of_kind in ids.items():
        found |= await titles_in_language(context, kind, list(of_kind))
    return found


async def titles_in_language(
    context: PageContext, kind: str, ids: Sequence[str]
) -> dict[tuple[str, str], str]:
    """The titles of records of a kind, where the page has others than are told anyway."""
    read = _READS.get(kind)
    if read is None or (context.language != "en" and read.is_translated):
        return {}
    found: dict[tuple[str, str], str] = {}
    for at in range(0, len(ids), _AT_ONCE):
        asked = [("id__in", ",".join(ids[at : at + _AT_ONCE])), ("limit", str(_AT_ONCE))]
        asked += [("fields", f"id,{read.fields}")]
        asked += [("expand", read.expand)] if read.expand else []
        rows = await context.rows(read.path, tuple(asked))
        titles = {(kind, row["id"]): read.title(context, row) for row in rows}
        found |= {key: title for key, title in titles.items() if title}
    return found
