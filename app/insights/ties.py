"""What lies under a record without naming it: which missions an organization or a person was in.

Each function says what ties a row of the child's table to one of the parent's.
"""

from collections.abc import Callable

from sqlalchemy import ColumnElement, or_, select

from app.core.databases.expressions import AnyTable
from app.engine.resource import Resource, SubCollection
from app.insights.evidence import evidence_of
from app.insights.journey import of_journey
from app.insights.presence import missions_with, organizations_in
from app.resources.agreement import Agreement, agreement
from app.resources.citation import citation
from app.resources.delegate import Delegate, delegate
from app.resources.mission import mission
from app.resources.organization import company, organization
from app.resources.outcome import outcome
from app.resources.participation import participation
from app.resources.party import AgreementParty
from app.resources.person import person
from app.resources.source import source
from app.resources.statement import statement

#: Says of a column that it names the mission, or one of several.
Names = Callable[[AnyTable], ColumnElement[bool]]


def _of_mission(
    name: str, child: Resource, on: Callable[[AnyTable, Names], ColumnElement[bool]]
) -> SubCollection:
    """What lies under a mission by way of others: `on` ties it to the missions that these name."""
    own = SubCollection(mission, name, child, lambda row, at: on(row, lambda c: c == at.id))
    return of_journey(own, lambda row, ids: on(row, lambda column: column.in_(ids)))


def _takes_part(organization: AnyTable, names_mission: Names) -> ColumnElement[bool]:
    return or_(*(organization.id.in_(found) for found in organizations_in(names_mission)))


def _is_there(part: AnyTable, mission: AnyTable) -> ColumnElement[bool]:
    """Is not in the trash, or went there with its mission."""
    return or_(part.deleted_at.is_(None), part.deleted_at == mission.deleted_at)


def _was_in(mission: AnyTable, organization: AnyTable) -> ColumnElement[bool]:
    several = missions_with(organization.id, lambda part: _is_there(part, mission))
    return or_(*(mission.id.in_(found) for found in several))


def _came_of(outcome: AnyTable, names_mission: Names) -> ColumnElement[bool]:
    agreements = (
        select(Agreement.id)
        .where(names_mission(Agreement.mission_id), Agreement.deleted_at.is_(None))
        .correlate_except(Agreement)
    )
    return outcome.agreement_id.in_(agreements)  # type: ignore[no-any-return]


def _concluded_by(agreement: AnyTable, organization: AnyTable) -> ColumnElement[bool]:
    concluded = (
        select(AgreementParty.agreement_id)
        .where(AgreementParty.organization_id == organization.id)
        .correlate_except(AgreementParty)
    )
    return agreement.id.in_(concluded)  # type: ignore[no-any-return]


def _for_organization(row: AnyTable, organization: AnyTable) -> ColumnElement[bool]:
    return row.organization_id == organization.id  # type: ignore[no-any-return]


def _tells_of(statement: AnyTable, organization: AnyTable) -> ColumnElement[bool]:
    """Was said by it or of it."""
    return or_(
        statement.on_behalf_of_id == organization.id,
        statement.subject_id == organization.id,
        statement.object_id == organization.id,
    )


def _joined_by(mission: AnyTable, person: AnyTable) -> ColumnElement[bool]:
    missions = (
        select(Delegate.mission_id)
        .where(Delegate.person_id == person.id, _is_there(Delegate, mission))
        .correlate_except(Delegate)
    )
    return mission.id.in_(missions)  # type: ignore[no-any-return]


def _said_by(statement: AnyTable, person: AnyTable) -> ColumnElement[bool]:
    """Said it as a delegate or as anybody else."""
    speaking = select(Delegate.id).where(Delegate.person_id == person.id).correlate_except(Delegate)
    return or_(statement.person_id == person.id, statement.speaker_id.in_(speaking))


def _signed_by(agreement: AnyTable, person: AnyTable) -> ColumnElement[bool]:
    signed = (
        select(AgreementParty.agreement_id)
        .where(AgreementParty.signed_by_id == person.id)
        .correlate_except(AgreementParty)
    )
    return agreement.id.in_(signed)  # type: ignore[no-any-return]


def _drawn_from(citation: AnyTable, source: AnyTable) -> ColumnElement[bool]:
    return citation.source_id == source.id  # type: ignore[no-any-return]


TIED: tuple[SubCollection, ...] = (
    _of_mission("companies", company, _takes_part),
    _of_mission("outcomes", outcome, _came_of),
    *(
        SubCollection(parent, name, child, on, is_typed=on is _concluded_by)
        for parent in (company, organization)
        for name, child, on in (
            ("missions", mission, _was_in),
            ("delegates", delegate, _for_organization),
            ("participations", participation, _for_organization),
            ("agreements", agreement, _concluded_by),
            ("statements", statement, _tells_of),
        )
    ),
    SubCollection(person, "missions", mission, _joined_by, is_typed=False),
    SubCollection(person, "agreements", agreement, _signed_by, is_typed=False),
    SubCollection(person, "statements", statement, _said_by, is_typed=False),
    # Its `citations` are those about the record of the source, as of any record.
    evidence_of(mission, citation),
    SubCollection(source, "passages", citation, _drawn_from, lambda key: {"source_id": key}),
)
