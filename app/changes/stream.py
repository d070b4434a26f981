"""A stream of changes as Server-sent events (WHATWG HTML, section 9.2)."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from secrets import SystemRandom
from uuid import UUID

from pydantic import Field
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.changes.entries import Entry, find_entries
from app.changes.tail import ChangeLogTail
from app.core import json_codec
from app.core.databases.interface import task_outside_request
from app.core.databases.places import Places, reader
from app.core.errors import Gone, TooManyRequests, Unavailable
from app.core.loose_types import Fields, Values
from app.core.public_path import public_root
from app.engine.history.change_log import Action
from app.engine.history.positions import READ_ANEW, Position, Since
from app.engine.registry import KindName
from app.engine.schemas import Schema

#: How many changes are taken at a time, and from how many bytes on they are sent.
BATCH_CHANGES, CHUNK_BYTES = 100, 64 * 1024
#: How many streams of a process read from the log at a time, each of another caller: whoever
#: opens many far behind reads as much as they can take.
MAX_CATCHING_UP = 2
#: How often it is asked whether whoever reads still may; besides when a key is revoked here.
AUTHORIZATION_CHECK_SECONDS = 1.0
#: What ends a stream in order: its client connects again, and goes on where it was.
_ENDS = Unavailable | TooManyRequests | TimeoutError
_MEDIA = b"text/event-stream"
_HEADERS = [
    (b"content-type", _MEDIA),
    (b"cache-control", b"no-store"),
    # Proxies of nginx's kind hold answers back unless they are told not to.
    (b"x-accel-buffering", b"no"),
]
_CHANCE = SystemRandom()


class StreamQuery(Schema):
    """Parameters of the stream of changes."""

    since: Since | None = None
    """Begin after this `position`, or its `seq` alone: 0 for all changes there were. Without it,
    and without a Last-Event-ID, the stream begins with the next change."""
    kind: KindName | None = Field(None, max_length=32)
    """Only changes of this kind of record: `agreement`, or `agreements` as in its address."""
    record_id: UUID | None = None
    """Only changes of this record."""
    actor: str | None = Field(None, max_length=120, min_length=1)
    """Only changes that somebody of this name made."""
    action: Action | None = None
    """Only changes of this sort."""

    def wanted(self) -> Fields:
        """The conditions that were given, by the field of a change."""
        names = ("kind", "record_id", "actor", "action")
        found = {name: getattr(self, name) for name in names}
        return {name: value for name, value in found.items() if value is not None}


@dataclass(frozen=True, slots=True)
class StreamRules:
    """What holds for all streams; times in seconds."""

    #: How many a process serves at once.
    most: int = 100
    #: Which part of them one address may hold; this machine's own, where proxies are, is none.
    share: float = 0.25
    #: After how long without a change a stream says that it is still there.
    heartbeat: float = 15.0
    #: How long a stream lasts; then its client connects again.
    lifetime: float = 3600.0
    #: How long a client may take nothing of what is sent to it.
    send_timeout: float = 30.0
    #: After which time a client that was cut off comes back, at least and at most.
    retry: tuple[float, float] = (2.0, 5.0)


@dataclass(slots=True)
class Streams:
    """The streams of this process."""

    watch: ChangeLogTail
    stopping: asyncio.Event
    rules: StreamRules
    open: set["EventStream"] = field(default_factory=set)
    #: For those that read from the log.
    places: Places = field(default_factory=lambda: Places(MAX_CATCHING_UP, 1))

    def is_crowded(self, owner: str | None) -> bool:
        """Whether the owner of an address has as many as it may."""
        most = max(1, int(self.rules.most * self.rules.share))
        return owner is not None and sum(each.owner == owner for each in self.open) >= most


class EventStream(Response):
    """The changes after a position as they are made, each once and in order, until the client goes.

    A client that reads slowly is served from the log at its own pace, and let go when it takes
    nothing for a time; it resumes with Last-Event-ID, which browsers send by themselves.
    """

    media_type = "text/event-stream"

    def __init__(
        self,
        streams: Streams,
        position: Position,
        wanted: Values,
        is_welcome: Callable[[], Awaitable[bool]],
        on_forget: set[Callable[[], None]],
        owner: str | None = None,
        gone: str | None = None,
        *,
        whole: bool = False,
    ) -> None:
        # Starlette's own constructor would set a Content-Length, which a stream does not have.
        self.status_code, self.background = 200, None
        self.raw_headers = list(_HEADERS)
        self._streams, self._watch = streams, streams.watch
        self._position, self._epoch, self._wanted = position.seq, position.epoch or "", wanted
        #: Why the client cannot go on from where it was.
        self._gone = gone
        #: Whether the client is shown what is withheld from the public.
        self._whole = whole
        #: Read here, as the events are made outside of the request.
        self._root, self._reader = public_root(), reader.get()
        self._texts = {name: str(value) for name, value in wanted.items()}
        self._is_welcome, self._on_forget = is_welcome, on_forget
        self.owner = owner
        self._moved = asyncio.Event()
        self._last_sent = time.monotonic()
        self._last_id = position.seq

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        if scope["method"] == "HEAD":
            await send(start)
            await send({"type": "http.response.body"})
            return
        self._streams.open.add(self)
        try:
            async with self._watch.listening(self._moved):
                await send(start)
                await self._run(receive, send)
        finally:
            self._streams.open.discard(self)

    async def _run(self, receive: Receive, send: Send) -> None:
        pump = task_outside_request(self._pump(send))
        gone = asyncio.create_task(_gone(receive))
        stopping = asyncio.create_task(self._streams.stopping.wait())
        unwelcome = asyncio.create_task(self._unwelcome())
        tasks = (pump, gone, stopping, unwelcome)
        # Not all at the same time, when they were opened at the same time.
        lifetime = self._streams.rules.lifetime * _CHANCE.uniform(0.9, 1.0)
        try:
            await asyncio.wait(tasks, timeout=lifetime, return_when=asyncio.FIRST_COMPLETED)
        finally:
            is_gone = gone.done()
            for task in tasks:
                task.cancel()
            ends = await asyncio.gather(*tasks, return_exceptions=True)
        if isinstance(ends[0], Exception) and not isinstance(ends[0], _ENDS):
            raise ends[0]
        if not is_gone:
            # A client that takes nothing does not take the end either.
            with suppress(TimeoutError):
                async with asyncio.timeout(min(self._streams.rules.send_timeout, 5.0)):
                    await send({"type": "http.response.body"})

    async def _unwelcome(self) -> None:
        """Return when the client may no longer read: asked when a key is revoked through this
        process, and from time to time, as of other processes nobody would tell us."""
        asked = asyncio.Event()
        self._on_forget.add(asked.set)
        try:
            while await self._is_welcome():
                with suppress(TimeoutError):
                    async with asyncio.timeout(AUTHORIZATION_CHECK_SECONDS):
                        await asked.wait()
                asked.clear()
        finally:
            self._on_forget.discard(asked.set)

    async def _pump(self, send: Send) -> None:
        # What is read for the stream is counted as its client's.
        reader.set(self._reader)
        # So that not all come back at once.
        retry = round(_CHANCE.uniform(*self._streams.rules.retry) * 1000)
        # The number of where we begin: whoever is cut off before the first change resumes here.
        await self._send(send, b"retry: %d\nid: %b\n\n" % (retry, self._id()))
        if self._gone is not None:
            await self._send_gone(send, self._gone)
        while True:
            self._moved.clear()
            # Its position may be behind: the stream began with what it has not looked at yet.
            if self._watch.epoch not in ("", self._epoch):
                await self._begin_anew(send)
            entries = self._watch.after(self._position, BATCH_CHANGES)
            if entries is None:
                await self._catch_up(send)
            elif entries:
                self._position = entries[-1].seq
                shown = (entry if self._whole else entry.public for entry in entries)
                found = (entry for entry in shown if entry and entry.is_among(self._texts))
                await self._send_entries(send, found)
            else:
                await self._wait(send)

    def _id(self) -> bytes:
        return str(Position(self._position, self._epoch)).encode()

    async def _begin_anew(self, send: Send) -> None:
        """Tell that the database was restored, and go on with what is changed from now on."""
        was = Position(self._position, self._epoch)
        now = Position(self._watch.position, self._watch.epoch)
        self._position, self._epoch = self._watch.position, self._watch.epoch
        await self._send_gone(send, was.gone(now) or "")

    async def _send_gone(self, send: Send, reason: str) -> None:
        """The problem as an event: after an answer of 410 browsers would give up for good."""
        position = str(Position(self._position, self._epoch))
        detail = f"{reason} {READ_ANEW.format(f'{self._root}/changes?since={position}')}"
        problem = {
            "type": f"{self._root}/problems/{Gone.slug()}",
            "title": Gone.title,
            "status": Gone.status,
            "detail": f"{detail} This stream goes on with them.",
            "position": position,
        }
        data = json_codec.dumps(problem)
        await self._send(send, b"id: %b\nevent: gone\ndata: %b\n\n" % (self._id(), data))
        self._last_id = self._position

    async def _catch_up(self, send: Send) -> None:
        """Send what is next in the log."""
        known = self._watch.position
        async with self._streams.places.taken():
            found = await find_entries(
                self._watch.database, self._position, BATCH_CHANGES, self._wanted, whole=self._whole
            )
        if found and found[0].epoch != self._epoch:
            # The watch is about to see it too.
            await self._wait(send)
            return
        await self._send_entries(send, found)
        # Less than was asked for is all there is, so nothing up to what is known was passed over.
        last = found[-1].seq if found else 0
        self._position = last if len(found) == BATCH_CHANGES else max(last, known)

    async def _wait(self, send: Send) -> None:
        left = self._last_sent + self._streams.rules.heartbeat - time.monotonic()
        try:
            async with asyncio.timeout(max(left, 0)):
                await self._moved.wait()
        except TimeoutError:
            is_known = self._last_id == self._position
            await self._send(send, b":\n\n" if is_known else b":\nid: %b\n\n" % self._id())
            self._last_id = self._position

    async def _send_entries(self, send: Send, entries: Iterable[Entry]) -> None:
        pieces: list[bytes] = []
        size = 0
        for entry in entries:
            event = (entry.position.encode(), entry.body)
            pieces.append(b"id: %b\nevent: change\ndata: %b\n\n" % event)
            size += len(entry.body)
            self._last_id = entry.seq
            if size >= CHUNK_BYTES:
                await self._send(send, b"".join(pieces))
                pieces, size = [], 0
        if pieces:
            await self._send(send, b"".join(pieces))

    async def _send(self, send: Send, content: bytes) -> None:
        """Send, or TimeoutError when the client takes nothing for too long."""
        async with asyncio.timeout(self._streams.rules.send_timeout):
            await send({"type": "http.response.body", "body": content, "more_body": True})
        self._last_sent = time.monotonic()


async def _gone(receive: Receive) -> None:
    """Return when the client is."""
    while (await receive())["type"] != "http.disconnect":
        pass
