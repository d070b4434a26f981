"""Names that may be of one: with the same words in any script, or with all words of one in the
other. Legal forms, quotation marks and the order of words do not tell names apart."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from app.core.text.analyze import Word, telling, without_endings
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
        kept = telling(without_quotes(text))[:_MAX_WORDS]
        long = [word for _, word in kept if len(word.full) > 1]
        return cls(
            [text for text, _ in kept],
            [word for _, word in kept],
            frozenset(word.full for word in long),
            frozenset(word.stem for word in long),
            frozenset(word.full for _, word in kept if len(word.full) == 1),
        )

    @property
    def keys(self) -> set[frozenset[str]]:
        """What names with the same words have one in common of, and hardly others; none of a name
        that says nothing."""
        if not self.stems:
            return set()
        # Endings of a word in one script may be none in another: without them all are alike.
        bare = frozenset(map(without_endings, self.words))
        return {bare, frozenset(word.stem for word in self.words)}


def words_keys(name: str) -> set[frozenset[str]]:
    """The keys of the name that is written so."""
    return Name.read(name).keys


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
