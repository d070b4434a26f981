"""SQLite's one writer, kept busy for as long as a test wants."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from sqlalchemy.orm import Session

from app.core.databases.interface import Database


@asynccontextmanager
async def held_writer(database: Database) -> AsyncIterator[Callable[[], None]]:
    """Within, the writer is at work with a write of nothing, until it is let go or all ends."""
    begun, go_on = threading.Event(), threading.Event()

    def hold(session: Session) -> None:
        begun.set()
        go_on.wait(30)

    writing = asyncio.ensure_future(database.write(hold))
    await asyncio.to_thread(begun.wait, 30)
    try:
        yield go_on.set
    finally:
        go_on.set()
        await writing
