"""Search in a code list: which of its codes are called so, the likeliest first."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from app.core import json_codec
from app.core.loose_types import Value
from app.core.text.analyze import Clause, Word, occurs, words
from app.engine.labels import spellings
from app.engine.query.cursor import CursorPosition
from app.engine.search.hits import clauses_of

#: More than all codes there are.
_REMEMBERED: Final = 10_000
_IS_WRITTEN, _IS_CALLED, _BEGINS, _HAS_WORDS, _RETIRED = range(5)


class _Names(NamedTuple):
    """All that a code is called: as it is written, and as searches compare it."""

    code: str
    retired: bool
    plain: frozenset[str]
    texts: tuple[list[Word], ...]
    spelled: tuple[str, ...]


def codes_found(name: str, rows: Iterable[Value], q: str) -> list[tuple[str, str]]:
    """`(JSON, key)` of those of a list's `(JSON, …)` that are called so, in the order of the keys.

    All words of `q` are in one code's labels, aliases and code, whatever their case, endings and
    script; or one of these begins so. First come those that are written or called just so, then
    those that begin so; those retired are last. BadRequest for too many words.
    """
    clauses, spelled = clauses_of(q), _spelled(words(q))
    plain = q.strip().casefold()
    ranked: list[tuple[int, str, str]] = []
    for shown, *_ in rows:
        names = _names(name, shown)
        rank = _rank(names, clauses, spelled, plain)
        if rank is not None:
            ranked.append((rank + _RETIRED * names.retired, names.code, shown))
    ranked.sort()
    return [(shown, json_codec.dumps([rank, code]).decode()) for rank, code, shown in ranked]


def beyond(
    found: Sequence[tuple[str, str]], place: CursorPosition | None, limit: int
) -> list[tuple[str, str]]:
    """At most so many of the codes found, from a place on, in the order of walking."""
    if place is None:
        return list(found[:limit])
    at = list(place.key)
    if place.backward:
        return [row for row in reversed(found) if json_codec.loads(row[1]) < at][:limit]
    return [row for row in found if json_codec.loads(row[1]) > at][:limit]


def _rank(names: _Names, clauses: Sequence[Clause], spelled: str, plain: str) -> int | None:
    if plain in names.plain:
        return _IS_WRITTEN
    if not clauses:
        return None
    if spelled in names.spelled:
        return _IS_CALLED
    if any(each.startswith(spelled) for each in names.spelled):
        return _BEGINS
    if all(any(occurs(clause, text) for text in names.texts) for clause in clauses):
        return _HAS_WORDS
    return None


@lru_cache(maxsize=_REMEMBERED)
def _names(list_name: str, shown: str) -> _Names:
    """What the code is called that has this JSON; its words are found once."""
    code = json_codec.loads(shown)
    labels = [label for label in code["labels"].values() if label]
    others = (*code["aliases"], *spellings(list_name).get(code["code"], ()))
    called = list(dict.fromkeys((code["code"], *labels, *others)))
    texts = tuple(words(each) for each in called)
    spelled = tuple(_spelled(text) for text in texts)
    plain = frozenset(each.casefold() for each in called)
    return _Names(code["code"], code["retired"], plain, texts, spelled)


def _spelled(found: Iterable[Word]) -> str:
    return " ".join(word.full for word in found)
