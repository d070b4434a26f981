"""What of an answer that was kept is withheld by now."""

from functools import lru_cache
from uuid import UUID

from sqlalchemy import Dialect, bindparam, select
from starlette.requests import Request

from app.core.databases.expressions import AnyTable
from app.core.databases.interface import CompiledQuery, compile_query
from app.core.databases.types import Id
from app.engine.registry import RECORD_TYPES
from app.receipts.behind import Key
from app.rest.audience import sees_withheld
from app.rest.handlers import database_of

_BATCH = 100


async def is_withheld_since(request: Request, then: dict[Key, int]) -> bool:
    """Whether something is withheld from who asks of records as they were in these versions: then
    it may stand in the answer of that time."""
    if sees_withheld(request):
        return False
    database = database_of(request)
    by_kind: dict[str, list[str]] = {}
    for kind, record_id in then:
        by_kind.setdefault(kind, []).append(record_id)
    for kind, ids in by_kind.items():
        statement = _statement(kind, database.whole_dialect)
        for at in range(0, len(ids), _BATCH):
            some = [UUID(each) for each in ids[at : at + _BATCH]]
            some += some[-1:] * (_BATCH - len(some))
            rows = await database.read(statement, {f"r{n}": each for n, each in enumerate(some)})
            if any(version != then[kind, str(record_id)] for record_id, version in rows):
                return True
    return False


@lru_cache(maxsize=64)
def _statement(kind: str, dialect: Dialect) -> CompiledQuery:
    """Reads `(id, version)` of those of the records `:r0, :r1, …` of which something is withheld;
    for nobody to see."""
    table: AnyTable = RECORD_TYPES[kind].table
    ids = [bindparam(f"r{n}", type_=Id()) for n in range(_BATCH)]
    found = select(table.id, table.version).where(table.id.in_(ids), table.hidden.is_not(None))
    return compile_query(found, dialect)
