"""Starts what follows the feed in a process, and stops it."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from starlette.datastructures import State

from app.changes.stream import Streams
from app.changes.tail import ChangeLogTail
from app.engine.resource import Resource
from app.webhooks.dispatcher import Deliveries


@asynccontextmanager
async def following(state: State, resources: Iterable[Resource]) -> AsyncIterator[None]:
    """Within, webhooks are told of changes, and the application's state has what streams and
    writes need: `feed`, `streams` and `deliveries`.

    It takes `database`, `stopping`, `stream_rules` and `webhook_rules` from there.
    """
    state.feed = ChangeLogTail(state.database)
    state.streams = Streams(state.feed, state.stopping, state.stream_rules)
    state.deliveries = Deliveries(
        state.database, state.feed, resources, state.stopping, state.webhook_rules
    )
    state.deliveries.start()
    try:
        yield
    finally:
        await state.deliveries.stop()
