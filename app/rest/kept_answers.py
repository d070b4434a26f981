"""Answers that take long to make, kept until anything is stored: what pages and charts are made of.

Figures over all agreements take long to add up, and are the same for everybody who may see the
same. They are kept here and nowhere else, so that there is one bound to the memory that they take.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from starlette.requests import Request

from app.core.databases.interface import Database
from app.core.databases.types import now
from app.core.http.app_state import state_of
from app.core.relative_dates import changes_within_a_day
from app.rest.audience import sees_withheld
from app.rest.handlers import PAST_DATABASE, position_of

#: How many answers are kept: a page has a dozen.
MAX_KEPT_ANSWERS = 256
#: How many characters they have in all; one of an eighth of it would leave few others.
MAX_KEPT_CHARACTERS = 8 * 1024 * 1024
MAX_CHARACTERS_OF_ONE = MAX_KEPT_CHARACTERS // 8
_POSITION = "known_position"

_Key = tuple[object, ...]


@dataclass(slots=True)
class Kept:
    """The answers of one state of the database, and those that are being made."""

    position: str
    answers: OrderedDict[_Key, str] = field(default_factory=OrderedDict)
    characters: int = 0
    running: dict[_Key, asyncio.Task[str]] = field(default_factory=dict)

    def find(self, key: _Key) -> str | None:
        """The answer, if it is kept."""
        if key in self.answers:
            self.answers.move_to_end(key)
        return self.answers.get(key)

    def keep(self, key: _Key, made: str) -> None:
        """Keep an answer, in the place of those that were asked for the longest time ago."""
        if len(made) > MAX_CHARACTERS_OF_ONE:
            return
        self.answers[key] = made
        self.characters += len(made)
        while len(self.answers) > MAX_KEPT_ANSWERS or self.characters > MAX_KEPT_CHARACTERS:
            _, gone = self.answers.popitem(last=False)
            self.characters -= len(gone)


_kept: WeakKeyDictionary[Database, Kept] = WeakKeyDictionary()


def kept_of(database: Database, position: str) -> Kept:
    """What is kept of a database as it is at this position of its log."""
    kept = _kept.get(database)
    if kept is None or kept.position != position:
        kept = _kept[database] = Kept(position)
    return kept


async def kept_answer(
    request: Request,
    what: tuple[object, ...],
    pairs: Sequence[tuple[str, str]],
    make: Callable[[], Awaitable[str]],
    turn: Callable[[], AbstractAsyncContextManager[object]] = nullcontext,
) -> str:
    """What is made, or was made for whoever may see the same since anything was stored; who asks
    while it is being made waits for that. It is made in the caller's `turn`."""
    if PAST_DATABASE in request.scope or changes_within_a_day(pairs):
        async with turn():
            return await make()
    kept = kept_of(state_of(request).database, await known_position(request))
    key = (now().date(), sees_withheld(request), what, tuple(pairs))
    if (found := kept.find(key)) is not None:
        return found
    async with turn():
        # Others may have asked for it meanwhile, in a turn of theirs.
        if (found := kept.find(key)) is not None:
            return found
        if key not in kept.running:
            kept.running[key] = asyncio.create_task(_made(kept, key, make))
            # Where nobody waits any more, nobody asks what went wrong.
            kept.running[key].add_done_callback(lambda task: task.cancelled() or task.exception())
        # Who goes away leaves it to the others.
        return await asyncio.shield(kept.running[key])


async def _made(kept: Kept, key: _Key, make: Callable[[], Awaitable[str]]) -> str:
    try:
        made = await make()
    finally:
        del kept.running[key]
    kept.keep(key, made)
    return made


async def known_position(request: Request) -> str:
    """How far the change log had come when the request was begun."""
    if _POSITION not in request.scope:
        request.scope[_POSITION] = await position_of(request)
    return str(request.scope[_POSITION])
