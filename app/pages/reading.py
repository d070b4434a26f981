"""What pages show: asked of the service's own reads, in the same process, for who looks at them."""

import asyncio
import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from weakref import WeakKeyDictionary

from starlette.requests import Request

from app.core import json_codec
from app.core.databases.interface import Database
from app.core.databases.types import now
from app.core.errors import NotFound
from app.core.http.app_state import state_of
from app.core.http.dispatch import Handler, Route, lean_handler
from app.core.loose_types import Json
from app.engine.history.past import moment_of, time_of_change
from app.rest.audience import sees_withheld
from app.rest.handlers import PAST_DATABASE, position_of
from app.rest.own_reads import read_own

Pairs = Sequence[tuple[str, str]]
#: How many answers are kept: a page has a dozen.
MAX_KEPT_ANSWERS = 256
#: Longer ones would make the process grow.
MAX_KEPT_CHARACTERS = 64 * 1024
#: A value that is counted from now says something else a moment later.
_FROM_NOW = re.compile(r"^\s*(?:now|today|yesterday|[-+ ]\d)|\b(?:now|today)\b")
_POSITION = "page_position"
#: A position that has an epoch: a moment has none that is alike.
_POSITION_TEXT = re.compile(r"[0-9]{1,15}-[0-9a-f]+")

_Key = tuple[object, ...]


@dataclass(slots=True)
class _Kept:
    """The answers of one state of the database, and those that are being made."""

    position: str
    answers: OrderedDict[_Key, str] = field(default_factory=OrderedDict)
    running: dict[_Key, asyncio.Task[str]] = field(default_factory=dict)


async def _made(kept: _Kept, key: _Key, make: Callable[[], Awaitable[str]]) -> str:
    try:
        made = await make()
    finally:
        del kept.running[key]
    if len(made) <= MAX_KEPT_CHARACTERS:
        kept.answers[key] = made
        while len(kept.answers) > MAX_KEPT_ANSWERS:
            kept.answers.popitem(last=False)
    return made


class PageReader:
    """Asks routes for what they answer to the caller of a request, who was let in already.

    Answers are kept until anything is stored: figures over all agreements take long to add up, and
    are the same for everybody who may see the same.
    """

    def __init__(self, routes: Sequence[Route]) -> None:
        self._routes = {route.path: route for route in routes if "GET" in (route.methods or ())}
        self._handlers: dict[str, Handler] = {}
        self._kept: WeakKeyDictionary[Database, _Kept] = WeakKeyDictionary()

    async def read(self, request: Request, path: str, pairs: Pairs = (), /, **steps: str) -> Json:
        """The JSON that is answered at a path such as `/missions/{key}`; raises the problem that
        is."""

        async def ask() -> str:
            return (await self._body(request, path, pairs, steps)).decode()

        text = await self.kept(request, (path, *sorted(steps.items())), pairs, ask)
        found: Json = json_codec.loads(text)
        return found

    async def kept(
        self,
        request: Request,
        what: tuple[object, ...],
        pairs: Pairs,
        make: Callable[[], Awaitable[str]],
    ) -> str:
        """What is made, or was made for whoever may see the same since anything was stored; who
        asks while it is being made waits for that."""
        if PAST_DATABASE in request.scope or any(_FROM_NOW.search(value) for _, value in pairs):
            return await make()
        position = await page_position(request)
        kept = self._kept.get(state_of(request).database)
        if kept is None or kept.position != position:
            kept = self._kept[state_of(request).database] = _Kept(position)
        key = (now().date(), sees_withheld(request), what, tuple(pairs))
        if key in kept.answers:
            kept.answers.move_to_end(key)
            return kept.answers[key]
        if key not in kept.running:
            kept.running[key] = asyncio.create_task(_made(kept, key, make))
            # Where nobody waits any more, nobody asks what went wrong.
            kept.running[key].add_done_callback(lambda task: task.cancelled() or task.exception())
        # Who goes away leaves it to the others.
        return await asyncio.shield(kept.running[key])

    async def find(self, request: Request, path: str, pairs: Pairs = (), /, **steps: str) -> Json:
        """The same; an empty page where there is nothing."""
        try:
            return await self.read(request, path, pairs, **steps)
        except NotFound:
            return {"data": []}

    async def _body(
        self, request: Request, path: str, pairs: Pairs, steps: dict[str, str]
    ) -> bytes:
        if path not in self._handlers:
            self._handlers[path] = lean_handler(self._routes[path].endpoint)
        return await read_own(request, self._handlers[path], path, pairs, steps)


async def page_position(request: Request) -> str:
    """How far the change log had come when the page was begun."""
    if _POSITION not in request.scope:
        request.scope[_POSITION] = await position_of(request)
    return str(request.scope[_POSITION])


async def time_of_position(request: Request, position: str) -> datetime | None:
    """When the change at a position was made; None of what is no position of the log."""
    seq = position.partition("-")[0]
    if not _POSITION_TEXT.fullmatch(position):
        return None
    database = state_of(request).database
    values = {"seq": int(seq)}
    rows = await database.read(time_of_change(database.dialect), values, point_lookup=True)
    return moment_of(rows[0][0]) if rows else None
