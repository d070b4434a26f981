"""Writes: from a request to a transaction with its changes in the log."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from app.core.http.app_state import state_of
from app.core.http.responses import JsonResponse
from app.engine.history import change_log
from app.rest.handlers import caller_name, database_of

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class WriteResult:
    """What a write answers, made within its transaction."""

    body: str = ""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    def response(self) -> Response:
        """The answer as it is sent."""
        if not self.body:
            return Response(status_code=self.status, headers=self.headers)
        return JsonResponse(self.body.encode(), self.status, self.headers)


class _DryRun(Exception):
    """Ends a transaction whose result is wanted and whose writes are not."""

    def __init__(self, result: Any) -> None:
        self.result = result


def actor_of(request: Request) -> str:
    """Who makes the request, as history names them."""
    return caller_name(request)


async def write(request: Request, work: Callable[[Session], T], dry_run: bool = False) -> T:
    """Run the work in a transaction that ends with its changes in the log; or in one that is
    taken back at its end."""

    def logged(session: Session) -> T:
        result = work(session)
        if dry_run:
            raise _DryRun(result)
        change_log.log_changes(session, actor_of(request))
        return result

    try:
        result = await database_of(request).write(logged)
        state_of(request).after_write()
        return result
    except _DryRun as end:
        undone: T = end.result
        return undone
