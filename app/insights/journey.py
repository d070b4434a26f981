"""Journeys: a mission with those that are part of it, and of these, however deep."""

from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import aliased

from app.core.databases.expressions import AnyTable, Expression
from app.resources.mission import Mission

Ids = Select[Any]


def missions_of_journey(mission_id: Expression) -> Ids:
    """The ids of the mission with this id, of the missions that are part of it, and of theirs;
    without those in the trash below it. It stands in a subquery, `of.mission_id.in_(…)`.

    An id comes once: the walk ends where missions stand above each other in a circle too.
    """
    top, below = aliased(Mission), aliased(Mission)
    walked: AnyTable = (
        select(top.id)
        .where(top.id == mission_id)
        .correlate_except(top)
        .cte(recursive=True, nesting=True)
    )
    parts = select(below.id).where(below.parent_id == walked.c.id, below.deleted_at.is_(None))
    walked = walked.union(parts.correlate_except(below, walked))
    return select(walked.c.id).correlate_except(walked)
