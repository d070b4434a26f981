"""What a citation says in place of ids and positions: the record by its ref, the passage by its
words."""

from collections import OrderedDict
from typing import Annotated
from uuid import UUID

from pydantic import StringConstraints
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.errors import Fault, Invalid
from app.core.loose_types import Fields, Values
from app.core.validation import summary, validate
from app.engine.keys import as_id
from app.engine.registry import RECORD_TYPES, RecordKind, kind_named
from app.engine.resource import StandIns
from app.engine.schemas import Ref, Schema
from app.engine.writes.resolve_references import find_id
from app.resources.passage import (
    MAX_PLACES,
    SearchedText,
    Span,
    Words,
    is_blank,
    same_words,
)
from app.resources.source import Source

#: How many texts a transaction keeps, to look for the passages of many citations.
_KEPT_TEXTS = 2

Passage = Annotated[str, StringConstraints(min_length=1, pattern=r"^[^\u0000]+$")]


class CitedRecord(Schema):
    """A record of any kind, by its ref or id."""

    kind: RecordKind
    """Its kind."""
    ref: Ref | None = None
    """Its ref."""
    id: UUID | None = None
    """Or its id."""


class Cited(Schema):
    """What stands in place of ids and positions."""

    record: CitedRecord | None = None
    """In place of `record_kind` and `record_id`: the record's kind and its ref."""
    quote: Passage | None = None
    """In place of `start` and `end`: the words of the passage, found in the source's attached text;
    white space, quotation marks and dashes may differ. Given with them, they must agree."""
    prefix: Passage | None = None
    """What stands just before the quote, where that stands in the text more than once."""
    suffix: Passage | None = None
    """What stands just after it."""


def _resolve(session: Session, values: Values, before: Values | None) -> Fields:
    """A body's values with the fields of the citation in place of what stands for them."""
    given = {name: values[name] for name in Cited.model_fields if values.get(name) is not None}
    own = {name: each for name, each in values.items() if name not in Cited.model_fields}
    validate(Cited, given)
    faults: list[Fault] = []
    if "quote" in values and "quote" not in given and before and before["quote"] is not None:
        faults.append(Fault("read_only", _NO_CLEARING, pointer="/quote"))
    if "quote" in given and before == {} and own.get("source_id") is None:
        faults.append(Fault("missing", _OF_MANY, pointer="/source_id"))
    for work in (_record, _positions):
        try:
            own |= work(session, given, own, before or {})
        except Invalid as problem:
            faults += problem.errors
    if faults:
        raise Invalid(summary(faults), faults)
    return own


def _record(session: Session, given: Values, own: Values, before: Values) -> Fields:
    record = given.get("record")
    if record is None:
        return {}
    kind = kind_named(record["kind"])
    name = "ref" if record.get("id") is None else "id"
    if record.get(name) is None:
        raise Invalid.at("/record/ref", "missing", "Give the ref of the record, or its id.")
    found = find_id(session, RECORD_TYPES[kind], str(record[name]), f"/record/{name}")
    if name == "id" and record.get("ref") is not None:
        by_ref = find_id(session, RECORD_TYPES[kind], record["ref"], "/record/ref")
        if by_ref != found:
            raise Invalid.at("/record", "both", "Give id or ref: they are of different records.")
    told = {"record_kind": kind, "record_id": str(found)}
    for field in told.keys() & own.keys():
        sent = str(own[field])
        if told[field] not in (sent.lower(), kind_named(sent)):
            text = f"Give record or {field}, not both: they are of different records."
            raise Invalid.at("/record", "both", text)
    return told


def _positions(session: Session, given: Values, own: Values, before: Values) -> Fields:
    quote = given.get("quote")
    if quote is None:
        for name in ("prefix", "suffix"):
            if name in given:
                detail = f"{name} says which of several places is meant: give the quote as well."
                raise Invalid.at(f"/{name}", "quote", detail)
        return {}
    source_id = _source_of(own, before)
    if source_id is None:
        # That it is missing, or no id, is told of itself.
        return {}
    wanted = {name: own[name] for name in ("start", "end") if own.get(name) is not None}
    unmoved = not wanted and given.keys().isdisjoint(("prefix", "suffix"))
    if unmoved and before.get("quote") == quote and str(before["source_id"]) == str(source_id):
        return {name: before[name] for name in ("start", "end")}
    text = attached_text(session, source_id)
    if text is None:
        raise Invalid.at("/quote", "no_text", _NO_TEXT.format(source_id))
    if not wanted and is_blank(quote):
        raise Invalid.at("/quote", "blank", "Nothing of this quote can be seen: give its words.")
    words = Words(quote, given.get("prefix", ""), given.get("suffix", ""))
    span = _found(text, words, wanted)
    return {"start": span.start, "end": span.end}


_NO_CLEARING = "The words of a passage cannot be cleared: leave quote out, or give others."
_OF_MANY = "Many citations are meant: give the source in which the quote stands."
_NO_TEXT = (
    "The source has no text in which the quote could be looked for: attach it with"
    " PUT /sources/{}/text, or give start and end alone."
)


def _source_of(own: Values, before: Values) -> UUID | None:
    sent = own.get("source_id", before.get("source_id"))
    return sent if isinstance(sent, UUID) else as_id(str(sent))


def attached_text(session: Session, source_id: UUID) -> SearchedText | None:
    """The text of a source, which stays the same until the transaction ends; None without one."""
    kept: OrderedDict[UUID, SearchedText] = session.info.setdefault("texts", OrderedDict())
    if source_id not in kept:
        wanted = select(Source.text).where(Source.id == source_id).with_for_update(read=True)
        text = session.scalar(wanted)
        if text is None:
            return None
        kept[source_id] = SearchedText(text)
        while len(kept) > _KEPT_TEXTS:
            kept.popitem(last=False)
    return kept[source_id]


def _found(text: SearchedText, words: Words, wanted: Values) -> Span:
    """The one place where the words stand; Invalid tells why there is none, or which there are."""
    places = text.find(words)
    found = [span for span in places if all(getattr(span, n) == wanted[n] for n in wanted)]
    if len(found) == 1:
        return found[0]
    if wanted and not found:
        return _told_so(text, words, wanted, places)
    if found:
        raise Invalid.at("/quote", "ambiguous", _several(text, words, found))
    if (words.prefix or words.suffix) and (places := text.find(Words(words.exact))):
        around = " and ".join(name for name in ("prefix", "suffix") if getattr(words, name))
        shown = _shown(text, places)
        detail = f"The quote stands in the text, but not with this {around}: it stands at {shown}."
        raise Invalid.at(f"/{around.split()[0]}", "not_found", detail)
    raise Invalid.at("/quote", "not_found", _nowhere(text, words.exact))


def _told_so(text: SearchedText, words: Words, wanted: Values, places: list[Span]) -> Span:
    """The place that start and end tell, where their words are those of the quote."""
    start, end = wanted.get("start"), wanted.get("end")
    if isinstance(start, int) and isinstance(end, int) and 0 <= start < end:
        if same_words(text.text[start:end], words.exact):
            return Span(start, end)
        there = " ".join(text.text[start : min(end, start + 60)].split())
        detail = f"From {start} to {end} the text says {there!r}, which is not the quote."
    else:
        detail = "The quote does not stand at this place."
    instead = f" It stands at {_shown(text, places)}." if places else ""
    more = " Leave out start and end to have it found, or the quote."
    raise Invalid.at("/quote", "differs", f"{detail}{instead}{more}")


def _several(text: SearchedText, words: Words, found: list[Span]) -> str:
    around = "more of the text before or after it, as prefix or suffix"
    if words.prefix or words.suffix:
        around = "a longer prefix or suffix"
    return (
        f"The quote stands {len(found)} times in the text: at {_shown(text, found)}."
        f" Give {around}, or start."
    )


def _shown(text: SearchedText, places: list[Span]) -> str:
    shown = [f"{span.start} ({text.around(span)})" for span in places[:MAX_PLACES]]
    more = len(places) - MAX_PLACES
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


def _nowhere(text: SearchedText, exact: str) -> str:
    near = text.longest_beginning(exact)
    if near is None:
        return "The quote does not stand in the text, and neither does its beginning."
    goes_on = " ".join(text.text[near.end : near.end + 40].split())
    return (
        "The quote does not stand in the text as a whole. Its beginning stands at"
        f" {near.start} ({text.around(near)}), where the text goes on with {goes_on!r}."
    )


cited = StandIns(
    fields=Cited,
    replaces={"record": ("record_kind", "record_id"), "quote": ("start", "end")},
    resolve=_resolve,
)
