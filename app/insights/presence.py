"""Presence: which organizations were in which mission, and as what.

An organization was in a mission when it took part by itself, sent a delegate, or is party to an
agreement of the mission. That somebody said something in its name is told beside it.
"""

from collections.abc import Callable
from enum import StrEnum

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    FromClause,
    Text,
    cast,
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


def _by_itself(role: bool, is_there: IsThere) -> Selection:
    part: AnyTable = aliased(Participation)
    shown = _columns(part.mission_id, part.organization_id, cast(part.role, Text), role)
    return shown.where(is_there(part)).correlate_except(part)


def _by_delegates(role: bool, is_there: IsThere) -> Selection:
    part: AnyTable = aliased(Delegate)
    found = _columns(part.mission_id, part.organization_id, _as(PresenceRole.employer), role)
    found = found.where(part.organization_id.is_not(None), is_there(part))
    return found.correlate_except(part)


def _by_agreements(role: bool, is_there: IsThere) -> Selection:
    party: AnyTable = aliased(AgreementParty)
    of: AnyTable = aliased(Agreement)
    found = _columns(of.mission_id, party.organization_id, _as(PresenceRole.party), role)
    found = found.where(
        of.id == party.agreement_id,
        of.mission_id.is_not(None),
        party.organization_id.is_not(None),
        is_there(of),
    )
    return found.correlate_except(party, of)


def _by_statements(role: bool, is_there: IsThere) -> Selection:
    said: AnyTable = aliased(Statement)
    found = _columns(said.mission_id, said.on_behalf_of_id, _as(PresenceRole.speaker), role)
    found = found.where(
        said.mission_id.is_not(None), said.on_behalf_of_id.is_not(None), is_there(said)
    )
    return found.correlate_except(said)


def _as(role: PresenceRole) -> Expression:
    return literal(role.value, Text)


def _columns(
    mission: Expression, organization: Expression, role: Expression, shown: bool
) -> Selection:
    columns = [mission.label("mission_id"), organization.label("organization_id")]
    return select(*columns, role.label("role")) if shown else select(*columns)


_WAYS = (_by_itself, _by_delegates, _by_agreements)


def organizations_by(parts: FromClause) -> CompoundSelect[tuple[object]]:
    """`(mission_id, organization_id)`, a row for each way in which one was in a mission: of those
    of `parts`, which are `(mission_id, part_id)`, what was in the latter being in the former."""
    return union_all(*(_joined(way(False, _not_in_trash), parts) for way in _WAYS))


def _joined(way: Selection, parts: FromClause) -> Selection:
    # Within each way, so that its index of missions leads to those that are asked for.
    of_mission, organization = (column.element for column in way.selected_columns)
    found = way.with_only_columns(parts.c.mission_id, organization.label("organization_id"))
    # Twice the same, since a planner that does not know how few missions there are reads all rows.
    return found.where(of_mission == parts.c.part_id, of_mission.in_(select(parts.c.part_id)))


def roles() -> CompoundSelect[tuple[object]]:
    """`(mission_id, organization_id, role)`, statements in its name among them."""
    return union_all(*(way(True, _not_in_trash) for way in (*_WAYS, _by_statements)))


def missions_with(organization: Expression, is_there: IsThere = _not_in_trash) -> list[Selection]:
    """The ids of the missions that an organization was in, by each way."""
    return [_narrowed(way(False, is_there), "organization_id", organization) for way in _WAYS]


def organizations_in(mission: Expression, is_there: IsThere = _not_in_trash) -> list[Selection]:
    """The ids of the organizations that were in a mission, by each way."""
    return [_narrowed(way(False, is_there), "mission_id", mission) for way in _WAYS]


def _narrowed(way: Selection, name: str, value: Expression) -> Selection:
    """The other column of those rows in which this one has the value."""
    columns = way.selected_columns
    (other,) = (column for column in columns if column.key != name)
    return way.with_only_columns(other).where(columns[name].element == value)
