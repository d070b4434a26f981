"""Presence: which organizations were in which mission, and as what.

An organization was in a mission when it took part by itself, sent a delegate, or is party to an
agreement of the mission. That somebody said something in its name is told beside it.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    FromClause,
    Text,
    and_,
    cast,
    distinct,
    func,
    literal,
    select,
    union_all,
)
from sqlalchemy.orm import aliased

from app.core.databases.expressions import AnyTable, Expression, Selection
from app.resources.agreement import Agreement
from app.resources.delegate import Delegate
from app.resources.participation import Participation, ParticipationRole
from app.resources.party import AgreementParty
from app.resources.statement import Statement

IsThere = Callable[[AnyTable], ColumnElement[bool]]


class PresenceRole(StrEnum):
    """As what an organization was in a mission."""

    organizer = ParticipationRole.organizer.value
    co_organizer = ParticipationRole.co_organizer.value
    host = ParticipationRole.host.value
    sponsor = ParticipationRole.sponsor.value
    participant = ParticipationRole.participant.value
    informant = ParticipationRole.informant.value
    employer = "employer"
    party = "party"
    speaker = "speaker"


def _not_in_trash(part: AnyTable) -> ColumnElement[bool]:
    found: ColumnElement[bool] = part.deleted_at.is_(None)
    return found


class _Way(NamedTuple):
    """A way of being in a mission: what reads `(mission_id, organization_id)`, perhaps with the
    `role`, and the tables that this is read from."""

    rows: Selection
    tables: tuple[AnyTable, ...]


def _by_itself(is_there: IsThere) -> _Way:
    part: AnyTable = aliased(Participation)
    rows = _columns(part.mission_id, part.organization_id, cast(part.role, Text))
    return _Way(rows.where(is_there(part)), (part,))


def _by_delegates(is_there: IsThere) -> _Way:
    part: AnyTable = aliased(Delegate)
    rows = _columns(part.mission_id, part.organization_id, _as(PresenceRole.employer))
    return _Way(rows.where(part.organization_id.is_not(None), is_there(part)), (part,))


def _by_agreements(is_there: IsThere) -> _Way:
    party: AnyTable = aliased(AgreementParty)
    of: AnyTable = aliased(Agreement)
    rows = _columns(of.mission_id, party.organization_id, _as(PresenceRole.party))
    rows = rows.where(
        of.id == party.agreement_id,
        of.mission_id.is_not(None),
        party.organization_id.is_not(None),
        is_there(of),
    )
    return _Way(rows, (party, of))


def _by_statements(is_there: IsThere) -> _Way:
    said: AnyTable = aliased(Statement)
    rows = _columns(said.mission_id, said.on_behalf_of_id, _as(PresenceRole.speaker))
    is_known = and_(said.mission_id.is_not(None), said.on_behalf_of_id.is_not(None))
    return _Way(rows.where(is_known, is_there(said)), (said,))


def _as(role: PresenceRole) -> Expression:
    return literal(role.value, Text)


def _columns(mission: Expression, organization: Expression, role: Expression) -> Selection:
    names = ("mission_id", "organization_id", "role")
    columns = zip((mission, organization, role), names, strict=True)
    return select(*(column.label(name) for column, name in columns))


_WAYS = (_by_itself, _by_delegates, _by_agreements)


def people(of: AnyTable) -> Expression:
    """How many people rows of delegates are: who is named is one on whichever leg of a journey, and
    in whichever capacity; of others it is not known."""
    return func.count(distinct(func.coalesce(of.person_id, of.id)))


def organizations_by(parts: FromClause) -> CompoundSelect[tuple[object]]:
    """`(mission_id, organization_id)`, a row for each way in which one was in a mission: of those
    of `parts`, which are `(mission_id, part_id)`, what was in the latter being in the former."""
    return union_all(*(_joined(way(_not_in_trash).rows, parts) for way in _WAYS))


def _joined(rows: Selection, parts: FromClause) -> Selection:
    # Within each way, so that its index of missions leads to those that are asked for.
    of_mission, organization, _ = (column.element for column in rows.selected_columns)
    found = rows.with_only_columns(parts.c.mission_id, organization.label("organization_id"))
    return found.where(*_lies_in(of_mission, parts))


def is_one_of(organization: Expression, organizations: FromClause) -> list[ColumnElement[bool]]:
    """That an organization is one of these, joined by its `id`."""
    # Twice the same, as for missions.
    return [organization == organizations.c.id, organization.in_(select(organizations.c.id))]


def is_of_part(row: AnyTable, parts: FromClause) -> list[ColumnElement[bool]]:
    """That a row belongs to a mission that is a part: `part_id`."""
    return _lies_in(row.mission_id, parts)


def _lies_in(of_mission: Expression, parts: FromClause) -> list[ColumnElement[bool]]:
    # Twice the same, since a planner that does not know how few missions there are reads all rows.
    return [of_mission == parts.c.part_id, of_mission.in_(select(parts.c.part_id))]


def roles_of(organizations: FromClause) -> CompoundSelect[tuple[object]]:
    """`(mission_id, organization_id, role)` of these organizations, a row for each way in which
    one was there, or spoke."""
    found = (way(_not_in_trash).rows for way in (*_WAYS, _by_statements))
    return union_all(*(_of_these(each, organizations) for each in found))


def _of_these(rows: Selection, organizations: FromClause) -> Selection:
    organization = rows.selected_columns["organization_id"].element
    return rows.where(*is_one_of(organization, organizations))


def missions_with(organization: Expression, is_there: IsThere = _not_in_trash) -> list[Selection]:
    """The ids of the missions that an organization was in, by each way."""
    ways = (way(is_there) for way in _WAYS)
    return [
        _those(way, "mission_id", "organization_id", lambda column: column == organization)
        for way in ways
    ]


def organizations_in(
    names_mission: Callable[[AnyTable], ColumnElement[bool]], is_there: IsThere = _not_in_trash
) -> list[Selection]:
    """The ids of the organizations that were in the missions that are so named, by each way."""
    ways = (way(is_there) for way in _WAYS)
    return [_those(way, "organization_id", "mission_id", names_mission) for way in ways]


def _those(
    way: _Way, name: str, other: str, is_so: Callable[[AnyTable], ColumnElement[bool]]
) -> Selection:
    """The column of this name of the rows in which it is so of the other one."""
    columns = way.rows.selected_columns
    found = way.rows.with_only_columns(columns[name]).where(is_so(columns[other].element))
    return found.correlate_except(*way.tables)
