"""Journeys, all of them at once: each mission with those that are part of it."""

from itertools import pairwise

from sqlalchemy import Subquery, select, union_all
from sqlalchemy.orm import aliased

from app.core.databases.expressions import AnyTable, Selection
from app.resources.mission import Mission

MAX_LEVELS = 5


def journey_pairs() -> Subquery:
    """`(mission_id, part_id)`: each mission with itself and with all that are part of it, of those
    that are not in the trash."""
    return union_all(*map(_parts, range(MAX_LEVELS))).subquery("journeys")


def _parts(depth: int) -> Selection:
    """The missions with those that lie so many levels below them."""
    ways: list[AnyTable] = [aliased(Mission) for _ in range(depth + 1)]
    found = select(ways[0].id.label("mission_id"), ways[-1].id.label("part_id"))
    found = found.where(*(below.parent_id == above.id for above, below in pairwise(ways)))
    return found.where(*(each.deleted_at.is_(None) for each in ways))
