"""Work of commands on a connection of its own."""

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection

from app.core.databases.addresses import is_sqlite, sqlite_path
from app.core.databases.diagnosis import diagnosed

T = TypeVar("T")


async def engine_run(url: str, work: Callable[[Connection], T]) -> T:
    """Run the work in one transaction on a connection of its own to the database.

    DatabaseUnusable where the database is not there, lets nobody in, or takes no changes.
    """
    if is_sqlite(url):
        from app.core.databases.sqlite import sqlite_engine

        with diagnosed(url), sqlite_engine(sqlite_path(url)).begin() as connection:
            return work(connection)
    from app.core.databases.postgresql import postgres_engine

    postgres = postgres_engine(url, connect_args={"refuse_poolers": True})
    try:
        with diagnosed(url):
            async with postgres.begin() as connection:
                return await connection.run_sync(work)
    finally:
        await postgres.dispose()
