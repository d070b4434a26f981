"""Idempotency-Key: a request that is repeated is answered from what is stored."""

from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

from sqlalchemy import String, Text, delete, func
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column
from starlette.requests import Request

from app.core import json_codec
from app.core.databases.interface import Base
from app.core.databases.types import JsonText, now
from app.core.errors import (
    Conflict,
    Fault,
    Invalid,
)
from app.core.http.app_state import state_of
from app.rest.transactions import WriteResult, actor_of, write

#: How long the answer to a request with an Idempotency-Key is kept.
RESPONSE_TTL = timedelta(hours=24)


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


async def write_once(
    request: Request, key: str, work: Callable[[Session], WriteResult]
) -> WriteResult:
    """The answer of the first request with the key, which is stored with what it wrote."""
    caller, fingerprint = actor_of(request), _fingerprint(request)
    running = state_of(request).running
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


def forget_answers(session: Session, record_id: UUID) -> None:
    """Forget the kept answers that are this record: it is gone for good, with all that it said."""
    begin = func.substr(StoredResponse.body, 1, 60)
    session.execute(delete(StoredResponse).where(begin.contains(f'"{record_id}"')))


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
        text = (
            "This Idempotency-Key was sent with another request before. Take a new key for a new"
            " request, or send the same one again."
        )
        raise Invalid(text, [Fault("idempotency_key", text, parameter="Idempotency-Key")])
    headers = {**json_codec.loads(kept.headers), "Idempotency-Replayed": "true"}
    return WriteResult(kept.body, kept.status, headers)


def _fingerprint(request: Request) -> str:
    sent = (request.method, request.url.path, request.url.query)
    content: bytes = request.scope.get("content", b"")
    return sha256(repr(sent).encode() + content).hexdigest()
