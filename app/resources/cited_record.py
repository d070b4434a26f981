"""What a citation shows of the record that it backs, of whichever kind that is."""

from collections.abc import Iterable, Iterator

from sqlalchemy import case, inspect, select
from sqlalchemy.orm import column_property

from app.core.databases.expressions import Expression
from app.core.databases.interface import table_of
from app.engine.keys import names_of
from app.engine.query.aliases import TableAlias
from app.engine.resource import Resource
from app.engine.schemas import Prose
from app.engine.search.searched import fields_like
from app.resources.citation import Citation


def show_backed(resources: Iterable[Resource]) -> None:
    """Give citations the ref and the title of what they back, once all kinds are known."""
    several = [resource for resource in resources if resource.row_filter is None]
    kind = table_of(Citation).c.record_kind
    for name, value in (("record_ref", _ref), ("record_title", _title)):
        found = ((kind == r.record_type, value(r)) for r in several)
        column = case(*((is_kind, shown) for is_kind, shown in found if shown is not None))
        inspect(Citation).add_property(name, column_property(column, deferred=True))


def _ref(resource: Resource) -> Expression:
    return _of_record(resource, "ref")


def _title(resource: Resource) -> Expression | None:
    """Its name or, where it has none, what it says, or the name of what it is about."""
    fields = resource.fields.model_fields
    prose = (name for name in fields_like(fields, Prose) if fields[name].is_required())
    if own := (*names_of(resource), *prose):
        # The publisher of a source comes before its title.
        return _of_record(resource, "title" if "title" in own else own[0])
    for relation in _required(resource):
        target = resource.to_one[relation]
        if names := names_of(target):
            name = "title" if "title" in names else names[0]
            return _of_related(resource, f"{relation}_id", target, name)
    return None


def _required(resource: Resource) -> Iterator[str]:
    """The relations that every record of the kind has, those to what it is part of last."""
    fields = resource.fields.model_fields
    for relation in sorted(resource.to_one, key=lambda name: name in resource.part_of):
        if (key := f"{relation}_id") in fields and fields[key].is_required():
            yield relation


def _of_record(resource: Resource, name: str) -> Expression:
    table = TableAlias(resource.table)
    found = select(getattr(table, name)).where(_is_backed(table))
    return found.correlate_except(table.source).scalar_subquery()


def _of_related(resource: Resource, key: str, target: Resource, name: str) -> Expression:
    table, other = TableAlias(resource.table), TableAlias(target.table)
    both = other.source.join(table.source, getattr(table, key) == other.id)
    found = select(getattr(other, name)).select_from(both).where(_is_backed(table))
    return found.correlate_except(table.source, other.source).scalar_subquery()


def _is_backed(table: TableAlias) -> Expression:
    return table.id == table_of(Citation).c.record_id
