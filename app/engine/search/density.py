"""How common a query's words are: it chooses the way to a list's records, never which they are."""

import time
from functools import lru_cache
from weakref import WeakKeyDictionary

from sqlalchemy import Dialect, case, func, select, union_all

from app.core.databases.expressions import AnyTable
from app.core.databases.interface import CompiledQuery, Database, compile_query
from app.core.databases.public_reads import is_public
from app.core.loose_types import Values
from app.engine.resource import Resource
from app.engine.search.row_match import matches_by_row

#: How many of the newest records are looked at, and how many of the oldest.
SAMPLE_ROWS = 64
#: With a share s of the records found, a page of n is full after n/s records of a list; to list all
#: that are found takes as many steps as s times all records, each about as long. So the first is
#: the quicker way where s² times all records is more than n. This is how long the lists are that
#: the choice is made for: shorter ones are quick either way, longer ones only gain by the first.
LONG_LIST_ROWS = 100_000
#: From which share on all records are looked at sooner than those that are found are listed.
LARGE_SHARE = 0.5
#: For how long a share is taken to be the same, and how many are kept for a database.
SHARE_SECONDS = 10.0
MAX_SHARES = 1000

_SHARES: WeakKeyDictionary[Database, dict[tuple[str, str, bool], tuple[float, float]]] = (
    WeakKeyDictionary()
)


@lru_cache(maxsize=256)
def sample_statement(resource: Resource, dialect: Dialect) -> CompiledQuery:
    """Reads `(found, looked at)` twice: of the newest and of the oldest records of a kind.

    It costs the same whatever the size of the table.
    """
    table: AnyTable = resource.table
    found = func.count(case((matches_by_row(resource), 1)))
    ends = (
        select(found, func.count()).where(
            table.id.in_(
                select(select(table.id).order_by(order).limit(SAMPLE_ROWS).subquery().c.id)
            )
        )
        for order in (table.id.desc(), table.id.asc())
    )
    return compile_query(union_all(*ends), dialect)


async def share_found(
    database: Database, resource: Resource, values: Values, dialect: Dialect | None = None
) -> float:
    """About which share of a kind's records the query `q` among the values finds, 0 to 1.

    It is kept for SHARE_SECONDS, in which pages of a list follow each other: it can be off without
    an answer being wrong.
    """
    dialect = dialect or database.dialect
    kept = _SHARES.setdefault(database, {})
    key, now = (resource.record_type, values["q"], is_public(dialect)), time.monotonic()
    if key in kept and kept[key][1] > now:
        return kept[key][0]
    rows = await database.read(sample_statement(resource, dialect), values)
    share = _share([found / looked_at if looked_at else 0.0 for found, looked_at in rows])
    if len(kept) >= MAX_SHARES:
        kept.clear()
    kept[key] = share, now + SHARE_SECONDS
    return share


def _share(ends: list[float]) -> float:
    """A word can be common in one time and unknown in another, and to look for it in records that
    have none is the longest way of all: so it counts for little where one end has few of it."""
    return min(sum(ends) / len(ends), 2 * min(ends))


def is_by_row(share: float, wanted: int | None) -> bool:
    """Whether to look at records one by one for so many that are wanted, or for all (None)."""
    if wanted is None:
        return share >= LARGE_SHARE
    return share >= LARGE_SHARE or share**2 * LONG_LIST_ROWS > wanted
