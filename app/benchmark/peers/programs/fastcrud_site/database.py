"""The database that is served."""

from typing import Any

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

SCHEMA = "fastcrud"


def engine_of(url: str) -> AsyncEngine:
    """The database. SQLite with a log of writes, waiting for others, every commit on the disk; in
    PostgreSQL a schema of its own."""
    if not url.startswith("sqlite"):
        settings = {"server_settings": {"search_path": SCHEMA}}
        return create_async_engine(url, pool_size=20, connect_args=settings)
    engine = create_async_engine(url, pool_size=20)

    @event.listens_for(engine.sync_engine, "connect")
    def set_up(connection: Any, _: Any) -> None:
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=30000"):
            connection.execute(f"PRAGMA {pragma}")

    return engine
