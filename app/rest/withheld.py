"""How many records are withheld from who asks, beside figures that they are not in."""

from collections.abc import Mapping
from functools import lru_cache

from sqlalchemy import Dialect, select
from starlette.requests import Request

from app.core.databases.interface import CompiledQuery, compile_query
from app.engine.query.withheld import withheld_in_all
from app.engine.resource import Resource
from app.rest.audience import reading_dialect, sees_withheld
from app.rest.handlers import database_of

#: Tells it where an answer is a file.
WITHHELD_RECORDS = "Withheld-Records"


async def withheld_records(request: Request, *resources: Resource) -> dict[str, int]:
    """How many records of each kind are withheld from the caller, by the kinds' paths."""
    paths = [resource.path for resource in resources]
    if sees_withheld(request):
        return dict.fromkeys(paths, 0)
    statement = _withheld_statement(resources, reading_dialect(request))
    (row,) = await database_of(request).read(statement, {})
    return dict(zip(paths, row, strict=True))


@lru_cache(maxsize=64)
def _withheld_statement(resources: tuple[Resource, ...], dialect: Dialect) -> CompiledQuery:
    return compile_query(select(*map(withheld_in_all, resources)), dialect)


def withheld_header(records: Mapping[str, int]) -> dict[str, str]:
    """The header of a file, where any are."""
    told = counts_told(records)
    return {WITHHELD_RECORDS: told} if told else {}


def counts_told(counts: Mapping[str, int]) -> str:
    """Counts as a header tells them, those that are not 0: `agreements=6, events=2`."""
    return ", ".join(f"{name}={count}" for name, count in counts.items() if count)
