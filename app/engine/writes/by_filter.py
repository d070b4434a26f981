"""The records that a filter finds, to be written."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.databases.deferred import complete
from app.core.errors import Conflict, Fault
from app.engine.query.filter_reader import ParsedFilter
from app.engine.query.parameters import QueryShape
from app.engine.query.statements import narrowed
from app.engine.resource import Resource
from app.engine.search.hits import with_query


def chosen(
    session: Session, resource: Resource, parsed: ParsedFilter, text: str | None, most: int
) -> list[UUID]:
    """The ids of the records that a filter finds, which are locked, oldest first; Conflict (409)
    beyond `most`."""
    shape = QueryShape(condition=parsed.condition, q=text is not None)
    if text is not None:
        # The words of earlier writes of the transaction are searched too.
        complete(session)
    assert session.bind is not None
    values = with_query(parsed.values, text, session.bind.dialect)
    table = resource.table
    found = narrowed(select(table.id), resource, None, shape).order_by(table.id).limit(most + 1)
    ids = session.scalars(found.with_for_update(), values).all()
    if len(ids) > most:
        text = f"The filter finds more than {most} records, which max_affected allows at most."
        raise Conflict(text, [Fault("max_affected", text, parameter="max_affected")])
    return list(ids)
