"""Citations: this record, or one field of it, rests on that passage of a source."""

import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints
from sqlalchemy import Index, func, select
from sqlalchemy.orm import Mapped, Session, column_property, mapped_column

from app.core import json_codec
from app.core.databases.interface import table_of
from app.core.databases.types import choice
from app.core.errors import Invalid
from app.core.json_pointer import read_pointer
from app.core.loose_types import JsonValue, Values
from app.core.validation import Example
from app.engine.record import Record, reference, rule
from app.engine.registry import RECORD_TYPES, RecordKind, kind_column
from app.engine.resource import Resource
from app.engine.schemas import Count, Day, Noted, RecordFields, Schema
from app.engine.writes.rendering import render_record
from app.engine.writes.successors import merged_hint
from app.resources.citation_selector import cited
from app.resources.source import Source, SourceSentence, source

#: What is added to the positions of a passage that the text has no more: no text is so long.
NOWHERE = 1 << 30
#: Tables, and not the classes: what is selected of these compiles in half the time.
_SOURCE, _SENTENCE = table_of(Source), table_of(SourceSentence)


class Assertion(StrEnum):
    """How the passage backs the fact."""

    stated = "stated"
    inferred = "inferred"
    external = "external"


class Citation(Record):
    __tablename__ = "citation"
    __table_args__ = (
        rule("span", '"start" >= 0 AND "start" < "end"', "start lies before end", "/end"),
        Index("ix_citation_record", "record_kind", "record_id"),
    )

    source_id: Mapped[UUID] = reference("source.id")
    record_kind: Mapped[str] = kind_column()
    record_id: Mapped[UUID]
    field: Mapped[str | None]
    start: Mapped[int] = mapped_column()
    end: Mapped[int] = mapped_column()
    assertion: Mapped[Assertion] = mapped_column(choice(Assertion, "assertion"))
    checked: Mapped[datetime.date | None]
    quote: Mapped[str | None] = column_property(
        select(func.nullif(func.substr(_SOURCE.c.text, start + 1, end - start), ""))
        .where(_SOURCE.c.id == source_id)
        .correlate_except(_SOURCE)
        .scalar_subquery(),
        deferred=True,
    )
    sentence: Mapped[int | None] = column_property(
        select(func.max(_SENTENCE.c.number))
        .where(_SENTENCE.c.source_id == source_id, _SENTENCE.c.start <= start, start < NOWHERE)
        .correlate_except(_SENTENCE)
        .scalar_subquery(),
        deferred=True,
    )


FieldPointer = Annotated[
    str, StringConstraints(max_length=200, pattern=r"^/[^\u0000]*$"), Example("/amount")
]


class CitationFields(RecordFields, Noted):
    """A passage that backs a record or one field of it."""

    source_id: UUID
    """The source that the passage is in."""
    record_kind: RecordKind
    """The kind of the record that the passage backs."""
    record_id: UUID
    """The record that the passage backs."""
    field: FieldPointer | None = None
    """The field it backs, a JSON Pointer (RFC 6901): `/position`, `/parties/0/role`; null when it
    backs the record as a whole."""
    start: Count
    """Where the passage begins in the source's text, in Unicode code points from 0."""
    end: Annotated[int, Field(ge=1, le=2**31 - 1, strict=True)]
    """Where it ends: the position after its last code point."""
    assertion: Assertion = Assertion.stated
    """Whether the passage states it, we infer it, or it comes from elsewhere."""
    checked: Day | None = None
    """The day on which somebody last compared it with the source; its history tells who."""


class Quoted(Schema):
    record_ref: str | None
    """The ref of the record that the passage backs."""
    record_title: str | None
    """What that record is called, or what it says."""
    quote: str | None
    """The words of the passage, when the source's text is attached; never stored here."""
    sentence: int | None
    """Which sentence the passage begins in, counted from 1, when the text is attached."""


def _check(session: Session, record: Citation, before: Values | None) -> None:
    # What it backed may be in the trash already; then it can still follow.
    if record.deleted_at is not None:
        return
    cited = session.get_one(Source, record.source_id)
    if record.start >= NOWHERE:
        text = "Its words are not in the text that the source has now: cite another passage."
        raise Invalid.at("/start", "nowhere", text)
    if cited.char_count is not None and record.end > cited.char_count:
        text = f"The source has {cited.char_count} characters: end lies beyond."
        raise Invalid.at("/end", "range", text)
    resource = RECORD_TYPES[record.record_kind]
    backed = session.get(resource.table, record.record_id)
    if backed is None or backed.deleted_at is not None:
        table = table_of(resource.table)
        merged = merged_hint(session, table, table.c.id == record.record_id)
        text = f"There is no {resource.singular} with the id {record.record_id}.{merged}"
        raise Invalid.at("/record_id", "merged" if merged else "reference", text)
    if record.field:
        _check_field(json_codec.loads(render_record(session, resource, backed.id)), record.field)


def _check_field(value: JsonValue, pointer: str) -> None:
    for name in read_pointer(pointer):
        if isinstance(value, dict) and name in value:
            value = value[name]
        elif isinstance(value, list) and name in map(str, range(len(value))):
            value = value[int(name)]
        else:
            raise Invalid.at("/field", "pointer", f"The record has nothing at {pointer!r}.")


citation = Resource(
    name="Citation",
    path="citations",
    table=Citation,
    fields=CitationFields,
    read_only=Quoted,
    about="Evidence: the passage of a source that a record, or one field of it, rests on.",
    to_one={"source": source},
    tells_of=("record_kind", "record_id", "field"),
    stand_ins=cited,
    check=_check,
)
