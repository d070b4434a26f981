"""Passages of a text found by their words, as the TextQuoteSelector of the W3C names them."""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

#: How many of the places where words stand are told, and how much of the text around each.
MAX_PLACES, SHOWN_CHARACTERS = 5, 30
#: A search ends when so many places are found: words that stand so often name no passage.
MAX_FOUND = 1000

_HIDDEN = "\u00ad\u200b-\u200d\u2060\ufeff"
#: Runs of white space, quotation marks, dashes, what is not seen, and letters with marks: two
#: copies of a text differ in these, and in nothing that it says.
_VARIES = re.compile(
    rf"(?P<gap>[\s{_HIDDEN}]*\s[\s{_HIDDEN}]*)|(?P<hidden>[{_HIDDEN}]+)"
    "|(?P<double>[«»„“”‟\u2033]|['‘’]{2})|(?P<single>[‘’‚‛‹›`´\u2032])"
    "|(?P<dash>[\u2010-\u2015\u2212])|(?P<marked>[^\\W_][\u0300-\u036f\u0483-\u0487]+)"
)
_WRITTEN = {"gap": " ", "hidden": "", "double": '"', "single": "'", "dash": "-"}


class Span(NamedTuple):
    """Where a passage stands: the positions of its first code point and after its last."""

    start: int
    end: int


class Words(NamedTuple):
    """The words of a passage and those around it; an empty text is not asked for."""

    exact: str
    prefix: str = ""
    suffix: str = ""


def same_words(one: str, other: str) -> bool:
    """Whether two texts differ in white space, quotation marks and dashes at most."""
    return one == other or _plain(one).strip() == _plain(other).strip()


def is_blank(text: str) -> bool:
    """Whether nothing of a text can be seen."""
    return not _plain(text).strip()


def _plain(text: str) -> str:
    return _VARIES.sub(_written, text)


def _written(found: re.Match[str]) -> str:
    kind = found.lastgroup or ""
    return _WRITTEN[kind] if kind in _WRITTEN else unicodedata.normalize("NFC", found[0])


class SearchedText:
    """A text in which passages are looked for."""

    def __init__(self, text: str) -> None:
        self.text = text

    def find(self, words: Words) -> list[Span]:
        """Every place where the words stand: letter by letter or, where there is none, with any
        white space, quotation marks and dashes."""
        exact, prefix, suffix = words
        found = [
            Span(at, at + len(exact))
            for at in _places(self.text, exact)
            if self.text.endswith(prefix, 0, at) and self.text.startswith(suffix, at + len(exact))
        ]
        return found or self._find_plain(*(_plain(each) for each in words))

    def _find_plain(self, exact: str, prefix: str, suffix: str) -> list[Span]:
        text, core = self._plain_text, exact.strip()
        if not core:
            return []
        found = []
        for at in _places(text, core):
            # Between two words there is one blank at most: it may be the prefix's or not.
            before, after = text[max(0, at - len(prefix) - 1) : at].rstrip(), at + len(core)
            begins = text.endswith(prefix, 0, at) or before.endswith(prefix.strip())
            if begins and text[after : after + len(suffix) + 1].lstrip().startswith(
                suffix.lstrip()
            ):
                found.append(Span(self._place(at), self._place(after - 1, is_last=True)))
        return found

    def longest_beginning(self, exact: str) -> Span | None:
        """Where the longest beginning of the words stands that is in the text, white space aside;
        None where that is less than a word or two."""
        core = _plain(exact).strip()
        shortest, longest = 0, len(core)
        while shortest < longest:
            middle = (shortest + longest + 1) // 2
            if core[:middle] in self._plain_text:
                shortest = middle
            else:
                longest = middle - 1
        if core[shortest - 1 : shortest + 1].isalnum():
            # Up to the last whole word.
            shortest = core.rfind(" ", 0, shortest)
        if shortest < min(8, len(core)):
            return None
        at = self._plain_text.find(core[:shortest])
        return Span(self._place(at), self._place(at + shortest - 1, is_last=True))

    @cached_property
    def _mapped(self) -> tuple[str, list[int], list[int], list[int]]:
        """The text as it is compared, and where its pieces begin in it and in the text, and where
        they end in the text."""
        pieces: list[str] = []
        here: list[int] = []
        starts: list[int] = []
        ends: list[int] = []
        length = at = 0
        for found in _VARIES.finditer(self.text):
            start, end = found.span()
            if start > at:
                here.append(length)
                starts.append(at)
                ends.append(-1)
                pieces.append(self.text[at:start])
                length += start - at
            if written := _written(found):
                here.append(length)
                starts.append(start)
                ends.append(end)
                pieces.append(written)
                length += len(written)
            at = end
        here.append(length)
        starts.append(at)
        ends.append(-1)
        pieces.append(self.text[at:])
        return "".join(pieces), here, starts, ends

    @property
    def _plain_text(self) -> str:
        return self._mapped[0]

    def _place(self, at: int, *, is_last: bool = False) -> int:
        """Where a place of the compared text is in the text itself: before the code point there,
        or after it as the last one of a passage."""
        _, here, starts, ends = self._mapped
        piece = bisect_right(here, at) - 1
        if ends[piece] >= 0:
            return ends[piece] if is_last else starts[piece]
        return starts[piece] + at - here[piece] + is_last

    def around(self, span: Span) -> str:
        """The beginning of the passage and what stands before it, in one line."""
        start = max(0, span.start - SHOWN_CHARACTERS)
        before = self.text[start : span.start]
        words = self.text[span.start : min(span.end, span.start + SHOWN_CHARACTERS)]
        shown = " ".join(f"{before}[{words}]".split())
        more = "" if span.end - span.start <= SHOWN_CHARACTERS else "…"
        return f"{'…' if start else ''}{shown[:-1]}{more}]"


def _places(text: str, words: str) -> Iterator[int]:
    at, found = text.find(words), 0
    while at >= 0 and found < MAX_FOUND:
        yield at
        found += 1
        at = text.find(words, at + 1)
