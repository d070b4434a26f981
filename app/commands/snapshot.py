"""Looks at a database as it is at one moment: nobody who writes waits for it."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.pool import NullPool

from app.core.databases.addresses import is_sqlite, sqlite_path
from app.core.databases.diagnosis import diagnosed
from app.core.databases.interface import ENGINE_OPTIONS

T = TypeVar("T")


async def snapshot_run(url: str, work: Callable[[Connection], T]) -> T:
    """Run work that only reads, on a connection of its own; all it reads is of one moment.

    DatabaseUnusable where the database is not there or lets nobody in.
    """
    if is_sqlite(url):
        with diagnosed(url):
            return file_run(sqlite_path(url), work)
    from app.core.databases.postgresql import postgres_engine

    def reading(connection: Connection) -> T:
        connection.execute(text("SET TRANSACTION READ ONLY"))
        return work(connection)

    postgres = postgres_engine(
        url, isolation_level="REPEATABLE READ", connect_args={"refuse_poolers": True}
    )
    try:
        with diagnosed(url):
            async with postgres.begin() as connection:
                return await connection.run_sync(reading)
    finally:
        await postgres.dispose()


def file_run(path: str | Path, work: Callable[[Connection], T]) -> T:
    """Run work that only reads on a file of SQLite."""
    with _reading_engine(str(path)).begin() as connection:
        return work(connection)


def _reading_engine(path: str) -> Engine:
    from app.core.databases.sqlite import connect

    engine = create_engine(
        "sqlite://",
        creator=lambda: connect(path, readonly=True),
        poolclass=NullPool,
        **ENGINE_OPTIONS,
    )

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    return engine
