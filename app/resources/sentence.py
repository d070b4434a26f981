"""Where the sentences of a news text in Russian, Kazakh or English begin and end."""

import re
from collections.abc import Iterator
from typing import Final

_PARAGRAPH: Final = re.compile(r"\S[^\n\r\u2028\u2029]*")

# A terminator, closing quotes or brackets, and the white space up to what may open a sentence.
# The look-behind starts each run of terminators once, so that a text of dots alone stays linear.
_CANDIDATE: Final = re.compile(
    r"(?<![.!?…])(?P<stop>[.!?…]++)(?P<closing>[»”“’\"')\]]*+)\s++"
    r"(?P<opening>[«“„‘\"'(\[]*)(?=(?P<next>\S))"
)

# A word with its inner full stops, right before a terminator: `т.е`, `А.Б`, `Inc`. The window
# keeps the search short, as no abbreviation is longer.
_WORD_BEFORE: Final = re.compile(r"[^\W\d_]+(?:\.[^\W\d_]+)*\Z")
_WORD_WINDOW: Final = 24

_INITIALS: Final = re.compile(r"[^\W\d_](?:\.[^\W\d_])*")
_LIST_NUMBER: Final = re.compile(r"\d{1,3}")
_DATELINE: Final = re.compile(r"(?P<place>[^\n\r]{1,80}?)\s[-–—]\s")

# Only such as a capital or a number commonly follows within the sentence. `и т.д.`, `и др.` and the
# like are left out: a capital after them begins a new sentence.
_ABBREVIATIONS: Final = frozenset(
    (
        *("г", "гг", "обл", "ул", "пос", "им", "т.е", "см", "ст", "стр", "тел", "проф", "акад"),
        *("дж", "тыс", "млн", "млрд", "трлн", "руб", "долл", "тг"),
        *("ж", "жж", "қ"),
        *("mr", "mrs", "ms", "dr", "prof", "st", "inc", "ltd", "co", "corp", "vs", "e.g", "i.e"),
    )
)


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """Positions `[start, end)` of the sentences, in Unicode code points, in ascending order.

    A sentence ends at `.`, `!`, `?` or `…` with its closing quotes and brackets, if white space
    and then a capital, a digit or an opening quote follow; never after initials, a list number or
    an abbreviation such as `млн.` or `Mr.`; always at the end of a line. A dateline in capitals
    (`ТАРАЗ. НОВОСТИ - `) belongs to the sentence it opens. Spans do not overlap, neither begin
    nor end with white space, and leave out nothing else. Never raises.
    """
    spans: list[tuple[int, int]] = []
    for paragraph in _PARAGRAPH.finditer(text):
        start, end = paragraph.span()
        for boundary in _inner_boundaries(text, start, end):
            spans.append((start, boundary.end("closing")))
            start = boundary.start("opening")
        spans.append((start, start + len(text[start:end].rstrip())))
    return spans


def _inner_boundaries(text: str, start: int, end: int) -> Iterator[re.Match[str]]:
    """Where one sentence of a paragraph ends and the next begins."""
    dateline = _DATELINE.match(text, start, end)
    first = dateline.end() if dateline and dateline["place"].isupper() else start
    for candidate in _CANDIDATE.finditer(text, first, end):
        if _opens_sentence(candidate) and not _is_inner_stop(text, start, candidate):
            start = candidate.start("opening")
            yield candidate


def _opens_sentence(candidate: re.Match[str]) -> bool:
    # A bracket does not suffice: what stands in brackets often continues the sentence.
    is_quote = candidate["opening"].strip("([") != ""
    return is_quote or candidate["next"].isupper() or candidate["next"].isdigit()


def _is_inner_stop(text: str, start: int, candidate: re.Match[str]) -> bool:
    """Whether the full stop belongs to initials, an abbreviation or the number of a list item."""
    if candidate["stop"] != ".":
        return False
    stop = candidate.start()
    if _LIST_NUMBER.fullmatch(text, start, stop):
        return True
    word = _WORD_BEFORE.search(text[max(start, stop - _WORD_WINDOW) : stop])
    if word is None:
        return False
    is_initials = word[0].isupper() and _INITIALS.fullmatch(word[0]) is not None
    return is_initials or word[0].lower() in _ABBREVIATIONS
