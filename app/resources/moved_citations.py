"""Citations of a source whose text is replaced: moved to where their words stand now."""

from collections.abc import Iterator
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.loose_types import Fields
from app.engine.writes import store
from app.resources.citation import NOWHERE, Citation, citation
from app.resources.passage import SearchedText, Span, Words
from app.resources.source import Source

#: How much of the text around a passage tells it from others of the same words.
CONTEXT_CHARACTERS = 200
#: From how many on the same characters around two passages tell that they are one.
TELLING_CHARACTERS = 5
#: How much of a note is left to say what the words were.
_MAX_NOTE = 20_000


def new_place(old: SearchedText, new: SearchedText, span: Span) -> Span | None:
    """Where a passage of the old text stands in the new one; None where that cannot be told.

    Of several places it is the one with most of the same text around it, or else the one that is
    as many places from the first as it was.
    """
    words = old.text[span.start : span.end]
    found = new.find(Words(words)) if words else []
    if len(found) <= 1:
        return found[0] if found else None
    alike = [_alike(old.text, span, new.text, each) for each in found]
    best = [each for each, length in zip(found, alike, strict=True) if length == max(alike)]
    if len(best) == 1 and max(alike) >= TELLING_CHARACTERS:
        return best[0]
    before = old.find(Words(words))
    return found[before.index(span)] if len(before) == len(found) and span in before else None


def _alike(old: str, span: Span, new: str, other: Span) -> int:
    """How many characters around two passages are the same."""
    before = zip(
        reversed(old[max(0, span.start - CONTEXT_CHARACTERS) : span.start]),
        reversed(new[max(0, other.start - CONTEXT_CHARACTERS) : other.start]),
        strict=False,
    )
    after = zip(
        old[span.end : span.end + CONTEXT_CHARACTERS],
        new[other.end : other.end + CONTEXT_CHARACTERS],
        strict=False,
    )
    return _same(before) + _same(after)


def _same(pairs: Iterator[tuple[str, str]]) -> int:
    count = 0
    for one, other in pairs:
        if one != other:
            break
        count += 1
    return count


class Lost(NamedTuple):
    """A citation whose words are gone, and these."""

    citation: Citation
    words: str


def move_citations(
    session: Session, record: Source, old: SearchedText, new: SearchedText
) -> tuple[int, int, list[Lost]]:
    """Move the citations of a source to where their words stand in its new text; how many were,
    how many stand where they stood, and those whose words stand nowhere, which go to the trash.

    Those in the trash move too, so that they say the same when they come back; one whose words are
    gone stands at `NOWHERE`, shows none, and does not come back.
    """
    moved, lost, unchanged = 0, [], 0
    ids = select(Citation.id).where(Citation.source_id == record.id).order_by(Citation.id)
    for citation_id in session.scalars(ids).all():
        cited = store.find(session, citation, str(citation_id))
        assert isinstance(cited, Citation)
        span = new_place(old, new, Span(cited.start, cited.end))
        is_live = cited.deleted_at is None
        if span is None and cited.start < NOWHERE:
            words = old.text[cited.start : cited.end]
            store.set_unchecked(session, citation, cited, _nowhere(cited, words))
            if is_live:
                store.trash(session, citation, cited)
                lost.append(Lost(cited, words))
        elif span == (cited.start, cited.end):
            unchanged += is_live
        elif span is not None:
            store.set_unchecked(session, citation, cited, span._asdict())
            moved += is_live
    return moved, unchanged, lost


def _nowhere(cited: Citation, words: str) -> Fields:
    """Where a citation stands whose words are gone; its note says what they were."""
    place = {"start": cited.start + NOWHERE, "end": cited.end + NOWHERE}
    note = f"Its words in the text that was replaced: {words}"
    told = cited.note is None and len(note) <= _MAX_NOTE
    return place | {"note": note} if told else place
