"""What pages show: asked of the service's own reads, in the same process, for who looks at them."""

import re
from collections.abc import Sequence
from datetime import datetime

from starlette.requests import Request

from app.core import json_codec
from app.core.errors import NotFound
from app.core.http.app_state import state_of
from app.core.http.dispatch import Handler, Route, lean_handler
from app.core.loose_types import Json
from app.engine.history.past import moment_of, time_of_change
from app.rest.kept_answers import kept_answer
from app.rest.own_reads import read_own

Pairs = Sequence[tuple[str, str]]
#: A position that has an epoch: a moment has none that is alike.
_POSITION_TEXT = re.compile(r"[0-9]{1,15}-[0-9a-f]+")


class PageReader:
    """Asks routes for what they answer to the caller of a request, who was let in already.

    They are kept until anything is stored.
    """

    def __init__(self, routes: Sequence[Route]) -> None:
        self._routes = {route.path: route for route in routes if "GET" in (route.methods or ())}
        self._handlers: dict[str, Handler] = {}

    async def read(self, request: Request, path: str, pairs: Pairs = (), /, **steps: str) -> Json:
        """The JSON that is answered at a path such as `/missions/{key}`; raises the problem that
        is."""

        async def ask() -> str:
            return (await self._body(request, path, pairs, steps)).decode()

        text = await kept_answer(request, (path, *sorted(steps.items())), pairs, ask)
        found: Json = json_codec.loads(text)
        return found

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


async def time_of_position(request: Request, position: str) -> datetime | None:
    """When the change at a position was made; None of what is no position of the log."""
    seq = position.partition("-")[0]
    if not _POSITION_TEXT.fullmatch(position):
        return None
    database = state_of(request).database
    values = {"seq": int(seq)}
    rows = await database.read(time_of_change(database.dialect), values, point_lookup=True)
    return moment_of(rows[0][0]) if rows else None
