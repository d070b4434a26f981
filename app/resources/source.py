"""Sources: the documents that facts come from, with or without their text."""

from collections.abc import Mapping
from datetime import date
from hashlib import sha256
from typing import Annotated, Any
from uuid import UUID

from fastapi import Request
from pydantic import Field, StringConstraints
from sqlalchemy import ForeignKey, bindparam, select
from sqlalchemy.orm import Mapped, Session, column_property, mapped_column, relationship
from starlette.responses import PlainTextResponse, Response

from app.core.answers import Json, problems
from app.core.database import Base, prepare
from app.core.errors import (
    BadRequest,
    Conflict,
    Fault,
    Invalid,
    NotFound,
    TooLarge,
    UnsupportedMediaType,
)
from app.core.routing import Route, check_type, read_content
from app.crud import store
from app.crud.record import Record, reference, rule, stated
from app.crud.resource import Resource
from app.crud.routes import Key, Models, database_of, find_row, write
from app.crud.schemas import Edtf, Line, Noted, RecordFields, Schema
from app.resources.organization import organization
from app.resources.sentence import sentence_spans


class Source(Record):
    __tablename__ = "source"
    __table_args__ = (
        rule(
            "published_in_order",
            "published_earliest <= published_latest",
            "published runs backwards",
            "/published",
        ),
        rule("char_count_not_negative", "char_count >= 0", "char_count is at least 0"),
    )

    publisher: Mapped[str]
    title: Mapped[str]
    url: Mapped[str | None]
    language: Mapped[str | None]
    published: Mapped[str | None] = stated()
    published_earliest: Mapped[date | None]
    published_latest: Mapped[date | None]
    dateline: Mapped[str | None]
    reported_by_id: Mapped[UUID | None] = reference("organization.id")
    sha256: Mapped[str | None]
    char_count: Mapped[int | None]
    text: Mapped[str | None] = mapped_column(deferred=True)
    has_text: Mapped[bool] = column_property(text.is_not(None), deferred=True)
    sentences: Mapped[list["SourceSentence"]] = relationship(
        cascade="all, delete-orphan", order_by="SourceSentence.number"
    )


class SourceSentence(Base):
    """Where a sentence of an attached text begins."""

    __tablename__ = "source_sentence"

    source_id: Mapped[UUID] = mapped_column(ForeignKey("source.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    start: Mapped[int]


Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class SourceFields(RecordFields, Noted):
    """A document that facts come from."""

    publisher: Line
    title: Line
    url: Annotated[str, StringConstraints(pattern=r"^https?://[^\s\u0000]{1,2000}$")] | None = None
    """Where it can be read: an http or https address."""
    language: (
        Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")] | None
    ) = None
    """Language of the text, BCP 47: `ru`, `kk`, `en`."""
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


class HasText(Schema):
    has_text: bool
    """True when the text is attached, so that citations show their quotes."""


def _check(session: Session, record: Source, before: Mapping[str, Any] | None) -> None:
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
    computed=HasText,
    about="A document that facts come from: an article, a press release, a register.",
    one={"reported_by": organization},
    check=_check,
)


def attach_text(session: Session, record: Source, content: bytes) -> str:
    """Keep the text with its source and return the source's JSON.

    Invalid (422) when it is not UTF-8 or not the text that the source's sha256 and positions are
    about.
    """
    digest = sha256(content).hexdigest()
    if record.sha256 not in (None, digest):
        raise Invalid(f"This is another text: its sha256 is {digest}, not {record.sha256}.")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Invalid(f"The text is not UTF-8 at byte {error.start}.") from None
    if "\0" in text:
        raise Invalid("The text holds a NUL character, which cannot be stored.")
    if record.char_count not in (None, len(text)):
        raise Invalid(f"The text has {len(text)} characters, not {record.char_count}.")
    spans = sentence_spans(text)
    sentences = [
        SourceSentence(number=number, start=start) for number, (start, _) in enumerate(spans, 1)
    ]
    values = {"text": text, "sha256": digest, "char_count": len(text), "sentences": sentences}
    return store.amend(session, source, record, values)


def text_routes(models: Models) -> list[Route]:
    """Attaching the text of a source, and reading it."""

    async def attach_source_text(request: Request, key: Key) -> Response:
        """Send the text itself, UTF-8, as text/plain. It is accepted only if its SHA-256 is the
        source's; from then on every citation of the source shows its quote and sentence."""
        check_type(request, ("text/plain",))
        content = await read_content(request)
        stored = await write(
            request,
            lambda session: attach_text(session, store.find_live(session, source, key), content),
        )
        return Json(stored.encode())

    async def get_source_text(request: Request, key: Key) -> Response:
        """The attached text; 404 when none is attached."""
        _, source_id = await find_row(request, source, key)
        database = database_of(request)
        statement = prepare(
            select(Source.text).where(Source.id == bindparam("source")), database.dialect
        )
        ((text,),) = await database.read(statement, {"source": source_id})
        if text is None:
            raise NotFound(f"No text is attached to the source {key!r}.")
        return PlainTextResponse(text)

    body = {"required": True, "content": {"text/plain": {"schema": {"type": "string"}}}}
    plain = {"description": "The text.", "content": {"text/plain": {"schema": {"type": "string"}}}}
    return [
        Route(
            "/sources/{key}/text",
            attach_source_text,
            methods=["PUT"],
            operation_id="attach_source_text",
            summary="Attach the text of one source",
            tags=["sources"],
            response_model=models["Source"],
            openapi_extra={"requestBody": body},
            responses=problems(
                BadRequest, NotFound, Conflict, TooLarge, UnsupportedMediaType, Invalid
            ),
        ),
        Route(
            "/sources/{key}/text",
            get_source_text,
            operation_id="get_source_text",
            summary="Get the text of one source",
            tags=["sources"],
            response_class=PlainTextResponse,
            responses={200: plain, **problems(BadRequest, NotFound)},
        ),
    ]
