"""In how many levels records of a kind lie, each under the one above."""

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.databases.expressions import AnyTable
from app.engine.record import Record

#: The ids of what lies one level from these, on the one side or the other.
Step = Callable[[set[UUID]], set[UUID]]


def depth(ids: set[UUID], step: Step, most: int) -> int:
    """In how many levels lies what begins with these records; at most one more than `most`, as two
    writes at once can have closed a circle."""
    levels = 0
    while ids and levels <= most:
        levels += 1
        ids = step(ids)
    return levels


def levels_with(session: Session, record: Record, parent: str, most: int, *, is_new: bool) -> int:
    """In how many levels a record lies with those above it, by the column `parent`, and below."""
    table: AnyTable = type(record)
    key = getattr(table, parent)

    def ids_of(column: Any, by: Any, ids: set[UUID]) -> set[UUID]:
        return set(session.scalars(select(column).where(by.in_(ids), column.is_not(None))))

    below = partial(ids_of, table.id, key)
    above = depth({getattr(record, parent)}, partial(ids_of, key, table.id), most)
    return above + 1 + (0 if is_new else depth(below({record.id}), below, most))
