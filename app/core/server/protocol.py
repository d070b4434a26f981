"""HTTP/1.1 as uvicorn speaks it, with bounds of size and time, and problems for what is none."""

import asyncio
from collections.abc import Iterator
from typing import Any

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from app.core.errors import Problem, RequestTimeout
from app.core.loose_types import Fields, Value
from app.core.public_path import below, without_root
from app.core.server import refused_requests
from app.core.server.crowding import Owners, first_to_go
from app.core.server.joined_cycle import JoinedCycle
from app.core.server.protocol_limits import (
    ABORT,
    DISCARDED_BYTES_PER_SECOND,
    MIN_BYTES_PER_SECOND,
    Limits,
    Progress,
)
from app.core.server.request_head import check_head, check_upgrade, path_within

#: What of a message is being received.
IDLE, HEAD, BODY = range(3)
#: How many connections beyond the limit are kept to ask how the service is, and told about the
#: limit where they ask for anything else.
MAX_SPARE_CONNECTIONS = 100
#: What is answered on them: who watches over a process takes one that does not answer for dead.
HEALTH_PATHS = ("/health/live", "/health/ready")
#: How long one that was answered has at least to read it, however many others wait to connect.
READING_SECONDS = 0.5


class HttpConfig(Config):
    """Uvicorn's configuration, and the bounds of connections."""

    def __init__(self, app: str, limits: Limits, **options: Value) -> None:
        super().__init__(app, http=BoundedHttp, ws="none", **options)
        self.limits, self.owners = limits, Owners(limits)


class BoundedHttp(HttpToolsProtocol):
    """A connection. What is refused gets an answer as every other error, and then the end."""

    def __init__(
        self,
        config: HttpConfig,
        server_state: ServerState,
        app_state: Fields,
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.limits, self.owners = config.limits, config.owners
        self.active_at = 0.0
        self.owner: str | None = None
        #: Whether it is one beyond the limit.
        self.is_spare = False
        #: Since when all is answered, and only the rest of a body comes, or the client may read.
        self.drains_since: float | None = None
        self.stage = IDLE
        #: Bytes since the parser last completed anything.
        self.fed = 0
        self.body_bytes = 0
        self.pauses = 0
        #: The request that is worked on; `cycle` is the one that came last.
        self.running: RequestResponseCycle | None = None
        #: What the client is told once everything before is answered.
        self.refusal: Problem | None = None
        #: When the connection ends, once it does nothing but give the client time to read.
        self.closes_at: float | None = None
        self.awaited: tuple[str, Any] | None = None
        self.progress = Progress(0, 0)

    # What the transport calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)  # type: ignore[arg-type]
        self.active_at = self.loop.time()
        self.owner = self.owners.add(self.client)
        if self.owners.is_crowded(self.owner) and not self._make_room(self.owner):
            self.refuse(refused_requests.too_many_of_address())
            return
        beyond = len(self.connections) - self.limits.connections
        if beyond > 0 and not self._make_room():
            self.is_spare = True
            if beyond > MAX_SPARE_CONNECTIONS:
                self._make_spare_room()

    def _make_room(self, owner: str | None = None) -> bool:
        """Close a connection on which nothing is under way, which its client can open again."""
        found = first_to_go(self._others(), owner)
        if found is not None:
            found.shutdown()
        return found is not None

    def _make_spare_room(self) -> None:
        """End the one of those beyond the limit that has said nothing for the longest time."""
        silent = (each for each in self._others() if each.is_spare and each.is_unasked())
        min(silent, key=lambda each: each.active_at, default=self).transport.abort()

    def _others(self) -> Iterator["BoundedHttp"]:
        for each in self.connections:
            if each is not self and isinstance(each, BoundedHttp):
                yield each

    def is_unasked(self) -> bool:
        """Whether no whole head has come yet."""
        return self.cycle is None and self.refusal is None and not self.transport.is_closing()

    def is_drained(self) -> bool:
        """Whether it was answered for good, and has had time to be read."""
        return (
            self.drains_since is not None
            and self.loop.time() > self.drains_since + READING_SECONDS
            and not self.transport.is_closing()
        )

    def is_idle(self) -> bool:
        """Whether it was answered and is kept for a next request that has not begun."""
        return (
            self.cycle is not None
            and self.running is None
            and self.stage == IDLE
            and not (self.fed or self.pipeline or self.transport.is_closing())
            and self.closes_at is None
        )

    def connection_lost(self, exc: Exception | None) -> None:
        if self.owner is not None:
            self.owners.remove(self.owner)
            self.owner = None
        # Uvicorn tells this to the request that came last, which may still wait for its turn.
        if self.running is not None:
            self.running.disconnected = True
            self.running.message_event.set()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        if self.refusal is not None or self.closes_at is not None:
            return
        self.fed += len(data)
        self.active_at = self.loop.time()
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            # It is declined by going on in HTTP/1.1 (RFC 9110, 7.8).
            if rest := data[upgrade.args[0] :]:
                self.data_received(rest)
        except httptools.HttpParserError as error:
            self.refuse(refused_requests.explained(error, data))
        else:
            if self.fed > self.limits.headers:
                self.refuse(refused_requests.large_headers(self.limits))

    def pause_writing(self) -> None:
        self.pauses += 1
        super().pause_writing()

    # What the parser calls

    def on_message_begin(self) -> None:
        self.stage = HEAD
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        self.url += url
        if len(self.url) > self.limits.address:
            raise refused_requests.long_address(self.limits)

    def on_header(self, name: bytes, value: bytes) -> None:
        # A trailer, which comes after the body, must not pass for a header.
        if self.stage == BODY:
            return
        name = name.lower()
        if name == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        has_body = self._check_head()
        super().on_headers_complete()
        self.stage, self.body_bytes = BODY, 0
        # There is no place for a next request.
        self.cycle.keep_alive = self.cycle.keep_alive and not self.is_spare
        if has_body:
            # An answer before the body is complete must not be lost by closing on unread bytes.
            self.cycle.transport = _Lingering(self)  # type: ignore[assignment]

    def on_chunk_header(self) -> None:
        self.fed = 0

    def on_body(self, body: bytes) -> None:
        self.fed = 0
        self.body_bytes += len(body)
        if self.cycle.response_complete and self.body_bytes > self.limits.discarded:
            self.linger()
        super().on_body(body)

    def on_message_complete(self) -> None:
        self.stage, self.fed = IDLE, 0
        if self.closes_at is None:
            self.drains_since = None
        super().on_message_complete()

    def _check_head(self) -> bool:
        """Whether a body follows; raises the problem of a head that nobody should act upon."""
        version = self.parser.get_http_version()
        has_body = check_head(self.headers, version, self.fed, self.limits)
        if self.parser.should_upgrade():
            check_upgrade(self.parser.get_method(), self.headers)
        if self.url[:1] != b"/":
            self.url = path_within(self.url)
        if self.is_spare and self._path() not in HEALTH_PATHS:
            raise refused_requests.too_many_connections()
        if len(self.pipeline) >= self.limits.pipelined:
            raise refused_requests.too_many_waiting(self.limits)
        return has_body

    # Answers

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        # Uvicorn makes it, and has no place to say of which class.
        cycle.__class__ = JoinedCycle
        self.running = cycle
        # For who has to give way while its client does not read: closing waits until it has.
        cycle.scope[ABORT] = self.transport.abort  # type: ignore[literal-required]
        super()._start_asgi_task(cycle, app)

    def on_response_complete(self) -> None:
        self.running = None
        if self.closes_at is not None:
            self.server_state.total_requests += 1
            return
        super().on_response_complete()
        if self.stage == BODY and self.cycle.response_complete:
            self.drains_since = self.drains_since or self.loop.time()
        if self.refusal is not None and self.running is None:
            self._tell_refusal()

    def refuse(self, problem: Problem) -> None:
        """Read no more; answer what came before, then with the problem, then close."""
        self.refusal = problem
        if self.stage == BODY and not self.cycle.response_complete:
            if self.pipeline:
                # The one whose body is broken has not been begun.
                self.pipeline.popleft()
            elif self.cycle.response_started:
                self.transport.abort()
                return
            else:
                # The application learns that its client is gone, and what it sends is dropped.
                self.cycle.disconnected = True
                self.cycle.message_event.set()
                self.running = None
        if self.running is None:
            self._tell_refusal()

    def _tell_refusal(self) -> None:
        assert self.refusal is not None
        if self.transport.is_closing():
            return
        if not (self.stage == BODY and self.cycle.response_complete):
            headers = self.server_state.default_headers
            with below(self.root_path.rstrip("/")):
                self.transport.write(refused_requests.as_bytes(self.refusal, self._path(), headers))
        self.linger()

    def _path(self) -> str:
        """The path that is asked for, as far as it is told to clients."""
        path = b"" if self.stage == IDLE else bytes(self.url).partition(b"?")[0]
        return without_root(path[:200].decode("ascii", "replace"), self.root_path.rstrip("/"))

    def linger(self) -> None:
        """Close when the client has, or soon: closing on unread bytes would take back the answer
        that it has not read yet (RFC 9112, 9.6)."""
        if self.transport.is_closing() or self.closes_at is not None:
            return
        self.closes_at = self.loop.time() + self.limits.linger_seconds
        self.drains_since = self.drains_since or self.loop.time()
        self._unset_keepalive_if_required()
        self.flow.resume_reading()
        if self.transport.can_write_eof():
            self.transport.write_eof()

    def shutdown(self) -> None:
        if self.closes_at is not None:
            self.transport.close()
        else:
            super().shutdown()

    # Time

    def look(self, now: float) -> None:
        """Give up what takes too long; called every `look_seconds`."""
        if self.closes_at is not None:
            if now > self.closes_at:
                self.transport.abort()
            return
        awaited, amount, seconds = self._awaited()
        if awaited is None:
            self.awaited = None
        elif awaited != self.awaited:
            self.awaited, self.progress = awaited, Progress(now, amount)
        else:
            is_rest = awaited[0] == "rest"
            pace = DISCARDED_BYTES_PER_SECOND if is_rest else MIN_BYTES_PER_SECOND
            if self.progress.is_stuck(now, amount, seconds, pace):
                self._give_up(awaited[0])

    def _awaited(self) -> tuple[tuple[str, Any] | None, int, float]:
        """What the client should do next, how much of it is done, and how long that may take."""
        if self.flow.write_paused or self.transport.is_closing():
            unread = self.transport.get_write_buffer_size()
            return ("answer", self.pauses), -unread, self.limits.answer_seconds
        if self.drains_since is not None:
            return ("rest", self.cycle), self.body_bytes, self.limits.linger_seconds
        if self.stage == BODY and not self.flow.read_paused and not self.pipeline:
            return ("body", self.cycle), self.body_bytes, self.limits.body_seconds
        if self.running is None and (self.fed or self.stage == HEAD or self.cycle is None):
            return ("head", self.cycle), 0, self.limits.head_seconds
        return None, 0, 0

    def _give_up(self, awaited: str) -> None:
        if awaited in ("answer", "rest"):
            self.transport.abort()
        elif awaited == "body":
            self.refuse(RequestTimeout("The body of the request stood still, or came too slowly."))
        elif self.fed:
            seconds = self.limits.head_seconds
            self.refuse(RequestTimeout(f"The head of the request took over {seconds:g} seconds."))
        else:
            self.transport.close()


class _Lingering:
    """The transport of a connection, whose closing leaves the client time to read."""

    def __init__(self, protocol: BoundedHttp) -> None:
        self.write = protocol.transport.write
        self.is_closing = protocol.transport.is_closing
        self.protocol = protocol

    def close(self) -> None:
        if self.protocol.stage == BODY:
            self.protocol.linger()
        else:
            self.protocol.transport.close()
