"""What of a record is searched, and its words as each database's index takes them."""

from collections.abc import Iterator
from functools import cache, partial
from typing import NamedTuple, get_args
from uuid import UUID

from pydantic import StringConstraints
from sqlalchemy import Connection, func, select

from app.core.databases.interface import table_of
from app.core.loose_types import JsonValue, TypeForm, Values
from app.core.text.analyze import Word, words
from app.engine.resource import Resource
from app.engine.schemas import Line, Prose, Ref

State = Values

#: PostgreSQL knows positions up to 16,383, and 256 of one word; both databases keep to this.
_LAST_POSITION, _MOST_OF_A_WORD = 16_000, 250
#: Stands where no word is: between two texts, so that no phrase reaches over.
GAP = "_"


class Texts(NamedTuple):
    """What of a record is searched."""

    names: list[str]
    others: list[str]


class _Fields(NamedTuple):
    names: tuple[str, ...]
    others: tuple[str, ...]
    parts: tuple[tuple[str, tuple[str, ...]], ...]


@cache
def searched(resource: Resource) -> _Fields:
    """The fields that are searched: lines as names; refs, prose and texts of parts as others.

    A ref is no name: those of evidence repeat the names of what they back, and would come first.
    """
    fields = resource.fields.model_fields
    parts = (
        (name, fields_like(part.fields.model_fields, Line, Prose))
        for name, part in resource.embedded.items()
    )
    return _Fields(
        fields_like(fields, Line),
        fields_like(fields, Ref, Prose),
        tuple(part for part in parts if part[1]),
    )


def fields_like(fields: Values, *kinds: TypeForm) -> tuple[str, ...]:
    """The fields of text, or of lists of text, that keep the rules of one of the kinds."""
    wanted = [_rules(kind) for kind in kinds]
    return tuple(
        name
        for name, info in fields.items()
        if any(rules in wanted for rules in (*_all_rules(info.annotation), *info.metadata))
    )


def _rules(kind: TypeForm) -> StringConstraints:
    return next(item for item in kind.__metadata__ if isinstance(item, StringConstraints))


def _all_rules(annotation: TypeForm) -> Iterator[object]:
    yield from getattr(annotation, "__metadata__", ())
    for inner in get_args(annotation):
        yield from _all_rules(inner)


#: How much of a long text is searched: about as many words as the index takes.
LONGEST_TEXT = 150_000


def long_text_of(connection: Connection, resource: Resource, state: State) -> list[str]:
    """The text that belongs to a record and is not in its JSON, as far as it is searched."""
    held = resource.long_text
    if held is None or not all(state.get(name) for name in held.told_by):
        return []
    table = table_of(resource.table).c
    part = func.substr(table[held.column], 1, LONGEST_TEXT)
    found = connection.execute(select(part).where(table.id == UUID(str(state["id"])))).scalar()
    return [] if found is None else [str(found)]


def tells_other_text(resource: Resource, state: State, before: State) -> bool:
    """Whether the text that belongs to a record is another one than it was."""
    held = resource.long_text
    return held is not None and any(state[name] != before[name] for name in held.told_by)


def texts_of(resource: Resource, state: State) -> Texts:
    """The texts of a record's JSON that are searched."""
    fields = searched(resource)
    others = [text for name in fields.others for text in _listed(state.get(name))]
    for part, names in fields.parts:
        for row in state.get(part) or ():
            others += [text for name in names for text in _listed(row.get(name))]
    return Texts([text for name in fields.names for text in _listed(state.get(name))], others)


def _listed(value: JsonValue) -> list[str]:
    return [] if value is None else [value] if isinstance(value, str) else list(value)


class _Place(NamedTuple):
    position: int
    is_name: bool
    word: Word


def _places(texts: Texts) -> Iterator[_Place]:
    position = 0
    for is_name, several in ((True, texts.names), (False, texts.others)):
        for one in several:
            for word in words(one):
                position += 1
                if position > _LAST_POSITION:
                    return
                yield _Place(position, is_name, word)
            position += 1


# Words of names come twice, the second time with a mark: a search by names alone must not read
# its way through all the other texts that have the word.


def _columns(kind: str, texts: Texts) -> dict[str, str]:
    """The columns of SQLite's index: words in order, `_` where there is none."""
    places = list(_places(texts))
    # No word can be there too often where there are so few.
    kept = str if len(places) <= _MOST_OF_A_WORD else partial(_counted, {})
    every: tuple[list[str], list[str]] = ([], [])
    names: tuple[list[str], list[str]] = ([], [])
    last = 0
    for position, is_name, word in places:
        gaps = [GAP] * (position - last - 1)
        last = position
        every[0].extend((*gaps, kept(word.full) or GAP))
        every[1].extend((*gaps, kept(f"={word.stem}")[1:] or GAP))
        if is_name:
            names[0].extend((*gaps, kept(f"_{word.full}") or GAP))
            names[1].extend((*gaps, kept(f"_={word.stem}").replace("=", "") or GAP))
    columns = zip(("words", "stems", "names", "name_stems"), (*every, *names), strict=True)
    return {"kind": kind, **{name: " ".join(tokens) for name, tokens in columns}}


def _vector(texts: Texts) -> dict[str, str]:
    """PostgreSQL's `tsvector` in its input format: `'word':1 '=stem':1`, in names `'_word':1`."""
    seen: dict[str, int] = {}
    places: dict[str, list[str]] = {}
    for position, is_name, word in _places(texts):
        for prefix in ("", "_") if is_name else ("",):
            for lexeme in (prefix + word.full, f"{prefix}={word.stem}"):
                if _counted(seen, lexeme):
                    places.setdefault(lexeme, []).append(str(position))
    return {"words": " ".join(f"'{word}':{','.join(at)}" for word, at in places.items())}


def _counted(seen: dict[str, int], word: str) -> str:
    """The word, or nothing when it has been there too often."""
    seen[word] = seen.get(word, 0) + 1
    return word if seen[word] <= _MOST_OF_A_WORD else ""


def index_words(dialect: str, kind: str, texts: Texts) -> dict[str, str]:
    """What a database's index keeps of the texts: columns of `search_words`, or a `tsvector`."""
    return _columns(kind, texts) if dialect == "sqlite" else _vector(texts)
