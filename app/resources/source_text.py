"""The text of a source: attached by whoever has it, so that citations show their quotes."""

from hashlib import sha256

from fastapi import Request
from sqlalchemy import bindparam, func, insert, select
from sqlalchemy.orm import Session
from starlette.responses import PlainTextResponse, Response

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
from app.core.http.responses import JsonResponse
from app.engine.writes import store
from app.engine.writes.store import Stored
from app.resources.citation import Citation
from app.resources.sentence import sentence_spans
from app.resources.source import Source, SourceSentence, source
from app.rest.handlers import database_of, find_row
from app.rest.operations import Key, Models
from app.rest.transactions import write


def attach_text(session: Session, record: Source, content: bytes) -> Stored:
    """Keep the text with its source.

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
    if session.scalar(select(Source.text.is_not(None)).where(Source.id == record.id)):
        return store.as_stored(session, source, record)
    _check_citations(session, record, len(text))
    sentences = [
        {"source_id": record.id, "number": number, "start": start}
        for number, (start, _) in enumerate(sentence_spans(text), 1)
    ]
    if sentences:
        session.execute(insert(SourceSentence), sentences)
    values = {"text": text, "sha256": digest, "char_count": len(text)}
    return store.set_fields(session, source, record, values)


def _check_citations(session: Session, record: Source, length: int) -> None:
    cited = select(func.max(Citation.end)).where(Citation.source_id == record.id)
    if (session.scalar(cited) or 0) > length:
        raise Invalid(f"The text has {length} characters, but citations go beyond.")


def text_routes(models: Models) -> list[Route]:
    """Attaching the text of a source, and reading it."""

    async def attach_source_text(request: Request, key: Key) -> Response:
        """Send the text itself, UTF-8, as text/plain. It is accepted only if its SHA-256 is the
        source's; from then on every citation of the source shows its quote and sentence."""
        check_type(request, ("text/plain",))
        content = await read_content(request)

        def work(session: Session) -> Stored:
            record = store.find_live(session, source, key)
            assert isinstance(record, Source)
            return attach_text(session, record, content)

        stored = await write(request, work)
        return JsonResponse(stored.body.encode())

    async def get_source_text(request: Request, key: Key) -> Response:
        """The attached text; 404 when none is attached."""
        found = await find_row(request, source, key)
        database = database_of(request)
        statement = compile_query(
            select(Source.text).where(Source.id == bindparam("source")), database.dialect
        )
        ((text,),) = await database.read(statement, {"source": found.id})
        if text is None:
            raise NotFound(f"No text is attached to the source {key!r}.")
        return PlainTextResponse(text)

    plain = {"text/plain": {"schema": {"type": "string"}}}
    return [
        Operation(
            method="PUT",
            path="/sources/{key}/text",
            name="attach_source_text",
            summary="Attach the text of one source",
            tag="sources",
            body={"required": True, "content": plain},
            answers=(Answer(model=models["Source"]),),
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
