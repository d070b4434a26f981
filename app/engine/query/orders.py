"""The order of lists: the fields that decide it, and where those without a value stand."""

from collections.abc import Iterator
from dataclasses import dataclass

from app.core.databases.expressions import Expression
from app.engine.paths import FieldType, RecordField, find_field
from app.engine.query.conditions import Path, value_at
from app.engine.query.operators import Get
from app.engine.record import bound_names
from app.engine.resource import Resource

#: Paths, each with "descending?".
Sort = tuple[tuple[Path, bool], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Key:
    """One of the fields that a list is in the order of."""

    field: RecordField
    column: Expression
    descending: bool
    nullable: bool
    #: Whether what has no value comes before what has one.
    nulls_first: bool = False


def sort_keys(resource: Resource, sort: Sort, get: Get, *, nulls_are_least: bool) -> list[Key]:
    """The keys of such an order; what has no value comes last, or where the least value would."""
    keys = []
    for path, descending in sort:
        field = find_field(resource, path)
        if field.field_type is FieldType.stated:
            path = (*path[:-1], bound_names(path[-1])[0])
            field = find_field(resource, path)
        column = value_at(resource, path, get)
        nullable = field.nullable or len(path) > 1
        first = nullable and nulls_are_least and not descending
        keys.append(Key(field, column, descending, nullable, first))
    return keys


def in_order(keys: list[Key], *, backward: bool = False) -> Iterator[Expression]:
    """What a statement is ordered by for these keys."""
    for key in keys:
        order = key.column.desc() if key.descending is not backward else key.column.asc()
        if key.nullable:
            first = key.nulls_first is not backward
            order = order.nulls_first() if first else order.nulls_last()
        yield order
