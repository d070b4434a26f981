"""Writes: from a request to a transaction, once however often the request is sent."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, TypeVar

from pydantic import Field
from sqlalchemy import String, Text, delete
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column
from starlette.requests import Request
from starlette.responses import Response

from app.core import json_codec
from app.core.auth.principals import ANONYMOUS, Principal
from app.core.databases.interface import Base
from app.core.databases.types import JsonText, now
from app.core.errors import (
    BadRequest,
    Conflict,
    Fault,
    Invalid,
    PreconditionFailed,
    PreconditionRequired,
)
from app.core.http.conditional import tags_in
from app.core.http.responses import JsonResponse
from app.engine.history import change_log
from app.engine.resource import Resource
from app.engine.schemas import Flag, Schema
from app.engine.writes.store import Guard, Stored, no_guard
from app.rest.decimals import wants_texts, with_texts, without_form
from app.rest.handlers import database_of, tag_of

T = TypeVar("T")

#: How long the answer to a request with an Idempotency-Key is kept.
RESPONSE_TTL = timedelta(hours=24)


class WriteQuery(Schema):
    """Parameters of every write."""

    dry_run: Flag = Field(False)
    """`true` checks everything and answers just so, but stores nothing."""


@dataclass(frozen=True, slots=True)
class WriteResult:
    """What a write answers, made within its transaction."""

    body: str = ""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    def response(self) -> Response:
        """The answer as it is sent."""
        if not self.body:
            return Response(status_code=self.status, headers=self.headers)
        return JsonResponse(self.body.encode(), self.status, self.headers)


class StoredResponse(Base):
    """The answer to a request that had an Idempotency-Key; `status` is 0 until it is known."""

    __tablename__ = "kept_answer"

    caller: Mapped[str] = mapped_column(String(120), primary_key=True)
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64))
    status: Mapped[int]
    headers: Mapped[str] = mapped_column(JsonText)
    body: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(index=True)


class _DryRun(Exception):
    """Ends a transaction whose result is wanted and whose writes are not."""

    def __init__(self, result: Any) -> None:
        self.result = result


def actor_of(request: Request) -> str:
    """Who makes the request, as history names them."""
    caller: Principal = request.scope.get("caller", ANONYMOUS)
    return caller.name


async def write(request: Request, work: Callable[[Session], T], dry_run: bool = False) -> T:
    """Run the work in a transaction that ends with its changes in the log; or in one that is
    taken back at its end."""

    def logged(session: Session) -> T:
        result = work(session)
        if dry_run:
            raise _DryRun(result)
        change_log.log_changes(session, actor_of(request))
        return result

    try:
        result = await database_of(request).write(logged)
        # Whoever listens for changes in this process reads them at once.
        if (feed := getattr(request.app.state, "feed", None)) is not None:
            feed.wake()
        return result
    except _DryRun as end:
        undone: T = end.result
        return undone


async def answer_write(
    request: Request,
    work: Callable[[Session], WriteResult],
    query: WriteQuery,
    resource: Resource | None = None,
) -> Response:
    """Run the work and answer with what it made, as the request's headers want it; `resource` is
    the kind of the record that it answers with."""
    key = _key_of(request)
    if query.dry_run:
        answer = await write(request, work, dry_run=True)
        answer = replace(answer, headers={**answer.headers, "Dry-Run": "true"})
    elif key is None:
        answer = await write(request, work)
    else:
        answer = await _write_once(request, key, work)
    answer = _preferred(request, answer)
    if resource is not None and answer.body and wants_texts(request):
        answer = replace(answer, body=with_texts(resource, answer.body))
    return answer.response()


def prefers(request: Request, preference: str) -> bool:
    """Whether a Prefer header (RFC 7240) asks for this, such as `return=minimal`."""
    name, _, value = preference.partition("=")
    for word in ",".join(request.headers.getlist("prefer")).lower().split(","):
        told, _, wanted = word.partition(";")[0].partition("=")
        # Of one that is given twice the first counts.
        if told.strip() == name:
            return wanted.strip().strip('"') == value
    return False


def _preferred(request: Request, answer: WriteResult) -> WriteResult:
    applied = "Preference-Applied" in answer.headers
    if applied or answer.status not in (200, 201) or not prefers(request, "return=minimal"):
        return answer
    headers = {**answer.headers, "Preference-Applied": "return=minimal"}
    return WriteResult("", 201 if answer.status == 201 else 204, headers)


def guard_of(request: Request, resource: Resource) -> Guard:
    """What If-Match and If-None-Match ask of a record before it is changed; PreconditionRequired
    (428) when the service is set to ask for the former and it is not there."""
    tags, others = tags_in(request, "if-match"), tags_in(request, "if-none-match")
    tags = tags and [without_form(tag) for tag in tags]
    others = others and [without_form(tag) for tag in others]
    if tags is None and request.app.state.require_if_match:
        raise PreconditionRequired("Send If-Match with the ETag of the record as you have read it.")
    if tags in (None, ["*"]) and others is None:
        return no_guard
    return _guard(resource, tags or ["*"], others or [])


def _guard(resource: Resource, tags: list[str], others: list[str]) -> Guard:
    def guard(record: Any) -> None:
        told = tag_of(resource, record.id, record.version, 0)
        # The last part of some tags is the state of other records, which a write does not change.
        known = {_core(tag) for tag in tags} if resource.derived_elsewhere else set(tags)
        if tags != ["*"] and (_core(told) if resource.derived_elsewhere else told) not in known:
            raise PreconditionFailed(
                f"The {resource.singular} has changed since: it is at version {record.version}."
                " Read it again, and send its present ETag. (A weak one, W/…, guards nothing.)",
                headers={} if resource.derived_elsewhere else {"ETag": told},
            )
        if others == ["*"] or _core(told) in {_core(tag.removeprefix("W/")) for tag in others}:
            raise PreconditionFailed(f"The {resource.singular} is as If-None-Match says.")

    return guard


def _core(tag: str) -> str:
    return "-".join(tag.strip('"').split("-")[:2])


def headers_of(resource: Resource, stored: Stored) -> dict[str, str]:
    """The ETag of a record that was written, where it is known before the commit."""
    if resource.derived_elsewhere:
        return {}
    return {"ETag": tag_of(resource, stored.id, stored.version, 0)}


def _key_of(request: Request) -> str | None:
    key = request.headers.get("idempotency-key")
    if key is None or request.method != "POST":
        return None
    key = key.strip(" ")
    if not 1 <= len(key) <= 255 or not key.isascii() or not key.isprintable():
        text = "An Idempotency-Key is 1 to 255 letters, digits and signs, best a new UUID."
        raise BadRequest(text, [Fault("idempotency_key", text)])
    return key


async def _write_once(
    request: Request, key: str, work: Callable[[Session], WriteResult]
) -> WriteResult:
    """The answer of the first request with the key, which is stored with what it wrote."""
    caller, fingerprint = actor_of(request), _fingerprint(request)
    running: set[tuple[str, str]] = request.app.state.running
    if (caller, key) in running:
        raise Conflict(
            "A request with this Idempotency-Key is still being worked on. Send it again shortly.",
            headers={"Retry-After": "1"},
        )

    def once(session: Session) -> WriteResult:
        # Rows that nobody will ask for any more go in passing.
        session.execute(
            delete(StoredResponse).where(StoredResponse.created_at < now() - RESPONSE_TTL)
        )
        kept, is_new = _claim(session, caller, key, fingerprint)
        if not is_new:
            return _repeated(kept, fingerprint)
        answer = work(session)
        kept.status, kept.body = answer.status, answer.body
        kept.headers = json_codec.dumps(dict(answer.headers)).decode()
        session.flush()
        return answer

    running.add((caller, key))
    try:
        return await write(request, once)
    finally:
        running.discard((caller, key))


def _claim(session: Session, caller: str, key: str, print_: str) -> tuple[StoredResponse, bool]:
    """The row of the key, and whether this request is the first to have it.

    The row is there before the work begins, so that on PostgreSQL a second request waits for the
    first one's transaction at this place.
    """
    kept = session.get(StoredResponse, (caller, key))
    if kept is not None:
        return kept, False
    row = StoredResponse(
        caller=caller,
        key=key,
        fingerprint=print_,
        status=0,
        headers="{}",
        body="",
        created_at=now(),
    )
    try:
        with session.begin_nested():
            session.add(row)
            session.flush()
    except IntegrityError:
        return session.get_one(StoredResponse, (caller, key)), False
    return row, True


def _repeated(kept: StoredResponse, fingerprint: str) -> WriteResult:
    if kept.fingerprint != fingerprint:
        raise Invalid(
            "This Idempotency-Key was sent with another request before. Take a new key for a new"
            " request, or send the same one again."
        )
    headers = {**json_codec.loads(kept.headers), "Idempotency-Replayed": "true"}
    return WriteResult(kept.body, kept.status, headers)


def _fingerprint(request: Request) -> str:
    sent = (request.method, request.url.path, request.url.query)
    content: bytes = request.scope.get("content", b"")
    return sha256(repr(sent).encode() + content).hexdigest()
