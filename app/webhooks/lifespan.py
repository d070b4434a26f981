"""Starts what follows the feed in a process, and stops it."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from app.changes.stream import Streams
from app.changes.tail import ChangeLogTail
from app.engine.resource import Resource
from app.webhooks.app_state import WebhookingState
from app.webhooks.dispatcher import Deliveries


@asynccontextmanager
async def following(state: WebhookingState, resources: Iterable[Resource]) -> AsyncIterator[None]:
    """Within, webhooks are told of changes, and the state has what streams and writes need."""
    state.feed = ChangeLogTail(state.database)
    state.after_write = state.feed.wake
    state.streams = Streams(state.feed, state.stopping, state.stream_rules)
    state.deliveries = Deliveries(
        state.database, state.feed, resources, state.stopping, state.webhook_rules
    )
    state.deliveries.start()
    try:
        yield
    finally:
        await state.deliveries.stop()
