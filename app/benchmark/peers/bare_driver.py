"""The floor under every question: the driver alone, with the same SQL or SQL written by hand."""

import asyncio
import csv
import io
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import count, cycle, repeat
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import Dialect, insert
from sqlalchemy.sql.schema import CallableColumnDefault, ScalarElementColumnDefault

from app.benchmark.data import LISTED, PAGE, WRITTEN, Data
from app.benchmark.load import Timing, quantiles
from app.core.databases.addresses import PostgresAddress, is_sqlite, sqlite_path
from app.core.databases.interface import Base, compile_query, table_of
from app.core.databases.types import now, uuid7
from app.engine.query.parameters import ListQuery, View, read_listing
from app.engine.query.statements import item_statement, list_statement
from app.resources.agreement import Agreement, agreement
from app.resources.firmness import firmness_of
from app.resources.instrument import Bindingness
from app.resources.status import AgreementStatus

NAME = "bare driver"
SETTINGS = "sqlite3 or asyncpg, one connection, the SQL of the service or, for figures, by hand"

#: Figures by hand: the sums of what there is, each group once.
BY_HAND = {
    "status,currency": "SELECT status, currency, count(*) FROM agreement"
    " WHERE deleted_at IS NULL GROUP BY status, currency",
    "currency,status": "SELECT currency, status, count(*), sum(amount) FROM agreement"
    " WHERE deleted_at IS NULL GROUP BY currency, status",
    "year(signed),status": "SELECT CASE WHEN substr(CAST(signed_earliest AS text), 1, 4) ="
    " substr(CAST(signed_latest AS text), 1, 4)"
    " THEN substr(CAST(signed_earliest AS text), 1, 4) END AS y, status, count(*) FROM agreement"
    " WHERE deleted_at IS NULL GROUP BY y, status",
    # A mission can have gone to several countries, and to one of them twice.
    "mission.host_country,currency": "SELECT country, currency, count(*), sum(amount) FROM"
    " (SELECT DISTINCT agreement.id, country, currency, amount FROM agreement"
    " LEFT JOIN mission_stop ON mission_stop.mission_id = agreement.mission_id"
    " WHERE agreement.deleted_at IS NULL) AS hosted GROUP BY country, currency",
}
EXPORTED = "SELECT * FROM agreement WHERE deleted_at IS NULL ORDER BY id"


class Driver(Protocol):
    """One connection of a driver."""

    def rows(self, sql: str, arguments: Sequence[Any]) -> list[Any]:
        """What a question is answered with; a change is committed at once."""


class _Sqlite:
    def __init__(self, connection: Any) -> None:
        self.connection = connection

    def rows(self, sql: str, arguments: Sequence[Any]) -> list[Any]:
        found: list[Any] = self.connection.execute(sql, arguments).fetchall()
        return found


class _Postgres:
    def __init__(self, runner: asyncio.Runner, connection: Any) -> None:
        self.runner, self.connection = runner, connection

    def rows(self, sql: str, arguments: Sequence[Any]) -> list[Any]:
        async def fetch() -> list[Any]:
            found: list[Any] = await self.connection.fetch(sql, *arguments)
            return found

        return self.runner.run(fetch())


@contextmanager
def driver_of(url: str) -> Iterator[Driver]:
    """A connection as the service opens it, and nothing more."""
    if is_sqlite(url):
        from app.core.databases.sqlite import connect

        with closing(connect(sqlite_path(url))) as connection:
            yield _Sqlite(connection)
        return
    import asyncpg

    with asyncio.Runner() as runner:
        opened = runner.run(asyncpg.connect(PostgresAddress.read(url).dsn()))
        try:
            yield _Postgres(runner, opened)
        finally:
            runner.run(opened.close())


def dialect_of(url: str) -> Dialect:
    """The dialect that the service writes SQL in."""
    if is_sqlite(url):
        from app.core.databases.sqlite import sqlite_engine

        return sqlite_engine(":memory:").dialect
    from app.core.databases.postgresql import postgres_engine

    return postgres_engine("postgresql://").dialect


#: SQL and, without end, the values for one run of it after the other.
Asked = tuple[str, Iterator[Sequence[Any]]]


def same_record(url: str, data: Data) -> Asked:
    """The service's SQL for one record, another each time."""
    query = item_statement(agreement, View(), "id", dialect_of(url))
    return query.sql, cycle([query.arguments({"key": UUID(key)}) for key in data.sample])


def same_list(url: str, expand: str | None = None) -> Asked:
    """The service's SQL for the list."""
    condition = f"status eq '{LISTED}'"
    asked = ListQuery.model_validate({"filter": condition, "sort": "-amount", "expand": expand})
    listing = read_listing(agreement, asked)
    query = list_statement(agreement, None, listing.shape, dialect_of(url))
    return query.sql, repeat(query.arguments({**listing.parsed.values, "limit": PAGE + 1}))


def one_insert(url: str) -> Asked:
    """A new agreement's row alone, without its words and its entry in the change log."""
    stamp = now()
    row = {
        **_defaults(Agreement),
        "title": "Measured agreement",
        "instrument": "supply_contract",
        "bindingness": Bindingness.binding,
        "status": WRITTEN,
        "firmness": firmness_of(AgreementStatus(WRITTEN), Bindingness.binding),
        "certainty": "certain",
        "created_at": stamp,
        "updated_at": stamp,
    }
    query = compile_query(insert(Agreement).values(row), dialect_of(url))
    return query.sql, (query.arguments({"id": uuid7()}) for _ in count())


def _defaults(mapped: type[Base]) -> dict[str, Any]:
    """What is stored in columns of which nothing is said: a Session sees to it, and the driver
    does not."""
    found: dict[str, Any] = {}
    for column in table_of(mapped).columns:
        default = column.default
        if isinstance(default, ScalarElementColumnDefault):
            found[column.name] = default.arg
        elif isinstance(default, CallableColumnDefault):
            found[column.name] = default.arg(None)  # type: ignore[arg-type]  # None asks for it.
    return found


def ask_for(driver: Driver, asked: Asked, seconds: float) -> Timing:
    """Ask again and again for so long."""
    sql, values = asked
    times: list[float] = []
    began, used = time.perf_counter(), time.process_time()
    ended = began
    while ended - began < seconds or not times:
        driver.rows(sql, next(values))
        before, ended = ended, time.perf_counter()
        times.append(ended - before)
    used = time.process_time() - used
    return Timing(len(times), ended - began, used, *quantiles(times), 0)


def as_csv(driver: Driver) -> tuple[int, float]:
    """All agreements written as CSV by Python's own module: how many rows, and in what time."""
    began = time.perf_counter()
    rows = driver.rows(EXPORTED, ())
    csv.writer(io.StringIO()).writerows(rows)
    return len(rows), time.perf_counter() - began
