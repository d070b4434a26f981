"""What streams of changes keep while the application serves."""

from dataclasses import dataclass, field

from starlette.requests import Request

from app.changes.stream import StreamRules, Streams
from app.changes.tail import ChangeLogTail
from app.core.http.app_state import AppState


@dataclass(kw_only=True)
class StreamingState(AppState):
    """`feed` and `streams` are there once the application has started."""

    stream_rules: StreamRules
    feed: ChangeLogTail = field(init=False)
    streams: Streams = field(init=False)


def streams_of(request: Request) -> Streams:
    """The streams that this process serves."""
    state: StreamingState = request.app.state
    return state.streams
