"""Journeys: a mission with those that are part of it, and of these, down to a depth."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from itertools import pairwise

from sqlalchemy import ColumnElement, CompoundSelect, Select, Subquery, select, union, union_all
from sqlalchemy.orm import aliased

from app.core.databases.expressions import AnyTable, Expression, Selection
from app.core.databases.public_reads import including_withheld
from app.engine.resource import SubCollection
from app.resources.mission import MAX_LEVELS, Mission

Ids = Select[tuple[object]] | CompoundSelect[tuple[object]]


def missions_of_journey(mission_id: Expression, *, with_withheld: bool = False) -> Ids:
    """The ids of the mission with this id, of the missions that are part of it, and of theirs;
    without those in the trash below it. It stands in a subquery, `of.mission_id.in_(…)`. Parts that
    are withheld are among them `with_withheld`: to count what is, and for nothing else.

    It is no recursive query, which distributed PostgreSQL has none of: missions lie in as many
    levels as their rule allows. Each level is asked by the index of `parent_id`, and where there
    is none below the mission, all of them find so at once.
    """
    top, _ = _mission("top")
    levels = [select(top.id).where(top.id == mission_id).correlate_except(top)]
    table = _every_mission if with_withheld else _mission
    levels += [_parts(mission_id, depth, table) for depth in range(1, MAX_LEVELS)]
    return union(*levels)


def of_journey(
    own: SubCollection, on: Callable[[AnyTable, Ids], ColumnElement[bool]]
) -> SubCollection:
    """The collection of a mission whose list shows that of its parts too: what `on(child, ids)`
    ties to one of these missions."""

    def over_parts(child: AnyTable, at: AnyTable) -> ColumnElement[bool]:
        return on(child, missions_of_journey(at.id))

    return replace(own, with_parts=replace(own, on=over_parts))


@cache
def _mission(name: str) -> tuple[AnyTable, AnyTable]:
    """The missions under a name of their own, and their columns: the same in all statements, as
    to make them takes longer than all else of these."""
    table = aliased(Mission)
    return table, table


def _every_mission(name: str) -> tuple[AnyTable, AnyTable]:
    """All missions under the name, those that are withheld too, and their columns."""
    table = including_withheld(Mission).element.alias(name)
    return table, table.c


def _parts(
    mission_id: Expression, depth: int, table: Callable[[str], tuple[AnyTable, AnyTable]]
) -> Select[tuple[object]]:
    """The ids of the missions so many levels below."""
    several = [table(f"part_{depth}_{level}") for level in range(depth)]
    tables, ways = zip(*several, strict=True)
    found = select(ways[-1].id).where(ways[0].parent_id == mission_id)
    found = found.where(*(below.parent_id == above.id for above, below in pairwise(ways)))
    return found.where(*(each.deleted_at.is_(None) for each in ways)).correlate_except(*tables)


def journeys(*, with_withheld: bool = False) -> Subquery:
    """`(mission_id, part_id)` of all missions at once: each with itself and with those that are
    part of it, without those in the trash. Parts that are withheld are as in
    `missions_of_journey`."""
    table = _every_mission if with_withheld else _mission
    levels = (_parts_of_each(depth, table) for depth in range(MAX_LEVELS))
    return union_all(*levels).subquery("every_journey" if with_withheld else "journeys")


def _parts_of_each(depth: int, table: Callable[[str], tuple[AnyTable, AnyTable]]) -> Selection:
    """The missions with those that lie so many levels below them."""
    ways = [_mission("top")[1], *(table(f"below_{depth}_{level}")[1] for level in range(depth))]
    found = select(ways[0].id.label("mission_id"), ways[-1].id.label("part_id"))
    found = found.where(*(below.parent_id == above.id for above, below in pairwise(ways)))
    return found.where(*(each.deleted_at.is_(None) for each in ways))
