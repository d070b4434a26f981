"""Everything that is served, one line each, in the order of the docs."""

from functools import cache
from uuid import UUID

from sqlalchemy import ColumnElement

from app.admin.api_key import api_key_routes
from app.admin.code_list import code_routes
from app.changes.stream_routes import stream_route
from app.charts.routes import charts_routes
from app.core.databases.expressions import AnyTable
from app.core.http.dispatch import Route
from app.core.loose_types import Fields
from app.core.observability.health import health_routes
from app.core.observability.metrics_route import metrics_route
from app.datasets.routes import dataset_routes
from app.engine.history.change_log import newest_seq_statement
from app.engine.registry import register
from app.engine.resource import Resource, SubCollection
from app.engine.withholding import tell_withheld
from app.feeds.routes import feed_routes
from app.insights.conversion import conversion_route
from app.insights.converted_figures import DATED_BY, answer_converted
from app.insights.duplicates import duplicates_routes
from app.insights.figures import use_figures
from app.insights.journey import of_journey
from app.insights.mission_figures import mission_figures_routes
from app.insights.organization_figures import organization_figures_routes
from app.insights.reconciliation import reconciliation_route
from app.insights.search import search_route
from app.insights.summary import summary_route
from app.insights.ties import TIED
from app.questions.routes import question_routes
from app.receipts.routes import receipt_routes
from app.resources.agreement import agreement
from app.resources.citation import citation
from app.resources.cited_record import show_backed
from app.resources.delegate import delegate
from app.resources.event import event
from app.resources.exchange_rate import exchange_rate
from app.resources.exchange_rate_import import rates_import_route
from app.resources.mission import mission
from app.resources.organization import company, organization
from app.resources.outcome import outcome
from app.resources.participation import participation
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
show_backed(RESOURCES)
tell_withheld(RESOURCES)
use_figures()


def _citations(of: Resource) -> SubCollection:
    def on(citation: AnyTable, record: AnyTable) -> ColumnElement[bool]:
        return (citation.record_kind == of.record_type) & (citation.record_id == record.id)  # type: ignore[no-any-return]

    def ties(record_id: UUID) -> Fields:
        return {"record_kind": of.record_type, "record_id": record_id}

    return SubCollection(of, "citations", citation, on, ties, anywhere=True)


def _naming(child: Resource, relation: str) -> SubCollection:
    def on(row: AnyTable, parent: AnyTable) -> ColumnElement[bool]:
        return getattr(row, f"{relation}_id") == parent.id  # type: ignore[no-any-return]

    parent, key = child.to_one[relation], f"{relation}_id"
    own = SubCollection(parent, child.path, child, on, lambda parent_id: {key: parent_id})
    if parent is not mission:
        return own
    return of_journey(own, lambda row, missions: getattr(row, key).in_(missions))


def _in_order(collection: SubCollection) -> tuple[int, int]:
    return RESOURCES.index(collection.parent), RESOURCES.index(collection.child)


#: Everything that lies under a record, each in the order of the kinds.
COLLECTIONS: tuple[SubCollection, ...] = (
    *sorted((*TIED, *(_naming(r, name) for r in RESOURCES for name in r.under)), key=_in_order),
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
        importing = rates_import_route() if resource is exchange_rate else None
        convert = answer_converted if resource.record_type in DATED_BY else None
        served += crud_routes(resource, models, importing, convert)
        if resource is mission:
            served.append(summary_route(mission))
            served.append(reconciliation_route(mission))
        if resource is source:
            served += text_routes(models)
    insights = (*mission_figures_routes(), *organization_figures_routes(), conversion_route())
    changes = changes_route(RESOURCES)
    shown = (*served, *insights, *dataset_routes(), *charts_routes((*served, *insights)))
    return (
        *shown,
        *feed_routes(served),
        *question_routes(shown, [resource.path for resource in RESOURCES]),
        *receipt_routes((*served, *insights, changes), RESOURCES, citation),
        *duplicates_routes(),
        search_route(RESOURCES),
        changes,
        stream_route(RESOURCES),
        *webhook_routes(RESOURCES),
        *code_routes(),
        *api_key_routes(),
        *health_routes(),
        metrics_route(newest_seq_statement),
    )
