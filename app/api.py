"""Everything that is served, one line each, in the order of the docs."""

from functools import cache

from sqlalchemy import ColumnElement, or_, select

from app.admin.api_key import api_key_routes
from app.admin.code_list import code_routes
from app.changes.stream_routes import stream_route
from app.core.databases.expressions import AnyTable
from app.core.http.dispatch import Route
from app.core.observability.health import health_routes
from app.core.observability.metrics_route import metrics_route
from app.engine.history.change_log import newest_seq_statement
from app.engine.registry import register
from app.engine.resource import Resource, SubCollection
from app.insights.search import search_route
from app.insights.summary import summary_route
from app.resources.agreement import Agreement, agreement
from app.resources.citation import citation
from app.resources.delegate import delegate
from app.resources.event import event
from app.resources.exchange_rate import exchange_rate
from app.resources.mission import mission
from app.resources.organization import company, organization
from app.resources.outcome import outcome
from app.resources.participation import Participation, participation
from app.resources.party import AgreementParty
from app.resources.person import person
from app.resources.reported_total import reported_total
from app.resources.source import source
from app.resources.source_text import text_routes
from app.resources.statement import statement
from app.rest.change_routes import changes_route
from app.rest.operations import DocumentedModels
from app.rest.routes import crud_routes
from app.webhooks.routes import webhook_routes

RESOURCES: tuple[Resource, ...] = (
    mission,
    delegate,
    person,
    company,
    organization,
    participation,
    event,
    agreement,
    outcome,
    statement,
    reported_total,
    source,
    citation,
    exchange_rate,
)
register(RESOURCES)


def _takes_part(company: AnyTable, mission: AnyTable) -> ColumnElement[bool]:
    """Takes part by itself, or is party to an agreement of the mission."""
    present = (
        select(Participation.organization_id)
        .where(Participation.mission_id == mission.id, Participation.deleted_at.is_(None))
        .correlate_except(Participation)
    )
    party = (
        select(AgreementParty.organization_id)
        .join(Agreement, Agreement.id == AgreementParty.agreement_id)
        .where(Agreement.mission_id == mission.id, Agreement.deleted_at.is_(None))
        .correlate_except(AgreementParty, Agreement)
    )
    return or_(company.id.in_(present), company.id.in_(party))


def _of_mission(outcome: AnyTable, mission: AnyTable) -> ColumnElement[bool]:
    agreements = (
        select(Agreement.id)
        .where(Agreement.mission_id == mission.id, Agreement.deleted_at.is_(None))
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


def _drawn_from(citation: AnyTable, source: AnyTable) -> ColumnElement[bool]:
    return citation.source_id == source.id  # type: ignore[no-any-return]


def _citations(of: Resource) -> SubCollection:
    def on(citation: AnyTable, record: AnyTable) -> ColumnElement[bool]:
        return (citation.record_kind == of.record_type) & (citation.record_id == record.id)  # type: ignore[no-any-return]

    return SubCollection(of, "citations", citation, on)


def _naming(child: Resource, relation: str) -> SubCollection:
    def on(row: AnyTable, parent: AnyTable) -> ColumnElement[bool]:
        return getattr(row, f"{relation}_id") == parent.id  # type: ignore[no-any-return]

    return SubCollection(child.to_one[relation], child.path, child, on)


# What lies under a record otherwise than by naming it: what ties the child's table to the parent's.
_TIED = (
    SubCollection(mission, "companies", company, _takes_part),
    SubCollection(mission, "outcomes", outcome, _of_mission),
    SubCollection(company, "agreements", agreement, _concluded_by),
    SubCollection(organization, "agreements", agreement, _concluded_by),
    # Its `citations` are those about the record of the source, as of any record.
    SubCollection(source, "passages", citation, _drawn_from),
)


def _in_order(collection: SubCollection) -> tuple[int, int]:
    return RESOURCES.index(collection.parent), RESOURCES.index(collection.child)


#: Everything that lies under a record, each in the order of the kinds.
COLLECTIONS: tuple[SubCollection, ...] = (
    *sorted((*_TIED, *(_naming(r, name) for r in RESOURCES for name in r.under)), key=_in_order),
    *(_citations(resource) for resource in RESOURCES),
)
for _collection in COLLECTIONS:
    _collection.parent.to_many[_collection.name.replace("-", "_")] = _collection


@cache
def routes() -> tuple[Route, ...]:
    """Every operation, in the order of the docs; what they need of an application is its state."""
    models = DocumentedModels(RESOURCES)
    served: list[Route] = []
    for resource in RESOURCES:
        served += crud_routes(resource, models)
        if resource is mission:
            served.append(summary_route(mission))
        if resource is source:
            served += text_routes(models)
    return (
        *served,
        search_route(RESOURCES),
        changes_route(RESOURCES),
        stream_route(RESOURCES),
        *webhook_routes(RESOURCES),
        *code_routes(),
        *api_key_routes(),
        *health_routes(),
        metrics_route(newest_seq_statement),
    )
