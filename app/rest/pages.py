"""Pages: finished records as an answer, with the cursors that lead on and back."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from app.core import json_codec
from app.core.databases.interface import Rows
from app.core.http.app_state import state_of
from app.core.http.responses import JsonResponse, joined, put_together
from app.core.loose_types import Fields
from app.engine.query.cursor import (
    CursorPosition,
    read_cursor,
    refuse_other_epoch,
    write_cursor,
)
from app.engine.query.parameters import MAX_LIMIT
from app.rest.handlers import epoch_of

MAX_KEY_CHARACTERS = 600


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Where in a list the request stands; `bound_to` is what makes it the same list."""

    request: Request
    limit: int
    bound_to: bytes
    place: CursorPosition | None = None
    #: Of the database that the list is read from.
    epoch: str = ""
    #: What the list's dates are counted from, where any are; ISO 8601.
    asked_at: str = ""

    @property
    def backward(self) -> bool:
        return self.place is not None and self.place.backward

    def to(self, key: str, backward: bool = False) -> str:
        """The cursor that leads on from the record with this key (JSON)."""
        values = json_codec.loads(key)
        # A long text has no place in an address: then the record's id stands for its key.
        kept = values if len(key) <= MAX_KEY_CHARACTERS else values[-1:]
        place = CursorPosition(kept, backward, self.epoch, self.asked_at)
        return write_cursor(place, self.bound_to, state_of(self.request).secret)


def page_request(request: Request, limit: int, cursor: str | None, bound_to: bytes) -> PageRequest:
    """Where the request stands; BadRequest for a cursor that is not of this list. The epoch is left
    to whoever reads it with the list."""
    limit = min(limit, MAX_LIMIT)
    if cursor is None:
        return PageRequest(request, limit, bound_to)
    place = read_cursor(cursor, bound_to, state_of(request).secret)
    return PageRequest(request, limit, bound_to, place)


def in_epoch(at: PageRequest, epoch: str) -> PageRequest:
    """The request to a database of this epoch; Gone for a cursor of another one."""
    if at.place is not None:
        refuse_other_epoch(at.place, epoch)
    return replace(at, epoch=epoch)


async def current_page(
    request: Request, limit: int, cursor: str | None, bound_to: bytes
) -> PageRequest:
    """Where the request stands; BadRequest for a cursor that is not of this list, and Gone for one
    of before a restore."""
    return in_epoch(page_request(request, limit, cursor, bound_to), await epoch_of(request))


def numbered_rows(at: PageRequest) -> tuple[int, int]:
    """From which row on a list is read whose cursors hold the number of a row, counted from 1, and
    how many: one more than the page has, or all there are before it."""
    place = 0 if at.place is None else at.place.key[0]
    if not at.backward:
        return place, at.limit + 1
    first = max(0, place - at.limit - 2)
    return first, place - 1 - first


def numbered(at: PageRequest, rows: list[str], first: int) -> Rows:
    """The JSON of such rows with their numbers as keys, in the order of walking."""
    keyed = [(row, f"[{number}]") for number, row in enumerate(rows, first + 1)]
    return keyed[::-1] if at.backward else keyed


class Total(NamedTuple):
    """How many records a list has, where that was asked for."""

    records: int | None = None
    is_estimate: bool = False


def answer_page(
    at: PageRequest,
    rows: Rows,
    offset: int = 0,
    total: Total = Total(),  # noqa: B008 (it never changes)
    headers: Mapping[str, str] | None = None,
    also: Fields | None = None,
) -> Response:
    """Rows of `(JSON, key)`, read to one beyond the limit, as a page with its Link header; `also`
    are members beside these."""
    more = len(rows) > at.limit
    rows = rows[: at.limit]
    if at.backward:
        rows.reverse()
    before = more if at.backward else at.place is not None or offset > 0
    after = True if at.backward else more
    following = at.to(rows[-1][1]) if rows and after else None
    previous = at.to(rows[0][1], backward=True) if rows and before else None
    page = {
        "limit": at.limit,
        "next_cursor": following,
        "prev_cursor": previous,
        "total": total.records,
        "total_is_estimate": total.is_estimate,
    }
    rest = json_codec.dumps({"page": page, **(also or {})})
    body = b'{"data":[%b],%b' % (joined([row[0] for row in rows]), rest[1:])
    found = (("next", following), ("prev", previous))
    links = [_link(at.request, cursor, relation) for relation, cursor in found if cursor]
    link = {"Link": ", ".join(links)} if links else {}
    return JsonResponse(body, headers={**link, **(headers or {})})


async def answer_long_page(
    at: PageRequest,
    rows: Rows,
    offset: int = 0,
    total: Total = Total(),  # noqa: B008 (it never changes)
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Rows as a page, put together beside the loop where they are long."""
    work = partial(answer_page, at, rows, offset, total, headers)
    return await put_together([row[0] for row in rows], work)


#: What says in a query where a page is.
_PLACES = ("cursor=", "offset=")


def _link(request: Request, cursor: str, relation: str) -> str:
    """One link of RFC 8288."""
    sent: str = request.scope["query_string"].decode("ascii")
    kept = [pair for pair in sent.split("&") if pair and not pair.startswith(_PLACES)]
    path = quote(request.scope["path"])
    return f'<{path}?{"&".join([*kept, f"cursor={cursor}"])}>; rel="{relation}"'
