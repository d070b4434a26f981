"""The filters of lists as OpenAPI tells them: each operator of each field, with its type."""

from collections.abc import Iterator
from typing import Any

from app.crud.operators import OPERATORS, operators_of
from app.crud.paths import MAX_DEPTH, Kind, Leaf, find_leaf, leaves_of, steps_of
from app.crud.queries import expandable, shown_in, sortable
from app.crud.resource import Part, Resource

Json = dict[str, Any]

_TEXT: Json = {"type": "string", "minLength": 1, "pattern": "^[^\\u0000]+$"}
_TYPES: dict[Kind, Json] = {
    Kind.id: {"type": "string", "format": "uuid"},
    Kind.text: _TEXT,
    Kind.code: {"type": "string", "minLength": 1, "maxLength": 32},
    Kind.integer: {"type": "integer"},
    Kind.decimal: {"type": "number"},
    Kind.boolean: {"type": "boolean"},
    Kind.date: {"type": "string", "format": "date"},
    Kind.instant: {"type": "string", "format": "date-time"},
    Kind.stated: {"type": "string", "format": "edtf"},
    Kind.list: _TEXT,
}


def filter_parameters(resource: Resource) -> dict[str, Json]:
    """Every filter of the resource's lists as a parameter object, by the name it is referred to.

    Fields of related records are told for those in `related`; all others can be asked in the same
    way, `relation__field__op`.
    """
    paths: list[tuple[str, ...]] = [(name,) for name in leaves_of(resource)]
    paths += [tuple(path.split(".")) for path in related(resource)]
    return {
        f"{resource.name}.{parameter['name']}": parameter
        for path in paths
        for parameter in _of_field(path, find_leaf(resource, path))
    }


def related(resource: Resource) -> list[str]:
    """The fields of related records that the document tells filters of: what tells records of
    that kind apart, and all of parts."""
    found = []
    for name, part in resource.parts.items():
        found += [f"{name}.{field}" for field in leaves_of(part)]
    for name, target in resource.one.items():
        told = leaves_of(target)
        found += [f"{name}.{field}" for field, leaf in told.items() if _tells_apart(leaf)]
    return found


def _tells_apart(leaf: Leaf) -> bool:
    return leaf.name == "ref" or leaf.kind in (Kind.choice, Kind.code)


def _of_field(path: tuple[str, ...], leaf: Leaf) -> Iterator[Json]:
    field = ".".join(path)
    for operator in operators_of(leaf):
        name = "__".join(path) + ("" if operator == "eq" else f"__{operator}")
        yield {
            "name": name,
            "in": "query",
            "description": f"Only records whose `{field}` {OPERATORS[operator].says}.",
            **_schema(leaf, operator),
        }


def _schema(leaf: Leaf, operator: str) -> Json:
    if operator == "isnull":
        return {"schema": {"type": "boolean"}}
    single = {"type": "string", "enum": list(leaf.choices)} if leaf.choices else _TYPES[leaf.kind]
    if leaf.kind is Kind.stated and OPERATORS[operator].rounding:
        single = _TYPES[Kind.date]
    if not OPERATORS[operator].many:
        return {"schema": single}
    return {
        "schema": {"type": "array", "items": single, "minItems": 1, "maxItems": 256},
        "style": "form",
        "explode": True,
    }


def view_parameters(resource: Resource) -> dict[str, Json]:
    """The schemas of `fields`, `expand` and `sort`, by parameter."""
    own = list(shown_in(resource))
    paths = list(_paths(resource, ()))
    inner = [
        f"{name}.{field}"
        for name, step in steps_of(resource).items()
        for field in shown_in(step.target)
    ]
    keys = sortable(resource)
    return {
        "fields": _names([*own, *steps_of(resource), *inner]),
        "expand": _names(paths),
        "sort": _names([key for name in keys for key in (name, f"-{name}")]),
    }


def _paths(at: Resource | Part, before: tuple[str, ...]) -> Iterator[str]:
    """What can be expanded, to the second step; a third is possible too."""
    for name in expandable(at):
        path = (*before, name)
        yield ".".join(path)
        if len(path) < MAX_DEPTH - 1:
            yield from _paths(steps_of(at)[name].target, path)


def _names(names: list[str]) -> Json:
    schema = {"type": "array", "items": {"type": "string", "enum": list(dict.fromkeys(names))}}
    return {"schema": schema | {"minItems": 1}, "style": "form", "explode": False}
