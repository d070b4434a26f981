"""Fields that a table has no column for: what would say them, for errors that are about them."""

from collections.abc import Collection, Mapping

from app.engine.aggregates.units import units_of
from app.engine.paths import fields_of
from app.engine.resource import Resource


def absent_columns(resource: Resource, headers: Mapping[str, str]) -> dict[str, str]:
    """By field, the sentence about a column that is not there; `headers` are those that are."""
    known = fields_of(resource)
    units = {unit for name in headers if name in known for unit in units_of(resource, name)}
    return {
        name: f"The file has no column {name!r}: add one{_or_else(resource, name, units)}."
        for name in resource.fields.model_fields
        if name not in headers
    }


def _or_else(resource: Resource, name: str, units: Collection[str]) -> str:
    if name in units:
        example = ", as in 5 USD" if name == "currency" else ""
        return f", or write it beside the number{example}"
    part = resource.embedded.get(name)
    if part is None or part.sheet_columns is None:
        return ""
    value, _ = part.sheet_columns
    choices = fields_of(part)[value].choices
    return f", or columns called by their {value}" + (
        f", such as {choices[0]!r}" if choices else ""
    )
