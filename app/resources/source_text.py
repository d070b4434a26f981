"""The text of a source: attached by whoever has it, so that citations show their quotes."""

import asyncio
from hashlib import sha256
from typing import Annotated
from uuid import UUID

from fastapi import Query, Request
from pydantic import Field, RootModel, create_model
from sqlalchemy import bindparam, delete, func, insert, select
from sqlalchemy.orm import Session
from starlette.responses import PlainTextResponse, Response

from app.core import json_codec
from app.core.auth.principals import Permission, Principal
from app.core.databases.interface import compile_query
from app.core.errors import (
    BadRequest,
    Conflict,
    Invalid,
    NotFound,
    TooLarge,
    UnsupportedMediaType,
)
from app.core.http.dispatch import Route
from app.core.http.operation import Answer, Operation
from app.core.http.requests import check_type, read_content
from app.core.loose_types import Fields, TypeForm
from app.core.text.analyze import words
from app.core.validation import Model
from app.engine.registry import RecordKind
from app.engine.schemas import Flag, Schema, derived_schema
from app.engine.search.searched import LONGEST_TEXT
from app.engine.writes import store
from app.engine.writes.rendering import render_record
from app.engine.writes.store import Stored
from app.resources.citation import Citation
from app.resources.moved_citations import move_citations
from app.resources.passage import SearchedText
from app.resources.sentence import sentence_spans
from app.resources.source import Source, SourceSentence, source
from app.rest.audience import reading_dialect
from app.rest.handlers import database_of, find_row
from app.rest.operations import Key, Models
from app.rest.transactions import WriteResult
from app.rest.write_handlers import WriteQuery, answer_write

#: How many lost citations an answer names, and how much of the words of each.
MAX_LOST, MAX_SHOWN = 1000, 500


def attach_text(session: Session, record: Source, content: bytes) -> Stored:
    """Keep the text with its source.

    Invalid (422) when it is not UTF-8 or not the text that the source's sha256 and positions are
    about.
    """
    has_text = attached(session, record)
    digest = sha256(content).hexdigest()
    if record.sha256 not in (None, digest):
        instead = " An admin can put it in place of the attached one: ?replace=true."
        text = f"This is another text: its sha256 is {digest}, not {record.sha256}."
        raise Invalid(text + (instead if has_text else ""))
    text = read_text(content)
    if record.char_count not in (None, len(text)):
        raise Invalid(f"The text has {len(text)} characters, not {record.char_count}.")
    if has_text:
        return store.as_stored(session, source, record)
    _check_citations(session, record, len(text))
    _keep_sentences(session, record, text)
    return store.set_fields(session, source, record, _values(text, digest))


def attached(session: Session, record: Source) -> bool:
    """Whether the source has its text."""
    return bool(session.scalar(select(Source.text.is_not(None)).where(Source.id == record.id)))


def read_text(content: bytes) -> str:
    """The text that was sent; Invalid (422) for what cannot be one."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Invalid(f"The text is not UTF-8 at byte {error.start}.") from None
    if "\0" in text:
        raise Invalid("The text holds a NUL character, which cannot be stored.")
    return text


def _values(text: str, digest: str) -> Fields:
    return {"text": text, "sha256": digest, "char_count": len(text)}


def _keep_sentences(session: Session, record: Source, text: str) -> None:
    session.execute(delete(SourceSentence).where(SourceSentence.source_id == record.id))
    sentences = [
        {"source_id": record.id, "number": number, "start": start}
        for number, (start, _) in enumerate(sentence_spans(text), 1)
    ]
    if sentences:
        session.execute(insert(SourceSentence), sentences)


def replace_text(session: Session, record: Source, content: bytes) -> str:
    """Put another text in the place of the attached one, with the citations moved to where their
    words stand in it: as JSON, how many moved and which are lost."""
    text = read_text(content)
    old = session.scalar(select(Source.text).where(Source.id == record.id)) or ""
    _keep_sentences(session, record, text)
    store.set_unchecked(session, source, record, _values(text, sha256(content).hexdigest()))
    moved, unchanged, lost = move_citations(session, record, SearchedText(old), SearchedText(text))
    told = {
        "moved": moved,
        "unchanged": unchanged,
        "lost": len(lost),
        "citations": [
            {
                "id": str(each.id),
                "record_kind": each.record_kind,
                "record_id": str(each.record_id),
                "quote": words[:MAX_SHOWN],
            }
            for each, words in lost[:MAX_LOST]
        ],
    }
    shown = json_codec.dumps(told).decode()
    return f'{{"source":{render_record(session, source, record.id)},{shown[1:]}'


def _check_citations(session: Session, record: Source, length: int) -> None:
    cited = select(func.max(Citation.end)).where(Citation.source_id == record.id)
    if (session.scalar(cited) or 0) > length:
        raise Invalid(f"The text has {length} characters, but citations go beyond.")


class LostCitation(Schema):
    """A citation whose words are not in the new text."""

    id: UUID
    record_kind: RecordKind
    record_id: UUID
    quote: str
    """Its words in the old text, or their beginning."""


def text_replaced(shown: Model) -> Model:
    """What replacing a text came to."""
    fields: Fields = {
        "source": (shown, ...),
        "moved": (int, Field(description="How many citations stand elsewhere now.")),
        "unchanged": (int, Field(description="How many stand where they stood.")),
        "lost": (int, Field(description="How many went to the trash.")),
        "citations": (list[LostCitation], Field(description="Those that did.")),
    }
    return derived_schema("TextReplaced", "A text in the place of another one.", fields)


class TextQuery(WriteQuery):
    """Parameters of attaching a text."""

    replace: Flag = False
    """`true` puts it in place of the attached one, which needs the scope `admin`. Citations move to
    where their words stand now; those whose words are gone go to the trash, and are told."""


def text_routes(models: Models) -> list[Route]:
    """Attaching the text of a source, and reading it."""

    async def attach_source_text(
        request: Request, key: Key, query: Annotated[TextQuery, Query()]
    ) -> Response:
        """Send the text itself, UTF-8, as text/plain. It is accepted only if its SHA-256 is the
        source's; from then on citations show their quotes, and searches look into it."""
        check_type(request, ("text/plain",))
        if query.replace:
            caller: Principal = request.scope["caller"]
            caller.check(Permission.ADMIN)
        content = await read_content(request)
        # The index knows its words by then: to read so many takes longer than to store them.
        await asyncio.to_thread(words, content[: 4 * LONGEST_TEXT].decode(errors="ignore"))

        def work(session: Session) -> WriteResult:
            record = store.find_live(session, source, key)
            assert isinstance(record, Source)
            if query.replace and attached(session, record):
                return WriteResult(replace_text(session, record, content))
            return WriteResult(attach_text(session, record, content).body)

        return await answer_write(request, work, query)

    async def get_source_text(request: Request, key: Key) -> Response:
        """The attached text; 404 when none is attached."""
        found = await find_row(request, source, key)
        database = database_of(request)
        statement = compile_query(
            select(Source.text).where(Source.id == bindparam("source")), reading_dialect(request)
        )
        ((text,),) = await database.read(statement, {"source": found.id})
        if text is None:
            raise NotFound(f"No text is attached to the source {key!r}.")
        return PlainTextResponse(text)

    def answered() -> Model:
        shown: TypeForm = Answer(model=models["Source"]).made_model()
        doc = "The source or, of a text that was replaced, what that came to."
        either: TypeForm = shown | text_replaced(shown)
        return create_model("AttachedText", __base__=RootModel[either], __doc__=doc)

    plain = {"text/plain": {"schema": {"type": "string"}}}
    return [
        Operation(
            method="PUT",
            path="/sources/{key}/text",
            name="attach_source_text",
            summary="Attach the text of one source",
            tag="sources",
            body={"required": True, "content": plain},
            answers=(Answer(model=answered, headers=("Dry-Run",)),),
            refusals=(BadRequest, NotFound, Conflict, TooLarge, UnsupportedMediaType, Invalid),
        ).route(attach_source_text),
        Operation(
            path="/sources/{key}/text",
            name="get_source_text",
            summary="Get the text of one source",
            tag="sources",
            answers=(Answer(description="The text.", content=plain),),
            refusals=(BadRequest, NotFound),
        ).route(get_source_text),
    ]
