"""The filters of lists as OpenAPI tells them: those that people use, each with its type."""

from collections.abc import Iterator, Mapping
from typing import Any

from app.core.databases.types import ListedName
from app.core.edtf import EDTF_PATTERN
from app.engine.paths import MAX_DEPTH, Kind, Leaf, find_leaf, leaves_of, steps_of
from app.engine.query.operators import OPERATORS, operators_of
from app.engine.query.parameters import expandable, shown_in, sortable
from app.engine.resource import Part, Resource
from app.engine.schemas import Noted

Json = dict[str, Any]

_TEXT: Json = {"type": "string", "minLength": 1, "pattern": "^[^\\u0000]+$"}
_TYPES: dict[Kind, Json] = {
    Kind.id: {"type": "string", "format": "uuid"},
    Kind.text: _TEXT,
    Kind.code: _TEXT,
    Kind.integer: {"type": "integer"},
    Kind.decimal: {"type": "number", "format": "decimal"},
    Kind.boolean: {"type": "boolean"},
    Kind.date: {"type": "string", "format": "date"},
    Kind.instant: {"type": "string", "format": "date-time"},
    Kind.stated: {"type": "string", "maxLength": 64, "pattern": EDTF_PATTERN, "format": "edtf"},
    Kind.list: _TEXT,
}
#: The operators that people use, by the kind of field: the document tells of these. All others that
#: a field has work just so.
_TOLD: dict[Kind, tuple[str, ...]] = {
    Kind.id: ("eq", "isnull"),
    Kind.text: ("icontains",),
    Kind.choice: ("eq", "in"),
    Kind.code: ("eq", "in"),
    Kind.integer: ("gte", "lte"),
    Kind.decimal: ("eq", "gte", "lte", "isnull"),
    Kind.boolean: ("eq",),
    Kind.date: ("gte", "lte", "isnull"),
    Kind.instant: ("gte",),
    Kind.stated: ("gte", "lte", "isnull"),
    Kind.list: ("has",),
}
#: Asked for otherwise: a record by its address, the trash by `deleted`, free text by `q`.
_NOT_TOLD = {"id", "version", "deleted_at", *Noted.model_fields}
#: What stands beside a field and is asked for by that one: bounds of a stated date, a text in
#: English, an amount as printed.
_DERIVED = ("earliest", "latest", "en", "text")


def filter_parameters(resource: Resource, codes: Mapping[str, Json]) -> list[Json]:
    """The filters of the resource's lists that people use, each as a parameter object.

    Every operator of every field, and of fields of related records, can be asked in the same way:
    `relation__field__op`. `codes` are the schemas of codes, by the table of their list.
    """
    told: list[tuple[tuple[str, ...], tuple[str, ...]]]
    told = [((name,), _operators(resource, leaf)) for name, leaf in leaves_of(resource).items()]
    told += [(path, ("eq",)) for path in _related(resource)]
    return [
        _parameter(resource, path, operator, codes)
        for path, operators in told
        for operator in operators
    ]


def _operators(resource: Resource, leaf: Leaf) -> tuple[str, ...]:
    """The operators of a field of the resource that the document tells of."""
    if leaf.name == "ref":
        return "eq", "in"
    name, _, suffix = leaf.name.rpartition("_")
    derived = name in leaves_of(resource) and suffix in _DERIVED
    if leaf.name in _NOT_TOLD or derived or (leaf.kind is Kind.list and leaf.codes is None):
        return ()
    possible = operators_of(leaf)
    # What few records have is looked for by one value.
    rare = leaf.kind is Kind.choice and leaf.nullable
    return tuple(o for o in _TOLD[leaf.kind] if o in possible and not (rare and o == "in"))


def _related(resource: Resource) -> Iterator[tuple[str, ...]]:
    """The fields of parts and of related records that the document tells filters of: what is part,
    and which record, of which country."""
    for name, part in resource.parts.items():
        for field, leaf in leaves_of(part).items():
            if leaf.kind in (Kind.id, Kind.choice):
                yield name, field
    for name, target in resource.one.items():
        for field, leaf in leaves_of(target).items():
            of_country = leaf.codes is not None and leaf.codes.table.name == "country"
            if leaf.name == "ref" or of_country:
                yield name, field


def _parameter(
    resource: Resource, path: tuple[str, ...], operator: str, codes: Mapping[str, Json]
) -> Json:
    field, leaf = ".".join(path), find_leaf(resource, path)
    return {
        "name": "__".join(path) + ("" if operator == "eq" else f"__{operator}"),
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
    # Of repeated ones a request takes fewer.
    schema = {"type": "array", "items": single, "minItems": 1, "maxItems": 256}
    return {"schema": schema, "explode": False}


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
