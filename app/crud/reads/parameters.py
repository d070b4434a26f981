"""The filters of lists as OpenAPI tells them: each operator of each field, with its type."""

from collections.abc import Iterator, Mapping
from typing import Any

from app.core.edtf import EDTF_PATTERN
from app.core.types import ListedName
from app.crud.filters.operators import OPERATORS, operators_of
from app.crud.paths import MAX_DEPTH, Kind, Leaf, find_leaf, leaves_of, steps_of
from app.crud.reads.queries import expandable, shown_in, sortable
from app.crud.resource import Part, Resource

Json = dict[str, Any]

_TEXT: Json = {"type": "string", "minLength": 1, "pattern": "^[^\\u0000]+$"}
_TYPES: dict[Kind, Json] = {
    Kind.id: {"type": "string", "format": "uuid"},
    Kind.text: _TEXT,
    Kind.code: _TEXT,
    Kind.integer: {"type": "integer"},
    Kind.decimal: {"type": "number"},
    Kind.boolean: {"type": "boolean"},
    Kind.date: {"type": "string", "format": "date"},
    Kind.instant: {"type": "string", "format": "date-time"},
    Kind.stated: {"type": "string", "maxLength": 64, "pattern": EDTF_PATTERN, "format": "edtf"},
    Kind.list: _TEXT,
}
#: What filters of related records are told of: enough to pick some of them out.
_TOLD_OF_RELATED = ("eq", "ne", "in", "not_in", "isnull")


def filter_parameters(resource: Resource, codes: Mapping[str, Json]) -> list[Json]:
    """Every filter of the resource's lists as a parameter object.

    Fields of related records are told for those in `related`; all others can be asked in the same
    way, `relation__field__op`. `codes` are the schemas of codes, by the table of their list.
    """
    paths: list[tuple[str, ...]] = [(name,) for name in leaves_of(resource)]
    paths += [tuple(path.split(".")) for path in related(resource)]
    return [parameter for path in paths for parameter in _of_field(resource, path, codes)]


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


def _of_field(
    resource: Resource, path: tuple[str, ...], codes: Mapping[str, Json]
) -> Iterator[Json]:
    field, leaf = ".".join(path), find_leaf(resource, path)
    for operator in operators_of(leaf):
        if path[0] in resource.one and operator not in _TOLD_OF_RELATED:
            continue
        name = "__".join(path) + ("" if operator == "eq" else f"__{operator}")
        yield {
            "name": name,
            "in": "query",
            "description": f"Only records whose `{field}` {OPERATORS[operator].says}.",
            **_schema(leaf, operator, codes),
        }


def _schema(leaf: Leaf, operator: str, codes: Mapping[str, Json]) -> Json:
    if operator == "isnull":
        return {"schema": {"type": "boolean"}}
    single = _single(leaf, operator, codes)
    if not OPERATORS[operator].many:
        return {"schema": single}
    return {
        "schema": {"type": "array", "items": single, "minItems": 1, "maxItems": 256},
        "style": "form",
        "explode": True,
    }


def _single(leaf: Leaf, operator: str, codes: Mapping[str, Json]) -> Json:
    """The schema of one value."""
    if leaf.choices:
        # The enumeration that the field itself has in the document.
        of: Any = leaf.type
        name = of.schema if isinstance(of, ListedName) else of.enum_class.__name__
        return {"$ref": f"#/components/schemas/{name}"}
    if leaf.codes is not None and operator != "startswith":
        return codes[leaf.codes.table.name]
    if leaf.kind is Kind.stated and OPERATORS[operator].rounding:
        return _TYPES[Kind.date]
    return _TYPES[leaf.kind]


def view_parameters(resource: Resource) -> dict[str, tuple[str, list[str]]]:
    """What `fields`, `expand` and `sort` can name, by parameter, and what such a name is called."""
    own = list(shown_in(resource))
    inner = [
        f"{name}.{field}"
        for name, step in steps_of(resource).items()
        for field in shown_in(step.target)
    ]
    keys = [key for name in sortable(resource) for key in (name, f"-{name}")]
    fields = dict.fromkeys([*own, *steps_of(resource), *inner])
    return {
        "fields": (f"{resource.name}Field", list(fields)),
        "expand": (f"{resource.name}Relation", list(dict.fromkeys(_paths(resource, ())))),
        "sort": (f"{resource.name}Order", keys),
    }


def _paths(at: Resource | Part, before: tuple[str, ...]) -> Iterator[str]:
    """What can be expanded, to the second step; a third is possible too."""
    for name in expandable(at):
        path = (*before, name)
        yield ".".join(path)
        if len(path) < MAX_DEPTH - 1:
            yield from _paths(steps_of(at)[name].target, path)
