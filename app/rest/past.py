"""Answers as they would have been given then: `as_of=` of lists, files and figures."""

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import datetime
from typing import NoReturn, TypeVar
from urllib.parse import unquote_plus

from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from app.core.databases.interface import (
    STREAM_BATCH_ROWS,
    CompiledQuery,
    Database,
    Rows,
)
from app.core.databases.types import now
from app.core.errors import BadRequest, Fault, Gone
from app.core.http.app_state import state_of
from app.core.http.dispatch import Handler
from app.core.http.operation import Json, Operation
from app.core.http.requests import parameters
from app.core.instance_secret import EPOCH_LENGTH
from app.core.loose_types import Values
from app.engine.history.past import Past, first_later, time_of_change
from app.engine.history.past import moment_of as moment_of_change
from app.engine.history.positions import Position, read_position, refuse_gone
from app.engine.history.undo import PARAMETER
from app.engine.query.filter_reader import bad_parameter
from app.engine.query.values import check_past, parse_moment, sentence
from app.rest.audience import MOMENT
from app.rest.handlers import ASKED_AT, PAST_DATABASE, newest_of

T = TypeVar("T")
AnOperation = TypeVar("AnOperation", bound=Operation)
_POSITION = rf"^[0-9]{{1,16}}-[0-9a-f]{{{EPOCH_LENGTH}}}$"
AS_OF: Json = {
    "name": PARAMETER,
    "in": "query",
    "schema": {"type": "string", "format": "date-time"},
    "description": "A time (ISO 8601, or counted from now: `-7d`), or the `position` of a change"
    " with its epoch: the answer as it would have been given then. Goes without `q`.",
}
#: The index of words holds what is there now.
_SEARCH = "q"


class PastDatabase(Database):
    """The database as it was, for the reads of one request; it takes no writes."""

    def __init__(self, present: Database, as_of: datetime | Position) -> None:
        self._present, self._as_of = present, as_of
        self.dialect, self.whole_dialect = present.dialect, present.whole_dialect
        self.counts_quickly = present.counts_quickly
        self._opened = AsyncExitStack()
        self._past: Past | None = None
        # What a request reads at the same time waits for each other: there is one connection.
        self._lock = asyncio.Lock()

    async def start(self) -> None:
        """Opened with the first read."""

    async def stop(self) -> None:
        await self._opened.aclose()

    async def read(
        self, statement: CompiledQuery, values: Values, *, point_lookup: bool = False
    ) -> Rows:
        async with self._lock:
            if self._past is None:
                self._past = await self._opened.enter_async_context(self._open())
            await self._past.hide(statement.sql)
            return await self._past.transaction.read(statement, values)

    async def stream(
        self, statement: CompiledQuery, values: Values, batch_rows: int = STREAM_BATCH_ROWS
    ) -> AsyncGenerator[Rows]:
        # It outlasts the request: it has a transaction of its own.
        async with self._open(for_export=True) as past:
            await past.hide(statement.sql)
            async for rows in past.transaction.stream(statement, values, batch_rows):
                yield rows

    @asynccontextmanager
    async def _open(self, *, for_export: bool = False) -> AsyncIterator[Past]:
        async with self._present.read_transaction(for_export=for_export) as transaction:
            past = Past(transaction, self.whole_dialect)
            await past.open(self._as_of)
            yield past

    async def tag(self) -> str:
        """What tells answers of the moment from those of another: how many changes were made by
        then. Nothing for a position, which is one moment for good."""
        if isinstance(self._as_of, Position):
            return ""
        values = {"moment": self._as_of}
        rows = await self._present.read(first_later(self.dialect), values, point_lookup=True)
        return str(rows[0][0] or "")

    async def moment(self) -> datetime:
        """When it was as the reads show it, of which the future is the present."""
        if isinstance(self._as_of, datetime):
            return min(self._as_of, now())
        values = {"seq": self._as_of.seq}
        rows = await self._present.read(time_of_change(self.dialect), values, point_lookup=True)
        return moment_of_change(rows[0][0]) if rows else now()

    async def write(self, work: Callable[[Session], T]) -> T:
        raise NotImplementedError("what was is not written")

    def read_transaction(self, *, for_export: bool = False) -> NoReturn:
        raise NotImplementedError("the past is read in a transaction already")

    def gauges(self) -> Mapping[str, float]:
        return self._present.gauges()


def is_of_past(request: Request) -> bool:
    """Whether the request names a moment that it is answered of."""
    return PAST_DATABASE in request.scope


async def answered_at(request: Request) -> datetime:
    """The moment that the request is answered of, from which its relative dates are counted: the
    present, that of its `as_of`, or when it was asked, where a receipt asks it again."""
    asked_at: datetime | None = request.scope.get(ASKED_AT)
    past: PastDatabase | None = request.scope.get(PAST_DATABASE)
    if asked_at is not None or past is None:
        return asked_at or now()
    return await past.moment()


async def moment_of(request: Request, text: str) -> datetime:
    """The moment that a client names, by a time or by a position; Gone for a position that is not
    in the log."""
    as_of = read_as_of(text)
    if isinstance(as_of, datetime):
        return as_of
    refuse_gone(as_of, await newest_of(request))
    return await PastDatabase(state_of(request).database, as_of).moment()


def with_past(operation: AnOperation) -> AnOperation:
    """The operation with `as_of`: its endpoint reads by `database_of`, and so what was then."""
    given = (AS_OF, *operation.parameters)
    refusals = dict.fromkeys((*operation.refusals, BadRequest, Gone))
    return replace(operation, parameters=given, refusals=tuple(refusals), around=answer_as_of)


async def answer_as_of(answer: Handler, request: Request) -> Response:
    """The answer, as it would have been then where the request names a moment."""
    sent: bytes = request.scope["query_string"]
    request.scope["also_read"] = (PARAMETER,)
    if b"as" not in sent:
        return await answer(request)
    texts = [value for name, value in parameters(sent) if name == PARAMETER]
    if not texts:
        return await answer(request)
    if len(texts) > 1:
        text = f"{PARAMETER!r} is given more than once."
        raise BadRequest(text, [Fault("repeated", text, parameter=PARAMETER)])
    if any(name == _SEARCH for name, _ in parameters(sent)):
        text = "What words are found in is known of the present alone: leave q or as_of out."
        raise bad_parameter(PARAMETER, "both", text)
    as_of = read_as_of(texts[0])
    request.scope["query_left"] = _without(sent)
    async with reading_past(request, as_of):
        return await answer(request)


@asynccontextmanager
async def reading_past(request: Request, as_of: datetime | Position) -> AsyncIterator[None]:
    """Let what the request reads be what was there at a moment."""
    database = PastDatabase(state_of(request).database, as_of)
    request.scope[PAST_DATABASE] = database
    request.scope[MOMENT] = await database.tag()
    try:
        yield
    finally:
        del request.scope[PAST_DATABASE], request.scope[MOMENT]
        await database.stop()


def _without(sent: bytes) -> bytes:
    """The query string without the moment, which its endpoint does not look at."""
    pairs = sent.split(b"&")
    return b"&".join(
        pair for pair in pairs if unquote_plus(pair.partition(b"=")[0].decode("ascii")) != PARAMETER
    )


def read_as_of(text: str) -> datetime | Position:
    """The moment that a client names: a time, or the position of a change with its epoch."""
    if re.fullmatch(_POSITION, text):
        return read_position(text, PARAMETER)
    try:
        moment = parse_moment(text)
    except ValueError as error:
        wrong = f"{sentence(error)} A position with its epoch, such as 395-9fa0c1, will do."
        raise bad_parameter(PARAMETER, "time", wrong) from None
    try:
        return check_past(moment)
    except ValueError as error:
        raise bad_parameter(PARAMETER, "future", sentence(error)) from None
