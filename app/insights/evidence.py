"""The evidence behind a mission: every passage that it, or what belongs to it, rests on."""

from collections.abc import Iterator

from sqlalchemy import ColumnElement, and_, literal_column, select, union_all
from sqlalchemy.orm import aliased

from app.core.databases.expressions import AnyTable
from app.engine.resource import Resource, SubCollection
from app.engine.writes.parts import parts_of
from app.insights.journey import Ids, missions_of_journey


def _parts(resource: Resource, ids: Ids, known: frozenset[str]) -> Iterator[tuple[Resource, Ids]]:
    """The kinds of what is part of these records, and of what is part of that, each with the ids
    of those that are not in the trash."""
    for child, column in parts_of(resource):
        if child.record_type in known:
            continue
        table: AnyTable = aliased(child.table)
        part = getattr(table, column.key)
        found = select(table.id).where(part.in_(ids), table.deleted_at.is_(None))
        found = found.correlate_except(table)
        yield child, found
        yield from _parts(child, found, known | {child.record_type})


def evidence_of(mission: Resource, citation: Resource) -> SubCollection:
    """`/missions/{key}/evidence`: the citations of the mission and of all that belongs to it."""

    def behind(cited: AnyTable, at: AnyTable) -> ColumnElement[bool]:
        ids = missions_of_journey(at.id)
        several = ((mission, ids), *_parts(mission, ids, frozenset({mission.record_type})))
        records = (
            select(literal_column(f"'{kind.record_type}'").label("kind"), of.subquery().c.id)
            for kind, of in several
        )
        # By its ids, so that the index of what is cited leads to them, and not each citation to
        # what it backs.
        backed = union_all(*records).subquery()
        own: AnyTable = aliased(citation.table)
        kind, record_id = backed.c
        found = select(own.id).join(
            backed, and_(own.record_kind == kind, own.record_id == record_id)
        )
        return cited.id.in_(found.correlate_except(own, backed))  # type: ignore[no-any-return]

    return SubCollection(
        mission,
        "evidence",
        citation,
        behind,
        shows="source",
        # It is looked for in all that belongs to a mission: once, and not for each of many.
        is_relation=False,
        about="Every passage behind the mission and all that belongs to it, missions that are part"
        " of it too: its words, its source, and the record that rests on it.",
    )
