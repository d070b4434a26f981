"""Who may see what is withheld: the one place that decides what a request reads of."""

from sqlalchemy import Dialect
from starlette.requests import Request

from app.core.auth.principals import ANONYMOUS, Principal
from app.core.http.app_state import state_of

#: Where a request keeps what tells answers of its moment from those of others, which the same
#: address asks for later: `as_of=-7d`.
MOMENT = "moment"
#: What ends the entity tag of an answer that shows what is public alone.
_SUFFIX = '-public"'


def sees_withheld(request: Request) -> bool:
    """Whether the caller may see what is withheld: who may write. Whoever else reads may not."""
    caller: Principal = request.scope.get("caller", ANONYMOUS)
    return caller.sees_withheld


def reading_dialect(request: Request) -> Dialect:
    """The dialect of statements that read for the request: of what is public, or of all."""
    database = state_of(request).database
    return database.whole_dialect if sees_withheld(request) else database.dialect


def audience_tag(request: Request, tag: str) -> str:
    """The entity tag of the answer to this caller: what is public and all there is differ, and
    share none (RFC 9110, 8.8.3); nor do two moments."""
    if moment := request.scope.get(MOMENT):
        tag = f'{tag[:-1]}-{moment}"'
    return tag if sees_withheld(request) else tag[:-1] + _SUFFIX


def without_audience(tag: str) -> str:
    """The tag of the record, whoever read it."""
    return tag.removesuffix(_SUFFIX) + '"' if tag.endswith(_SUFFIX) else tag
