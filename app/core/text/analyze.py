"""Texts as words to search by, and queries as what must be found: the same for every database."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.metadata import version
from typing import NamedTuple

from app.core.text.normalize import LONGEST, normalize, spell, stem

MAX_WORDS = 64
#: Characters of a snippet, about; and how many of them stand before what was found.
SNIPPET_CHARACTERS, LEAD_CHARACTERS = 240, 60


def analyser() -> str:
    """Which words this analyser makes: other words need another name, and texts a new index."""
    return f"5 (English: {version('snowballstemmer')})"


class Word(NamedTuple):
    """A word of a text: two spellings, both of a-z0-9 and never empty."""

    full: str
    """The whole word, alike in Cyrillic and Latin letters."""
    stem: str
    """The word without its endings."""
    is_long: bool
    """Whether it has three letters, so that it can stand for the words that it begins."""


@dataclass(frozen=True, slots=True)
class Clause:
    """What a text must have: one word, or a phrase of words that follow each other."""

    words: tuple[Word, ...]
    is_phrase: bool = False


@dataclass(frozen=True, slots=True)
class Highlight:
    """A field in which a query matches: a piece of its text, and what matches in it.

    `start` is where the piece begins in the field; `spans` are `[start, end)` within the piece.
    All positions count code points.
    """

    field: str
    start: int
    text: str
    spans: list[tuple[int, int]]


Span = tuple[int, int]

# Marks, soft hyphens and joiners belong to the word they stand in, and so does an apostrophe.
_MARKS = (
    "\u0300-\u036f\u0483-\u0487\u0610-\u061a\u064b-\u065f\u1ab0-\u1aff\u20d0-\u20ff\ufe20-\ufe2f"
)
_HIDDEN = "\u00ad\u200b-\u200d\u2060\ufeff"
_WORD = re.compile(rf"[^\W_]+(?:(?:[{_MARKS}{_HIDDEN}]+|['’ʼ`´](?=[^\W_]))[^\W_]*)*")
_QUOTED = re.compile('«([^«»]*)»|"([^"]*)"|“([^“”]*)”|„([^„“”]*)[“”]')

_LEGAL_FORMS = frozenset(
    [
        "тоо",
        "жшс",
        "ао",
        "ақ",
        "нао",
        "оао",
        "зао",
        "пао",
        "ооо",
        "ип",
        "чп",
        "гп",
        "гуп",
        "муп",
        "фгуп",
        "too",
        "oao",
        "zao",
        "ooo",
        "pao",
        "llp",
        "llc",
        "jsc",
        "ojsc",
        "cjsc",
        "pjsc",
        "ltd",
        "limited",
        "inc",
        "corp",
        "plc",
        "gmbh",
        "ag",
        "sa",
        "sarl",
        "srl",
        "spa",
        "bv",
        "nv",
        "oy",
        "ab",
    ]
)


@lru_cache(maxsize=65_536)
def _word(raw: str) -> tuple[Word, bool]:
    """The word and whether it names a legal form."""
    folded = normalize(raw)
    full = spell(folded or raw)
    word = Word(full, stem(folded or raw), min(len(folded), len(full)) > 2 or len(full) > 4)
    return word, folded in _LEGAL_FORMS


def words(text: str) -> list[Word]:
    """The words of a text in order: unbroken runs of letters and digits of any script."""
    return [_word(raw[:LONGEST])[0] for raw in _WORD.findall(text)]


def located(text: str) -> Iterator[tuple[Word, int, int]]:
    """The words of a text with their `[start, end)`, in code points."""
    for found in _WORD.finditer(text):
        yield _word(found.group()[:LONGEST])[0], found.start(), found.end()


def telling(text: str) -> list[tuple[str, Word]]:
    """The words of a name as they stand there and as words, without legal forms where it has
    others: what a query for it asks for."""
    found = [(raw, *_word(raw[:LONGEST])) for raw in _WORD.findall(text)]
    kept = [(raw, word) for raw, word, is_form in found if not is_form]
    return kept or [(raw, word) for raw, word, _ in found]


def without_endings(word: Word) -> str:
    """The stem of how the word is spelled in Latin letters, alike in every script."""
    return _word(word.full)[0].stem


def parse_query(text: str) -> tuple[Clause, ...]:
    """What a query asks for, all of which must hold; empty when it has no words.

    Words in quotation marks («…», "…", “…”, „…“) are a phrase. Nothing else is an operator. Legal
    forms (ТОО, LLC …) count only when nothing else is asked for: within a phrase they are dropped
    at its ends. ValueError for more than 64 words.
    """
    clauses = _clauses(text, keep_forms=False) or _clauses(text, keep_forms=True)
    if sum(len(clause.words) for clause in clauses) > MAX_WORDS:
        raise ValueError(f"more than {MAX_WORDS} words")
    return tuple(dict.fromkeys(clauses))


def _clauses(text: str, *, keep_forms: bool) -> list[Clause]:
    clauses: list[Clause] = []
    at = 0
    for quoted in _QUOTED.finditer(text):
        clauses += _single(text[at : quoted.start()], keep_forms)
        phrase = _phrase(quoted.group(), keep_forms)
        clauses += [Clause(phrase, is_phrase=True)] if phrase else []
        at = quoted.end()
    return clauses + _single(text[at:], keep_forms)


def _single(text: str, keep_forms: bool) -> list[Clause]:
    found = (_word(raw[:LONGEST]) for raw in _WORD.findall(text))
    return [Clause((word,)) for word, is_form in found if keep_forms or not is_form]


def _phrase(text: str, keep_forms: bool) -> tuple[Word, ...]:
    found = [_word(raw[:LONGEST]) for raw in _WORD.findall(text)]
    while not keep_forms and found and found[0][1]:
        del found[0]
    while not keep_forms and found and found[-1][1]:
        del found[-1]
    return tuple(word for word, _ in found)


def matches_word(wanted: Word, word: Word) -> bool:
    """Whether a word of a text is what a word of a query asks for: the rule of all searching."""
    if wanted.stem == word.stem or wanted.full == word.full:
        return True
    return wanted.is_long and word.full.startswith(wanted.full)


def occurs(clause: Clause, found: list[Word]) -> bool:
    """Whether the clause matches somewhere in the words of a text."""
    size = len(clause.words)
    return any(_holds(clause, found[at : at + size]) for at in range(len(found) - size + 1))


def spans(clauses: tuple[Clause, ...], text: str) -> list[Span]:
    """Where in the text any of the clauses matches: `[start, end)` in order, none overlapping."""
    places = list(located(text))
    found: list[Span] = []
    for clause in clauses:
        for at in range(len(places) - len(clause.words) + 1):
            window = places[at : at + len(clause.words)]
            if _holds(clause, [word for word, _, _ in window]):
                found.append((window[0][1], window[-1][2]))
    return _merged(found)


def _holds(clause: Clause, window: list[Word]) -> bool:
    if not clause.is_phrase:
        return matches_word(clause.words[0], window[0])
    pairs = list(zip(clause.words, window, strict=True))
    return all(a.full == b.full for a, b in pairs) or all(a.stem == b.stem for a, b in pairs)


def _merged(found: list[Span]) -> list[Span]:
    merged: list[Span] = []
    for start, end in sorted(found):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def highlights(fields: Mapping[str, str], query: str) -> list[Highlight]:
    """The fields in which the query matches, in their order, with what matches marked."""
    clauses = parse_query(query)
    shown = []
    for field, text in fields.items():
        found = spans(clauses, text)
        if found:
            shown.append(_snippet(field, text, found))
    return shown


#: How much of a long text is looked at in one piece, and by how much pieces overlap.
_PIECE, _OVERLAP = 4_000, 400


def first_highlight(field: str, text: str, query: str) -> Highlight | None:
    """Where the query matches first in a long text, without reading on from there."""
    clauses = parse_query(query)
    for start in range(0, max(len(text), 1), _PIECE - _OVERLAP):
        # Not from within a word.
        begin = text.rfind(" ", 0, start) + 1 if start else 0
        piece = text[max(begin, start - _OVERLAP) : start + _PIECE]
        if found := spans(clauses, piece):
            shown = _snippet(field, piece, found)
            return replace(shown, start=shown.start + max(begin, start - _OVERLAP))
    return None


def _snippet(field: str, text: str, found: list[Span]) -> Highlight:
    """The text around the first match, cut between words where it is long."""
    start, end = 0, len(text)
    first, after_first = found[0]
    if end > SNIPPET_CHARACTERS:
        start = (
            text.rfind(" ", 0, max(0, first - LEAD_CHARACTERS)) + 1
            if first > LEAD_CHARACTERS
            else 0
        )
        # Without spaces there is no place between words: then it is cut anywhere.
        start = max(start, first - 2 * LEAD_CHARACTERS)
        end = max(after_first, text.rfind(" ", after_first, start + SNIPPET_CHARACTERS))
        end = (
            end
            if end > after_first
            else min(len(text), max(after_first, start + SNIPPET_CHARACTERS))
        )
    inside = [(a - start, b - start) for a, b in found if b <= end]
    return Highlight(field, start, text[start:end], inside)
