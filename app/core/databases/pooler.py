"""Whether a pooler stands before PostgreSQL that gives each transaction another connection."""

import re
from typing import TYPE_CHECKING

from app.core.databases.addresses import PostgresAddress, is_sqlite
from app.core.databases.diagnosis import DatabaseUnusable, diagnosed

if TYPE_CHECKING:
    import asyncpg

#: Of questions of the simple protocol, which prepares nothing, only the count of rows is told.
_IS_PROCESS = "SELECT 1 WHERE pg_backend_pid() = {}"
#: Fails with the number in the message: asked only where a pooler is found.
_PROCESS = "SELECT CAST('process ' || pg_backend_pid() AS integer)"
#: How often two connections are compared; a pooler with others to serve may mix them up.
_TRIES = 3
_CONNECT_SECONDS = 10.0


async def pooled(url: str) -> str | None:
    """Why the database cannot be used through this pooler, and what to do; None without.

    Statements are prepared once for a connection. In PgBouncer's transaction mode the next one can
    be another's, which lacks them or, worse, has others under their names.
    """
    if is_sqlite(url):
        return None
    with diagnosed(url):
        address = PostgresAddress.read(url)
        connection = await _connected(address)
        try:
            return await _found(connection, address)
        finally:
            connection.terminate()


async def refuse_pooled(
    connection: "asyncpg.Connection[asyncpg.Record]", address: PostgresAddress
) -> None:
    """DatabaseUnusable where the connection, which has prepared nothing, is of such a pooler."""
    if reason := await _found(connection, address):
        raise DatabaseUnusable(reason)


async def _found(
    first: "asyncpg.Connection[asyncpg.Record]", address: PostgresAddress
) -> str | None:
    if await first.execute(_IS_PROCESS.format(first.get_server_pid())) == "SELECT 1":
        return None  # The server itself.
    second = await _connected(address)
    try:
        for _ in range(_TRIES):
            if await _process(first) == await _process(second):
                return (
                    f"What answers at {address.server} is a pooler that gives each transaction"
                    " another connection, which prepared statements do not survive. With"
                    " PgBouncer set pool_mode = session for this database, or name the address"
                    " of PostgreSQL itself."
                )
    finally:
        second.terminate()
    return None


async def _connected(address: PostgresAddress) -> "asyncpg.Connection[asyncpg.Record]":
    import asyncpg

    return await asyncpg.connect(address.dsn(), timeout=address.connect_seconds or _CONNECT_SECONDS)


async def _process(connection: "asyncpg.Connection[asyncpg.Record]") -> int | None:
    """The server's process that works for the connection."""
    import asyncpg

    try:
        await connection.execute(_PROCESS)
    except asyncpg.PostgresError as error:
        found = re.search(r"process (\d+)", str(error))
        return int(found[1]) if found else connection.get_server_pid()
    return None
