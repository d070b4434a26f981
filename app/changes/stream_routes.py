"""The HTTP operation that streams changes as they are made."""

from collections.abc import Iterable
from functools import partial
from typing import Annotated

from fastapi import Query, Request
from starlette.responses import Response

from app.changes.app_state import streams_of
from app.changes.stream import EventStream, StreamQuery
from app.core.auth.principals import Permission
from app.core.databases.interface import task_outside_request
from app.core.errors import BadRequest, NotAcceptable, TooManyRequests, Unavailable
from app.core.http.accept import preferred
from app.core.http.app_state import state_of
from app.core.http.dispatch import Route
from app.core.http.operation import Answer, Operation
from app.core.public_path import public_path
from app.core.subscribers import subscriber_of
from app.engine.history.positions import PATTERN, Position, read_position
from app.engine.query.filter_reader import bad_parameter
from app.engine.registry import unknown_kind
from app.engine.resource import Resource
from app.rest.audience import sees_withheld
from app.rest.handlers import newest_of

_ABOUT = """\
Server-sent events (WHATWG HTML), as `EventSource` of browsers reads them: each change is an event
`change` whose data is the JSON of an entry of GET /changes and whose id is its `position`. Every
change comes once and in order. Whoever is cut off goes on where they were by sending the id last
read as `Last-Event-ID`, as browsers do by themselves, or as `since`. An event `gone` says that
nobody can go on from there, as the database was restored from a backup: read the records anew.
Lines that begin with a colon only show that the stream is alive. A stream ends after an hour, when
the service stops, and when its key is revoked; connect again then.
"""
_LAST_EVENT_ID = {
    "name": "Last-Event-ID",
    "in": "header",
    "schema": {"type": "string", "pattern": PATTERN},
    "description": "The id of the event that you have read last: goes before `since`.",
}
_EVENTS = Answer(
    description="The changes, as they are made.",
    content={"text/event-stream": {"schema": {"type": "string"}}},
)


def stream_route(resources: Iterable[Resource]) -> Route:
    """GET /changes/stream"""
    kinds = {resource.record_type for resource in resources}

    async def endpoint(request: Request, query: Annotated[StreamQuery, Query()]) -> Response:
        preferred(request.headers.get("accept", "*/*"), ["text/event-stream"])
        if query.kind is not None and query.kind not in kinds:
            raise bad_parameter("kind", "unknown", unknown_kind(query.kind, kinds))
        since, gone = await _begin(request, query)
        streams = streams_of(request)
        if len(streams.open) >= streams.rules.most and request.method != "HEAD":
            raise Unavailable(
                f"As many streams are open as this process serves: {streams.rules.most}."
                f" Try again later, or ask GET {public_path('/changes')} from time to time.",
                headers={"Retry-After": "30"},
            )
        owner = _owner_of(request)
        if streams.is_crowded(owner) and request.method != "HEAD":
            raise TooManyRequests(
                "As many streams are open from your address as one may have. Close some, or ask GET"
                f" {public_path('/changes')} from time to time.",
                headers={"Retry-After": "30"},
            )
        authorizer = state_of(request).authorizer
        welcome = partial(authorizer.is_still_authorized, request.scope, Permission.READ_OR_PUBLIC)
        return EventStream(
            streams,
            since,
            query.wanted(),
            welcome,
            authorizer.on_forget,
            owner,
            gone,
            whole=sees_withheld(request),
        )

    return Operation(
        path="/changes/stream",
        name="stream_changes",
        summary="Stream the changes of all records as they are made",
        description=_ABOUT,
        tag="changes",
        parameters=(_LAST_EVENT_ID,),
        answers=(_EVENTS,),
        refusals=(BadRequest, NotAcceptable),
    ).route(endpoint)


def _owner_of(request: Request) -> str | None:
    """The network whose stream it is; None for this machine, where a proxy may stand for all."""
    owner = subscriber_of(request.client.host) if request.client is not None else ""
    return None if not owner or owner == "::/64" or owner.startswith("127.") else owner


async def _begin(request: Request, query: StreamQuery) -> tuple[Position, str | None]:
    """After which change the stream begins, and why not after the one that was asked for."""
    since = read_position(query.since, "since") if query.since is not None else None
    last_id = request.headers.get("last-event-id")
    asked = since if last_id is None else read_position(last_id, "Last-Event-ID")
    newest = await task_outside_request(newest_of(request))
    if asked is None:
        return newest, None
    gone = asked.gone(newest)
    return (Position(asked.seq, newest.epoch), None) if gone is None else (newest, gone)
