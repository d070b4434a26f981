"""Whatever takes the id of a record takes its ref: in bodies, in filters, in files."""

from collections.abc import Iterator
from uuid import UUID

from app.api import RESOURCES
from app.core.loose_types import TypeForm, Values
from app.engine.imports.columns import plan_of
from app.engine.query.filter_reader import read_filters
from app.engine.resource import Embedded, Resource
from app.engine.writes.nested_schemas import nested_model


def _holds_id(annotation: TypeForm) -> bool:
    return annotation is UUID or any(
        _holds_id(inner) for inner in getattr(annotation, "__args__", ())
    )


def references() -> Iterator[tuple[Resource, Resource | Embedded, tuple[str, ...]]]:
    """Every field that takes the id of a record: the kind, what holds the field, and its path."""
    for resource in RESOURCES:
        parts = [(part, (name,)) for name, part in resource.embedded.items()]
        holders: list[tuple[Resource | Embedded, tuple[str, ...]]] = [(resource, ()), *parts]
        for at, before in holders:
            for name, info in at.fields.model_fields.items():
                if _holds_id(info.annotation):
                    yield resource, at, (*before, name)


def _told(at: Resource | Embedded, name: str, body: Values) -> bool:
    """Whether the model of a body has, beside the id, an object with a ref."""
    relation = name.removesuffix("_id")
    if relation in at.to_one:
        return relation in body
    standing = at.stand_ins if isinstance(at, Resource) else None
    return standing is not None and name in standing.replaces.get(relation, ())


def test_every_field_that_takes_an_id_takes_a_ref() -> None:
    faults = []
    for resource, at, path in references():
        *before, name = path
        body = nested_model(resource).model_fields
        if before:
            (rows,) = body[before[0]].annotation.__args__  # type: ignore[union-attr]
            body = rows.model_fields
        if not _told(at, name, body):
            faults.append((resource.path, path, "body"))
        for operator, text in (("", "some-ref"), ("__in", "some-ref,another-ref")):
            read_filters(resource, [(f"{'__'.join(path)}{operator}", text)])
        if before:
            continue  # Files hold parts as JSON, read as a body is.
        relation = name.removesuffix("_id")
        headers = (name, relation, f"{relation}.ref", f"{relation}.id")
        plans = (plan_of(resource, [header], {}, None) for header in headers)
        faults += [(resource.path, path, fault.detail) for plan in plans for fault in plan.faults]
    assert faults == []


def test_there_are_such_fields_in_parts_and_of_records_of_any_kind() -> None:
    """So that the test above looks at them."""
    found = {(resource.path, *path) for resource, _, path in references()}
    assert found >= {
        ("agreements", "parties", "organization_id"),
        ("citations", "record_id"),
        ("citations", "source_id"),
        ("missions", "parent_id"),
    }
