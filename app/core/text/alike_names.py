"""Names that may be of one: with the same words in any script, or with all words of one in the
other. Legal forms, quotation marks and the order of words do not tell names apart."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from app.core.text.analyze import Word, located, parse_query
from app.core.text.name_keys import without_quotes

#: So many words of a name are looked at.
_MAX_WORDS: Final = 12


class Likeness(StrEnum):
    """What two names have in common."""

    same_words = "same_words"
    words_within = "words_within"


@dataclass(frozen=True, slots=True)
class Name:
    """The words of a name, without its legal form where it has others: as they stand there, and as
    they are searched by."""

    texts: Sequence[str]
    words: Sequence[Word]
    #: Its words, whole and without endings, but for initials, which say nothing alone.
    whole: frozenset[str]
    stems: frozenset[str]
    initials: frozenset[str]

    @classmethod
    def read(cls, text: str) -> "Name":
        """The name that is written so."""
        bare = without_quotes(text)
        said = [(bare[start:end], word) for word, start, end in located(bare)][:_MAX_WORDS]
        clauses = parse_query(" ".join(text for text, _ in said))
        asked = {word for clause in clauses for word in clause.words}
        kept = [(text, word) for text, word in said if word in asked]
        words = [word for _, word in kept]
        return cls(
            [text for text, _ in kept],
            words,
            frozenset(word.full for word in words if len(word.full) > 1),
            frozenset(word.stem for word in words if len(word.full) > 1),
            frozenset(word.full for word in words if len(word.full) == 1),
        )

    @property
    def key(self) -> frozenset[str]:
        """What names with the same words have in common; nothing of one that says nothing."""
        return frozenset(word.stem for word in self.words) if self.stems else frozenset()


def words_key(name: str) -> frozenset[str]:
    """The key of the name that is written so."""
    return Name.read(name).key


def likeness(one: Name, other: Name) -> Likeness | None:
    """How alike two names are, if at all: initials in common say nothing alone."""
    if one.stems.isdisjoint(other.stems) and one.whole.isdisjoint(other.whole):
        return None
    within, around = _has(one, other), _has(other, one)
    if within and around:
        return Likeness.same_words
    return Likeness.words_within if within or around else None


def _has(other: Name, name: Name) -> bool:
    """Whether all words of the name are among the other's."""
    return all(
        word.stem in other.stems or word.full in other.whole or _by_initial(other, word)
        for word in name.words
    )


def _by_initial(other: Name, word: Word) -> bool:
    """Whether an initial of the other stands for the word, or the word is one of its initials."""
    if len(word.full) == 1:
        return any(each.full.startswith(word.full) for each in other.words)
    return word.full[0] in other.initials
