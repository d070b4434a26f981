"""The HTTP operation that streams changes as they are made."""

from collections.abc import Iterable
from functools import partial
from typing import Annotated

from fastapi import Query, Request
from starlette.responses import Response

from app.changes.app_state import streams_of
from app.changes.entries import task_outside_request
from app.changes.stream import EventStream, StreamQuery
from app.core.auth.principals import Permission
from app.core.errors import BadRequest, Fault, NotAcceptable, TooManyRequests, Unavailable
from app.core.http.accept import preferred
from app.core.http.app_state import state_of
from app.core.http.dispatch import Route
from app.core.http.operation import Answer, Operation
from app.core.server.crowding import network_of
from app.engine.query.filter_reader import bad_parameter
from app.engine.registry import unknown_kind
from app.engine.resource import Resource
from app.rest.handlers import position_of

_ABOUT = """\
Server-sent events (WHATWG HTML), as `EventSource` of browsers reads them: each change is an event
`change` whose data is the JSON of an entry of GET /changes and whose id is its `seq`. Every change
comes once and in order. Whoever is cut off goes on where they were by sending the id last read as
`Last-Event-ID`, as browsers do by themselves, or as `since`. Lines that begin with a colon only
show that the stream is alive. A stream ends after an hour, when the service stops, and when its
key is revoked; connect again then.
"""
_LAST_EVENT_ID = {
    "name": "Last-Event-ID",
    "in": "header",
    "schema": {"type": "string", "pattern": "^[0-9]{0,15}$"},
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
        since = await _begin(request, query)
        streams = streams_of(request)
        if len(streams.open) >= streams.rules.most and request.method != "HEAD":
            raise Unavailable(
                f"As many streams are open as this process serves: {streams.rules.most}."
                " Try again later, or ask GET /changes from time to time.",
                headers={"Retry-After": "30"},
            )
        owner = _owner_of(request)
        if streams.is_crowded(owner) and request.method != "HEAD":
            raise TooManyRequests(
                "As many streams are open from your address as one may have. Close some, or ask GET"
                " /changes from time to time.",
                headers={"Retry-After": "30"},
            )
        authorizer = state_of(request).authorizer
        welcome = partial(authorizer.is_still_authorized, request.scope, Permission.READ_OR_PUBLIC)
        return EventStream(streams, since, query.wanted(), welcome, authorizer.on_forget, owner)

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
    owner = network_of(request.client.host) if request.client is not None else ""
    return None if not owner or owner == "::/64" or owner.startswith("127.") else owner


async def _begin(request: Request, query: StreamQuery) -> int:
    """After which change the stream begins; BadRequest for one that is not there yet."""
    newest = await task_outside_request(position_of(request))
    last_id = request.headers.get("last-event-id", "")
    if last_id and not (last_id.isascii() and last_id.isdecimal() and len(last_id) <= 15):
        text = f"Last-Event-ID is the id of the event last read, a number; got {last_id[:50]!r}."
        raise BadRequest(text, [Fault("last_event_id", text)])
    since = int(last_id) if last_id else query.since
    if since is not None and since > newest:
        text = f"The newest change is {newest}; there is no {since} yet to go on from."
        raise bad_parameter("Last-Event-ID" if last_id else "since", "value", text)
    return newest if since is None else since
