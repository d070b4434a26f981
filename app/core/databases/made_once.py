"""Statements are made once for each shape of a question, and beside the loop: one of many relations
takes up to half a second, in which nobody else would be answered."""

import asyncio
import os
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from functools import partial, update_wrapper
from threading import Lock
from typing import Generic, ParamSpec

from app.core.databases.interface import CompiledQuery
from app.core.databases.reader_turns import ReaderTurns

P = ParamSpec("P")


def _begin() -> None:
    """Have one thread that makes statements: two would take as long in all, as one runs at a time,
    and be in the loop's way."""
    global _maker
    _maker = ThreadPoolExecutor(1, thread_name_prefix="statements")


_maker: ThreadPoolExecutor
_begin()
# A copy of the process has none of its threads.
os.register_at_fork(after_in_child=_begin)
#: Who asks for one new shape after another keeps no others from theirs.
_turns = ReaderTurns(50, "questions of yours of which none like them was asked before wait")


class MadeOnce(Generic[P]):
    """A function that makes statements, which keeps as many of them as `most`: those that were
    asked for last."""

    def __init__(self, make: Callable[P, CompiledQuery], most: int) -> None:
        update_wrapper(self, make)
        self._make, self._most = make, most
        self.made: OrderedDict[Hashable, CompiledQuery] = OrderedDict()
        self._lock = Lock()

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> CompiledQuery:
        """The statement, made here and now if it is not there."""
        return self._find(args, kwargs) or self._new(*args, **kwargs)

    async def beside_loop(self, *args: P.args, **kwargs: P.kwargs) -> CompiledQuery:
        """The statement, made in a thread if it is not there; TooManyRequests (429) where the
        reader waits for too many."""
        if (found := self._find(args, kwargs)) is not None:
            return found
        async with _turns.taken():
            # It can have been made meanwhile.
            work = partial(self.__call__, *args, **kwargs)
            return await asyncio.get_running_loop().run_in_executor(_maker, work)

    def _find(self, args: tuple[object, ...], kwargs: dict[str, object]) -> CompiledQuery | None:
        key = _key(args, kwargs)
        with self._lock:
            found = self.made.get(key)
            if found is not None:
                self.made.move_to_end(key)
        return found

    def _new(self, *args: P.args, **kwargs: P.kwargs) -> CompiledQuery:
        made = self._make(*args, **kwargs)
        with self._lock:
            self.made[_key(args, kwargs)] = made
            if len(self.made) > self._most:
                self.made.popitem(last=False)
        return made


def _key(args: tuple[object, ...], kwargs: dict[str, object]) -> Hashable:
    return (args, *sorted(kwargs.items())) if kwargs else args


def made_once(most: int) -> Callable[[Callable[P, CompiledQuery]], MadeOnce[P]]:
    """Let a function make each statement once."""
    return lambda make: MadeOnce(make, most)
