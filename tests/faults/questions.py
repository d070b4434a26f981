"""Questions that take long, and a database to ask them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.core.databases.interface import CompiledQuery, Database
from app.core.databases.opening import open_database
from app.core.databases.places import reader
from app.core.databases.postgresql import PostgresDatabase

_NUMBERS = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n)"
#: A question without an end, and one of many rows.
SLOW = {
    "sqlite": CompiledQuery(f"{_NUMBERS} SELECT count(*) FROM n", (), (), {}),
    "postgresql": CompiledQuery("SELECT pg_sleep(600)", (), (), {}),
}
MANY = {
    "sqlite": CompiledQuery(f"{_NUMBERS} SELECT x FROM n", (), (), {}),
    "postgresql": CompiledQuery("SELECT generate_series(1, 1000000000)", (), (), {}),
}
QUICK = CompiledQuery("SELECT 1", (), (), {})
SHORT = 0.3


@asynccontextmanager
async def opened(url: str, seconds: float = SHORT) -> AsyncIterator[Database]:
    """The database, with so many seconds for a question; the service itself asks."""
    reader.set("")
    database = open_database(url, max_seconds=seconds)
    await database.start()
    try:
        yield database
    finally:
        await database.stop()


def places(kind: str) -> int:
    """How many reads of the service itself run at once: it leaves a place to others."""
    return 2 if kind == "sqlite" else 5


def busy(database: Database) -> float:
    """How many reads are under way."""
    gauges = database.gauges()
    if isinstance(database, PostgresDatabase):
        return gauges["read_connections"] - gauges["read_connections_idle"]
    return gauges["reads_running"]
