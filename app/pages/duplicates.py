"""Records that may be of the same organization or person, found by their names across scripts:
for whoever may write."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from app.core.loose_types import Value
from app.core.text.analyze import Word, located, parse_query
from app.core.text.name_keys import without_quotes
from app.pages.context import PageContext, path_of
from app.pages.places import place
from app.rest.audience import sees_withheld

#: So many words of a name are looked at, and so many of its names.
_MAX_WORDS: Final = 12
_MAX_NAMES: Final = 5
#: Of a name the longest words are looked for alone: what has fewer words has one of them.
_WORDS_ALONE: Final = 2
_FOUND: Final = ("limit", "50")
MAX_SHOWN: Final = 10
#: What the names of a kind begin with: `name`, `name_en`.
_NAMES: Final = {"organization": "name", "person": "full_name"}


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
    name = _NAMES[kind]
    several = (record.get(name), record.get(f"{name}_en"), *(record.get("other_names") or ()))
    return list(dict.fromkeys(each for each in several if each))


async def possible_duplicates(
    context: PageContext, kind: str, record: Value
) -> list[Duplicate] | None:
    """The records with the same words in a name, or with all words of one name in the other; None
    for whom they are not shown to."""
    if not sees_withheld(context.request) or context.as_of is not None:
        return None
    own = [_words(name) for name in names_of(kind, record)[:_MAX_NAMES]]
    found: dict[str, Value] = {}
    for query in dict.fromkeys(each for words in own for each in _queries(words)):
        rows = await context.rows(f"/{path_of(kind)}", (("q", query), _FOUND))
        found |= {row["id"]: row for row in rows if _is_alike(own, kind, row)}
    found.pop(record["id"], None)
    kept = [row for row in found.values() if row.get("merged_into_id") is None]
    return [_duplicate(context, kind, record, row) for row in kept[:MAX_SHOWN]]


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


@dataclass(frozen=True, slots=True)
class _Said:
    """A word of a name as it stands there, and as it is searched by."""

    text: str
    word: Word


def _words(name: str) -> list[_Said]:
    """The words of a name, without its legal form where it has others."""
    bare = without_quotes(name)
    said = [_Said(bare[start:end], word) for word, start, end in located(bare)][:_MAX_WORDS]
    asked = {
        word
        for clause in parse_query(" ".join(each.text for each in said))
        for word in clause.words
    }
    return [each for each in said if each.word in asked]


def _queries(words: Sequence[_Said]) -> Iterator[str]:
    """What finds names that have all of these words, and names that have fewer."""
    texts = [each.text for each in words]
    if texts:
        yield " ".join(texts)
    if len(texts) > 1:
        yield from sorted(texts, key=len, reverse=True)[:_WORDS_ALONE]


def _is_alike(own: Sequence[Sequence[_Said]], kind: str, row: Value) -> bool:
    others = [_words(name) for name in names_of(kind, row)[:_MAX_NAMES]]
    return any(_has(a, b) or _has(b, a) for a in own for b in others if a and b)


def _has(whole: Sequence[_Said], words: Sequence[_Said]) -> bool:
    """Whether all of these words are among those of the whole; a letter is an initial, and says
    nothing alone."""
    is_name = any(len(each.word.full) > 1 for each in words)
    return is_name and all(
        any(_is_same(each.word, other.word) for other in whole) for each in words
    )


def _is_same(one: Word, other: Word) -> bool:
    if one.full == other.full or one.stem == other.stem:
        return True
    short, long = sorted((one.full, other.full), key=len)
    return len(short) == 1 and long.startswith(short)
