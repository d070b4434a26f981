"""Sources: the documents that facts come from, with or without their text."""

from hashlib import sha256
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints
from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, Session, column_property, mapped_column, relationship

from app.core.databases.interface import Base
from app.core.errors import (
    Conflict,
    Fault,
    refuse_repeated,
)
from app.core.loose_types import Values
from app.core.validation import Example
from app.engine.record import Part, Record, code, reference, rule, stated
from app.engine.resource import Embedded, LongText, Resource
from app.engine.schemas import Edtf, Line, Noted, RecordFields, Schema
from app.resources.organization import organization


class Source(Record):
    __tablename__ = "source"
    __table_args__ = (
        rule("char_count_not_negative", "char_count >= 0", "char_count is at least 0"),
    )

    publisher: Mapped[str]
    title: Mapped[str]
    url: Mapped[str | None]
    language: Mapped[str | None] = code("language.code")
    published: Mapped[str | None] = stated()
    dateline: Mapped[str | None]
    reported_by_id: Mapped[UUID | None] = reference("organization.id")
    sha256: Mapped[str | None]
    char_count: Mapped[int | None]
    text: Mapped[str | None] = mapped_column(deferred=True)
    has_text: Mapped[bool] = column_property(text.is_not(None), deferred=True)
    based_on: Mapped[list["SourceBasis"]] = relationship(
        cascade="all, delete-orphan",
        order_by="SourceBasis.position",
        foreign_keys="SourceBasis.owner_id",
    )
    sentences: Mapped[list["SourceSentence"]] = relationship(
        cascade="all, delete-orphan", order_by="SourceSentence.number"
    )


class SourceBasis(Part):
    """Another source that a source rests on (wasDerivedFrom of PROV)."""

    __tablename__ = "source_basis"
    __table_args__ = (
        rule(
            "not_itself",
            "source_id <> owner_id",
            "a source is not based on itself: name another",
            "/based_on",
        ),
    )

    owner_id: Mapped[UUID] = mapped_column(ForeignKey("source.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    source_id: Mapped[UUID] = reference("source.id")


class BasisFields(Schema):
    """Another source that a source rests on."""

    source_id: UUID
    """The other source, which this one quotes or repeats."""


class SourceSentence(Base):
    """Where a sentence of an attached text begins."""

    __tablename__ = "source_sentence"

    source_id: Mapped[UUID] = mapped_column(ForeignKey("source.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    start: Mapped[int]


Address = Annotated[
    str,
    # Counted in the pattern, its length would take 4 MB of each process.
    StringConstraints(max_length=2008, pattern=r"^https?://[^\s\u0000]+$"),
    Example("https://example.org/news/1"),
]
LanguageCode = Annotated[str, StringConstraints(pattern=r"^[a-z]{2}$"), Example("ru")]
Sha256 = Annotated[
    str, StringConstraints(pattern=r"^[0-9a-f]{64}$"), Example(sha256(b"text").hexdigest())
]


class SourceFields(RecordFields, Noted):
    """A document that facts come from."""

    publisher: Line
    """Who published it."""
    title: Line
    """Its title, or a description of ours where it has none."""
    url: Address | None = None
    """Where it can be read: an http or https address."""
    language: LanguageCode | None = None
    """Language of the text, BCP 47, here a code of ISO 639-1: `ru`, `kk`, `en`."""
    published: Edtf | None = None
    """When it was published, as stated, in EDTF."""
    dateline: Line | None = None
    """The place it is datelined, which need not be where things happened."""
    reported_by_id: UUID | None = None
    """The organization that the publisher names as its informant."""
    sha256: Sha256 | None = None
    """SHA-256 of the text in UTF-8, by which a copy of it is recognised."""
    char_count: Annotated[int, Field(ge=0, le=2**31 - 1, strict=True)] | None = None
    """Length of the text in Unicode code points."""
    based_on: Annotated[list[BasisFields], Field(max_length=100)] = []
    """The sources that it quotes or repeats: evidence of one origin counts once."""


class HasText(Schema):
    has_text: bool
    """True when the text is attached, so that citations show their quotes."""


def _check(session: Session, record: Source, before: Values | None) -> None:
    refuse_repeated("/based_on", [each.source_id for each in record.based_on])
    if before is None or not before["has_text"]:
        return
    for name in ("sha256", "char_count"):
        if before[name] != getattr(record, name):
            text = f"{name} is that of the attached text and stays as it is."
            raise Conflict(text, [Fault("fixed", text, pointer=f"/{name}")])


source = Resource(
    name="Source",
    path="sources",
    table=Source,
    fields=SourceFields,
    read_only=HasText,
    about="A document that facts come from: an article, a press release, a register.",
    to_one={"reported_by": organization},
    long_text=LongText("text", told_by=("has_text", "sha256")),
    embedded={"based_on": Embedded(table=SourceBasis, fields=BasisFields, owner="owner_id")},
    check=_check,
)
source.embedded["based_on"].to_one["source"] = source
