"""All operations of a kind of record, in the order of the docs."""

from app.core.http.dispatch import Route
from app.engine.resource import Resource
from app.rest.aggregate_routes import aggregate_csv_route, aggregate_route
from app.rest.bulk_routes import bulk_route
from app.rest.by_filter_routes import delete_many_route, update_many_route
from app.rest.conversion import Converter, converting_aggregate_route, refuse_in_files
from app.rest.create_under import create_under_routes
from app.rest.import_routes import import_route
from app.rest.operations import Models
from app.rest.part_exports import part_export_routes
from app.rest.read_routes import read_routes
from app.rest.write_routes import write_routes


def crud_routes(
    resource: Resource,
    models: Models,
    importing: Route | None = None,
    convert: Converter | None = None,
) -> list[Route]:
    """Every operation on the records themselves; `importing` is how files of them are imported,
    where that is otherwise than with most, and `convert` answers aggregates of converted money."""
    aggregates = [aggregate_route(resource), aggregate_csv_route(resource)]
    if convert is not None:
        aggregates = [
            converting_aggregate_route(resource, convert),
            aggregate_csv_route(resource, refuse_in_files),
        ]
    return [
        *read_routes(resource, models),
        *part_export_routes(resource),
        *aggregates,
        *write_routes(resource, models),
        *create_under_routes(resource, models),
        bulk_route(resource),
        update_many_route(resource),
        delete_many_route(resource),
        importing or import_route(resource),
    ]
